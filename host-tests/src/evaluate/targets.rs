//! What the project wants to reach, beside what was reached.
use super::Summary;
use serde::Serialize;

/// One promise and the figure that was measured for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// What it is about.
    pub what: String,
    /// The limit.
    pub limit: f64,
    /// Whether the figure must be at least the limit; at most, otherwise.
    pub at_least: bool,
    /// The figure; `None` where it never came, which is a miss.
    pub reached: Option<f64>,
}

impl Target {
    /// Whether the promise was kept.
    pub fn is_met(&self) -> bool {
        self.reached.is_some_and(|reached| {
            if self.at_least {
                reached >= self.limit
            } else {
                reached <= self.limit
            }
        })
    }
}

/// Account recall that is wanted of a family.
const RECALL: [(&str, f64); 6] = [
    ("A1", 0.99),
    ("A2", 0.95),
    ("A3", 0.95),
    ("A4", 0.80),
    ("A5", 0.90),
    ("A6", 0.95),
];
/// False positives: of all organic accounts, and of a stratum's.
const ALL: f64 = 0.001;
const STRATUM: f64 = 0.01;

/// The promises that these results can be held against.
pub fn targets(summary: &Summary) -> Vec<Target> {
    let mut targets = vec![Target {
        what: "organic accounts acted on".to_owned(),
        limit: ALL,
        at_least: false,
        reached: Some(summary.organic.acted),
    }];
    for stratum in summary.strata.iter().filter(|one| one.stratum != "other") {
        targets.push(Target {
            what: format!("{} accounts acted on", stratum.stratum),
            limit: STRATUM,
            at_least: false,
            reached: Some(stratum.acted),
        });
    }
    for family in &summary.families {
        let Some((_, recall)) = RECALL.iter().find(|(name, _)| *name == family.family) else {
            continue;
        };
        targets.push(Target {
            what: format!("{} account recall", family.family),
            limit: *recall,
            at_least: true,
            reached: Some(family.recall),
        });
        if family.family == "A1" {
            targets.push(Target {
                what: "A1 served before restriction".to_owned(),
                limit: 0.04,
                at_least: false,
                reached: family.served_of_open.or(Some(family.s_pre)),
            });
            targets.push(Target {
                what: "A1 hours to first restriction, slowest campaign".to_owned(),
                limit: 24.0,
                at_least: false,
                reached: family.slowest_first_h,
            });
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{CampaignScore, Organic, STRATA, SeedScore};

    #[test]
    fn a_campaign_that_was_never_found_misses_its_deadline() {
        let mut strata = vec![Organic::default(); STRATA.len()];
        strata[3] = Organic {
            accounts: 300,
            acted: 2,
            ..Organic::default()
        };
        let score = SeedScore {
            organic: strata[3],
            strata,
            campaigns: vec![CampaignScore {
                family: "A1".to_owned(),
                accounts: 10,
                attack: 100,
                before: 100,
                ..CampaignScore::default()
            }],
            ..SeedScore::default()
        };

        let targets = targets(&Summary::of(&[(1, &score)], false));

        let met: Vec<(&str, bool)> = targets
            .iter()
            .map(|target| (target.what.as_str(), target.is_met()))
            .collect();
        assert_eq!(
            met,
            [
                ("organic accounts acted on", false),
                ("H3 accounts acted on", true),
                ("A1 account recall", false),
                ("A1 served before restriction", false),
                ("A1 hours to first restriction, slowest campaign", false),
            ]
        );
    }
}

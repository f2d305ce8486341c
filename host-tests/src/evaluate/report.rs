//! What the evaluation came to: everything that tables, JSON and pages show.
use super::intervals::share;
use super::summary::{CurvePoint, curve};
use super::{
    Agreement, Comparison, Cost, DayPoint, Flood, Loop, Reading, SeedRun, SeedScore, Summary,
    Sweep, Target,
};
use serde::Serialize;

/// Bars of a histogram of scores, and where it begins and ends in nats.
const BARS: usize = 40;
const LOWEST: f32 = -12.0;
const HIGHEST: f32 = 28.0;

/// Everything about one kind of run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// Open or closed loop.
    #[serde(rename = "loop")]
    pub mode: Loop,
    /// Share of campaign traffic in the burn-in.
    pub contamination: f64,
    /// Weir.
    pub weir: Summary,
    /// What is wanted of these figures, and which are.
    pub targets: Vec<Target>,
    /// Weir with parts switched off.
    pub ablations: Vec<(String, Summary)>,
    /// Everybody at the same false positive rate.
    pub comparison: Vec<Comparison>,
    /// Recall by false positive rate, by family, for Weir's score.
    pub curves: Vec<(String, Vec<CurvePoint>)>,
    /// By family: attack exchanges sent and served by day of the window, over all seeds.
    pub exchanges: Vec<(String, Vec<[u64; 2]>)>,
    /// Scores over the days of the first seed; campaigns as in `campaigns`.
    pub days: Vec<DayPoint>,
    /// Names of the first seed's campaigns.
    pub campaigns: Vec<String>,
    /// Highest scores of organic and of campaign accounts, in [`HISTOGRAM`] bars.
    pub histogram: Vec<[u64; 2]>,
    /// What Weir cost, by seed.
    pub cost: Vec<Cost>,
}

/// The range of [`RunReport::histogram`] in nats; scores beyond it count in the outermost bars.
pub const HISTOGRAM: [f32; 2] = [LOWEST, HIGHEST];

/// The result of everything.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// Test seeds.
    pub seeds: String,
    /// Dev seeds, where baselines ran.
    pub dev_seeds: Option<String>,
    /// Version of the detector's profile.
    pub profile: String,
    /// By loop and contamination.
    pub runs: Vec<RunReport>,
    /// What it costs to read a request of this world natively, where it was measured.
    pub reading: Option<Reading>,
    /// The same worlds through the plugin, by seed, where that was asked for.
    pub through: Vec<Agreement>,
    /// What a flood of accounts came to, where that was asked for.
    pub flood: Option<Flood>,
}

pub(super) fn report(mode: Loop, contamination: f64, seeds: &[u64], runs: &[SeedRun]) -> RunReport {
    let numbered = |index: usize| -> Vec<(u64, &SeedScore)> {
        seeds.iter().copied().zip(lane(runs, index)).collect()
    };
    let weir = Summary::of(&numbered(0), true);
    let own: Vec<(&SeedScore, &Sweep)> = lane(runs, 0).map(|score| (score, &score.sweep)).collect();
    let families = || weir.families.iter().map(|family| family.family.clone());
    let names = runs.first().map_or(&[][..], |run| run.lanes.as_slice());
    let first = lane(runs, 0).next();
    RunReport {
        mode,
        contamination,
        ablations: names
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, (name, _))| (name.clone(), Summary::of(&numbered(index), false)))
            .collect(),
        targets: Vec::new(),
        comparison: Vec::new(),
        curves: families()
            .map(|family| (family.clone(), curve(&own, Some(&family))))
            .collect(),
        exchanges: families()
            .map(|family| (family.clone(), daily(runs, &family)))
            .collect(),
        days: first.map_or_else(Vec::new, |score| score.days.clone()),
        campaigns: first.map_or_else(Vec::new, |score| {
            score.campaigns.iter().map(|one| one.name.clone()).collect()
        }),
        histogram: histogram(&own),
        cost: runs.iter().map(|run| run.cost.clone()).collect(),
        weir,
    }
}

fn daily(runs: &[SeedRun], family: &str) -> Vec<[u64; 2]> {
    let mut days: Vec<[u64; 2]> = Vec::new();
    for campaign in lane(runs, 0)
        .flat_map(|score| &score.campaigns)
        .filter(|campaign| campaign.family == family)
    {
        days.resize(days.len().max(campaign.daily_attack.len()), [0; 2]);
        let both = campaign.daily_attack.iter().zip(&campaign.daily_served);
        for ([sent, served], (more_sent, more_served)) in days.iter_mut().zip(both) {
            *sent += more_sent;
            *served += more_served;
        }
    }
    days
}

fn histogram(seeds: &[(&SeedScore, &Sweep)]) -> Vec<[u64; 2]> {
    let mut bars = vec![[0_u64; 2]; BARS];
    let mut add = |score: f32, campaign: usize| {
        let place = ((score - LOWEST) / (HIGHEST - LOWEST) * BARS as f32) as usize;
        if let Some(count) = bars
            .get_mut(place.min(BARS - 1))
            .and_then(|bar| bar.get_mut(campaign))
        {
            *count += 1;
        }
    };
    for (_, sweep) in seeds {
        sweep.organic.iter().for_each(|score| add(*score, 0));
        for account in &sweep.accounts {
            if let Some(score) = account.peak.last() {
                add(*score, 1);
            }
        }
    }
    bars
}

/// The scores of lane `lane`, by run.
pub(super) fn lane(runs: &[SeedRun], lane: usize) -> impl Iterator<Item = &SeedScore> {
    runs.iter()
        .filter_map(move |run| run.lanes.get(lane))
        .map(|(_, score)| score)
}

impl RunReport {
    /// Mean nanoseconds an exchange over seeds: in [`Cost::observe_ns`], and in passes; and the longest pass in seconds.
    pub fn cost_summary(&self) -> (f64, f64, f64) {
        let exchanges: u64 = self.cost.iter().map(|cost| cost.exchanges).sum();
        let mean = |of: fn(&Cost) -> f64| {
            let all = self
                .cost
                .iter()
                .map(|cost| of(cost) * cost.exchanges as f64);
            all.sum::<f64>() / exchanges.max(1) as f64
        };
        let longest = self
            .cost
            .iter()
            .map(|cost| cost.longest_pass_s)
            .fold(0.0, f64::max);
        (
            mean(|cost| cost.observe_ns),
            mean(|cost| cost.total_ns - cost.observe_ns),
            longest,
        )
    }
    /// Share of attack exchanges that were served, all families.
    pub fn served(&self) -> f64 {
        let (sent, served) = self
            .exchanges
            .iter()
            .flat_map(|(_, days)| days)
            .fold((0, 0), |(sent, served), [more, through]| {
                (sent + more, served + through)
            });
        share(served, sent)
    }
}

impl Report {
    /// Version of the form that [`Report::to_json`] writes; grows when a name is taken away or changes meaning.
    pub const VERSION: u32 = 1;

    /// The report for machines: one object, names as the fields' here. Shares are between 0 and 1,
    /// times in hours, costs in nanoseconds and seconds; `null` stands for what never came.
    ///
    /// # Errors
    /// None that a report can cause: all its numbers are finite.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::experiment;
    use crate::evaluate::experiment::tests::{Toys, plan};

    #[test]
    fn the_json_keeps_its_names() {
        let report = Report {
            version: Report::VERSION,
            scenario: "toy".to_owned(),
            seeds: "10..13".to_owned(),
            dev_seeds: None,
            profile: "1".to_owned(),
            runs: experiment(&plan(2), &Toys, |_| {}),
            reading: None,
            through: Vec::new(),
            flood: None,
        };

        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();

        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(
            keys(&json),
            [
                "version",
                "scenario",
                "seeds",
                "dev_seeds",
                "profile",
                "runs",
                "reading",
                "through",
                "flood"
            ]
        );
        assert_eq!(json["runs"][1]["loop"], "closed");
        assert_eq!(
            keys(&json["runs"][0]),
            [
                "loop",
                "contamination",
                "weir",
                "targets",
                "ablations",
                "comparison",
                "curves",
                "exchanges",
                "days",
                "campaigns",
                "histogram",
                "cost"
            ]
        );
        assert_eq!(
            keys(&json["runs"][0]["weir"]["families"][0]),
            [
                "family",
                "campaigns",
                "accounts",
                "recall",
                "worst_recall",
                "recall_24h",
                "recall_72h",
                "attack",
                "s_pre",
                "worst_s_pre",
                "served",
                "served_of_open",
                "first_h",
                "slowest_first_h",
                "half_h",
                "ninety_h",
                "served_until_half",
                "served_until_ninety",
                "customers",
                "customers_refused",
                "reasons"
            ]
        );
        assert_eq!(
            keys(&json["runs"][0]["weir"]["organic"]),
            [
                "stratum",
                "counts",
                "acted",
                "stepped_up",
                "wilson",
                "by_organization",
                "by_program",
                "worst",
                "worst_seed"
            ]
        );
        assert_eq!(
            keys(&json["runs"][0]["comparison"][2]),
            ["method", "online", "all", "families", "curve"]
        );
    }
}

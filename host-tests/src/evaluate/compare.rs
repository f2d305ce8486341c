//! Every method at the same price: thresholds frozen where as few organic accounts of other seeds pass.
use super::baselines::{BaselineScores, Oracle, Rows};
use super::report::lane;
use super::summary::{CurvePoint, curve, operate};
use super::{Operating, SeedRun, SeedScore, Sweep};
use serde::Serialize;

/// Organic accounts that every method in the comparison lets pass, as a share, on dev seeds.
pub const MATCHED_RATE: f64 = 0.001;

/// One method at a threshold frozen on dev seeds, on the test seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Its name.
    pub method: String,
    /// Whether it could have acted while the campaign ran.
    pub online: bool,
    /// Organic accounts above the threshold, all families' accounts and attack exchanges.
    pub all: Operating,
    /// The same by family.
    pub families: Vec<(String, Operating)>,
    /// Recall by false positive rate on these seeds, all families.
    pub curve: Vec<CurvePoint>,
}

/// Everybody at thresholds frozen on dev seeds.
pub(super) fn compare(dev: &[SeedRun], test: &[SeedRun]) -> Vec<Comparison> {
    let own: Vec<(&SeedScore, &Sweep)> = lane(test, 0).map(|score| (score, &score.sweep)).collect();
    let mut rows = vec![by_states(&own)];
    let threshold = Sweep::threshold(lane(dev, 0).map(|score| &score.sweep), MATCHED_RATE);
    rows.push(at("Weir, score only", true, threshold, &own));
    let names = test
        .first()
        .and_then(|run| run.baselines.as_ref())
        .map_or(&[][..], |scores| scores.methods.as_slice());
    for (index, (name, _)) in names.iter().enumerate() {
        let theirs = |run: &SeedRun| -> Option<Sweep> {
            Some(run.baselines.as_ref()?.methods.get(index)?.1.clone())
        };
        let dev: Vec<Sweep> = dev.iter().filter_map(theirs).collect();
        let sweeps: Vec<Sweep> = test.iter().filter_map(theirs).collect();
        let seeds: Vec<(&SeedScore, &Sweep)> = lane(test, 0).zip(&sweeps).collect();
        let threshold = Sweep::threshold(&dev, MATCHED_RATE);
        rows.push(at(name, !name.contains("offline"), threshold, &seeds));
    }
    rows.extend(oracles(dev, test));
    rows
}

/// Weir as it is: states, not a threshold on the score; two keys and caps included.
fn by_states(seeds: &[(&SeedScore, &Sweep)]) -> Comparison {
    let sum = |family: Option<&str>| {
        let mut all = Operating::default();
        for (score, _) in seeds {
            all.false_positives += score.organic.acted;
            all.organic += score.organic.accounts;
            for campaign in score
                .campaigns
                .iter()
                .filter(|one| family.is_none_or(|family| one.family == family))
            {
                all.found += campaign.restricted;
                all.accounts += campaign.accounts;
                all.served += campaign.before;
                all.attack += campaign.attack;
            }
        }
        all
    };
    Comparison {
        method: "Weir".to_owned(),
        online: true,
        all: sum(None),
        families: family_names(seeds)
            .into_iter()
            .map(|family| (family.clone(), sum(Some(&family))))
            .collect(),
        curve: curve(seeds, None),
    }
}

fn at(method: &str, online: bool, threshold: f32, seeds: &[(&SeedScore, &Sweep)]) -> Comparison {
    Comparison {
        method: method.to_owned(),
        online,
        all: operate(seeds, threshold, None),
        families: family_names(seeds)
            .into_iter()
            .map(|family| (family.clone(), operate(seeds, threshold, Some(&family))))
            .collect(),
        curve: curve(seeds, None),
    }
}

fn family_names(seeds: &[(&SeedScore, &Sweep)]) -> Vec<String> {
    let mut names: Vec<String> = seeds
        .iter()
        .flat_map(|(score, _)| &score.campaigns)
        .filter(|campaign| campaign.accounts > 0)
        .map(|campaign| campaign.family.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The ceiling, and what it is worth against a family that it was not trained on.
fn oracles(dev: &[SeedRun], test: &[SeedRun]) -> Vec<Comparison> {
    let rows = |run: &'_ SeedRun| -> Option<Rows> {
        run.baselines
            .as_ref()
            .map(|BaselineScores { rows, .. }| rows.clone())
    };
    let dev: Vec<Rows> = dev.iter().filter_map(rows).collect();
    let dev: Vec<&Rows> = dev.iter().collect();
    let test_rows: Vec<Rows> = test.iter().filter_map(rows).collect();
    let judge = |oracle: &Oracle| -> Vec<Sweep> {
        test_rows.iter().map(|rows| oracle.judge(rows)).collect()
    };
    let all = Oracle::train(&dev, None, MATCHED_RATE);
    let sweeps = judge(&all);
    let seeds: Vec<(&SeedScore, &Sweep)> = lane(test, 0).zip(&sweeps).collect();
    let mut result = vec![at(
        "B9 oracle (offline, labelled)",
        false,
        all.threshold,
        &seeds,
    )];
    let families = family_names(&seeds);
    if families.len() < 2 {
        return result;
    }
    // One model for each family, trained on all others.
    let mut unseen = Comparison {
        method: "B9 on unseen families (offline)".to_owned(),
        online: false,
        all: Operating::default(),
        families: Vec::new(),
        curve: Vec::new(),
    };
    for family in families {
        let oracle = Oracle::train(&dev, Some(&family), MATCHED_RATE);
        let sweeps = judge(&oracle);
        let seeds: Vec<(&SeedScore, &Sweep)> = lane(test, 0).zip(&sweeps).collect();
        let operating = operate(&seeds, oracle.threshold, Some(&family));
        unseen.all = unseen.all.plus(operating);
        unseen.families.push((family, operating));
    }
    result.push(unseen);
    result
}

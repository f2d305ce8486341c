//! The whole evaluation: worlds by seed, dev seeds for thresholds, test seeds for results.
//!
//! Baselines get their thresholds, and the oracle its training, on dev seeds only; on the test seeds
//! everything is frozen. They run in the open loop of the first contamination, where they all see the
//! same exchanges as Weir does.
use super::baselines::{BaselineScores, Baselines, Oracle, Rows};
use super::intervals::share;
use super::summary::{CurvePoint, curve, operate};
use super::{
    Cost, DayPoint, Exchanges, Lane, Loop, Operating, SeedRun, SeedScore, Seeds, Summary, Sweep,
    Target, in_parallel, run, targets,
};
use serde::Serialize;

/// Organic accounts that every method in the comparison lets pass, as a share, on dev seeds.
pub const MATCHED_RATE: f64 = 0.001;
/// Bars of a histogram of scores, and where it begins and ends in nats.
const BARS: usize = 40;
const LOWEST: f32 = -12.0;
const HIGHEST: f32 = 28.0;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seeds that results are reported on.
    pub seeds: Seeds,
    /// Seeds that baselines are calibrated and trained on; `None` leaves baselines out.
    pub dev_seeds: Option<Seeds>,
    /// Threads.
    pub jobs: usize,
    /// Loops, in the order of the report.
    pub loops: Vec<Loop>,
    /// Shares of campaign traffic in the burn-in.
    pub contamination: Vec<f64>,
}

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
}

/// Makes what the plan needs.
pub trait Setup: Sync {
    /// The world of a seed.
    type World: Exchanges;
    /// The world of `seed`, with this share of campaign traffic in the burn-in.
    fn world(&self, seed: u64, contamination: f64) -> Self::World;
    /// Weir first, and its ablations behind it where they are asked for.
    fn lanes(&self, ablations: bool) -> Vec<Lane>;
}

struct Task {
    seed: u64,
    mode: Loop,
    contamination: f64,
    /// The first open run carries baselines and ablations.
    extras: bool,
}

/// Carries the plan out and gives its runs. `progress` is told of exchanges done, by any thread.
pub fn experiment(
    plan: &Plan,
    setup: &impl Setup,
    progress: impl Fn(u64) + Sync,
) -> Vec<RunReport> {
    let work = |task: &Task| {
        let mut world = setup.world(task.seed, task.contamination);
        let baselines = (task.extras && plan.dev_seeds.is_some()).then(Baselines::default);
        run(
            &mut world,
            setup.lanes(task.extras),
            baselines,
            task.mode,
            &progress,
        )
    };
    let first = plan.contamination.first().copied().unwrap_or(0.0);
    let dev: Vec<Task> = plan
        .dev_seeds
        .into_iter()
        .flat_map(Seeds::iter)
        .map(|seed| Task {
            seed,
            mode: Loop::Open,
            contamination: first,
            extras: true,
        })
        .collect();
    let dev_runs = in_parallel(&dev, plan.jobs, work);
    let mut kinds = Vec::new();
    for (index, contamination) in plan.contamination.iter().enumerate() {
        for mode in &plan.loops {
            kinds.push((*mode, *contamination, index == 0 && *mode == Loop::Open));
        }
    }
    let tasks: Vec<Task> = kinds
        .iter()
        .flat_map(|(mode, contamination, extras)| {
            plan.seeds.iter().map(|seed| Task {
                seed,
                mode: *mode,
                contamination: *contamination,
                extras: *extras,
            })
        })
        .collect();
    let seeds: Vec<u64> = plan.seeds.iter().collect();
    let runs = in_parallel(&tasks, plan.jobs, work);
    let mut reports: Vec<RunReport> = kinds
        .iter()
        .zip(runs.chunks(seeds.len().max(1)))
        .map(|((mode, contamination, extras), runs)| {
            let mut report = report(*mode, *contamination, &seeds, runs);
            if *extras && !dev_runs.is_empty() {
                report.comparison = compare(&dev_runs, runs);
            }
            report
        })
        .collect();
    relate(&mut reports);
    for report in &mut reports {
        report.targets = targets(&report.weir);
    }
    reports
}

/// Holds what closed loops served against what was sent in the open loop of the same contamination.
fn relate(reports: &mut [RunReport]) {
    let sent: Vec<(f64, String, u64)> = reports
        .iter()
        .filter(|report| report.mode == Loop::Open)
        .flat_map(|report| {
            report
                .weir
                .families
                .iter()
                .map(|family| (report.contamination, family.family.clone(), family.attack))
        })
        .collect();
    for report in reports
        .iter_mut()
        .filter(|report| report.mode == Loop::Closed)
    {
        for family in &mut report.weir.families {
            let open = sent.iter().find(|(contamination, name, _)| {
                contamination.total_cmp(&report.contamination).is_eq() && *name == family.family
            });
            family.served_of_open =
                open.map(|(_, _, sent)| family.served * family.attack as f64 / *sent as f64);
        }
    }
}

/// The scores of lane `lane`, by run.
fn lane(runs: &[SeedRun], lane: usize) -> impl Iterator<Item = &SeedScore> {
    runs.iter()
        .filter_map(move |run| run.lanes.get(lane))
        .map(|(_, score)| score)
}

fn report(mode: Loop, contamination: f64, seeds: &[u64], runs: &[SeedRun]) -> RunReport {
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

/// Everybody at thresholds frozen on dev seeds.
fn compare(dev: &[SeedRun], test: &[SeedRun]) -> Vec<Comparison> {
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

impl RunReport {
    /// Mean nanoseconds an exchange over seeds, and the longest pass in seconds.
    pub fn cost_summary(&self) -> (f64, f64) {
        let exchanges: u64 = self.cost.iter().map(|cost| cost.exchanges).sum();
        let total: f64 = self
            .cost
            .iter()
            .map(|cost| cost.total_ns * cost.exchanges as f64)
            .sum();
        let longest = self
            .cost
            .iter()
            .map(|cost| cost.longest_pass_s)
            .fold(0.0, f64::max);
        (total / exchanges.max(1) as f64, longest)
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
pub(super) mod tests {
    use super::*;
    use crate::evaluate::fixture::{Hundred, Toy};

    pub(in crate::evaluate) struct Toys;

    impl Setup for Toys {
        type World = Toy;
        fn world(&self, seed: u64, _: f64) -> Toy {
            Toy::new(seed, 6)
        }
        fn lanes(&self, ablations: bool) -> Vec<Lane> {
            let names: &[&str] = if ablations {
                &["weir", "no text"]
            } else {
                &["weir"]
            };
            names
                .iter()
                .map(|name| Lane {
                    name: (*name).to_owned(),
                    judge: Box::<Hundred>::default(),
                })
                .collect()
        }
    }

    pub(in crate::evaluate) fn plan(jobs: usize) -> Plan {
        Plan {
            seeds: "10..13".parse().unwrap(),
            dev_seeds: Some("0..2".parse().unwrap()),
            jobs,
            loops: vec![Loop::Open, Loop::Closed],
            contamination: vec![0.0, 0.02],
        }
    }

    fn without_cost(mut runs: Vec<RunReport>) -> Vec<RunReport> {
        for run in &mut runs {
            run.cost.clear();
        }
        runs
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_jobs() {
        let one = experiment(&plan(1), &Toys, |_| {});
        let three = experiment(&plan(3), &Toys, |_| {});

        assert_eq!(without_cost(one), without_cost(three));
    }

    #[test]
    fn baselines_and_ablations_come_with_the_first_open_run_only() {
        let runs = experiment(&plan(2), &Toys, |_| {});

        let kinds: Vec<(Loop, f64)> = runs
            .iter()
            .map(|run| (run.mode, run.contamination))
            .collect();
        assert_eq!(
            kinds,
            [
                (Loop::Open, 0.0),
                (Loop::Closed, 0.0),
                (Loop::Open, 0.02),
                (Loop::Closed, 0.02)
            ]
        );
        let methods: Vec<&str> = runs[0]
            .comparison
            .iter()
            .map(|row| row.method.as_str())
            .collect();
        assert_eq!(
            methods,
            [
                "Weir",
                "Weir, score only",
                "B0 rate",
                "B1 prompt hash",
                "B5 near duplicates",
                "B7 SynchroTrap (offline)",
                "B9 oracle (offline, labelled)"
            ]
        );
        assert_eq!(runs[0].ablations.len(), 1);
        assert!(
            runs[1..]
                .iter()
                .all(|run| run.comparison.is_empty() && run.ablations.is_empty())
        );
    }

    #[test]
    fn a_closed_loop_is_held_against_what_the_open_one_sent() {
        let runs = experiment(&plan(2), &Toys, |_| {});

        // The toy's attackers do not react, so both loops send the same.
        let closed = &runs[1].weir.families[0];
        assert_eq!(runs[0].weir.families[0].served_of_open, None);
        assert!((closed.served_of_open.unwrap() - closed.served).abs() < 1e-9);
        assert!(closed.served < 1.0);
    }

    #[test]
    fn methods_are_told_apart_by_what_they_look_at() {
        let runs = experiment(&plan(2), &Toys, |_| {});
        let by = |name: &str| {
            runs[0]
                .comparison
                .iter()
                .find(|row| row.method.starts_with(name))
                .unwrap()
                .all
        };

        // Ten accounts send one text, twice as often as all others, who never repeat themselves.
        assert_eq!(by("B1").recall(), 1.0);
        assert_eq!(by("B1").false_positives, 0);
        assert_eq!(by("B5").recall(), 1.0);
        assert_eq!(by("B0").recall(), 1.0);
        // Ten in step are fewer than a group.
        assert_eq!(by("B7").recall(), 0.0);
        assert_eq!(by("B9").served_share(), 1.0);
        assert!(by("B1").served_share() < 0.5);
    }

    #[test]
    fn the_json_keeps_its_names() {
        let report = Report {
            version: Report::VERSION,
            scenario: "toy".to_owned(),
            seeds: "10..13".to_owned(),
            dev_seeds: None,
            profile: "1".to_owned(),
            runs: experiment(&plan(2), &Toys, |_| {}),
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
                "runs"
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

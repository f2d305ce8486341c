//! The whole evaluation: worlds by seed, dev seeds for thresholds, test seeds for results.
//!
//! Baselines get their thresholds, and the oracle its training, on dev seeds only; on the test seeds
//! everything is frozen. They run in the open loop of the first contamination, where they all see the
//! same exchanges as Weir does.
use super::baselines::Baselines;
use super::compare::compare;
use super::report::report;
use super::{Exchanges, Lane, Loop, RunReport, Seeds, in_parallel, run, targets};

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
}

//! Races between workers: found by exploring orders, and absent from all of them where CAS is used.
use std::thread;

use weir_host::schedule::{Exploration, Explored, Failure, Order, Run, Schedule, Search};
use weir_host::{Exchange, Host, HostConfig, Plugin};

use crate::fixture::{self, config, host};

type Error = Box<dyn std::error::Error>;

struct Model {
    schedule: Schedule,
    plugin: Plugin,
}

impl Model {
    fn of(guest: Vec<u8>, configuration: &str) -> Self {
        let schedule = Schedule::default();
        let host = Host::new(HostConfig {
            schedule: Some(schedule.clone()),
            ..HostConfig::default()
        })
        .unwrap();
        let plugin = Plugin::load(&host, &guest, config(configuration)).unwrap();
        Self { schedule, plugin }
    }
    /// `workers` with a request each; all counters together have to be `sum`.
    fn updates(&self, exploration: &Exploration, workers: usize, sum: u64) -> Explored {
        let model = || -> Result<Run<'_>, Error> {
            let (host, plugin) = self.plugin.in_new_process()?;
            let mut run = Run::new();
            for _ in 0..workers {
                run = run.worker(plugin.worker()?, |worker| {
                    drop(worker.exchange(&Exchange::get("/")))
                });
            }
            Ok(run.then(move || match counted(&host) {
                counted if counted == sum => Ok(()),
                counted => Err(format!("{sum} updates, {counted} counted")),
            }))
        };
        self.schedule.explore(exploration, model).unwrap()
    }
}

fn counted(host: &Host) -> u64 {
    let data = host.shared_data("");
    data.iter()
        .map(|(_, value)| u64::from_le_bytes(value.as_slice().try_into().unwrap()))
        .sum()
}

#[test]
fn a_lost_update_is_found_with_the_order_that_loses_it() {
    let blind = Model::of(fixture::updates(), "0101");

    let explored = blind.updates(&Exploration::exhaustive(), 2, 2);

    let found = explored.failure.unwrap();
    assert_eq!(
        found.to_string(),
        "2 updates, 1 counted\n\
        \x20  1. worker 0: proxy_get_shared_data\n\
        \x20  2. worker 1: proxy_get_shared_data\n\
        \x20  3. worker 1: proxy_set_shared_data\n\
        \x20  4. worker 0: proxy_set_shared_data\n\
        replay with the order \"0 1 1 0\""
    );
}

#[test]
fn a_failing_order_fails_again_when_it_is_replayed_and_others_do_not() {
    let blind = Model::of(fixture::updates(), "0101");
    let replayed = |order: &str| {
        let order: Order = order.parse().unwrap();
        blind.updates(&Exploration::replay(order), 2, 2).failure
    };

    assert_eq!(
        replayed("1 0 0 1").unwrap().failure,
        Failure::Broken("2 updates, 1 counted".into())
    );
    assert_eq!(replayed("1 1 0 0"), None);
}

#[test]
fn random_walks_find_the_lost_update_too_and_are_the_same_for_a_seed() {
    let blind = Model::of(fixture::updates(), "0103");

    let walk = || blind.updates(&Exploration::random(7, 100), 3, 9);

    assert!(walk().failure.is_some());
    assert_eq!(walk(), walk());
}

#[test]
fn one_preemption_is_enough_for_a_lost_update() {
    let blind = Model::of(fixture::updates(), "0101");
    let bounded = |preemptions| Exploration {
        search: Search::Exhaustive {
            preemptions: Some(preemptions),
        },
        ..Exploration::exhaustive()
    };

    assert_eq!(blind.updates(&bounded(0), 2, 2).failure, None);
    assert!(blind.updates(&bounded(1), 2, 2).failure.is_some());
}

#[test]
fn compare_and_swap_loses_no_update_in_any_order() {
    for (configuration, workers, sum) in [("1101", 3, 3), ("1202", 2, 4)] {
        let model = Model::of(fixture::updates(), configuration);

        let explored = model.updates(&Exploration::exhaustive(), workers, sum);

        println!(
            "{workers} workers, {sum} updates: {} orders, the longest of {} steps",
            explored.orders, explored.longest
        );
        assert!(explored.complete, "{explored:?}");
        assert_eq!(explored.failure, None);
        assert!(explored.orders > 70);
    }
}

#[test]
fn who_waits_for_ever_is_a_livelock_and_who_waits_for_another_is_not() {
    let model = Model::of(fixture::waits(), "1");
    let exploration = Exploration {
        max_steps: 20,
        ..Exploration::exhaustive()
    };
    let explore = |configurations: [&str; 2]| {
        let run = || -> Result<Run<'_>, Error> {
            let (_, plugin) = model.plugin.in_new_process()?;
            let mut run = Run::new();
            for configuration in configurations {
                let worker = plugin.with_config(config(configuration))?.worker()?;
                run = run.worker(worker, |worker| drop(worker.exchange(&Exchange::get("/"))));
            }
            Ok(run)
        };
        model.schedule.explore(&exploration, run).unwrap()
    };

    let found = explore(["1", "1"]).failure.unwrap();
    assert_eq!(found.failure, Failure::Livelock { steps: 41 });

    // The one that asks may be served for ever in an unfair order: cut, and no failure.
    let explored = explore(["1", "0"]);
    assert_eq!(explored.failure, None);
    assert!(explored.cut > 0 && !explored.complete);
}

#[test]
fn sixteen_workers_on_threads_make_a_million_updates_and_lose_none() {
    const WORKERS: u64 = 16;
    const EXCHANGES: u64 = 1_250; // of 50 updates each
    let host = host();
    let plugin = Plugin::load(&host, &fixture::updates(), config("1850")).unwrap();
    let workers: Vec<_> = (0..WORKERS).map(|_| plugin.worker().unwrap()).collect();

    thread::scope(|scope| {
        for mut worker in workers {
            scope.spawn(move || {
                for _ in 0..EXCHANGES {
                    worker.exchange(&Exchange::get("/"));
                }
            });
        }
    });

    assert_eq!(host.shared_data_bytes("").keys, 8);
    assert_eq!(counted(&host), WORKERS * EXCHANGES * 50);
}

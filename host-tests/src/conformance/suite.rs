//! Runs scenarios in both hosts, several at a time, and compares.
//!
//! Scenarios of the corpus keep a thread each busy; random ones mostly wait for Envoy, and share one.
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinSet, LocalSet};

use super::normal;
use super::{
    Compared, Difference, EnvoyRun, EnvoyRunError, HostRun, RandomReport, RunError, SharedEnvoy,
    SharedHost, differences, random,
};
use crate::scenario::{Observation, Scenario};

/// Both hosts, ready to be compared.
pub struct Suite {
    host: HostRun,
    envoy: EnvoyRun,
    jobs: usize,
}

/// Why scenarios could not be run.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// In our host.
    #[error("scenario {scenario} in our host")]
    Host {
        /// Its name.
        scenario: String,
        /// Why.
        #[source]
        source: RunError,
    },
    /// In Envoy.
    #[error("scenario {scenario} in Envoy")]
    Envoy {
        /// Its name.
        scenario: String,
        /// Why.
        #[source]
        source: EnvoyRunError,
    },
    /// This machine gives no runtime for sockets and timers.
    #[error("cannot start a runtime")]
    Runtime(#[source] io::Error),
    /// A bug in here.
    #[error("a task of the suite ended early")]
    Task(#[from] JoinError),
}

impl Suite {
    /// `jobs` scenarios of the corpus at a time, at least one; of the random ones, which take their time by
    /// waiting, sixteen times as many.
    pub const fn new(host: HostRun, envoy: EnvoyRun, jobs: usize) -> Self {
        Self {
            host,
            envoy,
            jobs: if jobs == 0 { 1 } else { jobs },
        }
    }
    /// Runs each scenario in processes of its own; `progress` is called for each that is through. A difference
    /// counts when a second run, with nothing beside it, has one too: on a busy machine what Envoy does in time may
    /// come too late to be seen.
    ///
    /// # Errors
    /// [`SuiteError`], of the first scenario that could not be run.
    pub fn corpus(
        &self,
        scenarios: &[Scenario],
        progress: &(dyn Fn() + Sync),
    ) -> Result<Vec<Compared>, SuiteError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let runtime = runtime()?;
            let mut compared = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(scenario) = scenarios.get(index) else {
                    return Ok(compared);
                };
                compared.push((index, runtime.block_on(self.compare(scenario))?));
                progress();
            }
        };
        let all: Result<Vec<Vec<_>>, SuiteError> = thread::scope(|scope| {
            let threads: Vec<_> = (0..self.jobs).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(compared) => compared,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        let mut all: Vec<(usize, Compared)> = all?.into_iter().flatten().collect();
        all.sort_by_key(|(index, _)| *index);
        let runtime = runtime()?;
        for (index, compared) in &mut all {
            if let (false, Some(scenario)) =
                (compared.differences.is_empty(), scenarios.get(*index))
            {
                *compared = runtime.block_on(self.compare(scenario))?;
                compared.reran = true;
            }
        }
        Ok(all.into_iter().map(|(_, compared)| compared).collect())
    }
    async fn compare(&self, scenario: &Scenario) -> Result<Compared, SuiteError> {
        let host = self.host.run(scenario);
        let host = host.map_err(|source| in_host(&scenario.name, source))?;
        let envoy = super::run_in_envoy(scenario, self.host.modules(), &self.envoy, &host).await;
        let envoy = envoy.map_err(|source| in_envoy(&scenario.name, source))?;
        let mut found = differences(&host, &envoy);
        found.extend(unmet(scenario, &host, &envoy));
        Ok(Compared::new(scenario, found))
    }
    /// Runs the random scenarios of `count` seeds from `first_seed` on, all in one proxy. A difference counts
    /// when a second run, in a fresh proxy and with nothing beside it, has one too.
    ///
    /// # Errors
    /// [`SuiteError`].
    pub fn random(
        &self,
        first_seed: u64,
        count: u64,
        progress: &Rc<dyn Fn()>,
    ) -> Result<RandomReport, SuiteError> {
        let seeds: Vec<u64> = (first_seed..first_seed.saturating_add(count)).collect();
        let run = |seeds, jobs, progress| {
            let local = LocalSet::new();
            local.block_on(&runtime()?, self.random_at_once(seeds, jobs, progress))
        };
        let suspects = run(seeds, self.jobs.saturating_mul(16), Rc::clone(progress))?;
        let suspects: Vec<u64> = suspects.into_iter().map(|(seed, _)| seed).collect();
        let different = run(suspects.clone(), 1, Rc::new(|| {}))?;
        let differs = |suspect: &u64| different.iter().any(|(seed, _)| seed == suspect);
        Ok(RandomReport {
            first_seed,
            scenarios: count,
            same: count.saturating_sub(different.len() as u64),
            only_at_first: suspects
                .iter()
                .copied()
                .filter(|seed| !differs(seed))
                .collect(),
            different: different
                .into_iter()
                .map(|(_, compared)| compared)
                .collect(),
        })
    }
    /// Those that differ.
    async fn random_at_once(
        &self,
        seeds: Vec<u64>,
        jobs: usize,
        progress: Rc<dyn Fn()>,
    ) -> Result<Vec<(u64, Compared)>, SuiteError> {
        if seeds.is_empty() {
            return Ok(Vec::new());
        }
        let proxy = random::proxy();
        let host = self
            .host
            .share(&proxy)
            .map_err(|source| in_host("random", source))?;
        let envoy = SharedEnvoy::start(&proxy, self.host.modules(), &self.envoy)
            .await
            .map_err(|source| in_envoy("random", source))?;
        let shared = Rc::new(Shared {
            host: RefCell::new(host),
            envoy,
            seeds: RefCell::new(seeds.into_iter()),
            progress,
        });
        let mut tasks = JoinSet::new();
        for _ in 0..jobs {
            tasks.spawn_local(Rc::clone(&shared).run());
        }
        let mut different = Vec::new();
        while let Some(task) = tasks.join_next().await {
            different.append(&mut task??);
        }
        different.sort_by_key(|(seed, _)| *seed);
        Ok(different)
    }
}

/// What the tasks of random scenarios share.
struct Shared {
    host: RefCell<SharedHost>,
    envoy: SharedEnvoy,
    seeds: RefCell<std::vec::IntoIter<u64>>,
    progress: Rc<dyn Fn()>,
}

impl Shared {
    async fn run(self: Rc<Self>) -> Result<Vec<(u64, Compared)>, SuiteError> {
        let mut different = Vec::new();
        loop {
            let Some(seed) = self.seeds.borrow_mut().next() else {
                return Ok(different);
            };
            let scenario = random::scenario(seed);
            let predicted = self.host.borrow_mut().run(&scenario);
            let mut predicted = predicted
                .map_err(|source| in_host(&scenario.name, source))?
                .of_stream(&seed.to_string());
            let seen = self.envoy.run(&scenario, &predicted).await;
            let mut seen = seen.map_err(|source| in_envoy(&scenario.name, source))?;
            normal::of_stream(&mut predicted);
            normal::of_stream(&mut seen);
            let compared = Compared::new(&scenario, differences(&predicted, &seen));
            if !compared.differences.is_empty() {
                different.push((seed, compared));
            }
            (self.progress)();
        }
    }
}

/// Where both hosts agree on what should not be: expectations that one of them does not meet.
fn unmet<'a>(
    scenario: &'a Scenario,
    host: &'a Observation,
    envoy: &'a Observation,
) -> impl Iterator<Item = Difference> + 'a {
    let met = || "as expected".to_owned();
    scenario
        .expect
        .iter()
        .enumerate()
        .filter_map(move |(index, expectation)| {
            let (host, envoy) = (expectation.unmet(host), expectation.unmet(envoy));
            (host.is_some() || envoy.is_some()).then(|| Difference {
                place: format!("expect[{index}]"),
                host: host.unwrap_or_else(met),
                envoy: envoy.unwrap_or_else(met),
            })
        })
}

fn runtime() -> Result<Runtime, SuiteError> {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().map_err(SuiteError::Runtime)
}

fn in_host(scenario: &str, source: RunError) -> SuiteError {
    SuiteError::Host {
        scenario: scenario.to_owned(),
        source,
    }
}

fn in_envoy(scenario: &str, source: EnvoyRunError) -> SuiteError {
    SuiteError::Envoy {
        scenario: scenario.to_owned(),
        source,
    }
}

//! The same evaluation once more through the plugin: rendered requests, decisions, and the states in them.
//!
//! A sampled world runs through the detector as always, and every state that the evaluation reads is written
//! down. Then the same turns are rendered as a trace, decided by workers of a replay in spans, and the state
//! in each decision is held against what was written down. Both see the standings as of the begin of the
//! minute; that is all the delay there is. The policy only observes: nothing is refused on either side.
mod agreement;
mod book;
mod cost;

pub use agreement::{Agreement, Difference};
pub use cost::{Each, PluginCost};

use super::simulated::{Simulated, key};
use super::{Lane, Loop, run};
use crate::decision_log::DecisionLog;
use crate::replay::counted::Counted;
use crate::replay::native::NativeDecider;
use crate::replay::plugin::{PluginDecider, PluginReport, fix_hash_key, host_config};
use crate::replay::{BadLines, Decider, ReplaySummary, spans};
use crate::trace::TraceReader;
use crate::weir::{VM_ID, plugin_config};
use crate::world::{Corpora, Recording, Sampling, WorldScenario};
use crate::{Host, HostConfig, Plugin};
use agreement::Comparison;
use book::{Book, Recorder};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::error::Error;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use weir_engine::detect::Detector;
use weir_engine::hash::HashKey;
use weir_engine::policy::{Detection, Policy};

/// Batches of decisions on their way.
const WINDOW: usize = 8;

/// What decides.
#[derive(Clone, Copy, Debug)]
pub enum Decides<'a> {
    /// The plugin, given as its bytes.
    Plugin(&'a [u8]),
    /// The engine without a host.
    Engine,
}

/// What is run through.
pub struct Through<'a> {
    /// The world.
    pub scenario: &'a WorldScenario,
    /// Its prompts, as far as somebody else wrote them.
    pub corpora: &'a Corpora,
    /// Who takes part.
    pub sampling: Sampling,
    /// The policy as JSON; it is made to observe only.
    pub policy: &'a Value,
    /// What decides.
    pub decides: Decides<'a>,
    /// Worker VMs, at least 1. Costs repeat exactly with one.
    pub workers: usize,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum ThroughError {
    /// Without detection there are no states.
    #[error("the policy is refused, or does not switch detection on")]
    Policy,
    /// The host, the plugin or its shared data failed.
    #[error("the plugin cannot be started")]
    Start(#[source] Box<dyn Error + Send + Sync>),
    /// The replay failed.
    #[error("the rendered trace cannot be decided")]
    Replay(#[source] Box<dyn Error + Send + Sync>),
}

impl Through<'_> {
    /// Runs the world of `seed` both ways. `progress` is told of exchanges decided.
    ///
    /// # Errors
    /// [`ThroughError`]; that states differ is no error but a result.
    pub fn run(&self, seed: u64, progress: impl Fn(u64) + Sync) -> Result<Agreement, ThroughError> {
        let observing = observing(self.policy);
        let policy = compile(&observing)?;
        let detection = policy.detection().ok_or(ThroughError::Policy)?;
        let book = self.direct(seed, detection);
        let (accounts, gravest) = (book.accounts(), book.gravest());
        let comparison = Comparison::new(book);
        let (comparison, cost) = match self.decides {
            Decides::Engine => (self.engine(seed, policy, comparison, &progress)?, None),
            Decides::Plugin(wasm) => {
                let bare = without_detection(&observing);
                let (with, without) = thread::scope(|scope| {
                    let without =
                        scope.spawn(|| self.plugin(wasm, seed, &bare, io::sink(), &progress));
                    let with = self.plugin(wasm, seed, &observing, comparison, &progress);
                    (with, without.join())
                });
                let (comparison, with) = with?;
                let (_, without) =
                    without.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                let hours = f64::from(self.scenario.burn_in_days + self.scenario.days) * 24.0;
                (comparison, Some(PluginCost::of(&with, &without, hours)))
            }
        };
        Ok(comparison.finish(seed, self.sampling, accounts, gravest, cost))
    }

    /// The evaluation as it always runs, with every state that it reads.
    fn direct(&self, seed: u64, detection: &Detection) -> Book {
        let book = Rc::new(RefCell::new(Book::default()));
        let lane = Lane {
            name: "weir".to_owned(),
            judge: Box::new(Recorder::new(
                Detector::new(detection.profile(), detection.settings()),
                Rc::clone(&book),
            )),
        };
        let mut world = Simulated::new(self.scenario, seed, self.corpora.clone());
        world = world.sampled(self.sampling);
        run(&mut world, vec![lane], None, Loop::Open, |_| {});
        book.take()
    }

    fn engine<W: Write + Send>(
        &self,
        seed: u64,
        policy: Policy,
        sink: W,
        progress: &(impl Fn(u64) + Sync),
    ) -> Result<W, ThroughError> {
        let host = Host::new(host_config(&policy)).map_err(started)?;
        let store = host.store(VM_ID);
        let room = policy.detection().map(Detection::feed_room);
        let policy = Arc::new(policy);
        let make = |worker| {
            let key = HashKey::new(key(seed));
            NativeDecider::new(Arc::clone(&policy), key, store.clone(), worker)
        };
        Ok(self.drive(seed, room, sink, make, progress)?.0)
    }

    fn plugin<W: Write + Send>(
        &self,
        wasm: &[u8],
        seed: u64,
        document: &Value,
        sink: W,
        progress: &(impl Fn(u64) + Sync),
    ) -> Result<(W, ReplaySummary<PluginReport>), ThroughError> {
        let policy = compile(document)?;
        let host = Host::new(HostConfig {
            fuel: true,
            ..host_config(&policy)
        });
        let host = host.map_err(started)?;
        // Held, so that the key stays while the plugin is being loaded.
        let mut store = host.store(VM_ID);
        fix_hash_key(&mut store, key(seed)).map_err(started)?;
        let config = plugin_config(&document.to_string());
        let plugin = Plugin::load(&host, wasm, config).map_err(started)?;
        let room = policy.detection().map(Detection::feed_room);
        let make = |_| Ok(PluginDecider::in_spans(plugin.worker()?, &policy));
        self.drive(seed, room, sink, make, progress)
    }

    fn drive<D: Decider, W: Write + Send>(
        &self,
        seed: u64,
        room: Option<usize>,
        sink: W,
        make: impl Fn(usize) -> Result<D, D::Error> + Sync,
        progress: &(impl Fn(u64) + Sync),
    ) -> Result<(W, ReplaySummary<D::Report>), ThroughError>
    where
        D::Error: Error + Send + Sync + 'static,
    {
        let recording = Recording::new(self.scenario, seed, self.corpora.clone());
        let reader = recording.sampled(self.sampling).into_reader();
        let reader = TraceReader::new(reader).map_err(failed)?;
        let log = DecisionLog::new(sink, WINDOW);
        let room = room.unwrap_or(usize::MAX);
        let make = |worker| make(worker).map(|decider| Counted::new(decider, progress));
        let summary = spans::run(reader, &log, self.workers, BadLines::Stop, room, make);
        let summary = summary.map_err(failed)?;
        let (sink, _) = log.into_sink().map_err(failed)?;
        let summary = ReplaySummary {
            exchanges: summary.exchanges,
            skipped: summary.skipped,
            reports: summary
                .reports
                .into_iter()
                .map(|(report, _)| report)
                .collect(),
            leader: summary.leader.map(|(report, _)| report),
        };
        Ok((sink, summary))
    }
}

fn started(error: impl Error + Send + Sync + 'static) -> ThroughError {
    ThroughError::Start(error.into())
}

fn failed(error: impl Error + Send + Sync + 'static) -> ThroughError {
    ThroughError::Replay(error.into())
}

fn compile(document: &Value) -> Result<Policy, ThroughError> {
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked.policy.ok_or(ThroughError::Policy)
}

/// The policy in shadow mode, so that nothing is refused.
fn observing(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(document) = policy.as_object_mut() {
        document.insert("rollout".to_owned(), json!({"mode": "shadow"}));
    }
    policy
}

/// The same without the detector, and without what only it can cause.
fn without_detection(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(document) = policy.as_object_mut() {
        document.remove("detection");
        if let Some(responses) = document.get_mut("responses").and_then(Value::as_object_mut) {
            responses.remove("states");
        }
    }
    policy
}

//! Decides a recording under one policy, with the plugin or with the engine, and counts what comes of it.
use anyhow::Context;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use weir_engine::hash::HashKey;
use weir_engine::policy::{Detection, Policy};
use weir_host::artifact::Artifacts;
use weir_host::decision_log::DecisionLog;
use weir_host::replay::counted::{Actions, Counted};
use weir_host::replay::native::NativeDecider;
use weir_host::replay::plugin::{PluginDecider, PluginReport, fix_hash_key, host_config};
use weir_host::replay::{self, BadLines, Decider, ReplaySummary, spans};
use weir_host::trace::TraceReader;
use weir_host::weir::{VM_ID, plugin_config};
use weir_host::{Host, HostConfig, Plugin};

/// Batches on their way for each worker: enough that none waits, few enough that memory stays small.
const BATCHES_PER_WORKER: usize = 4;
/// The key of identity hashes in replays: they tell nobody's secrets apart from the recording itself.
const REPLAY_KEY: [u8; 16] = [0; 16];

/// What decides in a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// The .wasm in our host.
    Wasm,
    /// The engine itself.
    Native,
}

impl Engine {
    /// As it is written on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Native => "native",
        }
    }
}

/// How recordings are decided.
pub(crate) struct Replay {
    /// The plugin's code; `None` for the engine itself.
    wasm: Option<Vec<u8>>,
    workers: usize,
    bad_lines: BadLines,
}

/// What a replay came to.
pub(crate) struct Replayed {
    pub(crate) exchanges: u64,
    pub(crate) skipped: u64,
    pub(crate) actions: Actions,
    pub(crate) seconds: f64,
    pub(crate) shared_data_bytes: u64,
    pub(crate) plugin: Option<PluginReport>,
    /// The VM that led detection.
    pub(crate) leader: Option<PluginReport>,
}

impl Replay {
    /// With `engine`; `wasm` is the plugin, instead of the one that the checkout builds.
    ///
    /// # Errors
    /// Where there is no plugin.
    pub(crate) fn new(
        engine: Engine,
        wasm: Option<&Path>,
        workers: usize,
        skip_bad_lines: bool,
    ) -> anyhow::Result<Self> {
        let wasm = match engine {
            Engine::Wasm => {
                let path = Artifacts::new().plugin(wasm)?;
                let wasm = std::fs::read(&path);
                Some(wasm.with_context(|| format!("cannot read {}", path.display()))?)
            }
            Engine::Native => None,
        };
        let bad_lines = if skip_bad_lines {
            BadLines::Skip
        } else {
            BadLines::Stop
        };
        Ok(Self {
            wasm,
            workers,
            bad_lines,
        })
    }

    /// Batches that a log should have room for.
    pub(crate) fn window(&self) -> usize {
        self.workers * BATCHES_PER_WORKER
    }

    /// Decides all of `reader` under `policy`, whose document is `json`, in a process of its own.
    ///
    /// # Errors
    /// Of the recording, of the log, of the plugin.
    pub(crate) fn run<W: Write + Send>(
        &self,
        policy: Policy,
        json: &str,
        reader: TraceReader,
        log: &DecisionLog<W>,
        progress: impl Fn(u64) + Sync,
    ) -> anyhow::Result<Replayed> {
        let host = Host::new(HostConfig {
            log: Some(Arc::new(|line| {
                let _ = writeln!(io::stderr(), "{}", line.message); // a closed stderr loses lines, no decisions
            })),
            ..host_config(&policy)
        })?;
        let mut store = host.store(VM_ID);
        // Exchanges that one worker may tell of, where campaigns are looked for.
        let room = policy.detection().map(Detection::feed_room);
        match &self.wasm {
            Some(wasm) => {
                fix_hash_key(&mut store, REPLAY_KEY)?;
                let plugin = Plugin::load(&host, wasm, plugin_config(json))?;
                let make = |_| {
                    let worker = plugin.worker()?;
                    Ok(match room {
                        Some(_) => PluginDecider::in_spans(worker, &policy),
                        None => PluginDecider::new(worker, &policy),
                    })
                };
                let (summary, actions, seconds) = self.drive(reader, log, room, progress, make)?;
                let reports = summary.reports.iter().map(|(report, _)| report);
                let plugin = reports.cloned().reduce(PluginReport::merge);
                Ok(Replayed {
                    exchanges: summary.exchanges,
                    skipped: summary.skipped,
                    actions,
                    seconds,
                    shared_data_bytes: host.shared_data_bytes(VM_ID).bytes,
                    plugin,
                    leader: summary.leader.map(|(report, _)| report),
                })
            }
            None => {
                let policy = Arc::new(policy);
                let key = HashKey::new(REPLAY_KEY);
                let make =
                    |worker| NativeDecider::new(Arc::clone(&policy), key, store.clone(), worker);
                let (summary, actions, seconds) = self.drive(reader, log, room, progress, make)?;
                Ok(Replayed {
                    exchanges: summary.exchanges,
                    skipped: summary.skipped,
                    actions,
                    seconds,
                    shared_data_bytes: host.shared_data_bytes(VM_ID).bytes,
                    plugin: None,
                    leader: None,
                })
            }
        }
    }

    #[expect(
        clippy::type_complexity,
        reason = "what the driver gives, the counted actions, and the seconds"
    )]
    fn drive<D: Decider, W: Write + Send>(
        &self,
        reader: TraceReader,
        log: &DecisionLog<W>,
        room: Option<usize>,
        progress: impl Fn(u64) + Sync,
        make: impl Fn(usize) -> Result<D, D::Error> + Sync,
    ) -> anyhow::Result<(ReplaySummary<(D::Report, Actions)>, Actions, f64)>
    where
        D::Error: std::error::Error + Send + Sync + 'static,
    {
        let begun = Instant::now();
        let progress = &progress;
        let make = |worker| make(worker).map(|decider| Counted::new(decider, progress));
        let summary = match room {
            Some(room) => spans::run(reader, log, self.workers, self.bad_lines, room, make)?,
            None => replay::run(reader, log, self.workers, self.bad_lines, make)?,
        };
        let seconds = begun.elapsed().as_secs_f64();
        let actions = summary
            .reports
            .iter()
            .map(|(_, actions)| actions.clone())
            .reduce(Actions::merge)
            .unwrap_or_default();
        Ok((summary, actions, seconds))
    }
}

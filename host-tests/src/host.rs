//! The proxy's process: what all plugins and all workers share.
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Config, Engine, Linker, OptLevel};
use weir_engine::time::Timestamp;

use crate::abi;
use crate::base::Bases;
use crate::calls::{CallSink, VmNames};
use crate::census::Census;
use crate::clusters::Clusters;
use crate::log::{LogLevel, LogSink};
use crate::metrics::{Registry, Stat};
use crate::schedule::Schedule;
use crate::shared_data::{SharedData, SharedDataBytes};
use crate::shared_store::SharedDataStore;
use crate::state::VmState;
use crate::watchdog::Watchdog;

/// How the process is set up.
#[derive(Clone)]
pub struct HostConfig {
    /// Seed of all randomness that guests receive. Every VM draws its own sequence.
    pub seed: u64,
    /// The time when a worker or a canary starts, until it is told another.
    pub start: Timestamp,
    /// Lines below it are dropped, and `proxy_get_log_level` answers it.
    pub log_level: LogLevel,
    /// Receives every line; `None` drops those that no [`crate::Outcome`] or error carries.
    pub log: Option<LogSink>,
    /// Bytes that one direction of a stream may hold back before Envoy gives up on it
    /// (`per_connection_buffer_limit_bytes`).
    pub buffer_limit_bytes: NonZeroU32,
    /// A guest call that takes longer (up to twice as long) is given up, and with it its whole worker, as in Envoy:
    /// [`crate::Stranding::WorkerHangs`]. `None` lets it hang.
    pub hang_limit: Option<Duration>,
    /// Counts the instructions that guests execute, as [`crate::Worker::fuel`] tells; it makes them slower.
    pub fuel: bool,
    /// What guests can call.
    pub clusters: Clusters,
    /// Receives every hostcall and every callback with its values; `None` costs nothing.
    pub calls: Option<CallSink>,
    /// Lets an exploration say which worker makes the next hostcall that others can see; `None` is one check
    /// in each hostcall.
    pub schedule: Option<Schedule>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            start: Timestamp::default(),
            log_level: LogLevel::Info,
            log: None,
            buffer_limit_bytes: NonZeroU32::MIN.saturating_add((1 << 20) - 1),
            hang_limit: Some(Duration::from_secs(10)),
            fuel: false,
            clusters: Clusters::default(),
            calls: None,
            schedule: None,
        }
    }
}

/// The host itself could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// This machine cannot run compiled WebAssembly.
    #[error("cannot set up the WebAssembly engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No thread for the watchdog.
    #[error("cannot start the watchdog thread")]
    Watchdog(#[source] std::io::Error),
}

pub(crate) struct Process {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<VmState>,
    pub(crate) config: HostConfig,
    pub(crate) shared_data: SharedData,
    pub(crate) stats: Registry,
    pub(crate) census: Census,
    pub(crate) bases: Bases,
    pub(crate) vm_names: VmNames,
    watchdog: Option<Arc<Watchdog>>,
}

/// One proxy process: shared data, stats, randomness, compiled code. Clones are the same process.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Process>);

impl Host {
    /// A process without plugins.
    ///
    /// # Errors
    /// Only the machine's: no executable memory, no thread.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let mut settings = Config::new();
        settings
            .cranelift_opt_level(OptLevel::Speed)
            .epoch_interruption(config.hang_limit.is_some())
            .consume_fuel(config.fuel);
        let engine = Engine::new(&settings).map_err(|error| HostError::Engine(error.into()))?;
        let mut linker = Linker::new(&engine);
        abi::add_to_linker(&mut linker).map_err(|error| HostError::Engine(error.into()))?;
        let watchdog = match config.hang_limit {
            Some(period) => Some(Arc::new(
                Watchdog::start(&engine, period).map_err(HostError::Watchdog)?,
            )),
            None => None,
        };
        let bases = Bases::default();
        Ok(Self::process(engine, linker, config, bases, watchdog))
    }
    /// Another process on the same engine, without plugins, shared data or stats: what is compiled for this one and
    /// still in use need not be compiled again. `fuel`, `hang_limit` and `calls` stay those of this one.
    #[must_use]
    pub fn another(&self, config: HostConfig) -> Self {
        let process = &*self.0;
        let config = HostConfig {
            hang_limit: process.config.hang_limit,
            fuel: process.config.fuel,
            calls: process.config.calls.clone(),
            ..config
        };
        Self::process(
            process.engine.clone(),
            process.linker.clone(),
            config,
            process.bases.with_same_codes(),
            process.watchdog.clone(),
        )
    }
    fn process(
        engine: Engine,
        linker: Linker<VmState>,
        config: HostConfig,
        bases: Bases,
        watchdog: Option<Arc<Watchdog>>,
    ) -> Self {
        let stats = Registry::default();
        Self(Arc::new(Process {
            engine,
            linker,
            config,
            shared_data: SharedData::default(),
            census: Census::new(stats.clone()),
            stats,
            bases,
            vm_names: VmNames::default(),
            watchdog,
        }))
    }
    /// All stats by name; those that guests define are prefixed `wasmcustom.`, as in Envoy's `/stats`.
    pub fn stats(&self) -> BTreeMap<String, Stat> {
        self.0.stats.read()
    }
    /// Size of `vm_id`'s shared data. O(1).
    pub fn shared_data_bytes(&self, vm_id: &str) -> SharedDataBytes {
        self.0.shared_data.size(vm_id)
    }
    /// A copy of `vm_id`'s shared data, sorted by key.
    pub fn shared_data(&self, vm_id: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0.shared_data.entries(vm_id)
    }
    /// Native access to `vm_id`'s shared data, which lives at least as long as the store.
    pub fn store(&self, vm_id: &str) -> SharedDataStore {
        SharedDataStore(self.0.shared_data.namespace(vm_id))
    }
}

//! A compiled filter with one configuration.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime::{InstancePre, Module};

use crate::host::Host;
use crate::log::LogLine;
use crate::shared_data::Namespace;
use crate::state::VmState;
use crate::vm::Vm;
use crate::worker::Worker;

/// What happens to streams after a VM has trapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Every stream of that worker gets a 503, for good. Envoy's default.
    Closed,
    /// The stream that trapped gets a 503, later ones pass unfiltered.
    Open,
    /// A new stream starts a fresh VM if the last load is at least `backoff` ago, else it gets a 503.
    Reload {
        /// `reload_config.backoff.base_interval`, without jitter.
        backoff: Duration,
    },
}

/// What Envoy's `PluginConfig` says about a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// Appears in logs and in the reload stats.
    pub name: String,
    /// Selects the root context in a VM that several plugins share.
    pub root_id: String,
    /// Names the shared-data namespace; the empty one is common to all plugins without an id.
    pub vm_id: String,
    /// Handed over in `proxy_on_configure`.
    pub configuration: Vec<u8>,
    /// Handed over in `proxy_on_vm_start`.
    pub vm_configuration: Vec<u8>,
    /// All the environment variables that the guest sees.
    pub environment: Vec<(String, String)>,
    /// Whether a pause in a headers callback lets body callbacks go on (Envoy's default: no).
    pub allow_on_headers_stop_iteration: bool,
    /// What a trap leads to.
    pub failure_policy: FailurePolicy,
}

impl PluginConfig {
    /// A plugin with Envoy's defaults.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            root_id: String::new(),
            vm_id: String::new(),
            configuration: Vec::new(),
            vm_configuration: Vec::new(),
            environment: Vec::new(),
            allow_on_headers_stop_iteration: false,
            failure_policy: FailurePolicy::Closed,
        }
    }
}

/// Why a plugin, or a new configuration of it, was refused. Envoy would keep the old one or not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no WebAssembly that this engine takes.
    #[error("not a usable WebAssembly module")]
    Module(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The module asks for an import that the ABI does not have, or with another type.
    #[error("an import cannot be satisfied")]
    Import(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The module speaks another version of the ABI, or none.
    #[error("the module does not export proxy_abi_version_0_2_0 or proxy_abi_version_0_2_1")]
    AbiVersion,
    /// An export that the host cannot work without is missing, or one has another type.
    #[error("export `{name}` is missing or has another type than the ABI says")]
    Export {
        /// The export.
        name: &'static str,
    },
    /// A start-up call trapped.
    #[error("{call} trapped: {reason}{}", Lines(.log))]
    Trap {
        /// The export that was called.
        call: &'static str,
        /// What the engine says.
        reason: String,
        /// What the guest logged before.
        log: Vec<LogLine>,
    },
    /// `proxy_on_vm_start` or `proxy_on_configure` answered false.
    #[error("{call} refused the configuration{}", Lines(.log))]
    Refused {
        /// The export that was called.
        call: &'static str,
        /// What the guest logged before; normally says why.
        log: Vec<LogLine>,
    },
    /// The new configuration needs another VM (`vm_id`, `vm_configuration`, environment or code differ): start a new worker.
    #[error("the configuration belongs to another VM")]
    OtherVm,
}

struct Lines<'a>(&'a [LogLine]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|line| write!(f, "\n  [{}] {}", line.level.name(), line.message))
    }
}

/// A configuration with what is derived from it once.
pub(crate) struct Settings {
    pub(crate) config: PluginConfig,
    /// Log prefix with and without the plugin's name.
    pub(crate) origin: Arc<str>,
    pub(crate) root_origin: Arc<str>,
}

impl Settings {
    fn new(config: PluginConfig) -> Self {
        let prefix = |parts: &[&String]| -> Arc<str> {
            parts
                .iter()
                .filter(|part| !part.is_empty())
                .map(|part| format!(" {part}"))
                .collect::<String>()
                .into()
        };
        Self {
            origin: prefix(&[&config.name, &config.root_id, &config.vm_id]),
            root_origin: prefix(&[&config.root_id, &config.vm_id]),
            config,
        }
    }
}

pub(crate) struct Loaded {
    pub(crate) host: Host,
    pub(crate) code: Arc<Code>,
    pub(crate) settings: Arc<Settings>,
    /// Keeps the shared data as Envoy's base VM does.
    _shared_data: Namespace,
}

pub(crate) struct Code {
    pub(crate) instance: InstancePre<VmState>,
    vms_started: AtomicU64,
}

/// A filter that was compiled and whose configuration a canary VM accepted. Clones are cheap.
#[derive(Clone)]
pub struct Plugin(pub(crate) Arc<Loaded>);

impl Plugin {
    /// Compiles `wasm` (binary, or WAT text) and tries `config` in a canary VM, which is thrown away
    /// as Envoy does: it runs `proxy_on_vm_start` and `proxy_on_configure` and sees real shared data.
    ///
    /// # Errors
    /// See [`LoadError`]; the module or its configuration is at fault.
    pub fn load(host: &Host, wasm: &[u8], config: PluginConfig) -> Result<Self, LoadError> {
        let module =
            Module::new(&host.0.engine, wasm).map_err(|error| LoadError::Module(error.into()))?;
        let speaks = |version| module.get_export(version).is_some();
        if !speaks("proxy_abi_version_0_2_1") && !speaks("proxy_abi_version_0_2_0") {
            return Err(LoadError::AbiVersion);
        }
        let instance = host
            .0
            .linker
            .instantiate_pre(&module)
            .map_err(|error| LoadError::Import(error.into()))?;
        Self::with_code(
            host,
            Arc::new(Code {
                instance,
                vms_started: AtomicU64::new(0),
            }),
            config,
        )
    }
    /// The same code under another configuration, tried in a canary like [`Plugin::load`].
    ///
    /// # Errors
    /// As for [`Plugin::load`]; this plugin is not affected.
    pub fn with_config(&self, config: PluginConfig) -> Result<Self, LoadError> {
        Self::with_code(&self.0.host, Arc::clone(&self.0.code), config)
    }
    fn with_code(host: &Host, code: Arc<Code>, config: PluginConfig) -> Result<Self, LoadError> {
        let shared_data = host.0.shared_data.namespace(&config.vm_id);
        let settings = Arc::new(Settings::new(config));
        let plugin = Self(Arc::new(Loaded {
            host: host.clone(),
            code,
            settings,
            _shared_data: shared_data,
        }));
        Vm::start(&plugin, u64::MAX, host.0.config.start)?;
        Ok(plugin)
    }
    /// A worker thread's own VM. Workers started in the same order draw the same randomness.
    ///
    /// # Errors
    /// As for [`Plugin::load`], when the guest does not accept now what the canary accepted.
    pub fn worker(&self) -> Result<Worker, LoadError> {
        Worker::start(self.clone())
    }
    /// The configuration.
    pub fn config(&self) -> &PluginConfig {
        &self.0.settings.config
    }
    pub(crate) fn next_vm(&self) -> u64 {
        self.0.code.vms_started.fetch_add(1, Ordering::Relaxed)
    }
    /// Whether `other` runs in the same VM (Envoy's `vm_key`).
    pub(crate) fn shares_vm_with(&self, other: &Self) -> bool {
        let (own, others) = (self.config(), other.config());
        Arc::ptr_eq(&self.0.code, &other.0.code)
            && own.vm_id == others.vm_id
            && own.vm_configuration == others.vm_configuration
            && own.environment == others.environment
    }
}

//! A compiled filter with one configuration.
use std::sync::Arc;

use crate::base::{Base, Code};
use crate::failure_policy::FailurePolicy;
use crate::host::Host;
use crate::load_error::LoadError;
use crate::proxy::Filter;
use crate::worker::Worker;

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
    pub(crate) base: Arc<Base>,
    pub(crate) settings: Arc<Settings>,
}

/// A filter that was compiled and whose configuration a canary VM accepted. Clones are cheap.
#[derive(Clone)]
pub struct Plugin(pub(crate) Arc<Loaded>);

impl Plugin {
    /// Compiles `wasm` (binary, or WAT text) and tries `config` in a canary VM, which is thrown away
    /// as Envoy does: it runs `proxy_on_vm_start` and `proxy_on_configure` and sees real shared data.
    ///
    /// Code and VM settings that the host has loaded already are not loaded again, and a configuration
    /// that a canary has seen is not tried again.
    ///
    /// # Errors
    /// See [`LoadError`]; the module or its configuration is at fault.
    pub fn load(host: &Host, wasm: &[u8], config: PluginConfig) -> Result<Self, LoadError> {
        let code = host.0.bases.code(&host.0, wasm)?;
        Self::with_code(host, &code, config)
    }
    /// The same code under another configuration, tried in a canary like [`Plugin::load`].
    ///
    /// # Errors
    /// As for [`Plugin::load`]; this plugin is not affected.
    pub fn with_config(&self, config: PluginConfig) -> Result<Self, LoadError> {
        Self::with_code(&self.0.host, &self.0.base.code, config)
    }
    fn with_code(host: &Host, code: &Arc<Code>, config: PluginConfig) -> Result<Self, LoadError> {
        host.0.stats.define_envoys_own(&config.name);
        let settings = Arc::new(Settings::new(config));
        let base = host.0.bases.base(&host.0, code, &settings)?;
        base.try_in_canary(&settings)?;
        Ok(Self(Arc::new(Loaded {
            host: host.clone(),
            base,
            settings,
        })))
    }
    /// The same plugin in a process of its own, as after a restart: no shared data, no stats, nothing to compile.
    ///
    /// # Errors
    /// As for [`Plugin::load`]; the canary runs again.
    pub fn in_new_process(&self) -> Result<(Host, Self), LoadError> {
        let host = self.0.host.another(self.0.host.0.config.clone());
        let plugin = Self::with_code(&host, &self.0.base.code, self.config().clone())?;
        Ok((host, plugin))
    }
    /// A worker thread of its own that runs only this plugin. Workers started in the same order draw the same
    /// randomness.
    ///
    /// # Errors
    /// As for [`Plugin::load`], when the guest does not accept now what the canary accepted.
    pub fn worker(&self) -> Result<Worker, LoadError> {
        Worker::start(self)
    }
    /// The configuration.
    pub fn config(&self) -> &PluginConfig {
        &self.0.settings.config
    }
    /// Whether loading `filter` would give this plugin.
    pub(crate) fn is_of(&self, filter: &Filter) -> bool {
        self.0.base.code.is_of(&filter.code) && *self.config() == filter.config
    }
    /// Whether `other` is this plugin as far as a thread can tell: same VM, same configuration.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.base, &other.0.base) && self.config() == other.config()
    }
}

//! A scenario in our host.
mod arrival;
mod flights;
mod sight;

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::normal;
use crate::base::Code as Compiled;
use crate::flow::lifecycle::after;
use crate::host::{Host, HostConfig, HostError};
use crate::log::{LogLine, TRAPPED};
use crate::metrics::Stat;
use crate::plugin::PluginConfig;
use crate::proxy::{Filter, Proxy, ProxyConfig};
use crate::scenario::{Code, Observation, PluginSpec, ProxySpec, Scenario, Step};
use flights::Flights;

/// Where the modules of a scenario are.
#[derive(Clone, Debug)]
pub struct Modules {
    /// What [`Code::Probe`] means.
    pub probe: PathBuf,
    /// Folder of the guests that [`Code::Guest`] names, as `NAME.wasm`.
    pub guests: Option<PathBuf>,
}

/// Why a scenario cannot be run at all; what a plugin or a proxy refuses is an observation.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The host itself.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A module cannot be read.
    #[error("cannot read {}", path.display())]
    Module {
        /// As named.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A guest is named, and nobody said where guests are.
    #[error("the guest `{0}` is not built here; `cargo xtask guests` builds it")]
    NoGuests(String),
    /// A plugin that many scenarios share does not start.
    #[error("the plugin is refused: {0}")]
    Refused(String),
    /// An exchange goes through a plugin that there is not.
    #[error("no plugin is named `{0}`")]
    NoPlugin(String),
}

impl Modules {
    /// The bytes of `code`; WAT stays text, which the engine takes as well.
    ///
    /// # Errors
    /// [`RunError::Module`], [`RunError::NoGuests`].
    pub fn read(&self, code: &Code) -> Result<Vec<u8>, RunError> {
        let path = match code {
            Code::Probe => self.probe.clone(),
            Code::Guest(name) => match &self.guests {
                Some(folder) => folder.join(format!("{name}.wasm")),
                None => return Err(RunError::NoGuests(name.clone())),
            },
            Code::File(path) => path.clone(),
            Code::Wat(text) => return Ok(text.clone().into_bytes()),
        };
        std::fs::read(&path).map_err(|source| RunError::Module { path, source })
    }
}

/// How long an old listener lives on after a new configuration, in both hosts.
pub(super) const DRAIN_TIME: Duration = Duration::ZERO;

/// Runs scenarios, each in a process of its own; what they run is compiled once.
pub struct HostRun {
    host: Host,
    modules: Modules,
    /// Kept so that it stays compiled.
    _probe: Option<Arc<Compiled>>,
}

impl HostRun {
    /// For scenarios on these modules.
    ///
    /// # Errors
    /// [`RunError`], the machine's or the probe's.
    pub fn new(modules: Modules) -> Result<Self, RunError> {
        Self::with(modules, HostConfig::default())
    }
    /// [`HostRun::new`] with a host that also traces calls or counts fuel. What scenarios and observations need
    /// of `config` is replaced.
    ///
    /// # Errors
    /// As for [`HostRun::new`].
    pub fn with(modules: Modules, config: HostConfig) -> Result<Self, RunError> {
        let host = Host::new(HostConfig {
            hang_limit: Some(Duration::from_secs(2)),
            ..config
        })?;
        let probe = modules.read(&Code::Probe)?;
        Ok(Self {
            // A module that cannot be compiled is refused by each scenario that uses it.
            _probe: host.0.bases.code(&host.0, &probe).ok(),
            host,
            modules,
        })
    }
    /// Where modules are.
    pub const fn modules(&self) -> &Modules {
        &self.modules
    }
    /// Runs `scenario` from a fresh process on.
    ///
    /// # Errors
    /// [`RunError`]; a refused plugin is an [`Observation`].
    pub fn run(&self, scenario: &Scenario) -> Result<Observation, RunError> {
        let process = Process::new(&self.host, &scenario.proxy);
        let mut observation = Observation::default();
        match process.start(&scenario.proxy, &self.modules)? {
            Err(refusal) => observation.refused = Some(refusal),
            Ok(mut proxy) => {
                process.run(scenario, &mut proxy, &self.modules, &mut observation)?;
                observation.stats = stats(&process.host);
                // What VMs say when the proxy ends is not part of a scenario.
                process.tell(&mut observation);
                return Ok(observation);
            }
        }
        process.tell(&mut observation);
        Ok(observation)
    }
    /// A proxy that many scenarios share, one after the other.
    ///
    /// # Errors
    /// [`RunError`], also where a plugin is refused: nobody could share that.
    pub fn share(&self, spec: &ProxySpec) -> Result<SharedHost, RunError> {
        let process = Process::new(&self.host, spec);
        let proxy = process
            .start(spec, &self.modules)?
            .map_err(RunError::Refused)?;
        process.take_lines();
        Ok(SharedHost {
            process,
            proxy,
            modules: self.modules.clone(),
        })
    }
}

/// A proxy that many scenarios share, one after the other.
pub struct SharedHost {
    process: Process,
    proxy: Proxy,
    modules: Modules,
}

impl SharedHost {
    /// Runs the steps of `scenario`; of the log there is only what was logged during them, of stats nothing.
    ///
    /// # Errors
    /// [`RunError::NoPlugin`].
    pub fn run(&mut self, scenario: &Scenario) -> Result<Observation, RunError> {
        let mut observation = Observation::default();
        let (process, proxy) = (&self.process, &mut self.proxy);
        process.run(scenario, proxy, &self.modules, &mut observation)?;
        process.tell(&mut observation);
        Ok(observation)
    }
}

struct Process {
    host: Host,
    lines: Arc<Mutex<Vec<LogLine>>>,
}

impl Process {
    fn new(like: &Host, spec: &ProxySpec) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let host = like.another(HostConfig {
            log: Some(Arc::new(move |line: &LogLine| {
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line.clone());
            })),
            buffer_limit_bytes: NonZeroU32::new(spec.buffer_limit_bytes).unwrap_or(NonZeroU32::MIN),
            ..HostConfig::default()
        });
        Self { host, lines }
    }
    /// The inner error says why the proxy refuses to start.
    fn start(
        &self,
        spec: &ProxySpec,
        modules: &Modules,
    ) -> Result<Result<Proxy, String>, RunError> {
        let config = ProxyConfig {
            workers: spec.workers as usize,
            drain_time: DRAIN_TIME,
        };
        let started = Proxy::start(&self.host, config, filters(&spec.plugins, modules)?);
        Ok(started.map_err(|refusal| {
            let mut text = refusal.to_string();
            let mut cause = refusal.source();
            while let Some(known) = cause {
                text += &format!(": {known}");
                cause = known.source();
            }
            text
        }))
    }
    fn run(
        &self,
        scenario: &Scenario,
        proxy: &mut Proxy,
        modules: &Modules,
        observation: &mut Observation,
    ) -> Result<(), RunError> {
        for step in &scenario.steps {
            let exchanges = match step {
                Step::Exchange(exchange) => std::slice::from_ref(&**exchange),
                Step::Together(exchanges) => exchanges.as_slice(),
                Step::WaitMs(ms) => {
                    proxy.advance_to(after(proxy.now(), Duration::from_millis(*ms)));
                    continue;
                }
                Step::Reconfigure(plugins) => {
                    let refused = proxy.reconfigure(&filters(plugins, modules)?);
                    if let Some(refusal) = refused.first() {
                        let reason = || format!("{refusal}: {}", refusal.why);
                        observation.refused.get_or_insert_with(reason);
                    }
                    proxy.advance_to(after(proxy.now(), DRAIN_TIME));
                    continue;
                }
            };
            let mut flights = Flights::new(proxy, &scenario.proxy);
            for exchange in exchanges {
                flights.begin(exchange).ok_or_else(|| {
                    RunError::NoPlugin(exchange.through.clone().unwrap_or_default())
                })?;
            }
            observation.exchanges.extend(flights.finish());
        }
        Ok(())
    }
    /// What was logged since it was last told.
    fn tell(&self, observation: &mut Observation) {
        let lines = self.take_lines();
        observation.vms = by_vm(&lines);
        observation.failures = failures(&lines);
    }
    fn take_lines(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn filters(plugins: &[PluginSpec], modules: &Modules) -> Result<Vec<Filter>, RunError> {
    let filter = |spec: &PluginSpec| {
        Ok(Filter {
            code: modules.read(&spec.code)?.into(),
            config: config(spec),
        })
    };
    plugins.iter().map(filter).collect()
}

fn config(spec: &PluginSpec) -> PluginConfig {
    PluginConfig {
        root_id: spec.root_id.clone(),
        vm_id: spec.vm_id.clone(),
        configuration: spec.configuration().into_bytes(),
        vm_configuration: spec.vm_configuration.clone().into_bytes(),
        environment: spec.environment.clone(),
        allow_on_headers_stop_iteration: spec.allow_on_headers_stop_iteration,
        failure_policy: spec.on_failure.into(),
        ..PluginConfig::named(&spec.name)
    }
}

/// What the host says about guests that trapped or hung.
fn failures(lines: &[LogLine]) -> Vec<String> {
    let hosts = lines.iter().filter(|line| line.is_hosts());
    hosts
        .filter_map(|line| line.message.strip_prefix(TRAPPED))
        .map(str::to_owned)
        .collect()
}

/// Lines of guests; that a guest trapped is what the host says.
fn by_vm(lines: &[LogLine]) -> Vec<Vec<String>> {
    let guests = lines.iter().filter(|line| !line.is_hosts());
    normal::by_vm(guests.map(|line| {
        let (nonce, text) = normal::split_nonce(&line.message);
        (nonce, line.level.name(), text)
    }))
}

fn stats(host: &Host) -> BTreeMap<String, u64> {
    host.stats()
        .into_iter()
        .filter(|(name, _)| name.starts_with("wasm.") || name.starts_with("wasmcustom."))
        .filter_map(|(name, stat)| match stat {
            Stat::Counter(value) | Stat::Gauge(value) => Some((name, value)),
            Stat::Histogram(_) => None,
        })
        .collect()
}

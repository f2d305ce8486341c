//! A scenario's proxy as a real Envoy, with an upstream and callouts behind it.
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;
use weir_envoy::stage::{
    Callouts, EnvoyLog, LogRecord, OnFailure as StageFailure, PluginFilter, ScriptedUpstream,
    Stage, StageDir, StageOptions, Started, Surroundings,
};
use weir_envoy::wire;

use super::{EnvoyRun, EnvoyRunError};
use crate::conformance::in_host::DRAIN_TIME;
use crate::conformance::{Modules, RunError};
use crate::scenario::{Code, OnFailure, PluginSpec, Protocol, ProxySpec};

/// How long Envoy may take to start: compiling the module is most of it.
const STARTING: Duration = Duration::from_secs(60);
/// How long a process that is ending may take.
const ENDING: Duration = Duration::from_secs(2);
/// Stats of loading modules from elsewhere, which no scenario does.
const ELSEWHERE: &str = "wasm.remote_load_";

/// A running proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    stage: Box<Stage>,
    pub(super) upstream: ScriptedUpstream,
    _callouts: Callouts,
    surroundings: Surroundings,
    /// Where modules are put that Envoy loads.
    dir: PathBuf,
    pub(super) downstream: Protocol,
    pub(super) upstream_speaks: Protocol,
    /// The listener of exchanges that name none.
    first: String,
}

/// How a start went.
pub(super) enum Opened {
    Serving(Box<Proxy>),
    Refused { reason: String, log: Vec<LogRecord> },
}

impl Proxy {
    /// Starts Envoy; `replaceable` where plugins will be reconfigured.
    pub(super) async fn open(
        spec: &ProxySpec,
        modules: &Modules,
        run: &EnvoyRun,
        replaceable: bool,
    ) -> Result<Opened, EnvoyRunError> {
        let dir = StageDir::new()?;
        let upstream = ScriptedUpstream::start().await?;
        let callouts = Callouts::start().await?;
        let clusters = callouts.clusters();
        let surroundings = Surroundings {
            buffer_limit_bytes: spec.buffer_limit_bytes,
            upstream: (upstream.addr(), wire_protocol(spec.upstream)),
            access_log: dir.access_log(),
            clusters: clusters
                .map(|(name, addr, http2)| (name.to_owned(), addr, http2))
                .to_vec(),
        };
        let modules_dir = dir.path().to_owned();
        let listeners = listeners(&surroundings, &spec.plugins, modules, &modules_dir)?;
        let fixed: &[_] = if replaceable { &[] } else { &listeners };
        let options = StageOptions {
            binary: run.binary.clone(),
            bootstrap: surroundings.bootstrap(fixed),
            listeners: replaceable.then(|| listeners.clone()),
            workers: spec.workers,
            patience: STARTING,
            drain_time: DRAIN_TIME,
        };
        Ok(match Stage::start(options, dir).await? {
            Started::Serving(stage) => Opened::Serving(Box::new(Self {
                stage,
                upstream,
                _callouts: callouts,
                surroundings,
                dir: modules_dir,
                downstream: spec.downstream,
                upstream_speaks: spec.upstream,
                first: first_name(&spec.plugins),
            })),
            Started::Refused { reason, log } => Opened::Refused { reason, log },
        })
    }

    /// The other plugins take the place of those that serve, unless they are refused.
    pub(super) async fn replace(
        &mut self,
        plugins: &[PluginSpec],
        modules: &Modules,
    ) -> Result<Result<(), String>, EnvoyRunError> {
        let listeners = listeners(&self.surroundings, plugins, modules, &self.dir)?;
        let outcome = self.stage.replace(&listeners).await?;
        if outcome.is_ok() {
            self.first = first_name(plugins);
        }
        Ok(outcome)
    }

    /// Where the plugin's listener is bound; of the first one where none is named.
    pub(super) fn listener(&self, name: Option<&str>) -> Result<SocketAddr, EnvoyRunError> {
        let name = name.unwrap_or(&self.first);
        let missing = || RunError::NoPlugin(name.to_owned());
        Ok(self.stage.listener(name).ok_or_else(missing)?)
    }

    pub(super) const fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) const fn log(&self) -> &EnvoyLog {
        self.stage.log()
    }

    /// Whether Envoy has ended by itself, as far as is known.
    pub(super) fn has_ended(&self) -> bool {
        self.log().has_ended()
    }

    /// Whether Envoy ended by itself during what had this outcome: sockets tell it sooner than the process.
    pub(super) async fn has_ended_during<T>(&self, outcome: &Result<T, EnvoyRunError>) -> bool {
        match outcome {
            Ok(_) => self.has_ended(),
            Err(_) => timeout(ENDING, self.log().end()).await.is_ok(),
        }
    }

    pub(super) async fn stats(&self) -> Result<BTreeMap<String, u64>, EnvoyRunError> {
        let stats = self.stage.stats("^wasm").await?;
        let own = |name: &str| {
            (name.starts_with("wasm.") && !name.starts_with(ELSEWHERE))
                || name.starts_with("wasmcustom.")
        };
        let values = stats.values().iter();
        Ok(values
            .filter(|(name, _)| own(name))
            .map(|(name, value)| (name.clone(), *value))
            .collect())
    }
}

fn first_name(plugins: &[PluginSpec]) -> String {
    plugins.first().map_or_else(String::new, |p| p.name.clone())
}

pub(super) const fn wire_protocol(protocol: Protocol) -> wire::Protocol {
    match protocol {
        Protocol::Http1 => wire::Protocol::Http1,
        Protocol::Http2 => wire::Protocol::Http2,
    }
}

fn listeners(
    surroundings: &Surroundings,
    plugins: &[PluginSpec],
    modules: &Modules,
    dir: &Path,
) -> Result<Vec<serde_json::Value>, EnvoyRunError> {
    let mut listeners = Vec::new();
    for plugin in plugins {
        let filter = PluginFilter {
            name: plugin.name.clone(),
            wasm: module(&plugin.code, modules, dir)?,
            root_id: plugin.root_id.clone(),
            vm_id: plugin.vm_id.clone(),
            configuration: plugin.configuration(),
            vm_configuration: plugin.vm_configuration.clone(),
            environment: plugin.environment.clone(),
            allow_on_headers_stop_iteration: plugin.allow_on_headers_stop_iteration,
            on_failure: match plugin.on_failure {
                OnFailure::Closed => StageFailure::Closed,
                OnFailure::Open => StageFailure::Open,
                OnFailure::FailOpen => StageFailure::LegacyOpen,
                OnFailure::Reload { backoff_ms } => {
                    StageFailure::Reload(Duration::from_millis(backoff_ms))
                }
            },
        };
        listeners.push(surroundings.listener(&filter));
    }
    Ok(listeners)
}

/// A file with the module; text becomes one, since Envoy takes no text.
fn module(code: &Code, modules: &Modules, dir: &Path) -> Result<PathBuf, EnvoyRunError> {
    let bytes = modules.read(code)?;
    let bytes = wat::parse_bytes(&bytes)?;
    let name = format!("{:016x}.wasm", fnv(&bytes));
    let path = dir.join(name);
    std::fs::write(&path, &bytes)?;
    Ok(path)
}

/// FNV-1a, so that equal modules are one file.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

//! A scenario in our host.
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::header_map::HeaderMap;
use crate::host::{Host, HostConfig, HostError};
use crate::log::LogLine;
use crate::metrics::Stat;
use crate::outcome::{End, Outcome, Sent};
use crate::plugin::{Plugin, PluginConfig};
use crate::scenario::{
    ClientSpec, Code, Ending, ExchangeSpec, MessageSpec, Observation, PluginSpec, Received,
    ReceivedEnd, Scenario, Seen, Step, UpstreamSpec,
};
use crate::stream::Stream;
use crate::worker::Worker;

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

/// What the host logged, from all VMs.
type Lines = Arc<Mutex<Vec<LogLine>>>;

/// Runs `scenario` from a fresh process on.
///
/// # Errors
/// [`RunError`]; a refused plugin is an [`Observation`].
pub fn run_in_host(scenario: &Scenario, modules: &Modules) -> Result<Observation, RunError> {
    run_in_host_with(scenario, modules, HostConfig::default())
}

/// [`run_in_host`] in a host that also traces calls or counts fuel. What the scenario and the
/// observation need of `config` is replaced.
///
/// # Errors
/// As for [`run_in_host`].
pub fn run_in_host_with(
    scenario: &Scenario,
    modules: &Modules,
    config: HostConfig,
) -> Result<Observation, RunError> {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    let host = Host::new(HostConfig {
        log: Some(Arc::new(move |line: &LogLine| {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.clone());
        })),
        buffer_limit_bytes: NonZeroU32::new(scenario.proxy.buffer_limit_bytes)
            .unwrap_or(NonZeroU32::MIN),
        hang_limit: Some(Duration::from_secs(2)),
        ..config
    })?;
    let mut run = Run {
        proxy: Vec::new(),
        exchanges: Vec::new(),
    };
    let refused = run.all(&host, scenario, modules)?;
    drop(run.proxy);
    let lines = std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Observation {
        refused,
        vms: by_vm(&lines),
        exchanges: run.exchanges,
        stats: stats(&host),
    })
}

struct Run {
    proxy: Vec<(String, Worker)>,
    exchanges: Vec<Seen>,
}

impl Run {
    /// Gives the reason where the proxy refuses to start.
    fn all(
        &mut self,
        host: &Host,
        scenario: &Scenario,
        modules: &Modules,
    ) -> Result<Option<String>, RunError> {
        for spec in &scenario.proxy.plugins {
            let module = modules.read(&spec.code)?;
            let started =
                Plugin::load(host, &module, config(spec)).and_then(|plugin| plugin.worker());
            match started {
                Ok(worker) => self.proxy.push((spec.name.clone(), worker)),
                Err(refusal) => return Ok(Some(refusal.to_string())),
            }
        }
        for step in &scenario.steps {
            match step {
                Step::Exchange(exchange) => {
                    let worker = self.worker(exchange.through.as_deref())?;
                    let seen = run_exchange(worker, exchange);
                    self.exchanges.push(seen);
                }
                Step::Together(_) | Step::WaitMs(_) | Step::Reconfigure(_) => {}
            }
        }
        Ok(None)
    }
    fn worker(&mut self, through: Option<&str>) -> Result<&mut Worker, RunError> {
        let found = match through {
            None => self.proxy.first_mut(),
            Some(name) => self.proxy.iter_mut().find(|(own, _)| own == name),
        };
        found
            .map(|(_, worker)| worker)
            .ok_or_else(|| RunError::NoPlugin(through.unwrap_or_default().to_owned()))
    }
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

fn run_exchange(worker: &mut Worker, exchange: &ExchangeSpec) -> Seen {
    let mut stream = worker.stream();
    send_request(&mut stream, exchange);
    if stream.request_is_complete() && !stream.is_answered_locally() {
        respond(&mut stream, &exchange.upstream);
    }
    seen(stream.close())
}

/// The head as Envoy's connection manager hands it to filters.
fn request_head(message: &MessageSpec) -> HeaderMap {
    let mut head = header_map(message.request_headers());
    head.append("x-forwarded-proto", "http");
    head
}

fn header_map(pairs: Vec<(String, String)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(name, value);
    }
    map
}

fn send_request(stream: &mut Stream<'_>, exchange: &ExchangeSpec) {
    let request = &exchange.request;
    let stays = exchange.client == ClientSpec::Stays;
    stream.request_headers(&request_head(request), stays && request.ends_with_headers());
    send(request, stays, |part| match part {
        Part::Data(data, ends) => stream.request_body(data, ends),
        Part::Trailers(trailers) => stream.request_trailers(trailers),
    });
}

fn respond(stream: &mut Stream<'_>, upstream: &UpstreamSpec) {
    let (answer, whole) = match upstream {
        UpstreamSpec::Answers(answer) => (answer, true),
        UpstreamSpec::BreaksOff(answer) => (answer, false),
        UpstreamSpec::Resets {} => return stream.upstream_reset(),
        UpstreamSpec::Hangs {} => return,
    };
    let head = header_map(answer.response_headers());
    stream.response_headers(&head, whole && answer.ends_with_headers());
    send(answer, whole, |part| match part {
        Part::Data(data, ends) => stream.response_body(data, ends),
        Part::Trailers(trailers) => stream.response_trailers(trailers),
    });
    if !whole {
        stream.upstream_reset();
    }
}

enum Part<'a> {
    Data(&'a [u8], bool),
    Trailers(&'a HeaderMap),
}

/// Body and trailers of `message`; without its end where `ends` is false.
fn send(message: &MessageSpec, ends: bool, mut to: impl FnMut(Part<'_>)) {
    let pieces = message.pieces();
    let last = pieces.len().checked_sub(1);
    let with_last = ends && message.ends == Ending::WithLast && message.trailers.is_empty();
    for (index, piece) in pieces.iter().enumerate() {
        to(Part::Data(piece, with_last && Some(index) == last));
    }
    if !ends {
        return;
    }
    if !message.trailers.is_empty() {
        to(Part::Trailers(&header_map(message.trailers.clone())));
    } else if message.ends == Ending::Separately {
        to(Part::Data(&[], true));
    }
}

fn seen(outcome: Outcome) -> Seen {
    let code = outcome.status().unwrap_or(0);
    let details = match outcome.details.as_str() {
        "" if code == 0 => "-",
        "" => "via_upstream",
        details => details,
    };
    Seen {
        code,
        details: details.replace(' ', "_"),
        upstream: outcome
            .upstream
            .complete
            .then(|| received(outcome.upstream, ReceivedEnd::Complete)),
        downstream: received(
            outcome.downstream,
            match outcome.end {
                End::Complete => ReceivedEnd::Complete,
                End::Reset => ReceivedEnd::Reset,
                End::Stranded(_) | End::Left => ReceivedEnd::Stranded,
            },
        ),
    }
}

fn received(sent: Sent, end: ReceivedEnd) -> Received {
    let mut headers = pairs(&sent.headers);
    headers.sort_by(|(a, _), (b, _)| {
        let rank = |name: &str| !name.starts_with(':');
        (rank(a), a).cmp(&(rank(b), b))
    });
    Received {
        headers,
        body: String::from_utf8_lossy(&sent.body).into_owned(),
        trailers: sent.trailers.as_ref().map(pairs),
        end,
    }
}

fn pairs(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// Lines by the number that the probe puts before each; other plugins' lines stay together.
fn by_vm(lines: &[LogLine]) -> Vec<Vec<String>> {
    let mut vms: Vec<(&str, Vec<String>)> = Vec::new();
    for line in lines {
        let (vm, text) = split_nonce(&line.message);
        let text = format!("{} {text}", line.level.name());
        match vms.iter_mut().find(|(own, _)| *own == vm) {
            Some((_, lines)) => lines.push(text),
            None => vms.push((vm, vec![text])),
        }
    }
    vms.into_iter().map(|(_, lines)| lines).collect()
}

/// The probe's number of its VM, and the rest; no number where the line is not the probe's.
pub(super) fn split_nonce(message: &str) -> (&str, &str) {
    match message.split_once('|') {
        Some((nonce, text))
            if nonce.len() == 8 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            (nonce, text)
        }
        _ => ("", message),
    }
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

//! Cases on the plugin's `.wasm` in our host.
use super::clock::{REPORT, TICK, ticks};
use super::message::{Answer, Request};
use super::native::{KEY, PIECE};
use super::run::{HostFault, Runner};
use super::{Asked, Case, CasePolicy, Seen};
use crate::replay::plugin::{fix_hash_key, host_config};
use crate::weir::{DECISION, VM_ID, plugin_config};
use crate::{HeaderMap, Host, HostConfig, Plugin, Stat, Stream, StreamId, Worker};
use std::time::Duration;

use weir_envoy::Stats;

/// A request that is held for longer is held for ever.
const LONGEST_HOLD: Duration = Duration::from_secs(120);

/// The compiled plugin, for any number of cases.
pub struct WasmHost {
    host: Host,
    wasm: Vec<u8>,
    /// The code stays compiled as long as somebody uses it.
    _compiled: Plugin,
}

impl WasmHost {
    /// Compiles `wasm`, tried under the policy of one case.
    ///
    /// # Errors
    /// It is no plugin, or refuses the policy.
    pub fn new(wasm: Vec<u8>, policy: &CasePolicy) -> Result<Self, HostFault> {
        let host = Host::new(HostConfig::default()).map_err(HostFault::of)?;
        let compiled = Plugin::load(&host, &wasm, plugin_config(&policy.json));
        Ok(Self {
            _compiled: compiled.map_err(HostFault::of)?,
            host,
            wasm,
        })
    }

    /// A process of its own for `case`.
    ///
    /// # Errors
    /// The plugin refuses the policy.
    pub fn start(&self, case: &Case) -> Result<Wasm, HostFault> {
        let host = self.host.another(HostConfig {
            start: case.start,
            ..host_config(&case.policy.deployment.current)
        });
        // Held until the plugin runs, so that the key stays.
        let mut store = host.store(VM_ID);
        fix_hash_key(&mut store, KEY).map_err(HostFault::of)?;
        let config = plugin_config(&case.policy.json);
        let plugin = Plugin::load(&host, &self.wasm, config).map_err(HostFault::of)?;
        let worker = plugin.worker().map_err(HostFault::of)?;
        Ok(Wasm {
            host,
            plugin,
            worker,
            number: 0,
        })
    }
}

/// One worker with the plugin, in a process of its own.
pub struct Wasm {
    host: Host,
    plugin: Plugin,
    worker: Worker,
    number: u64,
}

impl Wasm {
    fn pass(&mut self, time: Duration) {
        let from = self.worker.now();
        for at in ticks(from, time) {
            self.worker.tick(at);
        }
        self.worker.set_now(from.saturating_add(time));
    }
}

impl Wasm {
    /// Sends a request on a stream of its own, which stays open.
    fn send(&mut self, request: &Request) -> StreamId {
        self.number = self.number.saturating_add(1);
        let began = self.worker.now();
        let headers = header_map(&request.header_lines(began, self.number));
        let mut stream = self.worker.stream();
        let id = stream.id();
        stream.request_headers(&headers, request.body.is_empty());
        pieces(&mut stream, &request.body, Stream::request_body);
        id
    }
}

fn header_map(lines: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(name, value);
    }
    map
}

fn lines(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, _)| !name.starts_with(':'))
        .collect()
}

/// Sends a body in Envoy's reads, its end separately, as long as anybody takes it.
fn pieces<'w>(stream: &mut Stream<'w>, body: &[u8], send: impl Fn(&mut Stream<'w>, &[u8], bool)) {
    let end = (!body.is_empty()).then_some((&[][..], true));
    let whole = body.chunks(PIECE).map(|piece| (piece, false));
    for (piece, ends) in whole.chain(end) {
        if !stream.has_ended() && !stream.is_answered_locally() {
            send(stream, piece, ends);
        }
    }
}

impl Runner for Wasm {
    fn exchange(&mut self, request: &Request, answer: &Answer) -> Result<Seen, HostFault> {
        let began = self.worker.now();
        let id = self.send(request);
        let gone = || HostFault("the stream is gone".to_owned());
        let mut now = began;
        let mut stream = loop {
            let stream = self.worker.resume_stream(id).ok_or_else(gone)?;
            let stands = !stream.has_ended()
                && !stream.is_answered_locally()
                && !stream.request_is_complete();
            if !stands || now.saturating_since(began) > LONGEST_HOLD {
                break stream;
            }
            now = now.saturating_add(TICK);
            self.worker.tick(now);
        };
        let held = now.saturating_since(began);
        if stream.request_is_complete() && !stream.is_answered_locally() {
            let head = header_map(&answer.header_lines());
            stream.response_headers(&head, answer.body.is_empty());
            pieces(&mut stream, &answer.body, Stream::response_body);
        }
        let outcome = stream.close();
        if let Some(failure) = self.worker.failure() {
            return Err(HostFault(format!("the plugin's VM failed: {failure}")));
        }
        let decision = outcome.filter_state(DECISION);
        let upstream = outcome.upstream.complete.then(|| Asked {
            headers: lines(&outcome.upstream.headers),
            body: outcome.upstream.body.clone(),
        });
        Ok(Seen {
            decision: decision
                .and_then(|decision| serde_json::from_slice(decision).ok())
                .unwrap_or_default(),
            status: outcome.status().unwrap_or_default(),
            headers: lines(&outcome.downstream.headers),
            body: outcome.downstream.body,
            upstream,
            held,
        })
    }

    fn hold(&mut self, request: &Request) -> Result<(), HostFault> {
        let id = self.send(request);
        let stream = self.worker.resume_stream(id);
        match stream.is_some_and(|stream| stream.request_is_complete()) {
            true => Ok(()),
            false => Err(HostFault::not_held()),
        }
    }

    fn wait(&mut self, time: Duration) -> Result<(), HostFault> {
        self.pass(time);
        Ok(())
    }

    fn reload(&mut self, policy: &CasePolicy) -> Result<(), HostFault> {
        let config = plugin_config(&policy.json);
        let plugin = self.plugin.with_config(config).map_err(HostFault::of)?;
        self.worker.reconfigure(&plugin).map_err(HostFault::of)?;
        self.plugin = plugin;
        Ok(())
    }

    fn metrics(&mut self, _enough: &dyn Fn(&Stats) -> bool) -> Result<Stats, HostFault> {
        self.pass(REPORT);
        let stats = self.host.stats().into_iter();
        Ok(Stats::new(stats.filter_map(|(name, stat)| match stat {
            Stat::Counter(value) | Stat::Gauge(value) => Some((name, value)),
            Stat::Histogram(_) => None,
        })))
    }
}

//! Cases in a real Envoy: many of them share one process, each with a listener and a VM of its own, so that none
//! sees what another one counted.
//!
//! Envoy's clock is the machine's. Short waits are waited; a case that needs more time than that, or begins at a date
//! of its own, is run as far as it goes.
use super::message::{Answer, Request};
use super::run::{HostFault, Runner};
use super::{Asked, Case, CasePolicy, Phase, Seen, Step};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;
use tokio::time::{Instant, sleep, timeout};
use weir_engine::time::{Timestamp, format_duration};
use weir_envoy::Stats;
use weir_envoy::stage::{
    Expected, OnFailure, PluginFilter, ScriptedUpstream, Stage, StageDir, StageOptions, Started,
    Surroundings,
};
use weir_envoy::wire::{Close, End, Outgoing, Protocol, RawClient, Reaction};

/// The longest time that a case may let pass at once.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// The most requests that one phase may send.
const MOST_REQUESTS: u32 = 3000;
/// How long one exchange, or a line of a log, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long Envoy may take to start: compiling the plugin is most of it.
const STARTING: Duration = Duration::from_secs(120);
/// The plugin tells its counters every 5 s.
const REPORT: Duration = Duration::from_secs(12);
/// Held bodies, as in `envoy/listener.yaml`.
const BUFFER_BYTES: u32 = 16 << 20;

/// Where Envoy and the plugin are.
#[derive(Debug)]
pub struct EnvoyHost {
    runtime: Runtime,
    binary: PathBuf,
    wasm: PathBuf,
}

/// An Envoy with a listener for each of some cases; ends when dropped.
pub struct Shared<'h> {
    host: &'h EnvoyHost,
    stage: Box<Stage>,
    upstream: ScriptedUpstream,
    surroundings: Surroundings,
    filters: Mutex<Vec<PluginFilter>>,
}

/// One case in it.
pub struct InEnvoy<'s> {
    shared: &'s Shared<'s>,
    name: String,
    number: u64,
    /// Clients whose requests are under way, and the upstream's part in them.
    held: Vec<(RawClient, Expected)>,
}

impl EnvoyHost {
    /// With the binary of Envoy and the plugin's file.
    ///
    /// # Errors
    /// No threads can be had.
    pub fn new(binary: PathBuf, wasm: PathBuf) -> Result<Self, HostFault> {
        let runtime = Runtime::new().map_err(HostFault::of)?;
        Ok(Self {
            runtime,
            binary,
            wasm,
        })
    }

    /// Starts an Envoy for `cases`, which are named by their place among them.
    ///
    /// # Errors
    /// Envoy does not start, or the plugin is refused.
    pub fn start(&self, cases: &[&Case]) -> Result<Shared<'_>, HostFault> {
        self.runtime.block_on(async {
            let dir = StageDir::new().map_err(HostFault::of)?;
            let upstream = ScriptedUpstream::start().await.map_err(HostFault::of)?;
            let surroundings = Surroundings {
                buffer_limit_bytes: BUFFER_BYTES,
                upstream: (upstream.addr(), Protocol::Http1),
                access_log: dir.access_log(),
                clusters: Vec::new(),
            };
            let filters: Vec<PluginFilter> = cases
                .iter()
                .enumerate()
                .map(|(index, case)| self.filter(index, &case.policy))
                .collect();
            let listeners = filters.iter().map(|filter| surroundings.listener(filter));
            let options = StageOptions {
                binary: self.binary.clone(),
                bootstrap: surroundings.bootstrap(&[]),
                listeners: Some(listeners.collect()),
                workers: 1,
                patience: STARTING,
                drain_time: Duration::from_secs(1),
            };
            let stage = match Stage::start(options, dir).await.map_err(HostFault::of)? {
                Started::Serving(stage) => stage,
                Started::Refused { reason, .. } => {
                    return Err(HostFault(format!("Envoy refused the plugin: {reason}")));
                }
            };
            Ok(Shared {
                host: self,
                stage,
                upstream,
                surroundings,
                filters: Mutex::new(filters),
            })
        })
    }

    fn filter(&self, index: usize, policy: &CasePolicy) -> PluginFilter {
        let name = name(index);
        PluginFilter {
            vm_id: name.clone(),
            name,
            wasm: self.wasm.clone(),
            root_id: "weir".to_owned(),
            configuration: policy.json.clone(),
            vm_configuration: String::new(),
            environment: Vec::new(),
            allow_on_headers_stop_iteration: true,
            on_failure: OnFailure::Closed,
        }
    }
}

/// Of a case's listener, plugin and VM.
fn name(index: usize) -> String {
    format!("case-{index}")
}

/// Why nothing of a case can be run in Envoy; `None` where some of it can.
pub fn unfit(case: &Case) -> Option<String> {
    case.sets_clock
        .then(|| "the case begins at a date of its own, and Envoy's clock cannot be set".to_owned())
}

impl Shared<'_> {
    /// The case at `index` of those that it was started for.
    pub fn case(&self, index: usize) -> InEnvoy<'_> {
        InEnvoy {
            shared: self,
            name: name(index),
            number: 0,
            held: Vec::new(),
        }
    }
}

impl InEnvoy<'_> {
    fn next(&mut self, request: &Request) -> Outgoing {
        self.number = self.number.saturating_add(1);
        outgoing(request.header_lines(now(), self.number), &request.body)
    }

    /// A client and the port that it is connected to.
    async fn connect(&self) -> Result<(RawClient, u16), HostFault> {
        let gone = || HostFault(format!("Envoy has no listener {}", self.name));
        let listener = self.shared.stage.listener(&self.name).ok_or_else(gone)?;
        let client = RawClient::connect(listener, Protocol::Http1).await;
        Ok((client.map_err(HostFault::of)?, listener.port()))
    }

    async fn hold(&mut self, request: Outgoing) -> Result<(), HostFault> {
        let (mut client, _) = self.connect().await?;
        let expected = (self.shared.upstream).expect(client.local_port(), Reaction::Hang);
        let mut asked = expected.watch();
        client.send(request);
        let arrives = timeout(PATIENCE, asked.wait_for(|asked| asked.end == End::Complete)).await;
        arrives
            .map_err(|_| HostFault::not_held())?
            .map_err(HostFault::of)?;
        self.held.push((client, expected));
        Ok(())
    }

    async fn send(&self, request: Outgoing, answer: Outgoing) -> Result<Seen, HostFault> {
        let Shared {
            stage, upstream, ..
        } = self.shared;
        let (mut client, listener) = self.connect().await?;
        let port = client.local_port();
        let expected = upstream.expect(port, Reaction::Answer(answer));
        let mut got = client.watch();
        let began = Instant::now();
        client.send(request);
        let ended = timeout(PATIENCE, got.wait_for(|got| got.end != End::Open)).await;
        let late = |_| HostFault("no answer came".to_owned());
        let got = ended.map_err(late)?.map_err(HostFault::of)?.clone();
        let held = began.elapsed();
        client.leave().await;
        let access = stage.access(port, listener, PATIENCE).await;
        let access = access.map_err(HostFault::of)?;
        let asked = expected.watch().borrow().clone();
        let status = got.header(":status").and_then(|status| status.parse().ok());
        let decision = access.decision.as_deref();
        Ok(Seen {
            decision: decision
                .and_then(|decision| serde_json::from_str::<Value>(decision).ok())
                .unwrap_or_default(),
            status: status.unwrap_or_default(),
            headers: plain(&got.headers),
            body: got.body,
            upstream: (asked.end == End::Complete).then(|| Asked {
                headers: plain(&asked.headers),
                body: asked.body,
            }),
            held,
        })
    }
}

fn plain(headers: &[(String, String)]) -> Vec<(String, String)> {
    let headers = headers.iter().filter(|(name, _)| !name.starts_with(':'));
    headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect()
}

fn outgoing(headers: Vec<(String, String)>, body: &[u8]) -> Outgoing {
    Outgoing {
        headers,
        pieces: (!body.is_empty())
            .then(|| body.to_vec())
            .into_iter()
            .collect(),
        trailers: Vec::new(),
        close: Close::WithLast,
    }
}

/// The machine's clock, which is Envoy's.
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

impl Runner for InEnvoy<'_> {
    fn exchange(&mut self, request: &Request, answer: &Answer) -> Result<Seen, HostFault> {
        let request = self.next(request);
        let answer = outgoing(answer.header_lines(), &answer.body);
        self.shared
            .host
            .runtime
            .block_on(self.send(request, answer))
    }

    fn hold(&mut self, request: &Request) -> Result<(), HostFault> {
        let request = self.next(request);
        let runtime = &self.shared.host.runtime;
        runtime.block_on(InEnvoy::hold(self, request))
    }

    fn wait(&mut self, time: Duration) -> Result<(), HostFault> {
        std::thread::sleep(time); // the upstream goes on meanwhile, on threads of its own
        Ok(())
    }

    fn reload(&mut self, policy: &CasePolicy) -> Result<(), HostFault> {
        let shared = self.shared;
        let mut filters = shared
            .filters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for filter in filters.iter_mut().filter(|filter| filter.name == self.name) {
            filter.configuration.clone_from(&policy.json);
        }
        let listeners: Vec<Value> = filters
            .iter()
            .map(|filter| shared.surroundings.listener(filter))
            .collect();
        let replaced = shared
            .host
            .runtime
            .block_on(shared.stage.replace(&listeners));
        let refused = |reason| HostFault(format!("Envoy refused the policy: {reason}"));
        replaced.map_err(HostFault::of)?.map_err(refused)
    }

    /// Waits until they tell enough, or until the plugin must have told them.
    fn metrics(&mut self, enough: &dyn Fn(&Stats) -> bool) -> Result<Stats, HostFault> {
        let stage = &self.shared.stage;
        self.shared.host.runtime.block_on(async {
            let began = Instant::now();
            loop {
                let stats = stage.stats("^wasmcustom").await.map_err(HostFault::of)?;
                if enough(&stats) || began.elapsed() > REPORT {
                    return Ok(stats);
                }
                sleep(Duration::from_millis(200)).await;
            }
        })
    }

    fn cannot(&self, phase: &Phase) -> Option<String> {
        match &phase.step {
            Step::Wait(time) if *time > LONGEST_WAIT => Some(*time),
            Step::Send { times, every, .. } => {
                if *times > MOST_REQUESTS {
                    return Some(format!("{times} requests take too long in Envoy"));
                }
                let time = every.saturating_mul(times.saturating_sub(1));
                (time > LONGEST_WAIT).then_some(time)
            }
            _ => None,
        }
        .map(|time| format!("{} would pass in real time in Envoy", format_duration(time)))
    }
}

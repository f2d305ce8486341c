//! Decides with the plugin's `.wasm` in our host.
use super::Decider;
use super::recorded::request_headers;
use crate::trace::{TraceLine, TraceResponse};
use crate::weir::{DECISION, HASH_KEY};
use crate::{
    Exchange, HeaderMap, HostConfig, HostcallCounts, LogLevel, Message, SharedDataStore, Upstream,
    Worker,
};
use std::num::NonZeroU32;
use std::time::Duration;
use weir_engine::policy::Policy;
use weir_engine::store::{CounterStore, StoreError};
use weir_engine::time::Timestamp;

/// The plugin's tick.
const TICK: Duration = Duration::from_millis(100);
/// Enough of them for everything that can wait in a worker: 4,096 settlements, 128 buckets a tick, and
/// metrics on every 50th.
const LAST_TICKS: u32 = 54;

/// One worker's VM.
pub struct PluginDecider {
    worker: Worker,
    /// The replay runs its timer.
    in_spans: bool,
    /// The policy delays requests, for which no time passes here.
    lets_delayed_go: bool,
}

/// Why the plugin gave no decision: always a defect of the plugin.
#[derive(Debug, thiserror::Error)]
pub enum PluginFault {
    /// It could not be loaded or refused its configuration.
    #[error(transparent)]
    Load(#[from] crate::LoadError),
    /// Its VM trapped.
    #[error("the plugin's VM failed: {0}")]
    Trapped(String),
    /// The stream ended without one.
    #[error("the plugin left no decision; the stream ended {0}")]
    NoDecision(String),
}

/// What a worker did.
#[derive(Clone, Debug)]
pub struct PluginReport {
    /// Hostcalls by name, ticks included.
    pub hostcalls: HostcallCounts,
    /// Calls into the VM, ticks included.
    pub vm_entries: u64,
    /// Fuel burnt, ticks and start included, where the host counts it.
    pub fuel: Option<u64>,
    /// Bytes of linear memory in the end.
    pub memory_bytes: u64,
}

impl PluginReport {
    /// Both together: counts add up, memory is the larger one's.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.hostcalls.add(&other.hostcalls);
        Self {
            hostcalls: self.hostcalls,
            vm_entries: self.vm_entries + other.vm_entries,
            fuel: self.fuel.zip(other.fuel).map(|(own, others)| own + others),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }
}

impl PluginDecider {
    /// A decider over a worker of its own, under `policy`.
    pub fn new(worker: Worker, policy: &Policy) -> Self {
        Self {
            worker,
            in_spans: false,
            lets_delayed_go: policy.delays(),
        }
    }
    /// A decider whose timer a [replay in spans](super::spans) runs.
    pub fn in_spans(worker: Worker, policy: &Policy) -> Self {
        Self {
            in_spans: true,
            ..Self::new(worker, policy)
        }
    }
    fn check(&self) -> Result<(), PluginFault> {
        match self.worker.failure() {
            Some(failure) => Err(PluginFault::Trapped(failure.to_string())),
            None => Ok(()),
        }
    }
}

impl Decider for PluginDecider {
    type Error = PluginFault;
    type Report = PluginReport;

    fn decide(
        &mut self,
        line: u64,
        recorded: &TraceLine<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), PluginFault> {
        // Envoy arms a timer again when it has run, so ticks that were missed are not made up for.
        let due = self
            .worker
            .next_tick()
            .is_some_and(|due| due <= recorded.time);
        if due && !self.in_spans {
            self.worker.tick(recorded.time);
        }
        self.worker.set_now(recorded.time);
        let mut headers = HeaderMap::new();
        for (name, value) in request_headers(line, recorded) {
            headers.append(name, value.as_bytes());
        }
        let request = Message::new(headers, recorded.body.to_vec());
        let upstream = recorded
            .response
            .as_ref()
            .map_or(Upstream::Resets, |response| {
                Upstream::Answers(message(response))
            });
        let exchange = Exchange {
            holds_no_request: self.lets_delayed_go,
            ..Exchange::new(request, upstream)
        };
        let outcome = self.worker.exchange(&exchange);
        self.check()?;
        let decision = outcome.filter_state(DECISION);
        out.extend_from_slice(decision.ok_or_else(|| {
            PluginFault::NoDecision(format!("{:?} {}", outcome.end, outcome.details))
        })?);
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<bool, PluginFault> {
        self.worker.tick(now);
        self.check()?;
        // With more to do, the plugin asks for its next tick sooner.
        let next = self.worker.next_tick();
        Ok(next.is_none_or(|next| next.saturating_since(now) >= TICK))
    }

    fn report(mut self) -> PluginReport {
        settle(&mut self.worker);
        PluginReport {
            hostcalls: self.worker.hostcalls(),
            vm_entries: self.worker.vm_entries(),
            fuel: self.worker.fuel(),
            memory_bytes: self.worker.memory_bytes(),
        }
    }
}

/// A host that holds bodies as large as the policy reads, and lets the plugin's warnings through.
pub fn host_config(policy: &Policy) -> HostConfig {
    let body = u32::try_from(policy.max_body()).unwrap_or(u32::MAX);
    HostConfig {
        buffer_limit_bytes: NonZeroU32::MIN.saturating_add(body.saturating_mul(2)),
        log_level: LogLevel::Warn,
        ..HostConfig::default()
    }
}

/// Fixes the key of identity hashes, which a plugin would draw at random, so that a replay repeats. Call it
/// before the plugin is loaded, and keep the store until then.
///
/// # Errors
/// The store's own.
pub fn fix_hash_key(store: &mut SharedDataStore, key: [u8; 16]) -> Result<(), StoreError> {
    store.compare_and_swap(HASH_KEY, &key, None).map(|_| ())
}

/// Lets a worker's timer run until nothing waits in it: settlements and metrics are written.
pub fn settle(worker: &mut Worker) {
    for _ in 0..LAST_TICKS {
        let next = worker.now().saturating_add(TICK);
        worker.tick(next);
    }
}

fn message(response: &TraceResponse<'_>) -> Message {
    let mut headers = HeaderMap::new();
    headers.append(":status", response.status.to_string());
    for (name, value) in &response.headers {
        headers.append(&**name, value.as_bytes());
    }
    Message::new(headers, response.body.to_vec())
}

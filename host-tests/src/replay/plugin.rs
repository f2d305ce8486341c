//! Decides with the plugin's `.wasm` in our host.
use super::Decider;
use super::recorded::request_headers;
use crate::trace::{TraceLine, TraceResponse};
use crate::weir::DECISION;
use crate::{Exchange, HeaderMap, HostcallCounts, Message, Upstream, Worker};
use std::time::Duration;

/// The plugin's tick.
const TICK: Duration = Duration::from_millis(100);
/// Enough of them for everything that can wait in a worker: 4,096 settlements, 128 buckets a tick, and
/// metrics on every 50th.
const LAST_TICKS: u32 = 64;

/// One worker's VM.
pub struct PluginDecider {
    worker: Worker,
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
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
        }
    }
}

impl PluginDecider {
    /// A decider over a worker of its own.
    pub const fn new(worker: Worker) -> Self {
        Self { worker }
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
        if self
            .worker
            .next_tick()
            .is_some_and(|due| due <= recorded.time)
        {
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
        let outcome = self.worker.exchange(&Exchange::new(request, upstream));
        if let Some(failure) = self.worker.failure() {
            return Err(PluginFault::Trapped(failure.to_string()));
        }
        let decision = outcome.filter_state(DECISION);
        out.extend_from_slice(decision.ok_or_else(|| {
            PluginFault::NoDecision(format!("{:?} {}", outcome.end, outcome.details))
        })?);
        Ok(())
    }

    fn report(mut self) -> PluginReport {
        settle(&mut self.worker);
        PluginReport {
            hostcalls: self.worker.hostcalls(),
            vm_entries: self.worker.vm_entries(),
            memory_bytes: self.worker.memory_bytes(),
        }
    }
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

//! What a VM's hostcalls work on: its contexts, clock, ids and what they queued.
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use rand_pcg::Pcg64;
use wasmtime::{Func, Memory, ResourceLimiter};
use weir_engine::time::Timestamp;

use crate::callouts::{Callouts, Event};
use crate::calls::VmName;
use crate::exports::{Export, GrpcCallbacks};
use crate::flow::Direction;
use crate::host::Process;
use crate::hostcall::HostcallCounts;
use crate::local_reply::LocalReply;
use crate::log::{LogLevel, LogLine};
use crate::metrics::VmMetrics;
use crate::phase::Phase;
use crate::plugin::Settings;
use crate::shared_data::Namespace;
use crate::shared_queues::Inbox;
use crate::stream_state::StreamState;
use crate::vm::Failure;

/// The largest linear memory that Envoy grants: 16384 pages.
const MEMORY_LIMIT_BYTES: usize = 1 << 30;

/// The largest table that V8 grants, in elements.
const TABLE_LIMIT: usize = 10_000_000;

pub(crate) struct VmState {
    pub(crate) process: Arc<Process>,
    /// As [`crate::calls::CallEvent`] tells it.
    pub(crate) name: VmName,
    /// What stands behind functions that tell [`crate::HostConfig::calls`]; empty without a sink.
    pub(crate) originals: Arc<[Option<Func>]>,
    /// Set once the instance exists; nothing that needs them succeeds before.
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<Arc<Export<u32, u32>>>,
    pub(crate) grpc_callbacks: Option<Arc<GrpcCallbacks>>,
    /// What the guest is doing.
    pub(crate) phase: Phase,
    /// An allocation trapped: the call that it was made for still runs to its end.
    pub(crate) nested_failure: Option<Failure>,
    /// Only inside `proxy_on_configure` can the plugin's configuration be read.
    pub(crate) configuration_shown: bool,
    pub(crate) now: Timestamp,
    pub(crate) hostcalls: HostcallCounts,
    pub(crate) limiter: MemoryLimiter,
    pub(crate) shared_data: Namespace,
    /// Ready queues, posted by any thread.
    pub(crate) inbox: Inbox,
    /// Properties that contexts declared, and whether each is read-only.
    pub(crate) declarations: HashMap<(u32, Vec<u8>), bool>,
    pub(crate) metrics: VmMetrics,
    pub(crate) callouts: Callouts,
    pub(crate) random: Pcg64,
    pub(crate) vm: Arc<Settings>,
    pub(crate) roots: Vec<Root>,
    /// Few at a time and looked up in every hostcall: no hashing.
    pub(crate) streams: BTreeMap<u32, Box<StreamState>>,
    pub(crate) next_context: u32,
    /// The context that the host called, 0 before the first.
    pub(crate) called_context: u32,
    /// The context that hostcalls act on instead, until the call returns.
    pub(crate) effective_context: Option<u32>,
    /// A local reply was asked for: whatever the callback returns, its stream stops.
    pub(crate) stop_iteration: bool,
    /// Work that waits until the guest's call has returned.
    pub(crate) deferred: Vec<Deferred>,
    /// Reused for values on their way to the guest.
    pub(crate) scratch: Vec<u8>,
    /// The lines of the running start or reconfiguration, for its error.
    pub(crate) captured_log: Option<Vec<LogLine>>,
}

/// Work that the guest asked for and that Envoy does after the call.
pub(crate) enum Deferred {
    Continue {
        stream: u32,
        direction: Direction,
    },
    Close {
        stream: u32,
    },
    Reply {
        stream: u32,
        reply: LocalReply,
    },
    /// A callout failed at once and is told so after the call.
    Answer {
        root: u32,
        token: u32,
        event: Event,
    },
    /// A replaced root context has done what it waited for.
    EndRoot {
        root: u32,
    },
}

/// A plugin's root context.
pub(crate) struct Root {
    pub(crate) id: u32,
    pub(crate) settings: Arc<Settings>,
    pub(crate) configuring: bool,
    /// It came up; otherwise nobody holds it, and it ends with its VM.
    pub(crate) started: bool,
    pub(crate) tick_period: Option<Duration>,
    pub(crate) next_tick: Option<Timestamp>,
    /// How many of the thread's plugins use it. When it is 0, it ends with its last stream.
    pub(crate) holders: u32,
    /// `on_done` answered false: waits for `proxy_done`.
    pub(crate) done_pending: bool,
}

impl Root {
    pub(crate) const fn new(id: u32, settings: Arc<Settings>) -> Self {
        Self {
            id,
            settings,
            configuring: true,
            started: false,
            tick_period: None,
            next_tick: None,
            holders: 0,
            done_pending: false,
        }
    }
}

impl VmState {
    /// The context that hostcalls act on: the effective one as long as it exists.
    pub(crate) fn context(&self) -> u32 {
        match self.effective_context {
            Some(id) if self.has_context(id) => id,
            _ => self.called_context,
        }
    }
    pub(crate) fn has_context(&self, id: u32) -> bool {
        self.streams.contains_key(&id) || self.roots.iter().any(|root| root.id == id)
    }
    /// The stream that hostcalls act on; `None` in a root context.
    pub(crate) fn stream(&self) -> Option<&StreamState> {
        self.streams.get(&self.context()).map(|stream| &**stream)
    }
    pub(crate) fn stream_mut(&mut self) -> Option<&mut StreamState> {
        let id = self.context();
        self.streams.get_mut(&id).map(|stream| &mut **stream)
    }
    pub(crate) fn root_id(&self) -> u32 {
        self.stream()
            .map_or_else(|| self.context(), |stream| stream.root)
    }
    pub(crate) fn root(&self) -> Option<&Root> {
        let id = self.root_id();
        self.roots.iter().find(|root| root.id == id)
    }
    pub(crate) fn root_mut(&mut self) -> Option<&mut Root> {
        let id = self.root_id();
        self.roots.iter_mut().find(|root| root.id == id)
    }
    pub(crate) fn log(&mut self, level: LogLevel, message: &[u8]) {
        if level < self.process.config.log_level {
            return;
        }
        let origin = match self.root() {
            None => Arc::default(),
            Some(root) if root.configuring => Arc::clone(&root.settings.root_origin),
            Some(root) => Arc::clone(&root.settings.origin),
        };
        let line = LogLine {
            level,
            origin,
            message: String::from_utf8_lossy(message).into_owned(),
        };
        if let Some(sink) = &self.process.config.log {
            sink(&line);
        }
        let called = self.called_context;
        if let Some(captured) = &mut self.captured_log {
            captured.push(line);
        } else if let Some(stream) = self.streams.get_mut(&called) {
            stream.log.push(line);
        }
    }
}

/// Refuses memory that Envoy would refuse, so that `memory.grow` answers -1.
#[derive(Default)]
pub(crate) struct MemoryLimiter;

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MEMORY_LIMIT_BYTES)
    }
    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _max: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_LIMIT)
    }
}

//! One instance of a plugin's code: calling it, and what follows when it traps.
use std::collections::HashMap;
use std::sync::Arc;

use rand_pcg::Pcg64;
use wasmtime::{AsContext, Instance, Memory, Store, Trap, WasmParams, WasmResults};
use weir_engine::time::Timestamp;

use crate::base::Code;
use crate::callouts::Callouts;
use crate::calls::{Answer, Numbers, interpose};
use crate::census::Counted;
use crate::exports::{Export, Exports, GrpcCallbacks, Resolver};
use crate::host::Process;
use crate::hostcall::HostcallCounts;
use crate::load_error::LoadError;
use crate::log::{LogLevel, LogLine, TRAPPED};
use crate::metrics::VmMetrics;
use crate::phase::Phase;
use crate::plugin::Settings;
use crate::shared_queues::Inbox;
use crate::state::{MemoryLimiter, VmState};
use crate::watchdog::EPOCHS_PER_CALL;

/// The guest trapped in this call or an earlier one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trapped;

pub(crate) struct Vm {
    pub(crate) store: Store<VmState>,
    pub(crate) exports: Exports,
    memory: Option<Memory>,
    /// Why the VM can no longer be called.
    pub(crate) failure: Option<Failure>,
    /// Calls of the guest by the host; allocations inside hostcalls are not counted.
    pub(crate) entries: u64,
    watched: bool,
    pub(crate) instance: Instance,
    /// Taken where the VM is no longer one for Envoy.
    pub(crate) counted: Option<Counted>,
}

/// Why a VM is not called any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    pub(crate) kind: FailureKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    Trap,
    /// A call never returned: the whole thread stands still.
    Hang,
    /// The VM did not come up on this thread; Envoy has none in its place.
    NotStarted,
}

impl Vm {
    /// Instantiates the code. `ordinal` selects the random sequence.
    pub(crate) fn instantiate(
        process: &Arc<Process>,
        code: &Code,
        settings: &Arc<Settings>,
        ordinal: u64,
        now: Timestamp,
    ) -> Result<Self, LoadError> {
        let counted = process.census.count();
        let mut store = Store::new(&process.engine, new_state(process, settings, ordinal, now));
        store.limiter(|state| &mut state.limiter);
        let watched = process.config.hang_limit.is_some();
        if watched {
            store.set_epoch_deadline(EPOCHS_PER_CALL);
        }
        if process.config.fuel {
            // So much that it never runs out: it counts, and ends nothing.
            if let Err(error) = store.set_fuel(u64::MAX) {
                return Err(trap("start", &error, None));
            }
        }
        if process.config.calls.is_some() {
            let originals =
                interpose::originals(&process.linker, code.instance.module(), &mut store);
            store.data_mut().originals = originals;
        }
        let instance = match code.instance.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => return Err(trap("start", &error, store.data_mut().captured_log.take())),
        };
        let memory = instance.get_memory(&mut store, "memory");
        let mut resolver = Resolver {
            store: &mut store,
            instance: &instance,
        };
        let allocate = match resolver.optional("malloc")? {
            Some(malloc) => Some(malloc),
            None => resolver.optional("proxy_on_memory_allocate")?,
        };
        let allocate = allocate.ok_or(LoadError::Export {
            name: "proxy_on_memory_allocate",
        })?;
        let exports = Exports::resolve(&mut store, &instance)?;
        let state = store.data_mut();
        state.memory = memory;
        state.allocate = Some(allocate);
        state.grpc_callbacks = Some(Arc::new(GrpcCallbacks {
            initial: exports.answers.grpc_initial.clone(),
            trailing: exports.answers.grpc_trailing.clone(),
        }));
        Ok(Self {
            store,
            exports,
            memory,
            failure: None,
            entries: 0,
            watched,
            instance,
            counted: Some(counted),
        })
    }
    /// Calls the guest in `context`. What it deferred is still to be run.
    pub(crate) fn enter<P: WasmParams + Numbers, R: WasmResults + Answer>(
        &mut self,
        call: &Export<P, R>,
        context: u32,
        parameters: P,
    ) -> Result<R, Trapped> {
        if self.failure.is_some() {
            return Err(Trapped);
        }
        let answer = self.enter_anyway(call, context, parameters);
        // An allocation inside of it may have trapped.
        if self.failure.is_some() {
            Err(Trapped)
        } else {
            answer
        }
    }
    /// [`Vm::enter`] even where the VM has failed, and with the answer even if it fails: Envoy does so while
    /// it starts a plugin.
    pub(crate) fn enter_anyway<P: WasmParams + Numbers, R: WasmResults + Answer>(
        &mut self,
        call: &Export<P, R>,
        context: u32,
        parameters: P,
    ) -> Result<R, Trapped> {
        self.entries += 1;
        if self.watched {
            self.store.set_epoch_deadline(EPOCHS_PER_CALL);
        }
        let state = self.store.data_mut();
        state.called_context = context;
        state.effective_context = None;
        let result = call.call_in(&mut self.store, context, parameters);
        let state = self.store.data_mut();
        state.effective_context = None;
        let nested = state.nested_failure.take();
        let (failure, answer) = match result {
            Ok(answer) => (nested, Ok(answer)),
            Err(error) => (Some(explain(&error)), Err(Trapped)),
        };
        if let Some(failure) = failure {
            state.stop_iteration = false;
            state.log(
                LogLevel::Critical,
                format!("{TRAPPED}{}", failure.reason).as_bytes(),
            );
            self.failure = Some(failure);
        }
        answer
    }
    /// Whether a call of this VM stopped its thread for good.
    pub(crate) fn hangs(&self) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|failure| failure.kind == FailureKind::Hang)
    }
    /// Units of fuel burnt, about one for each instruction; `None` where nobody counts.
    pub(crate) fn fuel(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }
    /// Bytes of linear memory; never shrinks.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let memory = self.memory.as_ref();
        memory.map_or(0, |memory| memory.data_size(self.store.as_context()) as u64)
    }
}

fn new_state(
    process: &Arc<Process>,
    settings: &Arc<Settings>,
    ordinal: u64,
    now: Timestamp,
) -> VmState {
    let name = process.vm_names.next(ordinal);
    VmState {
        process: Arc::clone(process),
        name,
        originals: Arc::default(),
        memory: None,
        allocate: None,
        grpc_callbacks: None,
        phase: Phase::Starting,
        nested_failure: None,
        configuration_shown: false,
        now,
        hostcalls: HostcallCounts::default(),
        limiter: MemoryLimiter,
        shared_data: process.shared_data.namespace(&settings.config.vm_id),
        inbox: Inbox::default(),
        declarations: HashMap::new(),
        metrics: VmMetrics::new(process.stats.clone()),
        callouts: Callouts::default(),
        random: Pcg64::new(process.config.seed.into(), name.sequence()),
        vm: Arc::clone(settings),
        roots: Vec::new(),
        streams: std::collections::BTreeMap::new(),
        next_context: 1,
        called_context: 0,
        effective_context: None,
        stop_iteration: false,
        deferred: Vec::new(),
        scratch: Vec::new(),
        captured_log: Some(Vec::new()),
    }
}

fn trap(call: &'static str, error: &wasmtime::Error, log: Option<Vec<LogLine>>) -> LoadError {
    LoadError::Trap {
        call,
        reason: explain(error).reason,
        log: log.unwrap_or_default(),
    }
}

/// One line without the guest's backtrace, whose addresses differ between builds.
pub(crate) fn explain(error: &wasmtime::Error) -> Failure {
    let (kind, reason) = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => (
            FailureKind::Hang,
            "the call does not return: it would hang Envoy's worker".to_owned(),
        ),
        Some(trap) => (FailureKind::Trap, trap.to_string()),
        None => (FailureKind::Trap, error.root_cause().to_string()),
    };
    Failure { reason, kind }
}

//! One instance of a plugin's code: calling it, and what follows when it traps.
use std::sync::Arc;

use rand_pcg::Pcg64;
use wasmtime::{AsContext, Instance, Memory, Store, Trap, TypedFunc, WasmParams, WasmResults};
use weir_engine::time::Timestamp;

use crate::callouts::Callouts;
use crate::exports::{Exports, GrpcCallbacks, Resolver};
use crate::host::Process;
use crate::hostcall::HostcallCounts;
use crate::log::{LogLevel, LogLine};
use crate::metrics::VmMetrics;
use crate::plugin::{LoadError, Plugin, Settings};
use crate::state::{MemoryLimiter, Root, VmState};
use crate::watchdog::EPOCHS_PER_CALL;

/// The guest trapped in this call or an earlier one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trapped;

pub(crate) struct Vm {
    pub(crate) store: Store<VmState>,
    pub(crate) exports: Exports,
    pub(crate) memory: Memory,
    /// Why the VM can no longer be called.
    pub(crate) failure: Option<String>,
    /// Calls of the guest by the host; allocations inside hostcalls are not counted.
    pub(crate) entries: u64,
    watched: bool,
    /// The root that new streams belong to.
    pub(crate) root: u32,
}

impl Vm {
    /// Instantiates `plugin` and brings its root context up. `ordinal` selects the random sequence.
    pub(crate) fn start(plugin: &Plugin, ordinal: u64, now: Timestamp) -> Result<Self, LoadError> {
        let process = &plugin.0.host.0;
        let mut store = Store::new(
            &process.engine,
            new_state(process, &plugin.0.settings, ordinal, now),
        );
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
        let instance = match plugin.0.code.instance.instantiate(&mut store) {
            Ok(instance) => instance,
            Err(error) => return Err(trap("start", &error, store.data_mut().captured_log.take())),
        };
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or(LoadError::Export { name: "memory" })?;
        let mut resolver = Resolver {
            store: &mut store,
            instance: &instance,
        };
        let allocate = match resolver.optional("malloc")? {
            Some(malloc) => Some(malloc),
            None => resolver.optional("proxy_on_memory_allocate")?,
        };
        let allocate = Arc::new(allocate.ok_or(LoadError::Export {
            name: "proxy_on_memory_allocate",
        })?);
        let exports = Exports::resolve(&mut store, &instance)?;
        let state = store.data_mut();
        state.memory = Some(memory);
        state.allocate = Some(allocate);
        state.grpc_callbacks = Some(Arc::new(GrpcCallbacks {
            initial: exports.answers.grpc_initial.clone(),
            trailing: exports.answers.grpc_trailing.clone(),
        }));
        let mut vm = Self {
            store,
            exports,
            memory,
            failure: None,
            entries: 0,
            watched,
            root: 0,
        };
        vm.initialize(&instance)?;
        vm.root = vm.start_root(&plugin.0.settings)?;
        vm.store.data_mut().captured_log = None;
        Ok(vm)
    }
    /// `_initialize` (and `main`), else `_start`: only logging and WASI are allowed in them.
    fn initialize(&mut self, instance: &Instance) -> Result<(), LoadError> {
        let mut resolver = Resolver {
            store: &mut self.store,
            instance,
        };
        let first = resolver.optional::<(), ()>("_initialize")?;
        let main = resolver.optional::<(u32, u32), u32>("main").ok().flatten();
        let start = resolver.optional::<(), ()>("_start")?;
        self.store.data_mut().restricted = true;
        if let Some(first) = first {
            self.start_call("_initialize", &first, ())?;
            if let Some(main) = main {
                self.start_call("main", &main, (0, 0))?;
            }
        } else if let Some(start) = start {
            self.start_call("_start", &start, ())?;
        }
        self.store.data_mut().restricted = false;
        Ok(())
    }
    /// Creates, starts and configures a root context. Its log is captured for the error.
    pub(crate) fn start_root(&mut self, settings: &Arc<Settings>) -> Result<u32, LoadError> {
        let state = self.store.data_mut();
        state.captured_log.get_or_insert_default();
        let id = state.next_context;
        state.next_context += 1;
        state.roots.push(Root {
            id,
            settings: Arc::clone(settings),
            configuring: true,
            tick_period: None,
            next_tick: None,
            retired: false,
            done_pending: false,
        });
        state.called_context = id;
        let config = &settings.config;
        if let Some(create) = self.exports.context_create.clone() {
            self.start_call("proxy_on_context_create", &create, (id, 0))?;
        }
        self.start_step(
            "proxy_on_vm_start",
            id,
            self.exports.vm_start.clone(),
            config.vm_configuration.len(),
        )?;
        self.start_step(
            "proxy_on_configure",
            id,
            self.exports.configure.clone(),
            config.configuration.len(),
        )?;
        let state = self.store.data_mut();
        state.captured_log = None;
        if let Some(root) = state.roots.iter_mut().find(|root| root.id == id) {
            root.configuring = false;
        }
        Ok(id)
    }
    fn start_step(
        &mut self,
        name: &'static str,
        root: u32,
        call: Option<TypedFunc<(u32, u32), u32>>,
        size: usize,
    ) -> Result<(), LoadError> {
        let Some(call) = call else { return Ok(()) };
        let state = self.store.data_mut();
        state.called_context = root;
        state.configuration_shown = name == "proxy_on_configure";
        let accepted =
            self.start_call(name, &call, (root, u32::try_from(size).unwrap_or(u32::MAX)));
        self.store.data_mut().configuration_shown = false;
        if accepted? == 0 {
            let log = self
                .store
                .data_mut()
                .captured_log
                .take()
                .unwrap_or_default();
            return Err(LoadError::Refused { call: name, log });
        }
        self.run_deferred();
        Ok(())
    }
    fn start_call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &'static str,
        call: &TypedFunc<P, R>,
        parameters: P,
    ) -> Result<R, LoadError> {
        let context = self.store.data().called_context;
        self.enter(call, context, parameters)
            .map_err(|Trapped| LoadError::Trap {
                call: name,
                reason: self.failure.clone().unwrap_or_default(),
                log: self
                    .store
                    .data_mut()
                    .captured_log
                    .take()
                    .unwrap_or_default(),
            })
    }
    /// Calls the guest in `context`. What it deferred is still to be run.
    pub(crate) fn enter<P: WasmParams, R: WasmResults>(
        &mut self,
        call: &TypedFunc<P, R>,
        context: u32,
        parameters: P,
    ) -> Result<R, Trapped> {
        if self.failure.is_some() {
            return Err(Trapped);
        }
        self.entries += 1;
        if self.watched {
            self.store.set_epoch_deadline(EPOCHS_PER_CALL);
        }
        let state = self.store.data_mut();
        state.called_context = context;
        state.effective_context = None;
        let result = call.call(&mut self.store, parameters);
        self.store.data_mut().effective_context = None;
        result.map_err(|error| {
            let reason = explain(&error);
            let state = self.store.data_mut();
            state.deferred.clear();
            state.stop_iteration = false;
            state.log(
                LogLevel::Critical,
                format!("the guest trapped: {reason}").as_bytes(),
            );
            self.failure = Some(reason);
            Trapped
        })
    }
    /// Units of fuel burnt, about one for each instruction; `None` where nobody counts.
    pub(crate) fn fuel(&self) -> Option<u64> {
        self.store.get_fuel().ok().map(|left| u64::MAX - left)
    }
    /// Bytes of linear memory; never shrinks.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.data_size(self.store.as_context()) as u64
    }
}

fn new_state(
    process: &Arc<Process>,
    settings: &Arc<Settings>,
    ordinal: u64,
    now: Timestamp,
) -> VmState {
    VmState {
        process: Arc::clone(process),
        memory: None,
        allocate: None,
        grpc_callbacks: None,
        restricted: true,
        configuration_shown: false,
        now,
        hostcalls: HostcallCounts::default(),
        limiter: MemoryLimiter,
        shared_data: process.shared_data.namespace(&settings.config.vm_id),
        metrics: VmMetrics::new(process.stats.clone()),
        callouts: Callouts::default(),
        random: Pcg64::new(process.config.seed.into(), ordinal.into()),
        vm: Arc::clone(settings),
        roots: Vec::new(),
        streams: std::collections::HashMap::new(),
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
        reason: explain(error),
        log: log.unwrap_or_default(),
    }
}

/// One line without the guest's backtrace, whose addresses differ between builds.
fn explain(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            "the call does not return: it would hang Envoy's worker".to_owned()
        }
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    }
}

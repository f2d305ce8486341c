//! What all VMs with the same code and VM settings come from, once for the process.
//!
//! Envoy keeps a base VM for each *VM key*: `vm_id`, VM configuration, environment and code. Plugins with
//! the same key share one VM on each thread; all others have VMs of their own. The base VM has run
//! `_initialize`, is never called again, and keeps the shared data of its `vm_id` alive.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use wasmtime::{InstancePre, Module};
use weir_engine::time::Timestamp;

use crate::calls::interpose;
use crate::census::Counted;
use crate::host::Process;
use crate::load_error::LoadError;
use crate::plugin::{PluginConfig, Settings};
use crate::shared_data::Namespace;
use crate::state::VmState;
use crate::vm::Vm;

/// Random sequences of VMs that serve nobody; workers count from 0.
pub(crate) const CANARY: u64 = u64::MAX;
pub(crate) const BASE: u64 = u64::MAX - 1;

/// A compiled module.
pub(crate) struct Code {
    bytes: Box<[u8]>,
    pub(crate) instance: InstancePre<VmState>,
}

impl Code {
    /// Whether it was compiled from `wasm`.
    pub(crate) fn is_of(&self, wasm: &[u8]) -> bool {
        *self.bytes == *wasm
    }
}

/// A VM key with what belongs to it.
pub(crate) struct Base {
    process: Arc<Process>,
    pub(crate) code: Arc<Code>,
    /// Of the plugin that came first; only what the key is made of counts.
    settings: Arc<Settings>,
    vms_started: AtomicU64,
    /// What canaries said to a configuration: whether they took it.
    canaries: Mutex<Vec<(PluginConfig, bool)>>,
    _shared_data: Namespace,
    /// Of the base VM, which itself is not kept: nobody ever calls it.
    _counted: Option<Counted>,
}

impl Base {
    fn new(
        process: &Arc<Process>,
        code: &Arc<Code>,
        settings: &Arc<Settings>,
    ) -> Result<Self, LoadError> {
        let mut vm = Vm::instantiate(process, code, settings, BASE, process.config.start)?;
        vm.initialize()?;
        Ok(Self {
            process: Arc::clone(process),
            code: Arc::clone(code),
            settings: Arc::clone(settings),
            vms_started: AtomicU64::new(0),
            canaries: Mutex::default(),
            _shared_data: process.shared_data.namespace(&settings.config.vm_id),
            _counted: vm.counted.take(),
        })
    }
    fn has_key(&self, code: &Arc<Code>, config: &PluginConfig) -> bool {
        let own = &self.settings.config;
        Arc::ptr_eq(&self.code, code)
            && own.vm_id == config.vm_id
            && own.vm_configuration == config.vm_configuration
            && own.environment == config.environment
    }
    /// A VM for a thread, ready for its first root context.
    pub(crate) fn start_vm(&self, now: Timestamp) -> Result<Vm, LoadError> {
        let ordinal = self.vms_started.fetch_add(1, Ordering::Relaxed);
        let mut vm = self.instantiate(ordinal, now)?;
        vm.initialize()?;
        Ok(vm)
    }
    fn instantiate(&self, ordinal: u64, now: Timestamp) -> Result<Vm, LoadError> {
        Vm::instantiate(&self.process, &self.code, &self.settings, ordinal, now)
    }
    /// Starts and configures `settings` in a VM that is thrown away without any further call.
    pub(crate) fn try_in_canary(&self, settings: &Arc<Settings>) -> Result<(), LoadError> {
        let known = lock(&self.canaries)
            .iter()
            .find(|(config, _)| *config == settings.config)
            .map(|(_, accepted)| *accepted);
        match known {
            Some(true) => return Ok(()),
            Some(false) => {
                return Err(LoadError::Refused {
                    call: "proxy_on_configure",
                    log: Vec::new(),
                });
            }
            None => {}
        }
        let mut canary = self.instantiate(CANARY, self.process.config.start)?;
        canary.initialize()?;
        let started = canary.start_root(settings).map(|_| ());
        let accepted = match &started {
            Ok(()) => true,
            Err(error) if error.is_about_configure() => false,
            Err(_) => return started,
        };
        lock(&self.canaries).push((settings.config.clone(), accepted));
        started
    }
}

/// All bases and modules that somebody uses.
#[derive(Default)]
pub(crate) struct Bases {
    /// Shared by processes on one engine.
    codes: Arc<Mutex<Vec<Weak<Code>>>>,
    bases: Mutex<Vec<Weak<Base>>>,
}

impl Bases {
    /// For another process on the same engine.
    pub(crate) fn with_same_codes(&self) -> Self {
        Self {
            codes: Arc::clone(&self.codes),
            bases: Mutex::default(),
        }
    }
    /// The module of these bytes, compiled at most once.
    pub(crate) fn code(&self, process: &Process, wasm: &[u8]) -> Result<Arc<Code>, LoadError> {
        let known = lock(&self.codes)
            .iter()
            .filter_map(Weak::upgrade)
            .find(|code| code.is_of(wasm));
        if let Some(code) = known {
            return Ok(code);
        }
        let module =
            Module::new(&process.engine, wasm).map_err(|error| LoadError::Module(error.into()))?;
        let speaks = |version| module.get_export(version).is_some();
        if !speaks("proxy_abi_version_0_2_1") && !speaks("proxy_abi_version_0_2_0") {
            return Err(LoadError::AbiVersion);
        }
        let import = |error: wasmtime::Error| LoadError::Import(error.into());
        let mut instance = process.linker.instantiate_pre(&module).map_err(import)?;
        if let Some(sink) = &process.config.calls {
            instance = interpose::linker(&process.linker, &module, sink)
                .and_then(|linker| linker.instantiate_pre(&module))
                .map_err(import)?;
        }
        let code = Arc::new(Code {
            bytes: wasm.into(),
            instance,
        });
        let mut known = lock(&self.codes);
        known.retain(|code| code.strong_count() > 0);
        known.push(Arc::downgrade(&code));
        Ok(code)
    }
    /// The base of this key, started if nobody uses one.
    pub(crate) fn base(
        &self,
        process: &Arc<Process>,
        code: &Arc<Code>,
        settings: &Arc<Settings>,
    ) -> Result<Arc<Base>, LoadError> {
        let known = lock(&self.bases)
            .iter()
            .filter_map(Weak::upgrade)
            .find(|base| base.has_key(code, &settings.config));
        if let Some(base) = known {
            return Ok(base);
        }
        let base = Arc::new(Base::new(process, code, settings)?);
        let mut known = lock(&self.bases);
        known.retain(|base| base.strong_count() > 0);
        known.push(Arc::downgrade(&base));
        Ok(base)
    }
}

/// Nothing spans two statements under these locks, so a poisoned one is as good as new.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

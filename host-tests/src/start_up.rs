//! How a VM and a root context come up.
//!
//! A VM runs `_initialize` (and `main`, else `__main_void`), else `_start`, in which only logging and a part of WASI are allowed.
//! Each plugin in it then gets a root context: `proxy_on_context_create`, `proxy_on_vm_start`,
//! `proxy_on_configure`. As in Envoy, a trap in the first does not keep the second from being called,
//! and if that one answers true, the plugin counts as started: in a VM that has failed.
use std::sync::Arc;

use wasmtime::{WasmParams, WasmResults};

use crate::calls::{Answer, Numbers};
use crate::exports::{Export, Resolver};
use crate::load_error::LoadError;
use crate::phase::Phase;
use crate::plugin::Settings;
use crate::state::Root;
use crate::vm::{Trapped, Vm};

impl Vm {
    /// The restricted phase.
    pub(crate) fn initialize(&mut self) -> Result<(), LoadError> {
        let instance = self.instance;
        let mut resolver = Resolver {
            store: &mut self.store,
            instance: &instance,
        };
        let first = resolver.optional::<(), ()>("_initialize")?;
        let main = resolver.optional::<(u32, u32), u32>("main")?;
        let void_main = resolver.optional::<(), u32>("__main_void")?;
        let start = resolver.optional::<(), ()>("_start")?;
        self.store.data_mut().phase = Phase::Starting;
        if let Some(first) = first {
            self.start_call("_initialize", &first, ())?;
            if let Some(main) = main {
                self.start_call("main", &main, (0, 0))?;
            } else if let Some(main) = void_main {
                self.start_call("__main_void", &main, ())?;
            }
        } else if let Some(start) = start {
            self.start_call("_start", &start, ())?;
        }
        self.store.data_mut().phase = Phase::Free;
        Ok(())
    }
    /// Creates, starts and configures a root context. Its log is captured for the error.
    pub(crate) fn start_root(&mut self, settings: &Arc<Settings>) -> Result<u32, LoadError> {
        let state = self.store.data_mut();
        state.captured_log = Some(Vec::new());
        let id = state.next_context;
        state.next_context += 1;
        state.roots.push(Root::new(id, Arc::clone(settings)));
        let started = self.start_root_as(id, settings);
        let state = self.store.data_mut();
        state.captured_log = None;
        if let Some(root) = state.roots.iter_mut().find(|root| root.id == id) {
            root.configuring = false;
            root.started = started.is_ok();
        }
        started.map(|()| id)
    }
    fn start_root_as(&mut self, id: u32, settings: &Settings) -> Result<(), LoadError> {
        let config = &settings.config;
        self.store.data_mut().called_context = id;
        if let Some(create) = self.exports.context_create.clone() {
            // A trap shows in the VM's failure.
            let _ = self.enter(&create, id, (id, 0));
        }
        if let Some(start) = self.exports.vm_start.clone() {
            let size = config.vm_configuration.len();
            self.start_step("proxy_on_vm_start", id, &start, size)?;
        }
        if self.failure.is_some() {
            return Ok(());
        }
        self.run_deferred();
        if let Some(configure) = self.exports.configure.clone() {
            self.store.data_mut().configuration_shown = true;
            let size = config.configuration.len();
            let configured = self.start_step("proxy_on_configure", id, &configure, size);
            self.store.data_mut().configuration_shown = false;
            configured?;
        }
        self.run_deferred();
        Ok(())
    }
    fn start_step(
        &mut self,
        name: &'static str,
        root: u32,
        call: &Export<(u32, u32), u32>,
        size: usize,
    ) -> Result<(), LoadError> {
        self.store.data_mut().called_context = root;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        match self.start_call(name, call, (root, size))? {
            0 => Err(LoadError::Refused {
                call: name,
                log: self.captured_log(),
            }),
            _ => Ok(()),
        }
    }
    fn start_call<P: WasmParams + Numbers, R: WasmResults + Answer>(
        &mut self,
        name: &'static str,
        call: &Export<P, R>,
        parameters: P,
    ) -> Result<R, LoadError> {
        let context = self.store.data().called_context;
        self.enter_anyway(call, context, parameters)
            .map_err(|Trapped| LoadError::Trap {
                call: name,
                reason: self
                    .failure
                    .as_ref()
                    .map(|failure| failure.reason.clone())
                    .unwrap_or_default(),
                log: self.captured_log(),
            })
    }
    fn captured_log(&mut self) -> Vec<crate::log::LogLine> {
        self.store
            .data_mut()
            .captured_log
            .take()
            .unwrap_or_default()
    }
}

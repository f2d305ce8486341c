//! The other side: the same guest in plain wasmtime, whose imported functions do nothing.
use wasmtime::{Caller, Config, Engine, Instance, Linker, Module, OptLevel, Store, TypedFunc};

use crate::calls::Parameters;

/// Answers of the empty functions: success.
const OK: u32 = 0;

#[derive(Default)]
pub(crate) struct State {
    allocate: Option<TypedFunc<u32, u32>>,
}

/// An instance without our host.
pub(crate) struct Plain {
    pub(crate) store: Store<State>,
    pub(crate) instance: Instance,
}

/// The import that a guest calls.
pub(crate) struct Import {
    pub(crate) name: &'static str,
    pub(crate) parameters: Parameters,
    /// Bytes that the function asks the guest's allocator for; 0 for no such call.
    pub(crate) allocates: u32,
}

fn answer(mut caller: Caller<'_, State>, bytes: u32) -> wasmtime::Result<u32> {
    if bytes != 0
        && let Some(allocate) = caller.data().allocate.clone()
    {
        allocate.call(&mut caller, bytes)?;
    }
    Ok(OK)
}

impl Plain {
    /// The settings are those of `Host` with a hang limit, so that the guest's code is the same.
    pub(crate) fn start(guest: &str, import: Option<&Import>) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::Speed)
            .epoch_interruption(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, guest)?;
        let mut linker = Linker::new(&engine);
        if let Some(import) = import {
            import.add_to(&mut linker)?;
        }
        linker.define_unknown_imports_as_traps(&module)?;
        let mut store = Store::new(&engine, State::default());
        store.set_epoch_deadline(1 << 40);
        let instance = linker.instantiate(&mut store, &module)?;
        store.data_mut().allocate =
            Some(instance.get_typed_func(&mut store, "proxy_on_memory_allocate")?);
        Ok(Self { store, instance })
    }
}

impl Import {
    fn add_to(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        type Guest<'a> = Caller<'a, State>;
        let (name, bytes) = (self.name, self.allocates);
        match self.parameters {
            Parameters::One => {
                linker.func_wrap("env", name, move |c: Guest<'_>, _: u32| answer(c, bytes))
            }
            Parameters::Two => {
                linker.func_wrap("env", name, move |c: Guest<'_>, _: u32, _: u32| {
                    answer(c, bytes)
                })
            }
            Parameters::Number => {
                linker.func_wrap("env", name, move |c: Guest<'_>, _: u32, _: i64| {
                    answer(c, bytes)
                })
            }
            Parameters::Three => {
                linker.func_wrap("env", name, move |c: Guest<'_>, _: u32, _: u32, _: u32| {
                    answer(c, bytes)
                })
            }
            Parameters::Four => linker.func_wrap(
                "env",
                name,
                move |c: Guest<'_>, _: u32, _: u32, _: u32, _: u32| answer(c, bytes),
            ),
            Parameters::Five => linker.func_wrap(
                "env",
                name,
                move |c: Guest<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| answer(c, bytes),
            ),
        }?;
        Ok(())
    }
}

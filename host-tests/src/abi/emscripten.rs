//! Two imports that modules of Emscripten have.
use wasmtime::Linker;

use crate::memory::Guest;
use crate::state::VmState;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "emscripten_notify_memory_growth",
        |guest: Guest<'_>, _memory: u32| {
            guest.data().phase.check("emscripten_notify_memory_growth")
        },
    )?;
    linker.func_wrap(
        "env",
        "pthread_equal",
        |guest: Guest<'_>, one: u32, other: u32| -> wasmtime::Result<u32> {
            guest.data().phase.check("pthread_equal")?;
            Ok(u32::from(one == other))
        },
    )?;
    Ok(())
}

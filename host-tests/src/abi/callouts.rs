//! Calls out of the proxy, queues between VMs and foreign functions: not offered by this host yet.
//!
//! They exist because a guest that imports them could not be loaded otherwise, and answer
//! `Unimplemented` (a foreign function: `NotFound`, as Envoy does for an unknown one).
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest};
use crate::state::VmState;
use crate::status::Status;

fn refuse(_: &mut Guest<'_>) -> Result<(), Fault> {
    Err(Status::Unimplemented.into())
}

macro_rules! unimplemented_calls {
    ($linker:ident, $($which:ident($($parameter:ident: $type:ty),*);)*) => {
        $($linker.func_wrap("env", Hostcall::$which.name(), |mut guest: Guest<'_>, $($parameter: $type),*| {
            call(&mut guest, Hostcall::$which, refuse)
        })?;)*
    };
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    unimplemented_calls! { linker,
        RegisterSharedQueue(_a: u32, _b: u32, _c: u32);
        ResolveSharedQueue(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32);
        EnqueueSharedQueue(_a: u32, _b: u32, _c: u32);
        DequeueSharedQueue(_a: u32, _b: u32, _c: u32);
    }
    linker.func_wrap(
        "env",
        "proxy_call_foreign_function",
        |mut guest: Guest<'_>,
         _name: u32,
         _name_len: u32,
         _at: u32,
         _len: u32,
         _to: u32,
         _to_len: u32| {
            call(&mut guest, Hostcall::CallForeignFunction, |_| {
                Err(Status::NotFound.into())
            })
        },
    )?;
    Ok(())
}

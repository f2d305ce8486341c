//! Shared data: values that all workers of a `vm_id` see, with optimistic concurrency.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Return, Slice, give_scratch, read, split, write_u32};
use crate::state::VmState;
use crate::status::Status;

fn get(guest: &mut Guest<'_>, key: Slice, to: Return, to_cas: u32) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let key = read(memory, key)?;
    read(memory, Slice { at: to_cas, len: 4 })?;
    let cas = state
        .shared_data
        .get(key, &mut state.scratch)
        .ok_or(Status::NotFound)?;
    give_scratch(guest, to)?;
    Ok(write_u32(split(guest)?.0, to_cas, cas)?)
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_shared_data",
        |mut guest: Guest<'_>, at: u32, len: u32, to_at: u32, to_len: u32, to_cas: u32| {
            call(&mut guest, Hostcall::GetSharedData, |guest| {
                get(
                    guest,
                    Slice { at, len },
                    Return {
                        at: to_at,
                        len: to_len,
                    },
                    to_cas,
                )
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_shared_data",
        |mut guest: Guest<'_>, at: u32, len: u32, value_at: u32, value_len: u32, cas: u32| {
            call(&mut guest, Hostcall::SetSharedData, |guest| {
                let (memory, state) = split(guest)?;
                let key = read(memory, Slice { at, len })?;
                let value = read(
                    memory,
                    Slice {
                        at: value_at,
                        len: value_len,
                    },
                )?;
                Ok(state.shared_data.set(key, value, cas)?)
            })
        },
    )?;
    Ok(())
}

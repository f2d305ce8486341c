//! Properties: reading attributes, and the filter state that `set_property` writes.
use wasmtime::Linker;

use super::{call, property_values};
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Return, Slice, give_scratch, read, split};
use crate::state::VmState;
use crate::status::Status;

/// Envoy files what a guest sets under this prefix.
pub(super) const FILTER_STATE_PREFIX: &[u8] = b"wasm.";

fn get(guest: &mut Guest<'_>, path: Slice, to: Return) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let path = read(memory, path)?;
    let mut value = std::mem::take(&mut state.scratch);
    value.clear();
    let found = property_values::write(state, path, &mut value);
    state.scratch = value;
    found?;
    give_scratch(guest, to)
}

fn set(guest: &mut Guest<'_>, path: Slice, value: Slice) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let (path, value) = (read(memory, path)?, read(memory, value)?);
    let declared = (state.root_id(), path.to_vec());
    let read_only = state.declarations.get(&declared).copied().unwrap_or(false);
    let stream = state.stream_mut().ok_or(Status::NotFound)?;
    let key = [FILTER_STATE_PREFIX, path].concat();
    let is_set = || stream.filter_state.iter().any(|(own, _)| *own == key);
    if read_only && is_set() {
        return Err(Status::BadArgument.into());
    }
    stream.set_filter_state(&key, value);
    Ok(())
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_property",
        |mut guest: Guest<'_>, at: u32, len: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::GetProperty, |guest| {
                get(
                    guest,
                    Slice { at, len },
                    Return {
                        at: to_at,
                        len: to_len,
                    },
                )
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_property",
        |mut guest: Guest<'_>, at: u32, len: u32, value_at: u32, value_len: u32| {
            call(&mut guest, Hostcall::SetProperty, |guest| {
                set(
                    guest,
                    Slice { at, len },
                    Slice {
                        at: value_at,
                        len: value_len,
                    },
                )
            })
        },
    )?;
    Ok(())
}

//! Shared queues: between VMs of a `vm_id`, or of several by its name.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Guest, Return, Slice, give_scratch, give_u32, read, split};
use crate::state::VmState;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_register_shared_queue",
        |mut guest: Guest<'_>, at: u32, len: u32, to_token: u32| {
            call(&mut guest, Hostcall::RegisterSharedQueue, |guest| {
                let (memory, state) = split(guest)?;
                let name = read(memory, Slice { at, len })?;
                let root = state.root_id();
                let token = state.shared_data.register_queue(name, &state.inbox, root);
                give_u32(guest, to_token, token)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_resolve_shared_queue",
        |mut guest: Guest<'_>, vm_at: u32, vm_len: u32, at: u32, len: u32, to_token: u32| {
            call(&mut guest, Hostcall::ResolveSharedQueue, |guest| {
                let (memory, state) = split(guest)?;
                let vm_id = read(
                    memory,
                    Slice {
                        at: vm_at,
                        len: vm_len,
                    },
                )?;
                let name = read(memory, Slice { at, len })?;
                let vm_id = String::from_utf8_lossy(vm_id);
                let token = state.shared_data.resolve_queue(&vm_id, name)?;
                give_u32(guest, to_token, token)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_enqueue_shared_queue",
        |mut guest: Guest<'_>, token: u32, at: u32, len: u32| {
            call(&mut guest, Hostcall::EnqueueSharedQueue, |guest| {
                let (memory, state) = split(guest)?;
                let item = read(memory, Slice { at, len })?.to_vec();
                Ok(state.shared_data.enqueue(token, item)?)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_dequeue_shared_queue",
        |mut guest: Guest<'_>, token: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::DequeueSharedQueue, |guest| {
                let state = guest.data_mut();
                state.scratch = state.shared_data.dequeue(token)?;
                give_scratch(
                    guest,
                    Return {
                        at: to_at,
                        len: to_len,
                    },
                )
            })
        },
    )?;
    Ok(())
}

//! `proxy_get_status`: why the last call of this root context failed.
//!
//! The code stays after the callback, the message does not. Before any failure both are nothing.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Guest, Return, give_scratch, give_u32};
use crate::state::VmState;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_status",
        |mut guest: Guest<'_>, to_code: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::GetStatus, |guest| {
                let state = guest.data_mut();
                let root = state.root_id();
                let mut text = std::mem::take(&mut state.scratch);
                let (code, message) = state.callouts.status(root);
                text.clear();
                text.extend_from_slice(message.as_bytes());
                state.scratch = text;
                give_u32(guest, to_code, code)?;
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

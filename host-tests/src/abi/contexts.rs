//! Which context hostcalls act on, and the end of a root context that asked for time.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::Guest;
use crate::state::{Deferred, VmState};
use crate::status::Status;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_set_effective_context",
        |mut guest: Guest<'_>, id: u32| {
            call(&mut guest, Hostcall::SetEffectiveContext, |guest| {
                let state = guest.data_mut();
                if !state.has_context(id) {
                    return Err(Status::BadArgument.into());
                }
                state.effective_context = Some(id);
                Ok(())
            })
        },
    )?;
    linker.func_wrap("env", "proxy_done", |mut guest: Guest<'_>| {
        call(&mut guest, Hostcall::Done, |guest| {
            let state = guest.data_mut();
            let context = state.context();
            let root = state
                .roots
                .iter_mut()
                .find(|root| root.id == context && root.done_pending);
            let root = root.ok_or(Status::NotFound)?;
            root.done_pending = false;
            state.deferred.push(Deferred::EndRoot { root: context });
            Ok(())
        })
    })?;
    Ok(())
}

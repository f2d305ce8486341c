//! The Proxy-Wasm ABI 0.2.1 as a guest imports it: one file per chapter.
//!
//! Every hostcall passes through [`call`], which counts it and refuses it where the guest's
//! [phase](crate::phase) does not allow it. A tracer stands before it ([`crate::calls`]), where no chapter
//! of the ABI knows of it.
mod buffers;
mod call_status;
mod contexts;
mod emscripten;
mod foreign;
mod foreign_functions;
mod grpc;
mod headers;
mod http_call;
mod local_reply;
mod log;
mod metrics;
mod pairs;
mod properties;
mod property_groups;
mod property_values;
mod shared_data;
mod shared_queues;
mod timers;
mod wasi;
mod wasi_files;

use wasmtime::{Linker, format_err};

use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest};
use crate::state::VmState;
use crate::status::Status;

/// Offers every import of the ABI and of WASI's supported part.
pub(crate) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    log::add_to_linker(linker)?;
    headers::add_to_linker(linker)?;
    buffers::add_to_linker(linker)?;
    shared_data::add_to_linker(linker)?;
    properties::add_to_linker(linker)?;
    timers::add_to_linker(linker)?;
    metrics::add_to_linker(linker)?;
    local_reply::add_to_linker(linker)?;
    contexts::add_to_linker(linker)?;
    http_call::add_to_linker(linker)?;
    grpc::add_to_linker(linker)?;
    call_status::add_to_linker(linker)?;
    emscripten::add_to_linker(linker)?;
    shared_queues::add_to_linker(linker)?;
    foreign::add_to_linker(linker)?;
    wasi::add_to_linker(linker)?;
    wasi_files::add_to_linker(linker)
}

/// Runs one hostcall and turns its result into the status that the guest gets.
fn call(
    guest: &mut Guest<'_>,
    which: Hostcall,
    body: impl FnOnce(&mut Guest<'_>) -> Result<(), Fault>,
) -> wasmtime::Result<u32> {
    let state = guest.data_mut();
    state.hostcalls.count(which);
    state.phase.check(which.name())?;
    if let Some(schedule) = &state.process.config.schedule
        && schedule.before(which).is_err()
    {
        return Err(format_err!("the schedule gave this order up"));
    }
    match body(guest) {
        Ok(()) => Ok(Status::Ok.code()),
        Err(Fault::Status(status)) => Ok(status.code()),
        Err(Fault::Trap(error)) => Err(error),
    }
}

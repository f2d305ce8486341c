//! `proxy_log` and the level that is worth logging at.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::log::LogLevel;
use crate::memory::{Guest, Slice, give_u32, read, split};
use crate::state::VmState;
use crate::status::Status;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_log",
        |mut guest: Guest<'_>, level: u32, at: u32, len: u32| {
            call(&mut guest, Hostcall::Log, |guest| {
                let level = LogLevel::from_code(level).ok_or(Status::BadArgument)?;
                let (memory, state) = split(guest)?;
                state.log(level, read(memory, Slice { at, len })?);
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_log_level",
        |mut guest: Guest<'_>, to: u32| {
            call(&mut guest, Hostcall::GetLogLevel, |guest| {
                let level = guest.data().process.config.log_level.code();
                give_u32(guest, to, level)
            })
        },
    )?;
    Ok(())
}

//! The part of WASI that Envoy offers: output goes to the log, the rest is refused.
//!
//! Time is virtual, randomness seeded; there are no files and no arguments.
use rand_pcg::rand_core::Rng;
use wasmtime::Linker;

use crate::hostcall::Hostcall;
use crate::log::LogLevel;
use crate::memory::{Guest, Slice, read, split, write, write_u32};
use crate::state::VmState;
use crate::status::Status;

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;
/// More randomness at once is refused.
const MAX_RANDOM_BYTES: u32 = 64 << 10;
/// `fs_rights_base` of a descriptor that can only be written.
const RIGHTS_FD_WRITE: u64 = 64;

fn call(
    guest: &mut Guest<'_>,
    name: &str,
    body: impl FnOnce(&mut Guest<'_>) -> Result<u32, Status>,
) -> wasmtime::Result<u32> {
    let state = guest.data_mut();
    state.hostcalls.count(Hostcall::Wasi);
    state.phase.check(name)?;
    // Every status here means a pointer outside of the memory.
    Ok(body(guest).unwrap_or(FAULT))
}

fn number(memory: &[u8], at: u32) -> Result<u32, Status> {
    let bytes = read(memory, Slice { at, len: 4 })?;
    bytes
        .try_into()
        .map(u32::from_le_bytes)
        .map_err(|_| Status::InvalidMemoryAccess)
}

fn offset(at: u32, by: u32) -> Result<u32, Status> {
    at.checked_add(by).ok_or(Status::InvalidMemoryAccess)
}

/// Writes to the log of descriptor 1 or 2.
pub(super) fn fd_write(
    guest: &mut Guest<'_>,
    fd: u32,
    vectors: u32,
    count: u32,
    to: u32,
) -> Result<u32, Status> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(BADF),
    };
    let (memory, state) = split(guest)?;
    let mut text = Vec::new();
    for vector in 0..count {
        let entry = vector
            .checked_mul(8)
            .and_then(|by| vectors.checked_add(by))
            .ok_or(Status::InvalidMemoryAccess)?;
        let (at, len) = (number(memory, entry)?, number(memory, offset(entry, 4)?)?);
        text.extend_from_slice(read(memory, Slice { at, len })?);
        if text.len() > memory.len() {
            return Ok(INVAL); // overlapping vectors could ask for any amount
        }
    }
    let written = u32::try_from(text.len()).map_err(|_| Status::InvalidMemoryAccess)?;
    write_u32(memory, to, written)?;
    if !text.is_empty() {
        state.log(level, text.strip_suffix(b"\n").unwrap_or(&text));
    }
    Ok(SUCCESS)
}

fn clock_time_get(guest: &mut Guest<'_>, clock: u32, to: u32) -> Result<u32, Status> {
    if clock > 1 {
        return Ok(NOTSUP);
    }
    let (memory, state) = split(guest)?;
    write(memory, to, &state.now.as_unix_nanos().to_le_bytes())?;
    Ok(SUCCESS)
}

fn random_get(guest: &mut Guest<'_>, at: u32, len: u32) -> Result<u32, Status> {
    if len > MAX_RANDOM_BYTES {
        return Ok(INVAL);
    }
    let (memory, state) = split(guest)?;
    let start = at as usize;
    let place = memory
        .get_mut(start..start + len as usize)
        .ok_or(Status::InvalidMemoryAccess)?;
    state.random.fill_bytes(place);
    Ok(SUCCESS)
}

fn environ_get(guest: &mut Guest<'_>, to: u32, text: u32) -> Result<u32, Status> {
    let (memory, state) = split(guest)?;
    let (mut to, mut text) = (to, text);
    for (name, value) in &state.vm.config.environment {
        let variable = format!("{name}={value}\0");
        write_u32(memory, to, text)?;
        write(memory, text, variable.as_bytes())?;
        to = offset(to, 4)?;
        text = offset(
            text,
            u32::try_from(variable.len()).map_err(|_| Status::InvalidMemoryAccess)?,
        )?;
    }
    Ok(SUCCESS)
}

fn environ_sizes_get(guest: &mut Guest<'_>, to_count: u32, to_bytes: u32) -> Result<u32, Status> {
    let (memory, state) = split(guest)?;
    let environment = &state.vm.config.environment;
    let bytes: usize = environment
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    write_u32(memory, to_count, environment.len() as u32)?;
    write_u32(
        memory,
        to_bytes,
        u32::try_from(bytes).map_err(|_| Status::InvalidMemoryAccess)?,
    )?;
    Ok(SUCCESS)
}

fn args_sizes_get(guest: &mut Guest<'_>, to_count: u32, to_bytes: u32) -> Result<u32, Status> {
    let (memory, _) = split(guest)?;
    write_u32(memory, to_count, 0)?;
    write_u32(memory, to_bytes, 0)?;
    Ok(SUCCESS)
}

fn fd_fdstat_get(guest: &mut Guest<'_>, fd: u32, to: u32) -> Result<u32, Status> {
    if fd != 1 && fd != 2 {
        return Ok(BADF);
    }
    let (memory, _) = split(guest)?;
    let mut stat = [0; 24];
    if let Some(rights) = stat.get_mut(8..16) {
        rights.copy_from_slice(&RIGHTS_FD_WRITE.to_le_bytes());
    }
    write(memory, to, &stat)?;
    Ok(SUCCESS)
}

fn proc_exit(guest: &mut Guest<'_>) -> wasmtime::Result<()> {
    let state = guest.data_mut();
    state.hostcalls.count(Hostcall::Wasi);
    state.phase.check("proc_exit")?;
    // As in Envoy it returns; the guest then runs into its own `unreachable`.
    Ok(())
}

macro_rules! refused {
    ($linker:ident, $module:ident, $($name:literal($($parameter:ident: $type:ty),*) = $errno:ident;)*) => {
        $($linker.func_wrap($module, $name, |mut guest: Guest<'_>, $($parameter: $type),*| {
            call(&mut guest, $name, |_| Ok($errno))
        })?;)*
    };
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        linker.func_wrap(
            module,
            "fd_write",
            |mut guest: Guest<'_>, fd: u32, at: u32, count: u32, to: u32| {
                call(&mut guest, "fd_write", |guest| {
                    fd_write(guest, fd, at, count, to)
                })
            },
        )?;
        linker.func_wrap(
            module,
            "clock_time_get",
            |mut guest: Guest<'_>, clock: u32, _precision: u64, to: u32| {
                call(&mut guest, "clock_time_get", |guest| {
                    clock_time_get(guest, clock, to)
                })
            },
        )?;
        linker.func_wrap(
            module,
            "random_get",
            |mut guest: Guest<'_>, at: u32, len: u32| {
                call(&mut guest, "random_get", |guest| random_get(guest, at, len))
            },
        )?;
        linker.func_wrap(
            module,
            "environ_get",
            |mut guest: Guest<'_>, to: u32, text: u32| {
                call(&mut guest, "environ_get", |guest| {
                    environ_get(guest, to, text)
                })
            },
        )?;
        linker.func_wrap(
            module,
            "environ_sizes_get",
            |mut guest: Guest<'_>, count: u32, bytes: u32| {
                call(&mut guest, "environ_sizes_get", |guest| {
                    environ_sizes_get(guest, count, bytes)
                })
            },
        )?;
        linker.func_wrap(
            module,
            "args_get",
            |mut guest: Guest<'_>, _to: u32, _text: u32| {
                call(&mut guest, "args_get", |_| Ok(SUCCESS))
            },
        )?;
        linker.func_wrap(
            module,
            "args_sizes_get",
            |mut guest: Guest<'_>, count: u32, bytes: u32| {
                call(&mut guest, "args_sizes_get", |guest| {
                    args_sizes_get(guest, count, bytes)
                })
            },
        )?;
        linker.func_wrap(
            module,
            "fd_fdstat_get",
            |mut guest: Guest<'_>, fd: u32, to: u32| {
                call(&mut guest, "fd_fdstat_get", |guest| {
                    fd_fdstat_get(guest, fd, to)
                })
            },
        )?;
        linker.func_wrap(module, "proc_exit", |mut guest: Guest<'_>, _code: u32| {
            proc_exit(&mut guest)
        })?;
        refused! { linker, module,
            "sched_yield"() = SUCCESS;
            "poll_oneoff"(_a: u32, _b: u32, _c: u32, _d: u32) = SUCCESS;
            "fd_read"(_a: u32, _b: u32, _c: u32, _d: u32) = NOSYS;
            "fd_seek"(_a: u32, _b: u64, _c: u32, _d: u32) = SUCCESS;
            "fd_close"(_a: u32) = SUCCESS;
            "fd_fdstat_set_flags"(_a: u32, _b: u32) = NOSYS;
            "fd_filestat_get"(_a: u32, _b: u32) = BADF;
            "fd_prestat_get"(_a: u32, _b: u32) = BADF;
            "fd_prestat_dir_name"(_a: u32, _b: u32, _c: u32) = NOSYS;
            "path_open"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u64, _g: u64, _h: u32, _i: u32) = NOENT;
            "path_create_directory"(_a: u32, _b: u32, _c: u32) = NOTSUP;
            "path_filestat_get"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32) = NOTSUP;
            "path_remove_directory"(_a: u32, _b: u32, _c: u32) = NOTSUP;
            "path_rename"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32) = NOTSUP;
            "path_unlink_file"(_a: u32, _b: u32, _c: u32) = NOTSUP;
        }
    }
    Ok(())
}

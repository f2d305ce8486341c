//! The part of WASI that Envoy offers only so that modules load: files, sockets, the clock's grain.
//!
//! Observed in Envoy 1.40, function by function: most answer with a number and do nothing, and some
//! take the log's descriptors for files. There is no `proc_raise`, and `path_link` and `path_symlink`
//! lack a parameter each: a module that imports those as WASI has them does not load there, nor here.
use wasmtime::Linker;

use super::wasi;
use crate::hostcall::Hostcall;
use crate::memory::{Guest, split, write};
use crate::state::VmState;
use crate::status::Status;

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const EXIST: u32 = 20;
const FAULT: u32 = 21;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;

fn is_log(fd: u32) -> bool {
    matches!(fd, 1 | 2)
}

fn of_log(fd: u32) -> u32 {
    if is_log(fd) { SUCCESS } else { BADF }
}

fn clock_res_get(guest: &mut Guest<'_>, clock: u32, to: u32) -> Result<u32, Status> {
    if clock > 1 {
        return Ok(NOTSUP);
    }
    let (memory, _) = split(guest)?;
    write(memory, to, &1_u64.to_le_bytes())?;
    Ok(SUCCESS)
}

fn fd_tell(guest: &mut Guest<'_>, fd: u32, to: u32) -> Result<u32, Status> {
    if is_log(fd) {
        let (memory, _) = split(guest)?;
        write(memory, to, &0_u64.to_le_bytes())?;
    }
    Ok(of_log(fd))
}

fn answer(guest: &mut Guest<'_>, body: impl FnOnce(&mut Guest<'_>) -> Result<u32, Status>) -> u32 {
    guest.data_mut().hostcalls.count(Hostcall::Wasi);
    // Every status here means a pointer outside of the memory.
    body(guest).unwrap_or(FAULT)
}

macro_rules! answered {
    ($linker:ident, $module:ident, $($name:literal($($parameter:ident: $type:ty),*) = $errno:expr;)*) => {
        $($linker.func_wrap($module, $name, |mut guest: Guest<'_>, $($parameter: $type),*| {
            answer(&mut guest, |_| Ok($errno))
        })?;)*
    };
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    for module in ["wasi_snapshot_preview1", "wasi_unstable"] {
        linker.func_wrap(
            module,
            "clock_res_get",
            |mut guest: Guest<'_>, clock: u32, to: u32| {
                answer(&mut guest, |guest| clock_res_get(guest, clock, to))
            },
        )?;
        linker.func_wrap(
            module,
            "fd_tell",
            |mut guest: Guest<'_>, fd: u32, to: u32| {
                answer(&mut guest, |guest| fd_tell(guest, fd, to))
            },
        )?;
        // A log has no places to write at.
        linker.func_wrap(
            module,
            "fd_pwrite",
            |mut guest: Guest<'_>, fd: u32, at: u32, count: u32, _offset: u64, to: u32| {
                answer(&mut guest, |guest| wasi::fd_write(guest, fd, at, count, to))
            },
        )?;
        answered! { linker, module,
            "fd_advise"(_fd: u32, _b: u64, _c: u64, _d: u32) = SUCCESS;
            "fd_allocate"(fd: u32, _b: u64, _c: u64) = of_log(fd);
            "fd_datasync"(fd: u32) = of_log(fd);
            "fd_fdstat_set_rights"(fd: u32, _b: u64, _c: u64) = of_log(fd);
            "fd_filestat_set_size"(fd: u32, _b: u64) = of_log(fd);
            "fd_filestat_set_times"(fd: u32, _b: u64, _c: u64, _d: u32) = of_log(fd);
            "fd_pread"(_fd: u32, _b: u32, _c: u32, _d: u64, _e: u32) = NOSYS;
            "fd_readdir"(_fd: u32, _b: u32, _c: u32, _d: u64, _e: u32) = EXIST;
            "fd_renumber"(_fd: u32, _b: u32) = BADF;
            "fd_sync"(fd: u32) = of_log(fd);
            "path_filestat_set_times"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u64, _f: u64, _g: u32) = NOTSUP;
            "path_link"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32) = NOTSUP;
            "path_readlink"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32) = NOTSUP;
            "path_symlink"(_a: u32, _b: u32, _c: u32, _d: u32) = NOTSUP;
            "sock_accept"(_a: u32, _b: u32, _c: u32) = NOTSUP;
            "sock_recv"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32, _f: u32) = NOTSUP;
            "sock_send"(_a: u32, _b: u32, _c: u32, _d: u32, _e: u32) = NOTSUP;
            "sock_shutdown"(_a: u32, _b: u32) = NOTSUP;
        }
    }
    Ok(())
}

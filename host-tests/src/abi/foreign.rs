//! `proxy_call_foreign_function`: the functions of Envoy 1.40 by name.
//!
//! An unknown name is 1 and leaves the results alone; every known one writes both, as 0 and 0 where it has none. Places
//! at address 0 are not written. A result of no bytes has an address all the same, unlike everything else.
//!
//! Not offered, and answered as Envoy answers what it cannot use: expressions (`expr_create` is 2, as for one that does
//! not parse), keys of signatures (`verify_signature` says that it cannot use the key, `sign` is 2).
use wasmtime::Linker;

use super::call;
use super::foreign_functions as functions;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Return, Slice, allocate, read, split, write, write_u32};
use crate::state::VmState;
use crate::status::Status;

/// What a function gives; `None` where it has no result.
pub(super) type Given = Result<Option<Vec<u8>>, Status>;

fn run(state: &mut VmState, name: &[u8], arguments: &[u8]) -> Option<Given> {
    Some(match name {
        b"compress" => functions::compress(arguments),
        b"uncompress" => functions::uncompress(arguments),
        b"clear_route_cache" => Ok(None),
        b"set_envoy_filter_state" => functions::set_envoy_filter_state(state, arguments),
        b"declare_property" => functions::declare_property(state, arguments),
        b"expr_create" | b"sign" => Err(Status::BadArgument),
        b"expr_evaluate" => functions::expression_token(arguments).and(Err(Status::NotFound)),
        b"expr_delete" => functions::expression_token(arguments).and(Ok(None)),
        b"verify_signature" => functions::verify_signature(arguments),
        _ => return None,
    })
}

fn foreign(guest: &mut Guest<'_>, name: Slice, arguments: Slice, to: Return) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let (name, arguments) = (read(memory, name)?, read(memory, arguments)?);
    let given = run(state, name, arguments).ok_or(Status::NotFound)?;
    let (mut address, mut size) = (0, 0);
    if let Ok(Some(bytes)) = &given {
        size = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        if to.at != 0 {
            address = allocate(guest, size)?;
            write(split(guest)?.0, address, bytes)?;
        }
    }
    let memory = split(guest)?.0;
    for (place, value) in [(to.at, address), (to.len, size)] {
        if place != 0 {
            write_u32(memory, place, value)?;
        }
    }
    given.map(|_| ()).map_err(Fault::Status)
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_call_foreign_function",
        |mut guest: Guest<'_>,
         name_at: u32,
         name_len: u32,
         at: u32,
         len: u32,
         to_at: u32,
         to_len: u32| {
            let name = Slice {
                at: name_at,
                len: name_len,
            };
            let to = Return {
                at: to_at,
                len: to_len,
            };
            call(&mut guest, Hostcall::CallForeignFunction, |guest| {
                foreign(guest, name, Slice { at, len }, to)
            })
        },
    )?;
    Ok(())
}

//! Buffers: bodies and configurations.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Return, Slice, copy, give, give_u32, read, split};
use crate::state::VmState;
use crate::status::Status;

#[derive(Clone, Copy)]
enum Buffer {
    RequestBody,
    ResponseBody,
    /// TCP data: never there in an HTTP filter.
    Absent,
    GrpcMessage,
    HttpCallBody,
    VmConfiguration,
    PluginConfiguration,
}

fn buffer_of(number: u32) -> Result<Buffer, Status> {
    Ok(match number {
        0 => Buffer::RequestBody,
        1 => Buffer::ResponseBody,
        2 | 3 => Buffer::Absent,
        5 => Buffer::GrpcMessage,
        4 => Buffer::HttpCallBody,
        // Envoy's call data aliases the configuration that was read last.
        6 | 8 => Buffer::VmConfiguration,
        7 => Buffer::PluginConfiguration,
        _ => return Err(Status::BadArgument),
    })
}

/// What can be read now. Bodies outside of their phase are empty; what has no phase now is not found.
fn contents(state: &VmState, which: Buffer) -> Result<&[u8], Status> {
    let body = match which {
        Buffer::RequestBody => state.stream().and_then(|stream| stream.request.body()),
        Buffer::ResponseBody => state.stream().and_then(|stream| stream.response.body()),
        Buffer::Absent => None,
        Buffer::GrpcMessage => state.callouts.grpc_message(state.root_id()),
        Buffer::HttpCallBody => {
            let root = state.root_id();
            return state.callouts.http_body(root).ok_or(Status::NotFound);
        }
        Buffer::VmConfiguration => return Ok(&state.vm.config.vm_configuration),
        Buffer::PluginConfiguration if state.configuration_shown => {
            return state
                .root()
                .map(|root| root.settings.config.configuration.as_slice())
                .ok_or(Status::NotFound);
        }
        Buffer::PluginConfiguration => return Err(Status::NotFound),
    };
    Ok(body.map_or(&[], Vec::as_slice))
}

fn get(guest: &mut Guest<'_>, which: u32, start: u32, len: u32, to: Return) -> Result<(), Fault> {
    let which = buffer_of(which)?;
    let size = contents(guest.data(), which)?.len();
    let start = (start as usize).min(size);
    // 64-bit, as Envoy's: a 32-bit wrap of start + len is no error.
    let end = start.saturating_add(len as usize).min(size);
    give(guest, to, end - start, |state, place| {
        copy(contents(state, which).ok()?.get(start..end)?, place)
    })
}

/// Envoy's rules: at 0 the first `len` bytes are replaced, at or after the end it appends, else it refuses.
fn set(guest: &mut Guest<'_>, which: u32, start: u32, len: u32, from: Slice) -> Result<(), Fault> {
    let which = buffer_of(which)?;
    let (memory, state) = split(guest)?;
    let new = read(memory, from)?;
    let body = match which {
        Buffer::RequestBody => state
            .stream_mut()
            .and_then(|stream| stream.request.body_mut()),
        Buffer::ResponseBody => state
            .stream_mut()
            .and_then(|stream| stream.response.body_mut()),
        Buffer::GrpcMessage => {
            let root = state.root_id();
            state.callouts.grpc_message_mut(root)
        }
        // There or not, it cannot be changed.
        Buffer::HttpCallBody | Buffer::PluginConfiguration => {
            contents(state, which)?;
            None
        }
        Buffer::Absent | Buffer::VmConfiguration => None,
    };
    let body = body.ok_or(Status::BadArgument)?;
    let (start, len) = (start as usize, len as usize);
    if start == 0 {
        body.splice(..len.min(body.len()), new.iter().copied());
    } else if start >= body.len() {
        body.extend_from_slice(new);
    } else {
        return Err(Status::BadArgument.into());
    }
    Ok(())
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_buffer_bytes",
        |mut guest: Guest<'_>, buffer: u32, start: u32, len: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::GetBufferBytes, |guest| {
                get(
                    guest,
                    buffer,
                    start,
                    len,
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
        "proxy_get_buffer_status",
        |mut guest: Guest<'_>, buffer: u32, to_size: u32, to_flags: u32| {
            call(&mut guest, Hostcall::GetBufferStatus, |guest| {
                let size = contents(guest.data(), buffer_of(buffer)?)?.len();
                give_u32(guest, to_size, u32::try_from(size).unwrap_or(u32::MAX))?;
                give_u32(guest, to_flags, 0)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_buffer_bytes",
        |mut guest: Guest<'_>, buffer: u32, start: u32, len: u32, at: u32, size: u32| {
            call(&mut guest, Hostcall::SetBufferBytes, |guest| {
                set(guest, buffer, start, len, Slice { at, len: size })
            })
        },
    )?;
    Ok(())
}

//! Answering, continuing and closing streams. All of it happens after the guest's call has returned.
use wasmtime::Linker;

use super::{call, pairs};
use crate::flow::Direction;
use crate::hostcall::Hostcall;
use crate::local_reply::LocalReply;
use crate::memory::{Fault, Guest, Slice, read, split};
use crate::state::{Deferred, VmState};
use crate::status::Status;

struct Arguments {
    status: u32,
    details: Slice,
    body: Slice,
    headers: Slice,
    grpc_status: u32,
}

/// Succeeds always, also in a root context, where nothing comes of it. The first reply of a call wins.
fn send(guest: &mut Guest<'_>, arguments: &Arguments) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let details = read(memory, arguments.details)?;
    let body = read(memory, arguments.body)?;
    let headers = pairs::read(read(memory, arguments.headers)?);
    let stream = state.context();
    state.stop_iteration = true;
    let details = String::from_utf8_lossy(details).replace(|c: char| c.is_ascii_whitespace(), "_");
    let earlier = state.deferred.iter_mut().find_map(|action| match action {
        Deferred::Reply {
            stream: other,
            reply,
        } if *other == stream => Some(reply),
        _ => None,
    });
    if let Some(earlier) = earlier {
        // Envoy logs what the last one says of itself.
        earlier.details = details;
    } else if state.streams.contains_key(&stream) {
        let reply = LocalReply {
            status: arguments.status,
            details,
            body: body.to_vec(),
            headers,
            grpc_status: Some(arguments.grpc_status).filter(|status| *status <= 16),
        };
        state.deferred.push(Deferred::Reply { stream, reply });
    }
    Ok(())
}

fn continue_stream(state: &mut VmState, direction: Direction) {
    let stream = state.context();
    if let Some(found) = state.stream_mut() {
        found.hide_request();
        state
            .deferred
            .push(Deferred::Continue { stream, direction });
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |mut guest: Guest<'_>,
         status: u32,
         details_at: u32,
         details_len: u32,
         body_at: u32,
         body_len: u32,
         headers_at: u32,
         headers_len: u32,
         grpc_status: u32| {
            let arguments = Arguments {
                status,
                details: Slice {
                    at: details_at,
                    len: details_len,
                },
                body: Slice {
                    at: body_at,
                    len: body_len,
                },
                headers: Slice {
                    at: headers_at,
                    len: headers_len,
                },
                grpc_status,
            };
            call(&mut guest, Hostcall::SendLocalResponse, |guest| {
                send(guest, &arguments)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_continue_stream",
        |mut guest: Guest<'_>, stream_type: u32| {
            call(&mut guest, Hostcall::ContinueStream, |guest| {
                match stream_type {
                    0 => continue_stream(guest.data_mut(), Direction::Request),
                    1 => continue_stream(guest.data_mut(), Direction::Response),
                    2 => {} // TCP only
                    3 => return Err(Status::Unimplemented.into()),
                    _ => return Err(Status::BadArgument.into()),
                }
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_close_stream",
        |mut guest: Guest<'_>, stream_type: u32| {
            call(&mut guest, Hostcall::CloseStream, |guest| {
                let state = guest.data_mut();
                let stream = state.context();
                match stream_type {
                    0 | 1 => state.deferred.push(Deferred::Close { stream }),
                    2 | 3 => {} // TCP only
                    _ => return Err(Status::BadArgument.into()),
                }
                Ok(())
            })
        },
    )?;
    Ok(())
}

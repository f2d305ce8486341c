//! Header maps: which exist when, and reading and writing them.
//!
//! A map is there while Envoy holds a pointer to it: from its callback until the filter lets it go on.
use wasmtime::Linker;

use super::{call, pairs};
use crate::header_map::HeaderMap;
use crate::hostcall::Hostcall;
use crate::inline_headers::Kind;
use crate::memory::{Fault, Guest, Return, Slice, copy, give, give_u32, read, split};
use crate::state::VmState;
use crate::status::Status;
use crate::stream_state::{Path, StreamState};

/// By number; those of callouts (4 to 7) exist only in the callback of an answer and cannot be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Map {
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
    GrpcInitial,
    GrpcTrailing,
    HttpCallHeaders,
    HttpCallTrailers,
}

fn map_of(number: u32) -> Result<Map, Status> {
    Ok(match number {
        0 => Map::RequestHeaders,
        1 => Map::RequestTrailers,
        2 => Map::ResponseHeaders,
        3 => Map::ResponseTrailers,
        4 => Map::GrpcInitial,
        5 => Map::GrpcTrailing,
        6 => Map::HttpCallHeaders,
        7 => Map::HttpCallTrailers,
        _ => return Err(Status::BadArgument),
    })
}

fn kind_of(map: Map) -> Kind {
    match map {
        Map::RequestHeaders => Kind::Request,
        Map::ResponseHeaders => Kind::Response,
        _ => Kind::Trailers,
    }
}

/// The map for reading. While logging, all that passed by is there again.
fn readable(state: &VmState, which: Map) -> Option<&HeaderMap> {
    match which {
        Map::GrpcInitial => return state.callouts.grpc_initial(state.root_id()),
        Map::GrpcTrailing => return state.callouts.grpc_trailing(state.root_id()),
        Map::HttpCallHeaders => return state.callouts.http_headers(state.root_id()),
        Map::HttpCallTrailers => return state.callouts.http_trailers(state.root_id()),
        _ => {}
    }
    let stream = state.stream()?;
    let logging = stream.logging;
    let headers = |path: &'_ Path| path.headers_shown || (logging && path.headers_arrived);
    match which {
        Map::RequestHeaders => headers(&stream.request).then_some(&stream.request.headers),
        // Access loggers are handed the response's trailers only.
        Map::RequestTrailers => stream
            .request
            .trailers_shown
            .then_some(&stream.request.trailers),
        Map::ResponseHeaders => match &stream.direct_reply {
            Some((reply, _)) if logging => Some(reply),
            _ => headers(&stream.response).then_some(&stream.response.headers),
        },
        Map::ResponseTrailers => {
            let path = &stream.response;
            let shown = path.trailers_shown || (logging && path.trailers_arrived);
            shown.then_some(&path.trailers)
        }
        _ => None,
    }
}

/// The map for writing. Trailers are created in the body callback that ends the stream.
fn writable(stream: &mut StreamState, which: Map) -> Option<&mut HeaderMap> {
    let ends = stream.end_of_stream;
    let path = match which {
        Map::RequestHeaders | Map::RequestTrailers => &mut stream.request,
        Map::ResponseHeaders | Map::ResponseTrailers => &mut stream.response,
        _ => return None,
    };
    if matches!(which, Map::RequestHeaders | Map::ResponseHeaders) {
        if !path.headers_shown {
            return None;
        }
        if path.headers_forwarded && path.headers_as_forwarded.is_none() {
            path.headers_as_forwarded = Some(path.headers.clone());
        }
        return Some(&mut path.headers);
    }
    if !path.trailers_shown && path.chunk_shown && ends {
        path.trailers_arrived = true;
        path.trailers_shown = true;
        // New ones, even where others have come and gone.
        path.trailers = HeaderMap::new();
    }
    path.trailers_shown.then_some(&mut path.trailers)
}

fn write<R>(
    state: &mut VmState,
    which: Map,
    change: impl FnOnce(&mut HeaderMap) -> R,
) -> Result<R, Status> {
    let map = state
        .stream_mut()
        .and_then(|stream| writable(stream, which))
        .ok_or(Status::BadArgument)?;
    Ok(change(map))
}

fn get(guest: &mut Guest<'_>, which: u32, name: Slice, to: Return) -> Result<(), Fault> {
    let which = map_of(which)?;
    let (memory, state) = split(guest)?;
    let name = read(memory, name)?;
    let logging = state.stream().is_some_and(|stream| stream.logging);
    let missing = if logging {
        Status::NotFound
    } else {
        Status::BadArgument
    };
    let map = readable(state, which).ok_or(missing)?;
    let value = map.find(name).ok_or(Status::NotFound)?;
    give(guest, to, value.len(), |state, place| {
        copy(readable(state, which)?.slice(value)?, place)
    })
}

fn get_pairs(guest: &mut Guest<'_>, which: u32, to: Return) -> Result<(), Fault> {
    let which = map_of(which)?;
    match readable(guest.data(), which)
        .filter(|map| !map.is_empty())
        .map(pairs::size)
    {
        None => give(guest, to, 0, |_, _| Some(())),
        Some(size) => give(guest, to, size, |state, place| {
            pairs::write(readable(state, which)?, place)
        }),
    }
}

fn set_pairs(guest: &mut Guest<'_>, which: u32, from: Slice) -> Result<(), Fault> {
    let which = map_of(which)?;
    let (memory, state) = split(guest)?;
    let given = pairs::read(read(memory, from)?);
    let kind = kind_of(which);
    let mut new = HeaderMap::new();
    for (name, value) in given.iter() {
        new.add(kind, name, value);
    }
    Ok(write(state, which, |map| *map = new)?)
}

fn change(
    guest: &mut Guest<'_>,
    which: u32,
    name: Slice,
    value: Slice,
    change: impl FnOnce(&mut HeaderMap, &[u8], &[u8]),
) -> Result<(), Fault> {
    let which = map_of(which)?;
    let (memory, state) = split(guest)?;
    let (name, value) = (read(memory, name)?, read(memory, value)?);
    Ok(write(state, which, |map| change(map, name, value))?)
}

const EMPTY: Slice = Slice { at: 0, len: 0 };

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_header_map_value",
        |mut guest: Guest<'_>, map: u32, at: u32, len: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::GetHeaderMapValue, |guest| {
                get(
                    guest,
                    map,
                    Slice { at, len },
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
        "proxy_add_header_map_value",
        |mut guest: Guest<'_>, map: u32, at: u32, len: u32, value_at: u32, value_len: u32| {
            call(&mut guest, Hostcall::AddHeaderMapValue, |guest| {
                let value = Slice {
                    at: value_at,
                    len: value_len,
                };
                let kind = kind_of(map_of(map)?);
                change(guest, map, Slice { at, len }, value, |map, name, value| {
                    map.add(kind, name, value)
                })
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_replace_header_map_value",
        |mut guest: Guest<'_>, map: u32, at: u32, len: u32, value_at: u32, value_len: u32| {
            call(&mut guest, Hostcall::ReplaceHeaderMapValue, |guest| {
                let value = Slice {
                    at: value_at,
                    len: value_len,
                };
                change(guest, map, Slice { at, len }, value, |map, name, value| {
                    map.set(name, value)
                })
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_remove_header_map_value",
        |mut guest: Guest<'_>, map: u32, at: u32, len: u32| {
            call(&mut guest, Hostcall::RemoveHeaderMapValue, |guest| {
                change(guest, map, Slice { at, len }, EMPTY, |map, name, _| {
                    map.remove(name)
                })
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_header_map_pairs",
        |mut guest: Guest<'_>, map: u32, to_at: u32, to_len: u32| {
            call(&mut guest, Hostcall::GetHeaderMapPairs, |guest| {
                get_pairs(
                    guest,
                    map,
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
        "proxy_set_header_map_pairs",
        |mut guest: Guest<'_>, map: u32, at: u32, len: u32| {
            call(&mut guest, Hostcall::SetHeaderMapPairs, |guest| {
                set_pairs(guest, map, Slice { at, len })
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_header_map_size",
        |mut guest: Guest<'_>, map: u32, to: u32| {
            call(&mut guest, Hostcall::GetHeaderMapSize, |guest| {
                let which = map_of(map)?;
                let size = write(guest.data_mut(), which, |map| map.byte_size())?;
                give_u32(guest, to, u32::try_from(size).unwrap_or(u32::MAX))
            })
        },
    )?;
    Ok(())
}

//! `proxy_http_call`: argument checks in Envoy's order, and when the answer will come.
//!
//! The call belongs to the root context, whoever makes it. Its token is written as 0 first and stays 0
//! when the call fails. Pairs that cannot be read are no headers, so such a call is refused for want of them.
use std::time::Duration;

use wasmtime::Linker;

use super::{call, pairs};
use crate::callouts::{self, Event, Kind};
use crate::clusters::{Cluster, Reaction};
use crate::envoy_replies::{CLOSED, REFUSED, TIMEOUT, add_service_time};
use crate::exchange::Message;
use crate::grpc_service::over_http;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Slice, give_u32, read, split, write_u32};
use crate::state::VmState;
use crate::status::Status;

struct Arguments {
    cluster: Slice,
    headers: Slice,
    body: Slice,
    trailers: Slice,
    timeout_ms: i32,
    to_token: u32,
}

fn http_call(guest: &mut Guest<'_>, arguments: &Arguments) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let cluster = read(memory, arguments.cluster)?;
    let body = read(memory, arguments.body)?.to_vec();
    let headers = pairs::read(read(memory, arguments.headers)?);
    let trailers = pairs::read(read(memory, arguments.trailers)?);
    let timeout = u64::try_from(arguments.timeout_ms).map_err(|_| Status::BadArgument);
    let process = std::sync::Arc::clone(&state.process);
    let cluster = process.config.clusters.get(cluster);
    write_u32(memory, arguments.to_token, 0)?;
    let timeout = Some(timeout?)
        .filter(|ms| *ms > 0)
        .map(Duration::from_millis);
    let cluster = cluster.ok_or(Status::BadArgument)?;
    let request = Message {
        headers,
        body,
        trailers: Some(trailers).filter(|trailers| !trailers.is_empty()),
    };
    let token = start(guest.data_mut(), cluster, request, timeout)?;
    give_u32(guest, arguments.to_token, token)
}

fn start(
    state: &mut VmState,
    cluster: &Cluster,
    mut request: Message,
    timeout: Option<Duration>,
) -> Result<u32, Status> {
    let has = |name| request.headers.get(name).is_some();
    if !has(":path") || !has(":method") || !has(":authority") {
        return Err(Status::BadArgument);
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        request.headers.set("content-length", length);
    }
    let root = state.root_id();
    let token = state.callouts.next_token(Kind::Http);
    let timed = |mut answer: Message| {
        add_service_time(&mut answer.headers, cluster.latency);
        answer
    };
    let answer = match &cluster.reaction {
        Reaction::Empty => return Err(Status::InternalFailure),
        Reaction::Silent => None,
        Reaction::Answers(answer) => Some(timed(answer(&request))),
        Reaction::Serves(service) => Some(timed(over_http(&**service, &request))),
        Reaction::Refuses => Some(REFUSED.message()),
        Reaction::Resets => Some(CLOSED.message()),
    };
    let latency = answer.as_ref().map(|_| cluster.latency);
    let (at, timed_out) = callouts::due(state.now, latency, timeout);
    let answer = match answer {
        Some(answer) if !timed_out => answer,
        _ => TIMEOUT.message(),
    };
    state.callouts.plan(root, token, at, Event::Http(answer));
    Ok(token)
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_http_call",
        |mut guest: Guest<'_>,
         cluster_at: u32,
         cluster_len: u32,
         headers_at: u32,
         headers_len: u32,
         body_at: u32,
         body_len: u32,
         trailers_at: u32,
         trailers_len: u32,
         timeout_ms: i32,
         to_token: u32| {
            let slice = |at, len| Slice { at, len };
            let arguments = Arguments {
                cluster: slice(cluster_at, cluster_len),
                headers: slice(headers_at, headers_len),
                body: slice(body_at, body_len),
                trailers: slice(trailers_at, trailers_len),
                timeout_ms,
                to_token,
            };
            call(&mut guest, Hostcall::HttpCall, |guest| {
                http_call(guest, &arguments)
            })
        },
    )?;
    Ok(())
}

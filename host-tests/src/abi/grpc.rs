//! gRPC calls and streams.
//!
//! As observed on Envoy 1.40: a unary call ends in `proxy_on_grpc_receive` or in `proxy_on_grpc_close`, never in both. A
//! stream always gets initial metadata, trailing metadata and its close, empty ones where nothing came. A call of a
//! cluster without hosts answers 10 and is closed all the same; a stream to it even hears its metadata *inside* the
//! hostcall. A service that parses as a protocol buffer without a target ends Envoy's process: here it is a trap.
use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Linker, format_err};

use super::{call, pairs};
use crate::callouts::{self, Event, Kind};
use crate::clusters::{Cluster, Clusters, Reaction};
use crate::envoy_replies::{
    CLOSED, NO_HOSTS, REFUSED, Reply, TIMEOUT, UNAVAILABLE, add_service_time,
};
use crate::exchange::Message;
use crate::flow::lifecycle::after;
use crate::grpc_answer::{self, greeting, unary};
use crate::grpc_calls::{Open, Peer};
use crate::grpc_service::{GrpcMethod, frame};
use crate::header_map::HeaderMap;
use crate::hostcall::Hostcall;
use crate::memory::{Fault, Guest, Slice, give_u32, read, split};
use crate::protobuf::{self, Value};
use crate::state::{Deferred, VmState};
use crate::status::Status;

/// What both kinds of calls are told.
struct Target {
    service: Slice,
    service_name: Slice,
    method: Slice,
    metadata: Slice,
    to_token: u32,
}

/// A target with its texts read.
struct Called {
    cluster: Vec<u8>,
    /// The service was a message, so that an unknown cluster is found out later.
    by_message: bool,
    service_name: String,
    method: String,
    metadata: HeaderMap,
}

fn called(guest: &mut Guest<'_>, target: &Target) -> Result<Called, Fault> {
    let (memory, state) = split(guest)?;
    let service = read(memory, target.service)?;
    let text = |slice| read(memory, slice).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (service_name, method) = (text(target.service_name)?, text(target.method)?);
    let metadata = pairs::read(read(memory, target.metadata)?);
    let (cluster, by_message) = match cluster_of_message(service) {
        Service::Cluster(name) => (name.to_vec(), true),
        Service::Other => return Err(Status::BadArgument.into()),
        Service::WithoutTarget => {
            return Err(Fault::Trap(format_err!(
                "the gRPC service {:?} parses as a protocol buffer without a target, which ends Envoy's process (\"unset oneof\"): choose another cluster name",
                String::from_utf8_lossy(service)
            )));
        }
        Service::NoMessage => {
            if state.process.config.clusters.get(service).is_none() {
                return Err(Status::ParseFailure.into());
            }
            (service.to_vec(), false)
        }
    };
    Ok(Called {
        cluster,
        by_message,
        service_name,
        method,
        metadata,
    })
}

enum Service<'a> {
    Cluster(&'a [u8]),
    /// Google's gRPC client, which is not offered here.
    Other,
    WithoutTarget,
    NoMessage,
}

/// `GrpcService`: field 1 is `EnvoyGrpc`, whose field 1 is the cluster's name; field 2 is Google's client.
fn cluster_of_message(service: &[u8]) -> Service<'_> {
    let Some(fields) = protobuf::fields(service) else {
        return Service::NoMessage;
    };
    let mut target = Service::WithoutTarget;
    for (number, value) in fields {
        target = match (number, value) {
            (1, Value::Bytes(envoy)) => {
                let Some(inner) = protobuf::fields(envoy) else {
                    return Service::NoMessage;
                };
                let name = inner.iter().rev().find_map(|(number, value)| match value {
                    Value::Bytes(name) if *number == 1 => Some(*name),
                    _ => None,
                });
                Service::Cluster(name.unwrap_or_default())
            }
            (2, Value::Bytes(_)) => Service::Other,
            _ => target,
        };
    }
    target
}

/// The cluster, or the end of the call because there is none or nobody in it.
fn reachable<'a>(clusters: &'a Clusters, called: &Called) -> Result<&'a Cluster, String> {
    match clusters.get(&called.cluster) {
        None if called.by_message => Err("Cluster not available".to_owned()),
        None => Err(NO_HOSTS.grpc_message()),
        Some(cluster) => match cluster.reaction {
            Reaction::Empty => Err(NO_HOSTS.grpc_message()),
            _ => Ok(cluster),
        },
    }
}

/// Fails now and is closed after the guest's call.
fn close_later(state: &mut VmState, root: u32, token: u32, message: String) {
    let event = Event::GrpcClose {
        status: UNAVAILABLE,
        message,
    };
    state.deferred.push(Deferred::Answer { root, token, event });
}

fn grpc_call(
    guest: &mut Guest<'_>,
    target: &Target,
    message: Slice,
    timeout_ms: u32,
) -> Result<(), Fault> {
    let message = read(split(guest)?.0, message)?.to_vec();
    let called = called(guest, target)?;
    let state = guest.data_mut();
    let (root, process) = (state.root_id(), Arc::clone(&state.process));
    let token = state.callouts.next_token(Kind::GrpcCall);
    let cluster = match reachable(&process.config.clusters, &called) {
        Ok(cluster) => cluster,
        Err(message) => {
            close_later(state, root, token, message);
            return Err(Status::InternalFailure.into());
        }
    };
    let timeout = (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms.into()));
    let answer = match &cluster.reaction {
        Reaction::Silent | Reaction::Empty => None,
        Reaction::Refuses => Some(failure(REFUSED)),
        Reaction::Resets => Some(failure(CLOSED)),
        Reaction::Serves(service) => {
            Some(match service.method(&called.service_name, &called.method) {
                GrpcMethod::Echoes { .. } => Event::GrpcMessage(message.clone()),
                fails @ GrpcMethod::Fails { .. } => {
                    unary(grpc_answer::trailers_only(fails.headers()))
                }
            })
        }
        Reaction::Answers(answer) => {
            let request = request(&called, frame(&message));
            Some(unary(grpc_answer::events(answer(&request))))
        }
    };
    let latency = answer.as_ref().map(|_| cluster.latency);
    let (at, timed_out) = callouts::due(state.now, latency, timeout);
    let answer = match answer {
        Some(answer) if !timed_out => answer,
        _ => failure(TIMEOUT),
    };
    let open = Open::new(root, Peer::Mute, cluster.latency, String::new());
    state.callouts.grpc.open(token, open);
    state.callouts.plan(root, token, at, answer);
    give_u32(guest, target.to_token, token)
}

fn failure(reply: Reply) -> Event {
    Event::GrpcClose {
        status: UNAVAILABLE,
        message: reply.grpc_message(),
    }
}

/// The HTTP request that a gRPC call is.
fn request(called: &Called, body: Vec<u8>) -> Message {
    let mut headers = HeaderMap::from([
        (":method", "POST"),
        (":path", &path(called)),
        (":authority", &String::from_utf8_lossy(&called.cluster)),
        (":scheme", "http"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]);
    headers.extend(called.metadata.iter());
    Message::new(headers, body)
}

fn path(called: &Called) -> String {
    format!("/{}/{}", called.service_name, called.method)
}

fn grpc_stream(guest: &mut Guest<'_>, target: &Target) -> Result<(), Fault> {
    let called = called(guest, target)?;
    let state = guest.data_mut();
    let (root, process) = (state.root_id(), Arc::clone(&state.process));
    let token = state.callouts.next_token(Kind::GrpcStream);
    let cluster = match reachable(&process.config.clusters, &called) {
        Ok(cluster) => cluster,
        Err(message) => {
            if !called.by_message || process.config.clusters.get(&called.cluster).is_some() {
                hear_at_once(guest, root, token)?;
            }
            close_later(guest.data_mut(), root, token, message);
            return Err(Status::InternalFailure.into());
        }
    };
    let (peer, events) = match &cluster.reaction {
        Reaction::Silent | Reaction::Empty => (Peer::Mute, Vec::new()),
        Reaction::Refuses => (Peer::Mute, broken(REFUSED)),
        Reaction::Resets => (Peer::Mute, broken(CLOSED)),
        Reaction::Answers(answer) => (Peer::Http(Arc::clone(answer)), Vec::new()),
        Reaction::Serves(service) => {
            let method = service.method(&called.service_name, &called.method);
            let mut headers = method.headers();
            add_service_time(&mut headers, cluster.latency);
            let events = greeting(&method, headers);
            (Peer::Server(method), events)
        }
    };
    let at = Some(after(state.now, cluster.latency));
    for event in events {
        state.callouts.plan(root, token, at, event);
    }
    let open = Open::new(root, peer, cluster.latency, path(&called));
    state.callouts.grpc.open(token, open);
    give_u32(guest, target.to_token, token)
}

fn broken(reply: Reply) -> Vec<Event> {
    vec![
        Event::GrpcInitial(HeaderMap::new()),
        Event::GrpcTrailing(reply.trailers()),
        failure(reply),
    ]
}

/// Envoy tells the metadata of a stream that fails at once inside the hostcall.
fn hear_at_once(guest: &mut Guest<'_>, root: u32, token: u32) -> Result<(), Fault> {
    let Some(callbacks) = guest.data().grpc_callbacks.clone() else {
        return Ok(());
    };
    let told = [
        (Event::GrpcInitial(HeaderMap::new()), 0, &callbacks.initial),
        (
            Event::GrpcTrailing(NO_HOSTS.trailers()),
            4,
            &callbacks.trailing,
        ),
    ];
    let state = guest.data_mut();
    let before = (state.called_context, state.effective_context.take());
    for (event, count, callback) in told {
        let Some(callback) = callback else { continue };
        let state = guest.data_mut();
        state.called_context = root;
        state.effective_context = None;
        state.callouts.show(root, event);
        let heard = callback.call_in(&mut *guest, root, (root, token, count));
        let state = guest.data_mut();
        state.callouts.hide();
        state.callouts.end_answer();
        heard.map_err(Fault::Trap)?;
    }
    let state = guest.data_mut();
    (state.called_context, state.effective_context) = before;
    Ok(())
}

fn send(guest: &mut Guest<'_>, token: u32, message: Slice, ends: bool) -> Result<(), Fault> {
    let (memory, state) = split(guest)?;
    let message = read(memory, message)?;
    let root = state.root_id();
    let heard = state
        .callouts
        .grpc
        .send(root, token, &frame(message), ends)?;
    if let Some(open) = heard {
        let at = Some(after(state.now, open.latency));
        if let Peer::Server(GrpcMethod::Echoes { .. }) = open.peer {
            let echo = Event::GrpcMessage(message.to_vec());
            state.callouts.plan(root, token, at, echo);
        }
        if ends {
            end(state, root, token, &open);
        }
    }
    Ok(())
}

/// The server hears that the guest has ended.
fn end(state: &mut VmState, root: u32, token: u32, open: &Open) {
    let at = Some(after(state.now, open.latency));
    let events = match &open.peer {
        Peer::Server(method @ GrpcMethod::Echoes { .. }) => {
            grpc_answer::end(method.trailers()).to_vec()
        }
        Peer::Server(GrpcMethod::Fails { .. }) | Peer::Mute => Vec::new(),
        Peer::Http(answer) => {
            let headers = HeaderMap::from([(":method", "POST"), (":path", open.path.as_str())]);
            let mut response = answer(&Message::new(headers, open.sent.clone()));
            add_service_time(&mut response.headers, open.latency);
            grpc_answer::events(response)
        }
    };
    for event in events {
        state.callouts.plan(root, token, at, event);
    }
}

fn close(state: &mut VmState, token: u32) -> Result<(), Status> {
    let root = state.root_id();
    if let Some(open) = state.callouts.grpc.close(root, token)? {
        end(state, root, token, &open);
    } else if Kind::of(token) == Some(Kind::GrpcCall) {
        state.callouts.forget(token);
    }
    Ok(())
}

fn cancel(state: &mut VmState, token: u32) -> Result<(), Status> {
    let root = state.root_id();
    state.callouts.grpc.cancel(root, token)?;
    state.callouts.forget(token);
    Ok(())
}

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    let slice = |at, len| Slice { at, len };
    linker.func_wrap(
        "env",
        "proxy_grpc_call",
        move |mut guest: Guest<'_>,
              service: u32,
              service_len: u32,
              name: u32,
              name_len: u32,
              method: u32,
              method_len: u32,
              metadata: u32,
              metadata_len: u32,
              message: u32,
              message_len: u32,
              timeout_ms: u32,
              to_token: u32| {
            let target = Target {
                service: slice(service, service_len),
                service_name: slice(name, name_len),
                method: slice(method, method_len),
                metadata: slice(metadata, metadata_len),
                to_token,
            };
            call(&mut guest, Hostcall::GrpcCall, |guest| {
                grpc_call(guest, &target, slice(message, message_len), timeout_ms)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_stream",
        move |mut guest: Guest<'_>,
              service: u32,
              service_len: u32,
              name: u32,
              name_len: u32,
              method: u32,
              method_len: u32,
              metadata: u32,
              metadata_len: u32,
              to_token: u32| {
            let target = Target {
                service: slice(service, service_len),
                service_name: slice(name, name_len),
                method: slice(method, method_len),
                metadata: slice(metadata, metadata_len),
                to_token,
            };
            call(&mut guest, Hostcall::GrpcStream, |guest| {
                grpc_stream(guest, &target)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_send",
        move |mut guest: Guest<'_>, token: u32, at: u32, len: u32, ends: u32| {
            call(&mut guest, Hostcall::GrpcSend, |guest| {
                send(guest, token, slice(at, len), ends != 0)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_cancel",
        |mut guest: Guest<'_>, token: u32| {
            call(&mut guest, Hostcall::GrpcCancel, |guest| {
                Ok(cancel(guest.data_mut(), token)?)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_close",
        |mut guest: Guest<'_>, token: u32| {
            call(&mut guest, Hostcall::GrpcClose, |guest| {
                Ok(close(guest.data_mut(), token)?)
            })
        },
    )?;
    Ok(())
}

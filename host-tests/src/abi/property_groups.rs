//! The groups of attributes, by the name of the attribute. `None` is "not there": status 1.
use std::net::SocketAddr;
use std::time::Duration;

use weir_engine::time::Timestamp;

use super::property_values::{Found, Group};
use crate::attributes::{Value, Xds};
use crate::header_map::HeaderMap;
use crate::local_reply::of_http;
use crate::stream_state::{Path, StreamState};

/// The headers that attributes see: those the filter may reach, or the log's.
fn headers(stream: &StreamState, path: impl Fn(&StreamState) -> &Path) -> Option<&HeaderMap> {
    let path = path(stream);
    (path.headers_shown || (stream.logging && path.headers_arrived)).then_some(&path.headers)
}

fn request_headers(stream: &StreamState) -> Option<&HeaderMap> {
    headers(stream, |stream| &stream.request)
}

/// A reply that went past the filter is what the log sees.
fn response_headers(stream: &StreamState) -> Option<&HeaderMap> {
    match &stream.direct_reply {
        Some((reply, _)) if stream.logging => Some(reply),
        _ => headers(stream, |stream| &stream.response),
    }
}

fn response_trailers(stream: &StreamState) -> Option<&HeaderMap> {
    let path = &stream.response;
    (path.trailers_shown || (stream.logging && path.trailers_arrived)).then_some(&path.trailers)
}

fn int<'a>(number: impl TryInto<i64>) -> Found<'a> {
    Found::Value(Value::Int(number.try_into().unwrap_or(i64::MAX)))
}

fn byte_size(headers: Option<&HeaderMap>) -> u64 {
    headers.map_or(0, HeaderMap::byte_size) as u64
}

pub(super) fn request<'a>(
    stream: &'a StreamState,
    now: Timestamp,
    name: &[u8],
) -> Option<Found<'a>> {
    let headers = request_headers(stream);
    let header = |name: &str| headers?.get(name).map(Found::Bytes);
    let received = stream.request.received;
    match name {
        b"path" => header(":path"),
        b"url_path" => {
            let path = headers?.get(":path")?;
            path.split(|byte| *byte == b'?').next().map(Found::Bytes)
        }
        b"query" => {
            let path = headers?.get(":path")?;
            let query = path.iter().position(|byte| *byte == b'?');
            let query = query.and_then(|at| path.get(at + 1..));
            Some(Found::Bytes(query.unwrap_or_default()))
        }
        b"host" => header(":authority"),
        b"scheme" => header(":scheme"),
        b"method" => header(":method"),
        b"useragent" => header("user-agent"),
        b"referer" => header("referer"),
        b"id" => header("x-request-id"),
        b"protocol" => Some(Found::Bytes(stream.attributes.protocol.as_bytes())),
        b"time" => Some(Found::Value(Value::Time(stream.started))),
        b"duration" => {
            let lasted = now.saturating_since(stream.started);
            let is_over = stream.logging || stream.end.is_some();
            is_over.then_some(Found::Value(Value::Duration(lasted)))
        }
        b"size" => {
            let promised = headers
                .and_then(|headers| headers.get("content-length"))
                .and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
            Some(promised.map_or_else(|| int(received), int))
        }
        b"total_size" => Some(int(received.saturating_add(byte_size(headers)))),
        b"headers" => Some(Found::Headers(headers)),
        _ => None,
    }
}

/// Envoy's response flags as far as this host has reasons for them, by what the response code details say.
fn flags(details: &str) -> i64 {
    let bit = match details {
        "upstream_reset_before_response_started{remote_reset}"
        | "upstream_reset_after_response_started{remote_reset}" => 4,
        "upstream_reset_before_response_started{connection_termination}"
        | "upstream_reset_after_response_started{connection_termination}" => 6,
        "route_not_found" => 8,
        "downstream_remote_disconnect" => 14,
        "upstream_reset_after_response_started{protocol_error}" => 23,
        _ => return 0,
    };
    1 << bit
}

pub(super) fn response<'a>(stream: &'a StreamState, name: &[u8]) -> Option<Found<'a>> {
    let sent = match &stream.direct_reply {
        Some((_, body)) => body.len(),
        None => stream.response.body_forwarded.len(),
    } as u64;
    let code = || stream.reply_code.or_else(|| stream.status().map(u32::from));
    match name {
        b"code" => code().map(int),
        b"code_details" if stream.replied || !stream.details.is_empty() => {
            Some(Found::Bytes(stream.details.as_bytes()))
        }
        b"code_details" if stream.response.headers_arrived => Some(Found::Bytes(b"via_upstream")),
        b"flags" => Some(int(flags(&stream.details))),
        b"grpc_status" => {
            let said = [response_trailers(stream), response_headers(stream)]
                .into_iter()
                .flatten()
                .find_map(|map| map.get("grpc-status"))
                .and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
            match said {
                Some(status) => Some(int(status)),
                None => code().map(|code| int(of_http(code))),
            }
        }
        b"size" => Some(int(sent)),
        b"total_size" => {
            let heads = byte_size(response_headers(stream)) + byte_size(response_trailers(stream));
            Some(int(sent.saturating_add(heads)))
        }
        b"headers" => Some(Found::Headers(response_headers(stream))),
        b"trailers" => Some(Found::Headers(response_trailers(stream))),
        b"backend_latency" if stream.has_upstream() && stream.response.ended => {
            Some(Found::Value(Value::Duration(Duration::ZERO)))
        }
        _ => None,
    }
}

pub(super) fn address<'a>(address: SocketAddr, name: &[u8]) -> Option<Found<'a>> {
    match name {
        b"address" => Some(Found::Value(Value::Bytes(address.to_string().into_bytes()))),
        b"port" => Some(int(address.port())),
        _ => None,
    }
}

/// Without TLS there is no version and no certificate.
pub(super) fn connection<'a>(stream: &'a StreamState, name: &[u8]) -> Option<Found<'a>> {
    match name {
        b"id" => Some(Found::Value(Value::Uint(stream.attributes.connection_id))),
        b"mtls" => Some(Found::Value(Value::Bool(false))),
        b"requested_server_name" => Some(Found::Bytes(b"")),
        _ => None,
    }
}

pub(super) fn upstream<'a>(stream: &'a StreamState, name: &[u8]) -> Option<Found<'a>> {
    let attempts = u64::from(stream.has_upstream());
    match name {
        b"request_attempt_count" => Some(Found::Value(Value::Uint(attempts))),
        _ if attempts == 0 => None,
        b"address" | b"port" => address(stream.attributes.upstream, name),
        b"local_address" => address(stream.attributes.upstream_local, b"address"),
        b"transport_failure_reason" | b"locality" => Some(Found::Bytes(b"")),
        b"cx_pool_ready_duration" => Some(Found::Value(Value::Duration(Duration::ZERO))),
        _ => None,
    }
}

pub(super) fn xds<'a>(
    xds: &'a Xds,
    stream: Option<&StreamState>,
    name: &[u8],
) -> Option<Found<'a>> {
    if name == b"node" {
        return Some(Found::Group(Group::Node));
    }
    let stream = stream?;
    Some(match name {
        b"route_name" => Found::Bytes(xds.route_name.as_bytes()),
        b"cluster_name" => Found::Bytes(xds.cluster_name.as_bytes()),
        b"virtual_host_name" => Found::Bytes(xds.virtual_host_name.as_bytes()),
        b"filter_chain_name" => Found::Bytes(xds.filter_chain_name.as_bytes()),
        b"listener_direction" => int(0),
        b"route_metadata"
        | b"cluster_metadata"
        | b"virtual_host_metadata"
        | b"listener_metadata" => Found::Metadata,
        b"upstream_host_metadata" | b"upstream_host_locality_metadata" if stream.has_upstream() => {
            Found::Group(Group::Opaque)
        }
        _ => return None,
    })
}

pub(super) fn of_node<'a>(xds: &'a Xds, name: &[u8]) -> Option<Found<'a>> {
    match name {
        b"id" => Some(Found::Bytes(xds.node_id.as_bytes())),
        b"cluster" => Some(Found::Bytes(xds.node_cluster.as_bytes())),
        b"metadata" => Some(Found::Headers(None)),
        _ => None,
    }
}

/// The node as a message: id 1, cluster 2. Envoy's has its version and extensions besides.
pub(super) fn node(xds: &Xds) -> Vec<u8> {
    let mut message = Vec::new();
    for (tag, text) in [(1 << 3 | 2, &xds.node_id), (2 << 3 | 2, &xds.node_cluster)] {
        let length = text.len().min(127);
        message.extend([tag, length as u8]);
        message.extend_from_slice(text.as_bytes().get(..length).unwrap_or_default());
    }
    message
}

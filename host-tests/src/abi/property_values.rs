//! Envoy's attributes by path, as far as a stream without a real connection has them.
use super::properties::FILTER_STATE_PREFIX;
use crate::attributes::Value;
use crate::header_map::HeaderMap;
use crate::state::VmState;
use crate::status::Status;
use crate::stream_state::{Path, StreamState};

/// Writes the serialised value of `path` (segments separated by a zero byte) to `out`.
pub(super) fn write(state: &VmState, path: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    if path.is_empty() {
        return Err(Status::SerializationFailure);
    }
    if let Some(stream) = state.stream()
        && let Some((_, value)) = stream.attributes.extra.iter().find(|(own, _)| own == path)
    {
        value.write_to(out);
        return Ok(());
    }
    let (first, rest) = match path.iter().position(|byte| *byte == 0) {
        Some(at) => path.split_at(at),
        None => (path, &[][..]),
    };
    let rest = rest.strip_prefix(&[0]).unwrap_or(rest);
    if let Some(text) = of_plugin(state, first) {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    let stream = state.stream().ok_or(Status::NotFound)?;
    match first {
        b"request" => of_request(stream, rest, state, out),
        b"response" => of_response(stream, rest, out),
        b"source" => of_address(stream.attributes.source, rest, out),
        b"destination" => of_address(stream.attributes.destination, rest, out),
        b"connection" if rest == b"id" => value(Value::Uint(stream.attributes.connection_id), out),
        b"connection" if rest == b"mtls" => value(Value::Bool(false), out),
        b"connection_id" => value(Value::Uint(stream.attributes.connection_id), out),
        b"filter_state" if rest.is_empty() => Err(Status::SerializationFailure),
        b"filter_state" => of_filter_state(stream, rest, out),
        // A value that was set is found by the bare path too.
        _ => of_filter_state(stream, &[FILTER_STATE_PREFIX, path].concat(), out),
    }
}

fn of_plugin<'a>(state: &'a VmState, name: &[u8]) -> Option<&'a str> {
    let config = || state.root().map(|root| &root.settings.config);
    match name {
        b"plugin_name" => Some(&config()?.name),
        b"plugin_root_id" => Some(&config()?.root_id),
        b"plugin_vm_id" => Some(&state.vm.config.vm_id),
        _ => None,
    }
}

fn of_request(
    stream: &StreamState,
    name: &[u8],
    state: &VmState,
    out: &mut Vec<u8>,
) -> Result<(), Status> {
    let headers = headers(&stream.request, stream.logging);
    let header = |name: &str| {
        headers
            .and_then(|headers| headers.get(name))
            .ok_or(Status::NotFound)
    };
    let text = match name {
        b"path" => header(":path")?,
        b"url_path" => header(":path")?
            .split(|byte| *byte == b'?')
            .next()
            .unwrap_or_default(),
        b"query" => {
            let path = header(":path")?;
            path.iter()
                .position(|byte| *byte == b'?')
                .and_then(|at| path.get(at + 1..))
                .unwrap_or_default()
        }
        b"host" => header(":authority")?,
        b"scheme" => header(":scheme")?,
        b"method" => header(":method")?,
        b"useragent" => header("user-agent")?,
        b"referer" => header("referer")?,
        b"id" => header("x-request-id")?,
        b"protocol" => stream.attributes.protocol.as_bytes(),
        b"time" => return value(Value::Time(stream.started), out),
        b"duration" if stream.logging => {
            return value(
                Value::Duration(state.now.saturating_since(stream.started)),
                out,
            );
        }
        b"size" => {
            let promised = header("content-length")
                .ok()
                .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            return value(
                Value::Int(promised.unwrap_or_else(|| received(&stream.request))),
                out,
            );
        }
        b"total_size" => {
            let headers = headers.map_or(0, HeaderMap::byte_size) as i64;
            return value(
                Value::Int(received(&stream.request).saturating_add(headers)),
                out,
            );
        }
        _ => return of_headers(headers, name, out),
    };
    out.extend_from_slice(text);
    Ok(())
}

fn of_response(stream: &StreamState, name: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    match name {
        b"code" => value(
            Value::Int(stream.status().ok_or(Status::NotFound)?.into()),
            out,
        ),
        b"code_details" if !stream.details.is_empty() => {
            out.extend_from_slice(stream.details.as_bytes());
            Ok(())
        }
        b"size" => value(Value::Int(received(&stream.response)), out),
        _ => of_headers(headers(&stream.response, stream.logging), name, out),
    }
}

/// The headers that attributes see: those the filter may reach, or the log's.
fn headers(path: &Path, logging: bool) -> Option<&HeaderMap> {
    (path.headers_shown || (logging && path.headers_arrived)).then_some(&path.headers)
}

fn of_headers(headers: Option<&HeaderMap>, name: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    let name = name.strip_prefix(b"headers\0").ok_or(Status::NotFound)?;
    out.extend_from_slice(
        headers
            .and_then(|headers| headers.get(name))
            .ok_or(Status::NotFound)?,
    );
    Ok(())
}

fn received(path: &Path) -> i64 {
    (path.body_forwarded.len() + path.held.len() + path.chunk.len()) as i64
}

fn of_address(address: std::net::SocketAddr, name: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    match name {
        b"address" => {
            out.extend_from_slice(address.to_string().as_bytes());
            Ok(())
        }
        b"port" => value(Value::Int(address.port().into()), out),
        _ => Err(Status::NotFound),
    }
}

fn of_filter_state(stream: &StreamState, key: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    let (_, value) = stream
        .filter_state
        .iter()
        .find(|(own, _)| own == key)
        .ok_or(Status::NotFound)?;
    out.extend_from_slice(value);
    Ok(())
}

fn value(value: Value, out: &mut Vec<u8>) -> Result<(), Status> {
    value.write_to(out);
    Ok(())
}

//! Envoy's attributes by path, as far as a stream over plain text has them.
//!
//! As observed on Envoy 1.40: a path is cut at its zero bytes, and one at its end says nothing. A group of attributes
//! exists and cannot be serialised (3); a map can, as pairs. Headers are there as long as the filter could read them, and
//! in the log; the code and the details of a response stay. Outside of a stream there are `plugin_*` and the node.
use super::properties::FILTER_STATE_PREFIX;
use super::property_groups as groups;
use crate::attributes::{Value, Xds};
use crate::header_map::HeaderMap;
use crate::state::VmState;
use crate::status::Status;
use crate::stream_state::StreamState;

/// What a path leads to.
pub(super) enum Found<'a> {
    /// A value without anything below it.
    Value(Value),
    /// The same for bytes that are there already.
    Bytes(&'a [u8]),
    /// A map of headers; `None` is an empty one.
    Headers(Option<&'a HeaderMap>),
    /// A message without content, which has `filter_metadata` if it is metadata.
    Metadata,
    /// Something that cannot be turned into bytes.
    Group(Group),
}

/// A group of attributes, or an object without a serialised form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Request,
    Response,
    Source,
    Destination,
    Connection,
    Upstream,
    Xds,
    Node,
    FilterState,
    Opaque,
}

/// Writes the serialised value of `path` to `out`.
pub(super) fn write(state: &VmState, path: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
    if let Some(stream) = state.stream() {
        let whole = path.strip_suffix(&[0]).unwrap_or(path);
        let extra = &stream.attributes.extra;
        if let Some((_, value)) = extra.iter().find(|(own, _)| own == whole) {
            value.write_to(out);
            return Ok(());
        }
    }
    let mut segments = segments(path);
    let first = segments.next().ok_or(Status::SerializationFailure)?;
    let mut found = top(state, first).ok_or(Status::NotFound)?;
    for segment in segments {
        found = below(state, found, segment).ok_or(Status::NotFound)?;
    }
    match found {
        Found::Value(value) => value.write_to(out),
        Found::Bytes(bytes) => out.extend_from_slice(bytes),
        Found::Headers(headers) => write_headers(headers, out),
        Found::Metadata => {}
        Found::Group(Group::Node) => out.extend_from_slice(&groups::node(xds(state))),
        Found::Group(_) => return Err(Status::SerializationFailure),
    }
    Ok(())
}

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    let count = if path.is_empty() { 0 } else { usize::MAX };
    path.split(|byte| *byte == 0).take(count)
}

/// The names of the proxy's parts: the stream's, or the defaults outside of one.
fn xds(state: &VmState) -> &Xds {
    match state.stream() {
        Some(stream) => &stream.attributes.xds,
        None => Xds::common(),
    }
}

fn top<'a>(state: &'a VmState, name: &[u8]) -> Option<Found<'a>> {
    let config = || state.root().map(|root| &root.settings.config);
    let text = |text: &'a str| Some(Found::Bytes(text.as_bytes()));
    match name {
        b"plugin_name" => return text(&config()?.name),
        b"plugin_root_id" => return text(&config()?.root_id),
        b"plugin_vm_id" => return text(&state.vm.config.vm_id),
        b"xds" => return Some(Found::Group(Group::Xds)),
        _ => {}
    }
    let stream = state.stream()?;
    Some(match name {
        b"request" => Found::Group(Group::Request),
        b"response" => Found::Group(Group::Response),
        b"source" => Found::Group(Group::Source),
        b"destination" => Found::Group(Group::Destination),
        b"connection" => Found::Group(Group::Connection),
        b"upstream" => Found::Group(Group::Upstream),
        b"filter_state" => Found::Group(Group::FilterState),
        b"upstream_filter_state" if stream.has_upstream() => Found::Group(Group::Opaque),
        b"metadata" => Found::Metadata,
        b"connection_id" => Found::Value(Value::Uint(stream.attributes.connection_id)),
        // A value that was set is found by its bare name too.
        _ => filter_state(stream, &[FILTER_STATE_PREFIX, name].concat())?,
    })
}

fn below<'a>(state: &'a VmState, found: Found<'a>, name: &[u8]) -> Option<Found<'a>> {
    let group = match found {
        Found::Headers(headers) => return joined(headers?, name),
        Found::Metadata if name == b"filter_metadata" => return Some(Found::Headers(None)),
        Found::Value(_) | Found::Bytes(_) | Found::Metadata => return None,
        Found::Group(group) => group,
    };
    match group {
        Group::Xds => return groups::xds(xds(state), state.stream(), name),
        Group::Node => return groups::of_node(xds(state), name),
        Group::Opaque => return None,
        _ => {}
    }
    let stream = state.stream()?;
    match group {
        Group::Request => groups::request(stream, state.now, name),
        Group::Response => groups::response(stream, name),
        Group::Source => groups::address(stream.attributes.source, name),
        Group::Destination => groups::address(stream.attributes.destination, name),
        Group::Connection => groups::connection(stream, name),
        Group::Upstream => groups::upstream(stream, name),
        Group::FilterState => filter_state(stream, name),
        Group::Xds | Group::Node | Group::Opaque => None,
    }
}

fn filter_state<'a>(stream: &'a StreamState, key: &[u8]) -> Option<Found<'a>> {
    let state = &stream.filter_state;
    let (_, value) = state.iter().find(|(own, _)| own == key)?;
    Some(Found::Bytes(value))
}

/// Pairs as header maps have them; each name once, with its first value.
fn write_headers(headers: Option<&HeaderMap>, out: &mut Vec<u8>) {
    let mut once = HeaderMap::new();
    for (name, value) in headers.into_iter().flat_map(HeaderMap::iter) {
        if once.get(name).is_none() {
            once.append(name, value);
        }
    }
    let start = out.len();
    out.resize(start + super::pairs::size(&once), 0);
    if let Some(place) = out.get_mut(start..) {
        // The place has the size that was asked for.
        let _ = super::pairs::write(&once, place);
    }
}

/// All values of a header, joined as Envoy joins them.
fn joined<'a>(headers: &'a HeaderMap, name: &[u8]) -> Option<Found<'a>> {
    let values: Vec<&[u8]> = headers
        .iter()
        .filter(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect();
    match values.as_slice() {
        // `get` knows other names of a header as well.
        [] | [_] => headers.get(name).map(Found::Bytes),
        several => Some(Found::Value(Value::Bytes(several.join(&b',')))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_zero_bytes_and_one_at_its_end_says_nothing() {
        let cut = |path: &'static [u8]| segments(path).collect::<Vec<_>>();

        assert_eq!(cut(b"request\0path"), [&b"request"[..], b"path"]);
        assert_eq!(cut(b"request\0path\0"), [&b"request"[..], b"path"]);
        assert_eq!(cut(b"request\0\0path"), [&b"request"[..], b"", b"path"]);
        assert_eq!(cut(b"\0request"), [&b""[..], b"request"]);
        assert!(cut(b"").is_empty());
    }
}

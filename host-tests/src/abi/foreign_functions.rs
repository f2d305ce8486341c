//! What foreign functions do. Their arguments are bytes or protocol buffers.
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::foreign::Given;
use crate::protobuf::{self, Value};
use crate::state::VmState;
use crate::status::Status;

/// zlib, at its default level.
pub(super) fn compress(bytes: &[u8]) -> Given {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map(Some)
        .map_err(|_| Status::SerializationFailure)
}

/// zlib; what follows a complete stream does not matter.
pub(super) fn uncompress(bytes: &[u8]) -> Given {
    let mut plain = Vec::new();
    ZlibDecoder::new(bytes)
        .read_to_end(&mut plain)
        .map_err(|_| Status::SerializationFailure)?;
    Ok(Some(plain))
}

/// `SetEnvoyFilterStateArguments`: path 1, value 2, span 3. Only objects that some extension knows by name.
pub(super) fn set_envoy_filter_state(state: &mut VmState, arguments: &[u8]) -> Given {
    let fields = protobuf::fields(arguments).ok_or(Status::BadArgument)?;
    let path = last_text(&fields, 1)?.as_bytes();
    let value = last_text(&fields, 2)?;
    if !is_object(path, value).ok_or(Status::NotFound)? {
        return Err(Status::BadArgument);
    }
    let stream = state.stream_mut().ok_or(Status::NotFound)?;
    stream.set_filter_state(path, value.as_bytes());
    Ok(None)
}

/// Whether `value` makes an object of that name; `None` where there is no such object.
fn is_object(name: &[u8], value: &str) -> Option<bool> {
    let number = value.parse::<u64>().is_ok();
    let address = value.parse::<SocketAddr>().is_ok();
    Some(match name {
        b"envoy.ratelimit.hits_addend"
        | b"envoy.tcp_proxy.per_connection_idle_timeout_ms"
        | b"envoy.upstream.dynamic_port" => number,
        b"envoy.network.ip" => value.parse::<IpAddr>().is_ok(),
        b"envoy.network.transport_socket.original_dst_address"
        | b"envoy.filters.listener.original_dst.local_ip"
        | b"envoy.filters.listener.original_dst.remote_ip" => address,
        b"envoy.ai.llm_protocol.request"
        | b"envoy.ai.model.request"
        | b"envoy.bool"
        | b"envoy.hashable_string"
        | b"envoy.network.application_protocols"
        | b"envoy.network.network_namespace"
        | b"envoy.network.transport_socket.http_11_proxy.info"
        | b"envoy.network.upstream_server_name"
        | b"envoy.network.upstream_subject_alt_names"
        | b"envoy.router.debug_config"
        | b"envoy.string"
        | b"envoy.tcp_proxy.cluster"
        | b"envoy.tcp_proxy.disable_tunneling"
        | b"envoy.upstream.dynamic_host" => true,
        _ => return None,
    })
}

/// `DeclarePropertyArguments`: name 1, readonly 2, type 3, schema 4, span 5. It counts for later `set_property` where a
/// root context declares it; a second declaration of the same context is refused.
pub(super) fn declare_property(state: &mut VmState, arguments: &[u8]) -> Given {
    let fields = protobuf::fields(arguments).ok_or(Status::BadArgument)?;
    let name = last_text(&fields, 1)?.as_bytes().to_vec();
    let read_only = fields.iter().rev().find_map(|(number, value)| match value {
        Value::Varint(flag) if *number == 2 => Some(*flag != 0),
        _ => None,
    });
    let context = state.called_context;
    match state.declarations.entry((context, name)) {
        std::collections::hash_map::Entry::Occupied(_) => Err(Status::BadArgument),
        std::collections::hash_map::Entry::Vacant(place) => {
            place.insert(read_only.unwrap_or(false));
            Ok(None)
        }
    }
}

/// Expressions are named by four bytes.
pub(super) fn expression_token(arguments: &[u8]) -> Result<(), Status> {
    match arguments.len() {
        4 => Ok(()),
        _ => Err(Status::BadArgument),
    }
}

/// `VerifySignatureArguments`: hash function 1. The result is a message: `error` is 2, `result` is false.
pub(super) fn verify_signature(arguments: &[u8]) -> Given {
    let fields = protobuf::fields(arguments).ok_or(Status::BadArgument)?;
    if fields.is_empty() {
        return Err(Status::BadArgument);
    }
    let hash = last_text(&fields, 1)?;
    let error = match hash.to_ascii_lowercase().as_str() {
        "sha1" | "sha224" | "sha256" | "sha384" | "sha512" => {
            "Failed to initialize digest verify.".to_owned()
        }
        _ => format!("{hash} is not supported."),
    };
    let mut result = vec![2 << 3 | 2];
    let mut length = error.len();
    while length > 0x7f {
        result.push((length & 0x7f | 0x80) as u8);
        length >>= 7;
    }
    result.push(length as u8);
    result.extend_from_slice(error.as_bytes());
    Ok(Some(result))
}

/// The last value of a `string` or `bytes` field, nothing where it is missing.
fn last_text<'a>(fields: &[(u64, Value<'a>)], wanted: u64) -> Result<&'a str, Status> {
    let bytes = fields.iter().rev().find_map(|(number, value)| match value {
        Value::Bytes(bytes) if *number == wanted => Some(*bytes),
        _ => None,
    });
    protobuf::text(bytes.unwrap_or_default()).ok_or(Status::BadArgument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zlib_is_byte_for_byte_envoys_on_small_inputs() {
        let squeezed = |bytes: &[u8]| compress(bytes).unwrap().unwrap();

        assert_eq!(squeezed(b"a"), b"x\x9cK\x04\x00\x00b\x00b");
        assert_eq!(squeezed(b""), b"x\x9c\x03\x00\x00\x00\x00\x01");
        assert_eq!(
            squeezed(b"hello hello hello"),
            b"x\x9c\xcbH\xcd\xc9\xc9W\xc8@\x90\x00:.\x06}"
        );
    }

    #[test]
    fn broken_streams_are_refused_and_trailing_bytes_are_not() {
        let hello = compress(b"hello").unwrap().unwrap();

        assert_eq!(uncompress(&hello), Ok(Some(b"hello".to_vec())));
        let longer = [&hello[..], b"trail"].concat();
        assert_eq!(uncompress(&longer), Ok(Some(b"hello".to_vec())));
        for broken in [&b"garbage"[..], b"", &hello[..hello.len() - 3]] {
            assert_eq!(uncompress(broken), Err(Status::SerializationFailure));
        }
    }

    #[test]
    fn a_signature_cannot_be_verified_and_an_unknown_hash_is_named() {
        let error = |arguments: &[u8]| verify_signature(arguments).unwrap().unwrap();

        assert_eq!(
            error(b"\x0a\x04nope\x12\x01k"),
            b"\x12\x16nope is not supported."
        );
        assert_eq!(
            error(b"\x0a\x06SHA256\x12\x01k"),
            b"\x12\x23Failed to initialize digest verify."
        );
        assert_eq!(verify_signature(b""), Err(Status::BadArgument));
        assert_eq!(verify_signature(b"\xff"), Err(Status::BadArgument));
    }

    #[test]
    fn objects_are_known_by_name_and_numbers_are_checked() {
        assert_eq!(is_object(b"envoy.string", "v"), Some(true));
        assert_eq!(is_object(b"envoy.ratelimit.hits_addend", "x"), Some(false));
        assert_eq!(is_object(b"nope", "v"), None);
    }
}

use weir_engine::time::Timestamp;
use weir_host::{Attributes, Exchange, Value};

use crate::fixture::{self, config, said, worker, worker_with};

fn read(path: &str) -> String {
    let mut worker = worker(fixture::property(), path);
    worker.set_now(Timestamp::from_unix_nanos(0x6161_6161_6161_6161));
    let mut exchange = Exchange::get("/v1/models?a=b")
        .with_header("x-k", "v")
        .with_header("x-request-id", "id-1");
    exchange.attributes = Attributes {
        extra: vec![(
            b"metadata\0filter_metadata\0jwt\0sub".to_vec(),
            Value::Bytes(b"alice".to_vec()),
        )],
        ..Attributes::default()
    };
    said(&worker.exchange(&exchange))
        .split(", ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn attributes_have_envoys_values() {
    for (path, value) in [
        ("request\0path", "/v1/models?a=b"),
        ("request\0url_path", "/v1/models"),
        ("request\0query", "a=b"),
        ("request\0method", "GET"),
        ("request\0host", "api.example"),
        ("request\0id", "id-1"),
        ("request\0protocol", "HTTP/1.1"),
        ("request\0headers\0x-k", "v"),
        ("request\0time", "aaaaaaaa"),
        ("request\0path\0", "/v1/models?a=b"),
        ("request\0headers\0host", "api.example"),
        ("request\0size", "\0\0\0\0\0\0\0\0"),
        ("response\0headers", "\0\0\0\0"),
        ("response\0trailers", "\0\0\0\0"),
        ("response\0flags", "\0\0\0\0\0\0\0\0"),
        ("source\0address", "127.0.0.1:49152"),
        ("connection\0mtls", "\0"),
        ("connection\0requested_server_name", ""),
        ("upstream\0request_attempt_count", "\0\0\0\0\0\0\0\0"),
        ("xds\0virtual_host_name", "stage"),
        ("xds\0node\0id", "stage"),
        ("xds\0listener_direction", "\0\0\0\0\0\0\0\0"),
        ("metadata", ""),
        ("metadata\0filter_metadata", "\0\0\0\0"),
        ("plugin_name", "probe"),
        ("metadata\0filter_metadata\0jwt\0sub", "alice"),
    ] {
        assert_eq!(read(path), value, "{path:?}");
    }
}

#[test]
fn what_is_not_there_has_envoys_status() {
    for (path, status) in [
        ("node", 1),
        ("request\0nonsense", 1),
        ("", 3),
        ("filter_state", 3),
        ("request", 3),
        ("source", 3),
        ("xds", 3),
        ("request\0", 3),
        ("\0request", 1),
        ("request\0\0path", 1),
        ("request\0path\0x", 1),
        ("request.path", 1),
        ("request\0trailers", 1),
        ("request\0duration", 1),
        ("response\0code", 1),
        ("response\0code_details", 1),
        ("response\0grpc_status", 1),
        ("response\0headers\0:status", 1),
        ("upstream\0address", 1),
        ("upstream_filter_state", 1),
        ("connection\0tls_version", 1),
        ("metadata\0filter_metadata\0none", 1),
        ("xds\0upstream_host_metadata", 1),
        ("plugin_name\0x", 1),
    ] {
        assert_eq!(read(path), format!("a {status}"), "{path:?}");
    }
}

#[test]
fn a_set_property_is_filter_state_under_its_prefix() {
    assert_eq!(read("weir.decision"), "{}");
    assert_eq!(read("filter_state\0wasm.weir.decision"), "{}");
    assert_eq!(read("wasm.weir.decision"), "a 1");

    let outcome = worker(fixture::property(), "plugin_name").exchange(&Exchange::get("/"));
    assert_eq!(outcome.filter_state("wasm.weir.decision"), Some(&b"{}"[..]));
}

#[test]
fn the_log_sees_the_response_code_and_the_request_again() {
    let code = worker(fixture::property(), "response\0code").exchange(&Exchange::get("/"));
    let path =
        worker_with(fixture::property(), config("request\0path")).exchange(&Exchange::get("/p"));

    // 200 in 8 bytes, of which the first is no UTF-8.
    assert_eq!(code.log.last().unwrap().message, "\u{fffd}\0\0\0\0\0\0\0");
    assert_eq!(said(&path), "/p, /p");
}

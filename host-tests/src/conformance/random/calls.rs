//! Hostcalls with drawn arguments.
use serde_json::{Map, Value, json};

use super::Draw;

/// One call of a script.
pub(super) fn call(name: &str, arguments: impl IntoIterator<Item = Value>) -> Map<String, Value> {
    let arguments = arguments.into_iter().collect();
    Map::from_iter([(name.to_owned(), Value::Array(arguments))])
}

/// Whether it writes to trailers, or asks for their size, which makes them as well.
pub(super) fn makes_trailers(call: &Map<String, Value>) -> bool {
    call.iter().any(|(name, arguments)| {
        let of_trailers = matches!(arguments.get(0).and_then(Value::as_u64), Some(1 | 3));
        of_trailers && name.contains("header_map") && !name.contains("get_header_map_value")
    })
}

/// Whether it reads or writes a body.
pub(super) fn is_about_bodies(call: &Map<String, Value>) -> bool {
    call.iter().any(|(name, arguments)| {
        let of_bodies = matches!(arguments.get(0).and_then(Value::as_u64), Some(0 | 1));
        name.contains("buffer") && of_bodies
    })
}

/// Property paths whose values are the same in every proxy.
const PROPERTIES: &[&[&str]] = &[
    &["request", "path"],
    &["request", "url_path"],
    &["request", "query"],
    &["request", "host"],
    &["request", "scheme"],
    &["request", "method"],
    &["request", "protocol"],
    &["request", "headers", "x-a"],
    &["request", "useragent"],
    &["response", "code"],
    &["response", "code_details"],
    &["response", "size"],
    &["response", "headers", "x-a"],
    &["response", "trailers", "x-trailer"],
    &["connection", "mtls"],
    &["plugin_name"],
    &["plugin_root_id"],
    &["plugin_vm_id"],
    &["filter_state"],
    &["filter_state", "wasm.mine"],
    &["mine"],
    &["nothing"],
    &["request", "nothing"],
    &[],
];

impl Draw {
    /// What turns the stream: a continuation, a reply, an end.
    pub(super) fn turn(&mut self, callback: &str) -> Map<String, Value> {
        let responds = match callback {
            "http_call_response" => self.calls_out_in.starts_with("response"),
            callback => callback.starts_with("response"),
        };
        match self.below(10) {
            _ if callback == "http_call_response" && self.chance(80) => {
                call("continue_stream", [u32::from(responds).into()])
            }
            0..=4 => {
                let request_only: &[u32] = &[0, 0, 0, 2, 3, 4];
                let either: &[u32] = &[0, 1, 1, 1, 2, 3, 4];
                let stream = self.number(if responds { either } else { request_only });
                call("continue_stream", [stream.into()])
            }
            5..=8 if responds == self.replies_to_response => self.local_reply(),
            _ => {
                let stream = self.number(&[0, 1, 2, 3, 4]);
                call("close_stream", [stream.into()])
            }
        }
    }
    pub(super) fn call(&mut self, callback: &str) -> Map<String, Value> {
        let calls_out = callback == self.calls_out_in;
        match self.below(100) {
            0..=39 => self.header_call(),
            40..=62 => self.buffer_call(),
            63..=70 => self.property_call(),
            71..=77 => self.shared_data_call(),
            78..=86 if calls_out => self.http_call(),
            87..=90 => self.wrong_pointer(),
            91 | 92 => {
                let name = self.word(&["nothing", "clear_route_cache"]);
                call("call_foreign_function", [name.into(), "".into()])
            }
            93 => call("done", []),
            94 | 95 => call("set_effective_context", [4_000_000_000_u32.into()]),
            _ => {
                let level = self.number(&[0, 2, 3, 4, 6, 99]);
                call("log", [level.into(), "a word".into()])
            }
        }
    }
    /// Usually a header map that a stream has, sometimes one of callouts or none.
    fn map(&mut self) -> Value {
        self.number(&[0, 0, 0, 1, 2, 2, 2, 3, 4, 6, 9]).into()
    }
    fn name(&mut self) -> Value {
        self.word(&["x-a", "x-a", "X-B", "x-c", "x-trailer", "cookie", "missing"])
            .into()
    }
    fn header_call(&mut self) -> Map<String, Value> {
        let map = self.map();
        let value: Value = self.value().into();
        match self.below(9) {
            0 => {
                let name = self.word(&[":path", ":method", ":status", "host", ":authority"]);
                call("get_header_map_value", [map, name.into()])
            }
            1 | 2 => call("get_header_map_value", [map, self.name()]),
            3 => call("add_header_map_value", [map, self.name(), value]),
            4 => call("replace_header_map_value", [map, self.name(), value]),
            5 => call("remove_header_map_value", [map, self.name()]),
            6 => {
                // Not of headers, to which the stage's route and Envoy add what is not compared.
                let map = self.number(&[1, 3, 4, 6, 9]);
                call("get_header_map_size", [map.into()])
            }
            7 => {
                // Not of callouts, whose answers tell how long they took.
                let map = self.number(&[0, 0, 1, 2, 2, 3, 4, 9]);
                call("get_header_map_pairs", [map.into()])
            }
            _ => {
                // A request that lost its pseudo headers is another scenario's matter.
                let map = self.number(&[1, 3, 3]);
                let pairs = json!([["x-new", value], ["x-trailer", "t"]]);
                call("set_header_map_pairs", [map.into(), pairs])
            }
        }
    }
    fn buffer_call(&mut self) -> Map<String, Value> {
        // Not 8, which is whatever buffer was looked at last, even if it is gone.
        let buffer = self.number(&[0, 0, 0, 1, 1, 1, 2, 4, 5, 6, 7, 9]);
        let start = self.number(&[0, 0, 0, 1, 3, 100, u32::MAX]);
        let length = self.number(&[0, 1, 4, 100, u32::MAX]);
        match self.below(5) {
            0 | 1 => call(
                "get_buffer_bytes",
                [buffer.into(), start.into(), length.into()],
            ),
            2 => call("get_buffer_status", [buffer.into()]),
            _ => {
                let data = self.word(&["", "Z", "replaced", "\u{e9}"]);
                call(
                    "set_buffer_bytes",
                    [buffer.into(), start.into(), length.into(), data.into()],
                )
            }
        }
    }
    fn property_call(&mut self) -> Map<String, Value> {
        if self.chance(25) {
            let value = self.value();
            return call("set_property", [json!(["mine"]), value.into()]);
        }
        let path = self.one(PROPERTIES).unwrap_or_default();
        call("get_property", [json!(path)])
    }
    /// Keys are the scenario's own.
    fn shared_data_call(&mut self) -> Map<String, Value> {
        let ordinal = self.below(2);
        let key = format!("{}-{ordinal}", self.seed);
        match self.below(4) {
            0 | 1 => call("get_shared_data", [key.into()]),
            2 => {
                // `$cas` would be whatever any stream of the VM has read last.
                let version = self.number(&[1, 77, u32::MAX]);
                call("set_shared_data", [key.into(), "v".into(), version.into()])
            }
            _ => call("set_shared_data", [key.into(), "w".into(), 0.into()]),
        }
    }
    fn local_reply(&mut self) -> Map<String, Value> {
        let status = self.number(&[200, 403, 429, 503]);
        let body = self.word(&["", "no", "a longer refusal"]);
        let headers = match self.chance(50) {
            true => json!([["X-Reply", "yes"], ["x-a", "reply"]]),
            false => json!([]),
        };
        let details = self.word(&["", "because", "my details"]);
        call(
            "send_local_response",
            [
                status.into(),
                details.into(),
                body.into(),
                headers,
                json!(-1),
            ],
        )
    }
    fn http_call(&mut self) -> Map<String, Value> {
        let upstream = self.word(&["answers", "answers", "answers", "resets", "empty", "none"]);
        let path = self.word(&["/status/200", "/status/403", "/bytes/5", "/trailers"]);
        let mut head = vec![
            [":method", "GET"],
            [":path", path],
            [":authority", "callout"],
        ];
        if self.chance(10) {
            head.truncate(2);
        }
        call(
            "http_call",
            [
                upstream.into(),
                json!(head),
                "".into(),
                json!([]),
                5000.into(),
            ],
        )
    }
    fn wrong_pointer(&mut self) -> Map<String, Value> {
        let far = u32::MAX - 16;
        match self.below(4) {
            0 => call(
                "raw",
                ["proxy_log".into(), 2.into(), far.into(), 100.into()],
            ),
            1 => call(
                "raw",
                [
                    "proxy_get_header_map_value".into(),
                    0.into(),
                    far.into(),
                    100.into(),
                    json!("out"),
                    json!("out"),
                ],
            ),
            2 => call(
                "raw",
                [
                    "proxy_set_shared_data".into(),
                    far.into(),
                    100.into(),
                    0.into(),
                    0.into(),
                    0.into(),
                ],
            ),
            _ => call(
                "raw",
                [
                    "proxy_get_buffer_bytes".into(),
                    0.into(),
                    0.into(),
                    10.into(),
                    far.into(),
                    far.into(),
                ],
            ),
        }
    }
}

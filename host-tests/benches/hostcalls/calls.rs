//! One hostcall after the other, each many times in one callback.
use std::hint::black_box;

use weir_host::{Exchange, Host, HostConfig, Plugin, PluginConfig};

use crate::plain::{Import, Plain};
use crate::{Figure, HOSTCALL_TARGET_NS, alternate};

/// Calls of a round.
const CALLS: u32 = 1_000;
/// Bytes of the request's body.
const BODY: usize = 2_000;
/// The value that shared data holds.
const VALUE: u32 = 512;

/// The shape of an import's parameters; all are i32 except where said.
#[derive(Clone, Copy)]
pub(crate) enum Parameters {
    One,
    Two,
    /// i32 and i64.
    Number,
    Three,
    Four,
    Five,
}

impl Parameters {
    const fn types(self) -> &'static str {
        match self {
            Self::One => "i32",
            Self::Two => "i32 i32",
            Self::Number => "i32 i64",
            Self::Three => "i32 i32 i32",
            Self::Four => "i32 i32 i32 i32",
            Self::Five => "i32 i32 i32 i32 i32",
        }
    }
}

struct Case {
    label: &'static str,
    import: Import,
    /// Arguments as WebAssembly text.
    arguments: &'static str,
    callback: &'static str,
}

const HEADERS: &str = "proxy_on_request_headers";
const BODY_CALLBACK: &str = "proxy_on_request_body";

fn case(
    label: &'static str,
    name: &'static str,
    parameters: Parameters,
    allocates: u32,
    arguments: &'static str,
) -> Case {
    let in_body = name.contains("buffer");
    Case {
        label,
        import: Import {
            name,
            parameters,
            allocates,
        },
        arguments,
        callback: if in_body { BODY_CALLBACK } else { HEADERS },
    }
}

// Addresses of the guest: texts below 256, returned numbers at 1024 to 1032, a value at 2048.
#[rustfmt::skip] // a table
fn cases() -> Vec<Case> {
    use Parameters::{Five, Four, Number, One, Three, Two};
    vec![
        case("current time", "proxy_get_current_time_nanoseconds", One, 0, "(i32.const 1024)"),
        case("log level", "proxy_get_log_level", One, 0, "(i32.const 1024)"),
        case("log, level disabled", "proxy_log", Three, 0, "(i32.const 1) (i32.const 0) (i32.const 11)"),
        case("header value", "proxy_get_header_map_value", Five, 4,
            "(i32.const 0) (i32.const 16) (i32.const 12) (i32.const 1024) (i32.const 1028)"),
        case("header value, missing", "proxy_get_header_map_value", Five, 0,
            "(i32.const 0) (i32.const 32) (i32.const 9) (i32.const 1024) (i32.const 1028)"),
        case("header pairs", "proxy_get_header_map_pairs", Three, 200, "(i32.const 0) (i32.const 1024) (i32.const 1028)"),
        case("header map size", "proxy_get_header_map_size", Two, 0, "(i32.const 0) (i32.const 1024)"),
        case("replace header", "proxy_replace_header_map_value", Five, 0,
            "(i32.const 0) (i32.const 16) (i32.const 12) (i32.const 48) (i32.const 4)"),
        case("property", "proxy_get_property", Four, 1, "(i32.const 64) (i32.const 12) (i32.const 1024) (i32.const 1028)"),
        case("set property", "proxy_set_property", Four, 0, "(i32.const 80) (i32.const 13) (i32.const 64) (i32.const 12)"),
        case("buffer bytes, 2000", "proxy_get_buffer_bytes", Five, BODY as u32,
            "(i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 1024) (i32.const 1028)"),
        case("buffer status", "proxy_get_buffer_status", Three, 0, "(i32.const 0) (i32.const 1024) (i32.const 1028)"),
        case("shared data, 512", "proxy_get_shared_data", Five, VALUE,
            "(i32.const 0) (i32.const 11) (i32.const 1024) (i32.const 1028) (i32.const 1032)"),
        case("set shared data, 512", "proxy_set_shared_data", Five, 0,
            "(i32.const 0) (i32.const 11) (i32.const 2048) (i32.const 512) (i32.const 0)"),
        case("increment metric", "proxy_increment_metric", Number, 0, "(i32.const 4) (i64.const 1)"),
        case("record metric", "proxy_record_metric", Number, 0, "(i32.const 4) (i64.const 1)"),
        case("metric", "proxy_get_metric", Two, 0, "(i32.const 4) (i32.const 1024)"),
        case("effective context", "proxy_set_effective_context", One, 0, "(i32.const 1)"),
    ]
}

impl Case {
    /// A guest that prepares a shared value and a counter (id 4) and makes [`CALLS`] calls in its callback.
    fn guest(&self) -> String {
        let Self {
            import,
            arguments,
            callback,
            ..
        } = self;
        let (name, types) = (import.name, import.parameters.types());
        format!(
            r#"(module
            (import "env" "{name}" (func $call (param {types}) (result i32)))
            (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 4)
            (data (i32.const 0) "bucket-0000")
            (data (i32.const 16) "x-account-id")
            (data (i32.const 32) "x-missing")
            (data (i32.const 48) "a-17")
            (data (i32.const 64) "request\00path")
            (data (i32.const 80) "weir.decision")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
            (func (export "proxy_on_configure") (param i32 i32) (result i32)
              (drop (call $set (i32.const 0) (i32.const 11) (i32.const 2048) (i32.const {VALUE}) (i32.const 0)))
              (drop (call $define (i32.const 0) (i32.const 16) (i32.const 12) (i32.const 1024)))
              (i32.const 1))
            (func (export "{callback}") (param i32 i32 i32) (result i32) (local $left i32)
              (local.set $left (i32.const {CALLS}))
              (loop $again
                (drop (call $call {arguments}))
                (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
              (i32.const 0)))"#
        )
    }

    fn measure(&self) -> Result<Figure, Box<dyn std::error::Error>> {
        let guest = self.guest();
        let host = Host::new(HostConfig::default())?;
        let mut worker =
            Plugin::load(&host, guest.as_bytes(), PluginConfig::named("bench"))?.worker()?;
        let exchange = Exchange::post("/v1/chat/completions", "x".repeat(BODY))
            .with_header("authorization", "Bearer 0123456789abcdef")
            .with_header("x-account-id", "a-17");
        let mut plain = Plain::start(&guest, Some(&self.import))?;
        let callback = plain
            .instance
            .get_typed_func::<(u32, u32, u32), u32>(&mut plain.store, self.callback)?;
        let in_body = self.callback == BODY_CALLBACK;
        let (ours_ns, wasmtime_ns) = alternate(
            CALLS,
            || {
                let mut stream = worker.stream();
                stream.request_headers(&exchange.request.headers, false);
                if in_body {
                    stream.request_body(&exchange.request.body, true);
                }
                black_box(stream.close());
            },
            || {
                // A trap would show as a figure far too small.
                let _ = black_box(callback.call(&mut plain.store, (2, 0, 0)));
            },
        );
        let added_ns = ours_ns - wasmtime_ns;
        Ok(Figure {
            name: self.label.to_owned(),
            guest_calls: u64::from(self.import.allocates != 0),
            ours_ns,
            wasmtime_ns,
            added_ns,
            ratio: ours_ns / wasmtime_ns,
            target_ns: HOSTCALL_TARGET_NS,
            reached: added_ns <= HOSTCALL_TARGET_NS,
        })
    }
}

pub(crate) fn measure() -> Result<Vec<Figure>, Box<dyn std::error::Error>> {
    cases().iter().map(Case::measure).collect()
}

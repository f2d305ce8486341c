//! A stream from its first header to its deletion, with a plugin whose callbacks do nothing.
use std::hint::black_box;

use weir_host::{Exchange, Host, HostConfig, Message, Plugin, PluginConfig};

use crate::plain::Plain;
use crate::{Figure, STREAM_TARGET_NS, alternate};

/// Streams of a round.
const STREAMS: u32 = 50;

/// Every callback of a stream, doing nothing.
const GUEST: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) (i32.const 0))
  (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_delete") (param i32)))"#;

fn figure(name: &str, exchange: &Exchange) -> Result<Figure, Box<dyn std::error::Error>> {
    let host = Host::new(HostConfig::default())?;
    let mut worker =
        Plugin::load(&host, GUEST.as_bytes(), PluginConfig::named("nothing"))?.worker()?;
    let before = worker.vm_entries();
    worker.exchange(exchange);
    let guest_calls = worker.vm_entries() - before;

    let mut plain = Plain::start(GUEST, None)?;
    let callback = plain
        .instance
        .get_typed_func::<(u32, u32, u32), u32>(&mut plain.store, "proxy_on_request_headers")?;
    let (ours_ns, wasmtime_ns) = alternate(
        STREAMS,
        || {
            for _ in 0..STREAMS {
                black_box(worker.exchange(black_box(exchange)));
            }
        },
        || {
            for _ in 0..u64::from(STREAMS) * guest_calls {
                // It does not trap.
                let _ = black_box(callback.call(&mut plain.store, (2, 0, 0)));
            }
        },
    );
    Ok(Figure {
        name: name.to_owned(),
        guest_calls,
        ours_ns,
        wasmtime_ns,
        added_ns: ours_ns - wasmtime_ns,
        ratio: ours_ns / wasmtime_ns,
        target_ns: STREAM_TARGET_NS,
        reached: ours_ns <= STREAM_TARGET_NS,
    })
}

pub(crate) fn measure() -> Result<Vec<Figure>, Box<dyn std::error::Error>> {
    let get = Exchange::get("/v1/models").with_header("authorization", "Bearer 0123456789abcdef");
    let post = Exchange::post("/v1/chat/completions", "x".repeat(2_000))
        .with_header("authorization", "Bearer 0123456789abcdef")
        .with_header("x-account-id", "a-17")
        .answered_by(Message::response(200, "y".repeat(500)));
    Ok(vec![
        figure("GET, no bodies", &get)?,
        figure("POST, 2000 B, answer 500 B", &post)?,
    ])
}

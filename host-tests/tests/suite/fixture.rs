//! Guests and what they logged.
use weir_host::{Host, HostConfig, LogLine, Outcome, Plugin, PluginConfig, Worker};

macro_rules! guests {
    ($($name:ident = $file:literal,)*) => {
        $(pub(crate) fn $name() -> Vec<u8> {
            concat!("(module\n", include_str!("../guests/prelude.wat"), include_str!(concat!("../guests/", $file)), ")")
                .into()
        })*
    };
}

guests! {
    headers = "headers.wat",
    script = "script.wat",
    reply = "reply.wat",
    counter = "counter.wat",
    cas = "cas.wat",
    memory = "memory.wat",
    rewrite = "rewrite.wat",
    trap = "trap.wat",
    property = "property.wat",
    restricted = "restricted.wat",
    busy = "busy.wat",
    random = "random.wat",
    callout = "callout.wat",
    grpc = "grpc.wat",
    queue = "queue.wat",
    foreign = "foreign.wat",
    callout_arguments = "callout_arguments.wat",
    faults = "faults.wat",
    starts = "starts.wat",
    life = "life.wat",
    after = "after.wat",
    traced = "traced.wat",
    updates = "updates.wat",
    waits = "waits.wat",
}

/// A guest whose allocator does something first: `log`, `size`, `context`, `random`, `trap`, or answers `zero` or an
/// address `outside`. In request headers it says what getting `x-m` gave, and the map's size after it.
pub(crate) fn allocating(what: &str) -> Vec<u8> {
    let first = match what {
        "log" => "(drop (call $log (i32.const 2) (i32.const 3000) (i32.const 3)))",
        "size" => "(drop (call $get_size (i32.const 0) (i32.const 5000)))",
        "context" => "(drop (call $set_context (i32.const 1)))",
        "random" => "(drop (call $random (i32.const 64) (i32.const 8)))",
        "trap" => "unreachable",
        "zero" => "(return (i32.const 0))",
        "outside" => "(return (i32.const -16))",
        other => panic!("no allocator does {other}"),
    };
    let exported = r#"(func (export "proxy_on_memory_allocate") (param $size i32) (result i32)"#;
    let allocator = format!(
        r#"(data (i32.const 3000) "x-m")
        {exported} {first} (call $allocate (local.get $size)))
        (func $allocate (param $size i32) (result i32)"#
    );
    let prelude = include_str!("../guests/prelude.wat").replace(exported, &allocator);
    let callback = r#"
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $say (i32.const 0x68) (call $get_header (i32.const 0) (i32.const 3000) (i32.const 3)
            (i32.const 4096) (i32.const 4100)))
          (call $say (i32.const 0x69) (call $get_size (i32.const 0) (i32.const 5000)))
          (i32.const 0))"#;
    format!("(module {prelude} {callback})").into()
}

pub(crate) fn host() -> Host {
    Host::new(HostConfig::default()).unwrap()
}

/// A configuration that lets bodies be seen while headers wait, as Weir runs.
pub(crate) fn config(configuration: &str) -> PluginConfig {
    PluginConfig {
        configuration: configuration.into(),
        allow_on_headers_stop_iteration: true,
        ..PluginConfig::named("probe")
    }
}

pub(crate) fn worker(guest: Vec<u8>, configuration: &str) -> Worker {
    worker_with(guest, config(configuration))
}

pub(crate) fn worker_with(guest: Vec<u8>, config: PluginConfig) -> Worker {
    Plugin::load(&host(), &guest, config)
        .unwrap()
        .worker()
        .unwrap()
}

pub(crate) fn messages(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.message.as_str()).collect()
}

/// The messages joined by commas, for comparing a whole run at a glance.
pub(crate) fn said(outcome: &Outcome) -> String {
    messages(&outcome.log).join(", ")
}

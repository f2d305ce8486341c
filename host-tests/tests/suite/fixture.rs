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

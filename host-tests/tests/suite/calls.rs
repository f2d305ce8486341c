//! Calls as lines, and what they cost by callback.
use std::sync::{Arc, Mutex};

use weir_host::calls::{CallEvent, CallPrinter, Profiler};
use weir_host::{Exchange, Host, HostConfig, Plugin, Worker};

use crate::fixture::{self, config};

/// A worker whose every call goes to `sink`, canary included.
fn observed(
    guest: &[u8],
    sink: impl Fn(&CallEvent<'_>) + Send + Sync + 'static,
    fuel: bool,
) -> Worker {
    let host = Host::new(HostConfig {
        calls: Some(Arc::new(sink)),
        fuel,
        ..HostConfig::default()
    })
    .unwrap();
    let plugin = Plugin::load(&host, guest, config("")).unwrap();
    plugin.worker().unwrap()
}

#[test]
fn calls_read_like_strace() {
    let printed = Arc::new(Mutex::new((CallPrinter::default(), String::new())));
    let lines = Arc::clone(&printed);
    let sink = move |event: &CallEvent<'_>| {
        let (printer, text) = &mut *lines.lock().unwrap();
        printer.print(event, text);
    };
    let mut worker = observed(&fixture::traced(), sink, false);

    worker.exchange(&Exchange::get("/p").with_header("x-a", "b"));

    let expected = r#"[canary 0 ctx 1] proxy_on_configure(1, 0) {
[canary 0 ctx 1]   proxy_define_metric(COUNTER, "x-a") = OK 4
[canary 0 ctx 1] } = true
[vm 0 ctx 1] proxy_on_configure(1, 0) {
[vm 0 ctx 1]   proxy_define_metric(COUNTER, "x-a") = OK 4
[vm 0 ctx 1] } = true
[vm 0 ctx 2] proxy_on_request_headers(2, 6, end) {
[vm 0 ctx 2]   proxy_get_header_map_value(REQUEST_HEADERS, "x-a") = OK "b"
[vm 0 ctx 2]   proxy_get_header_map_value(REQUEST_HEADERS, "x-missing") = NOT_FOUND
[vm 0 ctx 2]   proxy_get_header_map_value(77, 4294967295 bytes at 0x10, out of bounds) = BAD_ARGUMENT
[vm 0 ctx 2]   proxy_set_shared_data("x-a", "a \"value\"\n", 0) = OK
[vm 0 ctx 2]   proxy_get_shared_data("x-a") = OK "a \"value\"\n", 1
[vm 0 ctx 2]   proxy_get_header_map_pairs(REQUEST_HEADERS) = OK [":authority": "api.example", ":path": "/p", ":method": "GET", ":scheme": "http", "x-forwarded-proto": "http", "x-a": "b"]
[vm 0 ctx 2]   proxy_increment_metric(4, 2) = OK
[vm 0 ctx 2]   proxy_log(INFO, "x-a") = OK
[vm 0 ctx 2]   random_get(4096, 4) = 0
[vm 0 ctx 2] } = StopIteration
[vm 0 ctx 2] proxy_on_log(2)
[vm 0 ctx 2] proxy_on_done(2) {
[vm 0 ctx 2]   proxy_get_current_time_nanoseconds() = OK 0
[vm 0 ctx 2] } = trap
"#;
    assert_eq!(printed.lock().unwrap().1, expected);
}

#[test]
fn a_profile_tells_calls_hostcalls_and_fuel_of_each_callback() {
    let profiler = Arc::new(Mutex::new(Profiler::default()));
    let sums = Arc::clone(&profiler);
    let sink = move |event: &CallEvent<'_>| sums.lock().unwrap().observe(event);
    let mut worker = observed(&fixture::busy(), sink, true);

    for _ in 0..3 {
        worker.exchange(&Exchange::post("/", "body"));
    }

    let profile = profiler.lock().unwrap().profile().clone();
    let headers = &profile.callbacks["proxy_on_request_headers"];
    assert_eq!(
        (
            headers.calls,
            headers.hostcalls["proxy_get_header_map_pairs"]
        ),
        (3, 3)
    );
    let all: u64 = profile
        .callbacks
        .values()
        .filter_map(|callback| callback.fuel)
        .sum();
    let canary = profile.callbacks["proxy_on_configure"].fuel.unwrap() / 2;
    assert_eq!(Some(all - canary), worker.fuel());
    assert!(
        profile.to_string().contains("proxy_set_shared_data"),
        "{profile}"
    );
}

#[test]
fn what_guests_get_is_the_same_with_and_without_a_sink() {
    let exchange = Exchange::post("/", "body").with_header("x-a", "b");

    let traced = observed(&fixture::headers(), |_| (), false).exchange(&exchange);

    assert_eq!(
        traced,
        fixture::worker(fixture::headers(), "").exchange(&exchange)
    );
}

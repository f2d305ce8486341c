use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    End, Exchange, FailurePolicy, Host, HostConfig, Message, Plugin, PluginConfig, Stat, Stranding,
    Worker,
};

use crate::fixture::{self, config, worker_with};

fn trapping(policy: FailurePolicy) -> Worker {
    worker_with(
        fixture::trap(),
        PluginConfig {
            failure_policy: policy,
            ..config("")
        },
    )
}

fn exchange() -> Exchange {
    Exchange::post("/", "body").answered_by(Message::response(200, "answer"))
}

#[test]
fn a_trap_before_response_headers_is_an_empty_503_and_later_a_reset() {
    for (place, status, end) in [
        ("0", 503, End::Complete),
        ("1", 503, End::Complete),
        ("2", 503, End::Complete),
        ("3", 200, End::Reset),
    ] {
        let mut worker = trapping(FailurePolicy::Closed);

        let outcome = worker.exchange(&exchange().with_header("x-trap", place));

        assert_eq!(
            (outcome.status(), outcome.end),
            (Some(status), end),
            "in {place}"
        );
        assert_eq!(outcome.details, "wasm_fail_stream");
        assert_eq!(outcome.downstream.body, b"");
        assert!(worker.failure().unwrap().contains("unreachable"));
    }
}

#[test]
fn a_closed_worker_answers_503_for_good_while_others_serve() {
    let host = Host::new(HostConfig::default()).unwrap();
    let plugin = Plugin::load(&host, &fixture::trap(), config("")).unwrap();
    let (mut failing, mut serving) = (plugin.worker().unwrap(), plugin.worker().unwrap());
    failing.exchange(&exchange().with_header("x-trap", "0"));
    failing.set_now(Timestamp::from_unix_nanos(u64::MAX));

    assert_eq!(failing.exchange(&exchange()).status(), Some(503));
    assert_eq!(serving.exchange(&exchange()).status(), Some(200));
}

#[test]
fn an_open_worker_lets_later_streams_pass_unfiltered() {
    let mut worker = trapping(FailurePolicy::Open);

    let trapped = worker.exchange(&exchange().with_header("x-trap", "0"));
    let later = worker.exchange(&exchange().with_header("x-trap", "0"));

    assert_eq!(trapped.status(), Some(503));
    assert_eq!(
        (later.status(), later.downstream.body.as_slice()),
        (Some(200), &b"answer"[..])
    );
}

#[test]
fn a_reloading_worker_starts_a_fresh_vm_after_the_backoff() {
    let host = Host::new(HostConfig::default()).unwrap();
    let policy = FailurePolicy::Reload {
        backoff: Duration::from_secs(1),
    };
    let reloading = PluginConfig {
        failure_policy: policy,
        ..config("")
    };
    let mut worker = Plugin::load(&host, &fixture::trap(), reloading)
        .unwrap()
        .worker()
        .unwrap();
    worker.exchange(&exchange());
    let before = worker.hostcalls().total();
    worker.exchange(&exchange().with_header("x-trap", "0"));

    worker.set_now(Timestamp::from_unix_nanos(999_999_999));
    assert_eq!(worker.exchange(&exchange()).status(), Some(503));
    worker.set_now(Timestamp::from_unix_nanos(1_000_000_000));
    assert_eq!(worker.exchange(&exchange()).status(), Some(200));

    assert_eq!(worker.reloads(), 1);
    assert!(worker.hostcalls().total() > before);
    let stats = host.stats();
    assert_eq!(stats["wasm.probe.vm_reload_backoff"], Stat::Counter(1));
    assert_eq!(stats["wasm.probe.vm_reload_success"], Stat::Counter(1));
}

#[test]
fn a_stream_of_a_replaced_vm_fails_at_its_next_event() {
    let policy = FailurePolicy::Reload {
        backoff: Duration::ZERO,
    };
    let mut worker = trapping(policy);
    let mut stream = worker.stream();
    stream.request_headers(&exchange().request.headers, false);
    let orphan = stream.id();
    worker.exchange(&exchange().with_header("x-trap", "0"));
    worker.set_now(Timestamp::from_unix_nanos(1));
    assert_eq!(worker.exchange(&exchange()).status(), Some(200));

    let mut stream = worker.resume_stream(orphan).unwrap();
    stream.request_body(b"body", true);
    let outcome = stream.close();

    assert_eq!((outcome.status(), outcome.end), (Some(503), End::Complete));
    assert_eq!(worker.open_streams(), 0);
}

#[test]
fn a_trap_in_a_tick_leaves_paused_streams_stranded() {
    let mut worker = trapping(FailurePolicy::Closed);
    let mut stream = worker.stream();
    stream.request_headers(&exchange().with_header("x-trap", "6").request.headers, true);
    let id = stream.id();

    worker.tick(Timestamp::from_unix_nanos(10_000_000));

    assert!(worker.failure().is_some());
    assert!(!worker.resume_stream(id).unwrap().has_ended());
    assert_eq!(worker.next_tick(), None);
}

#[test]
fn a_trap_in_the_log_does_not_change_what_the_client_got() {
    let mut worker = trapping(FailurePolicy::Closed);

    let outcome = worker.exchange(&exchange().with_header("x-trap", "4"));

    assert_eq!((outcome.status(), outcome.end), (Some(200), End::Complete));
    assert!(worker.failure().is_some());
}

#[test]
fn a_call_that_never_returns_is_reported_as_a_hang() {
    let quick = HostConfig {
        hang_limit: Some(Duration::from_millis(20)),
        ..HostConfig::default()
    };
    let host = Host::new(quick).unwrap();
    let mut worker = Plugin::load(&host, &fixture::trap(), config(""))
        .unwrap()
        .worker()
        .unwrap();

    let outcome = worker.exchange(&exchange().with_header("x-trap", "5"));

    assert_eq!(outcome.end, End::Stranded(Stranding::WorkerHangs));
    assert_eq!(outcome.status(), None);
    assert!(worker.hangs());
    assert!(worker.failure().unwrap().contains("would hang Envoy"));
    let later = worker.exchange(&exchange());
    assert_eq!(later.end, End::Stranded(Stranding::WorkerHangs));
}

#[test]
fn a_paused_stream_without_a_trap_is_stranded_not_failed() {
    let mut worker = trapping(FailurePolicy::Closed);

    let outcome = worker.exchange(&Exchange::get("/").with_header("x-trap", "6"));

    assert_eq!(outcome.end, End::Stranded(Stranding::Request));
}

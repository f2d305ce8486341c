//! What a trap in each callback does under each policy. Each expectation was seen in Envoy 1.40.
use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    End, Exchange, FailurePolicy, Filter, HeaderMap, Host, HostConfig, Message, Outcome,
    PluginConfig, Proxy, ProxyConfig, Stat, Stranding, StreamId,
};

use crate::fixture::{self, said};

const RELOAD: FailurePolicy = FailurePolicy::Reload {
    backoff: Duration::from_secs(1),
};
const POLICIES: [FailurePolicy; 4] = [
    FailurePolicy::Closed,
    FailurePolicy::Open,
    FailurePolicy::FailOpen,
    RELOAD,
];

fn filter(name: &str, policy: FailurePolicy) -> Filter {
    Filter {
        code: fixture::faults().into(),
        config: PluginConfig {
            allow_on_headers_stop_iteration: true,
            failure_policy: policy,
            ..PluginConfig::named(name)
        },
    }
}

struct Rig {
    host: Host,
    proxy: Proxy,
}

impl Rig {
    fn new(filters: Vec<Filter>, workers: usize) -> Self {
        let host = Host::new(HostConfig::default()).unwrap();
        let config = ProxyConfig {
            workers,
            ..ProxyConfig::default()
        };
        let proxy = Proxy::start(&host, config, filters).unwrap();
        Self { host, proxy }
    }
    fn of(policy: FailurePolicy) -> Self {
        Self::new(vec![filter("a", policy)], 1)
    }
    fn run(&mut self, headers: &[(&str, &str)]) -> Outcome {
        self.proxy.exchange("a", 0, &exchange(headers)).unwrap()
    }
    fn trap(&mut self, place: &str) -> Outcome {
        let outcome = self.run(&[("x-trap", place)]);
        match place {
            // The trap itself is in what follows.
            "C" => self.run(&[]),
            "T" => {
                self.proxy.advance_to(millis(1_000));
                outcome
            }
            _ => outcome,
        }
    }
    /// A stream that its filter paused in request headers; of a request without body if it `ends` there.
    fn paused(&mut self, ends: bool) -> StreamId {
        let mut stream = self.proxy.stream("a", 0).unwrap();
        stream.request_headers(&exchange(&[("x-pause", "h")]).request.headers, ends);
        stream.id()
    }
    fn finish(&mut self, id: StreamId) -> Outcome {
        let mut stream = self.proxy.worker(0).unwrap().resume_stream(id).unwrap();
        stream.request_body(b"body", true);
        if stream.request_is_complete() {
            let answer = exchange(&[]);
            stream.response_headers(&answer_of(&answer).headers, true);
        }
        stream.close()
    }
    fn failed(&mut self) -> bool {
        self.proxy.worker(0).unwrap().failure().is_some()
    }
    fn reloads(&self) -> [u64; 4] {
        let stats = self.host.stats();
        ["", "_backoff", "_failure", "_success"].map(|event| {
            match stats[&format!("wasm.a.vm_reload{event}")] {
                Stat::Counter(value) => value,
                _ => panic!("no counter"),
            }
        })
    }
}

fn answer_of(exchange: &Exchange) -> &Message {
    match &exchange.upstream {
        weir_host::Upstream::Answers(answer) => answer,
        _ => panic!("no answer"),
    }
}

fn millis(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos(millis * 1_000_000)
}

fn exchange(headers: &[(&str, &str)]) -> Exchange {
    let mut answer = Message::new(HeaderMap::from([(":status", "200")]), "answer");
    answer.trailers = Some(HeaderMap::from([("x-t", "1")]));
    let mut exchange = Exchange::post("/", "body").answered_by(answer);
    exchange.request.headers.remove("content-length");
    exchange.request.trailers = Some(HeaderMap::from([("x-q", "1")]));
    for (name, value) in headers {
        exchange = exchange.with_header(name, value);
    }
    exchange
}

fn got(outcome: &Outcome) -> (Option<u16>, End, &str) {
    let body = std::str::from_utf8(&outcome.downstream.body).unwrap();
    (outcome.status(), outcome.end, body)
}

const REFUSED: (Option<u16>, End, &str) = (Some(503), End::Complete, "");
const SERVED: (Option<u16>, End, &str) = (Some(200), End::Complete, "answer");

#[test]
fn a_trap_before_the_client_has_an_answer_is_an_empty_503_or_passes_under_fail_open() {
    for policy in POLICIES {
        for place in ["C", "h", "b", "t", "r"] {
            let mut rig = Rig::of(policy);

            let outcome = rig.trap(place);

            if policy == FailurePolicy::FailOpen {
                assert_eq!(got(&outcome), SERVED, "{policy:?} {place}");
                assert_eq!(outcome.details, "");
            } else {
                assert_eq!(got(&outcome), REFUSED, "{policy:?} {place}");
                assert_eq!(outcome.details, "wasm_fail_stream");
            }
            assert!(rig.failed());
        }
    }
}

#[test]
fn a_trap_amid_the_answer_breaks_it_off_or_lets_it_go_on_under_fail_open() {
    for policy in POLICIES {
        for (place, sent) in [("s", ""), ("u", "answer")] {
            let mut rig = Rig::of(policy);

            let outcome = rig.trap(place);

            if policy == FailurePolicy::FailOpen {
                assert_eq!(got(&outcome), SERVED, "{policy:?} {place}");
            } else {
                assert_eq!(
                    got(&outcome),
                    (Some(200), End::Reset, sent),
                    "{policy:?} {place}"
                );
                assert_eq!(outcome.details, "wasm_fail_stream");
            }
        }
    }
}

#[test]
fn a_trap_after_the_answer_changes_nothing_for_the_client() {
    for policy in POLICIES {
        for place in ["L", "D", "X", "T"] {
            let mut rig = Rig::of(policy);

            let outcome = rig.trap(place);

            assert_eq!(got(&outcome), SERVED, "{policy:?} {place}");
            assert_eq!(outcome.details, "");
            assert!(rig.failed(), "{policy:?} {place}");
        }
    }
}

#[test]
fn after_a_trap_the_guest_hears_nothing_more_of_that_stream() {
    let before = [
        ("h", "C 2 1, h 2"),
        ("b", "C 2 1, h 2, b 2"),
        ("t", "C 2 1, h 2, b 2, t 2"),
        ("r", "C 2 1, h 2, b 2, t 2, r 2"),
        ("s", "C 2 1, h 2, b 2, t 2, r 2, s 2"),
        ("u", "C 2 1, h 2, b 2, t 2, r 2, s 2, u 2"),
        ("L", "C 2 1, h 2, b 2, t 2, r 2, s 2, u 2, L 2"),
        ("D", "C 2 1, h 2, b 2, t 2, r 2, s 2, u 2, L 2, D 2"),
        ("X", "C 2 1, h 2, b 2, t 2, r 2, s 2, u 2, L 2, D 2, X 2"),
    ];
    for policy in POLICIES {
        for (place, expected) in before {
            let mut outcome = Rig::of(policy).trap(place);
            outcome
                .log
                .retain(|line| !line.message.starts_with("the guest"));

            assert_eq!(said(&outcome), expected, "{policy:?} {place}");
        }
    }
}

#[test]
fn siblings_fail_at_their_next_event_or_pass_under_fail_open() {
    for policy in POLICIES {
        for place in ["C", "h", "b", "t", "r", "s", "u", "L", "D", "X", "T"] {
            let mut rig = Rig::of(policy);
            let sibling = rig.paused(false);
            rig.trap(place);

            let outcome = rig.finish(sibling);

            if policy == FailurePolicy::FailOpen {
                assert_eq!(outcome.status(), Some(200), "{policy:?} {place}");
                assert_eq!(outcome.upstream.body, b"body");
            } else {
                assert_eq!(got(&outcome), REFUSED, "{policy:?} {place}");
                assert_eq!(outcome.details, "wasm_fail_stream");
            }
        }
    }
}

#[test]
fn paused_siblings_to_which_nothing_happens_are_stranded_whatever_the_policy() {
    for policy in POLICIES {
        let mut rig = Rig::of(policy);
        let sibling = rig.paused(true);
        rig.trap("h");

        rig.proxy.advance_to(millis(100_000));
        rig.run(&[]);

        let mut worker = rig.proxy.worker(0);
        let stream = worker.as_mut().unwrap().resume_stream(sibling).unwrap();
        assert!(!stream.has_ended(), "{policy:?}");
    }
}

#[test]
fn later_streams_are_refused_pass_or_meet_a_new_vm() {
    for place in ["C", "h", "b", "t", "r", "s", "u", "L", "D", "X", "T"] {
        for (policy, expected, filtered) in [
            (FailurePolicy::Closed, REFUSED, false),
            (FailurePolicy::Open, SERVED, false),
            (FailurePolicy::FailOpen, SERVED, false),
            (RELOAD, SERVED, true),
        ] {
            let mut rig = Rig::of(policy);
            rig.trap(place);
            rig.proxy.advance_to(millis(1_500));

            let outcome = rig.run(&[]);

            assert_eq!(got(&outcome), expected, "{policy:?} {place}");
            assert_eq!(said(&outcome).contains("h 2"), filtered);
        }
    }
}

#[test]
fn within_the_backoff_streams_are_refused_and_counted_and_after_it_a_new_vm_serves() {
    let mut rig = Rig::of(RELOAD);
    rig.trap("h");

    rig.proxy.advance_to(millis(999));
    assert_eq!(got(&rig.run(&[])), REFUSED);
    assert_eq!(rig.reloads(), [0, 1, 0, 0]);
    rig.proxy.advance_to(millis(1_000));
    let outcome = rig.run(&[]);

    assert_eq!(got(&outcome), SERVED);
    assert!(said(&outcome).starts_with("C 2 1"), "{}", said(&outcome));
    assert_eq!(rig.reloads(), [0, 1, 0, 1]);
}

#[test]
fn the_backoff_counts_from_the_last_load_not_from_the_trap() {
    let mut rig = Rig::of(RELOAD);
    rig.proxy.advance_to(millis(5_000));
    rig.trap("h");
    assert_eq!(got(&rig.run(&[])), SERVED);
    rig.trap("h");

    assert_eq!(got(&rig.run(&[])), REFUSED);
    assert_eq!(rig.reloads(), [0, 1, 0, 1]);
}

#[test]
fn a_start_that_fails_at_a_reload_is_counted_and_tried_again_after_another_backoff() {
    for place in ["V", "v", "F", "f", "c"] {
        let mut rig = Rig::of(RELOAD);
        rig.trap(place);
        rig.proxy.advance_to(millis(1_000));

        assert_eq!(got(&rig.run(&[])), REFUSED, "{place}");
        assert_eq!(got(&rig.run(&[])), REFUSED, "{place}");
        assert_eq!(rig.reloads(), [0, 1, 1, 0], "{place}");
        rig.proxy.advance_to(millis(2_000));
        assert_eq!(got(&rig.run(&[])), REFUSED, "{place}");
        assert_eq!(rig.reloads(), [0, 1, 2, 0], "{place}");
    }
}

#[test]
fn a_failed_vm_does_not_tick_while_the_main_threads_does() {
    for policy in POLICIES {
        let mut rig = Rig::of(policy);
        rig.trap("h");

        assert_eq!(rig.proxy.worker(0).unwrap().next_tick(), None, "{policy:?}");
        let main = rig.proxy.main_thread().unwrap();
        assert_eq!(main.next_tick(), Some(millis(1_000)));
    }
}

#[test]
fn other_workers_do_not_notice() {
    for policy in POLICIES {
        let mut rig = Rig::new(vec![filter("a", policy)], 2);
        rig.trap("h");

        let outcome = rig.proxy.exchange("a", 1, &exchange(&[])).unwrap();

        assert_eq!(got(&outcome), SERVED, "{policy:?}");
        assert!(said(&outcome).contains("h 2"));
    }
}

#[test]
fn plugins_that_share_a_vm_fail_together_each_under_its_own_policy() {
    for (policy, expected) in [
        (FailurePolicy::Closed, REFUSED),
        (FailurePolicy::Open, SERVED),
        (FailurePolicy::FailOpen, SERVED),
        (RELOAD, REFUSED),
    ] {
        let filters = vec![filter("a", FailurePolicy::Closed), filter("b", policy)];
        let mut rig = Rig::new(filters, 1);
        rig.trap("h");

        let outcome = rig.proxy.exchange("b", 0, &exchange(&[])).unwrap();

        assert_eq!(got(&outcome), expected, "{policy:?}");
        assert_eq!(said(&outcome), "");
    }
}

#[test]
fn plugins_that_share_a_vm_reload_each_for_itself_and_join_the_new_vm() {
    let filters = vec![filter("a", RELOAD), filter("b", RELOAD)];
    let mut rig = Rig::new(filters, 1);
    rig.trap("h");
    rig.proxy.advance_to(millis(1_000));

    let of_b = rig.proxy.exchange("b", 0, &exchange(&[])).unwrap();
    let of_a = rig.run(&[]);

    assert!(said(&of_b).starts_with("C 2 1"), "{}", said(&of_b));
    assert!(said(&of_a).starts_with("C 4 3"), "{}", said(&of_a));
    let stats = rig.host.stats();
    // Base, two canaries, main thread, worker, worker again.
    assert_eq!(
        stats["wasm.envoy.wasm.runtime.v8.created"],
        Stat::Counter(6)
    );
    assert_eq!(stats["wasm.envoy.wasm.runtime.v8.active"], Stat::Gauge(3));
}

#[test]
fn a_failed_vm_lives_as_long_as_a_plugin_without_reload_or_a_stream_has_it() {
    let filters = vec![filter("a", RELOAD), filter("b", FailurePolicy::Closed)];
    let mut rig = Rig::new(filters, 1);
    let active = |rig: &Rig| rig.host.stats()["wasm.envoy.wasm.runtime.v8.active"].clone();
    rig.trap("h");
    rig.proxy.advance_to(millis(1_000));
    rig.run(&[]);
    assert_eq!(active(&rig), Stat::Gauge(4));

    let mut rig = Rig::of(RELOAD);
    let sibling = rig.paused(true);
    rig.trap("h");
    rig.proxy.advance_to(millis(1_000));
    rig.run(&[]);
    assert_eq!(active(&rig), Stat::Gauge(4));
    rig.finish(sibling);
    assert_eq!(active(&rig), Stat::Gauge(3));
}

#[test]
fn a_stack_overflow_is_a_trap_and_proc_exit_returns() {
    let mut rig = Rig::of(FailurePolicy::Closed);
    assert_eq!(got(&rig.run(&[("x-trap", "o")])), REFUSED);
    assert!(rig.failed());

    let mut rig = Rig::of(FailurePolicy::Closed);
    assert_eq!(got(&rig.run(&[("x-trap", "e")])), SERVED);
    assert!(!rig.failed());
}

#[test]
fn a_call_that_never_returns_stops_its_worker_and_no_policy_answers_for_it() {
    for policy in POLICIES {
        let quick = HostConfig {
            hang_limit: Some(Duration::from_millis(20)),
            ..HostConfig::default()
        };
        let host = Host::new(quick).unwrap();
        let filters = vec![filter("a", policy), filter("b", policy)];
        let config = ProxyConfig {
            workers: 2,
            ..ProxyConfig::default()
        };
        let proxy = Proxy::start(&host, config, filters).unwrap();
        let mut rig = Rig { host, proxy };
        let sibling = rig.paused(false);
        let hanging = (None, End::Stranded(Stranding::WorkerHangs), "");

        assert_eq!(got(&rig.run(&[("x-trap", "l")])), hanging, "{policy:?}");
        assert_eq!(got(&rig.finish(sibling)), hanging);
        let other_plugin = rig.proxy.exchange("b", 0, &exchange(&[])).unwrap();
        assert_eq!(got(&other_plugin), hanging);
        rig.proxy.advance_to(millis(10_000));
        assert_eq!(got(&rig.run(&[])), hanging);
        let other_worker = rig.proxy.exchange("a", 1, &exchange(&[])).unwrap();
        assert_eq!(got(&other_worker), SERVED);
    }
}

#[test]
fn what_was_asked_for_before_a_trap_is_done() {
    let rig = |policy| {
        let code = fixture::after().into();
        let config = PluginConfig {
            failure_policy: policy,
            ..PluginConfig::named("a")
        };
        Rig::new(vec![Filter { code, config }], 1)
    };

    for policy in [FailurePolicy::Closed, FailurePolicy::Open, RELOAD] {
        let replied = rig(policy).run(&[("x-do", "reply")]);
        assert_eq!(got(&replied), REFUSED, "{policy:?}");
        assert_eq!(replied.details, "said_before");
        let closed = rig(policy).run(&[("x-do", "close")]);
        assert_eq!(got(&closed), (None, End::Reset, ""), "{policy:?}");
        assert_eq!(closed.details, "wasm_fail_stream");
    }
    let mut open = rig(FailurePolicy::FailOpen);
    assert_eq!(open.run(&[("x-do", "reply")]).status(), Some(418));
    let closed = rig(FailurePolicy::FailOpen).run(&[("x-do", "close")]);
    assert_eq!(got(&closed), (None, End::Reset, ""));
    assert_eq!(closed.details, "wasm_close_stream");
}

#[test]
fn a_stream_that_a_tick_continued_before_it_trapped_goes_on_and_meets_the_failed_vm() {
    for (policy, status) in [(FailurePolicy::Closed, 503), (FailurePolicy::FailOpen, 200)] {
        let code = fixture::after().into();
        let config = PluginConfig {
            failure_policy: policy,
            ..PluginConfig::named("a")
        };
        let mut rig = Rig::new(vec![Filter { code, config }], 1);
        let mut stream = rig.proxy.stream("a", 0).unwrap();
        stream.request_headers(&exchange(&[("x-do", "pause")]).request.headers, false);
        stream.request_body(b"body", true);
        assert!(!stream.request_has_started());
        let id = stream.id();

        rig.proxy.advance_to(millis(400));

        let mut worker = rig.proxy.worker(0);
        let mut stream = worker.as_mut().unwrap().resume_stream(id).unwrap();
        if stream.request_is_complete() {
            stream.response_headers(&HeaderMap::from([(":status", "200")]), true);
        }
        assert_eq!(stream.close().status(), Some(status), "{policy:?}");
    }
}

//! What a trap in each callback does under each policy. Each expectation was seen in Envoy 1.40.
use std::time::Duration;

use weir_host::{
    End, FailurePolicy, Filter, HeaderMap, Host, HostConfig, PluginConfig, Proxy, ProxyConfig,
    Stranding,
};

use crate::failure_rig::{POLICIES, REFUSED, RELOAD, Rig, SERVED, exchange, filter, got, millis};
use crate::fixture::{self, said};

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
fn a_trap_in_queue_ready_makes_a_sibling_of_the_stream_that_sent_the_message() {
    for policy in POLICIES {
        let mut rig = Rig::of(policy);
        let headers = exchange(&[("x-trap", "Q")]).request.headers;
        let mut stream = rig.proxy.stream("a", 0).unwrap();
        stream.request_headers(&headers, false);
        let id = stream.id();
        rig.proxy.advance_to(millis(0));
        assert!(rig.failed(), "{policy:?}");

        let expected = match policy {
            FailurePolicy::FailOpen => Some(200),
            _ => Some(503),
        };
        assert_eq!(rig.finish(id).status(), expected, "{policy:?}");
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

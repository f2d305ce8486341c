//! VMs that are replaced, and plugins that share one that failed. Each expectation was seen in Envoy 1.40.
use weir_host::{FailurePolicy, Stat};

use crate::failure_rig::{REFUSED, RELOAD, Rig, SERVED, exchange, filter, got, millis};
use crate::fixture::said;

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

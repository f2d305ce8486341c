use weir_host::{Clusters, End, Exchange, Host, HostConfig, Plugin, PluginConfig};

use crate::callouts::{started, told};
use crate::fixture::{self, config, said};

#[test]
fn a_ready_queue_is_told_after_the_call_and_its_item_is_there() {
    let (mut worker, lines) = started(fixture::queue(), config("0"), Clusters::none());

    let outcome = worker.exchange(&Exchange::get("/"));

    assert_eq!(
        told(&lines),
        "Q 1 777, Q 0 1, E 1, E 0, R 1 1, D 0, one, D 7"
    );
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn a_ready_queue_is_told_even_when_its_item_is_gone() {
    let (mut worker, lines) = started(fixture::queue(), config("1"), Clusters::none());

    let outcome = worker.exchange(&Exchange::get("/"));

    let all = told(&lines);
    assert!(all.ends_with("D 0, one, D 7, R 1 1, D 7"), "{all}");
    assert_eq!(outcome.end, End::Complete);
}

#[test]
fn the_worker_that_registered_last_is_told_when_it_is_driven() {
    let host = Host::new(HostConfig::default()).unwrap();
    let plugin = Plugin::load(&host, &fixture::queue(), config("0")).unwrap();
    let mut first = plugin.worker().unwrap();
    let mut last = plugin.worker().unwrap();

    let outcome = first.exchange(&Exchange::get("/"));

    assert_eq!(said(&outcome), "Q 1 777, Q 0 1, E 1, E 0");
    assert!(!first.run_posted());
    assert!(last.run_posted());
    assert!(!last.run_posted());
}

#[test]
fn queues_go_with_the_last_vm_of_their_id() {
    let host = Host::new(HostConfig::default()).unwrap();
    let named = |vm_id: &str| PluginConfig {
        vm_id: vm_id.into(),
        ..config("0")
    };
    let start = |vm_id| {
        let plugin = Plugin::load(&host, &fixture::queue(), named(vm_id)).unwrap();
        plugin.worker().unwrap()
    };
    drop(start("other"));

    let outcome = start("own").exchange(&Exchange::get("/"));

    // Token 1 went with the VMs of "other".
    assert!(
        said(&outcome).starts_with("Q 1 777, Q 0 2"),
        "{}",
        said(&outcome)
    );
}

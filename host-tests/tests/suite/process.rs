//! Threads, VMs and listeners of a whole proxy. What is expected here was seen in Envoy 1.40.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    End, Exchange, Filter, Host, HostConfig, LoadError, LogLine, PluginConfig, Proxy, ProxyConfig,
    ProxyStreamId, Stat,
};

use crate::fixture::{self, messages};

const DRAIN: Duration = Duration::from_secs(3);

struct Process {
    host: Host,
    lines: Arc<Mutex<Vec<LogLine>>>,
}

impl Process {
    fn new() -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = Arc::new(move |line: &LogLine| sink.lock().unwrap().push(line.clone()));
        let host = Host::new(HostConfig {
            log: Some(log),
            ..HostConfig::default()
        });
        Self {
            host: host.unwrap(),
            lines,
        }
    }
    fn start(&self, workers: usize, filters: Vec<Filter>) -> Proxy {
        let config = ProxyConfig {
            workers,
            drain_time: DRAIN,
        };
        Proxy::start(&self.host, config, filters).unwrap()
    }
    /// What was said since the last time.
    fn said(&self) -> String {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        messages(&lines).join(", ")
    }
    fn vms(&self) -> (u64, u64) {
        let stats = self.host.stats();
        let number = |name: &str| match stats[name] {
            Stat::Counter(value) | Stat::Gauge(value) => value,
            Stat::Histogram(_) => panic!("{name} is a histogram"),
        };
        assert_eq!(
            stats["wasm.wasm_vm_count"],
            stats["wasm.envoy.wasm.runtime.v8.active"]
        );
        (
            number("wasm.envoy.wasm.runtime.v8.created"),
            number("wasm.envoy.wasm.runtime.v8.active"),
        )
    }
}

fn filter(code: Vec<u8>, name: &str, configuration: &str) -> Filter {
    Filter {
        code: code.into(),
        config: PluginConfig {
            configuration: configuration.into(),
            vm_id: "vm".into(),
            ..PluginConfig::named(name)
        },
    }
}

/// Says every callback; its roots answer on_done with true unless the configuration begins with `0`.
fn life(name: &str, configuration: &str) -> Filter {
    filter(fixture::life(), name, configuration)
}

fn with_vm_configuration(mut filter: Filter, configuration: &str) -> Filter {
    filter.config.vm_configuration = configuration.into();
    filter
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos(millis * 1_000_000)
}

#[test]
fn one_plugin_makes_a_base_a_canary_one_vm_on_the_main_thread_and_one_on_each_worker() {
    for workers in [1, 2, 5] {
        let process = Process::new();
        let _proxy = process.start(workers, vec![life("a", "x")]);

        let n = workers as u64;
        assert_eq!(process.vms(), (3 + n, 2 + n));
    }
}

#[test]
fn two_plugins_of_one_key_share_each_threads_vm_with_roots_of_their_own_and_have_canaries_of_their_own()
 {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "x"), life("b", "yy")]);

    let canary_main_and_worker_of_a = "C 1 0, V 1, F 1 1, C 1 0, V 1, F 1 1, C 1 0, V 1, F 1 1";
    let canary_main_and_worker_of_b = "C 1 0, V 1, F 1 2, C 2 0, V 2, F 2 2, C 2 0, V 2, F 2 2";
    assert_eq!(
        process.said(),
        format!("{canary_main_and_worker_of_a}, {canary_main_and_worker_of_b}")
    );
    assert_eq!(process.vms(), (5, 3));

    proxy.exchange("b", 0, &Exchange::get("/")).unwrap();
    proxy.exchange("a", 0, &Exchange::get("/")).unwrap();
    assert_eq!(
        process.said(),
        "C 3 2, h 3, L 3, D 3, X 3, C 4 1, h 4, L 4, D 4, X 4"
    );
}

#[test]
fn another_vm_configuration_environment_vm_id_or_code_is_another_vm() {
    let other_environment = || {
        let mut other = life("b", "x");
        other.config.environment = vec![("A".into(), "1".into())];
        other
    };
    let other_vm_id = || {
        let mut other = life("b", "x");
        other.config.vm_id = "other".into();
        other
    };
    for other in [
        with_vm_configuration(life("b", "x"), "y"),
        other_environment(),
        other_vm_id(),
        filter(fixture::faults(), "b", "x"),
    ] {
        let process = Process::new();
        let _proxy = process.start(1, vec![life("a", "x"), other]);

        assert_eq!(process.vms(), (8, 6));
    }
}

#[test]
fn another_root_id_or_policy_is_another_root_in_the_same_vm_and_the_same_plugin_is_the_same_root() {
    let mut other_root = life("a", "x");
    other_root.config.root_id = "root".into();
    let mut other_policy = life("a", "x");
    other_policy.config.failure_policy = weir_host::FailurePolicy::Open;
    for (other, created) in [(other_root, 5), (other_policy, 5), (life("a", "x"), 4)] {
        let process = Process::new();
        let _proxy = process.start(1, vec![life("a", "x"), other]);

        assert_eq!(process.vms(), (created, 3));
    }
}

#[test]
fn the_same_vm_id_is_the_same_shared_data_whatever_the_vm() {
    let counting = |name: &str, vm_configuration: &str| {
        with_vm_configuration(filter(fixture::counter(), name, ""), vm_configuration)
    };
    let process = Process::new();
    let mut elsewhere = counting("c", "x");
    elsewhere.config.vm_id = "elsewhere".into();
    let mut proxy = process.start(2, vec![counting("a", "x"), counting("b", "y"), elsewhere]);

    for (plugin, worker) in [("a", 0), ("b", 1), ("a", 1), ("c", 0)] {
        proxy.exchange(plugin, worker, &Exchange::get("/")).unwrap();
    }

    let value = |vm_id| process.host.shared_data(vm_id)[0].1.clone();
    assert_eq!(value("vm"), 3u64.to_le_bytes());
    assert_eq!(value("elsewhere"), 1u64.to_le_bytes());
}

#[test]
fn every_thread_ticks_and_the_main_thread_comes_first() {
    let process = Process::new();
    let mut proxy = process.start(2, vec![life("a", "x"), life("b", "yy")]);
    process.said();

    proxy.advance_to(at(499));
    assert_eq!(process.said(), "");
    proxy.advance_to(at(1_000));

    let period = "T 1 1, T 2 1, T 1 1, T 2 1, T 1 1, T 2 1";
    assert_eq!(process.said(), format!("{period}, {period}"));
    assert_eq!(proxy.now(), at(1_000));
    assert_eq!(proxy.next_event(), Some(at(1_500)));
}

#[test]
fn an_old_root_serves_its_streams_and_ticks_until_its_listener_is_drained() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "1")]);
    let mut stream = proxy.stream("a", 0).unwrap();
    stream.request_headers(&Exchange::get("/").request.headers, false);
    let old = ProxyStreamId {
        worker: 0,
        stream: stream.id(),
    };
    process.said();

    proxy.advance_to(at(200));
    assert!(proxy.reconfigure(&[life("a", "22")]).is_empty());
    assert_eq!(
        process.said(),
        "C 1 0, V 1, F 1 2, C 2 0, V 2, F 2 2, C 3 0, V 3, F 3 2"
    );
    proxy.exchange("a", 0, &Exchange::get("/")).unwrap();
    assert_eq!(process.said(), "C 4 3, h 4, L 4, D 4, X 4");
    proxy.advance_to(at(700));
    assert_eq!(process.said(), "T 1 1, T 1 1, T 2 1, T 3 1");
    proxy.advance_to(at(3_199));
    process.said();

    proxy.advance_to(at(3_200));

    assert_eq!(
        process.said(),
        "D 1, X 1, L 2, D 2, X 2, D 1, X 1, T 2 1, T 3 1"
    );
    assert_eq!(process.vms(), (5, 3));
    let outcome = proxy.resume_stream(old).unwrap().close();
    assert_eq!(outcome.end, End::Reset);
    assert_eq!(
        outcome.details,
        "downstream_local_disconnect(filter_chain_is_being_removed)"
    );
    proxy.advance_to(at(3_700));
    assert_eq!(process.said(), "T 2 1, T 3 1");
}

#[test]
fn another_vm_configuration_brings_a_new_vm_and_the_old_one_goes_when_it_is_drained() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![with_vm_configuration(life("a", "1"), "x")]);
    process.said();

    proxy.reconfigure(&[with_vm_configuration(life("a", "1"), "y")]);
    assert_eq!(
        process.said(),
        "C 1 0, V 1, F 1 1, C 1 0, V 1, F 1 1, C 1 0, V 1, F 1 1"
    );
    assert_eq!(process.vms(), (8, 6));
    proxy.advance_to(at(3_000));

    assert!(process.said().contains("D 1, X 1, D 1, X 1"));
    assert_eq!(process.vms(), (8, 3));
}

#[test]
fn a_root_that_is_not_done_ticks_on_until_it_says_so() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "0")]);
    proxy.reconfigure(&[life("a", "00")]);
    proxy.advance_to(at(2_999));
    process.said();

    proxy.advance_to(at(3_000));
    assert_eq!(
        process.said(),
        "D 1, D 1, T 1 0, X 1, T 2 1, T 1 0, X 1, T 2 1"
    );
    proxy.advance_to(at(3_500));
    assert_eq!(process.said(), "T 2 1, T 2 1");
}

#[test]
fn a_root_that_is_not_done_goes_with_its_vm_without_a_word() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![with_vm_configuration(life("a", "0"), "x")]);
    proxy.reconfigure(&[with_vm_configuration(life("a", "0"), "y")]);
    proxy.advance_to(at(2_999));
    process.said();

    proxy.advance_to(at(3_000));

    assert_eq!(process.said(), "D 1, D 1, T 1 1, T 1 1");
    assert_eq!(process.vms(), (8, 3));
}

#[test]
fn going_back_to_a_configuration_that_still_drains_takes_its_root_again_without_a_call() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "1")]);
    proxy.reconfigure(&[life("a", "22")]);
    process.said();

    proxy.reconfigure(&[life("a", "1")]);
    assert_eq!(process.said(), "");
    proxy.exchange("a", 0, &Exchange::get("/")).unwrap();
    assert_eq!(process.said(), "C 3 1, h 3, L 3, D 3, X 3");
    proxy.advance_to(at(3_000));

    let said = process.said();
    assert!(
        said.contains("D 2, X 2, D 2, X 2") && !said.contains("D 1"),
        "{said}"
    );
}

#[test]
fn what_an_update_refuses_keeps_what_it_had_while_the_rest_moves() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "1"), life("b", "1")]);
    let refusing = filter(fixture::script(), "a", "9");
    process.said();

    let refused = proxy.reconfigure(&[refusing.clone(), life("b", "22")]);

    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].listener, "a");
    assert!(matches!(&refused[0].why, LoadError::Refused { .. }));
    process.said();
    proxy.exchange("a", 0, &Exchange::get("/")).unwrap();
    proxy.exchange("b", 0, &Exchange::get("/")).unwrap();
    assert_eq!(
        process.said(),
        "C 4 1, h 4, L 4, D 4, X 4, C 5 3, h 5, L 5, D 5, X 5"
    );
}

#[test]
fn a_configuration_that_was_refused_is_refused_again_without_a_canary_while_its_vm_is_in_use() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![filter(fixture::script(), "a", "0")]);
    let refusing = filter(fixture::script(), "a", "9");

    assert_eq!(proxy.reconfigure(std::slice::from_ref(&refusing)).len(), 1);
    process.said();
    assert_eq!(proxy.reconfigure(&[refusing]).len(), 1);

    assert_eq!(process.said(), "");
}

#[test]
fn a_listener_that_is_missing_after_an_update_takes_no_streams() {
    let process = Process::new();
    let mut proxy = process.start(1, vec![life("a", "1"), life("b", "1")]);

    proxy.reconfigure(&[life("b", "1")]);

    assert!(proxy.stream("a", 0).is_none());
    assert!(proxy.stream("b", 0).is_some());
    assert!(proxy.stream("b", 1).is_none());
}

#[test]
fn a_proxy_that_shuts_down_ends_its_workers_plugins_and_then_those_of_the_main_thread() {
    let process = Process::new();
    let proxy = process.start(1, vec![life("a", "1"), life("b", "1")]);
    process.said();

    proxy.shut_down();

    assert_eq!(process.said(), "D 2, X 2, D 1, X 1, D 2, X 2, D 1, X 1");
    assert_eq!(process.vms(), (5, 0));
}

#[test]
fn a_message_is_announced_on_the_thread_that_registered_last() {
    // Each configure registers the queue; every queue_ready of this guest traps.
    let process = Process::new();
    let mut proxy = process.start(2, vec![filter(fixture::faults(), "a", "")]);
    process.said();

    let sender = Exchange::get("/").with_header("x-trap", "Q");
    proxy.exchange("a", 0, &sender).unwrap();

    assert!(process.said().contains("X 2, Q 1"));
    assert!(proxy.worker(0).unwrap().failure().is_none());
    assert!(proxy.worker(1).unwrap().failure().is_some());
}

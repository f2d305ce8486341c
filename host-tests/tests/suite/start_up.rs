//! Starting plugins and VMs, and what a guest may do meanwhile. Each expectation was seen in Envoy 1.40.
use std::time::Duration;

use weir_engine::time::Timestamp;
use weir_host::{
    Exchange, FailurePolicy, Filter, Host, HostConfig, LoadError, Plugin, PluginConfig, Proxy,
    ProxyConfig, Stat,
};

use crate::fixture::{self, config, host, said, worker};

const RELOAD: FailurePolicy = FailurePolicy::Reload {
    backoff: Duration::from_secs(1),
};
const POLICIES: [FailurePolicy; 4] = [
    FailurePolicy::Closed,
    FailurePolicy::Open,
    FailurePolicy::FailOpen,
    RELOAD,
];

/// A plugin whose start of this number fails like this: see `starts.wat`. The canary is number 1, the
/// main thread 2, the worker 3.
fn start(plan: &str, policy: FailurePolicy) -> (Host, Result<Proxy, LoadError>) {
    let host = Host::new(HostConfig::default()).unwrap();
    let filter = Filter {
        code: fixture::starts().into(),
        config: PluginConfig {
            vm_configuration: plan.into(),
            failure_policy: policy,
            ..PluginConfig::named("a")
        },
    };
    let proxy = Proxy::start(&host, ProxyConfig::default(), vec![filter]);
    (host, proxy)
}

fn active(host: &Host) -> Stat {
    host.stats()["wasm.envoy.wasm.runtime.v8.active"].clone()
}

fn status(proxy: &mut Proxy) -> (Option<u16>, bool) {
    let outcome = proxy.exchange("a", 0, &Exchange::get("/")).unwrap();
    (outcome.status(), said(&outcome).contains("h 2"))
}

#[test]
fn a_canary_that_fails_in_vm_start_or_configure_refuses_the_plugin_under_every_policy() {
    for policy in POLICIES {
        for plan in ["V1", "v1", "F1", "f1"] {
            let (host, refused) = start(plan, policy);

            let trapped = plan.starts_with(char::is_uppercase);
            match refused.err().unwrap() {
                LoadError::Trap { .. } => assert!(trapped, "{plan}"),
                LoadError::Refused { .. } => assert!(!trapped, "{plan}"),
                other => panic!("{plan}: {other}"),
            }
            assert_eq!(active(&host), Stat::Gauge(0));
        }
    }
}

#[test]
fn a_canary_whose_context_create_traps_is_taken_for_well() {
    let (_, proxy) = start("C1", FailurePolicy::Closed);

    assert_eq!(status(&mut proxy.unwrap()), (Some(200), true));
}

#[test]
fn a_worker_on_which_a_plugin_does_not_come_up_passes_streams_unfiltered_for_good() {
    for policy in POLICIES {
        for plan in ["V3", "v3", "F3", "f3"] {
            let (host, proxy) = start(plan, policy);
            let mut proxy = proxy.unwrap();

            assert_eq!(status(&mut proxy), (Some(200), false), "{policy:?} {plan}");
            assert_eq!(active(&host), Stat::Gauge(2));
            proxy.advance_to(Timestamp::from_unix_nanos(10_000_000_000));
            assert_eq!(status(&mut proxy), (Some(200), false), "{policy:?} {plan}");
            assert_eq!(host.stats()["wasm.a.vm_reload_failure"], Stat::Counter(0));
        }
    }
}

#[test]
fn a_root_that_was_refused_ends_and_one_that_trapped_hears_nothing() {
    for (plan, said) in [
        ("v3", "C 1 0, V 1 3, D 1, X 1"),
        ("f3", "C 1 0, V 1 3, F 1, D 1, X 1"),
        ("V3", "C 1 0, V 1 3"),
        ("F3", "C 1 0, V 1 3, F 1"),
    ] {
        let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = std::sync::Arc::clone(&lines);
        let host = Host::new(HostConfig {
            log: Some(std::sync::Arc::new(move |line: &weir_host::LogLine| {
                sink.lock().unwrap().push(line.message.clone());
            })),
            ..HostConfig::default()
        });
        let config = PluginConfig {
            vm_configuration: plan.into(),
            ..PluginConfig::named("a")
        };
        let code = fixture::starts().into();
        let started = Proxy::start(
            &host.unwrap(),
            ProxyConfig::default(),
            vec![Filter { code, config }],
        );

        let mut lines = lines.lock().unwrap().clone();
        lines.retain(|line| !line.starts_with("the guest"));
        let of_canary_and_main = 6;
        assert_eq!(lines[of_canary_and_main..].join(", "), said, "{plan}");
        drop(started);
    }
}

#[test]
fn a_context_create_that_traps_on_a_worker_leaves_a_failed_vm_under_the_policy() {
    for (policy, expected) in [
        (FailurePolicy::Closed, (Some(503), false)),
        (FailurePolicy::Open, (Some(200), false)),
        (FailurePolicy::FailOpen, (Some(200), false)),
        (RELOAD, (Some(503), false)),
    ] {
        let (_, proxy) = start("C3", policy);

        assert_eq!(status(&mut proxy.unwrap()), expected, "{policy:?}");
    }
    let (_, proxy) = start("C3", RELOAD);
    let mut proxy = proxy.unwrap();
    proxy.advance_to(Timestamp::from_unix_nanos(1_000_000_000));
    assert_eq!(status(&mut proxy), (Some(200), true));
}

#[test]
fn a_main_thread_on_which_a_plugin_does_not_come_up_changes_nothing_for_the_workers() {
    for plan in ["C2", "V2", "v2", "F2", "f2"] {
        let (_, proxy) = start(plan, FailurePolicy::Closed);

        assert_eq!(status(&mut proxy.unwrap()), (Some(200), true), "{plan}");
    }
}

const HEAD: &str = r#"(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))"#;

fn load(fields: &str) -> Result<Plugin, LoadError> {
    Plugin::load(&host(), format!("(module {fields})").as_bytes(), config(""))
}

/// Loads a guest that calls a WASI function with zeros in `_initialize`.
fn load_calling(
    module: &str,
    name: &str,
    parameters: &str,
    result: &str,
) -> Result<Plugin, LoadError> {
    let zeros: String = parameters
        .split_whitespace()
        .map(|kind| format!("({kind}.const 0) "))
        .collect();
    let drop = if result.is_empty() { "" } else { "(drop " };
    let end = if result.is_empty() { "" } else { ")" };
    load(&format!(
        r#"(import "{module}" "{name}" (func $call (param {parameters}) {result}))
        {HEAD} (func (export "_initialize") {drop} (call $call {zeros}) {end})"#
    ))
}

#[test]
fn start_up_may_log_and_ask_for_arguments_environment_clock_and_randomness() {
    let wasi = "wasi_snapshot_preview1";
    for (name, parameters) in [
        ("args_get", "i32 i32"),
        ("args_sizes_get", "i32 i32"),
        ("environ_get", "i32 i32"),
        ("environ_sizes_get", "i32 i32"),
        ("clock_time_get", "i32 i64 i32"),
        ("random_get", "i32 i32"),
        ("fd_write", "i32 i32 i32 i32"),
        ("fd_fdstat_get", "i32 i32"),
        ("fd_filestat_get", "i32 i32"),
        ("fd_fdstat_set_flags", "i32 i32"),
        ("fd_prestat_get", "i32 i32"),
        ("fd_prestat_dir_name", "i32 i32 i32"),
        ("poll_oneoff", "i32 i32 i32 i32"),
    ] {
        for module in [wasi, "wasi_unstable"] {
            let loaded = load_calling(module, name, parameters, "(result i32)");
            assert!(loaded.is_ok(), "{name}: {}", loaded.err().unwrap());
        }
    }
    assert!(load_calling("env", "proxy_log", "i32 i32 i32", "(result i32)").is_ok());
    assert!(load_calling("env", "emscripten_notify_memory_growth", "i32", "").is_ok());
}

#[test]
fn start_up_may_do_nothing_else() {
    let refused =
        |module, name, parameters, result| match load_calling(module, name, parameters, result)
            .err()
            .unwrap()
        {
            LoadError::Trap { call, reason, .. } => {
                assert_eq!(call, "_initialize");
                assert!(reason.contains("restricted_callback"), "{reason}");
            }
            other => panic!("{name}: {other}"),
        };
    let (wasi, errno) = ("wasi_snapshot_preview1", "(result i32)");
    refused(wasi, "sched_yield", "", errno);
    refused(wasi, "fd_close", "i32", errno);
    refused(wasi, "fd_read", "i32 i32 i32 i32", errno);
    refused(wasi, "fd_seek", "i32 i64 i32 i32", errno);
    refused(
        wasi,
        "path_open",
        "i32 i32 i32 i32 i32 i64 i64 i32 i32",
        errno,
    );
    refused(wasi, "proc_exit", "i32", "");
    refused("env", "pthread_equal", "i32 i32", errno);
    refused("env", "proxy_get_log_level", "i32", errno);
    refused("env", "proxy_set_tick_period_milliseconds", "i32", errno);
    refused("env", "proxy_get_current_time_nanoseconds", "i32", errno);
    refused("env", "proxy_set_shared_data", "i32 i32 i32 i32 i32", errno);
    refused("env", "proxy_define_metric", "i32 i32 i32 i32", errno);
}

#[test]
fn main_follows_initialize_and_start_runs_only_without_it() {
    let trap = r#"unreachable"#;
    let main = |name: &str, parameters: &str| {
        format!(r#"(func (export "{name}") {parameters} (result i32) {trap})"#)
    };
    let initialize = r#"(func (export "_initialize"))"#;
    let arguments = "(param i32 i32)";
    let trapped_in = |fields: String| match load(&format!("{HEAD} {fields}")) {
        Err(LoadError::Trap { call, .. }) => Some(call),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    };

    let both = main("main", arguments) + &main("__main_void", "");
    assert_eq!(trapped_in(format!("{initialize} {both}")), Some("main"));
    let void = main("__main_void", "");
    assert_eq!(
        trapped_in(format!("{initialize} {void}")),
        Some("__main_void")
    );
    assert_eq!(trapped_in(main("main", arguments)), None);
    let start = r#"(func (export "_start") unreachable)"#;
    assert_eq!(trapped_in(start.into()), Some("_start"));
    assert_eq!(trapped_in(format!("{initialize} {start}")), None);
}

#[test]
fn imports_and_exports_of_other_types_than_the_abis_are_refused() {
    let import = |name: &str, kind: &str| {
        load(&format!(r#"(import "env" "{name}" (func {kind})) {HEAD}"#)).err()
    };
    assert!(matches!(import("nonsense", ""), Some(LoadError::Import(_))));
    let wrong = import("proxy_log", "(param i32) (result i32)");
    assert!(matches!(wrong, Some(LoadError::Import(_))));
    for export in [
        r#"(func (export "proxy_on_tick"))"#,
        r#"(func (export "_initialize")) (func (export "main") (param i32) (result i32) unreachable)"#,
    ] {
        let refused = load(&format!("{HEAD} {export}")).err();
        assert!(
            matches!(refused, Some(LoadError::Export { .. })),
            "{export}"
        );
    }
}

#[test]
fn a_guest_that_allocates_may_log_and_read_the_clock_in_no_context() {
    let mut worker = worker(fixture::allocating("log"), "");

    let outcome = worker.exchange(&Exchange::get("/").with_header("x-m", "1"));

    assert_eq!(outcome.status(), Some(200));
    assert_eq!(said(&outcome), "h 0, i 0");
}

#[test]
fn a_trap_in_an_allocation_is_a_status_for_the_call_and_a_failure_after_it() {
    for what in ["size", "context", "random", "trap"] {
        let mut worker = worker(fixture::allocating(what), "");

        let mut outcome = worker.exchange(&Exchange::get("/").with_header("x-m", "1"));

        assert_eq!(outcome.status(), Some(503), "{what}");
        outcome
            .log
            .retain(|line| !line.message.starts_with("the guest"));
        assert_eq!(said(&outcome), "h 6, i 0", "{what}");
        assert!(worker.failure().is_some());
    }
}

#[test]
fn an_allocation_that_answers_nothing_or_an_address_outside_is_a_status_only() {
    for what in ["zero", "outside"] {
        let mut worker = worker(fixture::allocating(what), "");

        let outcome = worker.exchange(&Exchange::get("/").with_header("x-m", "1"));

        assert_eq!(outcome.status(), Some(200), "{what}");
        assert_eq!(said(&outcome), "h 6, i 0", "{what}");
    }
}

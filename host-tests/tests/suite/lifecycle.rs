use std::sync::{Arc, Mutex};

use weir_engine::time::Timestamp;
use weir_host::{Exchange, Host, HostConfig, LoadError, LogLevel, LogLine, Plugin, PluginConfig};

use crate::fixture::{self, config, host, messages, said, worker};

fn recording() -> (Host, Arc<Mutex<Vec<LogLine>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let log = Arc::new(move |line: &LogLine| sink.lock().unwrap().push(line.clone()));
    (
        Host::new(HostConfig {
            log: Some(log),
            ..HostConfig::default()
        })
        .unwrap(),
        lines,
    )
}

fn drain(lines: &Mutex<Vec<LogLine>>) -> String {
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    messages(&lines).join(", ")
}

#[test]
fn a_canary_and_then_each_worker_starts_in_order() {
    let (host, lines) = recording();

    let plugin = Plugin::load(&host, &fixture::script(), config("000")).unwrap();
    assert_eq!(drain(&lines), "C 1 0, V 1 0, F 1 3");
    plugin.worker().unwrap();

    assert_eq!(drain(&lines), "C 1 0, V 1 0, F 1 3");
}

#[test]
fn a_stream_is_created_logged_done_and_deleted() {
    let outcome = worker(fixture::script(), "000000").exchange(&Exchange::get("/"));

    assert_eq!(said(&outcome), "C 2 1, h 5 1, r 2 1, L 2, D 2, X 2");
}

#[test]
fn log_lines_carry_envoys_prefix() {
    let (host, lines) = recording();
    let named = PluginConfig {
        root_id: "root".into(),
        vm_id: "vm".into(),
        ..config("000000")
    };

    Plugin::load(&host, &fixture::script(), named)
        .unwrap()
        .worker()
        .unwrap()
        .exchange(&Exchange::get("/"));

    let text: Vec<String> = lines
        .lock()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(text[2], "wasm log root vm: F 1 6");
    assert_eq!(text.last().unwrap(), "wasm log probe root vm: X 2");
}

#[test]
fn a_refused_configuration_is_an_error_that_tells_the_guests_words() {
    let refused = Plugin::load(&host(), &fixture::script(), config("9"))
        .err()
        .unwrap();

    assert!(
        matches!(
            &refused,
            LoadError::Refused {
                call: "proxy_on_configure",
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("[info] F 1 1"), "{refused}");
}

#[test]
fn a_hostcall_in_initialize_other_than_logging_is_fatal() {
    let refused = Plugin::load(&host(), &fixture::restricted(), config(""))
        .err()
        .unwrap();

    assert!(
        refused.to_string().contains("restricted_callback"),
        "{refused}"
    );
}

#[test]
fn modules_that_envoy_would_not_load_are_refused() {
    let load = |text: &str| Plugin::load(&host(), text.as_bytes(), config("")).err();
    let abi = r#"(func (export "proxy_abi_version_0_2_1"))"#;
    let memory = r#"(memory (export "memory") 1)"#;

    assert!(matches!(load("(module"), Some(LoadError::Module(_))));
    assert!(matches!(load("(module)"), Some(LoadError::AbiVersion)));
    let old_import = r#"(import "env" "proxy_clear_route_cache" (func (result i32)))"#;
    assert!(matches!(
        load(&format!("(module {old_import} {abi} {memory})")),
        Some(LoadError::Import(_))
    ));
    assert!(matches!(
        load(&format!("(module {abi} {memory})")),
        Some(LoadError::Export {
            name: "proxy_on_memory_allocate"
        })
    ));
}

#[test]
fn a_new_configuration_serves_new_streams_and_the_old_root_ends_with_its_last_stream() {
    let (host, lines) = recording();
    let plugin = Plugin::load(&host, &fixture::script(), config("000000")).unwrap();
    let mut worker = plugin.worker().unwrap();
    let mut old = worker.stream();
    old.request_headers(&Exchange::get("/").request.headers, false);
    let old = old.id();
    let next = plugin.with_config(config("0000000")).unwrap();
    drain(&lines);

    worker.reconfigure(&next).unwrap();
    assert_eq!(drain(&lines), "C 3 0, V 3 0, F 3 7");
    let outcome = worker.exchange(&Exchange::get("/"));
    assert!(said(&outcome).starts_with("C 4 3"), "{}", said(&outcome));
    drain(&lines);
    worker.resume_stream(old).unwrap().close();

    assert_eq!(drain(&lines), "L 2, D 2, X 2, D 1, X 1");
    worker.tick(Timestamp::from_unix_nanos(2_000_000_000));
    assert_eq!(drain(&lines), "T 3");
}

#[test]
fn a_refused_reconfiguration_keeps_the_old_one() {
    let host = host();
    let plugin = Plugin::load(&host, &fixture::script(), config("000000")).unwrap();
    let mut worker = plugin.worker().unwrap();

    assert!(plugin.with_config(config("9")).is_err());
    let outcome = worker.exchange(&Exchange::get("/"));
    assert!(said(&outcome).starts_with("C 2 1"), "{}", said(&outcome));
}

#[test]
fn timers_run_once_per_period_at_their_own_time() {
    let (host, lines) = recording();
    let plugin = Plugin::load(&host, &fixture::script(), config("000000")).unwrap();
    let mut worker = plugin.worker().unwrap();
    drain(&lines);

    worker.advance_to(Timestamp::from_unix_nanos(3_500_000_000));

    assert_eq!(drain(&lines), "T 1, T 1, T 1");
    assert_eq!(
        worker.next_tick(),
        Some(Timestamp::from_unix_nanos(4_000_000_000))
    );
    assert_eq!(worker.now(), Timestamp::from_unix_nanos(3_500_000_000));
}

#[test]
fn the_same_seed_draws_the_same_randomness_and_each_worker_its_own() {
    let draws = |seed| {
        let host = Host::new(HostConfig {
            seed,
            ..HostConfig::default()
        })
        .unwrap();
        let plugin = Plugin::load(&host, &fixture::random(), config("")).unwrap();
        let mut workers = [plugin.worker().unwrap(), plugin.worker().unwrap()];
        workers
            .each_mut()
            .map(|worker| said(&worker.exchange(&Exchange::get("/"))))
    };

    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    assert_ne!(draws(1)[0], draws(1)[1]);
}

#[test]
fn standard_output_and_environment_reach_where_envoy_sends_them() {
    let named = PluginConfig {
        environment: vec![("FOO".into(), "bar".into())],
        ..config("")
    };
    let mut worker = Plugin::load(&host(), &fixture::random(), named)
        .unwrap()
        .worker()
        .unwrap();

    let outcome = worker.exchange(&Exchange::get("/"));

    assert_eq!(
        outcome
            .log
            .last()
            .map(|line| (line.level, line.message.as_str())),
        Some((LogLevel::Error, "FOO=bar\0"))
    );
}

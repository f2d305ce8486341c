//! The plugin in our host and the engine itself decide alike, whatever the number of workers.
use super::weir::{shipped_policy, wasm_or_skip};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use weir_engine::hash::HashKey;
use weir_engine::policy::Policy;
use weir_host::decision_log::DecisionLog;
use weir_host::replay::native::NativeDecider;
use weir_host::replay::plugin::{PluginDecider, PluginReport, fix_hash_key};
use weir_host::replay::{BadLines, Decider, ReplaySummary, spans};
use weir_host::simulate::{Scenario, Simulation, Sources};
use weir_host::trace::TraceReader;
use weir_host::weir::{VM_ID, plugin_config};
use weir_host::{Host, HostConfig, Plugin};

const EXCHANGES: u64 = 3000;

fn trace(scenario: &str, seed: u64) -> Vec<u8> {
    let mut simulation = Simulation::new(
        Scenario::shipped(scenario).unwrap(),
        seed,
        &Sources::default(),
    )
    .unwrap();
    let mut trace = Vec::new();
    for _ in 0..EXCHANGES {
        simulation.write_next(&mut trace);
    }
    trace
}

/// Decides the recording in spans, as the shipped policy wants it, or at once.
fn decisions<D: Decider<Error: std::fmt::Debug>>(
    (trace, exchanges): (&[u8], u64),
    workers: usize,
    policy: &Policy,
    make: impl Fn(usize) -> D + Sync,
) -> (String, ReplaySummary<D::Report>) {
    let reader = TraceReader::new(std::io::Cursor::new(trace.to_vec())).unwrap();
    let log = DecisionLog::new(Vec::new(), workers * 4);
    let make = |worker| Ok(make(worker));
    let room = policy.detection().unwrap().feed_room();
    let summary = spans::run(reader, &log, workers, BadLines::Stop, room, make).unwrap();
    let (text, count) = log.into_sink().unwrap();
    assert_eq!((summary.exchanges, count), (exchanges, exchanges));
    (String::from_utf8(text).unwrap(), summary)
}

const KEY: [u8; 16] = [9; 16];

fn compiled(document: &Value) -> Policy {
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked.policy.unwrap()
}

fn by_plugin(
    wasm: &[u8],
    trace: (&[u8], u64),
    workers: usize,
    document: &Value,
) -> (String, ReplaySummary<PluginReport>) {
    let host = Host::new(HostConfig::default()).unwrap();
    // Held, so that the key stays while the plugin is being loaded.
    let mut store = host.store(VM_ID);
    fix_hash_key(&mut store, KEY).unwrap();
    let plugin = Plugin::load(&host, wasm, plugin_config(&document.to_string())).unwrap();
    let policy = compiled(document);
    decisions(trace, workers, &policy, |_| {
        PluginDecider::in_spans(plugin.worker().unwrap(), &policy)
    })
}

fn by_engine(trace: (&[u8], u64), workers: usize, document: &Value) -> String {
    let host = Host::new(HostConfig::default()).unwrap();
    let policy = Arc::new(compiled(document));
    let store = host.store(VM_ID);
    let make = |worker| {
        let key = HashKey::new(KEY);
        NativeDecider::new(Arc::clone(&policy), key, store.clone(), worker).unwrap()
    };
    decisions(trace, workers, &policy, make).0
}

#[test]
fn the_same_bytes_come_from_the_plugin_with_one_and_four_workers_and_from_the_engine() {
    let Some(wasm) = wasm_or_skip("parity") else {
        return;
    };
    for (scenario, seed) in [("mixed", 1), ("campaign", 2)] {
        let trace = trace(scenario, seed);
        let (trace, policy) = ((&trace[..], EXCHANGES), shipped_policy());

        let (one, _) = by_plugin(&wasm, trace, 1, &policy);
        let (four, _) = by_plugin(&wasm, trace, 4, &policy);
        let native = by_engine(trace, 1, &policy);

        assert_eq!(one.lines().count() as u64, EXCHANGES);
        assert!(
            one == four,
            "workers differ in {scenario}: {:?}",
            first_difference(&one, &four)
        );
        assert!(
            one == native,
            "plugin and engine differ in {scenario}: {:?}",
            first_difference(&one, &native)
        );
    }
}

/// The shipped policy, with less to learn and everything granted.
fn town_policy() -> Value {
    let mut policy = shipped_policy();
    policy["detection"]["learn"] = json!("1d");
    policy["detection"]["memory"] = json!("16MiB");
    policy["capabilities"] = json!({});
    policy["tiers"] = json!([{"name": "everyone"}]);
    policy["budgets"] = json!([]);
    // Both name tiers.
    policy["shaping"] = json!({});
    policy["verification"] = json!({});
    policy
}

#[test]
fn a_campaign_ends_restricted_whoever_decides_and_however_many() {
    let (trace, exchanges) = super::town::recording();
    let (trace, policy) = ((&trace[..], exchanges), town_policy());

    let one = by_engine(trace, 1, &policy);
    let four = by_engine(trace, 4, &policy);

    assert!(
        one == four,
        "workers differ: {:?}",
        first_difference(&one, &four)
    );
    let refused: BTreeSet<String> = one
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|decision| decision["action"] == "deny")
        .inspect(|decision| {
            assert_eq!(decision["rule"], "responses.states.restrict", "{decision}");
            assert_eq!(decision["campaign"].as_str().unwrap().len(), 16);
            let reasons = decision["reasons"].as_array().unwrap();
            let sum: f64 = reasons
                .iter()
                .map(|reason| reason["weight"].as_f64().unwrap())
                .sum();
            assert!(
                (sum - decision["score"].as_f64().unwrap()).abs() < 1e-3,
                "{decision}"
            );
        })
        .map(|decision| decision["account"].as_str().unwrap().to_owned())
        .collect();
    assert!(refused.len() > 20, "{refused:?}");
    assert!(
        refused.iter().all(|account| account.starts_with("s-")),
        "{refused:?}"
    );

    let Some(wasm) = wasm_or_skip("parity of detection") else {
        return;
    };
    for workers in [1, 4] {
        let (plugin, _) = by_plugin(&wasm, trace, workers, &policy);
        assert!(
            one == plugin,
            "plugin with {workers} workers and engine differ: {:?}",
            first_difference(&one, &plugin)
        );
    }
}

fn first_difference<'a>(left: &'a str, right: &'a str) -> Option<(&'a str, &'a str)> {
    left.lines()
        .zip(right.lines())
        .find(|(left, right)| left != right)
}

#[test]
fn a_typical_exchange_makes_at_most_twelve_hostcalls_ticks_included() {
    let Some(wasm) = wasm_or_skip("hostcalls") else {
        return;
    };

    let trace = trace("mixed", 3);
    let (_, summary) = by_plugin(&wasm, (&trace, EXCHANGES), 2, &shipped_policy());

    let reports = summary.reports.iter();
    let calls: u64 = reports.map(|report| report.hostcalls.total()).sum();
    let each = calls as f64 / EXCHANGES as f64;
    assert!(each <= 12.0, "{each:.2} hostcalls an exchange");
}

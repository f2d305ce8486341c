//! The plugin in our host and the engine itself decide alike, whatever the number of workers.
use super::weir::{Process, shipped_policy, wasm_or_skip};
use std::sync::Arc;
use weir_engine::hash::HashKey;
use weir_engine::policy::Policy;
use weir_host::decision_log::DecisionLog;
use weir_host::replay::native::NativeDecider;
use weir_host::replay::plugin::{PluginDecider, PluginReport};
use weir_host::replay::{self, BadLines, Decider};
use weir_host::simulate::{Scenario, Simulation, Sources};
use weir_host::trace::TraceReader;
use weir_host::weir::VM_ID;
use weir_host::{Host, HostConfig};

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

fn decisions<D: Decider<Error: std::fmt::Debug>>(
    trace: &[u8],
    workers: usize,
    make: impl Fn() -> D + Sync,
) -> (String, Vec<D::Report>) {
    let reader = TraceReader::new(std::io::Cursor::new(trace.to_vec())).unwrap();
    let log = DecisionLog::new(Vec::new(), workers * 4);
    let summary = replay::run(reader, &log, workers, BadLines::Stop, |_| Ok(make())).unwrap();
    let (text, count) = log.into_sink().unwrap();
    assert_eq!((summary.exchanges, count), (EXCHANGES, EXCHANGES));
    (String::from_utf8(text).unwrap(), summary.reports)
}

fn by_plugin(wasm: &[u8], trace: &[u8], workers: usize) -> (String, Vec<PluginReport>) {
    let process = Process::new(wasm, &shipped_policy());
    decisions(trace, workers, || {
        PluginDecider::new(process.plugin.worker().unwrap())
    })
}

fn by_engine(trace: &[u8]) -> String {
    let host = Host::new(HostConfig::default()).unwrap();
    let policy = Arc::new(
        Policy::check(shipped_policy().to_string().as_bytes(), None)
            .policy
            .unwrap(),
    );
    decisions(trace, 1, || {
        NativeDecider::new(
            Arc::clone(&policy),
            HashKey::new([9; 16]),
            host.store(VM_ID),
        )
    })
    .0
}

#[test]
fn the_same_bytes_come_from_the_plugin_with_one_and_four_workers_and_from_the_engine() {
    let Some(wasm) = wasm_or_skip("parity") else {
        return;
    };
    for (scenario, seed) in [("mixed", 1), ("campaign", 2)] {
        let trace = trace(scenario, seed);

        let (one, _) = by_plugin(&wasm, &trace, 1);
        let (four, _) = by_plugin(&wasm, &trace, 4);
        let native = by_engine(&trace);

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

    let (_, reports) = by_plugin(&wasm, &trace("mixed", 3), 2);

    let calls: u64 = reports.iter().map(|report| report.hostcalls.total()).sum();
    let each = calls as f64 / EXCHANGES as f64;
    assert!(each <= 12.0, "{each:.2} hostcalls an exchange");
}

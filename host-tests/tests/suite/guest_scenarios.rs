//! The example guests do what they are for, in our host and in a real Envoy, and there is no difference.
use std::io::Write;
use std::path::PathBuf;

use weir_host::conformance::{EnvoyRun, HostRun, Modules, differences, run_in_envoy};
use weir_host::scenario::{Code, Observation, Scenario};

use crate::guests::guest_or_skip;
use crate::weir::repository;

fn scenarios(file: &str) -> Vec<Scenario> {
    let path = repository("host-tests/conformance/guests").join(file);
    Scenario::parse_all(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn modules() -> Modules {
    let named = std::env::var_os("WEIR_GUESTS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| repository("target/guests"));
    Modules {
        probe: folder.join("probe.wasm"),
        guests: Some(folder),
    }
}

fn is_built(test: &str, scenario: &Scenario) -> bool {
    let mut plugins = scenario.proxy.plugins.iter();
    plugins.all(|plugin| match &plugin.code {
        Code::Guest(name) => guest_or_skip(test, name).is_some(),
        _ => true,
    })
}

/// Expectations that are not met.
fn unmet(scenario: &Scenario, observation: &Observation) -> Vec<String> {
    let expected = scenario.expect.iter();
    expected
        .filter_map(|expectation| expectation.unmet(observation))
        .collect()
}

/// These guests do not say which VM of theirs speaks, so only what is said counts, in any order.
fn in_one_list(observation: &Observation) -> Observation {
    let mut lines: Vec<String> = observation.vms.concat();
    lines.sort();
    Observation {
        vms: vec![lines],
        ..observation.clone()
    }
}

fn run(test: &str, file: &str) {
    let envoy = std::env::var_os("ENVOY").map(EnvoyRun::new);
    if envoy.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {test} in Envoy: ENVOY names none"
        );
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let modules = modules();
    let host = HostRun::new(modules.clone()).unwrap();
    let mut failures = Vec::new();
    for scenario in scenarios(file) {
        if !is_built(test, &scenario) {
            continue;
        }
        let here = host.run(&scenario).unwrap();
        let mut found = unmet(&scenario, &here);
        if let Some(envoy) = &envoy {
            let there = run_in_envoy(&scenario, &modules, envoy, &here);
            let there = runtime.block_on(there).unwrap();
            found.extend(
                unmet(&scenario, &there)
                    .iter()
                    .map(|text| format!("in Envoy {text}")),
            );
            found.extend(
                differences(&in_one_list(&here), &in_one_list(&there))
                    .iter()
                    .map(ToString::to_string),
            );
        }
        let name = &scenario.name;
        failures.extend(found.iter().map(|text| format!("{name}: {text}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn guests_on_the_rust_sdk_behave_alike_in_both_hosts() {
    run(
        "guests_on_the_rust_sdk_behave_alike_in_both_hosts",
        "sdk.yaml",
    );
}

#[test]
fn guests_in_assemblyscript_behave_alike_in_both_hosts() {
    run(
        "guests_in_assemblyscript_behave_alike_in_both_hosts",
        "assemblyscript.yaml",
    );
}

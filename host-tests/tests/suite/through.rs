//! The evaluation and the plugin see the same states in the same world, exchange by exchange.
use super::weir::{shipped_policy, wasm_or_skip};
use serde_json::{Value, json};
use weir_host::evaluate::{Agreement, Decides, Through};
use weir_host::world::{Corpora, Sampling, WorldScenario};

/// A hamlet with a campaign that is found within days.
fn hamlet() -> WorldScenario {
    let text = "
name: hamlet
start: \"2026-04-08T00:00:00Z\"
burn_in_days: 2
days: 7
accounts: 400
exchanges_per_day: 3000
hard_negatives: 0
campaigns:
  - {family: a1, accounts: 80, start_day: [0.1, 0.2]}
";
    WorldScenario::parse(text, "hamlet").unwrap()
}

/// The shipped policy with less to learn. It would refuse much: the evaluation must switch that off.
fn policy() -> Value {
    let mut policy = shipped_policy();
    policy["detection"]["learn"] = json!("1d");
    policy["detection"]["memory"] = json!("16MiB");
    policy
}

fn agreement(decides: Decides<'_>, sample: &str, workers: usize) -> Agreement {
    let through = Through {
        scenario: &hamlet(),
        corpora: &Corpora::default(),
        sampling: sample.parse::<Sampling>().unwrap(),
        policy: &policy(),
        decides,
        workers,
    };
    through.run(4, |_| {}).unwrap()
}

fn count(states: &[(&'static str, u64)], state: &str) -> u64 {
    states.iter().find(|(name, _)| *name == state).unwrap().1
}

#[test]
fn every_decision_has_the_state_that_the_evaluation_saw() {
    let native = agreement(Decides::Engine, "1/1", 2);

    assert!(native.holds(), "{native:?}");
    assert_eq!(native.differing_accounts, 0);
    assert!(count(&native.gravest, "restrict") > 20, "{native:?}");
    assert!(count(&native.states, "restrict") > 200, "{native:?}");
    assert!(
        native.accounts > 300 && native.exchanges > 15_000,
        "{native:?}"
    );

    let Some(wasm) = wasm_or_skip("evaluation through the plugin") else {
        return;
    };
    let plugin = agreement(Decides::Plugin(&wasm), "1/1", 1);

    assert!(plugin.holds(), "{plugin:?}");
    assert_eq!(
        (&plugin.states, &plugin.gravest, plugin.exchanges),
        (&native.states, &native.gravest, native.exchanges)
    );
    let cost = plugin.cost.unwrap();
    let added = cost.detection();
    assert!(
        added.hostcalls < 2.0 && cost.without.hostcalls > 3.0,
        "{cost:?}"
    );
    assert!(
        added.fuel > 1_000.0 && added.fuel < 3.0 * cost.without.fuel,
        "{cost:?}"
    );
    assert!(cost.leader_fuel_per_hour > 10_000.0, "{cost:?}");
}

#[test]
fn a_sample_agrees_as_the_whole_does() {
    let whole = agreement(Decides::Engine, "1/1", 1);
    let sample = agreement(Decides::Engine, "1/3", 1);

    assert!(sample.holds(), "{sample:?}");
    assert!(sample.exchanges < whole.exchanges && sample.accounts < whole.accounts);
    assert!(count(&sample.gravest, "restrict") > 0, "{sample:?}");
}

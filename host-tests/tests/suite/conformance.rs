//! Scenarios in our host alone: they run through, and the same way twice.
use weir_host::artifact::Artifacts;
use weir_host::conformance::{HostRun, Modules, random};
use weir_host::scenario::{Observation, Scenario};

fn modules() -> Modules {
    let guests = Artifacts::new().guests().unwrap();
    Modules {
        probe: guests.join("probe.wasm"),
        guests: Some(guests),
    }
}

fn logs(observation: &Observation, text: &str) -> bool {
    observation.vms.iter().flatten().any(|line| line.contains(text))
}

#[test]
fn no_scenario_asks_the_probe_for_what_it_cannot_do() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let host = HostRun::new(modules()).unwrap();

    for scenario in Scenario::read_folder(&folder).unwrap() {
        let observation = host.run(&scenario).unwrap();
        assert!(!logs(&observation, "bad call"), "{}: {observation:#?}", scenario.name);
        assert!(!logs(&observation, "bad script"), "{}", scenario.name);
    }
}

#[test]
fn random_scenarios_are_sound_and_give_the_same_twice() {
    let run = HostRun::new(modules()).unwrap();
    let mut host = run.share(&random::proxy()).unwrap();
    let mut again = run.share(&random::proxy()).unwrap();

    for seed in 0..300 {
        let scenario = random::scenario(seed);
        let observation = host.run(&scenario).unwrap();
        assert!(!logs(&observation, "bad "), "{seed}: {observation:#?}");
        assert_eq!(observation, again.run(&scenario).unwrap(), "{seed}");
    }
}

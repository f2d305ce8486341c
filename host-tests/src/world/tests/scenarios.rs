//! Scenario files: what is shipped is valid, what is wrong is told with its place.
use crate::world::scenario::SHIPPED;
use crate::world::{Family, World, WorldScenario};

#[test]
fn every_shipped_world_is_valid_and_carries_its_own_name() {
    for (name, _) in SHIPPED {
        assert_eq!(WorldScenario::load(name).unwrap().name, name);
    }
}

#[test]
fn a_scenario_says_only_what_differs_from_the_family() {
    let scenario = WorldScenario::parse(
        &village("  - family: a3\n    accounts: 77\n    network:\n      own: {}\n"),
        "test",
    )
    .unwrap();

    let campaign = &scenario.campaigns[0];
    assert_eq!((campaign.family, campaign.accounts), (Family::A3, 77));
    assert_eq!(campaign.network, crate::world::Network::Own {});
    assert_eq!(campaign.templates, [15, 19]);
    assert_eq!(campaign.operators, 3);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (campaigns, message) in [
        (
            "  - family: a9\n",
            "test:8:5: campaigns[0].family: unknown variant `a9`",
        ),
        (
            "  - family: a1\n    acounts: 3\n",
            "test:9:5: campaigns[0].acounts: unknown field `acounts`",
        ),
        (
            "  - family: a1\n    per_day: [9, 1]\n",
            "test:9:5: campaigns[0].per_day: must be two numbers in order",
        ),
        (
            "  - family: a1\n    targets: [cooking]\n",
            "test:9:5: campaigns[0].targets: must be some of the topics",
        ),
    ] {
        let told = WorldScenario::parse(&village(campaigns), "test")
            .unwrap_err()
            .to_string();
        assert!(told.starts_with(message), "{told}");
    }
    let told = WorldScenario::load("atlantis").unwrap_err().to_string();
    assert!(
        told.contains("incident") && told.contains("village"),
        "{told}"
    );
}

#[test]
fn scale_multiplies_people_and_campaigns_alike() {
    let mut scenario = WorldScenario::load("incident").unwrap();
    scenario.scale = 0.5;
    let world = World::new(&scenario, 1);

    let accounts = world.campaigns().next().unwrap().accounts;
    assert!((100..=150).contains(&accounts), "{accounts}");
    let expected = world.exchanges_expected() as f64;
    assert!(
        (expected / (250_000.0 * 59.0) - 1.0).abs() < 0.03,
        "{expected}"
    );
}

fn village(campaigns: &str) -> String {
    format!(
        "name: test\nstart: \"2026-04-08T00:00:00Z\"\nburn_in_days: 1\ndays: 2\n{}campaigns:\n{campaigns}",
        "accounts: 10\nexchanges_per_day: 100\n"
    )
}

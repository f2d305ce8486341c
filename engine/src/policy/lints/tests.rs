use crate::{policy::Policy, time::Timestamp};
use serde_json::{Value, json};
use std::{format, string::String, string::ToString, vec, vec::Vec};

fn minimal() -> Value {
    json!({
        "apiVersion": "weir/v1", "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {
            "account": [{"header": "x-account"}], "organization": [{"header": "x-org"}],
            "verification": [{"header": "x-verification"}], "plan": [{"header": "x-plan"}],
            "created": [{"header": "x-created"}]
        },
        "tiers": [{"name": "all"}],
        "rollout": {"mode": "shadow"}
    })
}

/// Codes and paths, at the first of July 2026.
fn found(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document = minimal();
    change(&mut document);
    let now = Timestamp::parse_rfc3339("2026-07-01T00:00:00Z");
    let checked = Policy::check(document.to_string().as_bytes(), now);
    checked
        .diagnostics
        .iter()
        .map(|one| format!("{} {}", one.code, one.path))
        .collect()
}

fn budget(name: &str, per: &str, limit: u32, window: &str) -> Value {
    json!({"name": name, "per": per, "unit": "tokens", "limit": limit, "window": window})
}

#[test]
fn a_tier_is_reached_unless_one_above_matches_all_of_it() {
    let tiers = |first: Value, second: Value| {
        found(|document| {
            document["tiers"] = json!([
                {"name": "a", "match": first}, {"name": "b", "match": second}, {"name": "all"}
            ]);
        })
    };
    let nobody = vec!["P131 tiers[1].match"];

    assert_eq!(
        tiers(json!({"plan": ["x", "y"]}), json!({"plan": ["x"]})),
        nobody
    );
    assert_eq!(
        tiers(
            json!({"minAge": "1d"}),
            json!({"minAge": "2d", "plan": ["x"]})
        ),
        nobody
    );
    assert!(tiers(json!({"plan": ["x"]}), json!({"plan": ["x", "y"]})).is_empty());
    assert!(tiers(json!({"minAge": "2d"}), json!({"minAge": "1d"})).is_empty());
    assert!(
        tiers(
            json!({"plan": ["x"], "minAge": "2d"}),
            json!({"plan": ["x"]})
        )
        .is_empty()
    );
}

#[test]
fn a_fact_without_source_is_told_where_a_tier_asks_for_it_and_an_attestation_is_a_source() {
    let without_source = |document: &mut Value| {
        document["identity"]["verification"] = json!([]);
        document["tiers"] =
            json!([{"name": "a", "match": {"verification": ["phone"]}}, {"name": "all"}]);
    };

    assert_eq!(found(without_source), ["P131 tiers[0].match"]);
    let key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let attested = found(|document| {
        without_source(document);
        document["verification"] = json!({"levels": ["phone"], "attestation": {
            "audience": "a", "keys": [{"id": "k", "ed25519": key}]}});
    });
    assert!(attested.is_empty(), "{attested:?}");
}

#[test]
fn the_later_of_two_equal_limits_is_told_and_a_tighter_one_is_not() {
    let of = |budgets: Value| found(|document| document["budgets"] = budgets);

    let equal = json!([
        budget("a", "account", 5, "1h"),
        budget("b", "account", 5, "1h")
    ]);
    assert_eq!(of(equal), ["P133 budgets[1].limit"]);
    let above_organization = json!([
        budget("a", "account", 10, "1h"),
        budget("o", "organization", 10, "1d")
    ]);
    assert_eq!(of(above_organization), ["P133 budgets[0].limit"]);
    // 24 windows of an hour allow 240 a day.
    let scaled = |limit| {
        json!([
            budget("a", "account", limit, "1d"),
            budget("b", "account", 10, "1h")
        ])
    };
    assert_eq!(of(scaled(240)), ["P133 budgets[0].limit"]);
    assert!(of(scaled(239)).is_empty());
    let below = json!([
        budget("a", "account", 9, "1h"),
        budget("o", "organization", 10, "1h")
    ]);
    assert!(of(below).is_empty());
}

#[test]
fn a_budget_for_some_tiers_bounds_no_others() {
    let mut some = budget("a", "account", 5, "1h");
    some["tiers"] = json!(["all"]);
    let general = budget("b", "account", 5, "1h");

    let found = found(|document| {
        document["tiers"] = json!([{"name": "a", "match": {"plan": ["x"]}}, {"name": "all"}]);
        document["budgets"] = json!([some, general]);
    });

    assert_eq!(found, ["P133 budgets[0].limit"]);
}

#[test]
fn a_rule_is_covered_only_by_one_that_asks_for_all_of_it_wherever_it_holds() {
    let of = |first: Value, second: Value| {
        found(|document| document["shaping"] = json!({"rules": [first, second]}))
    };
    let rule = |name: &str, samples: u32| json!({"name": name, "request": {"samples": samples}});
    let mut narrow = rule("b", 2);
    narrow["when"] = json!({"tiers": ["all"]});

    assert_eq!(of(rule("a", 2), narrow.clone()), ["P132 shaping.rules[1]"]);
    assert!(of(rule("a", 3), narrow.clone()).is_empty());
    assert!(of(narrow, rule("a", 2)).is_empty());
    let strips = |name: &str, loops: &str| json!({"name": name, "response": {"visibleReasoning": "strip", "toolLoops": loops}});
    assert!(of(strips("a", "keep"), strips("b", "strip")).is_empty());
    assert_eq!(
        of(strips("a", "strip"), strips("b", "keep")),
        ["P132 shaping.rules[1]"]
    );
}

#[test]
fn what_was_set_for_a_while_is_told_once_it_is_forgotten() {
    let rollout = |rollout: Value| found(|document| document["rollout"] = rollout);

    let since = |day: &str| json!({"mode": "shadow", "since": format!("2026-{day}T00:00:00Z")});
    assert_eq!(rollout(since("05-31")), ["P135 rollout.since"]);
    assert!(rollout(since("06-01")).is_empty());
    let enforced = json!({"mode": "enforce", "since": "2020-01-01T00:00:00Z"});
    assert!(rollout(enforced).is_empty());
    let exempt = |expires: &str| {
        found(|document| {
            document["lists"] = json!({"exempt": [
                {"account": "a", "owner": "o", "reason": "r", "expires": expires}]});
        })
    };
    assert_eq!(
        exempt("2027-07-03T00:00:00Z"),
        ["P134 lists.exempt[0].expires"]
    );
    assert!(exempt("2027-07-01T00:00:00Z").is_empty());
}

#[test]
fn an_attestation_does_not_come_in_a_header_of_the_identity() {
    let found = found(|document| {
        document["verification"] = json!({"levels": ["phone"], "attestation": {
            "header": "x-org", "audience": "a",
            "keys": [{"id": "k", "ed25519": "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]}});
    });

    assert_eq!(found, ["P138 verification.attestation.header"]);
}

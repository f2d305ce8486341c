use super::*;
use crate::policy_file::PolicyFile;
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const BASE: &str = r#"apiVersion: weir/v1
kind: Policy
metadata: {name: base, version: "3", owner: platform}
identity:
  account: [{header: x-account-id}]
  organization: [{header: x-org-id}]
  plan: [{header: x-plan}]
tiers:
  - {name: paying, match: {plan: [team]}}
  - {name: everyone}
budgets:
  - {name: requests, per: account, unit: requests, limit: 1000, window: 1h}
  - {name: old, per: account, unit: tokens, limit: 10, window: 1d}
lists:
  deny:
    - {account: a, owner: t, reason: r, expires: 2030-01-01T00:00:00Z}
rollout: {mode: shadow}
"#;

/// A folder with layers: `base.yaml`, and others as given, each with the head of an overlay on the one before it.
fn folder(base: &str, overlays: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("base.yaml"), base).unwrap();
    let mut below = "base.yaml".to_owned();
    for (index, overlay) in overlays.iter().enumerate() {
        let text = format!("apiVersion: weir/v1\nkind: Overlay\nextends: {below}\n{overlay}");
        below = format!("{}.yaml", index + 1);
        fs::write(folder.path().join(&below), text).unwrap();
    }
    folder
}

fn check(folder: &TempDir, file: &str) -> CheckedPolicy {
    LayeredPolicy::read(&folder.path().join(file))
        .unwrap()
        .check(None)
}

fn merged(overlays: &[&str]) -> Value {
    let folder = folder(BASE, overlays);
    let checked = check(&folder, &format!("{}.yaml", overlays.len()));
    assert!(checked.policy.is_some(), "{:#?}", checked.problems);
    serde_json::from_str(&checked.json).unwrap()
}

/// Code, path, line and the file's name of every problem.
fn problems(base: &str, overlays: &[&str]) -> Vec<String> {
    let folder = folder(base, overlays);
    let checked = check(&folder, &format!("{}.yaml", overlays.len()));
    assert!(
        checked.policy.is_none()
            && checked
                .problems
                .iter()
                .all(|one| !one.diagnostic.help.is_empty())
    );
    checked
        .problems
        .iter()
        .map(|one| {
            let file = Path::new(&one.file).file_name().unwrap().to_str().unwrap();
            let line = one.at.map_or(0, |at| at.line);
            format!(
                "{} {} {file}:{line}",
                one.diagnostic.code, one.diagnostic.path
            )
        })
        .collect()
}

#[test]
fn an_overlay_changes_what_it_says_and_nothing_else() {
    let value = merged(&[r#"metadata: {name: chat, version: "7", owner: chat-team}
budgets:
  - {name: requests, limit: 500}
  - {name: extra, per: account, unit: tokens, limit: 5, window: 1h}
  - {name: old, remove: true}
lists:
  deny:
    - {organization: a, owner: chat, reason: r, expires: 2030-01-01T00:00:00Z}
    - {account: a, reason: another}
identity: {organization: null}
tiers:
  - {name: partners, before: everyone, match: {plan: [partner]}}
"#]);

    let mut expected =
        serde_json::to_value(PolicyFile::parse(BASE.to_owned(), "b").unwrap().value).unwrap();
    expected["metadata"] = json!({"name": "chat", "version": "7", "owner": "chat-team"});
    expected["budgets"] = json!([
        {"name": "requests", "per": "account", "unit": "requests", "limit": 500, "window": "1h"},
        {"name": "extra", "per": "account", "unit": "tokens", "limit": 5, "window": "1h"}]);
    expected["lists"]["deny"][0]["reason"] = json!("another");
    let organization = json!({"organization": "a", "owner": "chat", "reason": "r", "expires": "2030-01-01T00:00:00Z"});
    expected["lists"]["deny"]
        .as_array_mut()
        .unwrap()
        .push(organization);
    expected["identity"]
        .as_object_mut()
        .unwrap()
        .remove("organization");
    let partners = json!({"name": "partners", "match": {"plan": ["partner"]}});
    expected["tiers"]
        .as_array_mut()
        .unwrap()
        .insert(1, partners);
    assert_eq!(value, expected);
}

#[test]
fn lists_of_plain_values_and_of_unnamed_entries_are_replaced_whole() {
    let value = merged(&[
        "identity: {account: [{apiKey: {}}]}\ntiers: [{name: paying, match: {plan: [x, y]}}]\n",
    ]);

    assert_eq!(value["identity"]["account"], json!([{"apiKey": {}}]));
    assert_eq!(value["tiers"][0]["match"]["plan"], json!(["x", "y"]));
}

#[test]
fn new_entries_stand_before_one_another_as_they_say() {
    let value = merged(&[
        "tiers:\n- {name: b, before: everyone}\n- {name: a, before: b}\n- {name: c, before: everyone}\n",
    ]);

    let names: Vec<_> = value["tiers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tier| tier["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["paying", "a", "b", "c", "everyone"]);
}

#[test]
fn the_same_layers_give_the_same_bytes_and_an_overlay_of_nothing_gives_the_base() {
    let folder = folder(
        &format!("locked: [detection]\n{BASE}"),
        &["", "locked: []\n"],
    );
    let plain = LayeredPolicy::parse(BASE.to_owned(), "b", None).check(None);

    for file in ["1.yaml", "2.yaml", "2.yaml"] {
        assert_eq!(check(&folder, file).json, plain.json);
    }
}

#[test]
fn a_problem_is_told_in_the_layer_that_the_value_came_from() {
    let base = BASE.replace("window: 1d", "window: never");
    let over = "budgets:\n  - {name: requests, limit: 0}\n";

    assert_eq!(
        problems(&base, &[over, "metering: {x: 1}\n"]),
        [
            "P002 metering.x 2.yaml:4",
            "P014 budgets[0].limit 1.yaml:5",
            "P010 budgets[1].window base.yaml:13",
        ]
    );
}

#[test]
fn what_is_locked_cannot_be_touched_from_above_whole_or_in_part_and_who_locked_it_is_named() {
    let base = format!("locked: [detection, budgets.requests.limit, tiers.everyone]\n{BASE}");
    let over = r#"detection: {thresholds: {restrict: 9}}
budgets:
  - {name: requests, limit: 5, window: 2h}
  - {name: old, remove: true}
tiers:
  - {name: everyone, grants: []}
"#;
    let found = problems(
        &base,
        &[
            "locked: [lists.deny]\n",
            over,
            "lists: {deny: null}\nbudgets: [{name: requests, remove: true}]\n",
        ],
    );

    assert_eq!(
        found,
        [
            "P123 detection 2.yaml:4",
            "P123 budgets[0].limit 2.yaml:6",
            "P123 tiers[0] 2.yaml:9",
            "P123 lists.deny 3.yaml:4",
            "P123 budgets[0] 3.yaml:5",
        ]
    );
    let folder = folder(&base, &["detection: {}\n"]);
    let message = check(&folder, "1.yaml").problems[0]
        .diagnostic
        .message
        .clone();
    assert!(
        message.contains("`detection` is locked by ") && message.ends_with("base.yaml:1:10"),
        "{message}"
    );
}

#[test]
fn a_lock_does_not_hold_for_its_own_layer_and_is_not_part_of_the_merged_policy() {
    let value = merged(&["locked: [detection]\ndetection: {}\n"]);

    assert_eq!(
        (
            value.get("locked"),
            value.get("extends"),
            &value["detection"]
        ),
        (None, None, &json!({}))
    );
}

#[test]
fn mistakes_of_all_layers_are_told_at_once() {
    let over = r#"budgets:
  - {name: nothing, remove: true}
  - {name: new, before: nowhere, per: account, unit: tokens, limit: 1, window: 1h}
  - {limit: 5}
  - {name: requests, limit: 5}
  - {name: requests, limit: 6}
  - {name: old, before: requests}
  - {name: old, remove: maybe}
detection: null
locked: [nothing.at, 5]
"#;

    assert_eq!(
        problems(BASE, &[over, "locked: detection\nrollout: {mode: off}\n"]),
        [
            "P124 budgets[0] 1.yaml:5",
            "P124 budgets[1] 1.yaml:6",
            "P126 budgets[2] 1.yaml:7",
            "P125 budgets[4] 1.yaml:9",
            "P004 budgets[5] 1.yaml:10",
            "P125 budgets[6] 1.yaml:11",
            "P124 detection 1.yaml:12",
            "P127 locked[0] 1.yaml:13",
            "P004 locked[1] 1.yaml:13",
            "P004 locked 2.yaml:4",
            "P004 rollout.mode 2.yaml:5",
        ]
    );
}

#[test]
fn layers_that_cannot_be_found_or_used_are_told_where_they_are_asked_for() {
    let folder = folder(BASE, &[]);
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let overlay = |on: &str| format!("apiVersion: weir/v1\nkind: Overlay\nextends: {on}\n");
    write("missing.yaml", &overlay("no/such.yaml"));
    write("folder.yaml", &overlay("."));
    write("list.yaml", &overlay("[]"));
    write("nowhere.yaml", "apiVersion: weir/v1\nkind: Overlay\n");
    write("a.yaml", &overlay("b.yaml"));
    write("b.yaml", &overlay("./a.yaml"));
    write("rollout.yaml", "kind: Rollout\n");
    write("kind.yaml", &overlay("rollout.yaml"));
    write("broken.yaml", "a: [1\n");
    write("syntax.yaml", &overlay("broken.yaml"));
    write("l0.yaml", &overlay("base.yaml"));
    for level in 1..MAX_LAYERS {
        write(
            &format!("l{level}.yaml"),
            &overlay(&format!("l{}.yaml", level - 1)),
        );
    }
    let codes = |file: &str| -> Vec<&str> {
        let checked = check(&folder, file);
        assert!(checked.policy.is_none() && checked.json.is_empty());
        checked
            .problems
            .iter()
            .map(|one| one.diagnostic.code.as_str())
            .collect()
    };

    assert_eq!(codes("missing.yaml"), ["P120"]);
    assert_eq!(codes("folder.yaml"), ["P120"]);
    assert_eq!(codes("list.yaml"), ["P004"]);
    assert_eq!(codes("nowhere.yaml"), ["P003"]);
    assert_eq!(codes("a.yaml"), ["P121"]);
    assert_eq!(codes("kind.yaml"), ["P005"]);
    assert_eq!(codes("syntax.yaml"), ["P001"]);
    assert_eq!(codes("l7.yaml"), ["P122"]);
    assert!(check(&folder, "l6.yaml").policy.is_some());
    let circle = check(&folder, "a.yaml").problems[0]
        .diagnostic
        .message
        .clone();
    assert!(
        circle.contains("a.yaml -> ") && circle.contains("b.yaml -> "),
        "{circle}"
    );
}

#[test]
fn an_overlay_from_standard_input_needs_a_whole_path() {
    let folder = folder(BASE, &[]);
    let overlay = |on: &str| format!("apiVersion: weir/v1\nkind: Overlay\nextends: {on}\n");

    let relative = LayeredPolicy::parse(overlay("base.yaml"), "<stdin>", None).check(None);
    let whole = folder.path().join("base.yaml");
    let whole = LayeredPolicy::parse(overlay(whole.to_str().unwrap()), "<stdin>", None).check(None);

    assert!(relative.has(Code::NoPlace) && whole.policy.is_some());
}

#[test]
fn a_million_mistakes_are_not_a_million_problems() {
    let entries: String = (0..50_000)
        .map(|index| format!("  - {{name: n{index}, remove: true}}\n"))
        .collect();
    let folder = folder(BASE, &[&format!("budgets:\n{entries}")]);

    let problems = check(&folder, "1.yaml").problems;

    assert!(problems.len() < 300);
    assert!(
        problems
            .iter()
            .any(|one| one.diagnostic.message == "and 49800 more problems")
    );
}

/// What an overlay may say about the budgets and the metadata of the base.
fn overlay() -> impl Strategy<Value = String> {
    let budget = (0..4_usize, 1..9_u32).prop_map(|(name, limit)| {
        format!("  - {{name: n{name}, per: account, unit: tokens, limit: {limit}, window: 1h}}\n")
    });
    (
        prop::collection::btree_map(0..4_usize, budget, 0..4),
        1..9_u32,
    )
        .prop_map(|(budgets, version)| {
            let mut names: Vec<String> = budgets.into_values().collect();
            names.sort();
            names.dedup_by_key(|line| line.split(',').next().map(str::to_owned));
            let budgets = if names.is_empty() {
                String::new()
            } else {
                format!("budgets:\n{}", names.concat())
            };
            format!("metadata: {{version: \"{version}\"}}\n{budgets}")
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn layers_give_what_they_give_when_the_lower_ones_are_merged_into_one_file_first(
        one in overlay(), two in overlay(), three in overlay()
    ) {
        let layered = folder(BASE, &[&one, &two, &three]);
        let lower = check(&layered, "2.yaml").json;
        let flat = folder(&lower, &[&three]);

        prop_assert_eq!(check(&layered, "3.yaml").json, check(&flat, "1.yaml").json);
    }

    #[test]
    fn an_overlay_put_on_twice_changes_nothing_the_second_time(one in overlay()) {
        let twice = folder(BASE, &[&one, &one]);

        prop_assert_eq!(check(&twice, "2.yaml").json, check(&twice, "1.yaml").json);
    }
}

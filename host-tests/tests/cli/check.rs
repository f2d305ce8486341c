//! `weir check`.
use crate::{text, weir};
use serde_json::Value;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");
const BAD: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../policies/diagnostics/limits-out-of-range.yaml"
);

#[test]
fn a_valid_policy_is_status_0_and_its_configuration_is_the_json_that_a_plugin_takes() {
    let checked = weir(&["check", SHIPPED]);
    let emitted = weir(&["check", SHIPPED, "--emit-config"]);

    assert_eq!(
        (checked.status.code(), emitted.status.code()),
        (Some(0), Some(0))
    );
    assert!(text(&checked.stdout).contains("frontier-api version 1 is valid"));
    let configuration: Value = serde_json::from_slice(&emitted.stdout).unwrap();
    assert_eq!(configuration["kind"], "Policy");
    assert!(
        weir_engine::policy::Policy::check(emitted.stdout.trim_ascii(), None)
            .policy
            .is_some()
    );
}

#[test]
fn a_bad_policy_is_status_1_and_every_problem_has_file_line_code_and_help() {
    let output = weir(&["check", BAD]);

    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    for code in ["P010", "P011", "P014"] {
        assert!(told.contains(&format!("error {code}: ")), "{told}");
    }
    assert!(told.lines().filter(|line| line.contains("help: ")).count() >= 6);
    let place = told.lines().next().unwrap().strip_prefix(BAD).unwrap();
    assert!(
        place.starts_with(':') && place[1..].starts_with(|c: char| c.is_ascii_digit()),
        "{place}"
    );
}

#[test]
fn machines_get_the_same_problems_as_json() {
    let output = weir(&["check", SHIPPED, BAD, "--format", "json"]);

    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(result["policies"][0]["valid"], true);
    assert_eq!(result["policies"][1]["valid"], false);
    let problem = &result["policies"][1]["diagnostics"][0];
    for key in [
        "code", "severity", "path", "line", "column", "message", "help",
    ] {
        assert!(!problem[key].is_null(), "{key} in {problem}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_status_2() {
    let output = weir(&["check", "/no/such/policy.yaml"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("/no/such/policy.yaml"));
}

#[test]
fn an_explained_policy_is_a_policy_with_every_default_written_out() {
    let explained = weir(&["check", SHIPPED, "--explain"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("explained.yaml");
    std::fs::write(&path, &explained.stdout).unwrap();

    let checked = weir(&["check", path.to_str().unwrap()]);

    assert_eq!(explained.status.code(), Some(0));
    assert!(text(&explained.stdout).contains("# given: Largest body that is read"));
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
}

#[test]
fn machines_get_an_explanation_as_json() {
    let output = weir(&["check", SHIPPED, "--explain", "--format", "json"]);

    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["name"], "frontier-api");
    let first = &result["keys"][0];
    assert_eq!(
        (&first["path"], &first["value"], &first["origin"]),
        (&"apiVersion".into(), &"weir/v1".into(), &"given".into())
    );
}

#[test]
fn a_refused_policy_is_not_explained() {
    let output = weir(&["check", BAD, "--explain"]);

    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("P014"));
}

/// A folder with a base that locks its detection, and an overlay of it.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn layers(overlay: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let base = "apiVersion: weir/v1\nkind: Policy\nmetadata: {name: base, version: \"3\", owner: platform}\nlocked: [detection]\nidentity: {account: [{header: x-account-id}]}\ntiers: [{name: everyone}]\nrollout: {mode: shadow}\n";
    std::fs::write(folder.path().join("base.yaml"), base).unwrap();
    let head = "apiVersion: weir/v1\nkind: Overlay\nextends: ../base.yaml\nmetadata: {name: chat, version: \"7\", owner: chat}\n";
    std::fs::create_dir(folder.path().join("chat")).unwrap();
    std::fs::write(
        folder.path().join("chat/policy.yaml"),
        format!("{head}{overlay}"),
    )
    .unwrap();
    folder
}

#[test]
fn an_overlay_is_checked_with_its_base_and_its_configuration_is_one_plain_policy() {
    let folder = layers("rollout: {mode: enforce}\n");
    let overlay = folder.path().join("chat/policy.yaml");
    let overlay = overlay.to_str().unwrap();

    let told = weir(&["check", overlay]);
    let emitted = weir(&["check", overlay, "--emit-config"]);
    let machine = weir(&["check", overlay, "--format", "json"]);

    let told = text(&told.stdout);
    assert!(
        told.contains("chat version 7 is valid, mode enforce"),
        "{told}"
    );
    assert!(told.contains("base.yaml: base version 3"), "{told}");
    let configuration: Value = serde_json::from_slice(&emitted.stdout).unwrap();
    assert_eq!(configuration["kind"], "Policy");
    assert_eq!(configuration["rollout"]["mode"], "enforce");
    assert!(configuration.get("locked").is_none() && configuration.get("extends").is_none());
    let machine: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!(machine["policies"][0]["layers"][0]["version"], "3");
}

#[test]
fn what_a_base_has_locked_is_status_1_and_names_the_place_of_the_lock_and_of_the_touch() {
    let folder = layers("detection: {thresholds: {restrict: 9}}\n");
    let overlay = folder.path().join("chat/policy.yaml");

    let output = weir(&["check", overlay.to_str().unwrap(), "--format", "json"]);

    assert_eq!(output.status.code(), Some(1));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = &result["policies"][0]["diagnostics"][0];
    assert_eq!(
        (&problem["code"], &problem["line"]),
        (&"P123".into(), &5.into())
    );
    assert!(
        problem["file"]
            .as_str()
            .unwrap()
            .ends_with("chat/policy.yaml")
    );
    assert!(
        problem["message"]
            .as_str()
            .unwrap()
            .contains("base.yaml:4:10")
    );
}

#[test]
fn a_file_that_is_no_document_has_a_place_a_code_and_a_help() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, "a: 1\na: 2\n").unwrap();

    let output = weir(&["check", path.to_str().unwrap()]);

    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("p.yaml:2:1: error P001: .: duplicate key"),
        "{told}"
    );
    assert!(told.contains("help: "), "{told}");
}

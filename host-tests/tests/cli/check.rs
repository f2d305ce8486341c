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

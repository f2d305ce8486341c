//! `weir test` with cases.
use crate::{text, weir};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const POLICY: &str = r#"apiVersion: weir/v1
kind: Policy
metadata: {name: small, version: "1", owner: tests}
identity: {account: [{header: x-account-id}]}
capabilities:
  tools: {anyOf: [{tools: {atLeast: 1}}]}
tiers: [{name: everyone}]
budgets: [{name: hourly, per: account, unit: requests, limit: 2, window: 1h}]
rollout: {mode: enforce}
"#;

const HOLDS: &str = "policy: policy.yml\ndefaults: {headers: {x-account-id: a}, body: {model: m, messages: []}}\ncases:\n  - name: two requests pass\n    phases:\n      - send: {}\n        repeat: 2\n        expect: {action: allow}\n";
const FAILS: &str = "policy: policy.yml\ndefaults: {headers: {x-account-id: a}, body: {model: m, messages: []}}\ncases:\n  - name: three requests pass & <more>\n    phases:\n      - send: {}\n        repeat: 3\n        expect: {action: allow, status: 200}\n";

/// A folder with a policy and files of cases.
struct Folder(TempDir);

#[expect(clippy::unwrap_used, reason = "a test's helper")]
impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("policy.yml"), POLICY).unwrap();
        for (name, text) in files {
            fs::write(folder.path(name), text).unwrap();
        }
        folder
    }
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
    fn test(&self, arguments: &[&str]) -> std::process::Output {
        weir(&[&["test", &self.path(""), "--host", "native"], arguments].concat())
    }
}

#[test]
fn cases_that_hold_are_status_0_and_others_1_with_place_and_what_was_seen() {
    let holds = Folder::with(&[("a.yaml", HOLDS)]).test(&[]);
    let folder = Folder::with(&[("a.yaml", HOLDS), ("b.yaml", FAILS)]);
    let both = folder.test(&[]);
    let one = folder.test(&["--filter", "two"]);

    assert_eq!(holds.status.code(), Some(0), "{}", text(&holds.stderr));
    assert_eq!((both.status.code(), one.status.code()), (Some(1), Some(0)));
    let table = text(&both.stdout);
    let place = folder.path("b.yaml");
    assert!(table.contains("ok      two requests pass ("), "{table}");
    assert!(
        table.contains(&format!(
            "{place}:6: native: request 3 of 3, the first of 1: action is throttle, expected allow"
        )),
        "{table}"
    );
    assert!(
        table.contains("not covered         capabilities.tools"),
        "{table}"
    );
    assert!(table.contains("1 passed, 1 failed, 0 differ;"), "{table}");
}

#[test]
fn machines_get_one_object_and_junit() {
    let folder = Folder::with(&[("a.yaml", HOLDS), ("b.yaml", FAILS)]);
    let junit = folder.path("junit.xml");

    let output = folder.test(&["--format", "json", "--junit", &junit]);

    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (&report["version"], &report["passed"], &report["failed"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(report["differs"], serde_json::json!([]));
    let failed = &report["cases"][1]["hosts"]["native"];
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["unmet"][0]["line"], 6);
    let rules = report["coverage"]["policies"][0]["rules"]
        .as_array()
        .unwrap();
    let hourly = rules.iter().find(|rule| rule["rule"] == "budgets.hourly");
    assert_eq!(hourly.unwrap()["exchanges"], 1);
    let document = fs::read_to_string(junit).unwrap();
    assert!(
        document.contains("name=\"three requests pass &amp; &lt;more&gt;\""),
        "{document}"
    );
    assert!(
        document.contains("tests=\"2\" failures=\"1\""),
        "{document}"
    );
}

#[test]
fn too_little_coverage_is_status_1_and_says_how_much_there_is() {
    let folder = Folder::with(&[("a.yaml", HOLDS)]);

    let little = folder.test(&["--coverage-at-least", "90"]);
    let enough = folder.test(&["--coverage-at-least", "10"]);

    assert_eq!(
        (little.status.code(), enough.status.code()),
        (Some(1), Some(0))
    );
    assert!(
        text(&little.stderr).contains("less than 90 %"),
        "{}",
        text(&little.stderr)
    );
}

#[test]
fn every_mistake_of_every_file_is_told_at_once_with_its_place_and_is_status_2() {
    let bad = "policy: policy.yml\ncases:\n  - name: a\n    phases:\n      - {sent: {}}\n      - {wait: soon}\n  - name: b\n    phases: [{wait: 1s}]\n";
    let folder = Folder::with(&[("a.yaml", bad), ("b.yaml", "policy: none.yml\ncases: []\n")]);

    let output = folder.test(&[]);

    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = text(&output.stderr);
    let place = |name: &str, at: &str| format!("{}:{at}", folder.path(name));
    for told in [
        place(
            "a.yaml",
            "5:10: cases[0].phases[0].sent: unknown field `sent`",
        ),
        place(
            "a.yaml",
            "6:10: cases[0].phases[1].wait: `soon` is no duration",
        ),
        place("a.yaml", "7:5: cases[1]: the case expects nothing"),
        place("b.yaml", "1:1: policy: cannot read"),
    ] {
        assert!(error.contains(&told), "{told} in {error}");
    }
}

#[test]
fn wrong_usage_is_status_2_and_says_what_to_do() {
    let folder = Folder::with(&[("s.yaml", "name: scenario\nsteps: []\n")]);
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();

    for (arguments, told) in [
        (
            &["test", "--host", "native", "no/such/folder"][..],
            "cannot read",
        ),
        (&["test", "--host", "native", empty], "holds no cases"),
        (
            &["test", "--host", "native", &folder.path("s.yaml")],
            "--plugin",
        ),
        (&["test", "--coverage-at-least", "101", empty], "0 to 100"),
        (
            &["test", "--plugin", "p.wasm", "--watch", empty],
            "--plugin",
        ),
        (&["test", "--trace-calls", empty], "--plugin"),
    ] {
        let output = weir(arguments);

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(told),
            "{}",
            text(&output.stderr)
        );
    }
    let nothing = Folder::with(&[("a.yaml", HOLDS)]).test(&["--filter", "no such"]);
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn a_change_of_a_file_runs_the_cases_again() {
    let folder = Folder::with(&[("a.yaml", HOLDS)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["test", &folder.path(""), "--host", "native", "--watch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut sums = lines
        .map_while(Result::ok)
        .filter(|line| line.contains(" differ"));

    let first = sums.next().unwrap();
    fs::write(folder.path("a.yaml"), FAILS).unwrap();
    let second = sums.next().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();

    assert!(first.starts_with("1 passed, 0 failed"), "{first}");
    assert!(second.starts_with("0 passed, 1 failed"), "{second}");
}

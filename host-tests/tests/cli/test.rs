//! `weir test --plugin`.
use crate::{text, weir};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

/// A plugin that answers 403 to whoever sends no `x-key`, as text, which the host takes as well.
const PLUGIN: &str = r#"(module
  (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "x-key")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (if (i32.eqz (call $get (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 16) (i32.const 20)))
      (then (return (i32.const 0))))
    (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
    (i32.const 1)))"#;

const PASSES: &str = "name: who_has_a_key_passes\nsteps: [exchange: {request: {headers: [[x-key, secret]]}}]\nexpect: [status: {exchange: 0, is: 200}]\n";
const FAILS: &str = "name: who_has_none_passes_too\nsteps: [exchange: {}]\nexpect: [status: {exchange: 0, is: 200}]\n";

/// A folder with the plugin and these scenarios.
struct Folder(TempDir);

#[expect(clippy::unwrap_used, reason = "a test's helper")]
impl Folder {
    fn with(scenarios: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::write(folder.path("plugin.wat"), PLUGIN).unwrap();
        for (name, text) in scenarios {
            fs::write(folder.path(name), text).unwrap();
        }
        folder
    }
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
    fn test(&self, arguments: &[&str]) -> std::process::Output {
        let plugin = self.path("plugin.wat");
        weir(&[&["test", "--plugin", &plugin], arguments].concat())
    }
}

#[test]
fn scenarios_that_hold_are_status_0_and_others_1_with_what_is_seen_instead() {
    let folder = Folder::with(&[("a.yaml", PASSES), ("b.yaml", FAILS)]);

    let one = folder.test(&[&folder.path("a.yaml")]);
    let both = folder.test(&[&folder.path("")]);

    assert_eq!((one.status.code(), both.status.code()), (Some(0), Some(1)));
    let table = text(&both.stdout);
    assert!(table.contains("ok      who_has_a_key_passes ("), "{table}");
    assert!(
        table.contains("FAILED  who_has_none_passes_too ("),
        "{table}"
    );
    assert!(table.contains("the status is 403, not 200"), "{table}");
    assert!(table.ends_with("1 passed, 1 failed\n"), "{table}");
}

#[test]
fn machines_get_results_and_profile_as_one_object() {
    let folder = Folder::with(&[("a.yaml", PASSES), ("b.yaml", FAILS)]);

    let output = folder.test(&[&folder.path(""), "--format", "json", "--profile"]);

    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        (&report["version"], &report["passed"], &report["failed"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(
        report["scenarios"][1]["scenario"],
        "who_has_none_passes_too"
    );
    assert_eq!(
        report["scenarios"][1]["unmet"][0],
        "the status is 403, not 200"
    );
    let headers = &report["profile"]["callbacks"]["proxy_on_request_headers"];
    assert_eq!(headers["calls"], 2);
    assert_eq!(headers["hostcalls"]["proxy_get_header_map_value"], 2);
    assert!(headers["fuel"].as_u64().unwrap() > 0);
}

#[test]
fn traced_calls_go_to_stderr_with_their_values() {
    let folder = Folder::with(&[("a.yaml", PASSES)]);

    let output = folder.test(&[&folder.path("a.yaml"), "--trace-calls"]);

    let trace = text(&output.stderr);
    assert!(trace.starts_with("# who_has_a_key_passes\n"), "{trace}");
    assert!(
        trace
            .contains("  proxy_get_header_map_value(REQUEST_HEADERS, \"x-key\") = OK \"secret\"\n"),
        "{trace}"
    );
    assert!(trace.contains("} = Continue\n"), "{trace}");
    assert!(text(&output.stdout).ends_with("1 passed, 0 failed\n"));
}

#[test]
fn what_cannot_be_run_is_status_2_and_says_what_to_do() {
    let folder = Folder::with(&[
        ("bad.yaml", "name: bad\nsteps: [exchange: {requst: {}}]\n"),
        ("notes.txt", "no scenario"),
    ]);
    let empty = tempfile::tempdir().unwrap();

    for (arguments, told) in [
        (&[folder.path("bad.yaml")][..], "requst"),
        (&[folder.path("none.yaml")], "cannot read"),
        (
            &[empty.path().to_str().unwrap().to_owned()],
            "holds no scenario",
        ),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = folder.test(&arguments);

        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let error = text(&output.stderr);
        assert!(error.contains(told), "{error}");
    }
    let no_plugin = weir(&["test", "--plugin", "no.wasm", &folder.path("bad.yaml")]);
    assert_eq!(no_plugin.status.code(), Some(2));
}

#[test]
fn the_shipped_scenarios_hold_for_the_plugin() {
    let Some(wasm) = crate::plugin::wasm_or_skip("scenarios") else {
        return;
    };
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/scenarios");

    let output = weir(&["test", "--plugin", &wasm, shipped]);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).ends_with("3 passed, 0 failed\n"));
}

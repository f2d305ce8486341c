//! `weir replay` and `weir demo --host wasm`, with the real plugin.
use crate::{text, weir};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");

/// The plugin, or a line that says why the test is left out.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
pub(crate) fn wasm_or_skip(test: &str) -> Option<String> {
    if let Some(named) = std::env::var_os("WEIR_WASM") {
        assert!(Path::new(&named).is_file(), "WEIR_WASM names no file");
        return Some(named.into_string().unwrap());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/weir.wasm");
    if path.is_file() {
        return Some(path.to_str().unwrap().to_owned());
    }
    let reason = "there is no target/weir.wasm; `cargo xtask wasm` builds it";
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
    None
}

#[test]
fn a_replay_writes_exactly_one_decision_a_line_with_either_engine() {
    let Some(wasm) = wasm_or_skip("replay") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (trace, by_plugin, by_engine) = (path("trace"), path("by-plugin"), path("by-engine"));
    assert_eq!(
        weir(&["simulate", "--exchanges", "700", "--out", &trace])
            .status
            .code(),
        Some(0)
    );

    let replay = |decisions: &str, engine: &str| {
        weir(&[
            "replay",
            "--policy",
            SHIPPED,
            "--trace",
            &trace,
            "--decisions",
            decisions,
            "--engine",
            engine,
            "--wasm",
            &wasm,
            "--workers",
            "3",
            "--format",
            "json",
        ])
    };
    let output = replay(&by_plugin, "wasm");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(replay(&by_engine, "native").status.code(), Some(0));

    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["exchanges"], 700);
    assert!(summary["hostcalls_per_exchange"].as_f64().unwrap() <= 12.0);
    let decisions = fs::read_to_string(&by_plugin).unwrap();
    for (index, line) in decisions.lines().enumerate() {
        let decision: Value = serde_json::from_str(line).unwrap();
        assert_eq!(decision["line"], index + 1);
    }
    assert_eq!(decisions.lines().count(), 700);
    assert!(decisions == fs::read_to_string(&by_engine).unwrap());
}

#[test]
fn a_broken_trace_is_status_2_names_the_line_and_leaves_no_decisions() {
    let Some(wasm) = wasm_or_skip("broken trace") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (trace, decisions) = (folder.path().join("trace"), folder.path().join("out"));
    let good = weir(&["simulate", "--exchanges", "2"]).stdout;
    fs::write(&trace, [&good[..], b"{\"time\": oops}\n"].concat()).unwrap();

    let output = weir(&[
        "replay",
        "--policy",
        SHIPPED,
        "--trace",
        trace.to_str().unwrap(),
        "--decisions",
        decisions.to_str().unwrap(),
        "--wasm",
        &wasm,
    ]);

    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("line 3"),
        "{}",
        text(&output.stderr)
    );
    assert!(!decisions.exists());
}

#[test]
fn the_demo_in_our_host_keeps_every_promise_of_the_shipped_policy() {
    let Some(wasm) = wasm_or_skip("demo") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();

    let output = weir(&[
        "demo",
        "--host",
        "wasm",
        "--format",
        "json",
        "--wasm",
        &wasm,
        "--dir",
        folder.path().to_str().unwrap(),
    ]);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["host"], "wasm");
    assert_eq!(report["actions"]["throttle"], 200);
    assert_eq!(report["broken_promises"], serde_json::json!([]));
    let log = fs::read_to_string(report["files"]["decision_log"].as_str().unwrap()).unwrap();
    assert_eq!(
        log.lines().count() as u64,
        report["exchanges"].as_u64().unwrap()
    );
}

//! `weir evaluate`.
use crate::{text, weir};
use std::fs;

const HAMLET: &str = "
name: hamlet
start: \"2026-04-08T00:00:00Z\"
burn_in_days: 1
days: 1
accounts: 60
exchanges_per_day: 600
hard_negatives: 0
";

#[test]
fn the_engine_agrees_and_everything_is_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("hamlet.yaml");
    fs::write(&scenario, HAMLET).unwrap();

    let output = weir(&[
        "evaluate",
        "--scenario",
        scenario.to_str().unwrap(),
        "--seeds",
        "5..7",
        "--through",
        "native",
        "--sample",
        "1/2",
        "--format",
        "json",
    ]);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let through = report["through"].as_array().unwrap();
    assert_eq!(through.len(), 2);
    for agreement in through {
        assert_eq!(agreement["differing_accounts"], 0);
        assert_eq!(agreement["sample"], "1/2");
        assert!(agreement["exchanges"].as_u64().unwrap() > 200);
    }
    assert!(report["reading"]["all"]["prints_ns"].as_f64().unwrap() > 0.0);
    assert!(report["flood"].is_null());
}

#[test]
fn a_flood_that_finds_nobody_to_lose_proves_nothing_and_is_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("hamlet.yaml");
    fs::write(&scenario, HAMLET).unwrap();

    let output = weir(&[
        "evaluate",
        "--scenario",
        scenario.to_str().unwrap(),
        "--seeds",
        "5..6",
        "--flood",
        "1000",
    ]);

    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("flood: 1000 one-shot accounts in a day"));
}

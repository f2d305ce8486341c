//! `weir simulate`.
use crate::{text, weir};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn a_file_and_standard_output_get_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.jsonl");

    let to_file = weir(&[
        "simulate",
        "--seed",
        "7",
        "--exchanges",
        "50",
        "--out",
        file.to_str().unwrap(),
    ]);
    let to_stdout = weir(&["simulate", "--seed", "7", "--exchanges", "50"]);

    assert_eq!(
        (to_file.status.code(), to_stdout.status.code()),
        (Some(0), Some(0))
    );
    assert_eq!(fs::read(&file).unwrap(), to_stdout.stdout);
    assert!(
        to_file.stdout.is_empty()
            && text(&to_file.stderr).starts_with("50 exchanges of scenario mixed with seed 7")
    );
    assert!(
        to_stdout.stderr.is_empty(),
        "no progress where nobody sees it"
    );
}

#[test]
fn the_json_summary_is_one_object_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.jsonl");

    let output = weir(&[
        "simulate",
        "--exchanges",
        "5",
        "--format",
        "json",
        "--out",
        file.to_str().unwrap(),
    ]);

    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["exchanges"], summary["bytes"].as_u64()),
        (&5.into(), Some(fs::metadata(&file).unwrap().len()))
    );
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let mut weir = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["simulate", "--exchanges", "100000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    let mut line = String::new();
    BufReader::new(weir.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap(); // and closed here

    let output = weir.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert!(line.starts_with("{\"time\":"));
}

#[test]
fn a_world_is_unrolled_as_far_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("village.jsonl");
    let path = file.to_str().unwrap();

    let output = weir(&[
        "simulate",
        "--scenario",
        "world/village",
        "--exchanges",
        "40",
        "--out",
        path,
    ]);

    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).starts_with("40 exchanges of scenario village with seed 1"));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 40);
}

#[test]
fn an_error_names_what_is_wrong_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.jsonl");
    let out = file.to_str().unwrap();

    for (arguments, expected) in [
        (
            ["simulate", "--scenario", "nope", "--out", out],
            "weir: there is no scenario `nope`: shipped are mixed, organic, campaign, million-accounts",
        ),
        (
            ["simulate", "--arrivals", "no/such.csv", "--out", out],
            "weir: cannot read no/such.csv: ",
        ),
        (
            ["simulate", "--format", "json", "--out", "-"],
            "weir: --format json prints a summary on standard output",
        ),
    ] {
        let output = weir(&arguments);

        assert_eq!(output.status.code(), Some(2));
        assert!(
            text(&output.stderr).starts_with(expected),
            "{}",
            text(&output.stderr)
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_status_2() {
    let output = weir(&["simulate", "--exchanges", "5000", "--out", "/dev/full"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("weir: cannot write /dev/full: "),
        "{}",
        text(&output.stderr)
    );
}

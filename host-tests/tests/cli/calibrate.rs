//! `weir calibrate --decisions`.
use crate::{text, weir};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");

/// A log of `accounts` accounts that nothing is known of but the prior, and of one whose score is `loud`.
fn log(accounts: usize, loud: f64) -> String {
    let line = |account: &str, day: u32, state: &str, score: f64, campaign: &str, code: &str| {
        format!(
            r#"{{"time":"2026-05-{day:02}T12:00:00.000Z","decision_id":"0","policy":{{"name":"frontier-api","version":"1","digest":"sha256:0"}},"mode":"shadow","account":"{account}","organization":null,"tier":"basic","endpoint":"openai.chat","model":"m","capabilities":[],"state":"{state}","action":"allow","would_action":"allow","basis":"none","score":{score},"reasons":[{{"code":"{code}","value":1.0,"weight":{score}}}],"campaign":{campaign},"rule":null,"tokens":null}}
"#
        )
    };
    let quiet = (0..accounts)
        .map(|number| line(&format!("q-{number}"), 1, "observe", -6.9, "null", "PRIOR"));
    let loud = line(
        "loud",
        12,
        "restrict",
        loud,
        "\"00000000000000aa\"",
        "EVENNESS",
    );
    quiet.chain([loud]).collect()
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn calibrate(log: &str, more: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["calibrate", "--decisions", "-"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(log.as_bytes()); // it may stop reading, which is a result as well
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn thresholds_are_proposed_with_their_effect_as_yaml_that_a_policy_takes() {
    let folder = tempfile::tempdir().unwrap();
    let rate = ["--false-positive-rate", "0.003", "--policy", SHIPPED];

    let output = calibrate(&log(1_000, 9.25), &rate);
    let machine = calibrate(
        &log(1_000, 9.25),
        &[&rate[..], &["--format", "json"]].concat(),
    );

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&machine.stdout).unwrap();
    let restrict = &report["proposal"]["cuts"][2];
    assert_eq!(restrict["proposed"], 9.3);
    assert_eq!(restrict["present"], 8.0);
    assert_eq!(report["period"]["accounts"], 1_001);
    assert_eq!(report["effects"][1]["of"], "unconfirmed");
    // What is printed last goes into the policy as it is.
    let yaml = report["proposal"]["yaml"].as_str().unwrap();
    assert!(text(&output.stdout).ends_with(yaml));
    let thresholds: String = yaml
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect();
    let policy = fs::read_to_string(SHIPPED).unwrap();
    let begin = policy.find("  thresholds:").unwrap();
    let end = begin + policy[begin..].find("\n\n").unwrap() + 1;
    let pasted = folder.path().join("pasted.yaml");
    fs::write(
        &pasted,
        [&policy[..begin], &thresholds, &policy[end..]].concat(),
    )
    .unwrap();
    let checked = weir(&["check", pasted.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
}

#[test]
fn a_confirmed_campaign_no_longer_raises_the_threshold() {
    let confirmed = ["00000000000000aa", "all"].map(|campaign| {
        let output = calibrate(
            &log(1_000, 9.25),
            &[
                "--false-positive-rate",
                "0.003",
                "--confirmed",
                campaign,
                "--format",
                "json",
            ],
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    });

    let [one, all] = confirmed;
    assert_eq!(one, all);
    assert_eq!(one["proposal"]["cuts"][2]["proposed"], 8.0);
    assert_eq!(one["period"]["confirmed"], 1);
}

#[test]
fn what_cannot_be_calibrated_is_status_2_with_the_reason() {
    let learning = log(10, 9.0).replace("-6.9,\"reasons\"", "null,\"reasons\"");
    let learning = learning.replace("9,\"reasons\"", "null,\"reasons\"");
    let learning = learning
        .replace("PRIOR", "LEARNING")
        .replace("EVENNESS", "LEARNING");
    let rate = ["--false-positive-rate", "0.001"];

    for (log, expected) in [
        (learning.as_str(), "learning period"),
        (
            &log(1_000, 9.0),
            "1001 accounts cannot show a rate of 0.001",
        ),
        ("", "no decisions"),
        ("{\"time\":\"SECRET\"}\n", "line 1 is not a decision"),
    ] {
        let output = calibrate(log, &rate);

        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        let told = text(&output.stderr);
        assert!(
            told.contains(expected) && !told.contains("SECRET"),
            "{told}"
        );
    }
}

#[test]
fn the_two_ways_to_calibrate_are_not_mixed() {
    for arguments in [
        &["calibrate"][..],
        &["calibrate", "--decisions", "x"],
        &["calibrate", "--false-positive-rate", "0.1", "--out", "x"],
        &[
            "calibrate",
            "--decisions",
            "x",
            "--false-positive-rate",
            "0.1",
            "--seeds",
            "0..1",
        ],
        &[
            "calibrate",
            "--decisions",
            "x",
            "--false-positive-rate",
            "1.5",
        ],
        &[
            "calibrate",
            "--decisions",
            "no/such/file",
            "--false-positive-rate",
            "0.1",
        ],
    ] {
        assert_eq!(weir(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

//! `weir diff`.
use crate::plugin::wasm_or_skip;
use crate::{text, weir};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/frontier-api.yaml");

/// A folder with traffic and with policies made from the shipped one.
struct Folder(TempDir);

impl Folder {
    #[expect(clippy::unwrap_used, reason = "a test's helper")]
    fn with_traffic(exchanges: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let trace = folder.path("trace");
        let output = weir(&["simulate", "--exchanges", exchanges, "--out", &trace]);
        assert_eq!(output.status.code(), Some(0));
        folder
    }

    #[expect(clippy::unwrap_used, reason = "a test's helper")]
    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// The shipped policy with some of its text replaced.
    #[expect(clippy::unwrap_used, reason = "a test's helper")]
    fn policy(&self, name: &str, changes: &[(&str, &str)]) -> String {
        let mut text = fs::read_to_string(SHIPPED).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "the shipped policy has no {from:?}");
            text = text.replace(from, to);
        }
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn diff(&self, candidate: &str, more: &[&str]) -> Output {
        let trace = self.path("trace");
        let mut arguments = vec![
            "diff",
            "--policy",
            SHIPPED,
            "--candidate",
            candidate,
            "--trace",
            &trace,
        ];
        if !more.contains(&"--engine") {
            arguments.extend(["--engine", "native"]);
        }
        arguments.extend(more);
        weir(&arguments)
    }
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", text(&output.stderr)))
        .unwrap()
}

#[test]
fn a_policy_that_only_its_mode_tells_from_another_changes_nothing_and_is_status_0() {
    let folder = Folder::with_traffic("400");
    let shadow = folder.policy("shadow.yaml", &[("mode: enforce", "mode: shadow")]);

    let output = folder.diff(&shadow, &["--format", "json"]);

    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = report(&output);
    assert_eq!(report["exchanges"], 400);
    assert_eq!(report["changed_exchanges"], 0);
    assert_eq!(report["candidate"]["mode"], "shadow");
    assert_eq!(report["same_action"], json!([]));
}

#[test]
fn who_is_newly_refused_is_told_by_account_tier_capability_and_reason_and_is_status_1() {
    let folder = Folder::with_traffic("600");
    let stricter = folder.policy(
        "stricter.yaml",
        &[("grants: [software_engineering]", "grants: []")],
    );
    let page = folder.path("diff.html");

    let output = folder.diff(
        &stricter,
        &["--format", "json", "--html", &page, "--examples", "3"],
    );

    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = report(&output);
    let change = &report["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("allow"), &json!("deny"))
    );
    let changes = report["changes"].as_array().unwrap().iter();
    let exchanges: u64 = changes.map(|of| of["exchanges"].as_u64().unwrap()).sum();
    assert_eq!(exchanges, report["changed_exchanges"]);
    let examples = change["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 3);
    assert_eq!(
        examples[0]["after"]["reasons"][0]["code"],
        "CAPABILITY_NOT_GRANTED:software_engineering"
    );
    assert_eq!(examples[0]["after"]["rule"], "tiers.basic");
    // The line that is named is the exchange that is told of.
    let trace = fs::read_to_string(folder.path("trace")).unwrap();
    let line = examples[0]["line"].as_u64().unwrap() as usize;
    let recorded: Value = serde_json::from_str(trace.lines().nth(line - 1).unwrap()).unwrap();
    assert_eq!(
        recorded["request"]["headers"]["x-account-id"],
        examples[0]["account"]
    );
    let shares: Vec<f64> = report["newly_refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["share"].as_f64().unwrap())
        .collect();
    assert!(!shares.is_empty() && shares.is_sorted_by(|one, other| one >= other));
    let tiers = report["tiers"].as_array().unwrap();
    assert!(tiers.iter().any(|tier| tier["name"] == "basic"));
    let refused = &report["accounts_refused"];
    let accounts: u64 = ["never", "by_both", "newly", "no_longer"]
        .iter()
        .map(|kind| refused[kind].as_u64().unwrap())
        .sum();
    assert_eq!(accounts, report["accounts"].as_u64().unwrap());
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("software_engineering") && !page.contains("<script"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}

#[test]
fn neither_prompts_nor_credentials_are_told_anywhere() {
    let folder = Folder::with_traffic("20");
    let marked = |number: u32| {
        json!({
            "time": format!("2026-04-22T09:00:{number:02}Z"),
            "request": {
                "method": "POST",
                "path": "/v1/chat/completions",
                "headers": {"authorization": "Bearer sk-MARKER", "x-account-id": format!("a-{number}")},
                "body": {"model": "m", "tools": [{"type": "function", "function": {"name": "f"}}], "messages": [{"role": "user", "content": "PROMPT-MARKER"}]},
            },
            "response": {"status": 200, "headers": {"content-type": "application/json"}, "body": {"choices": [{"message": {"content": "ANSWER-MARKER"}}]}},
        })
        .to_string()
    };
    let lines: Vec<String> = (1..9).map(marked).collect();
    fs::write(folder.path("trace"), lines.join("\n")).unwrap();
    let candidate = folder.policy(
        "candidate.yaml",
        &[("grants: [software_engineering]", "grants: [agentic_tools]")],
    );
    let page = folder.path("page.html");

    let table = folder.diff(&candidate, &["--html", &page]);
    let machine = folder.diff(&candidate, &["--format", "json"]);

    assert_eq!(
        (table.status.code(), machine.status.code()),
        (Some(1), Some(1))
    );
    let page = fs::read(page).unwrap();
    for told in [&table.stdout, &table.stderr, &machine.stdout, &page] {
        assert!(!text(told).contains("MARKER"));
    }
    assert!(text(&table.stdout).contains("CAPABILITY_NOT_GRANTED:agentic_tools"));
}

#[test]
fn a_recording_of_envoys_tap_filter_from_a_pipe_is_input_as_well() {
    let folder = Folder::with_traffic("20");
    let tap = |number: u32| {
        format!(
            r#"{{
 "http_buffered_trace": {{
  "request": {{
   "headers": [
    {{"key": ":authority", "value": "llm.example"}},
    {{"key": ":path", "value": "/v1/chat/completions"}},
    {{"key": ":method", "value": "POST"}},
    {{"key": "x-account-id", "value": "a-{number}"}}
   ],
   "body": {{"truncated": false, "as_string": "{{\"model\":\"m\",\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\"}}}}],\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}"}},
   "trailers": [],
   "headers_received_time": "2026-04-22T08:00:{number:02}.5Z"
  }},
  "response": {{
   "headers": [{{"key": ":status", "value": "200"}}],
   "body": {{"as_string": "{{}}", "truncated": false}}
  }}
 }}
}}
"#
        )
    };
    let recording: String = (1..5).map(tap).collect();
    let granting = folder.policy(
        "granting.yaml",
        &[("grants: [software_engineering]", "grants: [agentic_tools]")],
    );

    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["diff", "--policy", SHIPPED, "--candidate", &granting])
        .args(["--trace", "-", "--engine", "native", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(recording.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report = report(&output);
    assert_eq!(report["exchanges"], 4);
    let change = &report["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!("deny"), &json!("allow"))
    );
    assert_eq!(
        (&change["exchanges"], &change["accounts"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(change["examples"][0]["line"], 1);
    assert_eq!(report["no_longer_refused_accounts"], 4);
}

#[test]
fn what_cannot_be_compared_is_status_2_and_tells_nothing_on_stdout() {
    let folder = Folder::with_traffic("20");
    let same = folder.policy("same.yaml", &[]);
    let refused = folder.policy("refused.yaml", &[("mode: enforce", "mode: sometimes")]);
    let trace = fs::read_to_string(folder.path("trace")).unwrap();
    let cut: String = trace
        .lines()
        .take(3)
        .chain(["{oops"])
        .collect::<Vec<_>>()
        .join("\n");

    let of_policy = folder.diff(&refused, &[]);
    let over_itself = folder.diff(&same, &["--html", &same]);
    let two_from_stdin = weir(&[
        "diff",
        "--policy",
        "-",
        "--candidate",
        "-",
        "--trace",
        &same,
    ]);
    fs::write(folder.path("trace"), cut).unwrap();
    let of_trace = folder.diff(&same, &[]);
    let skipping = folder.diff(&same, &["--skip-bad-lines", "--format", "json"]);

    fs::write(folder.path("trace"), "").unwrap();
    let of_nothing = folder.diff(&same, &[]);

    for output in [
        &of_policy,
        &over_itself,
        &two_from_stdin,
        &of_trace,
        &of_nothing,
    ] {
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{}",
            text(&output.stderr)
        );
    }
    assert!(
        text(&of_trace.stderr).contains("line 4"),
        "{}",
        text(&of_trace.stderr)
    );
    assert_eq!(skipping.status.code(), Some(0));
    assert_eq!(report(&skipping)["skipped"], 1);
}

#[test]
fn the_plugin_and_the_engine_find_the_same_differences() {
    let Some(wasm) = wasm_or_skip("diff") else {
        return;
    };
    let folder = Folder::with_traffic("300");
    // One policy looks for campaigns and the other does not: each is replayed in its own way.
    let candidate = folder.policy(
        "candidate.yaml",
        &[
            ("limit: 1000\n", "limit: 1\n"),
            ("detection:\n", "detection:\n  enabled: false\n"),
        ],
    );

    let native = folder.diff(&candidate, &["--format", "json"]);
    let plugin = folder.diff(
        &candidate,
        &["--format", "json", "--engine", "wasm", "--wasm", &wasm],
    );

    let [mut native, plugin] = [native, plugin].map(|output| {
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        report(&output)
    });
    assert_eq!(
        native["grounds"][0]["after"]["rule"],
        "budgets.account-requests"
    );
    native["engine"] = json!("wasm");
    assert_eq!(native, plugin);
}

//! Prompt text and credentials leave the VM nowhere but in the request itself.
use super::weir::{Process, shipped_policy, wasm_or_skip};
use serde_json::json;
use weir_host::replay::plugin::settle;
use weir_host::weir::VM_ID;
use weir_host::{Exchange, Message};

const MARKER: &str = "MARKER-7f3a9c";

fn clean(what: &str, bytes: &[u8]) {
    let found = bytes
        .windows(MARKER.len())
        .any(|window| window == MARKER.as_bytes());
    assert!(
        !found,
        "the marker stands in {what}: {}",
        String::from_utf8_lossy(bytes)
    );
}

#[test]
fn a_planted_marker_appears_in_no_log_line_filter_state_metric_or_shared_data() {
    let Some(wasm) = wasm_or_skip("secrecy") else {
        return;
    };
    let mut policy = shipped_policy();
    policy["budgets"][0]["limit"] = json!(3);
    let process = Process::new(&wasm, &policy);
    let mut worker = process.plugin.worker().unwrap();
    let bodies = [
        json!({"model": "m", "messages": [{"role": "system", "content": MARKER}, {"role": "user", "content": format!("say {MARKER}")}]}).to_string(),
        json!({"model": "m", "logprobs": true, "messages": [{"role": "user", "content": MARKER}], "tools": [{"type": "function", "function": {"name": MARKER}}]}).to_string(),
        json!({"model": "m", "max_tokens": 9, "system": MARKER, "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": MARKER, "content": MARKER}]}]}).to_string(),
        format!("{{\"messages\": [\"{MARKER}\""),
        MARKER.to_owned(),
    ];
    let answer = json!({"choices": [{"message": {"content": MARKER}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).to_string();

    for path in ["/v1/chat/completions", "/v1/messages", "/v1/unknown"] {
        for body in &bodies {
            for (header, value) in [
                ("authorization", format!("Bearer {MARKER}")),
                ("x-api-key", MARKER.to_owned()),
                ("api-key", MARKER.to_owned()),
            ] {
                let exchange = Exchange::post(path, body.clone())
                    .with_header(header, &value)
                    .answered_by(Message::response(200, answer.clone()));
                let outcome = worker.exchange(&exchange);
                for (key, value) in &outcome.filter_state {
                    clean("filter state", key);
                    clean("filter state", value);
                }
                if outcome.status() != Some(200) {
                    clean("a refusal", &outcome.downstream.body);
                }
            }
        }
    }

    settle(&mut worker);

    assert!(!process.log.lock().unwrap().is_empty());
    for line in process.log.lock().unwrap().iter() {
        clean("the log", line.as_bytes());
    }
    let stats = process.host.stats();
    assert!(stats.keys().any(|name| name.ends_with("weir_exchanges")));
    for name in stats.keys() {
        clean("a metric", name.as_bytes());
    }
    let shared = process.host.shared_data(VM_ID);
    assert!(!shared.is_empty());
    for (key, value) in shared {
        clean("a shared key", &key);
        clean("a shared value", &value);
    }
}

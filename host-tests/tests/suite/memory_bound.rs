//! State that stays at the policy's figure, whatever the number of accounts.
use super::weir::{Process, shipped_policy, wasm_or_skip};
use serde_json::json;
use weir_engine::policy::Policy;
use weir_engine::time::Timestamp;
use weir_host::weir::{DECISION, VM_ID};
use weir_host::{Exchange, Message};

#[test]
fn shared_data_never_exceeds_the_policys_figure_and_a_new_figure_waits_for_the_next_start() {
    let Some(wasm) = wasm_or_skip("memory bound") else {
        return;
    };
    let mut policy = shipped_policy();
    policy["state"]["memory"] = json!("256KiB");
    policy["detection"]["memory"] = json!("16MiB");
    let counters = 256 * 1024;
    let figure = Policy::check(policy.to_string().as_bytes(), None)
        .policy
        .unwrap()
        .memory();
    let process = Process::new(&wasm, &policy);
    let mut worker = process.plugin.worker().unwrap();
    let answer = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}});
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    let mut most = 0;

    for account in 0..20_000u64 {
        let exchange = Exchange::post("/v1/chat/completions", body.to_string())
            .with_header("x-account-id", &format!("a-{account}"))
            .with_header("x-org-id", &format!("o-{}", account % 500))
            .answered_by(Message::response(200, answer.to_string()));
        worker.tick(Timestamp::from_unix_nanos(account * 200_000_000));
        assert_eq!(worker.exchange(&exchange).status(), Some(200));
        most = most.max(process.host.shared_data_bytes(VM_ID).bytes);
    }
    assert!(most <= figure, "{most} bytes of {figure}");
    assert!(
        most > counters / 2,
        "the table was filled: {most} bytes of {figure}"
    );

    policy["state"]["memory"] = json!("64MiB");
    let larger = weir_host::weir::plugin_config(&policy.to_string());
    worker
        .reconfigure(&process.plugin.with_config(larger).unwrap())
        .unwrap();
    let outcome = worker.exchange(
        &Exchange::post("/v1/chat/completions", body.to_string())
            .with_header("x-account-id", "a-0"),
    );
    assert!(outcome.filter_state(DECISION).is_some());
    assert!(process.host.shared_data_bytes(VM_ID).bytes <= figure);
    let log = process.log.lock().unwrap();
    assert!(log.iter().any(|line| line.contains("state.memory differs")));
}

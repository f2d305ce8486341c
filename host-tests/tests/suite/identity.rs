use crate::weir::{Process, wasm_or_skip};
use serde_json::{Value, json};
use weir_host::{Attributes, Exchange, Message, Value as Property};

const SUB: &str = "metadata\0filter_metadata\0envoy.filters.http.jwt_authn\0payload\0sub";
const SUBJECT: &str = "connection\0subject_peer_certificate";

fn policy() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "version": "1", "owner": "team"},
        "identity": {
            "account": [{"claim": {"path": "sub"}}, {"certificate": "subject"}],
            "plan": [{"claim": {"path": "sub"}}],
        },
        "tiers": [{"name": "everyone"}],
        "rollout": {"mode": "enforce"},
    })
}

/// Account of the decision on a request of which the host knows `properties`, and how often it was asked.
fn decided(test: &str, properties: &[(&str, &[u8])]) -> Option<(Value, u64)> {
    let wasm = wasm_or_skip(test)?;
    let process = Process::new(&wasm, &policy());
    let mut worker = process.plugin.worker().unwrap();
    let body = r#"{"model": "m", "messages": []}"#;
    let mut exchange =
        Exchange::post("/v1/chat/completions", body).answered_by(Message::response(200, "{}"));
    let extra = properties
        .iter()
        .map(|(path, value)| (path.as_bytes().to_vec(), Property::Bytes(value.to_vec())));
    exchange.attributes = Attributes {
        extra: extra.collect(),
        ..Attributes::default()
    };
    let before = worker.hostcalls().total();

    let outcome = worker.exchange(&exchange);

    let taken = worker.hostcalls().total() - before;
    let decision = outcome.filter_state("wasm.weir.decision").unwrap();
    let decision: Value = serde_json::from_slice(decision).unwrap();
    Some((decision["account"].clone(), taken))
}

#[test]
fn an_account_comes_from_a_claim_and_without_one_from_a_certificate() {
    let test = "an_account_comes_from_a_claim_and_without_one_from_a_certificate";
    let subject = (SUBJECT, &b"CN=batch,O=Example"[..]);

    let Some((claimed, asked_once)) = decided(test, &[(SUB, b"a-17"), subject]) else {
        return;
    };
    let (certified, asked_twice) = decided(test, &[subject]).unwrap();
    let (nobody, _) = decided(test, &[]).unwrap();
    let (unreadable, _) = decided(test, &[(SUB, b"\0\0\0\0\0\0\xf0\x3f"), subject]).unwrap();

    assert_eq!(claimed, "a-17");
    assert_eq!(certified, "CN=batch,O=Example");
    assert_eq!(nobody, Value::Null);
    assert_eq!(unreadable, Value::Null);
    assert_eq!(
        asked_twice,
        asked_once + 1,
        "a claim that two facts name costs one call"
    );
}

//! What the plugin makes of requests and responses is what the engine makes of them, however they are cut.
use super::weir::{Process, repository, shipped_policy, wasm_or_skip};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::{ResponseShaper, Strip};
use weir_host::{End, Exchange, Message};

fn policy() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "shaping", "version": "1", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "everyone"}],
        "shaping": {"rules": [{
            "name": "less",
            "request": {"logprobs": "drop", "samples": 1},
            "response": {"logprobs": "strip", "visibleReasoning": "strip", "toolLoops": "strip"},
        }]},
        "rollout": {"mode": "enforce"},
    })
}

/// A request path of each endpoint with the least body that it takes.
fn request(endpoint: &str) -> Exchange {
    let messages = json!([{"role": "user", "content": "hello"}]);
    let (path, body) = match endpoint {
        "openai.chat" => (
            "/v1/chat/completions",
            json!({"model": "m", "messages": messages}),
        ),
        "openai.completions" => ("/v1/completions", json!({"model": "m", "prompt": "hello"})),
        "openai.responses" => ("/v1/responses", json!({"model": "m", "input": "hello"})),
        "openai.embeddings" => ("/v1/embeddings", json!({"model": "m", "input": "hello"})),
        "anthropic.messages" => (
            "/v1/messages",
            json!({"model": "m", "max_tokens": 9, "messages": messages}),
        ),
        "anthropic.count_tokens" => (
            "/v1/messages/count_tokens",
            json!({"model": "m", "messages": messages}),
        ),
        "gemini.generate" => ("/v1beta/models/m:generateContent", contents()),
        "gemini.stream" => ("/v1beta/models/m:streamGenerateContent", contents()),
        unknown => panic!("{unknown} is no endpoint"),
    };
    Exchange::post(path, body.to_string()).with_header("x-account-id", "a")
}

fn contents() -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})
}

#[test]
fn the_plugin_strips_every_recorded_response_as_the_engine_does_in_pieces_of_any_size() {
    let Some(wasm) = wasm_or_skip(
        "the_plugin_strips_every_recorded_response_as_the_engine_does_in_pieces_of_any_size",
    ) else {
        return;
    };
    let process = Process::new(&wasm, &policy());
    let mut worker = process.plugin.worker().unwrap();
    let streams = repository("engine/tests/streams");
    let index = std::fs::read(streams.join("index.json")).unwrap();
    let index: Vec<Value> = serde_json::from_slice(&index).unwrap();
    let strip = Strip {
        logprobs: true,
        reasoning: true,
    };

    let mut changed = 0;
    for recorded in &index {
        let file = recorded["file"].as_str().unwrap();
        let exchange = request(recorded["endpoint"].as_str().unwrap());
        let path = exchange.request.headers.get(":path").unwrap().to_vec();
        let endpoint = Endpoint::of("POST", std::str::from_utf8(&path).unwrap());
        assert_eq!(endpoint.name(), recorded["endpoint"], "{file}");
        let body = std::fs::read(streams.join(file)).unwrap();
        let mut wanted = Vec::new();
        ResponseShaper::new(endpoint, strip).feed(&body, true, &mut wanted);
        changed += usize::from(wanted != body);

        for bytes in [1, 13, 4096] {
            let mut exchange = exchange.clone();
            exchange.response_chunks.bytes = NonZeroUsize::new(bytes).unwrap();
            let outcome =
                worker.exchange(&exchange.answered_by(Message::response(200, body.clone())));

            assert_eq!(outcome.end, End::Complete, "{file} in {bytes}");
            assert!(
                outcome.downstream.body == wanted,
                "{file} in pieces of {bytes}:\n{}\ninstead of\n{}",
                String::from_utf8_lossy(&outcome.downstream.body),
                String::from_utf8_lossy(&wanted)
            );
        }
    }
    assert!(index.len() >= 40, "{} responses", index.len());
    assert!(changed >= 12, "{changed} had something to take out");
    assert!(worker.failure().is_none());
}

#[test]
fn a_shaped_request_reaches_the_upstream_with_its_own_length() {
    let Some(wasm) = wasm_or_skip("a_shaped_request_reaches_the_upstream_with_its_own_length")
    else {
        return;
    };
    let process = Process::new(&wasm, &policy());
    let mut worker = process.plugin.worker().unwrap();
    let asked = json!({"model": "m", "n": 4, "logprobs": true, "messages": [{"role": "user", "content": "é"}]});
    let exchange = Exchange::post("/v1/chat/completions", asked.to_string());

    let outcome = worker.exchange(&exchange.with_header("x-account-id", "a"));

    let wanted = json!({"model": "m", "n": 1, "messages": [{"role": "user", "content": "é"}]});
    let upstream = &outcome.upstream;
    assert_eq!(
        serde_json::from_slice::<Value>(&upstream.body).unwrap(),
        wanted
    );
    let length = upstream.headers.get("content-length").unwrap();
    assert_eq!(length, upstream.body.len().to_string().as_bytes());
    assert_eq!(upstream.headers.get("accept-encoding"), None);
}

#[test]
fn an_exchange_under_the_shipped_policy_takes_at_most_twelve_hostcalls() {
    let Some(wasm) =
        wasm_or_skip("an_exchange_under_the_shipped_policy_takes_at_most_twelve_hostcalls")
    else {
        return;
    };
    let mut policy = shipped_policy();
    policy.as_object_mut().unwrap().remove("detection");
    policy["responses"]
        .as_object_mut()
        .unwrap()
        .remove("states");
    policy["lists"].as_object_mut().unwrap().remove("states");
    policy["shaping"]["rules"].as_array_mut().unwrap().pop();
    let process = Process::new(&wasm, &policy);
    let mut worker = process.plugin.worker().unwrap();
    let body = json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    let exchange = request("openai.chat")
        .with_header("x-org-id", "o")
        .answered_by(Message::response(200, body.to_string()));
    let before = worker.hostcalls();

    let outcome = worker.exchange(&exchange);

    assert_eq!(outcome.status(), Some(200));
    let left = outcome
        .downstream
        .headers
        .get("x-ratelimit-remaining-requests");
    assert!(left.is_some(), "the head of the response was changed");
    let taken = worker.hostcalls().total() - before.total();
    assert!(taken <= 12, "{taken} hostcalls");
}

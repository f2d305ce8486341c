//! Requests that ask for less and responses that say less, without an event held or a length that lies.
use serde_json::{Value, json};
use tokio::time::timeout;
use weir_envoy::client::Client;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, policy, send, start_envoy};
use crate::wire::SteppedUpstream;

/// Everything is shaped but the vetted tier.
pub(crate) fn shaping() -> Value {
    policy(|policy| {
        policy["shaping"] = json!({"rules": [{
            "name": "less",
            "when": {"tiers": ["basic"]},
            "request": {"logprobs": "drop", "samples": 1, "outputTokens": 512, "visibleReasoning": "hide"},
            "response": {"logprobs": "strip", "visibleReasoning": "strip"},
        }]});
    })
}

#[tokio::test]
async fn the_upstream_is_asked_for_less_and_everything_else_reaches_it_unchanged() {
    let weir = Weir::start(programs!(), &shaping()).await;
    let mut body = Api::OpenAi.body();
    body["logprobs"] = json!(true);
    body["top_logprobs"] = json!(5);
    body["n"] = json!(3);
    body["max_tokens"] = json!(5000);

    let mut asked = Vec::new();
    for mut client in weir.clients() {
        for pieces in [usize::MAX, 7] {
            let request = Api::OpenAi.post("a", &body).in_pieces_of(pieces);
            let response = send(&mut client, request).await;
            assert_eq!(response.status(), 200);
            response.bytes().await.unwrap();
            asked.push(pieces);
        }
    }

    let served = weir.mock.served();
    assert_eq!(served.len(), asked.len());
    for served in served {
        let upstream: Value = serde_json::from_slice(&served.body).unwrap();
        assert_eq!(upstream.get("logprobs"), None);
        assert_eq!(upstream.get("top_logprobs"), None);
        assert_eq!(
            (&upstream["n"], &upstream["max_tokens"]),
            (&json!(1), &json!(512))
        );
        assert_eq!(upstream["messages"], body["messages"]);
        if let Some(length) = served.header("content-length") {
            assert_eq!(length, served.body.len().to_string());
        }
    }
    let decisions = weir.envoy.wait_for_decisions(asked.len(), PATIENCE).await;
    for decision in decisions.unwrap() {
        let told = (&decision["action"], &decision["rule"]);
        assert_eq!(told, (&json!("shape"), &json!("shaping.less")));
    }
}

#[tokio::test]
async fn who_is_not_shaped_and_who_is_in_shadow_mode_get_the_bytes_of_the_upstream() {
    for (plan, mode, action) in [
        ("enterprise", "enforce", "allow"),
        ("free", "shadow", "allow"),
    ] {
        let mut policy = shaping();
        policy["rollout"]["mode"] = json!(mode);
        let weir = Weir::start(programs!(), &policy).await;
        let mut body = Api::OpenAi.body();
        body["n"] = json!(2);

        let request = Api::OpenAi.post("a", &body).header("x-plan", plan);
        let response = send(&mut weir.http1(), request).await;

        assert!(response.header("content-length").is_some());
        let answer = response.json().await.unwrap();
        assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
        assert_eq!(weir.mock.served()[0].body, body.to_string().into_bytes());
        let decision = &weir.envoy.wait_for_decisions(1, PATIENCE).await.unwrap()[0];
        assert_eq!(decision["action"], action);
    }
}

#[tokio::test]
async fn each_stripped_event_reaches_the_client_before_the_upstream_sends_the_next() {
    let upstream = SteppedUpstream::start().await;
    let envoy = start_envoy(programs!(), &shaping(), |options| {
        options.upstream = upstream.addr;
    })
    .await;
    let api = Api::Anthropic;

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let mut response = send(&mut client, api.post("a", &api.streamed())).await;
        let delta =
            |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
        let thinking = |text: &str| delta(json!({"type": "thinking_delta", "thinking": text}));
        let signature = delta(json!({"type": "signature_delta", "signature": "c2ln"}));
        let start = json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""}});
        let text = delta(json!({"type": "text_delta", "text": "thinking: \"secret\""}));
        for (sent, seen) in [
            (start.clone(), start),
            (thinking("secret 🌊 \"steps\""), thinking("")),
            (signature.clone(), signature),
            (text.clone(), text),
        ] {
            upstream.send(&format!("event: {}\ndata: {sent}\n\n", sent["type"]));
            let arrived = timeout(PATIENCE, response.next_event()).await;
            let arrived = arrived.unwrap_or_else(|_| panic!("held back: {sent}"));
            let arrived = arrived.unwrap().unwrap().data;
            assert_eq!(serde_json::from_str::<Value>(&arrived).unwrap(), seen);
        }
        upstream.send("");
        assert_eq!(response.next_event().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_capability_that_shaping_takes_away_needs_no_grant() {
    let mut policy = shaping();
    policy["capabilities"]["logprobs"] = json!({"anyOf": [{"logprobs": {}}]});
    let weir = Weir::start(programs!(), &policy).await;
    let mut body = Api::OpenAi.body();
    body["logprobs"] = json!(true);

    let response = send(&mut weir.http1(), Api::OpenAi.post("a", &body)).await;

    assert_eq!(response.status(), 200);
    let decision = &weir.envoy.wait_for_decisions(1, PATIENCE).await.unwrap()[0];
    assert_eq!(decision["capabilities"], json!(["logprobs"]));
    assert_eq!(decision["action"], "shape");
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_ends_in_the_providers_error_where_the_policy_wants_it() {
    let upstream = SteppedUpstream::start().await;
    let mut policy = shaping();
    policy["shaping"]["unreadable"] = json!("deny");
    let envoy = start_envoy(programs!(), &policy, |options| {
        options.upstream = upstream.addr;
    })
    .await;
    let api = Api::Anthropic;
    let mut client = Client::http1(envoy.listen_addr());
    let mut response = send(&mut client, api.post("a", &api.streamed())).await;
    let delta = json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "text_delta", "text": "fine"}});
    upstream.send(&format!("event: content_block_delta\ndata: {delta}\n\n"));
    response.next_event().await.unwrap();

    upstream.send("event: content_block_delta\ndata: {\"delta\":{\"thinking\":\"secret\n\n");
    let error = timeout(PATIENCE, response.next_event()).await.unwrap();
    upstream.send(&format!("event: content_block_delta\ndata: {delta}\n\n"));
    upstream.send("");

    let error = error.unwrap().unwrap();
    assert_eq!(error.name.as_deref(), Some("error"));
    let told: Value = serde_json::from_str(&error.data).unwrap();
    assert_eq!(told["error"]["type"], "api_error");
    assert!(!error.data.contains("secret"));
    assert_eq!(
        response.next_event().await.unwrap(),
        None,
        "nothing follows"
    );
}

#[tokio::test]
async fn where_heads_go_on_before_their_bodies_less_is_asked_for_all_the_same() {
    let mut policy = shaping();
    policy["capabilities"]["logprobs"] = json!({"anyOf": [{"logprobs": {}}]});
    let weir = Weir::start_with(programs!(), &policy, |options| {
        options.allow_on_headers_stop_iteration = false;
    })
    .await;
    let api = Api::OpenAi;
    let mut body = api.body();
    body["logprobs"] = json!(true);

    for _ in 0..6 {
        let response = send(&mut weir.http1(), api.post("a", &body)).await;
        // The first ones are held; later ones go on with the length that they announced.
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }

    let served = weir.mock.served();
    assert_eq!(served.len(), 6);
    for served in served {
        let upstream: Value = serde_json::from_slice(&served.body).unwrap();
        assert_eq!(upstream.get("logprobs"), None);
        let length = served.header("content-length").unwrap();
        assert_eq!(length, served.body.len().to_string());
    }
}

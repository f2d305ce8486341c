//! Bodies as they come: events one by one in one direction, trailers at the end in the other.
use serde_json::{Value, json};
use tokio::time::timeout;
use weir_envoy::client::Client;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, policy, send, start_envoy};
use crate::wire::{FedClient, SteppedUpstream, data, trailers};

#[tokio::test]
async fn each_event_reaches_the_client_before_the_upstream_sends_the_next() {
    let upstream = SteppedUpstream::start().await;
    let envoy = start_envoy(programs!(), &policy(|_| {}), |options| {
        options.upstream = upstream.addr;
    })
    .await;
    let api = Api::Anthropic;

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let mut response = send(&mut client, api.post("a", &api.streamed())).await;
        let usage =
            |input: u32, output: u32| json!({"input_tokens": input, "output_tokens": output});
        let mut events = vec![json!({"type": "message_start", "message": {"usage": usage(7, 1)}})];
        events.extend((0..20).map(|n| json!({"type": "content_block_delta", "index": n})));
        events.push(json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 20}}));
        events.push(json!({"type": "message_stop"}));
        for event in &events {
            // The next one is not sent before this one has arrived: a filter that holds one back never ends.
            upstream.send(&format!("event: {}\ndata: {event}\n\n", event["type"]));
            let arrived = timeout(PATIENCE, response.next_event()).await;
            let arrived = arrived.unwrap_or_else(|_| panic!("held back: {event}"));
            assert_eq!(arrived.unwrap().unwrap().data, event.to_string());
        }
        upstream.send("");
        assert_eq!(response.next_event().await.unwrap(), None);
    }

    for decision in envoy.wait_for_decisions(2, PATIENCE).await.unwrap() {
        assert_eq!(decision["tokens"], json!({"input": 7, "output": 20}));
    }
}

#[tokio::test]
async fn a_body_that_ends_in_trailers_is_decided_like_any_other() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let mut client = FedClient::connect(weir.envoy.listen_addr()).await;

    let mut statuses = Vec::new();
    for api in Api::BOTH {
        for body in [api.body(), api.with_tool(), json!("no object")] {
            let (sender, answer) = client.post(api.path(), "a");
            let text = body.to_string().into_bytes();
            let (first, second) = text.split_at(text.len() / 2);
            for frame in [data(first.to_vec()), data(second.to_vec()), trailers()] {
                sender.send(frame).unwrap();
            }
            drop(sender);
            let answer = timeout(PATIENCE, answer).await;
            let answer = answer.unwrap_or_else(|_| panic!("stranded: {body}"));
            statuses.push(answer.unwrap().unwrap().status().as_u16());
        }
    }

    assert_eq!(statuses, [200, 403, 400, 200, 403, 400]);
    assert_eq!(weir.mock.count(), 2);
    let decisions = weir.envoy.wait_for_decisions(6, PATIENCE).await.unwrap();
    let models: Vec<&Value> = decisions.iter().map(|one| &one["model"]).collect();
    assert_eq!(
        models.iter().filter(|model| **model == "m-large").count(),
        4
    );
    let read = weir.mock.served();
    let bodies = Api::BOTH.map(|api| api.body().to_string().into_bytes());
    assert_eq!([&read[0].body, &read[1].body], [&bodies[0], &bodies[1]]);
}

//! Budgets of requests that are being answered, whichever way they end.
use serde_json::{Value, json};
use weir_envoy::ReloadOutcome;
use weir_envoy::client::Client;

use crate::programs;
use crate::setup::{Api, Weir, eventually, policy, send, start_envoy, status, version};
use crate::wire::SteppedUpstream;

/// Each account may have one request answered at a time.
fn one_at_a_time() -> Value {
    policy(|policy| {
        policy["budgets"] = json!([{"name": "in-flight", "per": "account", "unit": "concurrency",
            "limit": 1, "window": "10m"}]);
    })
}

#[tokio::test]
async fn a_second_request_is_refused_while_the_first_is_answered_and_passes_right_after() {
    let upstream = SteppedUpstream::start().await;
    let envoy = start_envoy(programs!(), &one_at_a_time(), |options| {
        options.upstream = upstream.addr;
    })
    .await;
    let api = Api::Anthropic;
    let mut others = [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ];

    for mut client in [
        Client::http1(envoy.listen_addr()),
        Client::http2(envoy.listen_addr()),
    ] {
        let mut response = send(&mut client, api.post("a", &api.streamed())).await;
        upstream.send("event: ping\ndata: {\"type\":\"ping\"}\n\n");
        response.next_event().await.unwrap();
        for other in &mut others {
            let refused = send(other, api.post("a", &api.body())).await;
            assert_eq!(
                (refused.status(), refused.header("retry-after")),
                (429, Some("1"))
            );
            refused.bytes().await.unwrap();
        }
        upstream.send("");
        assert_eq!(response.next_event().await.unwrap(), None);
    }
}

#[tokio::test]
async fn whoever_asks_one_after_the_other_is_never_refused_by_any_worker() {
    let weir = Weir::start(programs!(), &one_at_a_time()).await;

    for round in 0..200 {
        // A new connection each time: another worker may get it.
        let mut client = if round % 2 == 0 {
            weir.http1()
        } else {
            weir.http2()
        };
        let api = if round % 4 < 2 {
            Api::OpenAi
        } else {
            Api::Anthropic
        };
        let body = if round % 3 == 0 {
            api.body()
        } else {
            api.streamed()
        };
        let answered = status(&mut client, api.post("a", &body)).await;
        assert_eq!(answered, 200, "round {round}");
    }
}

#[tokio::test]
async fn every_way_out_gives_the_place_back() {
    let weir = Weir::start(programs!(), &one_at_a_time()).await;
    let api = Api::OpenAi;
    let ways = [
        ("upstream error", "x-mock-status", "503"),
        ("broken stream", "x-mock-abort-after-events", "1"),
        ("broken answer", "x-mock-abort-after-events", "0"),
    ];

    for (way, directive, value) in ways {
        let request = api.post("a", &api.streamed()).header(directive, value);
        if let Ok(response) = weir.http1().send(request).await {
            let _ = response.bytes().await;
        }
        free_again(&weir, api, way).await;
    }
    let request = api
        .post("a", &api.streamed())
        .header("x-mock-delay-ms", "200");
    let mut response = send(&mut weir.http2(), request).await;
    response.next_event().await.unwrap();
    response.abort();
    free_again(&weir, api, "client that leaves").await;
}

#[tokio::test]
async fn a_place_taken_under_an_old_policy_is_given_back_under_the_new_one() {
    let weir = Weir::start(programs!(), &one_at_a_time()).await;
    let api = Api::Anthropic;
    let request = api
        .post("a", &api.streamed())
        .header("x-mock-delay-ms", "300");
    let mut response = send(&mut weir.http2(), request).await;
    response.next_event().await.unwrap();

    let outcome = weir.envoy.reload(&version(&one_at_a_time(), "2")).await;
    let meanwhile = status(&mut weir.http1(), api.post("a", &api.body())).await;
    response.abort();

    assert_eq!(outcome.unwrap(), ReloadOutcome::Accepted);
    assert_eq!(meanwhile, 429);
    free_again(&weir, api, "stream that began under the old policy").await;
}

async fn free_again(weir: &Weir, api: Api, way: &str) {
    eventually(way, async || {
        let status = status(&mut weir.http1(), api.post("a", &api.body())).await;
        (status == 200).then_some(())
    })
    .await;
}

//! Requests whose head is there before their body: held, released, left, and where Envoy cannot hold them.
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::{Duration, sleep, timeout};
use weir_envoy::client::Request;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, eventually, policy, send, status};
use crate::wire::{FedClient, data, half_a_post, trailers};

/// What the plugin says when it has found out that heads cannot be held.
const WARNING: &str = "allow_on_headers_stop_iteration is off";

fn log(weir: &Weir) -> String {
    std::fs::read_to_string(weir.envoy.log_path()).unwrap()
}

/// A refused request whose body comes so late that a plugin without better knowledge would let its head go.
async fn refused_slowly(client: &mut FedClient, pause_ms: u64) {
    let api = Api::OpenAi;
    let (sender, answer) = client.post(api.path(), "slow");
    sleep(Duration::from_millis(pause_ms)).await; // not waiting for anything: this is what a slow client does
    sender.send(data(api.with_tool().to_string())).unwrap();
    drop(sender);
    let answer = timeout(PATIENCE, answer).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.status().as_u16(), 403);
}

#[tokio::test]
async fn the_head_of_a_slow_request_stays_held_until_its_body_is_judged() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    // One connection is one worker.
    let mut client = FedClient::connect(weir.envoy.listen_addr()).await;
    let (sender, answer) = client.post(Api::OpenAi.path(), "quick");
    sender.send(data(Api::OpenAi.body().to_string())).unwrap();
    drop(sender);
    assert_eq!(answer.await.unwrap().unwrap().status().as_u16(), 200);

    for _ in 0..3 {
        refused_slowly(&mut client, 300).await;
    }

    assert_eq!(weir.mock.count(), 1, "a refused head went upstream");
    assert!(!log(&weir).contains(WARNING));
}

#[tokio::test]
async fn slow_clients_are_not_taken_for_an_envoy_that_cannot_hold_heads() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let mut client = FedClient::connect(weir.envoy.listen_addr()).await;

    for _ in 0..6 {
        // Released on a tick after 50 ms, which is 150 ms at most: the body comes before the next tick.
        refused_slowly(&mut client, 150).await;
    }

    assert!(!log(&weir).contains(WARNING), "{}", log(&weir));
}

#[tokio::test]
async fn without_stop_iteration_in_headers_every_verdict_is_the_same_and_the_log_says_what_is_lost()
{
    let policy = policy(|policy| {
        policy["inspection"]["maxBody"] = json!("16KiB");
        policy["budgets"] = budget("requests", 5);
    });
    let weir = Weir::start_with(programs!(), &policy, |options| {
        options.allow_on_headers_stop_iteration = false;
    })
    .await;

    for (protocol, mut client) in ["h1", "h2"].into_iter().zip(weir.clients()) {
        for api in Api::BOTH {
            let account = format!("{protocol}-{}", api.endpoint());
            let large = json!({"model": "m", "messages": [], "pad": "x".repeat(100_000)});
            let malformed = Request::post(api.path(), "[1").header("x-account-id", &account);
            let pieces = || api.post(&account, &api.streamed()).in_pieces_of(7);
            for (request, expected) in [
                (api.post(&account, &api.body()), 200),
                (api.post(&account, &api.streamed()), 200),
                (api.post(&account, &api.with_tool()), 403),
                (malformed, 400),
                (api.post(&account, &large), 413),
                (api.post(&account, &large).in_pieces_of(9_000), 413),
                (
                    api.post(&account, &api.body())
                        .header("content-encoding", "br"),
                    415,
                ),
                (Request::post_json(api.path(), &api.body()), 401),
                (pieces(), 200),
                (pieces(), 200),
                (pieces(), 200),
                (pieces(), 429),
            ] {
                assert_eq!(status(&mut client, request).await, expected, "{account}");
            }
        }
    }

    let mut client = FedClient::connect(weir.envoy.listen_addr()).await;
    let api = Api::OpenAi;
    for (body, expected) in [(api.body(), 200), (api.with_tool(), 403)] {
        let (sender, answer) = client.post(api.path(), "trailing");
        sender.send(data(body.to_string())).unwrap();
        sender.send(trailers()).unwrap();
        let answer = timeout(PATIENCE, answer).await.unwrap().unwrap().unwrap();
        assert_eq!(answer.status().as_u16(), expected);
    }

    let decisions = weir.envoy.wait_for_decisions(50, PATIENCE).await.unwrap();
    let of = |action: &str| {
        decisions
            .iter()
            .filter(|one| one["action"] == action)
            .count()
    };
    assert_eq!((of("allow"), of("deny"), of("throttle")), (21, 25, 4));
    let told = decisions
        .iter()
        .filter(|one| one["tokens"].is_object())
        .count();
    assert_eq!(told, 21, "usage is known of everything that was served");
    assert!(log(&weir).contains(WARNING));
}

#[tokio::test]
async fn clients_that_leave_in_the_middle_of_their_body_are_counted_and_harm_nobody() {
    const EACH: u64 = 8;
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let addr = weir.envoy.listen_addr();
    let arrived = async |count: u64| {
        eventually("request at Envoy", async || {
            let stats = weir.envoy.stats().await.unwrap();
            (stats.get("http.weir.downstream_rq_total") >= count).then_some(())
        })
        .await;
    };

    let mut halves = Vec::new();
    for api in [Api::OpenAi, Api::Anthropic].into_iter().cycle().take(8) {
        halves.push(half_a_post(addr, api.path(), "leaver").await);
    }
    arrived(EACH).await;
    for mut half in halves {
        half.shutdown().await.unwrap();
    }
    let mut streams = Vec::new();
    for _ in 0..EACH {
        let mut client = FedClient::connect(addr).await;
        let (sender, answer) = client.post(Api::OpenAi.path(), "leaver");
        sender.send(data("{\"model\":\"m\"")).unwrap();
        streams.push((client, sender, answer));
    }
    arrived(2 * EACH).await;
    for (_client, sender, answer) in streams {
        sender
            .send(Err(std::io::ErrorKind::Interrupted.into()))
            .unwrap();
        assert!(answer.await.unwrap().is_err());
    }

    eventually("count of abandoned requests", async || {
        let stats = weir.envoy.stats().await.unwrap();
        (stats.sum("weir_abandoned", &[]) == 2 * EACH).then_some(())
    })
    .await;
    for _ in 0..4 {
        for mut client in weir.clients() {
            let response = send(&mut client, Api::OpenAi.post("stayer", &Api::OpenAi.body())).await;
            assert_eq!(response.status(), 200);
        }
    }
    let stats = weir.envoy.stats().await.unwrap();
    assert_eq!(stats.get("wasm.weir.vm_reload"), 0);
    let whole = weir
        .mock
        .served()
        .iter()
        .filter(|one| one.status == Some(200))
        .count();
    assert_eq!(whole, 8, "nothing of the abandoned requests was served");
}

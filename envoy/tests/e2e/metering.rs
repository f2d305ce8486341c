//! What is charged is what answers said they used, whatever happens to them on their way.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_envoy::client::Client;
use weir_envoy::mock::Served;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, policy, send, status};

const ACCOUNT: &str = "metered";
const CLIENTS: usize = 6;
const ROUNDS: usize = 6;
/// More than is ever charged here, and as much as one request may reserve.
const HUGE: u64 = u32::MAX as u64;
/// Marks requests whose answer the client read to its end; the mock sees it.
const READ: &str = "x-test-read";

/// Everything that can become of an exchange, one after the other; returns how many requests were sent.
async fn mixed_fates(mut client: Client, number: usize) -> usize {
    let mut sent = 0;
    for round in 0..ROUNDS {
        let api = Api::BOTH[(number + round) % 2];
        let read = |body: &Value| api.post(ACCOUNT, body).header(READ, "yes");

        // Served whole, as JSON and as a stream.
        assert_eq!(status(&mut client, read(&api.body())).await, 200);
        assert_eq!(status(&mut client, read(&api.streamed())).await, 200);

        // The client leaves after some events.
        let slow = api
            .post(ACCOUNT, &api.streamed())
            .header("x-mock-delay-ms", "1");
        let mut response = send(&mut client, slow).await;
        for _ in 0..=round * 2 {
            response.next_event().await.unwrap();
        }
        response.abort();

        // The upstream fails, and the client tries again.
        let failing = api
            .post(ACCOUNT, &api.body())
            .header("x-mock-status", "500");
        assert_eq!(status(&mut client, failing).await, 500);
        assert_eq!(status(&mut client, read(&api.body())).await, 200);

        // The upstream breaks off in the middle, and before the body.
        let breaking = api
            .post(ACCOUNT, &api.streamed())
            .header("x-mock-abort-after-events", format!("{}", 1 + round));
        assert!(send(&mut client, breaking).await.events().await.is_err());
        let breaking = api
            .post(ACCOUNT, &api.body())
            .header("x-mock-abort-after-events", "0");
        if let Ok(response) = client.send(breaking).await {
            let whole = response.status() == 200 && response.bytes().await.is_ok();
            assert!(!whole, "the mock was told to break off");
        }

        // Nothing is served.
        let refused = api.post(ACCOUNT, &api.with_tool());
        assert_eq!(status(&mut client, refused).await, 403);
        sent += 8;
    }
    sent
}

/// What the window of the account's only budget holds: asks for all of it, which is refused while anything is charged.
async fn charged(weir: &Weir, client: &mut Client, account: &str) -> u64 {
    let mut body = Api::OpenAi.body();
    body["max_tokens"] = json!(HUGE);
    let response = send(client, Api::OpenAi.post(account, &body)).await;
    let refused = response.status() == 429;
    let id = response.header("x-weir-decision-id").map(str::to_owned);
    response.bytes().await.unwrap();
    assert!(refused, "nothing is charged at all");
    let decision = weir.decision(&id.unwrap()).await;
    assert_eq!(decision["reasons"][0]["code"], "BUDGET_USED");
    decision["reasons"][0]["value"].as_f64().unwrap() as u64
}

/// Asks until `expected` is charged; settlements wait for a tick.
async fn assert_charged(weir: &Weir, account: &str, expected: u64) {
    let mut client = weir.http1();
    let began = Instant::now();
    loop {
        let charged = charged(weir, &mut client, account).await;
        if charged == expected {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE / 4,
            "{charged} tokens are charged, {expected} were used"
        );
    }
}

#[tokio::test]
async fn tokens_charged_are_the_tokens_of_all_usage_told_through_aborts_errors_and_retries() {
    let policy = policy(|policy| policy["budgets"] = budget("tokens", HUGE));
    let weir = Weir::start(programs!(), &policy).await;

    let runs: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let [http1, http2] = weir.clients();
            let client = if number % 2 == 0 { http1 } else { http2 };
            tokio::spawn(mixed_fates(client, number))
        })
        .collect();
    let mut sent = 0;
    for run in runs {
        sent += run.await.unwrap();
    }

    let access = weir.envoy.wait_for_access(sent, PATIENCE).await.unwrap();
    assert_eq!(access.len(), sent, "one line per request");
    let served: HashMap<String, Served> = weir
        .mock
        .served()
        .into_iter()
        .map(|one| (one.header("x-request-id").unwrap().to_owned(), one))
        .collect();
    let (mut used, mut read) = (0, 0);
    for line in &access {
        let decision: Value = serde_json::from_str(line["decision"].as_str().unwrap()).unwrap();
        let told = &decision["tokens"];
        let Some(served) = served.get(line["request_id"].as_str().unwrap()) else {
            assert_eq!(decision["action"], "deny");
            assert_eq!(*told, Value::Null);
            continue;
        };
        let usage = json!({"input": served.usage.input, "output": served.usage.output});
        if served.header(READ).is_some() {
            assert_eq!(*told, usage, "read to its end, so known: {line}");
            read += 1;
        } else {
            assert!(
                told.is_null() || *told == usage,
                "{told} is not {usage}: {line}"
            );
        }
        if !told.is_null() {
            used += served.usage.input + served.usage.output;
        }
    }
    assert_eq!(read, CLIENTS * ROUNDS * 3);
    assert_charged(&weir, ACCOUNT, used).await;
}

#[tokio::test]
async fn an_answer_that_comes_to_its_end_without_telling_its_usage_is_not_free() {
    let policy = policy(|policy| policy["budgets"] = budget("tokens", HUGE));
    let weir = Weir::start(programs!(), &policy).await;
    let mut client = weir.http1();

    for api in Api::BOTH {
        let account = format!("silent-{api:?}");
        let silent = api
            .post(&account, &api.streamed())
            .header("x-mock-no-usage", "1");
        assert_eq!(status(&mut client, silent).await, 200);

        assert!(charged(&weir, &mut client, &account).await > 0);
    }
}

/// A client of `weir` whose connection another worker took than those before it did; `taken` is updated.
async fn on_another_worker(weir: &Weir, taken: &mut Vec<String>) -> Client {
    for number in 0..64 {
        let counts = |stats: &weir_envoy::Stats| -> Vec<(String, u64)> {
            let of_worker =
                |name: &str| name.contains(".worker_") && name.ends_with(".downstream_cx_total");
            let values = stats.values().iter().filter(|(name, _)| of_worker(name));
            values.map(|(name, count)| (name.clone(), *count)).collect()
        };
        let before = counts(&weir.envoy.stats().await.unwrap());
        let mut client = weir.http2();
        let account = format!("hello-{}-{number}", taken.len());
        let hello = Api::OpenAi.post(&account, &Api::OpenAi.body());
        assert_eq!(status(&mut client, hello).await, 200);
        let after = counts(&weir.envoy.stats().await.unwrap());
        let grown = after
            .into_iter()
            .find(|one| !before.contains(one))
            .unwrap()
            .0;
        if !taken.contains(&grown) {
            taken.push(grown);
            return client;
        }
    }
    panic!("all connections go to one worker");
}

#[tokio::test]
async fn a_stream_that_ends_on_a_quiet_worker_is_charged_now_and_leaves_what_others_charged() {
    const LIMIT: u64 = 100;
    let policy = policy(|policy| {
        policy["budgets"] = budget("output_tokens", LIMIT);
        policy["budgets"][0]["window"] = json!("6s");
    });
    let weir = Weir::start(programs!(), &policy).await;
    let mut taken = Vec::new();
    let mut quiet = on_another_worker(&weir, &mut taken).await;
    let mut busy = on_another_worker(&weir, &mut taken).await;
    let with_limit = |mut body: Value, limit: u64| {
        body["max_tokens"] = json!(limit);
        body
    };

    // It lasts longer than the window, and no other request comes to its worker meanwhile.
    let long = Api::Anthropic
        .post(ACCOUNT, &with_limit(Api::Anthropic.streamed(), 20))
        .header("x-mock-output-tokens", "10")
        .header("x-mock-events", "10")
        .header("x-mock-delay-ms", "600");
    let mut long = send(&mut quiet, long).await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(6_800) {
        long.next_event().await.unwrap().unwrap();
    }
    let rest = Api::OpenAi.post(ACCOUNT, &with_limit(Api::OpenAi.body(), LIMIT));
    let rest = rest.header("x-mock-output-tokens", LIMIT.to_string());
    assert_eq!(status(&mut busy, rest.clone()).await, 200);
    long.events().await.unwrap();

    assert_charged(&weir, ACCOUNT, LIMIT + 10).await;
    assert_eq!(status(&mut busy, rest).await, 429);
}

#[tokio::test]
async fn an_aborted_stream_stays_charged_as_reserved_where_the_policy_keeps_unknown_usage() {
    let policy = policy(|policy| {
        policy["budgets"] = budget("output_tokens", HUGE);
        policy["metering"] = json!({"unknownUsage": "keep"});
    });
    let weir = Weir::start(programs!(), &policy).await;

    for (api, mut client) in Api::BOTH.into_iter().zip(weir.clients()) {
        let mut body = api.streamed();
        body["max_tokens"] = json!(500);
        let slow = api.post(ACCOUNT, &body).header("x-mock-delay-ms", "50");
        let mut response = send(&mut client, slow).await;
        response.next_event().await.unwrap();
        response.abort();
    }
    let decisions = weir.envoy.wait_for_decisions(2, PATIENCE).await.unwrap();

    assert!(
        decisions.iter().all(|one| one["tokens"].is_null()),
        "{decisions:?}"
    );
    assert_charged(&weir, ACCOUNT, 1_000).await;
}

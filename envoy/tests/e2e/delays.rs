//! Accounts whose requests wait before they go on.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, eventually, policy, send, status};

const WAIT: Duration = Duration::from_millis(600);
/// Long enough that two requests meet on a slow machine.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// `a-slow` is suspected, one of its requests may wait at a time, and more are handled as `full` says.
fn delaying(wait: Duration, full: &str) -> Value {
    policy(|policy| {
        policy["detection"] = json!({"memory": "16MiB"});
        policy["lists"] = json!({"states": [{"account": "a-slow", "state": "watch", "owner": "o",
            "reason": "r", "expires": "2099-01-01T00:00:00Z"}]});
        policy["responses"] = json!({"states": {"watch": "delay"},
            "delay": {"for": format!("{}ms", wait.as_millis()), "maxWaiting": 1, "whenFull": full}});
    })
}

#[tokio::test]
async fn a_delayed_request_waits_and_nobody_else_does() {
    let weir = Weir::start_with(programs!(), &delaying(WAIT, "throttle"), |options| {
        options.workers = 1;
    })
    .await;
    let api = Api::OpenAi;

    let began = Instant::now();
    let mut slow = weir.http1();
    let waiting =
        tokio::spawn(async move { status(&mut slow, api.post("a-slow", &api.body())).await });
    let other = status(&mut weir.http2(), api.post("a", &api.body())).await;
    let others_wait = began.elapsed();
    let slow = waiting.await.unwrap();

    assert_eq!((slow, other), (200, 200));
    assert!(began.elapsed() >= WAIT);
    assert!(others_wait < WAIT, "{others_wait:?}");
    let decisions = weir.envoy.wait_for_decisions(2, PATIENCE).await.unwrap();
    let delayed = decisions
        .iter()
        .find(|one| one["account"] == "a-slow")
        .unwrap();
    let told = (&delayed["action"], &delayed["state"], &delayed["basis"]);
    assert_eq!(
        told,
        (&json!("delay"), &json!("watch"), &json!("detection"))
    );
}

#[tokio::test]
async fn no_more_wait_at_once_than_the_policy_lets() {
    for (full, second) in [("throttle", 429), ("allow", 200)] {
        let weir = Weir::start_with(programs!(), &delaying(LONG_WAIT, full), |options| {
            options.workers = 1;
        })
        .await;
        let api = Api::Anthropic;
        let mut first = weir.http1();
        let began = Instant::now();
        let waiting =
            tokio::spawn(async move { status(&mut first, api.post("a-slow", &api.body())).await });

        a_request_waits(&weir).await;

        let answered = status(&mut weir.http1(), api.post("a-slow", &api.body())).await;

        assert!(
            began.elapsed() < LONG_WAIT,
            "the machine is too slow for this test"
        );
        assert_eq!(answered, second, "{full}");
        assert_eq!(waiting.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_leaves_its_place() {
    let weir = Weir::start_with(programs!(), &delaying(LONG_WAIT, "throttle"), |options| {
        options.workers = 1;
    })
    .await;
    let api = Api::OpenAi;
    let mut client = weir.http2();
    let leaving = tokio::spawn(async move {
        let response = send(&mut client, api.post("a-slow", &api.body())).await;
        response.status()
    });
    a_request_waits(&weir).await;
    leaving.abort();

    eventually("free place", async || {
        let status = status(&mut weir.http1(), api.post("a-slow", &api.body())).await;
        (status == 200).then_some(())
    })
    .await;
}

async fn a_request_waits(weir: &Weir) {
    eventually("waiting request", async || {
        let stats = weir.envoy.stats().await.unwrap();
        let is_active = |(name, active): (&String, &u64)| {
            name.ends_with("downstream_rq_active") && !name.contains("admin") && *active > 0
        };
        stats.values().iter().any(is_active).then_some(())
    })
    .await;
}

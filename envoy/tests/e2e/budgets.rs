//! Budgets across workers: exact, whatever the protocol, the connection and the version of the policy.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use weir_envoy::ReloadOutcome;
use weir_envoy::client::Client;

use crate::programs;
use crate::setup::{Api, Weir, budget, policy, send, version};

const LIMIT: u64 = 1_000;
const CONNECTIONS: u64 = 8;
const REQUESTS_EACH: u64 = 625;

/// Sends one connection's share; counts what passed. `done` hears of every answer.
async fn share(mut client: Client, api: Api, passed: Arc<AtomicU64>, done: watch::Sender<u64>) {
    let body = api.body();
    for _ in 0..REQUESTS_EACH {
        let response = send(&mut client, api.post("spender", &body)).await;
        match response.status() {
            200 => {
                passed.fetch_add(1, Ordering::Relaxed);
            }
            429 => {
                let wait = response.header("retry-after").unwrap();
                assert!(wait.parse::<u64>().unwrap() >= 1, "retry-after: {wait}");
            }
            other => panic!("status {other}"),
        }
        response.bytes().await.unwrap();
        done.send_modify(|answers| *answers += 1);
    }
}

/// All connections at once, half of them HTTP/2; meanwhile `beside` may do something at so many answers.
async fn spend(weir: &Weir, beside: impl AsyncFnOnce(watch::Receiver<u64>)) -> u64 {
    let passed = Arc::new(AtomicU64::new(0));
    let (done, answers) = watch::channel(0);
    let shares: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let [http1, http2] = weir.clients();
            let client = if number % 2 == 0 { http1 } else { http2 };
            let api = Api::BOTH[usize::from(number % 4 < 2)];
            tokio::spawn(share(client, api, Arc::clone(&passed), done.clone()))
        })
        .collect();
    beside(answers).await;
    for share in shares {
        share.await.unwrap();
    }
    assert_eq!(*done.borrow(), CONNECTIONS * REQUESTS_EACH);
    passed.load(Ordering::Relaxed)
}

#[tokio::test]
async fn of_5000_requests_over_8_connections_to_2_workers_exactly_the_1000_of_the_budget_pass() {
    let policy = policy(|policy| policy["budgets"] = budget("requests", LIMIT));
    let weir = Weir::start(programs!(), &policy).await;

    let passed = spend(&weir, async |_| {}).await;

    assert_eq!(passed, LIMIT);
    assert_eq!(weir.mock.count(), LIMIT);
}

#[tokio::test]
async fn the_budget_stays_exact_while_the_policy_is_replaced_twice() {
    let policy = policy(|policy| policy["budgets"] = budget("requests", LIMIT));
    let weir = Weir::start(programs!(), &policy).await;

    let passed = spend(&weir, async |mut answers| {
        for (at, name) in [(400, "2"), (800, "3")] {
            answers.wait_for(|&count| count >= at).await.unwrap();
            let outcome = weir.envoy.reload(&version(&policy, name)).await.unwrap();
            assert_eq!(outcome, ReloadOutcome::Accepted);
        }
    })
    .await;

    assert_eq!(passed, LIMIT);
    assert_eq!(weir.mock.count(), LIMIT);
    let versions = ["1", "2", "3"].map(|name| {
        let decisions = weir.envoy.decision_log().unwrap();
        let of_version = |one: &&serde_json::Value| one["policy"]["version"] == name;
        decisions.iter().filter(of_version).count()
    });
    assert!(
        versions.iter().all(|&count| count > 0),
        "decisions per version: {versions:?}"
    );
}

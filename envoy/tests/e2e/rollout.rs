//! Two policies in a running Envoy: shadow, canary, enforcement, a guard that goes back, and no request that fails.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use weir_envoy::ReloadOutcome;
use weir_envoy::client::Client;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, eventually, policy, send};

/// Accounts that traffic comes from.
const ACCOUNTS: usize = 60;

/// The policy in force, and the candidate that would leave each account `limit` requests an hour.
fn pair(limit: u64, rollout: &Value) -> String {
    let mut current = policy(|_| {});
    current["budgets"] = budget("requests", 1_000_000);
    let mut candidate = current.clone();
    candidate["metadata"]["version"] = json!("2");
    candidate["budgets"] = budget("requests", limit);
    candidate["rollout"] = rollout.clone();
    json!({"apiVersion": "weir/v1", "kind": "Rollout", "current": current, "candidate": candidate})
        .to_string()
}

/// Clients that ask one after the other until they are told to stop.
struct Traffic {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Traffic {
    fn start(weir: &Weir) -> Self {
        let (stop, answered) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let addr = weir.envoy.listen_addr();
        let client = |number: usize| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                let mut client = if number.is_multiple_of(2) {
                    Client::http1(addr)
                } else {
                    Client::http2(addr)
                };
                let mut failed = Vec::new();
                let mut turn = number;
                while !stop.load(Ordering::Relaxed) {
                    let account = format!("a-{}", turn % ACCOUNTS);
                    turn += 4;
                    let api = Api::OpenAi;
                    let response = send(&mut client, api.post(&account, &api.body())).await;
                    let status = response.status();
                    let whole = response.bytes().await.is_ok();
                    if !whole || !matches!(status, 200 | 429) {
                        failed.push(format!("{account}: {status}, whole: {whole}"));
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                failed
            })
        };
        let clients = (0..4).map(client).collect();
        Self {
            stop,
            answered,
            clients,
        }
    }

    /// Waits until so many more requests were answered.
    async fn flows(&self, requests: usize) {
        let until = self.answered.load(Ordering::Relaxed) + requests;
        eventually("traffic", async || {
            (self.answered.load(Ordering::Relaxed) >= until).then_some(())
        })
        .await;
    }

    /// What failed.
    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.clients {
            failed.extend(client.await.unwrap());
        }
        failed
    }
}

/// Decisions that were logged since the last time.
struct Decisions {
    seen: usize,
}

impl Decisions {
    /// What was logged until now is of no interest.
    fn skip(&mut self, weir: &Weir) {
        self.seen = weir.envoy.decision_log().unwrap().len();
    }

    /// At least `count` more of `version`, however many of others there are; accounts that the version answered.
    async fn of(&mut self, weir: &Weir, version: &str, count: usize) -> Vec<Value> {
        let found = eventually("decisions", async || {
            let decisions = weir.envoy.decision_log().unwrap();
            let new: Vec<Value> = decisions.into_iter().skip(self.seen).collect();
            let of = |one: &&Value| one["policy"]["version"] == version;
            (new.iter().filter(of).count() >= count).then_some(new)
        })
        .await;
        self.seen += found.len();
        found
    }
}

async fn reload(weir: &Weir, config: &str) {
    assert_eq!(
        weir.envoy.reload(config).await.unwrap(),
        ReloadOutcome::Accepted
    );
}

fn refused(decisions: &[Value]) -> usize {
    let refused = decisions.iter().filter(|one| one["action"] != "allow");
    refused.count()
}

#[tokio::test]
async fn a_candidate_goes_from_shadow_over_a_canary_to_enforcement_and_its_guard_brings_the_old_policy_back()
 {
    let weir = Weir::start(
        programs!(),
        &policy(|policy| policy["budgets"] = budget("requests", 1_000_000)),
    )
    .await;
    let traffic = Traffic::start(&weir);
    let mut decisions = Decisions { seen: 0 };

    // Shadow: what the candidate would refuse is told, and nothing is refused.
    reload(&weir, &pair(3, &json!({"mode": "shadow"}))).await;
    traffic.flows(20 * ACCOUNTS).await;
    let shadow = decisions.of(&weir, "1", 20 * ACCOUNTS).await;
    assert_eq!(refused(&shadow), 0);
    assert!(
        shadow
            .iter()
            .any(|one| one["other"]["would_action"] == "throttle")
    );

    // Canary: some accounts, always the same.
    let canary = json!({"mode": "canary", "canary": {"percent": 20}});
    reload(&weir, &pair(1_000_000, &canary)).await;
    traffic.flows(ACCOUNTS).await; // what began under the configuration before has ended
    decisions.skip(&weir);
    traffic.flows(20 * ACCOUNTS).await;
    let seen = decisions.of(&weir, "2", ACCOUNTS).await;
    assert_eq!(refused(&seen), 0);
    let mut arms: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for one in &seen {
        let mode = if one["arm"] == "candidate" {
            "canary"
        } else {
            "enforce"
        };
        assert_eq!(one["mode"], mode);
        let (arm, version) = (
            one["arm"].as_str().unwrap(),
            one["policy"]["version"].as_str().unwrap(),
        );
        arms.entry(one["account"].as_str().unwrap())
            .or_default()
            .insert((arm, version));
    }
    assert_eq!(arms.len(), ACCOUNTS);
    assert!(
        arms.values().all(|arms| arms.len() == 1),
        "an account changed its arm: {arms:?}"
    );
    let held = arms
        .values()
        .filter(|arms| arms.contains(&("candidate", "2")))
        .count();
    // 12 of 60, with a standard deviation of 3.1; which ones is fixed by their names.
    assert!((2..=22).contains(&held), "{held}");

    // Enforcement with a mistake in it: the guard sees it and goes back.
    let guard = json!({"refusedShare": 0.3, "minExchanges": 100, "window": "1m"});
    reload(&weir, &pair(3, &json!({"mode": "enforce", "guard": guard}))).await;
    let tripped = ("weir_guard_tripped", [("arm", "candidate")]);
    eventually("tripped guard", async || {
        let stats = weir.envoy.stats().await.unwrap();
        (stats.sum(tripped.0, &tripped.1) == 1).then_some(())
    })
    .await;
    eventually("policy before", async || {
        let log = weir.envoy.decision_log().unwrap();
        let last: Vec<&Value> = log.iter().rev().take(ACCOUNTS).collect();
        last.iter()
            .all(|one| one["policy"]["version"] == "1")
            .then_some(())
    })
    .await;

    // The candidate is taken away.
    let before = weir.envoy.decision_log().unwrap().len();
    reload(
        &weir,
        &policy(|policy| policy["budgets"] = budget("requests", 1_000_000)).to_string(),
    )
    .await;
    traffic.flows(10 * ACCOUNTS).await;
    weir.envoy
        .wait_for_decisions(before + 5 * ACCOUNTS, PATIENCE)
        .await
        .unwrap();
    let failed = traffic.end().await;
    assert!(failed.is_empty(), "{failed:?}");
    let log = weir.envoy.decision_log().unwrap();
    assert!(
        refused(&log) > 0,
        "the mistake was felt before the guard tripped"
    );
    let alone = log.iter().rev().take(ACCOUNTS).collect::<Vec<_>>();
    assert!(
        alone
            .iter()
            .all(|one| one.get("arm").is_none() && one["action"] == "allow")
    );
}

/// How many reloads the next test makes: `WEIR_RELOADS`, or some.
fn reloads() -> usize {
    match std::env::var("WEIR_RELOADS") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => 40,
    }
}

#[tokio::test]
async fn reloads_leave_no_vm_behind_and_no_request_fails_meanwhile() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let traffic = Traffic::start(&weir);
    let vms = async || {
        let stats = weir.envoy.stats().await.unwrap();
        stats.get("wasm.envoy.wasm.runtime.v8.active")
    };

    for number in 0..reloads() {
        let guard = json!({"failedShare": 0.9, "window": "1m"});
        let mut next: Value = serde_json::from_str(&pair(
            1_000_000,
            &json!({"mode": "enforce", "guard": guard}),
        ))
        .unwrap();
        next["candidate"]["metadata"]["version"] = json!(format!("{number}"));
        reload(&weir, &next.to_string()).await;
    }

    traffic.flows(ACCOUNTS).await;
    assert!(
        vms().await <= 4,
        "main thread, two workers, and one that compiles"
    );
    let failed = traffic.end().await;
    assert!(failed.is_empty(), "{failed:?}");
}

//! A policy replaced while requests run: who falls under which, and what survives.
use serde_json::{Value, json};
use weir_envoy::ReloadOutcome;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, policy, send, status, version};

fn versions(decisions: &[Value]) -> Vec<&str> {
    decisions
        .iter()
        .filter_map(|one| one["policy"]["version"].as_str())
        .collect()
}

#[tokio::test]
async fn new_requests_follow_the_new_policy_and_counters_survive_it() {
    let first = policy(|policy| policy["budgets"] = budget("requests", 3));
    let mut second = first.clone();
    second["metadata"]["version"] = json!("2");
    second["tiers"] = json!([{"name": "everyone", "grants": ["agentic_tools"]}]);
    let weir = Weir::start(programs!(), &first).await;
    let api = Api::OpenAi;
    let with_tool = |account| api.post(account, &api.with_tool());

    let refused_before = status(&mut weir.http1(), with_tool("a")).await;
    for _ in 0..2 {
        assert_eq!(
            status(&mut weir.http2(), api.post("a", &api.body())).await,
            200
        );
    }
    let outcome = weir.envoy.reload(&second.to_string()).await.unwrap();
    let granted_after = status(&mut weir.http1(), with_tool("a")).await;
    let spent_after = status(&mut weir.http2(), with_tool("a")).await;

    assert_eq!(outcome, ReloadOutcome::Accepted);
    assert_eq!(
        (refused_before, granted_after, spent_after),
        (403, 200, 429)
    );
    let decisions = weir.envoy.wait_for_decisions(5, PATIENCE).await.unwrap();
    assert_eq!(versions(&decisions), ["1", "1", "1", "2", "2"]);
    assert_eq!(decisions[3]["tier"], "everyone");
}

#[tokio::test]
async fn a_bad_policy_is_refused_with_its_diagnostics_while_the_old_one_goes_on() {
    let good = policy(|policy| policy["budgets"] = budget("requests", 2));
    let weir = Weir::start(programs!(), &good).await;
    let api = Api::Anthropic;
    assert_eq!(
        status(&mut weir.http1(), api.post("a", &api.body())).await,
        200
    );
    let bad = policy(|policy| {
        policy["metadata"]["version"] = json!("2");
        policy["budgets"] = budget("requests", 0);
        policy["tiers"][1]["grants"] = json!(["telepathy"]);
    });

    let refused = weir.envoy.reload(&bad.to_string()).await.unwrap();
    let still = status(&mut weir.http2(), api.post("a", &api.body())).await;
    let spent = status(&mut weir.http1(), api.post("a", &api.body())).await;
    let next = weir.envoy.reload(&version(&good, "3")).await.unwrap();
    let remembered = status(&mut weir.http1(), api.post("a", &api.body())).await;

    let ReloadOutcome::Rejected { reason } = refused else {
        panic!("accepted")
    };
    for path in ["budgets[0].limit", "tiers[1].grants[0]", "telepathy"] {
        assert!(reason.contains(path), "both mistakes at once: {reason}");
    }
    assert_eq!((still, spent), (200, 429));
    assert_eq!((next, remembered), (ReloadOutcome::Accepted, 429));
    let decisions = weir.envoy.wait_for_decisions(4, PATIENCE).await.unwrap();
    assert_eq!(versions(&decisions), ["1", "1", "1", "3"]);
}

#[tokio::test]
async fn an_answer_that_streams_across_a_reload_ends_under_the_policy_that_it_began_with() {
    let first = policy(|policy| policy["budgets"] = budget("requests", 2));
    let weir = Weir::start(programs!(), &first).await;
    let api = Api::Anthropic;
    let [mut client, mut next] = weir.clients();
    let request = api
        .post("a", &api.streamed())
        .header("x-mock-delay-ms", "100");
    let mut response = send(&mut client, request).await;
    response.next_event().await.unwrap();

    let outcome = weir.envoy.reload(&version(&first, "2")).await.unwrap();
    let meanwhile = status(&mut next, api.post("b", &api.body())).await;
    let rest = response.events().await.unwrap();

    assert_eq!((outcome, meanwhile), (ReloadOutcome::Accepted, 200));
    assert_eq!(rest.last().unwrap().name.as_deref(), Some("message_stop"));
    let decisions = weir.envoy.wait_for_decisions(2, PATIENCE).await.unwrap();
    let of = |account: &str| {
        decisions
            .iter()
            .find(|one| one["account"] == account)
            .unwrap()
    };
    assert_eq!(of("a")["policy"]["version"], "1");
    assert_eq!(of("b")["policy"]["version"], "2");
    assert!(
        of("a")["tokens"]["output"].as_u64() > Some(0),
        "{}",
        of("a")
    );
}

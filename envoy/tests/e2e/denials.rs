//! Refusals: status, headers and body as the provider's SDK wants them, and nothing of them upstream.
use serde_json::{Value, json};
use weir_envoy::ReloadOutcome;
use weir_envoy::client::Request;

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, budget, policy, send, status};

/// What is expected of one refusal.
struct Refusal {
    request: Request,
    status: u16,
    rule: &'static str,
    /// Error type for OpenAI and for Anthropic.
    kind: [&'static str; 2],
}

fn strict() -> Value {
    policy(|policy| {
        policy["inspection"] = json!({"maxBody": "4KiB"});
        policy["budgets"] = budget("requests", 1);
        policy["lists"] = json!({"deny": [{"account": "listed", "owner": "o", "reason": "r",
            "expires": "2099-01-01T00:00:00Z"}]});
        policy["responses"] = json!({"contact": "ask@example.com"});
    })
}

/// Every refusal but the budget's, as requests for `api`.
fn refusals(api: Api) -> Vec<Refusal> {
    let large = json!({"model": "m", "messages": [], "pad": "x".repeat(40_000)});
    let refusal = |request, status, rule, kind| Refusal {
        request,
        status,
        rule,
        kind,
    };
    let permission = ["permission_error"; 2];
    let invalid = ["invalid_request_error"; 2];
    vec![
        refusal(
            api.post("a", &api.with_tool()),
            403,
            "tiers.basic",
            permission,
        ),
        refusal(
            api.post("listed", &api.body()),
            403,
            "lists.deny[0]",
            permission,
        ),
        refusal(
            Request::post_json(api.path(), &api.body()),
            401,
            "identity.anonymous",
            ["authentication_error"; 2],
        ),
        refusal(
            Request::post(api.path(), "{\"model\": ").header("x-account-id", "a"),
            400,
            "inspection.malformed",
            invalid,
        ),
        refusal(
            api.post("a", &api.body())
                .header("content-encoding", "gzip"),
            415,
            "inspection.compressed",
            invalid,
        ),
        refusal(
            api.post("a", &large),
            413,
            "inspection.oversized",
            ["invalid_request_error", "request_too_large"],
        ),
        refusal(
            api.post("a", &large).in_pieces_of(1_000),
            413,
            "inspection.oversized",
            ["invalid_request_error", "request_too_large"],
        ),
    ]
}

#[tokio::test]
async fn every_refusal_speaks_the_providers_format_and_never_reaches_the_upstream() {
    let weir = Weir::start(programs!(), &strict()).await;

    for mut client in weir.clients() {
        for (index, api) in Api::BOTH.into_iter().enumerate() {
            for refusal in refusals(api) {
                let response = send(&mut client, refusal.request).await;
                let rule = refusal.rule;
                assert_eq!(response.status(), refusal.status, "{rule}");
                assert_eq!(response.header("x-should-retry"), Some("false"), "{rule}");
                assert_eq!(response.header("retry-after"), None, "{rule}");
                assert_eq!(response.header("content-type"), Some("application/json"));
                let id = response.header("x-weir-decision-id").unwrap().to_owned();
                let body = response.json().await.unwrap();
                assert_eq!(api.error_type(&body), refusal.kind[index], "{rule}");
                assert!(body.to_string().contains("ask@example.com"), "{body}");
                let decision = weir.decision(&id).await;
                assert_eq!(decision["rule"], rule);
                assert_eq!(decision["action"], "deny");
                assert_eq!(decision["tokens"], Value::Null);
            }
        }
    }

    assert_eq!(weir.mock.count(), 0);
}

#[tokio::test]
async fn a_spent_budget_is_429_with_a_time_to_come_back_and_the_account_of_another_is_not_touched()
{
    let weir = Weir::start(programs!(), &strict()).await;

    for (api, mut client) in Api::BOTH.into_iter().zip(weir.clients()) {
        assert_eq!(
            status(&mut client, api.post(api.endpoint(), &api.body())).await,
            200
        );
        let response = send(&mut client, api.post(api.endpoint(), &api.body())).await;

        assert_eq!(response.status(), 429);
        let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
        assert!(
            (1..=3_825).contains(&wait),
            "an hour and a sixteenth at most: {wait} s"
        );
        assert_eq!(
            response.header("x-should-retry"),
            Some("false"),
            "nobody waits for an hour"
        );
        let id = response.header("x-weir-decision-id").unwrap().to_owned();
        let body = response.json().await.unwrap();
        let kind = if api == Api::OpenAi {
            "requests"
        } else {
            "rate_limit_error"
        };
        assert_eq!(api.error_type(&body), kind);
        let decision = weir.decision(&id).await;
        assert_eq!(decision["basis"], "budget");
        assert_eq!(decision["action"], "throttle");
        assert_eq!(decision["rule"], "budgets.requests");
        assert_eq!(decision["reasons"][0]["code"], "BUDGET_USED");
        assert_eq!(decision["reasons"][0]["value"], 1.0);
    }

    assert_eq!(weir.mock.count(), 2);
}

#[tokio::test]
async fn what_happens_to_an_unknown_endpoint_is_what_the_policy_says() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let models = || Request::get("/v1/models").header("x-account-id", "a");
    let passed = status(&mut weir.http1(), models()).await;
    let deny = policy(|policy| policy["inspection"]["unknownEndpoint"] = json!("deny"));

    let outcome = weir.envoy.reload(&deny.to_string()).await.unwrap();
    let refused = send(&mut weir.http2(), models()).await;

    assert_eq!(outcome, ReloadOutcome::Accepted);
    assert_eq!((passed, refused.status()), (404, 404));
    assert_eq!(
        weir.mock.count(),
        1,
        "the first 404 is the upstream's, the second is not"
    );
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let problem = refused.json().await.unwrap();
    assert_eq!(problem["status"], 404);
    let decisions = weir.envoy.wait_for_decisions(2, PATIENCE).await.unwrap();
    assert_eq!(decisions[0]["action"], "allow");
    assert_eq!(decisions[1]["rule"], "inspection.unknownEndpoint");
}

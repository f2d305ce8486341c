mod cases;
mod secrecy;

use super::*;
use crate::{
    capability::CapabilitySet,
    charging::Quota,
    detect::State,
    endpoint::Endpoint,
    identity::Pseudonyms,
    shaping::{RequestLimits, Strip},
    verdict::Basis,
};
use alloc::collections::BTreeMap;
use cases::cases;
use proptest::prelude::*;
use serde_json::{Value, json};

const ENDPOINTS: [Endpoint; 9] = Endpoint::ALL;
pub(super) const ID: &str = "000000000000000000000000000000ab";
const NOW: &str = "2026-05-01T12:00:00.5Z";

fn document() -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": "7", "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "capabilities": {"logprobs": {"anyOf": [{"logprobs": {}}]}},
        "tiers": [{"name": "basic"}],
        "budgets": [
            {"name": "per-hour", "per": "account", "unit": "requests", "limit": 100, "window": "1h"},
            {"name": "output-day", "per": "account", "unit": "output_tokens", "limit": 5000, "window": "1d"},
            {"name": "at-once", "per": "account", "unit": "concurrency", "limit": 4, "window": "10m"},
        ],
        "detection": {},
        "verification": {"levels": ["email", "phone"], "url": "https://verify.example/start?a=1", "suspected": "phone"},
        "rollout": {"mode": "enforce"},
    })
}

fn policy(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = document();
    change(&mut document);
    let checked = Policy::check(document.to_string().as_bytes(), None);
    checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics))
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).unwrap()
}

pub(super) fn head(endpoint: Endpoint) -> Head {
    Head {
        endpoint,
        model: None,
        caller: None,
        pseudonyms: Pseudonyms::default(),
        passes_through: false,
        compressed: false,
        attestation: None,
        decision_id: 0xab,
        origin: None,
    }
}

fn evaluation(verdict: Verdict) -> Evaluation {
    Evaluation {
        verdict,
        tier: None,
        capabilities: CapabilitySet::default(),
        limits: RequestLimits::default(),
        strip: Strip::default(),
        acts: true,
        waived: CapabilitySet::default(),
        quotas: Vec::new(),
        model: None,
        hold: None,
        store_failed: false,
        standing: None,
        footprint: None,
    }
}

fn refused(action: Action, basis: Basis, rule: Rule) -> Evaluation {
    evaluation(Verdict::refuse(action, basis, rule, Vec::new()))
}

fn spent(budget: usize, wait: Duration) -> Evaluation {
    let mut spent = refused(Action::Throttle, Basis::Budget, Rule::Budget(budget));
    spent.verdict.retry_after = Some(wait);
    spent.quotas = Vec::from([Quota {
        budget,
        remaining: 0,
    }]);
    spent
}

fn denied(policy: &Policy, endpoint: Endpoint, evaluation: &Evaluation) -> Denial {
    Denial::of(policy, &head(endpoint), evaluation, now()).expect("a refusal")
}

fn headers(denial: &Denial) -> BTreeMap<&'static str, &str> {
    let named = denial.headers.iter();
    let headers: BTreeMap<_, _> = named.map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(headers.len(), denial.headers.len(), "each stands once");
    headers
}

#[test]
fn a_wait_is_told_in_whole_seconds_rounded_up_and_exactly_in_milliseconds() {
    let policy = policy(|_| {});
    for (wait, seconds, millis) in [
        (Duration::ZERO, "1", "1"),
        (Duration::from_nanos(1), "1", "1"),
        (Duration::from_micros(250_100), "1", "251"),
        (Duration::from_secs(2), "2", "2000"),
        (Duration::from_millis(2_001), "3", "2001"),
    ] {
        let denial = denied(&policy, Endpoint::OpenAiChat, &spent(0, wait));

        let headers = headers(&denial);
        let told = [headers["retry-after"], headers["retry-after-ms"]];
        assert_eq!(told, [seconds, millis], "{wait:?}");
    }
}

#[test]
fn a_wait_that_sdks_would_not_sit_out_is_final_but_still_told() {
    for (longest, last) in [(None, 60_000), (Some("5s"), 5_000), (Some("0s"), 0)] {
        let policy = policy(|document| {
            if let Some(longest) = longest {
                document["responses"] = json!({"longestRetry": longest});
            }
        });
        for endpoint in ENDPOINTS {
            let at = |millis| {
                let evaluation = spent(0, Duration::from_millis(millis));
                denied(&policy, endpoint, &evaluation)
            };
            let (short, long) = (at(last), at(last + 1));

            assert!(
                !headers(&short).contains_key("x-should-retry"),
                "{longest:?}"
            );
            let long = headers(&long);
            assert_eq!(long["x-should-retry"], "false", "{longest:?}");
            assert!(!long.contains_key("retry-after-ms"), "{longest:?}");
            assert_eq!(long["retry-after"], (last / 1000 + 1).to_string());
        }
    }
}

#[test]
fn a_verification_that_is_asked_for_can_be_read_by_machines() {
    let policy = policy(|_| {});
    let mut evaluation = refused(Action::Verify, Basis::Budget, Rule::Verification(0));
    evaluation.verdict.verification = Some(StepUp::now(1));
    let asked = json!({"level": "phone", "url": "https://verify.example/start?a=1"});
    for endpoint in ENDPOINTS {
        let denial = denied(&policy, endpoint, &evaluation);

        let headers = headers(&denial);
        let body: Value = serde_json::from_str(&denial.body).unwrap();
        assert_eq!(headers["x-weir-verification-level"], "phone");
        assert_eq!(headers["x-weir-verification-url"], asked["url"]);
        match endpoint.provider() {
            Provider::OpenAi | Provider::Anthropic => {
                assert_eq!(body["error"]["verification"], asked);
            }
            Provider::Gemini => {
                let info = &body["error"]["details"][0];
                assert_eq!(info["reason"], "VERIFICATION_REQUIRED");
                assert_eq!(info["metadata"]["level"], asked["level"]);
                assert_eq!(info["metadata"]["url"], asked["url"]);
            }
            Provider::Unknown => assert_eq!(body["verification"], asked),
        }
    }
}

#[test]
fn a_verification_without_level_or_url_still_says_what_is_missing() {
    let mut policy = policy(|_| {});
    policy.verification.url = None;
    let evaluation = refused(Action::Verify, Basis::Detection, Rule::State(State::StepUp));

    let denial = denied(&policy, Endpoint::OpenAiChat, &evaluation);

    let body: Value = serde_json::from_str(&denial.body).unwrap();
    assert_eq!(body["error"]["code"], "verification_required");
    assert_eq!(body["error"]["verification"], json!({}));
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("This account has to be verified first."),
        "{message}"
    );
}

#[test]
fn warnings_name_level_deadline_and_place() {
    let policy = policy(|_| {});
    let step_up = StepUp {
        level: 1,
        deadline: Timestamp::parse_rfc3339("2026-11-28T00:00:00.9Z"),
    };

    let warned = step_up_headers(&policy, step_up);

    let url = "https://verify.example/start?a=1";
    let expected = [
        (
            "x-weir-verification",
            format!("required; level=\"phone\"; by=\"2026-11-28T00:00:00Z\"; url=\"{url}\""),
        ),
        ("x-weir-verification-level", "phone".to_string()),
        ("x-weir-verification-url", url.to_string()),
    ];
    assert_eq!(warned, expected);
}

#[test]
fn terms_and_contact_stand_in_final_refusals_only() {
    let policy = policy(|document| {
        document["responses"] =
            json!({"termsOfUse": "https://example.com/terms", "contact": "a@example.com"});
    });
    for case in cases() {
        let denial = denied(&policy, Endpoint::OpenAiChat, &case.evaluation);

        let told = " Terms of use: https://example.com/terms Contact: a@example.com (decision ";
        assert_eq!(
            denial.body.contains(told),
            case.wait.is_none(),
            "{}",
            denial.body
        );
    }
}

#[test]
fn a_spent_budget_tells_the_headers_of_its_family_and_nothing_else_does() {
    let policy = policy(|document| {
        document["responses"] = json!({"headers": ["provider", "ietf"]});
    });
    let wait = Duration::from_millis(11_500);

    let openai = denied(&policy, Endpoint::OpenAiChat, &spent(0, wait));
    let anthropic = denied(&policy, Endpoint::AnthropicMessages, &spent(1, wait));
    let mut throttled = refused(
        Action::Throttle,
        Basis::Detection,
        Rule::State(State::Restrict),
    );
    throttled.verdict.retry_after = Some(wait);
    let suspected = denied(&policy, Endpoint::OpenAiChat, &throttled);

    let told = headers(&openai);
    assert_eq!(told["x-ratelimit-limit-requests"], "100");
    assert_eq!(told["x-ratelimit-remaining-requests"], "0");
    assert_eq!(told["x-ratelimit-reset-requests"], "12s");
    assert_eq!(told["ratelimit"], "\"per-hour\";r=0;t=12");
    assert_eq!(told["retry-after"], "12", "the same instant");
    let told = headers(&anthropic);
    assert_eq!(told["anthropic-ratelimit-output-tokens-remaining"], "0");
    assert_eq!(
        told["anthropic-ratelimit-output-tokens-reset"],
        "2026-05-01T12:00:12Z"
    );
    let without: Vec<_> = openai
        .headers
        .iter()
        .filter(|(name, _)| !name.contains("ratelimit"))
        .cloned()
        .collect();
    assert_eq!(suspected.headers, without);
    assert_eq!(suspected.body, openai.body);
}

proptest! {
    #[test]
    fn headers_hold_visible_text_whatever_the_policy_says(
        texts in proptest::collection::vec("\\PC{0,40}|[\\x00-\\x7f]{0,40}", 4),
        which in 0_usize..11,
        endpoint in 0_usize..9,
        wait: u64,
    ) {
        let mut policy = policy(|document| {
            document["responses"] = json!({"headers": ["provider", "ietf", "envoy", "openai", "anthropic"]});
        });
        policy.verification.levels[1] = texts[0].clone();
        policy.verification.url = Some(texts[1].clone());
        policy.responses.terms_of_use = Some(texts[2].clone());
        policy.responses.contact = Some(texts[3].clone());
        let mut case = cases().swap_remove(which);
        if case.wait.is_some() {
            case.evaluation.verdict.retry_after = Some(Duration::from_nanos(wait));
        }
        let step_up = StepUp { level: 1, deadline: Some(Timestamp::from_unix_nanos(wait)) };

        let denial = denied(&policy, ENDPOINTS[endpoint], &case.evaluation);
        let warned = step_up_headers(&policy, step_up);

        prop_assert!(serde_json::from_str::<Value>(&denial.body).is_ok());
        for (name, value) in denial.headers.iter().chain(&warned) {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{} {:?}", name, value);
            prop_assert_eq!(value.matches('"').count() % 2, 0);
        }
    }
}

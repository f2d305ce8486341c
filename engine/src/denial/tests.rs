use super::*;
use crate::{
    capability::CapabilitySet,
    detect::{Evidence, Signal, Standing, State},
    endpoint::Endpoint,
    evaluate::{Body, Quota},
    exchange::Exchange,
    hash::HashKey,
    ledger::Ledger,
    shaping::{RequestLimits, Strip},
    store::MemoryStore,
    verdict::{Basis, Reason, ReasonCode},
};
use alloc::collections::BTreeMap;
use proptest::prelude::*;
use serde_json::{Value, json};

const ENDPOINTS: [Endpoint; 9] = [
    Endpoint::OpenAiChat,
    Endpoint::OpenAiCompletions,
    Endpoint::OpenAiResponses,
    Endpoint::OpenAiEmbeddings,
    Endpoint::AnthropicMessages,
    Endpoint::AnthropicCountTokens,
    Endpoint::GeminiGenerate,
    Endpoint::GeminiStream,
    Endpoint::Unknown,
];
const ID: &str = "000000000000000000000000000000ab";
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
        "rollout": {"mode": "enforce"},
    })
}

fn policy(change: impl FnOnce(&mut Value)) -> Policy {
    let mut document = document();
    change(&mut document);
    let checked = Policy::check(document.to_string().as_bytes(), None);
    let mut policy = checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    policy.verification.levels = ["email", "phone"].map(String::from).to_vec();
    policy.verification.url = Some("https://verify.example/start?a=1".to_string());
    policy
}

fn now() -> Timestamp {
    Timestamp::parse_rfc3339(NOW).unwrap()
}

fn head(endpoint: Endpoint) -> Head {
    Head {
        endpoint,
        caller: None,
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

/// A kind of refusal and what each provider's body says of it.
struct Case {
    evaluation: Evaluation,
    status: u16,
    openai: [&'static str; 2],
    anthropic: &'static str,
    gemini: &'static str,
    problem: &'static str,
    /// The beginning of the message.
    says: &'static str,
    wait: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let case = |evaluation, status, openai, anthropic, gemini, says| Case {
        evaluation,
        status,
        openai,
        anthropic,
        gemini,
        problem: "about:blank",
        says,
        wait: None,
    };
    let rule = |rule| refused(Action::Deny, Basis::None, rule);
    let quota = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    let mut verify = refused(Action::Verify, Basis::Budget, Rule::Verification(0));
    verify.verdict.verification = Some(StepUp::now(1));
    let mut ungranted = refused(Action::Deny, Basis::Capability, Rule::Tier(0));
    ungranted.verdict.reasons = Vec::from([Reason::rule(ReasonCode::CapabilityNotGranted(0), 1.0)]);
    let invalid = "invalid_request_error";
    let denied = ["permission_error", "permission_denied"];
    Vec::from([
        Case {
            problem: quota,
            wait: Some("13"),
            ..case(
                spent(0, Duration::from_millis(12_001)),
                429,
                ["requests", "rate_limit_exceeded"],
                "rate_limit_error",
                "RESOURCE_EXHAUSTED",
                "Rate limit reached for requests. Try again in 13 s.",
            )
        },
        Case {
            problem: quota,
            wait: Some("1"),
            ..case(
                spent(1, Duration::from_millis(250)),
                429,
                ["tokens", "rate_limit_exceeded"],
                "rate_limit_error",
                "RESOURCE_EXHAUSTED",
                "Rate limit reached for output tokens. Try again in 1 s.",
            )
        },
        Case {
            problem: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
            wait: Some("1"),
            ..case(
                refused(Action::Throttle, Basis::None, Rule::StateFailure),
                503,
                ["server_error", "service_unavailable"],
                "api_error",
                "UNAVAILABLE",
                "Limits cannot be checked at the moment. Try again soon.",
            )
        },
        case(
            ungranted,
            403,
            denied,
            "permission_error",
            "PERMISSION_DENIED",
            "This account's tier does not include: logprobs.",
        ),
        case(
            refused(Action::Deny, Basis::List, Rule::DenyList(3)),
            403,
            denied,
            "permission_error",
            "PERMISSION_DENIED",
            "This account may not use this API.",
        ),
        case(
            verify,
            403,
            ["permission_error", "verification_required"],
            "permission_error",
            "PERMISSION_DENIED",
            "This account has to be verified at level \"phone\" first: https://verify.example/start?a=1",
        ),
        case(
            rule(Rule::Anonymous),
            401,
            ["authentication_error", "invalid_api_key"],
            "authentication_error",
            "UNAUTHENTICATED",
            "No account could be identified.",
        ),
        case(
            rule(Rule::Malformed),
            400,
            [invalid, "invalid_body"],
            invalid,
            "INVALID_ARGUMENT",
            "The request body is not valid JSON",
        ),
        case(
            rule(Rule::Oversized),
            413,
            [invalid, "request_too_large"],
            "request_too_large",
            "INVALID_ARGUMENT",
            "The request body is larger than",
        ),
        case(
            rule(Rule::Compressed),
            415,
            [invalid, "unsupported_content_encoding"],
            invalid,
            "INVALID_ARGUMENT",
            "Send the request body without content-encoding.",
        ),
        case(
            rule(Rule::UnknownEndpoint),
            404,
            [invalid, "unknown_url"],
            "not_found_error",
            "NOT_FOUND",
            "This endpoint is not served here.",
        ),
    ])
}

#[test]
fn every_refusal_has_the_status_and_the_body_of_the_api_that_was_asked() {
    let policy = policy(|_| {});
    for (case, endpoint) in cases()
        .iter()
        .flat_map(|case| ENDPOINTS.map(|endpoint| (case, endpoint)))
    {
        let denial = denied(&policy, endpoint, &case.evaluation);

        let what = format!("{} {endpoint:?}", case.status);
        let body: Value = serde_json::from_str(&denial.body).unwrap();
        let error = &body["error"];
        assert_eq!(denial.status, case.status, "{what}");
        let message = match endpoint.provider() {
            Provider::OpenAi => {
                let [kind, code] = case.openai;
                assert_eq!(
                    (&error["type"], &error["code"]),
                    (&json!(kind), &json!(code))
                );
                assert_eq!(error["param"], Value::Null);
                assert_eq!(body.as_object().map(|body| body.len()), Some(1));
                &error["message"]
            }
            Provider::Anthropic => {
                assert_eq!(body["type"], "error", "{what}");
                assert_eq!(error["type"], case.anthropic, "{what}");
                assert_eq!(body["request_id"], ID);
                assert_eq!(headers(&denial)["request-id"], ID);
                &error["message"]
            }
            Provider::Gemini => {
                assert_eq!(error["status"], case.gemini, "{what}");
                assert_eq!(error["code"], case.status);
                let info = &error["details"][0];
                assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
                assert_eq!(info["metadata"]["decisionId"], ID);
                let retry = case.wait.map(|wait| {
                    json!({
                        "@type": "type.googleapis.com/google.rpc.RetryInfo",
                        "retryDelay": format!("{wait}s"),
                    })
                });
                assert_eq!(error["details"].get(1), retry.as_ref(), "{what}");
                &error["message"]
            }
            Provider::Unknown => {
                assert_eq!(body["type"], case.problem, "{what}");
                assert_eq!(body["status"], case.status);
                assert_eq!(body["decision_id"], ID);
                &body["detail"]
            }
        };
        let message = message.as_str().unwrap();
        assert!(message.starts_with(case.says), "{what}: {message}");
        let signed = message.ends_with(&format!(" (decision {ID})"));
        assert_eq!(signed, endpoint != Endpoint::Unknown, "{what}: {message}");
    }
}

#[test]
fn every_refusal_says_when_to_come_again_or_that_it_is_final() {
    let policy = policy(|_| {});
    for (case, endpoint) in cases()
        .iter()
        .flat_map(|case| ENDPOINTS.map(|endpoint| (case, endpoint)))
    {
        let denial = denied(&policy, endpoint, &case.evaluation);

        let headers = headers(&denial);
        let what = format!("{} {endpoint:?}: {headers:?}", case.status);
        let content = match endpoint {
            Endpoint::Unknown => "application/problem+json",
            _ => "application/json",
        };
        assert_eq!(headers["content-type"], content, "{what}");
        assert_eq!(headers["x-weir-decision-id"], ID, "{what}");
        assert_eq!(headers.get("retry-after").copied(), case.wait, "{what}");
        let is_final = case.wait.is_none().then_some("false");
        assert_eq!(headers.get("x-should-retry").copied(), is_final, "{what}");
        let read_in_millis = matches!(endpoint.provider(), Provider::OpenAi | Provider::Anthropic);
        assert_eq!(
            headers.contains_key("retry-after-ms"),
            read_in_millis && case.wait.is_some(),
            "{what}"
        );
    }
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

/// The answer to one request of `account`, whose standing is `state`.
fn asked(policy: &Policy, endpoint: (&str, &str), account: &str, state: State) -> Denial {
    let (path, request_id) = endpoint;
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", b"POST"),
        (b":path", path.as_bytes()),
        (b"x-account-id", account.as_bytes()),
        (b"x-request-id", request_id.as_bytes()),
    ];
    let key = HashKey::new([7; 16]);
    let mut exchange = Exchange::begin(policy, &key, headers.into_iter(), now());
    let evidence = Evidence {
        signal: Signal::named("EVENNESS").unwrap_or_else(|| panic!("a signal")),
        value: 0.71,
        weight: 9.5,
    };
    let mut standing = Standing {
        state,
        score: 9.5,
        campaign: 77,
        learned: 1.0,
        ..Standing::default()
    };
    standing.evidence[0] = Some(evidence);
    exchange.stands(standing);
    let mut ledger = Ledger::new(policy.layout());
    let body =
        br#"{"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}"#;
    let mut store = MemoryStore::default();
    exchange
        .decide(policy, &key, Body::Whole(body), &mut ledger, &mut store)
        .into_denial()
        .expect("a refusal")
}

#[test]
fn what_the_detector_refuses_is_told_byte_for_byte_as_a_list_would() {
    let policy = policy(|document| {
        document["lists"] = json!({"deny": [
            {"account": "listed", "owner": "t", "reason": "r", "expires": "2027-01-01T00:00:00Z"},
        ]});
        document["responses"] = json!({
            "termsOfUse": "https://example.com/terms",
            "headers": ["provider", "ietf", "envoy"],
        });
    });
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let listed = asked(&policy, (path, "1"), "listed", State::Observe);
        for state in [State::Restrict, State::Block] {
            let suspected = asked(&policy, (path, "1"), "suspected", state);
            let again = asked(&policy, (path, "2"), "suspected", state);

            assert_eq!(suspected, listed, "one decision id");
            let id = |denial: &Denial| headers(denial)["x-weir-decision-id"].to_string();
            let (ours, theirs) = (id(&again), id(&listed));
            assert_ne!(ours, theirs);
            assert_eq!(again.body.replace(&ours, &theirs), listed.body);
        }
    }
}

#[test]
fn no_refusal_tells_which_signal_score_state_or_rule_is_behind_it() {
    for action in ["verify", "throttle", "deny"] {
        let policy = policy(|document| {
            document["responses"] = json!({
                "states": {"watch": action, "step_up": action, "restrict": action, "block": action},
                "headers": ["provider", "ietf"],
            });
        });
        for state in [State::Watch, State::StepUp, State::Restrict, State::Block] {
            let denial = asked(&policy, ("/v1/messages", "1"), "a", state);

            let told = format!("{denial:?}").to_lowercase();
            for secret in [
                "evenness",
                "0.71",
                "9.5",
                "77",
                "campaign",
                "detect",
                "suspect",
                "score",
                "signal",
                "state",
                "watch",
                "step_up",
                "restrict",
                "block",
                "per-hour",
                "ratelimit-",
            ] {
                assert!(
                    !told
                        .replace(&headers(&denial)["request-id"].to_string(), "")
                        .contains(secret),
                    "{secret} in {told}"
                );
            }
        }
    }
}

/// Names and data of the events of a stream, as WHATWG HTML has a client read them.
fn events(stream: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(stream)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    for line in whole.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (line, field) {
            ("", _) => {
                if !data.is_empty() {
                    events.push((core::mem::take(&mut name), data.join("\n")));
                }
                (name, data) = (String::new(), Vec::new());
            }
            (_, "event") => name = value.to_string(),
            (_, "data") => data.push(value.to_string()),
            _ => {}
        }
    }
    events
}

#[test]
fn a_stream_of_unnamed_events_ends_in_an_error_wherever_it_is_broken_off() {
    for (endpoint, newline) in [
        (Endpoint::OpenAiChat, "\n"),
        (Endpoint::OpenAiCompletions, "\r\n"),
        (Endpoint::OpenAiResponses, "\n"),
        (Endpoint::GeminiStream, "\r\n"),
    ] {
        let stream = ": ping\n\ndata: {\"a\": 1}\n\nevent: x\ndata: {\"b\": \"ä\"}\n\n";
        let stream = stream.replace('\n', newline);
        for cut in 0..=stream.len() {
            let (sent, _) = stream.as_bytes().split_at(cut);
            let mut broken = sent.to_vec();
            broken.extend(event(&head(endpoint), 7));

            let read = events(&broken);

            let whole = events(sent);
            assert_eq!(read[..whole.len()], whole, "what was complete stays");
            let (name, data) = read.last().unwrap();
            let error: Value = serde_json::from_str(data).unwrap();
            if endpoint == Endpoint::OpenAiResponses {
                let message = format!("{} (decision {ID})", event::MESSAGE);
                let expected = json!({"type": "error", "code": "response_interrupted",
                    "message": message, "param": null, "sequence_number": 7});
                assert_eq!((name.as_str(), error), ("error", expected), "at {cut}");
            } else {
                let message = error["error"]["message"].as_str().unwrap();
                assert!(message.contains("interrupted") && message.contains(ID));
            }
        }
    }
}

#[test]
fn a_stream_of_named_events_ends_in_an_event_named_error_wherever_it_is_broken_off() {
    for newline in ["\n", "\r\n"] {
        let stream =
            "event: ping\ndata: {\"type\": \"ping\"}\n\nevent: delta\ndata: {\"type\": \"ä\"}\n\n";
        let stream = stream.replace('\n', newline);
        for cut in 0..=stream.len() {
            let (sent, _) = stream.as_bytes().split_at(cut);
            let mut broken = sent.to_vec();
            broken.extend(event(&head(Endpoint::AnthropicMessages), 0));

            let read = events(&broken);

            let (name, data) = read.last().unwrap();
            assert_eq!(name, "error", "at {cut}");
            let last = data.lines().last().unwrap();
            let error: Value = serde_json::from_str(last).unwrap();
            assert_eq!(
                (&error["type"], &error["error"]["type"]),
                (&json!("error"), &json!("api_error"))
            );
            if events(sent) != events(&[sent, newline.as_bytes(), newline.as_bytes()].concat()) {
                continue; // Something of an event stands there already.
            }
            assert_eq!(
                data, last,
                "between events nothing stands before the error, at {cut}"
            );
        }
    }
}

#[test]
fn endpoints_without_streams_get_no_event() {
    assert_eq!(event(&head(Endpoint::Unknown), 0), b"");
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

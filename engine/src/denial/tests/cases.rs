//! Every kind of refusal, for every endpoint.
use super::*;
use crate::verdict::{Reason, ReasonCode};

/// A kind of refusal and what each provider's body says of it.
pub(super) struct Case {
    pub(super) evaluation: Evaluation,
    status: u16,
    openai: [&'static str; 2],
    anthropic: &'static str,
    gemini: &'static str,
    problem: &'static str,
    /// The beginning of the message.
    says: &'static str,
    pub(super) wait: Option<&'static str>,
}

pub(super) fn cases() -> Vec<Case> {
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

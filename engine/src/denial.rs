//! What a refused caller gets: status, headers and a body in the error format of the provider asked.
//!
//! Texts say what the caller can do about it, never what gave a suspected campaign away.
use crate::{
    decision,
    endpoint::{Endpoint, Provider},
    evaluate::Evaluation,
    identity::Head,
    policy::Policy,
    verdict::{Action, Rule, StepUp, Verdict},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;
use serde_json::{Value, json};

/// A local reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// HTTP status.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body, UTF-8.
    pub body: String,
}

/// What kind of refusal the formats tell apart.
struct Kind {
    status: u16,
    openai_type: &'static str,
    openai_code: &'static str,
    anthropic_type: &'static str,
    title: &'static str,
}

const THROTTLED: Kind = Kind {
    status: 429,
    openai_type: "requests",
    openai_code: "rate_limit_exceeded",
    anthropic_type: "rate_limit_error",
    title: "Quota exceeded",
};
const FORBIDDEN: Kind = Kind {
    status: 403,
    openai_type: "permission_error",
    openai_code: "permission_denied",
    anthropic_type: "permission_error",
    title: "Not permitted",
};
const UNAUTHENTICATED: Kind = Kind {
    status: 401,
    openai_type: "authentication_error",
    openai_code: "invalid_api_key",
    anthropic_type: "authentication_error",
    title: "Not authenticated",
};
const INVALID: Kind = Kind {
    status: 400,
    openai_type: "invalid_request_error",
    openai_code: "invalid_body",
    anthropic_type: "invalid_request_error",
    title: "Invalid request",
};
const TOO_LARGE: Kind = Kind {
    status: 413,
    openai_type: "invalid_request_error",
    openai_code: "request_too_large",
    anthropic_type: "request_too_large",
    title: "Request too large",
};
const ENCODED: Kind = Kind {
    status: 415,
    openai_type: "invalid_request_error",
    openai_code: "unsupported_content_encoding",
    anthropic_type: "invalid_request_error",
    title: "Unsupported content encoding",
};
const UNAVAILABLE: Kind = Kind {
    status: 503,
    openai_type: "server_error",
    openai_code: "service_unavailable",
    anthropic_type: "api_error",
    title: "Temporarily unavailable",
};
const NOT_FOUND: Kind = Kind {
    status: 404,
    openai_type: "invalid_request_error",
    openai_code: "unknown_url",
    anthropic_type: "not_found_error",
    title: "Not found",
};

impl Denial {
    /// The reply for a verdict that refuses; `None` for one that lets pass.
    pub fn of(policy: &Policy, head: &Head, evaluation: &Evaluation) -> Option<Self> {
        let verdict = &evaluation.verdict;
        if verdict.action.passes() {
            return None;
        }
        let endpoint = head.endpoint;
        let decision_id = decision::id(head);
        let (kind, mut message) = match verdict.rule {
            Some(Rule::Anonymous) => (
                &UNAUTHENTICATED,
                "No account could be identified. Send your API key.".to_string(),
            ),
            Some(Rule::Oversized) => (
                &TOO_LARGE,
                format!(
                    "The request body is larger than {} bytes.",
                    policy.max_body()
                ),
            ),
            Some(Rule::Compressed) => (
                &ENCODED,
                "Send the request body without content-encoding.".to_string(),
            ),
            Some(Rule::Malformed) => (
                &INVALID,
                "The request body is not valid JSON for this endpoint.".to_string(),
            ),
            Some(Rule::UnknownEndpoint) => {
                (&NOT_FOUND, "This endpoint is not served here.".to_string())
            }
            Some(Rule::StateFailure) => (
                &UNAVAILABLE,
                "Limits cannot be checked at the moment. Try again soon.".to_string(),
            ),
            _ if verdict.action == Action::Throttle => (&THROTTLED, throttled(verdict.retry_after)),
            Some(Rule::Tier(_)) => (&FORBIDDEN, forbidden(policy, verdict)),
            _ => (&FORBIDDEN, "This account may not use this API.".to_string()),
        };
        let retry = verdict.action == Action::Throttle;
        if !retry {
            for (intro, text) in [
                (" Terms of use: ", &policy.responses.terms_of_use),
                (" Contact: ", &policy.responses.contact),
            ] {
                if let Some(text) = text {
                    message.push_str(intro);
                    message.push_str(text);
                }
            }
        }
        let mut headers = Vec::from([
            ("content-type", content_type(endpoint).to_string()),
            ("x-weir-decision-id", decision_id.clone()),
        ]);
        if retry {
            headers.push(("retry-after", seconds(verdict.retry_after).to_string()));
        } else {
            // SDKs retry some statuses on their own; a final answer must be asked once.
            headers.push(("x-should-retry", "false".to_string()));
        }
        Some(Self {
            status: kind.status,
            headers,
            body: body(endpoint, kind, &message, &decision_id).to_string(),
        })
    }
}

/// What tells a client that its account has to be better verified, by when and where.
pub(crate) fn step_up_headers(_policy: &Policy, _step_up: StepUp) -> Vec<(&'static str, String)> {
    Vec::new()
}

const fn content_type(endpoint: Endpoint) -> &'static str {
    match endpoint.provider() {
        Provider::OpenAi | Provider::Anthropic | Provider::Gemini => "application/json",
        Provider::Unknown => "application/problem+json",
    }
}

fn body(endpoint: Endpoint, kind: &Kind, message: &str, decision_id: &str) -> Value {
    match endpoint.provider() {
        Provider::OpenAi => json!({
            "error": {"message": message, "type": kind.openai_type, "param": null, "code": kind.openai_code},
        }),
        Provider::Anthropic => json!({
            "type": "error",
            "error": {"type": kind.anthropic_type, "message": message},
            "request_id": decision_id,
        }),
        Provider::Gemini | Provider::Unknown => json!({
            "type": "about:blank", "title": kind.title, "status": kind.status, "detail": message,
        }),
    }
}

fn throttled(retry_after: Option<Duration>) -> String {
    format!(
        "Rate limit reached. Try again in {} s.",
        seconds(retry_after)
    )
}

/// Whole seconds to wait, rounded up so that a caller who waits them is let in; at least 1.
fn seconds(retry_after: Option<Duration>) -> u64 {
    let wait = retry_after.unwrap_or_default();
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
        .max(1)
}

fn forbidden(policy: &Policy, verdict: &Verdict) -> String {
    let names: Vec<&str> = verdict
        .reasons
        .iter()
        .filter_map(|reason| reason.capability())
        .filter_map(|index| policy.capabilities.names().get(index))
        .map(String::as_str)
        .collect();
    format!(
        "This account's tier does not include: {}.",
        names.join(", ")
    )
}

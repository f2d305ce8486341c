//! Refusals as each provider's own API words them, so that its SDKs raise the errors that programs know.
//!
//! OpenAI: the `error` object. Anthropic: `{"type": "error", ...}`. Gemini: `google.rpc.Status` as JSON, with
//! `ErrorInfo` and `RetryInfo`. Everybody else: RFC 9457, with the types that
//! draft-ietf-httpapi-ratelimit-headers registers.
use super::Level;
use crate::endpoint::Provider;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use serde_json::{Map, Value, json};

/// The kinds of refusal that formats tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Throttled,
    Unverified,
    Forbidden,
    Unauthenticated,
    Invalid,
    TooLarge,
    Encoded,
    NotFound,
    Unavailable,
    /// A response that had begun cannot go on.
    Interrupted,
}

/// One kind in the words of every API.
struct Words {
    status: u16,
    /// `type` and `code`.
    openai: (&'static str, &'static str),
    anthropic: &'static str,
    /// `google.rpc.Code` and the reason of the `ErrorInfo`.
    gemini: (&'static str, &'static str),
    /// `type` and `title`; the title of `about:blank` is the status's.
    problem: (&'static str, &'static str),
}

impl Kind {
    /// HTTP status.
    pub(super) const fn status(self) -> u16 {
        self.words().status
    }

    const fn words(self) -> Words {
        match self {
            Self::Throttled => Words {
                status: 429,
                openai: ("requests", "rate_limit_exceeded"),
                anthropic: "rate_limit_error",
                gemini: ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
                problem: (
                    "https://iana.org/assignments/http-problem-types#quota-exceeded",
                    "Quota exceeded",
                ),
            },
            Self::Unverified => Words {
                status: 403,
                openai: ("permission_error", "verification_required"),
                anthropic: "permission_error",
                gemini: ("PERMISSION_DENIED", "VERIFICATION_REQUIRED"),
                problem: ("about:blank", "Forbidden"),
            },
            Self::Forbidden => Words {
                status: 403,
                openai: ("permission_error", "permission_denied"),
                anthropic: "permission_error",
                gemini: ("PERMISSION_DENIED", "ACCESS_DENIED"),
                problem: ("about:blank", "Forbidden"),
            },
            Self::Unauthenticated => Words {
                status: 401,
                openai: ("authentication_error", "invalid_api_key"),
                anthropic: "authentication_error",
                gemini: ("UNAUTHENTICATED", "CREDENTIALS_MISSING"),
                problem: ("about:blank", "Unauthorized"),
            },
            Self::Invalid => Words {
                status: 400,
                openai: ("invalid_request_error", "invalid_body"),
                anthropic: "invalid_request_error",
                gemini: ("INVALID_ARGUMENT", "INVALID_BODY"),
                problem: ("about:blank", "Bad Request"),
            },
            Self::TooLarge => Words {
                status: 413,
                openai: ("invalid_request_error", "request_too_large"),
                anthropic: "request_too_large",
                gemini: ("INVALID_ARGUMENT", "REQUEST_TOO_LARGE"),
                problem: ("about:blank", "Content Too Large"),
            },
            Self::Encoded => Words {
                status: 415,
                openai: ("invalid_request_error", "unsupported_content_encoding"),
                anthropic: "invalid_request_error",
                gemini: ("INVALID_ARGUMENT", "UNSUPPORTED_CONTENT_ENCODING"),
                problem: ("about:blank", "Unsupported Media Type"),
            },
            Self::NotFound => Words {
                status: 404,
                openai: ("invalid_request_error", "unknown_url"),
                anthropic: "not_found_error",
                gemini: ("NOT_FOUND", "UNKNOWN_URL"),
                problem: ("about:blank", "Not Found"),
            },
            Self::Unavailable => Words {
                status: 503,
                openai: ("server_error", "service_unavailable"),
                anthropic: "api_error",
                gemini: ("UNAVAILABLE", "SERVICE_UNAVAILABLE"),
                problem: (
                    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
                    "Temporarily reduced capacity",
                ),
            },
            Self::Interrupted => Words {
                status: 500,
                openai: ("server_error", "response_interrupted"),
                anthropic: "api_error",
                gemini: ("INTERNAL", "RESPONSE_INTERRUPTED"),
                problem: ("about:blank", "Internal Server Error"),
            },
        }
    }
}

/// What a body tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal<'a> {
    pub(super) kind: Kind,
    pub(super) message: &'a str,
    pub(super) decision_id: &'a str,
    /// Seconds after which asking again may help.
    pub(super) wait: Option<u64>,
    /// The budget counts tokens, not requests.
    pub(super) counts_tokens: bool,
    pub(super) budget: Option<&'a str>,
    pub(super) level: Level<'a>,
}

/// What a client reads where its response ends too early.
pub(super) const INTERRUPTED: &str = "The response was interrupted and is incomplete.";

impl<'a> Refusal<'a> {
    /// What stands in the place of the rest of a response.
    pub(super) fn interrupted(decision_id: &'a str) -> Self {
        Self {
            kind: Kind::Interrupted,
            message: INTERRUPTED,
            decision_id,
            wait: None,
            counts_tokens: false,
            budget: None,
            level: Level::default(),
        }
    }
}

pub(super) const fn content_type(provider: Provider) -> &'static str {
    match provider {
        Provider::OpenAi | Provider::Anthropic | Provider::Gemini => "application/json",
        Provider::Unknown => "application/problem+json",
    }
}

/// The body of a refusal.
pub(super) fn body(provider: Provider, refusal: &Refusal<'_>) -> Value {
    match provider {
        Provider::OpenAi => json!({"error": openai(refusal)}),
        Provider::Anthropic => anthropic(refusal),
        Provider::Gemini => gemini(refusal),
        Provider::Unknown => problem(refusal),
    }
}

/// The error object of OpenAI.
pub(super) fn openai(refusal: &Refusal<'_>) -> Value {
    let (mut kind, code) = refusal.kind.words().openai;
    if refusal.kind == Kind::Throttled && refusal.counts_tokens {
        kind = "tokens";
    }
    let error = json!({"message": signed(refusal), "type": kind, "param": null, "code": code});
    with_verification(error, refusal)
}

fn anthropic(refusal: &Refusal<'_>) -> Value {
    let kind = refusal.kind.words().anthropic;
    let error = json!({"type": kind, "message": signed(refusal)});
    json!({
        "type": "error",
        "error": with_verification(error, refusal),
        "request_id": refusal.decision_id,
    })
}

fn gemini(refusal: &Refusal<'_>) -> Value {
    let words = refusal.kind.words();
    let (status, reason) = words.gemini;
    let mut metadata = verification(refusal).unwrap_or_default();
    metadata.insert("decisionId".to_string(), refusal.decision_id.into());
    let mut details = Vec::from([json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "weir",
        "metadata": metadata,
    })]);
    if let Some(seconds) = refusal.wait {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }));
    }
    json!({"error": {
        "code": words.status,
        "message": signed(refusal),
        "status": status,
        "details": details,
    }})
}

fn problem(refusal: &Refusal<'_>) -> Value {
    let words = refusal.kind.words();
    let (kind, title) = words.problem;
    let mut problem = json!({
        "type": kind,
        "title": title,
        "status": words.status,
        "detail": refusal.message,
        "decision_id": refusal.decision_id,
    });
    if let (Some(members), Some(budget)) = (problem.as_object_mut(), refusal.budget) {
        members.insert("violated-policies".to_string(), json!([budget]));
    }
    with_verification(problem, refusal)
}

/// The message and which decision it tells of: exceptions of SDKs show the one and hide the headers.
fn signed(refusal: &Refusal<'_>) -> String {
    format!("{} (decision {})", refusal.message, refusal.decision_id)
}

fn with_verification(mut error: Value, refusal: &Refusal<'_>) -> Value {
    if let (Some(members), Some(asked)) = (error.as_object_mut(), verification(refusal)) {
        members.insert("verification".to_string(), Value::Object(asked));
    }
    error
}

/// `level` and `url`, as far as there are any, where verification is what is missing.
fn verification(refusal: &Refusal<'_>) -> Option<Map<String, Value>> {
    let named = [("level", refusal.level.name), ("url", refusal.level.url)];
    (refusal.kind == Kind::Unverified).then(|| {
        named
            .into_iter()
            .filter_map(|(key, text)| Some((key.to_string(), Value::from(text?))))
            .collect()
    })
}

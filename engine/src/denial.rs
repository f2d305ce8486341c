//! What a refused caller gets: which kind of refusal it is told, in which words, and when it may come again.
//!
//! Texts say what the caller can do about it, never what gave a suspected campaign away: what the detector
//! refuses is told in the words of a list's refusal, of a spent budget or of a missing verification. So that
//! the words stay the same, none names a budget; rate limit headers and `violated-policies` do, where there is one.
mod event;
mod format;

pub use event::event;

use crate::{
    decision,
    endpoint::Provider,
    evaluate::Evaluation,
    identity::Head,
    policy::{Policy, Unit},
    rate_limit,
    time::Timestamp,
    verdict::{Action, Rule, StepUp, Verdict},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;
use format::{Kind, Refusal};

/// How long a caller waits whose limits could not be checked: the next call to shared memory may well succeed.
const FAILURE_RETRY: Duration = Duration::from_secs(1);
/// Tells SDKs, which retry some statuses on their own, that asking again is of no use.
const FINAL: (&str, &str) = ("x-should-retry", "false");

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

impl Denial {
    /// The reply for a verdict of `now` that refuses; `None` for one that lets pass.
    pub fn of(
        policy: &Policy,
        head: &Head,
        evaluation: &Evaluation,
        now: Timestamp,
    ) -> Option<Self> {
        let verdict = &evaluation.verdict;
        if verdict.action.passes() {
            return None;
        }
        let provider = head.endpoint.provider();
        let decision_id = decision::id(head);
        let wait = wait(verdict);
        let budget = match verdict.rule {
            Some(Rule::Budget(index)) => policy.budgets.get(index),
            _ => None,
        };
        let unit = budget.map_or(Unit::Requests, |budget| budget.unit);
        let level = match verdict.action {
            Action::Verify => Level::of(policy, verdict.verification),
            _ => Level::default(),
        };
        let kind = kind(verdict);
        let mut message = message(policy, verdict, kind, unit, level);
        if wait.is_none() {
            append_contacts(policy, &mut message);
        }

        let mut headers = first_headers(provider, &decision_id);
        if let Some(wait) = wait {
            headers.push(("retry-after", seconds(wait).to_string()));
        }
        match wait.filter(|wait| *wait <= policy.responses.longest_retry) {
            // The SDKs of these two read it first; others would not know it.
            Some(wait) if matches!(provider, Provider::OpenAi | Provider::Anthropic) => {
                headers.push(("retry-after-ms", millis(wait).to_string()));
            }
            Some(_) => {}
            None => headers.push((FINAL.0, FINAL.1.to_string())),
        }
        headers.extend(level.headers());
        if let (Some(_), Some(wait)) = (budget, wait) {
            let quotas = &evaluation.quotas;
            headers.extend(rate_limit::spent(policy, provider, quotas, wait, now));
        }
        let refusal = Refusal {
            kind,
            message: &message,
            decision_id: &decision_id,
            wait: wait.map(seconds),
            counts_tokens: matches!(unit, Unit::Tokens | Unit::InputTokens | Unit::OutputTokens),
            budget: budget.map(|budget| budget.name.as_str()),
            level,
        };
        Some(Self {
            status: kind.status(),
            headers,
            body: format::body(provider, &refusal).to_string(),
        })
    }
}

impl Denial {
    /// The reply in the place of a response that was to be stripped and cannot be read. Final: the upstream would
    /// answer in the same way again.
    pub(crate) fn interrupted(policy: &Policy, head: &Head) -> Self {
        let provider = head.endpoint.provider();
        let decision_id = decision::id(head);
        let mut message = format::INTERRUPTED.to_string();
        append_contacts(policy, &mut message);
        let refusal = Refusal {
            message: &message,
            ..Refusal::interrupted(&decision_id)
        };
        let mut headers = first_headers(provider, &decision_id);
        headers.push((FINAL.0, FINAL.1.to_string()));
        Self {
            status: refusal.kind.status(),
            headers,
            body: format::body(provider, &refusal).to_string(),
        }
    }
}

/// What every reply begins with: the form of its body, and its decision where SDKs look for it.
fn first_headers(provider: Provider, decision_id: &str) -> Vec<(&'static str, String)> {
    let mut headers = Vec::from([
        ("content-type", format::content_type(provider).to_string()),
        ("x-weir-decision-id", decision_id.to_string()),
    ]);
    if provider == Provider::Anthropic {
        headers.push(("request-id", decision_id.to_string()));
    }
    headers
}

/// What tells a client that passes for now that its account has to be better verified, by when and where.
pub(crate) fn step_up_headers(policy: &Policy, step_up: StepUp) -> Vec<(&'static str, String)> {
    let level = Level::of(policy, Some(step_up));
    // An item of RFC 8941: a token and its parameters.
    let mut warning = String::from("required");
    if let Some(name) = level.name {
        warning.push_str(&format!("; level=\"{}\"", visible(name)));
    }
    if let Some(deadline) = step_up.deadline {
        let by = whole_second(deadline);
        warning.push_str(&format!("; by=\"{by}\""));
    }
    if let Some(url) = level.url {
        warning.push_str(&format!("; url=\"{}\"", visible(url)));
    }
    let mut headers = Vec::from([("x-weir-verification", warning)]);
    headers.extend(level.headers());
    headers
}

/// The verification that a caller is asked for, as far as the policy tells.
#[derive(Clone, Copy, Debug, Default)]
struct Level<'p> {
    name: Option<&'p str>,
    url: Option<&'p str>,
}

impl<'p> Level<'p> {
    fn of(policy: &'p Policy, step_up: Option<StepUp>) -> Self {
        let verification = &policy.verification;
        let name = step_up.and_then(|step_up| verification.levels.get(step_up.level));
        Self {
            name: name.map(String::as_str),
            url: verification.url.as_deref(),
        }
    }

    fn headers(self) -> impl Iterator<Item = (&'static str, String)> {
        let named = [
            ("x-weir-verification-level", self.name),
            ("x-weir-verification-url", self.url),
        ];
        named
            .into_iter()
            .filter_map(|(header, text)| Some((header, visible(text?))))
    }
}

/// `text` as it may stand in a header and between quotes: what is not visible ASCII, and what would end the
/// quotes, is percent-encoded, as in a URL.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' {
            visible.push(char::from(byte));
        } else {
            visible.push_str(&format!("%{byte:02X}"));
        }
    }
    visible
}

fn kind(verdict: &Verdict) -> Kind {
    match (verdict.rule, verdict.action) {
        (Some(Rule::Anonymous), _) => Kind::Unauthenticated,
        (Some(Rule::Oversized), _) => Kind::TooLarge,
        (Some(Rule::Compressed), _) => Kind::Encoded,
        (Some(Rule::Malformed), _) => Kind::Invalid,
        (Some(Rule::UnknownEndpoint), _) => Kind::NotFound,
        (Some(Rule::StateFailure), _) => Kind::Unavailable,
        (_, Action::Throttle) => Kind::Throttled,
        (_, Action::Verify) => Kind::Unverified,
        _ => Kind::Forbidden,
    }
}

/// How long the caller waits; `None` where waiting does not help.
fn wait(verdict: &Verdict) -> Option<Duration> {
    let failed = verdict.rule == Some(Rule::StateFailure);
    (failed || verdict.action == Action::Throttle)
        .then(|| verdict.retry_after.unwrap_or(FAILURE_RETRY))
}

fn message(policy: &Policy, verdict: &Verdict, kind: Kind, unit: Unit, level: Level<'_>) -> String {
    match kind {
        Kind::Throttled => throttled(unit, verdict.retry_after.unwrap_or(FAILURE_RETRY)),
        Kind::Unverified => unverified(level),
        Kind::Forbidden if matches!(verdict.rule, Some(Rule::Tier(_))) => {
            ungranted(policy, verdict)
        }
        Kind::Forbidden => "This account may not use this API.".to_string(),
        Kind::Unauthenticated => "No account could be identified. Send your API key.".to_string(),
        Kind::Invalid => "The request body is not valid JSON for this endpoint.".to_string(),
        Kind::TooLarge => {
            let most = policy.max_body();
            format!("The request body is larger than {most} bytes.")
        }
        Kind::Encoded => "Send the request body without content-encoding.".to_string(),
        Kind::NotFound => "This endpoint is not served here.".to_string(),
        Kind::Unavailable => "Limits cannot be checked at the moment. Try again soon.".to_string(),
        Kind::Interrupted => format::INTERRUPTED.to_string(),
    }
}

fn throttled(unit: Unit, wait: Duration) -> String {
    let what = match unit {
        Unit::Requests => "requests",
        Unit::InputTokens => "input tokens",
        Unit::OutputTokens => "output tokens",
        Unit::Tokens => "tokens",
        Unit::Concurrency => "concurrent requests",
    };
    let seconds = seconds(wait);
    format!("Rate limit reached for {what}. Try again in {seconds} s.")
}

fn unverified(level: Level<'_>) -> String {
    let mut text = match level.name {
        Some(name) => format!("This account has to be verified at level \"{name}\" first"),
        None => "This account has to be verified first".to_string(),
    };
    match level.url {
        Some(url) => text.push_str(&format!(": {url}")),
        None => text.push('.'),
    }
    text
}

fn ungranted(policy: &Policy, verdict: &Verdict) -> String {
    let names: Vec<&str> = verdict
        .reasons
        .iter()
        .filter_map(|reason| reason.capability())
        .filter_map(|index| policy.capabilities.names().get(index))
        .map(String::as_str)
        .collect();
    let names = names.join(", ");
    format!("This account's tier does not include: {names}.")
}

fn append_contacts(policy: &Policy, message: &mut String) {
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

/// Whole seconds to wait, rounded up so that a caller who waits them is let in; at least 1.
fn seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).max(1)
}

/// The same in milliseconds; SDKs take 0 for none.
fn millis(wait: Duration) -> u64 {
    let millis = wait.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX).max(1)
}

/// `2026-11-28T00:00:00Z`: the second that `at` lies in, as headers tell points in time.
pub(crate) fn whole_second(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((second, _)) => format!("{second}Z"),
        None => text,
    }
}

#[cfg(test)]
mod tests;

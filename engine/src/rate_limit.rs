//! Headers that tell a client what is left of its budgets, in the families that clients read.
//!
//! A budget's window slides, so room comes back piece by piece and there is no moment at which it is reset.
//! What is told as reset is when the last charge of the window will have left it: a window's length from now.
//! That is never too early; waiting for less may be enough. A spent budget tells when the refused request
//! would fit, as its `retry-after` does.
//!
//! Families with one place for several budgets tell of the one that has least left. Nothing that the upstream
//! says itself is made more generous: where both say something, the smaller number and the later reset stay.
mod upstream;

use crate::{
    charging::Quota,
    denial::whole_second,
    endpoint::Provider,
    policy::{Budget, HeaderFamily, Policy, Unit},
    time::Timestamp,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;
use upstream::Upstream;

/// Names and values.
type Headers = Vec<(&'static str, String)>;

/// The headers of the families that the policy selects, for quotas measured at `now`; only those that change
/// what `upstream` says.
pub(crate) fn headers<'h>(
    policy: &Policy,
    provider: Provider,
    quotas: &[Quota],
    now: Timestamp,
    upstream: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> Headers {
    let told = quotas
        .iter()
        .filter_map(|quota| Told::of(policy, quota, None));
    written(policy, provider, &told.collect::<Vec<_>>(), now, upstream)
}

/// The same for a request that a budget refuses: `quotas` names it, and it fits after `wait`.
pub(crate) fn spent(
    policy: &Policy,
    provider: Provider,
    quotas: &[Quota],
    wait: Duration,
    now: Timestamp,
) -> Headers {
    let told = quotas
        .iter()
        .filter_map(|quota| Told::of(policy, quota, Some(wait)));
    let nothing = core::iter::empty();
    written(policy, provider, &told.collect::<Vec<_>>(), now, nothing)
}

/// What is told of one budget.
#[derive(Clone, Copy)]
struct Told<'p> {
    budget: &'p Budget,
    remaining: u32,
    /// `None` where nobody knows: requests that are being answered.
    reset: Option<Duration>,
}

impl<'p> Told<'p> {
    fn of(policy: &'p Policy, quota: &Quota, wait: Option<Duration>) -> Option<Self> {
        let budget = policy.budgets.get(quota.budget)?;
        let window = (budget.unit != Unit::Concurrency).then_some(budget.window);
        Some(Self {
            budget,
            remaining: quota.remaining,
            reset: wait.or(window),
        })
    }
}

fn written<'h>(
    policy: &Policy,
    provider: Provider,
    told: &[Told<'_>],
    now: Timestamp,
    upstream: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> Headers {
    let mut families: Vec<HeaderFamily> = Vec::new();
    let mut headers = Headers::new();
    for family in &policy.responses.headers {
        let family = match (family, provider) {
            (HeaderFamily::Provider, Provider::OpenAi) => HeaderFamily::Openai,
            (HeaderFamily::Provider, Provider::Anthropic) => HeaderFamily::Anthropic,
            (HeaderFamily::Provider, _) => HeaderFamily::Ietf,
            (family, _) => *family,
        };
        if families.contains(&family) {
            continue;
        }
        families.push(family);
        let upstream = Upstream::new(upstream.clone());
        match family {
            HeaderFamily::Openai => openai(told, &upstream, &mut headers),
            HeaderFamily::Anthropic => anthropic(told, now, &upstream, &mut headers),
            HeaderFamily::Envoy => envoy(told, &upstream, &mut headers),
            HeaderFamily::Ietf | HeaderFamily::Provider => ietf(told, &upstream, &mut headers),
        }
    }
    headers
}

/// The budget of one of `units` that has least left, of those the one that takes longest.
fn tightest<'a, 'p>(told: &'a [Told<'p>], units: &[Unit]) -> Option<&'a Told<'p>> {
    told.iter()
        .filter(|told| units.contains(&told.budget.unit))
        .min_by_key(|told| (told.remaining, core::cmp::Reverse(told.reset)))
}

/// Of any unit that counts tokens: that many may be used before one of them refuses.
const TOKENS: &[Unit] = &[Unit::Tokens, Unit::InputTokens, Unit::OutputTokens];

/// `x-ratelimit-limit-requests` and so on; resets as `6m0s`.
fn openai<'h>(
    told: &[Told<'_>],
    upstream: &Upstream<impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone>,
    headers: &mut Headers,
) {
    let slots: [(&[Unit], [&'static str; 3]); 2] = [
        (
            &[Unit::Requests],
            [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ],
        ),
        (
            TOKENS,
            [
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
            ],
        ),
    ];
    for (units, [limit, remaining, reset]) in slots {
        if let Some(told) = tightest(told, units) {
            headers.extend(upstream.at_most(limit, told.budget.limit));
            headers.extend(upstream.at_most(remaining, told.remaining));
            let wait = told.reset.unwrap_or_default();
            headers.extend(upstream.not_before(reset, wait, clock));
        }
    }
}

/// `anthropic-ratelimit-requests-limit` and so on; resets are points in time.
fn anthropic<'h>(
    told: &[Told<'_>],
    now: Timestamp,
    upstream: &Upstream<impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone>,
    headers: &mut Headers,
) {
    let slots: [(&[Unit], [&'static str; 3]); 4] = [
        (
            &[Unit::Requests],
            [
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
            ],
        ),
        (
            TOKENS,
            [
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
            ],
        ),
        (
            &[Unit::InputTokens],
            [
                "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining",
                "anthropic-ratelimit-input-tokens-reset",
            ],
        ),
        (
            &[Unit::OutputTokens],
            [
                "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining",
                "anthropic-ratelimit-output-tokens-reset",
            ],
        ),
    ];
    for (units, [limit, remaining, reset]) in slots {
        if let Some(told) = tightest(told, units) {
            headers.extend(upstream.at_most(limit, told.budget.limit));
            headers.extend(upstream.at_most(remaining, told.remaining));
            // Rounded up to a second, as the rest of the second is cut off.
            let wait = told.reset.unwrap_or_default();
            let at = now
                .saturating_add(wait)
                .saturating_add(Duration::from_nanos(999_999_999));
            headers.extend(upstream.not_before_time(reset, whole_second(at), at));
        }
    }
}

/// The three headers of Envoy's own filter (draft-polli-ratelimit-headers-03), which counts requests: the
/// tightest limit, and behind it every policy with its window.
fn envoy<'h>(
    told: &[Told<'_>],
    upstream: &Upstream<impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone>,
    headers: &mut Headers,
) {
    let units = [Unit::Requests];
    let Some(tightest) = tightest(told, &units) else {
        return;
    };
    let mut policies = String::new();
    for told in told.iter().filter(|told| units.contains(&told.budget.unit)) {
        let Budget {
            limit,
            window,
            name,
            ..
        } = told.budget;
        let window = whole_seconds(*window);
        policies.push_str(&format!(", {limit};w={window};name=\"{name}\""));
    }
    headers.extend(upstream.at_most_with("x-ratelimit-limit", tightest.budget.limit, &policies));
    headers.extend(upstream.at_most("x-ratelimit-remaining", tightest.remaining));
    let wait = tightest.reset.unwrap_or_default();
    let seconds = |wait| whole_seconds(wait).to_string();
    headers.extend(upstream.not_before("x-ratelimit-reset", wait, seconds));
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11): every budget, behind what
/// the upstream lists itself.
fn ietf<'h>(
    told: &[Told<'_>],
    upstream: &Upstream<impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone>,
    headers: &mut Headers,
) {
    let policies = told.iter().map(|told| {
        let Budget {
            name,
            limit,
            window,
            ..
        } = told.budget;
        let item = match told.budget.unit {
            // The window of a lease tells clients nothing.
            Unit::Concurrency => format!("\"{name}\";q={limit};qu=\"concurrent-requests\""),
            unit => {
                let (window, unit) = (whole_seconds(*window), quota_unit(unit));
                format!("\"{name}\";q={limit};w={window};qu=\"{unit}\"")
            }
        };
        (name.as_str(), item)
    });
    headers.extend(upstream.list_with("ratelimit-policy", policies));
    let limits = told.iter().map(|told| {
        let (name, remaining) = (&told.budget.name, told.remaining);
        let item = match told.reset {
            Some(reset) => format!("\"{name}\";r={remaining};t={}", whole_seconds(reset)),
            None => format!("\"{name}\";r={remaining}"),
        };
        (name.as_str(), item)
    });
    headers.extend(upstream.list_with("ratelimit", limits));
}

/// `requests` and `concurrent-requests` are the draft's; units of tokens are not registered.
const fn quota_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Requests => "requests",
        Unit::InputTokens => "input-tokens",
        Unit::OutputTokens => "output-tokens",
        Unit::Tokens => "tokens",
        Unit::Concurrency => "concurrent-requests",
    }
}

/// Rounded up, so that whoever waits so long has waited enough.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// `1s`, `6m0s`, `24h0m0s`; rounded up.
fn clock(wait: Duration) -> String {
    let seconds = whole_seconds(wait);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests;

//! The `responses` section but for `states`: what callers are told, and how long they wait.
use super::{
    defaults,
    diagnostic::{Code, Diagnostics},
    document::{self, HeaderFamily, WhenFull},
    validate::{duration, short_text},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{ops::RangeInclusive, time::Duration};

/// How long a delayed request waits: long enough to be felt, short of the time-outs of proxies and clients.
const DELAY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);
/// Requests that wait at once in one worker: each holds a stream and its body.
const MAX_WAITING: RangeInclusive<u32> = 1..=10_000;
/// Waits that SDKs are left to sit out; nobody keeps a call open for an hour.
const LONGEST_RETRY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

/// The section, compiled.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    pub(crate) terms_of_use: Option<String>,
    pub(crate) contact: Option<String>,
    /// Each at most once.
    pub(crate) headers: Vec<HeaderFamily>,
    /// Longest wait after which SDKs may ask again on their own.
    pub(crate) longest_retry: Duration,
    /// How long a delayed request waits.
    pub(crate) delay: Duration,
    /// Requests that may wait at once in one worker.
    pub(crate) max_waiting: usize,
    /// One more passes at once.
    pub(crate) pass_when_full: bool,
}

/// Checks the section.
pub(super) fn compile(given: document::Responses, d: &mut Diagnostics) -> Responses {
    for (text, path) in [
        (&given.terms_of_use, "responses.termsOfUse"),
        (&given.contact, "responses.contact"),
    ] {
        if let Some(text) = text {
            short_text(text, path, d);
        }
    }
    let headers = given.headers.unwrap_or_default();
    families(&headers, d);
    let longest_retry = given.longest_retry.as_deref();
    let longest_retry = longest_retry.unwrap_or(defaults::LONGEST_RETRY);
    let longest_retry = wait(
        longest_retry,
        "responses.longestRetry",
        LONGEST_RETRY,
        "0s to 1h",
        d,
    );
    let delay = given.delay.unwrap_or_default();
    let waits = delay.wait.as_deref().unwrap_or(defaults::DELAY);
    let waits = wait(waits, "responses.delay.for", DELAY, "100ms to 30s", d);
    let max_waiting = delay.max_waiting.unwrap_or(defaults::MAX_WAITING);
    if !MAX_WAITING.contains(&max_waiting) {
        d.error(
            Code::OutOfRange,
            "responses.delay.maxWaiting",
            format!("{max_waiting} is out of range"),
            "write 1 to 10000",
        );
    }
    Responses {
        terms_of_use: given.terms_of_use,
        contact: given.contact,
        headers,
        longest_retry,
        delay: waits,
        max_waiting: usize::try_from(max_waiting).unwrap_or(usize::MAX),
        pass_when_full: delay.when_full.unwrap_or(defaults::WHEN_FULL) == WhenFull::Allow,
    }
}

fn families(given: &[HeaderFamily], d: &mut Diagnostics) {
    for (index, family) in given.iter().enumerate() {
        let before = given.iter().take(index);
        if before.into_iter().any(|other| other == family) {
            d.error(
                Code::RepeatedFamily,
                format!("responses.headers[{index}]"),
                "the family stands above already",
                "name each once; `provider` stands for the family of the provider that is asked",
            );
        }
    }
}

/// The length that `text` says; zero where it cannot be used, as the document is refused then.
fn wait(
    text: &str,
    path: &str,
    range: RangeInclusive<Duration>,
    choice: &str,
    d: &mut Diagnostics,
) -> Duration {
    let read = duration(text, path, d);
    let used = read.filter(|length| range.contains(length));
    if read != used {
        let message = "the wait is too short or too long".to_string();
        d.error(Code::OutOfRange, path, message, format!("write {choice}"));
    }
    used.unwrap_or_default()
}

#[cfg(test)]
mod tests;

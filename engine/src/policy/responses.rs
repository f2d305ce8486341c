//! The `responses` section but for `states`: what callers are told, and how long they wait.
use super::{
    diagnostic::Diagnostics,
    document::{self, HeaderFamily, WhenFull},
    validate::short_text,
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// The section, compiled.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    pub(crate) terms_of_use: Option<String>,
    pub(crate) contact: Option<String>,
    pub(crate) headers: Vec<HeaderFamily>,
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
    let delay = given.delay.unwrap_or_default();
    Responses {
        terms_of_use: given.terms_of_use,
        contact: given.contact,
        headers: given.headers.unwrap_or_default(),
        delay: Duration::from_secs(2),
        max_waiting: delay
            .max_waiting
            .and_then(|most| usize::try_from(most).ok())
            .unwrap_or(64),
        pass_when_full: delay.when_full == Some(WhenFull::Allow),
    }
}

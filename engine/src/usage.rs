//! Tokens that a response says it used, read while it streams by.
use crate::endpoint::Endpoint;

/// Token counts of one response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens, cached ones included.
    pub input: u32,
    /// Completion tokens, reasoning included.
    pub output: u32,
}

/// What is known of a response's usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The response told it.
    Known(Tokens),
    /// The response ended and told nothing.
    Absent,
    /// The response did not end, or could not be read (compressed, too large an event).
    Unknown,
}

/// Reads usage out of JSON or SSE, split anywhere, in bounded memory.
#[derive(Debug)]
pub struct UsageMeter {}

impl UsageMeter {
    /// A meter for responses of `endpoint`.
    pub fn new(_endpoint: Endpoint) -> Self {
        Self {}
    }
    /// The next bytes of the response body.
    pub fn feed(&mut self, _chunk: &[u8]) {}
    /// Whether more bytes could still change the result.
    pub fn wants_more(&self) -> bool {
        true
    }
    /// What is known; `ended` says whether the body ended in order.
    pub fn usage(&self, _ended: bool) -> Usage {
        Usage::Unknown
    }
}

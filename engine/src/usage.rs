//! Tokens that a response says it used, read while it streams by.
//!
//! A number is given only where the response told all of it. What broke off or was compressed gives
//! [`Usage::Unknown`], which is not zero: whoever charges decides by how the response ended
//! (`charging::Ending`). An event of any size is read, in bounded memory; only a `usage` of more than
//! 4 KiB is not.
mod counts;
mod elements;
mod events;
mod scan;
mod tally;

use crate::endpoint::{Endpoint, Provider};
use alloc::boxed::Box;
use core::fmt;
use events::EventBody;
use scan::Scan;

/// Token counts of one response. Counting tokens costs none; embeddings have no output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens, cached ones and those of tools that the server called included. Saturating.
    pub input: u32,
    /// Completion tokens, reasoning included. Saturating.
    pub output: u32,
    /// Of the completion tokens, those of reasoning; 0 where the response does not tell them apart.
    pub reasoning: u32,
    /// Of the prompt tokens, those read from a cache; 0 where the response does not tell them apart.
    pub cached: u32,
}

/// What is known of a response's usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The response told it.
    Known(Tokens),
    /// The response ended, or failed, and told nothing.
    Absent,
    /// The response did not end, or could not be read (compressed, usage that makes no sense).
    Unknown,
}

/// Reads usage out of JSON or SSE, split anywhere, in bounded memory.
///
/// The kind of body is told by its first bytes, not by a header. A JSON array is a stream of Gemini's.
/// Anything but JSON and SSE, and responses of [`Endpoint::Unknown`], give [`Usage::Unknown`]. `Debug` shows no content.
pub struct UsageMeter {
    endpoint: Endpoint,
    body: Body,
}

enum Body {
    /// Nothing but so many bytes of a byte order mark, or white space.
    Unseen(usize),
    Json(Scan),
    /// Boxed: its searchers take a kilobyte, which no other body needs.
    Events(Box<EventBody>),
    Unreadable,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl UsageMeter {
    /// A meter for responses of `endpoint`.
    pub fn new(endpoint: Endpoint) -> Self {
        let body = match endpoint {
            Endpoint::Unknown => Body::Unreadable,
            _ => Body::Unseen(0),
        };
        Self { endpoint, body }
    }

    /// The next bytes of the response body. Linear in `chunk`.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let (Body::Unseen(marks), Some((&byte, after))) = (&mut self.body, rest.split_first())
        {
            match byte {
                _ if BYTE_ORDER_MARK.get(*marks) == Some(&byte) => *marks = marks.saturating_add(1),
                b' ' | b'\n' | b'\r' | b'\t' => *marks = BYTE_ORDER_MARK.len(),
                b'{' => self.body = Body::Json(Scan::of_body(self.endpoint)),
                b'[' if self.endpoint.provider() == Provider::Gemini => {
                    self.body = Body::Events(Box::new(EventBody::of_array(self.endpoint)))
                }
                // The fields of an event, `data`, `event`, `id` and `retry`, or a comment.
                b'd' | b'e' | b'i' | b'r' | b':' => {
                    self.body = Body::Events(Box::new(EventBody::new(self.endpoint)))
                }
                _ => self.body = Body::Unreadable,
            }
            if matches!(self.body, Body::Unseen(_)) {
                rest = after;
            }
        }
        match &mut self.body {
            Body::Json(body) => body.feed(rest),
            Body::Events(body) => body.feed(rest),
            Body::Unseen(_) | Body::Unreadable => {}
        }
    }

    /// What is known; `ended` says whether the body ended in order.
    ///
    /// A response that was broken off counts as told once its final usage came: the object of a JSON
    /// body, the chunk without choices or `[DONE]` of OpenAI, `response.completed` and its like, the
    /// `message_delta` of Anthropic, the chunk of Gemini that finishes every candidate. Until then it is [`Usage::Unknown`], even where a part such as Anthropic's input tokens was told.
    pub fn usage(&self, ended: bool) -> Usage {
        match &self.body {
            Body::Json(body) => body.usage(),
            Body::Events(body) => body.usage(ended),
            Body::Unseen(_) if ended => Usage::Absent,
            Body::Unseen(_) | Body::Unreadable => Usage::Unknown,
        }
    }

    /// Whether further bytes can tell anything; false once the body turned out to be unreadable.
    pub fn wants_more(&self) -> bool {
        !matches!(self.body, Body::Unreadable)
    }

    /// Bytes of the response that are held, at most 64 KiB.
    pub fn buffered(&self) -> usize {
        match &self.body {
            Body::Json(body) => body.buffered(),
            Body::Events(body) => body.buffered(),
            Body::Unseen(_) | Body::Unreadable => 0,
        }
    }
}

impl fmt::Debug for UsageMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = match self.body {
            Body::Unseen(_) => "unseen",
            Body::Json(_) => "json",
            Body::Events(_) => "events",
            Body::Unreadable => "unreadable",
        };
        f.debug_struct("UsageMeter")
            .field("endpoint", &self.endpoint)
            .field("body", &body)
            .field("buffered", &self.buffered())
            .finish()
    }
}

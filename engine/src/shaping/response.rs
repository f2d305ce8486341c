//! Stripping a response as it streams by.
//!
//! Text and token probabilities are blanked where they stand: nothing is added, no event is dropped, and
//! ids, signatures and encrypted reasoning stay, because a client may have to send them back. Every
//! other byte passes as it came.
use super::Strip;
use super::document::Document;
use super::events::Events;
use super::held::Held;
use super::place::Place;
use crate::endpoint::Endpoint;
use alloc::vec::Vec;
use core::fmt;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Strips one response, JSON or server-sent events, split anywhere.
///
/// The kind of body is told by its first bytes, as [`crate::usage::UsageMeter`] does. Bytes go on with
/// the chunk that they came in, but for those whose fate a later member of the same object decides
/// (whether a part of Gemini is a thought), which wait for it: at most 64 KiB. Linear in the response;
/// allocates for what waits and for keys that are split or escaped. `Debug` shows no content.
pub struct ResponseShaper {
    body: Body,
    held: Held,
    /// The body is none that could be read.
    unreadable: bool,
}

enum Body {
    /// Nothing but so many bytes of a byte order mark, or white space.
    Unseen(usize, Place, Strip),
    Json(Document),
    Events(Events),
    /// Nothing is taken out.
    Plain,
}

impl ResponseShaper {
    /// A shaper for responses of `endpoint`.
    pub fn new(endpoint: Endpoint, strip: Strip) -> Self {
        let root = Place::root(endpoint, strip);
        Self {
            body: root.map_or(Body::Plain, |root| Body::Unseen(0, root, strip)),
            held: Held::default(),
            unreadable: false,
        }
    }

    /// What of the response may go on now, appended to `out`; `end` says that nothing follows `chunk`.
    pub fn feed(&mut self, chunk: &[u8], end: bool, out: &mut Vec<u8>) {
        let mut rest = chunk;
        while let (&mut Body::Unseen(marks, root, strip), Some((&byte, after))) =
            (&mut self.body, rest.split_first())
        {
            let document = Document::new(root, strip);
            self.body = match byte {
                _ if BYTE_ORDER_MARK.get(marks) == Some(&byte) => {
                    Body::Unseen(marks.saturating_add(1), root, strip)
                }
                b' ' | b'\n' | b'\r' | b'\t' => Body::Unseen(BYTE_ORDER_MARK.len(), root, strip),
                b'{' | b'[' => Body::Json(document),
                // The fields of an event, `data`, `event`, `id` and `retry`, or a comment.
                b'd' | b'e' | b'i' | b'r' | b':' => Body::Events(Events::new(document)),
                _ => {
                    self.unreadable = true;
                    Body::Plain
                }
            };
            if matches!(self.body, Body::Unseen(..)) {
                out.push(byte);
                rest = after;
            }
        }
        match &mut self.body {
            Body::Json(document) => {
                document.feed(rest, &mut self.held, out);
                if end {
                    document.end(&mut self.held, out);
                }
            }
            Body::Events(events) => {
                events.feed(rest, &mut self.held, out);
                if end {
                    events.end(&mut self.held, out);
                }
            }
            Body::Unseen(..) | Body::Plain => out.extend_from_slice(rest),
        }
    }

    /// Whether anything was taken out so far.
    pub const fn changed(&self) -> bool {
        self.held.changed()
    }

    /// Whether anything went on that may hold what should have been taken out: a body that is neither JSON
    /// nor events (compressed, say), a document or event that breaks off or is no JSON after all, or one
    /// where more than 64 KiB came before the member that decides.
    pub const fn lost(&self) -> bool {
        let lost = match &self.body {
            Body::Json(document) => document.lost(),
            Body::Events(events) => events.lost(),
            Body::Unseen(..) | Body::Plain => self.unreadable,
        };
        lost || self.held.missed()
    }

    /// Whether the response turned out to be server-sent events.
    pub const fn is_events(&self) -> bool {
        matches!(self.body, Body::Events(_))
    }

    /// Bytes that are held back, at most 64 KiB.
    pub fn buffered(&self) -> usize {
        self.held.len()
    }
}

impl fmt::Debug for ResponseShaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = match self.body {
            Body::Unseen(..) => "unseen",
            Body::Json(_) => "json",
            Body::Events(_) => "events",
            Body::Plain => "plain",
        };
        f.debug_struct("ResponseShaper")
            .field("body", &body)
            .field("buffered", &self.buffered())
            .field("changed", &self.changed())
            .field("lost", &self.lost())
            .finish()
    }
}

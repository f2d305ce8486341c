//! Prompt text as it stands in a body, and who takes it.
use crate::json;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, str};

/// Who speaks a piece of prompt text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// System or developer prompt.
    System,
    /// The user.
    User,
    /// The model, replayed as history.
    Assistant,
    /// A tool's result.
    Tool,
}

/// A JSON string as it stands in the body, quotes excluded, escapes not yet resolved.
///
/// Its escapes are whole and valid. `Debug` shows its length only: text must not reach a log.
#[derive(Clone, Copy)]
pub struct RawText<'a> {
    /// The bytes between the quotes; valid UTF-8.
    pub raw: &'a str,
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

impl RawText<'_> {
    /// Appends what the string says to `out`: at most `max` bytes of UTF-8, never a part of a character.
    ///
    /// A lone surrogate becomes U+FFFD. Linear in `max`, however long the text is.
    pub fn unescape_into(&self, out: &mut Vec<u8>, max: usize) {
        json::unescape_into(self.raw.as_bytes(), out, max);
    }
}

impl fmt::Debug for RawText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawText")
            .field("bytes", &self.raw.len())
            .field("escaped", &self.escaped)
            .finish()
    }
}

/// Takes the prompt text of a request, piece by piece, in body order.
pub trait TextSink {
    /// One string of prompt text, not empty, or one stretch of it where bytes that are not UTF-8 split it.
    fn text(&mut self, role: Role, text: RawText<'_>);
}

/// Hands `raw` out, whole or in stretches of valid UTF-8, and gives the bytes handed out.
///
/// No stretch splits an escape, which is all ASCII.
pub(super) fn hand_out(raw: &[u8], role: Role, sink: &mut dyn TextSink) -> usize {
    let mut bytes: usize = 0;
    let mut stretch = |raw: &str| {
        if !raw.is_empty() {
            let escaped = memchr::memchr(b'\\', raw.as_bytes()).is_some();
            sink.text(role, RawText { raw, escaped });
            bytes = bytes.saturating_add(raw.len());
        }
    };
    match str::from_utf8(raw) {
        Ok(text) => stretch(text),
        // Ten times slower, so only where it is needed.
        Err(_) => raw.utf8_chunks().for_each(|chunk| stretch(chunk.valid())),
    }
    bytes
}

/// What `raw` says, with U+FFFD for what is not UTF-8; borrowed where nothing had to be replaced.
pub(super) fn unescaped(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    json::unescape_into(raw, &mut bytes, raw.len());
    String::from_utf8(bytes).map_or_else(
        |error| Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Cow::Owned,
    )
}

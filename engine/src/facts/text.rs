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

    /// The end of the string: at least the last `bytes` of what it says, or all. Linear in `bytes`, and in
    /// the backslashes in a row where it begins.
    ///
    /// What it says before those last bytes may be garbled: the cut may go through an escape.
    #[must_use]
    pub fn end(&self, bytes: usize) -> Self {
        // At most six bytes of an escape for one of the text, and two escapes for a surrogate pair.
        let longest = if self.escaped {
            bytes.saturating_mul(6).saturating_add(12)
        } else {
            bytes
        };
        let mut start = self.raw.len().saturating_sub(longest);
        let before = self.raw.as_bytes().get(..start).unwrap_or_default();
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\');
        if self.escaped && backslashes.count() % 2 == 1 {
            // What follows a lone backslash is no escape of its own.
            start = start.saturating_add(1);
        }
        let start = (0..=start).rev().find(|&at| self.raw.is_char_boundary(at));
        Self {
            raw: self.raw.get(start.unwrap_or(0)..).unwrap_or_default(),
            escaped: self.escaped,
        }
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

    /// A message begins: text from here on is its own. Also called before a system prompt that stands
    /// beside the messages.
    fn message(&mut self) {}

    /// The name of a tool that is offered.
    fn tool(&mut self, name: RawText<'_>) {
        let _ = name;
    }
}

/// Both take the text, one after the other.
impl<A: TextSink + ?Sized, B: TextSink + ?Sized> TextSink for (&mut A, &mut B) {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        self.0.text(role, text);
        self.1.text(role, text);
    }

    fn message(&mut self) {
        self.0.message();
        self.1.message();
    }

    fn tool(&mut self, name: RawText<'_>) {
        self.0.tool(name);
        self.1.tool(name);
    }
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

/// Hands out the name of a tool; one that is no text or empty is none.
pub(super) fn hand_out_name(raw: &[u8], sink: &mut dyn TextSink) {
    match str::from_utf8(raw) {
        Ok(raw) if !raw.is_empty() => {
            let escaped = memchr::memchr(b'\\', raw.as_bytes()).is_some();
            sink.tool(RawText { raw, escaped });
        }
        _ => {}
    }
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

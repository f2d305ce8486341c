//! Usage of one JSON object of any size: a whole body, or an event too large to keep.
//!
//! Follows strings and brackets only, so that nothing has to be kept but the key at hand and the value
//! of `usage` itself. Whether the rest is sound JSON is the client's business.
use super::Usage;
use super::counts::{Counts, Told, usage_key};
use crate::endpoint::Endpoint;
use crate::json::{self, Reader};
use alloc::vec::Vec;

/// Bytes that the value of `usage` may have.
const MAX_VALUE: usize = 4 * 1024;
/// The longest key looked for, `usageMetadata`, with every letter written as `\uXXXX`, and the closing quote.
const MAX_KEY: usize = 13 * 6 + 1;

/// A JSON object on its way.
#[derive(Clone)]
pub(super) struct Scan {
    endpoint: Endpoint,
    /// The key of an object whose members are looked at as well: `response` or `message` of an event.
    inner: Option<&'static [u8]>,
    /// What was told before this object.
    before: Counts,
    depth: u32,
    /// The depth whose members are looked at: 1, or 2 inside of `inner`.
    members: u32,
    in_string: bool,
    /// The byte before was a backslash inside of a string.
    escaped: bool,
    /// What the looked-at level holds at this place.
    place: Place,
    /// The key or the value at hand.
    kept: Vec<u8>,
    told: Option<Counts>,
    told_inside: bool,
    failed: bool,
    lost: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the object.
    Start,
    /// A key, kept as far as it could be one that matters.
    Key,
    /// The value of `usage`, kept.
    Usage,
    /// Before the value of `error`.
    Error,
    /// Before the value of `inner`.
    Inner,
    /// Any other value, or one too large to keep.
    Other,
    /// After the object.
    End,
    /// In something that is no object.
    Elsewhere,
}

/// What an event too large to keep told.
pub(super) struct Found {
    /// Counts, those of earlier events included, if the event had any.
    pub(super) counts: Option<Counts>,
    /// They stood inside of `response` or `message`.
    pub(super) inside: bool,
    /// The event has an error.
    pub(super) failed: bool,
    /// The event ended early, or its usage could not be read.
    pub(super) lost: bool,
}

impl Scan {
    /// A scan of a whole body.
    pub(super) const fn of_body(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            inner: None,
            before: Counts::NONE,
            depth: 0,
            members: 1,
            in_string: false,
            escaped: false,
            place: Place::Start,
            kept: Vec::new(),
            told: None,
            told_inside: false,
            failed: false,
            lost: false,
        }
    }

    /// A scan of an event, after earlier ones told `before`.
    pub(super) fn of_event(endpoint: Endpoint, before: Counts) -> Self {
        let inner: Option<&[u8]> = match endpoint {
            Endpoint::OpenAiResponses => Some(b"response"),
            Endpoint::AnthropicMessages => Some(b"message"),
            _ => None,
        };
        Self {
            inner,
            before,
            ..Self::of_body(endpoint)
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.kept.capacity()
    }

    /// Usage of the body.
    pub(super) fn usage(&self) -> Usage {
        match self.told.and_then(|counts| counts.tokens(self.endpoint)) {
            _ if self.lost => Usage::Unknown,
            Some(tokens) => Usage::Known(tokens),
            None if self.place == Place::End && self.told.is_none() => Usage::Absent,
            None => Usage::Unknown,
        }
    }

    /// What the event told; `None` where it was no object.
    pub(super) fn found(&self) -> Option<Found> {
        (!matches!(self.place, Place::Start | Place::Elsewhere)).then_some(Found {
            counts: self.told,
            inside: self.told_inside,
            failed: self.failed,
            lost: self.lost || self.place != Place::End,
        })
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() && !matches!(self.place, Place::End | Place::Elsewhere) {
            rest = if self.in_string {
                self.string(rest)
            } else {
                self.structure(rest)
            };
        }
    }

    /// Goes on inside of a string, up to its end at most.
    fn string<'c>(&mut self, rest: &'c [u8]) -> &'c [u8] {
        let from = usize::from(core::mem::take(&mut self.escaped));
        let searched = rest.get(from..).unwrap_or_default();
        let end = match json::quote_or_backslash(searched) {
            None => rest.len(),
            Some(found) => {
                self.in_string = searched.get(found) != Some(&b'"');
                self.escaped = self.in_string;
                from.saturating_add(found).saturating_add(1)
            }
        };
        let (text, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if self.place != Place::Other {
            self.keep(text);
        }
        after
    }

    /// Goes on outside of strings, up to the next one at most.
    fn structure<'c>(&mut self, rest: &'c [u8]) -> &'c [u8] {
        let mut bytes = rest.iter();
        for &byte in bytes.by_ref() {
            if matches!(self.place, Place::Start | Place::Error | Place::Inner)
                && !byte.is_ascii_whitespace()
            {
                self.enter_value(byte);
                if self.place == Place::Elsewhere {
                    break;
                }
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.keep_value(byte);
                    break;
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth < self.members {
                        self.end_value();
                        self.members = self.depth;
                        self.place = Place::Other;
                        if self.depth == 0 {
                            self.place = Place::End;
                            break;
                        }
                    }
                }
                b',' if self.depth == self.members => {
                    self.end_value();
                    self.place = Place::Key;
                    continue;
                }
                b':' if self.place == Place::Key => {
                    self.place = self.place_of_value();
                    self.kept.clear();
                    continue;
                }
                _ => {}
            }
            self.keep_value(byte);
        }
        bytes.as_slice()
    }

    /// Takes the first byte of the object, or of a value that its first byte tells enough of.
    fn enter_value(&mut self, byte: u8) {
        self.place = match self.place {
            Place::Start if byte == b'{' => Place::Key,
            Place::Start => Place::Elsewhere,
            Place::Inner if byte == b'{' => {
                self.members = 2;
                Place::Key
            }
            Place::Error => {
                self.failed |= byte != b'n';
                Place::Other
            }
            _ => Place::Other,
        };
    }

    #[inline]
    fn keep_value(&mut self, byte: u8) {
        if self.place == Place::Usage {
            self.keep(&[byte]);
        }
    }

    /// Keeps bytes of a key or of the value of `usage`.
    fn keep(&mut self, bytes: &[u8]) {
        let limit = match self.place {
            Place::Key => MAX_KEY,
            Place::Usage => MAX_VALUE,
            _ => return,
        };
        if self.kept.len().saturating_add(bytes.len()) > limit {
            self.lost |= self.place == Place::Usage;
            self.place = Place::Other;
            self.kept = Vec::new();
            return;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// Where the key at hand leads.
    fn place_of_value(&self) -> Place {
        let Some(raw) = self.kept.strip_suffix(b"\"") else {
            return Place::Other;
        };
        if !raw.contains(&b'\\') {
            return self.place_of(raw);
        }
        let mut key = Vec::new();
        json::unescape_into(raw, &mut key, MAX_KEY);
        self.place_of(&key)
    }

    fn place_of(&self, key: &[u8]) -> Place {
        if key == usage_key(self.endpoint) {
            Place::Usage
        } else if key == b"error" {
            Place::Error
        } else if self.members == 1 && Some(key) == self.inner {
            Place::Inner
        } else {
            Place::Other
        }
    }

    /// Reads the value that ends here, if it is that of `usage`. The last of several counts.
    fn end_value(&mut self) {
        if self.place == Place::Usage {
            let mut counts = self.before;
            match counts.read(self.endpoint, &mut Reader::new(&self.kept)) {
                Ok(Told::Counts) => {
                    (self.told, self.lost) = (Some(counts), false);
                    self.told_inside = self.members > 1;
                }
                Ok(Told::Nothing) => {}
                Ok(Told::Nonsense) | Err(_) => self.lost = true,
            }
        }
        self.kept.clear();
    }
}

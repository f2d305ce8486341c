//! Usage of a response that is one JSON object.
//!
//! Follows strings and brackets only, so that nothing has to be kept but the key at hand and the value
//! of `usage` itself. Whether the rest is sound JSON is the client's business.
use super::Usage;
use super::counts::{Counts, Told};
use crate::endpoint::Endpoint;
use crate::json::{self, Reader};
use alloc::vec::Vec;

/// Bytes that the value of `usage` may have.
const MAX_VALUE: usize = 4 * 1024;
/// `usage` with every letter written as `\uXXXX`, and the closing quote.
const MAX_KEY: usize = 31;

/// A JSON body on its way.
pub(super) struct JsonBody {
    endpoint: Endpoint,
    depth: u32,
    in_string: bool,
    /// The byte before was a backslash inside of a string.
    escaped: bool,
    /// What the top level holds at this place.
    place: Place,
    /// The key or the value at hand.
    kept: Vec<u8>,
    counts: Option<Counts>,
    lost: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A key, kept as far as it could be `usage`.
    Key,
    /// The value of `usage`, kept.
    Usage,
    /// Any other value, or one too large to keep.
    Other,
    /// After the object.
    End,
}

impl JsonBody {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            depth: 0,
            in_string: false,
            escaped: false,
            place: Place::Key,
            kept: Vec::new(),
            counts: None,
            lost: false,
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.kept.capacity()
    }

    pub(super) fn usage(&self) -> Usage {
        match self.counts.and_then(|counts| counts.tokens()) {
            _ if self.lost => Usage::Unknown,
            Some(tokens) => Usage::Known(tokens),
            None if self.place == Place::End && self.counts.is_none() => Usage::Absent,
            None => Usage::Unknown,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() && self.place != Place::End {
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
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.keep_value(byte);
                    break;
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.end_value();
                        self.place = Place::End;
                        break;
                    }
                }
                b',' if self.depth == 1 => {
                    self.end_value();
                    self.place = Place::Key;
                    continue;
                }
                b':' if self.place == Place::Key => {
                    self.place = if self.key_is_usage() {
                        Place::Usage
                    } else {
                        Place::Other
                    };
                    self.kept.clear();
                    continue;
                }
                _ => {}
            }
            self.keep_value(byte);
        }
        bytes.as_slice()
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
            Place::Other | Place::End => return,
        };
        if self.kept.len().saturating_add(bytes.len()) > limit {
            self.lost |= self.place == Place::Usage;
            self.place = Place::Other;
            self.kept = Vec::new();
            return;
        }
        self.kept.extend_from_slice(bytes);
    }

    fn key_is_usage(&self) -> bool {
        let Some(raw) = self.kept.strip_suffix(b"\"") else {
            return false;
        };
        if !raw.contains(&b'\\') {
            return raw == b"usage";
        }
        let mut key = Vec::new();
        json::unescape_into(raw, &mut key, MAX_KEY);
        key == b"usage"
    }

    /// Reads the value that ends here, if it is that of `usage`. The last of several counts.
    fn end_value(&mut self) {
        if self.place == Place::Usage {
            let mut counts = Counts::NONE;
            match counts.read(self.endpoint, &mut Reader::new(&self.kept)) {
                Ok(Told::Counts) => (self.counts, self.lost) = (Some(counts), false),
                Ok(Told::Nothing) => {}
                Ok(Told::Nonsense) | Err(_) => self.lost = true,
            }
        }
        self.kept.clear();
    }
}

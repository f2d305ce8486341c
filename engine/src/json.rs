//! A borrowing, bounded JSON reader: one pass, no tree, no recursion, no copy.
//!
//! Parsing decides what the plugin costs from 16 KB on, and most of a body is text that is passed
//! over or handed out untouched; a deserializer that unescapes and allocates pays for work nobody
//! asked for. The grammar is RFC 8259, except where a common server accepts more and reads it the
//! same way, because a body that the upstream understands and we do not would slip past every rule:
//! a byte order mark, `NaN` and `Infinity`, lone surrogates and invalid UTF-8 inside strings pass.
mod number;
mod string;

use alloc::borrow::Cow;
use alloc::vec::Vec;
pub(crate) use number::Number;
use string::End;
pub(crate) use string::{quote_or_backslash, unescape_into};

/// Levels of nesting allowed; a tool schema spends two per level of its own.
pub(crate) const MAX_DEPTH: u32 = 64;

/// The longest key that any caller looks for, with every character written as `\uXXXX`.
const LONGEST_ESCAPED_KEY: usize = 6 * 32;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not JSON at this byte.
    Malformed {
        /// Byte offset.
        at: usize,
        /// What was expected there.
        what: &'static str,
    },
    /// More than [`MAX_DEPTH`] levels.
    TooDeep,
    /// The input ended before the value did.
    Ended,
}

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    /// A number, or one of the words that some servers take for one.
    Number,
    True,
    False,
    Null,
}

/// A place in a JSON text. Cloning it marks the place, so that a value can be read again.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    /// Whether the innermost container was opened and nothing of it was read yet.
    fresh: bool,
}

impl<'a> Reader<'a> {
    /// A reader before the one value of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xEF\xBB\xBF") {
            3
        } else {
            0
        };
        Self {
            bytes,
            at,
            depth: 0,
            fresh: false,
        }
    }

    /// The byte offset of the place: of the value that comes next, once its kind was asked for, or the end of
    /// the value before.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    /// The kind of the value that comes next; does not move past it.
    #[inline]
    pub(crate) fn kind(&mut self) -> Result<Kind, Fault> {
        Ok(match self.peek()? {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b'-' | b'0'..=b'9' | b'N' | b'I' => Kind::Number,
            b't' => Kind::True,
            b'f' => Kind::False,
            b'n' => Kind::Null,
            _ => return self.malformed("a value"),
        })
    }

    /// Opens the object or array that comes next.
    pub(crate) fn enter(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek()?, b'{' | b'[') {
            return self.malformed("an object or an array");
        }
        if self.depth >= MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth = self.depth.saturating_add(1);
        self.step();
        self.fresh = true;
        Ok(())
    }

    /// Opens the object that the whole text must be.
    pub(crate) fn enter_root(&mut self) -> Result<(), Fault> {
        match self.kind()? {
            Kind::Object => self.enter(),
            _ => self.malformed("an object"),
        }
    }

    /// The next key of the open object, escapes resolved, or `None` once it closes.
    pub(crate) fn field(&mut self) -> Result<Option<Cow<'a, [u8]>>, Fault> {
        if !self.next_or_close(b'}', "`,` or `}`")? {
            return Ok(None);
        }
        if self.peek()? != b'"' {
            return self.malformed("a key");
        }
        let raw = self.string()?;
        self.colon()?;
        // A longer one is no key that anyone looks for, whatever it spells.
        if raw.len() <= LONGEST_ESCAPED_KEY && raw.contains(&b'\\') {
            let mut key = Vec::new();
            unescape_into(raw, &mut key, LONGEST_ESCAPED_KEY);
            return Ok(Some(Cow::Owned(key)));
        }
        Ok(Some(Cow::Borrowed(raw)))
    }

    /// Whether the open array has a next item; closes the array where it has none.
    #[inline]
    pub(crate) fn item(&mut self) -> Result<bool, Fault> {
        self.next_or_close(b']', "`,` or `]`")
    }

    /// The bytes between the quotes of the string that comes next, escapes checked and unresolved.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], Fault> {
        match self.string_or_beginning()? {
            (raw, true) => Ok(raw),
            (_, false) => Err(Fault::Ended),
        }
    }

    /// As [`Self::string`]; where the input ends inside the string, its whole escapes so far and `false`.
    #[inline]
    pub(crate) fn string_or_beginning(&mut self) -> Result<(&'a [u8], bool), Fault> {
        if self.peek()? != b'"' {
            return self.malformed("a string");
        }
        self.step();
        let start = self.at;
        let end = string::end(self.bytes, start)?;
        let (End::Closed(at) | End::Open(at)) = end;
        let raw = self.bytes.get(start..at).unwrap_or_default();
        self.at = at;
        let closed = matches!(end, End::Closed(_));
        if closed {
            self.step();
        }
        Ok((raw, closed))
    }

    /// The number that comes next, cut to a whole one and saturated; `None` below zero or not a number.
    pub(crate) fn unsigned(&mut self) -> Result<Option<u32>, Fault> {
        self.peek()?;
        let (value, end) = number::read(self.bytes, self.at)?;
        self.at = end;
        if self.depth > 0 && end >= self.bytes.len() {
            // Digits may be missing.
            return Err(Fault::Ended);
        }
        Ok(value)
    }

    /// The number that comes next.
    pub(crate) fn number(&mut self) -> Result<Number, Fault> {
        self.peek()?;
        let (value, end) = number::read_number(self.bytes, self.at)?;
        self.at = end;
        if self.depth > 0 && end >= self.bytes.len() {
            // Digits may be missing.
            return Err(Fault::Ended);
        }
        Ok(value)
    }

    /// Passes over the value that comes next, whatever it is.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        let base = self.depth;
        // One bit per open level, lowest for the innermost: set for an object. 64 levels fit.
        let mut objects: u64 = 0;
        loop {
            match self.kind()? {
                kind @ (Kind::Object | Kind::Array) => {
                    self.enter()?;
                    objects = objects << 1 | u64::from(kind == Kind::Object);
                }
                Kind::String => {
                    self.string()?;
                }
                Kind::Number => {
                    self.unsigned()?;
                }
                Kind::True => self.word(b"true")?,
                Kind::False => self.word(b"false")?,
                Kind::Null => self.word(b"null")?,
            }
            loop {
                if self.depth == base {
                    return Ok(());
                }
                let more = if objects & 1 == 1 {
                    self.skip_key()?
                } else {
                    self.item()?
                };
                if more {
                    break;
                }
                objects >>= 1;
            }
        }
    }

    /// Accepts the end of the text: nothing but white space may follow the value.
    pub(crate) fn finish(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Err(Fault::Ended) => Ok(()),
            _ => self.malformed("the end of the body"),
        }
    }

    fn skip_key(&mut self) -> Result<bool, Fault> {
        if !self.next_or_close(b'}', "`,` or `}`")? {
            return Ok(false);
        }
        if self.peek()? != b'"' {
            return self.malformed("a key");
        }
        self.string()?;
        self.colon()?;
        Ok(true)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), Fault> {
        if self.peek()? != b':' {
            return self.malformed("`:`");
        }
        self.step();
        Ok(())
    }

    /// Moves to the next member of the open container, or past its end and gives `false`.
    #[inline]
    fn next_or_close(&mut self, close: u8, what: &'static str) -> Result<bool, Fault> {
        let fresh = core::mem::take(&mut self.fresh);
        match self.peek()? {
            byte if byte == close => {
                self.depth = self.depth.saturating_sub(1);
                self.step();
                Ok(false)
            }
            _ if fresh => Ok(true),
            b',' => {
                self.step();
                Ok(true)
            }
            _ => self.malformed(what),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Fault> {
        self.at = number::word(self.bytes, self.at, word)?;
        Ok(())
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Result<u8, Fault> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.step(),
                Some(&byte) => return Ok(byte),
                None => return Err(Fault::Ended),
            }
        }
    }

    #[inline]
    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    #[cold]
    fn malformed<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault::Malformed { at: self.at, what })
    }
}

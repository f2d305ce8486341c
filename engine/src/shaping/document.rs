//! One JSON document on its way through, less what is taken out of it.
//!
//! Follows strings, keys and brackets and nothing else. Bytes that stay pass at once and as they are;
//! what no [`Place`] leads to is passed over by counting brackets. Whether it is sound JSON is its
//! reader's business: a document that cannot be followed goes on as it is from there.
use super::Strip;
use super::cursor::Cursor;
use super::extent::Extent;
use super::held::Held;
use super::place::{Place, Step};
use crate::json;
use alloc::vec::Vec;

/// Bytes kept of a key or of a value that decides: the longest one looked for, with every character written
/// as `\uXXXX`, and its quotes.
const MAX_TOKEN: usize = 6 * 40 + 2;
/// More than any place is deep, and as many as [`Held`] tells apart.
const MAX_PLACES: usize = 16;

/// Where in the document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before it or after it.
    Outside,
    /// Before a key, or the end of the object.
    Key,
    InKey,
    Colon,
    /// Before a value, or the end of the array.
    Value,
    /// In a string, or in an object or array that is not looked into.
    InValue,
    /// In a number or a word.
    InScalar,
    /// Behind a value.
    After,
    /// In what is no JSON.
    Elsewhere,
}

/// What becomes of the bytes of the value at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pass,
    /// They pass and are kept, because they decide about others.
    Decides,
    /// They wait, but for the quotes around them.
    Waits,
    /// They are taken out, but for the quotes or brackets around them.
    Emptied,
    /// They are taken out.
    Replaced,
}

/// An object or array that is looked into.
#[derive(Clone, Copy, Debug)]
struct Frame {
    place: Place,
    /// Whether its text is reasoning, once that was said.
    is_reasoning: Option<bool>,
    /// The first of its spans that wait.
    waits_from: Option<usize>,
}

/// A JSON document, split anywhere. Memory: a key at most, and what [`Held`] holds.
pub(super) struct Document {
    root: Place,
    strip: Strip,
    state: State,
    frames: Vec<Frame>,
    /// What is done with the value that comes next.
    step: Step,
    fate: Fate,
    /// The key or value at hand.
    extent: Extent,
    /// The key, or the value that decides, as far as it came.
    token: Vec<u8>,
    lost: bool,
}

impl Document {
    /// Before a document whose outermost object is `root`.
    pub(super) const fn new(root: Place, strip: Strip) -> Self {
        Self {
            root,
            strip,
            state: State::Outside,
            frames: Vec::new(),
            step: Step::Pass,
            fate: Fate::Pass,
            extent: Extent::STRING,
            token: Vec::new(),
            lost: false,
        }
    }

    /// Whether a document could not be followed to its end.
    pub(super) const fn lost(&self) -> bool {
        self.lost
    }

    /// The next bytes; what stays of them is written. Linear in `chunk`.
    pub(super) fn feed(&mut self, chunk: &[u8], held: &mut Held, out: &mut Vec<u8>) {
        let mut cursor = Cursor::new(chunk);
        while let Some(&byte) = cursor.rest().first() {
            match self.state {
                State::InKey => self.key(&mut cursor),
                State::InValue => self.value(&mut cursor, held, out),
                State::InScalar => self.scalar(&mut cursor, held, out),
                State::Elsewhere => cursor.advance(cursor.rest().len()),
                _ if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') => cursor.advance(1),
                State::Outside => self.begin(byte, &mut cursor),
                State::Key => self.key_or_end(byte, &mut cursor, held, out),
                State::Colon if byte == b':' => {
                    self.state = State::Value;
                    cursor.advance(1);
                }
                State::Value => self.value_or_end(byte, &mut cursor, held, out),
                State::After => self.next_or_end(byte, &mut cursor, held, out),
                State::Colon => self.lose(held, out),
            }
        }
        cursor.write(held, out);
    }

    /// White space that the framing put into the document.
    pub(super) fn line_break(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        match self.state {
            State::InScalar => self.end_value(held, out),
            // Such a key is none that anyone looks for.
            State::InKey => self.keep(b"\n"),
            _ => {}
        }
    }

    /// Nothing more of the document follows; the next byte begins another one.
    pub(super) fn end(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        match self.state {
            State::Outside | State::Elsewhere => {}
            _ => self.lost = true,
        }
        held.give_up(out);
        self.frames.clear();
        self.state = State::Outside;
    }

    fn begin(&mut self, byte: u8, cursor: &mut Cursor<'_>) {
        match byte {
            b'{' => self.enter(self.root),
            // Gemini streams a list of bodies.
            b'[' => self.enter(Place::Roots),
            _ => {
                self.state = State::Elsewhere;
                return;
            }
        }
        cursor.advance(1);
    }

    fn enter(&mut self, place: Place) {
        self.frames.push(Frame {
            place,
            is_reasoning: None,
            waits_from: None,
        });
        self.state = match self.items() {
            None => State::Key,
            Some(step) => {
                self.step = step;
                State::Value
            }
        };
    }

    /// What is done with the items of the open array; `None` where an object is open.
    fn items(&self) -> Option<Step> {
        match self.frames.last()?.place {
            Place::Roots => Some(Step::Enter(self.root)),
            place => place.items(),
        }
    }

    /// What is done with the member `key` of the open object.
    fn member(&self, key: &[u8]) -> Step {
        let Some(frame) = self.frames.last() else {
            return Step::Pass;
        };
        if !key.contains(&b'\\') {
            return frame.place.member(key, self.strip);
        }
        let mut unescaped = Vec::new();
        json::unescape_into(key, &mut unescaped, MAX_TOKEN);
        frame.place.member(&unescaped, self.strip)
    }

    fn key_or_end(
        &mut self,
        byte: u8,
        cursor: &mut Cursor<'_>,
        held: &mut Held,
        out: &mut Vec<u8>,
    ) {
        match byte {
            b'"' => {
                self.state = State::InKey;
                self.extent = Extent::STRING;
                self.token.clear();
            }
            b'}' => self.leave(held, out),
            _ => return self.lose(held, out),
        }
        cursor.advance(1);
    }

    fn key(&mut self, cursor: &mut Cursor<'_>) {
        let rest = cursor.rest();
        let (length, ended) = self.extent.reach(rest);
        cursor.advance(length);
        if !ended {
            return self.keep(rest);
        }
        let key = rest.get(..length.saturating_sub(1)).unwrap_or_default();
        self.step = if self.token.is_empty() {
            self.member(key)
        } else {
            self.keep(key);
            let token = core::mem::take(&mut self.token);
            let step = self.member(&token);
            self.token = token;
            step
        };
        self.state = State::Colon;
    }

    /// Keeps a piece of the key or value; one that is longer than any looked for never turns into one.
    fn keep(&mut self, piece: &[u8]) {
        let room = MAX_TOKEN.saturating_add(1).saturating_sub(self.token.len());
        let piece = piece.get(..room).unwrap_or(piece);
        self.token.extend_from_slice(piece);
    }

    fn value_or_end(
        &mut self,
        byte: u8,
        cursor: &mut Cursor<'_>,
        held: &mut Held,
        out: &mut Vec<u8>,
    ) {
        let is_array = self.items().is_some();
        let begun = match byte {
            b']' if is_array => {
                self.leave(held, out);
                return cursor.advance(1);
            }
            b'{' | b'[' | b'"' => byte,
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => b'0',
            _ => return self.lose(held, out),
        };
        self.fate = Fate::Pass;
        self.state = if begun == b'0' {
            State::InScalar
        } else {
            State::InValue
        };
        match (self.step, begun) {
            (Step::Enter(place), b'{' | b'[') => {
                let fits = (begun == b'[') == place.items().is_some();
                if fits && self.frames.len() < MAX_PLACES {
                    self.enter(place);
                    return cursor.advance(1);
                }
            }
            (Step::Null, _) if byte != b'n' => {
                cursor.write(held, out);
                held.write(b"null", out);
                self.fate = Fate::Replaced;
            }
            (Step::Empty, b'{' | b'[' | b'"') => self.fate = Fate::Emptied,
            (Step::EmptyIf, b'"') => self.fate = self.fate_of_text(),
            (Step::Condition, b'"' | b'0') => {
                self.fate = Fate::Decides;
                self.token.clear();
            }
            _ => {}
        }
        if begun == b'0' {
            // Its first byte is read with the others.
            return;
        }
        self.extent = if begun == b'"' {
            Extent::STRING
        } else {
            Extent::BRACKETS
        };
        cursor.advance(1);
        match self.fate {
            Fate::Waits => {
                cursor.write(held, out);
                let depth = self.frames.len();
                if let Some(frame) = self.frames.last_mut() {
                    frame.waits_from.get_or_insert(held.spans());
                }
                held.begin_span(depth);
            }
            Fate::Emptied => cursor.write(held, out),
            Fate::Replaced => cursor.take_out(held),
            Fate::Pass | Fate::Decides => {}
        }
    }

    fn fate_of_text(&self) -> Fate {
        match self.frames.last().map(|frame| frame.is_reasoning) {
            Some(Some(true)) => Fate::Emptied,
            Some(None) => Fate::Waits,
            Some(Some(false)) | None => Fate::Pass,
        }
    }

    /// Goes on inside of a string or of brackets, up to their end at most.
    fn value(&mut self, cursor: &mut Cursor<'_>, held: &mut Held, out: &mut Vec<u8>) {
        let rest = cursor.rest();
        let (at, ended) = self.extent.reach(rest);
        let close = usize::from(ended);
        match self.fate {
            Fate::Pass => cursor.advance(at),
            Fate::Decides => {
                cursor.advance(at);
                self.keep(rest.get(..at.saturating_sub(close)).unwrap_or_default());
            }
            Fate::Waits => {
                cursor.advance(at.saturating_sub(close));
                cursor.write(held, out);
                if ended {
                    held.end_span(self.frames.len());
                }
                cursor.advance(close);
            }
            Fate::Emptied => {
                cursor.advance(at.saturating_sub(close));
                cursor.take_out(held);
                cursor.advance(close);
            }
            Fate::Replaced => {
                cursor.advance(at);
                cursor.take_out(held);
            }
        }
        if ended {
            self.end_value(held, out);
        }
    }

    /// Goes on inside of a number or a word, up to what follows it.
    fn scalar(&mut self, cursor: &mut Cursor<'_>, held: &mut Held, out: &mut Vec<u8>) {
        let rest = cursor.rest();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = rest.iter().position(|byte| !is_part(byte));
        let text = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        cursor.advance(text.len());
        match self.fate {
            Fate::Replaced => cursor.take_out(held),
            Fate::Decides => self.keep(text),
            Fate::Pass | Fate::Waits | Fate::Emptied => {}
        }
        if length.is_some() {
            self.end_value(held, out);
        }
    }

    fn end_value(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        if self.fate == Fate::Decides {
            let mut value = Vec::new();
            json::unescape_into(&self.token, &mut value, MAX_TOKEN);
            if let Some(place) = self.frames.last().map(|frame| frame.place) {
                self.decide(place.is_reasoning(&value), held, out);
            }
        }
        self.fate = Fate::Pass;
        self.state = State::After;
    }

    /// The object at hand tells whether its text is reasoning.
    fn decide(&mut self, is_reasoning: bool, held: &mut Held, out: &mut Vec<u8>) {
        let depth = self.frames.len();
        if let Some(frame) = self.frames.last_mut() {
            frame.is_reasoning = Some(is_reasoning);
            if let Some(first) = frame.waits_from.take() {
                held.decide(depth, first, is_reasoning, out);
            }
        }
    }

    fn next_or_end(
        &mut self,
        byte: u8,
        cursor: &mut Cursor<'_>,
        held: &mut Held,
        out: &mut Vec<u8>,
    ) {
        match (byte, self.items()) {
            (b',', None) => self.state = State::Key,
            (b',', Some(step)) => {
                self.step = step;
                self.state = State::Value;
            }
            (b'}', None) | (b']', Some(_)) => self.leave(held, out),
            _ => return self.lose(held, out),
        }
        cursor.advance(1);
    }

    /// The object or array at hand ends.
    fn leave(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        if let Some(Frame {
            place,
            waits_from: Some(_),
            ..
        }) = self.frames.last()
        {
            self.decide(place.is_reasoning_unsaid(), held, out);
        }
        self.frames.pop();
        self.state = if self.frames.is_empty() {
            State::Outside
        } else {
            State::After
        };
    }

    /// What comes cannot be followed: it goes on as it is.
    fn lose(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        self.lost = true;
        held.give_up(out);
        self.state = State::Elsewhere;
    }
}

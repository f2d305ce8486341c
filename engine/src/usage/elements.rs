//! Elements of a JSON array, split anywhere: the form of Gemini's streams that are not events.
use crate::json;
use crate::sse::{Data, MAX_EVENT};
use alloc::vec::Vec;

/// Splits an array into its objects and arrays. Memory: at most [`MAX_EVENT`].
pub(super) struct Elements {
    data: Vec<u8>,
    depth: u32,
    in_string: bool,
    /// The byte before was a backslash inside of a string.
    escaped: bool,
    too_large: bool,
    closed: bool,
}

impl Elements {
    pub(super) const fn new() -> Self {
        Self {
            data: Vec::new(),
            depth: 0,
            in_string: false,
            escaped: false,
            too_large: false,
            closed: false,
        }
    }

    /// Bytes held.
    pub(super) fn buffered(&self) -> usize {
        self.data.capacity()
    }

    /// Whether the array ended.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether the array breaks off inside of an element.
    pub(super) const fn is_inside(&self) -> bool {
        self.depth > 1
    }

    /// Hands the elements that `chunk` completes to `each`; scalars are passed over.
    pub(super) fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Data<'_>)) {
        let mut at: usize = 0;
        // Where in the chunk the element at hand begins or goes on.
        let mut from: usize = 0;
        while let Some(&byte) = chunk.get(at).filter(|_| !self.closed) {
            if self.in_string {
                at = self.string(chunk, at);
                continue;
            }
            let next = at.saturating_add(1);
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth = self.depth.saturating_add(1);
                    if self.depth == 2 {
                        from = at;
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed = self.depth == 0;
                    if self.depth == 1 {
                        self.end(chunk.get(from..next).unwrap_or_default(), &mut each);
                    }
                }
                _ => {}
            }
            at = next;
        }
        if self.is_inside() {
            self.append(chunk.get(from..).unwrap_or_default(), &mut each);
        }
    }

    /// Goes on inside of a string, up to its end at most, and gives the offset after that.
    fn string(&mut self, chunk: &[u8], at: usize) -> usize {
        let at = at.saturating_add(usize::from(core::mem::take(&mut self.escaped)));
        let rest = chunk.get(at..).unwrap_or_default();
        let Some(found) = json::quote_or_backslash(rest) else {
            return chunk.len();
        };
        self.in_string = rest.get(found) != Some(&b'"');
        self.escaped = self.in_string;
        at.saturating_add(found).saturating_add(1)
    }

    fn append(&mut self, text: &[u8], each: &mut impl FnMut(Data<'_>)) {
        if self.data.len().saturating_add(text.len()) > MAX_EVENT {
            self.too_large = true;
        }
        if !self.too_large {
            let needed = self.data.len().saturating_add(text.len());
            let grown = self.data.capacity().saturating_mul(2);
            if needed > self.data.capacity() {
                let grown = grown.clamp(needed, MAX_EVENT);
                self.data
                    .reserve_exact(grown.saturating_sub(self.data.len()));
            }
            self.data.extend_from_slice(text);
            return;
        }
        let begun = core::mem::take(&mut self.data);
        for part in [begun.as_slice(), text] {
            if !part.is_empty() {
                each(Data::Part(part));
            }
        }
    }

    /// The element at hand ends with `text`.
    fn end(&mut self, text: &[u8], each: &mut impl FnMut(Data<'_>)) {
        if self.data.is_empty() && !self.too_large && text.len() <= MAX_EVENT {
            return each(Data::Whole(text));
        }
        self.append(text, each);
        if core::mem::take(&mut self.too_large) {
            each(Data::End);
        } else {
            each(Data::Whole(&core::mem::take(&mut self.data)));
        }
    }
}

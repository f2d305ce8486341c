//! Server-sent events on their way through, less what is taken out of their data.
//!
//! Line ends, names of fields, comments and every field but `data` pass at once and as they are, so that
//! no event waits for a later one, whatever its size. The lines are told apart as `sse::Events` does.
use super::document::Document;
use super::held::Held;
use alloc::vec::Vec;

const FIELD: &[u8] = b"data";

/// Where in a line the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many bytes of [`FIELD`] were read, and nothing else.
    Name(usize),
    /// Right behind `data:`, where one space belongs to the framing.
    Colon,
    /// In the value of a `data` field.
    Data,
    /// In a comment or another field.
    Other,
}

/// Events, split anywhere; each is a document.
pub(super) struct Events {
    document: Document,
    line: Line,
    after_return: bool,
    /// The event at hand has a `data` field.
    has_data: bool,
}

impl Events {
    pub(super) const fn new(document: Document) -> Self {
        Self {
            document,
            line: Line::Name(0),
            after_return: false,
            has_data: false,
        }
    }

    /// Whether an event could not be followed to its end.
    pub(super) const fn lost(&self) -> bool {
        self.document.lost()
    }

    /// The next bytes; what stays of them is written. Linear in `chunk`.
    pub(super) fn feed(&mut self, chunk: &[u8], held: &mut Held, out: &mut Vec<u8>) {
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            if core::mem::take(&mut self.after_return) && byte == b'\n' {
                held.write(b"\n", out);
                rest = after;
                continue;
            }
            if matches!(byte, b'\n' | b'\r') {
                self.after_return = byte == b'\r';
                self.end_line(held, out);
                held.write(&[byte], out);
                rest = after;
                continue;
            }
            if let Line::Name(read) = self.line {
                let (length, line) = name(rest, read);
                let (text, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                held.write(text, out);
                if line == Line::Colon {
                    self.begin_data(held, out);
                }
                self.line = line;
                rest = after;
                continue;
            }
            if self.line == Line::Colon {
                self.line = Line::Data;
                if byte == b' ' {
                    held.write(b" ", out);
                    rest = after;
                    continue;
                }
            }
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let (text, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            if self.line == Line::Data {
                self.document.feed(text, held, out);
            } else {
                held.write(text, out);
            }
            rest = after;
        }
    }

    /// The stream is over.
    pub(super) fn end(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        self.document.end(held, out);
    }

    fn begin_data(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        if self.has_data {
            self.document.line_break(held, out);
        }
        self.has_data = true;
    }

    fn end_line(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        match self.line {
            // A blank line: what follows is another event.
            Line::Name(0) if self.has_data => {
                self.document.end(held, out);
                self.has_data = false;
            }
            // `data` without a colon is a field with an empty value.
            Line::Name(read) if read == FIELD.len() => self.begin_data(held, out),
            _ => {}
        }
        self.line = Line::Name(0);
    }
}

/// Bytes of a field's name, of which `read` came before, at the beginning of `rest`, and where they lead.
fn name(rest: &[u8], read: usize) -> (usize, Line) {
    let missing = FIELD.get(read..).unwrap_or_default();
    let same = missing
        .iter()
        .zip(rest)
        .take_while(|(wanted, byte)| wanted == byte)
        .count();
    let read = read.saturating_add(same);
    match rest.get(same) {
        None | Some(b'\n' | b'\r') => (same, Line::Name(read)),
        Some(b':') if read == FIELD.len() => (same.saturating_add(1), Line::Colon),
        Some(_) => (same.saturating_add(1), Line::Other),
    }
}

//! Server-sent events, split anywhere (WHATWG HTML, "Interpreting an event stream").
//!
//! Gives the data of each event and nothing else: providers repeat the event's name inside the data.
//! An event that lies whole in a chunk is handed out from there; only split ones are copied, up to
//! [`MAX_EVENT`], beyond which they are handed out piece by piece. A byte order mark is the caller's to drop.
use alloc::vec::Vec;

/// Bytes of data that one event may have to be handed out whole.
pub(crate) const MAX_EVENT: usize = 64 * 1024;
/// Capacity that is kept between events; ordinary events are well below.
const KEPT: usize = 4 * 1024;

const FIELD: &[u8] = b"data";

/// The data of one event: whole, or in parts and then an end where it is longer than [`MAX_EVENT`]. How the
/// stream is split decides where parts begin and never which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data<'a> {
    Whole(&'a [u8]),
    Part(&'a [u8]),
    End,
}

/// Where in a line the stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// So many bytes of [`FIELD`] were read, and nothing else.
    Name(usize),
    /// Right behind `data:`, where one space is dropped.
    Colon,
    /// In the value of a `data` field.
    Value,
    /// In a comment or a field that does not matter.
    Ignored,
}

/// Splits a stream into events. Memory: at most [`MAX_EVENT`], after an event at most [`KEPT`].
pub(crate) struct Events {
    data: Vec<u8>,
    line: Line,
    after_return: bool,
    /// The event at hand has a `data` field.
    has_data: bool,
    too_large: bool,
}

impl Events {
    pub(crate) const fn new() -> Self {
        Self {
            data: Vec::new(),
            line: Line::Name(0),
            after_return: false,
            has_data: false,
            too_large: false,
        }
    }

    /// Bytes held.
    pub(crate) fn buffered(&self) -> usize {
        self.data.capacity()
    }

    /// Hands the events that `chunk` completes to `each`.
    pub(crate) fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Data<'_>)) {
        let mut rest = chunk;
        while let Some((&byte, after)) = rest.split_first() {
            if core::mem::take(&mut self.after_return) && byte == b'\n' {
                rest = after;
                continue;
            }
            if self.line == Line::Name(0) && !self.has_data {
                if let Some((data, after)) = whole_event(rest) {
                    // A line feed that is left of the blank line is a blank line of no event.
                    if data.len() > MAX_EVENT {
                        each(Data::Part(data));
                        each(Data::End);
                    } else {
                        each(Data::Whole(data));
                    }
                    rest = after;
                    continue;
                }
            }
            rest = match self.line {
                Line::Name(read) if !is_end_of_line(byte) => {
                    self.line = match byte {
                        b':' if read == FIELD.len() => self.begin_data(&mut each),
                        _ if FIELD.get(read) == Some(&byte) => Line::Name(read.saturating_add(1)),
                        _ => Line::Ignored,
                    };
                    after
                }
                Line::Colon if byte == b' ' => {
                    self.line = Line::Value;
                    after
                }
                line => {
                    let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    let (text, after) = rest.split_at(end);
                    if matches!(line, Line::Colon | Line::Value) {
                        self.line = Line::Value;
                        self.append(text, &mut each);
                    }
                    match after.split_first() {
                        Some((&byte, after)) => {
                            self.after_return = byte == b'\r';
                            self.end_line(&mut each);
                            after
                        }
                        None => after,
                    }
                }
            };
        }
    }

    /// The event that the stream broke off in, as far as it came; [`Data::End`] where that came in parts.
    pub(crate) fn pending(&self) -> Option<Data<'_>> {
        self.has_data.then(|| self.event())
    }

    fn begin_data(&mut self, each: &mut impl FnMut(Data<'_>)) -> Line {
        if self.has_data {
            self.append(b"\n", each);
        }
        self.has_data = true;
        Line::Colon
    }

    fn append(&mut self, text: &[u8], each: &mut impl FnMut(Data<'_>)) {
        let needed = self.data.len().saturating_add(text.len());
        if self.too_large || needed > MAX_EVENT {
            self.too_large = true;
            let begun = core::mem::take(&mut self.data);
            for part in [begun.as_slice(), text] {
                if !part.is_empty() {
                    each(Data::Part(part));
                }
            }
            return;
        }
        if needed > self.data.capacity() {
            let grown = self
                .data
                .capacity()
                .saturating_mul(2)
                .clamp(needed, MAX_EVENT);
            self.data
                .reserve_exact(grown.saturating_sub(self.data.len()));
        }
        self.data.extend_from_slice(text);
    }

    fn end_line(&mut self, each: &mut impl FnMut(Data<'_>)) {
        match self.line {
            Line::Name(0) if self.has_data => {
                each(self.event());
                self.data.clear();
                if self.data.capacity() > KEPT {
                    self.data = Vec::new();
                }
                (self.has_data, self.too_large) = (false, false);
            }
            // `data` without a colon is a field with an empty value.
            Line::Name(read) if read == FIELD.len() => {
                self.begin_data(each);
            }
            _ => {}
        }
        self.line = Line::Name(0);
    }

    fn event(&self) -> Data<'_> {
        if self.too_large {
            Data::End
        } else {
            Data::Whole(&self.data)
        }
    }
}

const fn is_end_of_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The data of an event of one `data` line that `rest` begins with, blank line included, and what follows.
fn whole_event(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = rest.strip_prefix(b"data:")?;
    let value = value.strip_prefix(b" ").unwrap_or(value);
    let (data, end) = value.split_at(memchr::memchr2(b'\n', b'\r', value)?);
    let blank = end.strip_prefix(b"\r\n").or_else(|| end.get(1..))?;
    let (&byte, after) = blank.split_first()?;
    is_end_of_line(byte).then_some((data, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use std::vec;

    fn events_of(chunks: &[&[u8]]) -> Vec<Option<String>> {
        let mut events = Events::new();
        let mut seen = vec![];
        let mut keep = |data: Data<'_>| {
            seen.push(match data {
                Data::Whole(data) => Some(String::from_utf8_lossy(data).into_owned()),
                Data::Part(_) => return,
                Data::End => None,
            });
        };
        for chunk in chunks {
            events.feed(chunk, &mut keep);
        }
        if let Some(pending) = events.pending() {
            keep(pending);
        }
        seen
    }

    fn whole(data: &[&str]) -> Vec<Option<String>> {
        data.iter().map(|&data| Some(data.into())).collect()
    }

    const STREAMS: &[(&str, &[&str])] = &[
        ("data: a\n\ndata: b\n\n", &["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
        ("data: a\r\rdata: b\r\r", &["a", "b"]),
        ("data: a\r\n\ndata: b\n\r\n", &["a", "b"]),
        ("data: a\r\rdata: b\n\r", &["a", "b"]),
        ("data:a\n\n", &["a"]),
        ("data:  a\n\n", &[" a"]),
        ("data: a\ndata: b\n\n", &["a\nb"]),
        ("data\n\n", &[""]),
        ("data: a\ndata\ndata:\n\n", &["a\n\n"]),
        ("\n\n: comment\n\ndata: a\n\n\n", &["a"]),
        ("event: x\nid: 1\ndata: a\nretry: 5\n\n", &["a"]),
        (
            "datas: no\ndat: no\n data: no\ndata : no\n\ndata: yes\n\n",
            &["yes"],
        ),
        ("data: without a blank line\n", &["without a blank line"]),
        ("data: without a new line", &["without a new line"]),
        ("", &[]),
    ];

    #[test]
    fn events_come_out_as_the_standard_reads_them() {
        for (stream, data) in STREAMS {
            assert_eq!(events_of(&[stream.as_bytes()]), whole(data), "{stream:?}");
        }
    }

    #[test]
    fn where_a_stream_is_split_does_not_matter() {
        for (stream, data) in STREAMS {
            let bytes = stream.as_bytes();
            for first in 0..=bytes.len() {
                for second in first..=bytes.len() {
                    let chunks = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                    assert_eq!(
                        events_of(&chunks),
                        whole(data),
                        "{stream:?} at {first} and {second}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_event_over_the_limit_is_told_and_the_next_one_read() {
        let large = "x".repeat(MAX_EVENT + 1);
        let most = "y".repeat(MAX_EVENT);
        let stream = std::format!("data: {large}\n\ndata: {most}\n\ndata: a\n\n");

        for size in [7, 1000, MAX_EVENT, stream.len()] {
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();

            let seen = events_of(&chunks);

            assert_eq!(
                seen,
                [None, Some(most.clone()), Some("a".into())],
                "chunks of {size}"
            );
        }
    }

    #[test]
    fn memory_stays_below_the_limit_and_is_given_back() {
        let mut events = Events::new();
        let large = "x".repeat(3 * MAX_EVENT);

        events.feed(b"data: ", |_| {});
        for chunk in large.as_bytes().chunks(1000) {
            events.feed(chunk, |_| {});
            assert!(events.buffered() <= MAX_EVENT);
        }
        assert_eq!(events.buffered(), 0);
        events.feed(b"\n\ndata: ", |_| {});
        events.feed(&large.as_bytes()[..MAX_EVENT], |_| {});
        assert_eq!(events.buffered(), MAX_EVENT);
        events.feed(b"\n\n", |_| {});

        assert!(events.buffered() <= KEPT);
    }
}

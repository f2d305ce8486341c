//! Output that waits for what follows it in the same object.
//!
//! Where a member says later whether an earlier one is taken out, everything from there on waits until it
//! does: at most [`MAX_HELD`], beyond which it goes on as it came.
use alloc::vec::Vec;

/// Bytes that wait, their spans included.
pub(super) const MAX_HELD: usize = 64 * 1024;
/// Capacity that is kept while nothing waits.
const KEPT: usize = 4 * 1024;
/// The same for spans.
const KEPT_SPANS: usize = 64;

/// What a stretch of held bytes waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The object that is open at this depth.
    Waits(usize),
    Stays,
    IsTakenOut,
}

/// A stretch of the held bytes that may be taken out.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
    fate: Fate,
}

/// What waits; all that is written passes through it.
#[derive(Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    /// In order, apart from one another.
    spans: Vec<Span>,
    /// Spans that wait.
    waiting: usize,
    /// Depths of objects, a bit each, whose spans went on because too much waited.
    let_go: u64,
    changed: bool,
    missed: bool,
}

impl Held {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether anything was taken out.
    pub(super) const fn changed(&self) -> bool {
        self.changed
    }

    /// Whether something went on that should have been taken out.
    pub(super) const fn missed(&self) -> bool {
        self.missed
    }

    /// Something was taken out that never came here.
    pub(super) fn took_out(&mut self) {
        self.changed = true;
    }

    /// Writes `bytes`, behind what waits.
    pub(super) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.waiting == 0 {
            out.extend_from_slice(bytes);
            return;
        }
        let spans = self.spans.len().saturating_mul(size_of::<Span>());
        let needed = self.bytes.len().saturating_add(bytes.len());
        if needed.saturating_add(spans) > MAX_HELD {
            self.let_go(out);
            out.extend_from_slice(bytes);
            return;
        }
        if needed > self.bytes.capacity() {
            let grown = self
                .bytes
                .capacity()
                .saturating_mul(2)
                .clamp(needed, MAX_HELD);
            self.bytes
                .reserve_exact(grown.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Spans that were begun since something began to wait; where the next one will stand.
    pub(super) fn spans(&self) -> usize {
        self.spans.len()
    }

    /// What is written from here on may be taken out once the object open at `depth` tells.
    pub(super) fn begin_span(&mut self, depth: usize) {
        if self.let_go & bit(depth) != 0 {
            // One of its spans went on already; the others may as well.
            return;
        }
        let start = self.bytes.len();
        self.waiting = self.waiting.saturating_add(1);
        self.spans.push(Span {
            start,
            end: start,
            fate: Fate::Waits(depth),
        });
    }

    /// The span of the object at `depth` that was begun last ends here.
    pub(super) fn end_span(&mut self, depth: usize) {
        let end = self.bytes.len();
        if let Some(span) = self.spans.last_mut() {
            if span.fate == Fate::Waits(depth) {
                span.end = end;
            }
        }
    }

    /// The object at `depth`, whose first span stands at `first`, tells whether its spans are taken out.
    pub(super) fn decide(&mut self, depth: usize, first: usize, take_out: bool, out: &mut Vec<u8>) {
        let bit = bit(depth);
        if self.let_go & bit != 0 {
            self.missed |= take_out;
            self.let_go &= !bit;
            return;
        }
        let fate = if take_out {
            Fate::IsTakenOut
        } else {
            Fate::Stays
        };
        // An object decides once, so that a span is passed over once for every object that it is in.
        for span in self.spans.iter_mut().skip(first) {
            if span.fate == Fate::Waits(depth) {
                span.fate = fate;
                self.waiting = self.waiting.saturating_sub(1);
            }
        }
        if self.waiting == 0 {
            self.release(out);
        }
    }

    /// The document is over or cannot be read: what still waits goes on as it came.
    pub(super) fn give_up(&mut self, out: &mut Vec<u8>) {
        if self.waiting > 0 {
            self.let_go(out);
            self.missed = true;
        }
        self.let_go = 0;
    }

    fn let_go(&mut self, out: &mut Vec<u8>) {
        for span in &mut self.spans {
            if let Fate::Waits(depth) = span.fate {
                self.let_go |= bit(depth);
            }
        }
        self.waiting = 0;
        self.release(out);
    }

    /// Writes what waited, without what is taken out.
    fn release(&mut self, out: &mut Vec<u8>) {
        let mut from = 0;
        for span in self.spans.drain(..) {
            if span.fate == Fate::IsTakenOut && span.start < span.end {
                out.extend_from_slice(self.bytes.get(from..span.start).unwrap_or_default());
                from = span.end;
                self.changed = true;
            }
        }
        out.extend_from_slice(self.bytes.get(from..).unwrap_or_default());
        self.bytes.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
        if self.spans.capacity() > KEPT_SPANS {
            self.spans = Vec::new();
        }
    }
}

fn bit(depth: usize) -> u64 {
    u32::try_from(depth)
        .ok()
        .and_then(|depth| 1_u64.checked_shl(depth))
        .unwrap_or(0)
}

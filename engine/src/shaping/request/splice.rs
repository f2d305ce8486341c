//! A body with stretches of it replaced, everything else as it stands.
use alloc::vec::Vec;

/// Writes a body anew, from its beginning to its end.
pub(super) struct Splice<'b> {
    body: &'b [u8],
    out: Vec<u8>,
    /// Bytes of the body that are written or replaced.
    done: usize,
    changed: bool,
}

impl<'b> Splice<'b> {
    /// Nothing replaced yet.
    pub(super) const fn new(body: &'b [u8]) -> Self {
        Self {
            body,
            out: Vec::new(),
            done: 0,
            changed: false,
        }
    }

    /// Puts `with` in the place of the bytes `from..to`, which are behind all that was replaced before.
    pub(super) fn replace(&mut self, from: usize, to: usize, with: &[u8]) {
        if !self.changed {
            self.out.reserve(self.body.len().saturating_add(with.len()));
        }
        self.changed = true;
        let kept = self.body.get(self.done..from).unwrap_or_default();
        self.out.extend_from_slice(kept);
        self.out.extend_from_slice(with);
        self.done = to;
    }

    /// The first quote at `from` or behind it: that of a key, behind the end of the value before.
    pub(super) fn quote_from(&self, from: usize) -> usize {
        let behind = self.body.get(from..).unwrap_or_default();
        let quote = memchr::memchr(b'"', behind).unwrap_or(behind.len());
        from.saturating_add(quote)
    }

    /// The body as it is now; `None` where nothing was replaced.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        let rest = self.body.get(self.done..).unwrap_or_default();
        self.out.extend_from_slice(rest);
        self.changed.then_some(self.out)
    }
}

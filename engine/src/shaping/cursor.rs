//! A chunk on its way from input to output.
use super::held::Held;
use alloc::vec::Vec;

/// A chunk, and how much of it was read and written.
pub(super) struct Cursor<'c> {
    bytes: &'c [u8],
    at: usize,
    written: usize,
}

impl<'c> Cursor<'c> {
    /// Before the chunk.
    pub(super) const fn new(bytes: &'c [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            written: 0,
        }
    }

    /// What was not read.
    pub(super) fn rest(&self) -> &'c [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Reads so many bytes.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Bytes read since the last were written or taken out.
    fn unwritten(&self) -> &'c [u8] {
        self.bytes.get(self.written..self.at).unwrap_or_default()
    }

    /// Writes what was read.
    pub(super) fn write(&mut self, held: &mut Held, out: &mut Vec<u8>) {
        let bytes = self.unwritten();
        if !bytes.is_empty() {
            held.write(bytes, out);
        }
        self.written = self.at;
    }

    /// Takes out what was read.
    pub(super) fn take_out(&mut self, held: &mut Held) {
        if self.written < self.at {
            held.took_out();
        }
        self.written = self.at;
    }
}

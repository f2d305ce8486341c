//! Stripping a response as it streams by.
use super::Strip;
use crate::endpoint::Endpoint;
use alloc::vec::Vec;

/// Strips one response, JSON or server-sent events, split anywhere.
#[derive(Debug)]
pub struct ResponseShaper {
    changed: bool,
}

impl ResponseShaper {
    /// A shaper for responses of `endpoint`.
    pub fn new(_endpoint: Endpoint, _strip: Strip) -> Self {
        Self { changed: false }
    }

    /// What of the response may go on now, appended to `out`; `end` says that nothing follows `chunk`.
    pub fn feed(&mut self, chunk: &[u8], _end: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(chunk);
    }

    /// Whether anything was taken out so far.
    pub const fn changed(&self) -> bool {
        self.changed
    }

    /// Bytes that are held back, at most 64 KiB.
    pub const fn buffered(&self) -> usize {
        0
    }
}

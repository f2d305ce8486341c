//! Signatures that were found right before, so that a token that comes with every request is checked once.
//!
//! Checking Ed25519 takes 0.4 ms in a VM, more than everything else about a request together; looking here takes a
//! microsecond. What is remembered is a keyed hash of the whole token, which nobody can aim at without the key, and
//! only that its signature is right: its key, its claims and its time are looked at each time.
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::hash::HashKey;

/// Tokens remembered, 8 bytes each; a later one takes the place of an earlier one.
const PLACES: u64 = 1024;

/// The tags of tokens whose signatures are right. Safe to share, because one write is one whole tag.
pub(crate) struct Seen {
    places: Vec<AtomicU64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Seen {
    /// Names a token; never zero, which stands for no token.
    pub(super) fn tag(key: &HashKey, token: &[u8]) -> u64 {
        key.hash64("attestation", &[token]) | 1 << 63
    }

    pub(super) fn contains(&self, tag: u64) -> bool {
        self.place(tag)
            .is_some_and(|place| place.load(Ordering::Relaxed) == tag)
    }

    pub(super) fn insert(&self, tag: u64) {
        if let Some(place) = self.place(tag) {
            place.store(tag, Ordering::Relaxed);
        }
    }

    fn place(&self, tag: u64) -> Option<&AtomicU64> {
        self.places.get(usize::try_from(tag % PLACES).ok()?)
    }
}

/// Tags tell nobody anything.
impl core::fmt::Debug for Seen {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seen")
    }
}

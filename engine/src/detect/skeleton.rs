//! The skeleton of a text: its stop words, marks and lines, with what it is about left out.
//!
//! Survives other words in a template's slots as long as the slots are short. Coarse on its own: one to
//! four in a hundred pairs of unrelated prompts share one, so it hints and never proves.
use super::mix::{join, mix, upper};

/// Tokens read from the start.
const HEAD: usize = 48;
/// Tokens read from the end.
const TAIL: usize = 24;
/// A skeleton with fewer stop words, marks and lines than this says nothing.
const LEAST: usize = 6;

const CONTENT: u64 = 1;

/// Takes tokens, gives their hash.
#[derive(Clone, Debug)]
pub(super) struct Skeleton {
    hash: u64,
    head: usize,
    /// The latest tokens after the head, as a ring.
    tail: [u64; TAIL],
    tail_seen: usize,
    bones: usize,
    after_content: bool,
}

impl Skeleton {
    pub(super) const fn new() -> Self {
        Self {
            hash: 0,
            head: 0,
            tail: [0; TAIL],
            tail_seen: 0,
            bones: 0,
            after_content: false,
        }
    }

    /// A stop word, mark or line.
    #[inline]
    pub(super) fn bone(&mut self, token: u64) {
        self.after_content = false;
        self.bones = self.bones.saturating_add(1);
        self.token(token);
    }

    /// A word of content; a run of them counts as one.
    #[inline]
    pub(super) fn content(&mut self) {
        if !self.after_content {
            self.after_content = true;
            self.token(CONTENT);
        }
    }

    #[inline]
    fn token(&mut self, token: u64) {
        if self.head < HEAD {
            self.head = self.head.saturating_add(1);
            self.hash = join(self.hash, token);
        } else if let Some(slot) = self.tail.get_mut(self.tail_seen % TAIL) {
            *slot = token;
            self.tail_seen = self.tail_seen.saturating_add(1);
        }
    }

    /// The hash; 0 when there is too little to tell texts apart.
    pub(super) fn finish(self) -> u32 {
        if self.bones < LEAST {
            return 0;
        }
        let oldest = self.tail_seen.saturating_sub(TAIL);
        let hash = (oldest..self.tail_seen)
            .filter_map(|nth| self.tail.get(nth % TAIL))
            .fold(self.hash, |hash, &token| join(hash, token));
        upper(mix(hash)).max(1)
    }
}

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

#[cfg(test)]
mod tests {
    use super::super::printer::UserPrint;

    fn skeleton(text: &str) -> u32 {
        UserPrint::of(text).skeleton
    }

    #[test]
    fn other_content_leaves_the_skeleton_and_another_structure_changes_it() {
        let one = skeleton(
            "Write a function that sorts integers.\n\nInput: numbers 5\nOutput: the list, please.",
        );

        assert_ne!(one, 0);
        assert_eq!(
            one,
            skeleton(
                "Write a poem that mentions red roses.\n\nInput: flowers\nOutput: the verses, please."
            )
        );
        assert_ne!(
            one,
            skeleton(
                "Write a poem that mentions roses. Input: flowers\nOutput: the verses, please."
            )
        );
        assert_ne!(
            one,
            skeleton(
                "Write a poem and mention roses.\n\nInput: flowers\nOutput: the verses, please."
            )
        );
    }

    #[test]
    fn too_little_structure_has_no_skeleton() {
        assert_eq!(skeleton("what is gravity?"), 0);
        assert_eq!(skeleton(""), 0);
    }

    #[test]
    fn only_head_and_tail_of_a_long_text_count() {
        let text = |middle: &str| {
            [
                "the a of, ".repeat(20),
                middle.repeat(30),
                "and if not. ".repeat(10),
            ]
            .concat()
        };

        assert_eq!(
            skeleton(&text("to be or; ")),
            skeleton(&text("by; which - "))
        );
    }
}

//! Texts that many accounts begin to share: shingles seen from many distinct accounts now, and not
//! from the aged and trusted accounts of the weeks before.
//!
//! A cell is four bitmaps of eight account classes (linear counting, Whang et al. 1990): of this half
//! day, of the one before, of the trusted accounts in this span of days, and of those in the span
//! before. A shingle has two cells in one cache line, and both must agree, so a stranger has to share
//! both. Bits are only ever set between two turns of a generation: merging two sketches is OR, in any
//! order, any number of times.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "indices are masked to the table's length, which is a power of two"
)]
use alloc::{vec, vec::Vec};

/// Account classes seen that make a shingle emergent: 6 of 8 bits stand for about 11 accounts.
const EMERGENT_BITS: u32 = 6;
/// Classes of trusted accounts that make a shingle known: about 4 accounts.
const KNOWN_BITS: u32 = 3;
/// Cells of one cache line.
const LINE: usize = 16;

/// Counts the distinct accounts behind each shingle, approximately and in fixed memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergence {
    cells: Vec<u32>,
}

/// Which bitmaps of a cell: one byte each.
const NOW: u32 = 0;
const BEFORE: u32 = 8;
const TRUSTED_NOW: u32 = 16;
const TRUSTED_BEFORE: u32 = 24;

impl Emergence {
    /// A sketch of `cells` cells, rounded up to a power of two, at least one cache line; 4 bytes each.
    pub fn new(cells: usize) -> Self {
        Self {
            cells: vec![0; cells.next_power_of_two().max(LINE)],
        }
    }

    /// Bytes that it occupies.
    pub fn bytes(&self) -> usize {
        self.cells.len() * 4
    }

    fn places(&self, shingle: u64) -> (usize, usize) {
        let mixed = shingle.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line = (mixed >> 24) as usize & (self.cells.len() - 1) & !(LINE - 1);
        let first = (mixed >> 8) as usize & (LINE - 1);
        let step = ((mixed >> 12) as usize & (LINE - 1)) | 1;
        (line | first, line | ((first + step) & (LINE - 1)))
    }

    fn cell(&self, shingle: u64) -> (u32, u32) {
        let (one, two) = self.places(shingle);
        let cell = |at: usize| self.cells.get(at).copied().unwrap_or_default();
        (cell(one), cell(two))
    }

    /// An account sends `shingle`. `class` is any well-spread hash of the account (or of its
    /// organization, if that answers for it). O(1).
    pub fn see(&mut self, shingle: u64, class: u64, trusted: bool) {
        let bit = 1_u32 << (class & 7);
        let bits = bit << NOW | if trusted { bit << TRUSTED_NOW } else { 0 };
        let (one, two) = self.places(shingle);
        for at in [one, two] {
            if let Some(cell) = self.cells.get_mut(at) {
                *cell |= bits;
            }
        }
    }

    /// Whether many accounts send it now that no trusted accounts sent before.
    pub fn is_emergent(&self, shingle: u64) -> bool {
        let (one, two) = self.cell(shingle);
        let now = |cell: u32| ((cell >> NOW | cell >> BEFORE) & 0xff).count_ones();
        let known = |cell: u32| (cell >> TRUSTED_BEFORE & 0xff).count_ones();
        now(one) >= EMERGENT_BITS
            && now(two) >= EMERGENT_BITS
            && !(known(one) >= KNOWN_BITS && known(two) >= KNOWN_BITS)
    }

    /// Whether at least two account classes sent it of late.
    pub fn is_shared(&self, shingle: u64) -> bool {
        let (one, two) = self.cell(shingle);
        let now = |cell: u32| ((cell >> NOW | cell >> BEFORE) & 0xff).count_ones();
        now(one) >= 2 && now(two) >= 2
    }

    /// Begins the next half day: what was seen until now is `before`, and older bits are forgotten.
    pub fn turn(&mut self) {
        for cell in &mut self.cells {
            *cell = *cell & 0xffff_0000 | (*cell & 0xff) << BEFORE;
        }
    }

    /// Begins the next span of trusted accounts: only what they sent in the span that ends is known from now on.
    pub fn turn_trusted(&mut self) {
        for cell in &mut self.cells {
            *cell = *cell & 0xffff | (*cell >> TRUSTED_NOW & 0xff) << TRUSTED_BEFORE;
        }
    }

    /// Adds what `other` saw. Commutative, associative, idempotent. Both must have the same number of cells.
    pub fn merge(&mut self, other: &Self) {
        for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
            *cell |= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(events: &[(u64, u64, bool)]) -> Emergence {
        let mut sketch = Emergence::new(1 << 10);
        for (shingle, class, trusted) in events {
            sketch.see(*shingle, *class, *trusted);
        }
        sketch
    }

    #[test]
    fn a_shingle_of_many_accounts_emerges_and_one_of_few_does_not() {
        let mut sketch = Emergence::new(1 << 16);
        for account in 0..40_u64 {
            sketch.see(1, account.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7, false);
        }
        for account in 0..4 {
            sketch.see(2, account, false);
        }

        assert!(sketch.is_emergent(1));
        assert!(!sketch.is_emergent(2) && sketch.is_shared(2));
        assert!(!sketch.is_shared(3));
    }

    #[test]
    fn what_trusted_accounts_sent_in_an_earlier_span_never_emerges() {
        let mut sketch = Emergence::new(1 << 16);
        for account in 0..8 {
            sketch.see(1, account, true);
        }
        assert!(sketch.is_emergent(1), "their own span does not count yet");

        sketch.turn_trusted();

        assert!(!sketch.is_emergent(1));
    }

    #[test]
    fn two_half_days_of_silence_forget_a_shingle_and_one_does_not() {
        let mut sketch = Emergence::new(1 << 16);
        for account in 0..8 {
            sketch.see(1, account, false);
        }
        sketch.turn();
        assert!(sketch.is_emergent(1));
        sketch.turn();
        assert!(!sketch.is_emergent(1));
    }

    #[test]
    fn strangers_do_not_make_a_shingle_emerge_even_when_the_sketch_is_crowded() {
        let mut sketch = Emergence::new(1 << 16);
        let mut state = 1_u64;
        for shingle in 0..(3_u64 << 16) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sketch.see(shingle << 20, state >> 40, false);
        }

        let emergent = (0..100_000_u64)
            .filter(|probe| sketch.is_emergent(probe << 20 | 7))
            .count();
        assert!(
            emergent < 300,
            "{emergent} of 100,000 at six sightings a cell"
        );
    }

    proptest! {
        #[test]
        fn merging_is_commutative_associative_and_idempotent_and_equals_seeing_it_all(
            events in proptest::collection::vec((0_u64..50, any::<u64>(), any::<bool>()), 0..120),
            cut in 0_usize..120,
        ) {
            let (left, right) = events.split_at(cut.min(events.len()));
            let (a, b, all) = (seen(left), seen(right), seen(&events));

            let mut ab = a.clone();
            ab.merge(&b);
            let mut ba = b.clone();
            ba.merge(&a);
            prop_assert_eq!(&ab, &ba);
            prop_assert_eq!(&ab, &all);
            ab.merge(&b);
            prop_assert_eq!(&ab, &all);
        }
    }
}

//! How many accounts share a key, approximately, in fixed memory: a count-min sketch with small saturating
//! counters (Cormode and Muthukrishnan, J. Algorithms 2005).
//!
//! Never too low. Too high by more than `e * keys / cells` with probability `e^-2` at most. Adding two
//! tallies of different accounts commutes.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "indices are masked to the table's length, which is a power of two"
)]
use alloc::{vec, vec::Vec};

/// Counts accounts by key, up to 255.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    cells: Vec<u8>,
}

impl Tally {
    /// A tally of `cells` one-byte cells, rounded up to a power of two.
    pub(super) fn new(cells: usize) -> Self {
        Self {
            cells: vec![0; cells.next_power_of_two().max(64)],
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.cells.len()
    }

    fn places(&self, key: u64) -> [usize; 2] {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mask = self.cells.len() - 1;
        [(mixed >> 32) as usize & mask, (mixed >> 5) as usize & mask]
    }

    /// One more account has `key`.
    pub(super) fn add(&mut self, key: u64) {
        // Conservative update: only the smaller counter can be too low.
        let count = self.count(key);
        for at in self.places(key) {
            if let Some(cell) = self
                .cells
                .get_mut(at)
                .filter(|cell| u32::from(**cell) == count)
            {
                *cell = cell.saturating_add(1);
            }
        }
    }

    /// Accounts with `key`; 255 stands for all above.
    pub(super) fn count(&self, key: u64) -> u32 {
        let counts = self
            .places(key)
            .map(|at| self.cells.get(at).copied().unwrap_or_default());
        counts.into_iter().min().map_or(0, u32::from)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.cells.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_count_is_never_too_low_and_stops_at_its_limit(
            keys in proptest::collection::vec(0_u64..40, 0..900),
        ) {
            let mut tally = Tally::new(1 << 12);
            let mut exact = BTreeMap::<u64, u32>::new();
            for key in keys {
                tally.add(key);
                *exact.entry(key).or_default() += 1;
            }
            for (key, count) in exact {
                prop_assert!(tally.count(key) >= count.min(255));
            }
        }
    }

    #[test]
    fn a_full_tally_overestimates_few_keys() {
        let mut tally = Tally::new(1 << 14);
        for key in 0..8_000_u64 {
            tally.add(key << 13 | 5);
        }
        let wrong = (0..8_000_u64)
            .filter(|key| tally.count(key << 13 | 5) > 2)
            .count();
        assert!(wrong < 400, "{wrong}");
    }
}

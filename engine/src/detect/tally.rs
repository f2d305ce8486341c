//! How many accounts share a key, approximately, in fixed memory: a count-min sketch with small saturating
//! counters (Cormode and Muthukrishnan, J. Algorithms 2005).
//!
//! Never too low, up to 255. Both counters of a key lie in one cache line and depend on one another, so the
//! usual bound does not hold; measured: with one key for two cells, fewer than one in ten that occur once are
//! counted above 2 (`a_full_tally_overestimates_few_keys`).
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "indices are masked to the table's length, which is a power of two"
)]
use alloc::{vec, vec::Vec};

/// Cells of one cache line, two bytes each.
const LINE: usize = 32;

/// Counts accounts by key, up to 255, pass by pass: what is added becomes visible when the pass turns.
///
/// Both passes' counters of a key, in both of its rows, share one cache line: a pass looks up some
/// twenty keys for every account, and waiting for memory is what that costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    cells: Vec<[u8; 2]>,
    odd: bool,
}

impl Tally {
    /// A tally of `cells` cells of two bytes, rounded up to a power of two.
    pub(super) fn new(cells: usize) -> Self {
        Self {
            cells: vec![[0; 2]; cells.next_power_of_two().max(LINE)],
            odd: false,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.cells.len() * 2
    }

    fn places(&self, key: u64) -> [usize; 2] {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let line = (mixed >> 24) as usize & (self.cells.len() - 1) & !(LINE - 1);
        let first = (mixed >> 5) as usize & (LINE - 1);
        let step = ((mixed >> 12) as usize & (LINE - 1)) | 1;
        [line | first, line | ((first + step) & (LINE - 1))]
    }

    fn least(&self, key: u64, odd: bool) -> u8 {
        let pick = |cell: &[u8; 2]| if odd { cell[1] } else { cell[0] };
        let counts = self
            .places(key)
            .map(|at| self.cells.get(at).map_or(0, pick));
        counts.into_iter().min().unwrap_or_default()
    }

    /// One more account has `key` in this pass.
    pub(super) fn add(&mut self, key: u64) {
        // Conservative update: only the smaller counter can be too low.
        let odd = !self.odd;
        let count = self.least(key, odd);
        for at in self.places(key) {
            if let Some([even_count, odd_count]) = self.cells.get_mut(at) {
                let counter = if odd { odd_count } else { even_count };
                if *counter == count {
                    *counter = counter.saturating_add(1);
                }
            }
        }
    }

    /// Accounts that had `key` in the pass before; 255 stands for all above.
    pub(super) fn count(&self, key: u64) -> u32 {
        u32::from(self.least(key, self.odd))
    }

    /// Ends the pass: what was added is what is counted from now on, until the next turn.
    pub(super) fn turn(&mut self) {
        self.odd = !self.odd;
        let odd = self.odd;
        for [even_count, odd_count] in &mut self.cells {
            *(if odd { even_count } else { odd_count }) = 0;
        }
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
            tally.turn();
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
        assert_eq!(
            tally.count(5),
            0,
            "nothing shows before the pass has turned"
        );
        tally.turn();
        let wrong = (0..8_000_u64)
            .filter(|key| tally.count(key << 13 | 5) > 2)
            .count();
        assert!(wrong < 800, "{wrong}");
        tally.turn();
        assert_eq!(tally.count(5), 0, "a pass without it forgets a key");
    }
}

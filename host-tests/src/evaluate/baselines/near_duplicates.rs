//! B5: the share of an account's first turns that resemble an earlier one, as in SEAT.
//!
//! SEAT compares embeddings; here the shingles of the print stand in for them, so rewritten text is
//! missed sooner than by the original. Candidates come from min-hash tables of fixed size, so old
//! texts are forgotten; two texts with Jaccard 0.5 meet with probability 1 - 0.5^4 = 94 %.
use super::{Baseline, Scores};
use weir_engine::detect::{FieldPrint, Observation};

/// Independent min-hashes.
const TABLES: usize = 4;
/// Slots of a table, a power of two; 68 bytes each.
const SLOTS: usize = 1 << 16;
/// Requests before a share means anything.
const FEWEST: u32 = 10;
/// Shingles below which a text is too short to resemble anything.
const SHORTEST: u8 = 4;

#[derive(Clone, Copy, Default)]
struct Print {
    shingles: [u32; 16],
    len: u8,
}

impl Print {
    fn of(field: &FieldPrint) -> Option<Self> {
        let len = field.len.min(16);
        if len < SHORTEST {
            return None;
        }
        let mut shingles = field.shingles;
        shingles.get_mut(..usize::from(len))?.sort_unstable();
        Some(Self { shingles, len })
    }
    fn as_slice(&self) -> &[u32] {
        self.shingles
            .get(..usize::from(self.len))
            .unwrap_or_default()
    }
    /// Jaccard >= 0.5, that is, at least a third of both together is in common.
    fn resembles(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self.as_slice(), other.as_slice());
        let together = left.len() + right.len();
        let mut common = 0;
        while let (Some((a, rest_a)), Some((b, rest_b))) = (left.split_first(), right.split_first())
        {
            common += usize::from(a == b);
            if a <= b {
                left = rest_a;
            }
            if b <= a {
                right = rest_b;
            }
        }
        common * 3 >= together && common > 0
    }
    fn min_hash(&self, table: usize) -> u32 {
        let factor = [0x9e37_79b1_u32, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f]
            .get(table)
            .copied()
            .unwrap_or(1);
        self.as_slice()
            .iter()
            .map(|shingle| {
                let mixed = shingle.wrapping_mul(factor);
                (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d)
            })
            .min()
            .unwrap_or(0)
    }
}

/// Scores an account by the share of its requests that resemble an earlier one of anybody.
pub struct NearDuplicates {
    tables: Vec<Vec<Print>>,
    counts: Vec<(u32, u32)>,
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self {
            tables: vec![vec![Print::default(); SLOTS]; TABLES],
            counts: Vec::new(),
        }
    }
}

impl Baseline for NearDuplicates {
    fn name(&self) -> &'static str {
        "B5 near duplicates"
    }
    fn observe(&mut self, account: u32, observation: &Observation) {
        let Some(print) = Print::of(&observation.prompt.user) else {
            return;
        };
        let mut seen = false;
        for (index, table) in self.tables.iter_mut().enumerate() {
            let slot = (print.min_hash(index).wrapping_mul(0x9e37_79b1) >> 16) as usize;
            if let Some(kept) = table.get_mut(slot) {
                seen = seen || kept.resembles(&print);
                *kept = print;
            }
        }
        let account = account as usize;
        if self.counts.len() <= account {
            self.counts.resize(account + 1, (0, 0));
        }
        if let Some((similar, all)) = self.counts.get_mut(account) {
            *similar += u32::from(seen);
            *all += 1;
        }
    }
    fn end_day(&mut self, scores: &mut Scores) {
        for (account, (similar, all)) in self.counts.iter().enumerate() {
            if *all >= FEWEST {
                scores.raise(account, *similar as f32 / *all as f32);
            }
        }
    }
    fn finish(&mut self, _: &mut Scores) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(shingles: [u32; 6]) -> Observation {
        let mut observation = Observation::default();
        let field = &mut observation.prompt.user;
        field.len = 6;
        for (kept, shingle) in field.shingles.iter_mut().zip(shingles) {
            *kept = shingle;
        }
        observation
    }

    #[test]
    fn an_account_of_variations_scores_high_and_one_of_new_texts_low() {
        let (mut method, mut scores) = (NearDuplicates::default(), Scores::default());
        for round in 0..20_u32 {
            method.observe(0, &text([1, 2, 3, 4, 5, 1000 + round]));
            let own = 10_000 + 100 * round;
            method.observe(
                1,
                &text([own, own + 7, own + 13, own + 20, own + 31, own + 44]),
            );
        }
        method.end_day(&mut scores);

        assert!(scores.get(0) > 0.8, "{}", scores.get(0));
        assert!(scores.get(1) < 0.05, "{}", scores.get(1));
    }

    #[test]
    fn half_in_common_resembles_and_less_does_not() {
        let print = |shingles| Print::of(&text(shingles).prompt.user).unwrap();
        let base = print([1, 2, 3, 4, 5, 6]);

        assert!(base.resembles(&print([3, 4, 5, 6, 7, 8])));
        assert!(!base.resembles(&print([4, 5, 6, 7, 8, 9])));
        assert!(!Print::default().resembles(&base));
    }

    #[test]
    fn few_requests_and_short_texts_give_no_score() {
        let (mut method, mut scores) = (NearDuplicates::default(), Scores::default());
        for _ in 0..5 {
            method.observe(0, &text([1, 2, 3, 4, 5, 6]));
        }
        for _ in 0..50 {
            method.observe(1, &Observation::default());
        }
        method.end_day(&mut scores);

        assert_eq!((scores.get(0), scores.get(1)), (0.0, 0.0));
    }
}

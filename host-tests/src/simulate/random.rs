//! Seeded randomness and the few distributions that traffic needs.
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// Streams that one seed is split into, so that drawing more of one thing leaves the others alone.
pub(super) const EXCHANGES: u64 = 1;
pub(super) const ARRIVALS: u64 = 2;
pub(super) const TEXTS: u64 = 3;
pub(super) const ACCOUNTS: u64 = 4;
pub(super) const SESSIONS: u64 = 5;

/// A generator; the same arguments give the same numbers on every machine.
pub(crate) struct Random(Pcg64Mcg);

impl Random {
    /// Stream `stream` of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(mix(seed, stream)))
    }
    /// Every 64-bit number equally.
    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// 0 to 1, 1 excluded.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// 0 to `bound`, excluded; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
    /// True with probability `share`.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }
    /// One of `items`, all equally likely.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> Option<&'a T> {
        items.get(self.below(items.len())).copied()
    }
    /// One of `items`, the first the likeliest (linearly falling).
    pub(crate) fn pick_skewed<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> Option<&'a T> {
        items
            .get(self.below(items.len()).min(self.below(items.len())))
            .copied()
    }
    /// Exponential with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
    /// Log-normal by Box and Muller.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let normal =
            (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }
}

/// A well-spread number for a pair (the finaliser of SplitMix64).
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_add(b.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

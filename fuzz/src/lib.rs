//! What the fuzzers hold the engine to.
//!
//! Each target takes any bytes and panics where a promise is broken: the code trusts nothing that a client
//! sends, and says the same however the network cuts it. Without a fuzzer, tests run every target on its
//! seeds and on damaged ones.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is how a target says that a promise is broken"
)]

pub mod attestation;
pub mod facts;
pub mod seeds;
pub mod shaper;
#[cfg(test)]
mod tests;

use weir_engine::endpoint::Endpoint;

/// The endpoint that `byte`, the first one of an input, stands for.
fn endpoint_of(byte: u8) -> Endpoint {
    let index = usize::from(byte) % Endpoint::ALL.len();
    Endpoint::ALL
        .get(index)
        .copied()
        .unwrap_or(Endpoint::Unknown)
}

/// A sequence of numbers that a seed decides.
struct Numbers(u64);

impl Numbers {
    /// The next number, below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = usize::try_from(self.0 >> 33).unwrap_or_default();
        high.checked_rem(bound).unwrap_or_default()
    }
}

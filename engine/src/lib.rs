//! Facts in, verdict out: the part of Weir that decides.
//!
//! The engine knows no host. Time, randomness and storage come in as arguments, so the same
//! exchange gives the same verdict in Envoy, in our wasmtime host and in a native replay.
#![no_std]
#![forbid(unsafe_code)]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_cmp
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "tests run with overflow checks"
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod capability;
pub mod decision;
pub mod denial;
pub mod endpoint;
pub mod evaluate;
pub mod exchange;
pub mod facts;
pub mod hash;
pub mod identity;
mod json;
pub mod ledger;
pub mod policy;
pub mod size;
mod sse;
pub mod store;
pub mod table;
pub mod time;
pub mod usage;
pub mod verdict;
pub mod window;

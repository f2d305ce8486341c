//! Facts in, verdict out: the part of Weir that decides.
//!
//! The engine knows no host. Time, randomness and storage come in as arguments, so the same
//! exchange gives the same verdict in Envoy, in our wasmtime host and in a native replay.
//!
//! ```
//! use weir_engine::{
//!     evaluate::Body, exchange::Exchange, hash::HashKey, identity::NoProperties, ledger::Ledger,
//!     policy::Policy, store::MemoryStore, time::Timestamp,
//! };
//!
//! let checked = Policy::check(br#"{
//!     "apiVersion": "weir/v1", "kind": "Policy",
//!     "metadata": {"name": "example", "version": "1", "owner": "team"},
//!     "identity": {"account": [{"header": "x-account-id"}]},
//!     "capabilities": {"logprobs": {"anyOf": [{"logprobs": {}}]}},
//!     "tiers": [{"name": "everyone", "grants": []}],
//!     "rollout": {"mode": "enforce"}
//! }"#, None);
//! let policy = checked.policy.ok_or("refused")?;
//! let key = HashKey::new([7; 16]); // from a random source
//! let now = Timestamp::parse_rfc3339("2026-05-01T12:00:00Z").ok_or("no time")?;
//! let (mut ledger, mut store) = (Ledger::new(policy.layout()), MemoryStore::new());
//!
//! let headers: [(&[u8], &[u8]); 3] =
//!     [(b":method", b"POST"), (b":path", b"/v1/chat/completions"), (b"x-account-id", b"a-17")];
//! let mut exchange = Exchange::begin(&policy, &key, headers.into_iter(), &NoProperties, now);
//! let body = Body::Whole(br#"{"model": "m", "messages": [], "logprobs": true}"#);
//! let answer = exchange.decide(&policy, &key, body, &mut ledger, &mut store);
//!
//! assert_eq!(answer.into_denial().map(|denial| denial.status), Some(403));
//! # Ok::<(), &str>(())
//! ```
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

pub mod attestation;
pub mod capability;
pub mod charging;
pub mod decision;
pub mod denial;
pub mod detect;
pub mod endpoint;
pub mod evaluate;
pub mod exchange;
pub mod facts;
pub mod guard;
pub mod hash;
pub mod identity;
mod json;
pub mod ledger;
pub mod network;
pub mod origin;
pub mod policy;
mod rate_limit;
pub mod shaping;
pub mod size;
mod sse;
pub mod store;
pub mod table;
pub mod time;
pub mod trial;
pub mod usage;
pub mod verdict;
pub mod window;

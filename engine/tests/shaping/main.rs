//! Shaping of requests and responses, from outside.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod corpus;
mod generated;
mod limits;
mod memory;
mod requests;
mod responses;
mod rules;
mod shaped;
mod untouched;

//! The host's behaviour, seen through small guests in `guests/`.
#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a failed test"
)]

#[path = "suite/fixture.rs"]
mod fixture;

#[path = "suite/failure.rs"]
mod failure; // traps, hangs, reloads
#[path = "suite/flow.rs"]
mod flow; // pausing, buffering, resuming
#[path = "suite/headers.rs"]
mod headers; // header maps by phase
#[path = "suite/lifecycle.rs"]
mod lifecycle; // start-up, configuration, order of callbacks
#[path = "suite/limits.rs"]
mod limits; // memory that stays bounded
#[path = "suite/local_reply.rs"]
mod local_reply; // replies by phase
#[path = "suite/memory.rs"]
mod memory; // pointers and status codes
#[path = "suite/properties.rs"]
mod properties; // attributes and filter state
#[path = "suite/shared_data.rs"]
mod shared_data; // CAS rules, threads, the engine's port

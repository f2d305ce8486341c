//! What the ledger promises: its behaviour in examples, against models, and under real threads.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]

mod behaviour; // one promise, one example
mod eviction; // who stays when the table is too small
mod faults; // conflicts, failing stores, dying workers
mod hostcalls; // what an exchange costs
mod lease_model; // random histories of those
mod leases; // what counts while an exchange is under way
mod marks; // since when something is true of an account
mod model; // random histories against a list of events
mod stores; // stores that several ledgers share, that count and that fail on demand
mod threads; // the same races for real

use std::time::Duration;

use weir_engine::{
    hash::HashKey,
    ledger::{Admission, Charge, Ledger, Reservation},
    store::CounterStore,
    table::Layout,
    time::Timestamp,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Some moment, and `millis` after it.
fn at(millis: u64) -> Timestamp {
    Timestamp::parse_rfc3339("2026-04-22T08:00:00.123Z")
        .unwrap()
        .saturating_add(Duration::from_millis(millis))
}

/// The hash of account number `account`.
fn owner(account: u32) -> u64 {
    HashKey::new([7; 16]).hash64("account", &[&account.to_le_bytes()])
}

/// A charge of `amount` on a minute's budget of `limit`.
fn charge(account: u32, limit: u32, amount: u32) -> Charge {
    Charge {
        owner: owner(account),
        budget: 1,
        window: MINUTE,
        limit,
        amount,
        lease: false,
    }
}

/// A ledger over 16 MiB.
fn ledger() -> Ledger {
    Ledger::new(Layout::within(16 << 20))
}

fn granted(admission: Admission) -> Reservation {
    match admission {
        Admission::Granted(reservation) => reservation,
        refused @ Admission::Refused { .. } => panic!("{refused:?}"),
    }
}

/// Whether everything was granted; the reservation is dropped.
fn passes(
    ledger: &mut Ledger,
    charges: &[Charge],
    now: Timestamp,
    store: &mut impl CounterStore,
) -> bool {
    matches!(
        ledger.reserve(charges, now, store),
        Ok(Admission::Granted(_))
    )
}

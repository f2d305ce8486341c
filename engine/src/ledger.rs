//! Charging several budgets as one: reserve on request, settle on usage, nothing charged when anything refuses.
use crate::{
    store::{CounterStore, StoreError},
    table::Layout,
    time::Timestamp,
};
use core::time::Duration;

/// One budget that an exchange draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Hash of who is charged (dimension and key); decides the bucket, so that all budgets of one account share it.
    pub owner: u64,
    /// Hash of which budget (name, unit, window); with `owner` names the record.
    pub budget: u64,
    /// Length of the window.
    pub window: Duration,
    /// Most that may be charged in any window, in the budget's unit.
    pub limit: u32,
    /// What to reserve; clamped to `limit`, so that a single large request can pass when nothing else is charged.
    pub amount: u32,
}

/// What an admitted exchange holds until it is settled.
#[derive(Clone, Debug, Default)]
pub struct Reservation {}

/// Outcome of a reservation.
#[derive(Clone, Debug)]
pub enum Admission {
    /// All charges fit and are reserved.
    Granted(Reservation),
    /// Nothing was charged.
    Refused {
        /// Index into the charges: the one that would hold longest.
        charge: usize,
        /// What its window already holds.
        used: u64,
        /// The earliest time after which the same request would fit if nothing else were charged meanwhile.
        retry_after: Duration,
    },
}

/// One worker's view of the shared counters: reserves at once, settles in batches.
#[derive(Debug)]
pub struct Ledger {
    /// Where records live.
    pub layout: Layout,
}

impl Ledger {
    /// A ledger over a table of `layout`.
    pub fn new(layout: Layout) -> Self {
        Self { layout }
    }
    /// Reserves every charge or none.
    pub fn reserve(
        &mut self,
        _charges: &[Charge],
        _now: Timestamp,
        _store: &mut impl CounterStore,
    ) -> Result<Admission, StoreError> {
        Ok(Admission::Granted(Reservation::default()))
    }
    /// Replaces what `reservation` holds by `actual` (same order as the charges; `None` keeps the reserved amount).
    pub fn settle(
        &mut self,
        _reservation: Reservation,
        _actual: &[Option<u32>],
        _now: Timestamp,
        _store: &mut impl CounterStore,
    ) {
    }
    /// Writes queued settlements of at most `max_buckets` buckets; returns how many settlements still wait.
    pub fn flush(
        &mut self,
        _max_buckets: usize,
        _now: Timestamp,
        _store: &mut impl CounterStore,
    ) -> usize {
        0
    }
    /// stub
    pub fn stats(&self) -> LedgerStats {
        LedgerStats::default()
    }
    /// Settlements that wait.
    pub fn pending(&self) -> usize {
        0
    }
}

/// Counts since the ledger was made.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerStats {
    /// a
    pub conflicts: u64,
    /// b
    pub retries_exhausted: u64,
    /// c
    pub evictions: u64,
    /// d
    pub corrupt_buckets: u64,
    /// e
    pub pending: u64,
    /// f
    pub dropped: u64,
}

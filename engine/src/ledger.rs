//! Charging several budgets as one: reserve on request, settle on usage, nothing charged when anything refuses.
//!
//! A reservation is written at once, so that all workers see it. Settlements wait in the worker and go out with its next
//! reservation in the same bucket or on a tick; its own reservations see them before. A worker that dies settles nothing:
//! what it had reserved stays charged until the window has passed, so a crash can cost clients room but never give any away
//! (only debt beyond the reserved amount, settled in its last tick, is forgotten).
mod attempt;
mod leases;
mod marks;
mod page;
mod queue;
mod reservation;

use alloc::vec::Vec;
use core::{mem, time::Duration};

use crate::{
    store::{CounterStore, StoreError, Swap},
    table::{Layout, RecordId},
    time::Timestamp,
    window::Span,
};
use attempt::{Attempt, Refusal, assign};
use leases::Leases;
use page::Page;
use queue::{Queue, Settlement};
pub use reservation::Reservation;
use reservation::{Held, Kind};

/// Tries to write one bucket before a call gives up. A try fails only because another worker's succeeded.
const MAX_TRIES: u32 = 32;
/// Buckets written when the queue of settlements is full: about a fifth of a millisecond in Envoy, at 3 us each.
const BUCKETS_WHEN_FULL: usize = 64;

/// One budget that an exchange draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Hash of who is charged (dimension and key); decides the bucket, so that all budgets of one account share it.
    pub owner: u64,
    /// Hash of which budget (name, unit, window); with `owner` names the record. The low 32 bits are kept.
    pub budget: u64,
    /// Length of the window, 1 s to 366 d.
    pub window: Duration,
    /// Most that may be charged in any window, in the budget's unit. Zero refuses every amount but zero.
    pub limit: u32,
    /// What to reserve; clamped to `limit`, so that a single large request can pass when nothing else is charged.
    /// Zero reserves nothing and is refused only by debt.
    pub amount: u32,
    /// Whether it is a lease: given back whole when the exchange ends, renewed while it goes on. `window` is then its
    /// timeout, after which the lease of a worker that died no longer counts.
    pub lease: bool,
}

impl Charge {
    fn id(&self) -> RecordId {
        RecordId::new(self.owner, self.budget, Span::of(self.window))
    }
}

/// Outcome of a reservation.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are granted, and a box would cost each of them an allocation"
)]
pub enum Admission {
    /// All charges fit and are reserved.
    Granted(Reservation),
    /// Nothing was charged.
    Refused {
        /// Index into the charges: the one that would hold longest; a lease only if nothing else refuses.
        charge: usize,
        /// What its window already holds.
        used: u64,
        /// The earliest time after which the same request would fit if nothing else were charged meanwhile; the window's
        /// length for a limit of zero, where there is none. A second for a lease, because others may be given back at any time.
        retry_after: Duration,
    },
}

/// What happened since the ledger was made; counts only grow, except `pending` and `leases`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// Writes that another worker's write made void.
    pub conflicts: u64,
    /// Buckets given up for the moment after 32 conflicts in a row.
    pub retries_exhausted: u64,
    /// Records with charges in their window that were given up for others: the table is too small.
    pub evictions: u64,
    /// Stored values that were not buckets and were overwritten.
    pub corrupt_buckets: u64,
    /// Windows that were begun anew because the clock had stepped back by more than their length.
    pub clock_resets: u64,
    /// Settlements that wait now.
    pub pending: u64,
    /// Leases that this worker's exchanges hold now.
    pub leases: u64,
    /// Leases that were dropped by whoever held them and given back by the ledger; a mistake of the host.
    pub abandoned: u64,
    /// Settlements lost because the queue was full and the store failed too: room that was not given back, debt that is forgotten.
    pub dropped: u64,
}

/// One worker's view of the shared counters: reserves at once, settles in batches.
#[derive(Debug)]
pub struct Ledger {
    /// Where records live.
    pub layout: Layout,
    queue: Queue,
    leases: Leases,
    /// Buffers for the buckets of one exchange, kept for the next.
    pages: Vec<Page>,
    /// Buffer for calls about one bucket.
    page: Page,
    stats: LedgerStats,
}

impl Ledger {
    /// A ledger over a table of `layout`.
    pub fn new(layout: Layout) -> Self {
        Self {
            layout,
            queue: Queue::default(),
            leases: Leases::default(),
            pages: Vec::new(),
            page: Page::default(),
            stats: LedgerStats::default(),
        }
    }

    /// Reserves every charge or none. One read and one write per distinct owner, each again for every conflict; a refusal
    /// only reads.
    ///
    /// Between workers, of several owners: a reservation that meets a refusal while it writes takes back what it wrote, and
    /// others may have been refused because of it meanwhile. No limit is ever exceeded by that.
    ///
    /// # Errors
    /// The store's own, [`StoreError::CONTENDED`] after 32 conflicts, [`StoreError::FULL`] when more than 18 charges meet in
    /// one bucket. Nothing is charged then; the policy says whether the exchange passes.
    pub fn reserve(
        &mut self,
        charges: &[Charge],
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<Admission, StoreError> {
        let mut pages = mem::take(&mut self.pages);
        let admission = self.reserve_on(&mut pages, charges, now, store);
        self.pages = pages;
        admission
    }

    /// Replaces what `reservation` holds by `actual` (same order as the charges; `None` keeps the reserved amount).
    ///
    /// The reserved amount goes back to the sub-window that it came from, the actual one is charged now, even beyond the
    /// limit: debt is carried. Leases are given back, whatever `actual` says of them. Calls the store only for leases that
    /// were not given back before, and when 4,096 settlements wait already.
    pub fn settle(
        &mut self,
        mut reservation: Reservation,
        actual: &[Option<u32>],
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        for (held, actual) in reservation.iter().zip(actual) {
            let actual = actual.filter(|actual| *actual != held.amount);
            if let (Kind::Use, Some(actual)) = (held.kind, actual) {
                self.settle_one(held, actual, now, store);
            }
        }
        self.release_leases(&mut reservation, now, store);
    }

    /// Gives back everything that `reservation` holds, for an exchange that did not happen.
    pub fn abort(
        &mut self,
        mut reservation: Reservation,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        for held in reservation.iter().filter(|held| held.kind == Kind::Use) {
            self.settle_one(held, 0, now, store);
        }
        self.release_leases(&mut reservation, now, store);
    }

    /// Renews the leases that are due, and writes queued settlements of at most `max_buckets` buckets; returns how many
    /// settlements still wait. Two calls per bucket; stops at the first failure of the store, after which nothing is lost.
    /// Call it several times a second while any exchange holds anything.
    pub fn flush(
        &mut self,
        max_buckets: usize,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> usize {
        self.renew_leases(now, store);
        self.write_buckets(max_buckets, now, store);
        self.pending()
    }

    /// What the record of `charge` holds now, as this worker sees it; one read.
    ///
    /// # Errors
    /// The store's own.
    pub fn used(
        &mut self,
        charge: &Charge,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<u64, StoreError> {
        let mut page = mem::take(&mut self.page);
        page.bucket = self.layout.bucket_of(charge.owner);
        let used = page
            .read(&self.queue, now, store)
            .map(|()| page.used(charge.id(), now));
        self.page = page;
        used
    }

    /// Settlements that wait.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// What happened so far.
    pub fn stats(&self) -> LedgerStats {
        LedgerStats {
            pending: u64::try_from(self.pending()).unwrap_or(u64::MAX),
            leases: u64::try_from(self.leases.len()).unwrap_or(u64::MAX),
            ..self.stats
        }
    }

    fn reserve_on(
        &mut self,
        pages: &mut Vec<Page>,
        charges: &[Charge],
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<Admission, StoreError> {
        let mut attempt = Attempt::new(charges, now);
        let buckets = charges
            .iter()
            .map(|charge| self.layout.bucket_of(charge.owner));
        let count = assign(pages, buckets);
        for page in pages.iter_mut().take(count) {
            page.read(&self.queue, now, store)?;
            attempt.charge_to(page, self.layout)?;
        }
        if let Some(refusal) = attempt.refusal {
            return Ok(refusal.into());
        }
        let mut written = 0_usize;
        while let Some(page) = pages.get_mut(written).filter(|_| written < count) {
            let stopped = match self.write_reserved(page, &mut attempt, store) {
                Ok(None) => {
                    written = written.saturating_add(1);
                    continue;
                }
                Ok(Some(refusal)) => Ok(refusal.into()),
                Err(error) => Err(error),
            };
            self.take_back(
                pages.get_mut(..written).unwrap_or_default(),
                &attempt,
                store,
            );
            return stopped;
        }
        let mut reservation = attempt.reservation;
        self.look_after(&mut reservation);
        Ok(Admission::Granted(reservation))
    }

    /// Writes a page of a reservation, checking it again after every conflict.
    fn write_reserved(
        &mut self,
        page: &mut Page,
        attempt: &mut Attempt<'_>,
        store: &mut impl CounterStore,
    ) -> Result<Option<Refusal>, StoreError> {
        for _ in 0..MAX_TRIES {
            if self.write(page, store)? == Swap::Done {
                return Ok(None);
            }
            page.read(&self.queue, attempt.now, store)?;
            attempt.charge_to(page, self.layout)?;
            if attempt.refusal.is_some() {
                return Ok(attempt.refusal);
            }
        }
        self.stats.retries_exhausted = self.stats.retries_exhausted.saturating_add(1);
        Err(StoreError::CONTENDED)
    }

    /// Writes what is queued for at most `max_buckets` buckets.
    fn write_buckets(&mut self, max_buckets: usize, now: Timestamp, store: &mut impl CounterStore) {
        for _ in 0..max_buckets {
            let Some(bucket) = self.queue.next_bucket() else {
                break;
            };
            // A bucket that only met conflicts waits for the next flush; a store that fails would fail again.
            let written = self.write_bucket(bucket, now, store);
            if written.is_err_and(|error| error != StoreError::CONTENDED) {
                break;
            }
        }
    }

    /// Writes what is queued for a bucket.
    fn write_bucket(
        &mut self,
        bucket: u32,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<(), StoreError> {
        let mut page = mem::take(&mut self.page);
        page.bucket = bucket;
        let written = self.write_queued(&mut page, now, store);
        self.page = page;
        written
    }

    /// Writes a page that holds nothing but queued settlements.
    fn write_queued(
        &mut self,
        page: &mut Page,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_TRIES {
            page.read(&self.queue, now, store)?;
            if self.write(page, store)? == Swap::Done {
                return Ok(());
            }
        }
        self.stats.retries_exhausted = self.stats.retries_exhausted.saturating_add(1);
        Err(StoreError::CONTENDED)
    }

    /// One try. When it succeeds, the settlements that were applied to the page no longer wait.
    fn write(&mut self, page: &Page, store: &mut impl CounterStore) -> Result<Swap, StoreError> {
        let swap = page.write(store)?;
        match swap {
            Swap::Done => {
                self.queue.remove(page.bucket);
                page.tally().add_to(&mut self.stats);
            }
            Swap::Conflict => self.stats.conflicts = self.stats.conflicts.saturating_add(1),
        }
        Ok(swap)
    }

    /// Undoes the pages of a reservation that were written before another page refused. What cannot be written now waits
    /// like any settlement.
    fn take_back(
        &mut self,
        written: &mut [Page],
        attempt: &Attempt<'_>,
        store: &mut impl CounterStore,
    ) {
        for held in attempt.reservation.iter() {
            let bucket = self.layout.bucket_of(held.id.owner);
            if written.iter().any(|page| page.bucket == bucket) {
                self.settle_one(held, 0, attempt.now, store);
            }
        }
        for page in written {
            // Failures keep it queued.
            let _ = self.write_queued(page, attempt.now, store);
        }
    }

    fn settle_one(
        &mut self,
        held: &Held,
        actual: u32,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        let Held {
            id,
            born,
            limit,
            amount,
            slot: reserved_in,
            kind,
            ..
        } = *held;
        let settlement = |slot, released, charged| Settlement {
            id,
            born,
            limit,
            slot,
            released,
            charged,
            lease: kind != Kind::Use,
        };
        let (slot, released, charged) = (id.span.slot(now), amount.into(), actual.into());
        if slot == reserved_in {
            self.enqueue(settlement(slot, released, charged), now, store);
        } else {
            self.enqueue(settlement(reserved_in, released, 0), now, store);
            self.enqueue(settlement(slot, 0, charged), now, store);
        }
    }

    fn enqueue(&mut self, settlement: Settlement, now: Timestamp, store: &mut impl CounterStore) {
        if settlement.released == 0 && settlement.charged == 0 {
            return;
        }
        let bucket = self.layout.bucket_of(settlement.id.owner);
        if self.queue.push(bucket, settlement) {
            return;
        }
        self.write_buckets(BUCKETS_WHEN_FULL, now, store);
        if !self.queue.push(bucket, settlement) {
            self.stats.dropped = self.stats.dropped.saturating_add(1);
        }
    }
}

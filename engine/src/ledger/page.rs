//! One bucket on its way through this worker: read, changed, written if nobody else wrote meanwhile.
use alloc::vec::Vec;
use core::time::Duration;

use super::{
    Charge, LedgerStats, leases,
    queue::{Queue, Settlement},
    reservation::{Held, Kind},
};
use crate::{
    store::{CounterStore, StoreError, Swap, Version},
    table::{self, Bucket, Found, Record, RecordId, Room},
    time::Timestamp,
};

/// A bucket's bytes with the version that they came from.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) bucket: u32,
    tally: Tally,
    version: Option<Version>,
    bytes: Vec<u8>,
    changed: bool,
}

/// What happens to other records when the page is written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    evictions: u64,
    corrupt_buckets: u64,
    clock_resets: u64,
}

impl Tally {
    pub(super) fn add_to(self, stats: &mut LedgerStats) {
        stats.evictions = stats.evictions.saturating_add(self.evictions);
        stats.corrupt_buckets = stats.corrupt_buckets.saturating_add(self.corrupt_buckets);
        stats.clock_resets = stats.clock_resets.saturating_add(self.clock_resets);
    }
}

/// What a page says to one charge.
pub(super) enum Outcome {
    Held(Held),
    Refused {
        used: u64,
        retry_after: Duration,
    },
    /// The exchange charges more budgets than a bucket has records.
    NoRoom,
}

impl Page {
    /// Reads the bucket and applies what this worker has queued for it, so that it sees its own settlements.
    pub(super) fn read(
        &mut self,
        queue: &Queue,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<(), StoreError> {
        self.version = store.get(&table::key(self.bucket), &mut self.bytes)?;
        let (_, found) = Bucket::open(&mut self.bytes, self.version.is_some(), now);
        self.tally = Tally {
            corrupt_buckets: u64::from(found == Found::Corrupt),
            ..Tally::default()
        };
        self.changed = false;
        for settlement in queue.of(self.bucket) {
            self.settle(settlement, now);
        }
        Ok(())
    }

    /// Writes the bucket if it was changed.
    pub(super) fn write(&self, store: &mut impl CounterStore) -> Result<Swap, StoreError> {
        if !self.changed {
            return Ok(Swap::Done);
        }
        store.compare_and_swap(&table::key(self.bucket), &self.bytes, self.version)
    }

    /// What writing the page does besides charging.
    pub(super) fn tally(&self) -> Tally {
        if self.changed {
            self.tally
        } else {
            Tally::default()
        }
    }

    /// What the record named `id` holds.
    pub(super) fn used(&mut self, id: RecordId, now: Timestamp) -> u64 {
        Bucket::reopen(&mut self.bytes)
            .find(id)
            .map_or(0, |(_, record)| record.window.used(now))
    }

    /// Makes one charge if it fits; `all` are the charges of the exchange, whose records may not make room for each other.
    pub(super) fn charge(&mut self, charge: &Charge, all: &[Charge], now: Timestamp) -> Outcome {
        let Charge { limit, window, .. } = *charge;
        let id = charge.id();
        let amount = charge.amount.min(limit);
        let found = self.find(id, limit, now);
        let used = found.map_or(0, |(_, record)| record.window.used(now));
        if limit == 0 && charge.amount > 0 {
            return Outcome::Refused {
                used,
                retry_after: window,
            };
        }
        let used_then = used.saturating_add(u64::from(amount));
        if used_then > u64::from(limit) {
            let retry_after = match found {
                _ if charge.lease => leases::RETRY,
                Some((_, record)) => record.window.retry_after(now, limit, amount),
                None => Duration::ZERO,
            };
            return Outcome::Refused { used, retry_after };
        }
        let mut held = Held {
            id,
            limit,
            amount,
            used: u32::try_from(used_then).unwrap_or(u32::MAX),
            slot: id.span.slot(now),
            born: 0,
            kind: Kind::Use,
        };
        if amount == 0 {
            return Outcome::Held(held);
        }
        if charge.lease {
            held.kind = Kind::Lease(None);
        }
        let (place, mut record) = match found {
            Some(found) => found,
            None => match self.insert(id, limit, now, |record| {
                all.iter().any(|charge| names(charge, record))
            }) {
                Some(inserted) => inserted,
                None => return Outcome::NoRoom,
            },
        };
        held.slot = record.window.charge(now, amount);
        held.born = record.born;
        self.put(place, &mut record, limit, now);
        Outcome::Held(held)
    }

    /// Applies one queued settlement.
    fn settle(&mut self, settlement: &Settlement, now: Timestamp) {
        let Settlement {
            id,
            born,
            limit,
            slot,
            released,
            charged,
            lease,
        } = *settlement;
        // Whoever settles may know only an old time: that is no reason to doubt the window's.
        let found = Bucket::reopen(&mut self.bytes).find(id);
        // A record that was made anew never held the reserved amount; what was used is owed all the same.
        let is_same = found.is_some_and(|(_, record)| record.born == born);
        let released = if is_same { released } else { 0 };
        let charged = if lease && !is_same { 0 } else { charged };
        if released == 0 && charged == 0 {
            return;
        }
        let target = match found {
            Some(found) => Some(found),
            None if id.span.has_left(slot, now) => None,
            None => self.insert(id, limit, now, |_| false),
        };
        if let Some((place, mut record)) = target {
            record.window.settle(slot, released, charged);
            self.put(place, &mut record, limit, now);
        }
    }

    /// How old the oldest mark of the record named `id` is, if it is marked in the sub-window of `now`.
    pub(super) fn age(&mut self, id: RecordId, now: Timestamp) -> Option<Duration> {
        let (_, record) = Bucket::reopen(&mut self.bytes).find(id)?;
        let is_marked = record.window.counts_in(id.span.slot(now));
        is_marked.then(|| record.window.age(now))
    }

    /// Marks the record named `id` in the sub-window of `now`; how old its oldest mark is then.
    pub(super) fn mark(&mut self, id: RecordId, now: Timestamp) -> Duration {
        // A mark that is lost gives a grace away, so it is worth as much as a budget that is used up.
        const LIMIT: u32 = 1;
        let found = self.find(id, LIMIT, now);
        let Some((place, mut record)) = found.or_else(|| self.insert(id, LIMIT, now, |_| false))
        else {
            return Duration::ZERO;
        };
        record.window.charge(now, 1);
        self.put(place, &mut record, LIMIT, now);
        record.window.age(now)
    }

    /// The record named `id`, made anew if its window lies in the future.
    fn find(&mut self, id: RecordId, limit: u32, now: Timestamp) -> Option<(usize, Record)> {
        let mut bucket = Bucket::reopen(&mut self.bytes);
        let (place, record) = bucket.find(id)?;
        if !record.window.is_ahead(now) {
            return Some((place, record));
        }
        let anew = Record {
            born: bucket.next_born(),
            ..Record::new(id, limit, now)
        };
        bucket.replace(place, &anew);
        self.tally.clock_resets = self.tally.clock_resets.saturating_add(1);
        Some((place, anew))
    }

    fn insert(
        &mut self,
        id: RecordId,
        limit: u32,
        now: Timestamp,
        spare: impl Fn(&Record) -> bool,
    ) -> Option<(usize, Record)> {
        let mut record = Record::new(id, limit, now);
        let mut bucket = Bucket::reopen(&mut self.bytes);
        match bucket.insert(&mut record, now, spare) {
            Room::Free => {}
            Room::Evicted => self.tally.evictions = self.tally.evictions.saturating_add(1),
            Room::None => return None,
        }
        bucket.find(id)
    }

    fn put(&mut self, place: usize, record: &mut Record, limit: u32, now: Timestamp) {
        record.touch(limit, now);
        Bucket::reopen(&mut self.bytes).replace(place, record);
        self.changed = true;
    }
}

fn names(charge: &Charge, record: &Record) -> bool {
    charge.owner == record.owner && charge.id() == record.id()
}

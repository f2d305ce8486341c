//! Leases: charges that count while an exchange is under way and are given back when it ends.
//!
//! A lease is a charge on a window as long as its timeout, so the lease of a worker that died leaves by itself. A
//! living worker remembers its open leases and, on ticks, moves those of long exchanges to the current sub-window
//! before they leave. It looks whether whoever holds a lease still exists: one that was dropped without being given
//! back is given back here. So a lease is never renewed after its exchange, and never outlives it by more than the
//! timeout and a sixteenth of it.
use alloc::{
    sync::{Arc, Weak},
    vec::Vec,
};
use core::time::Duration;

use super::{
    Ledger,
    queue::Settlement,
    reservation::{Held, Kind, Reservation},
};
use crate::{store::CounterStore, table::RecordId, time::Timestamp};

/// When a request that found no lease free may come again: nobody knows when one is given back.
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// Most leases that a worker looks after, 1.3 MB; one more is not renewed, so it counts for its timeout only.
const CAPACITY: usize = 16_384;
/// Leases looked at on one tick: all of them within two seconds, where the shortest timeout leaves five.
const LOOKS: usize = 1024;
/// A lease is renewed once it is so many sub-windows old: half of its timeout.
const DUE: u64 = 8;

/// Names an open lease; its generation tells it from a later one at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseId {
    place: usize,
    generation: u64,
}

/// The leases that this worker's exchanges hold.
#[derive(Debug, Default)]
pub(super) struct Leases {
    places: Vec<Place>,
    /// Places without a lease.
    free: Vec<usize>,
    /// Leases opened so far; numbers the generations.
    opened: u64,
    /// The place that is looked at next.
    cursor: usize,
}

/// A lease, or where one was.
#[derive(Debug)]
struct Place {
    generation: u64,
    lease: Option<Lease>,
}

/// An open lease as it stands in the table.
#[derive(Debug)]
struct Lease {
    id: RecordId,
    born: u32,
    limit: u32,
    amount: u32,
    /// The sub-window that holds it now.
    slot: u64,
    /// Whether it could still be given back.
    alive: Weak<()>,
}

/// What is to be written of a lease: it leaves one sub-window and perhaps enters another.
struct Move {
    from: Settlement,
    to: Option<Settlement>,
}

impl Lease {
    fn leaves(&self) -> Settlement {
        Settlement {
            id: self.id,
            born: self.born,
            limit: self.limit,
            slot: self.slot,
            released: self.amount.into(),
            charged: 0,
            lease: true,
        }
    }

    fn enters(&self) -> Settlement {
        Settlement {
            released: 0,
            charged: self.amount.into(),
            ..self.leaves()
        }
    }
}

impl Leases {
    /// Leases that are open.
    pub(super) fn len(&self) -> usize {
        self.places.len().saturating_sub(self.free.len())
    }

    /// Looks after a lease; `None` when there are too many.
    fn open(&mut self, held: &Held, alive: &Arc<()>) -> Option<LeaseId> {
        self.opened = self.opened.saturating_add(1);
        let generation = self.opened;
        let lease = Some(Lease {
            id: held.id,
            born: held.born,
            limit: held.limit,
            amount: held.amount,
            slot: held.slot,
            alive: Arc::downgrade(alive),
        });
        let opened = Place { generation, lease };
        let place = match self.free.pop() {
            Some(place) => {
                *self.places.get_mut(place)? = opened;
                place
            }
            None if self.places.len() < CAPACITY => {
                self.places.push(opened);
                self.places.len().checked_sub(1)?
            }
            None => return None,
        };
        Some(LeaseId { place, generation })
    }

    /// Forgets a lease; `None` when that was done before.
    fn close(&mut self, id: LeaseId) -> Option<Lease> {
        let place = self.places.get_mut(id.place)?;
        let lease = place.lease.take_if(|_| place.generation == id.generation)?;
        self.free.push(id.place);
        Some(lease)
    }

    /// Looks at one lease: whether it is to be renewed, or given back because nobody else will.
    fn look(&mut self, now: Timestamp) -> Option<Move> {
        let index = self.cursor;
        self.cursor = index
            .checked_add(1)
            .filter(|next| *next < self.places.len())
            .unwrap_or(0);
        let place = self.places.get_mut(index)?;
        let lease = place.lease.as_mut()?;
        let from = lease.leaves();
        if lease.alive.strong_count() == 0 {
            place.lease = None;
            self.free.push(index);
            return Some(Move { from, to: None });
        }
        let slot = lease.id.span.slot(now);
        if slot.saturating_sub(lease.slot) < DUE {
            return None;
        }
        lease.slot = slot;
        let to = Some(lease.enters());
        Some(Move { from, to })
    }
}

impl Ledger {
    /// Gives back the leases of `reservation` and writes that at once, so that the next request of the same account
    /// finds them free in any worker: one read and one write for each owner. What cannot be written now waits like
    /// any settlement. A second time does nothing.
    pub fn release_leases(
        &mut self,
        reservation: &mut Reservation,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        let mut released = false;
        for held in reservation.iter_mut() {
            let Kind::Lease(id) = held.kind else { continue };
            held.kind = Kind::Released;
            match id {
                Some(id) => {
                    let Some(lease) = self.leases.close(id) else {
                        continue;
                    };
                    self.enqueue(lease.leaves(), now, store);
                }
                None => self.settle_one(held, 0, now, store),
            }
            released = true;
        }
        let is_released = |held: &&Held| released && held.kind == Kind::Released;
        for held in reservation.iter().filter(is_released) {
            let bucket = self.layout.bucket_of(held.id.owner);
            // Leases of one owner share a bucket: the first write serves them all.
            if self.queue.of(bucket).next().is_some() {
                // Failures keep it queued.
                let _ = self.write_bucket(bucket, now, store);
            }
        }
    }

    /// Looks after the leases of a reservation that was just granted.
    pub(super) fn look_after(&mut self, reservation: &mut Reservation) {
        if !reservation.holds_leases() {
            return;
        }
        let alive = reservation.life().clone();
        for held in reservation.iter_mut() {
            if held.kind == Kind::Lease(None) {
                held.kind = Kind::Lease(self.leases.open(held, &alive));
            }
        }
    }

    /// Lets renewals wait for the next write of their buckets, where there is room for them: settlements are not
    /// made up for, and a lease is.
    pub(super) fn renew_leases(&mut self, now: Timestamp, store: &mut impl CounterStore) {
        for _ in 0..self.leases.places.len().min(LOOKS) {
            if self.queue.is_half_full() {
                break;
            }
            let Some(Move { from, to }) = self.leases.look(now) else {
                continue;
            };
            self.enqueue(from, now, store);
            match to {
                Some(to) => self.enqueue(to, now, store),
                None => self.stats.abandoned = self.stats.abandoned.saturating_add(1),
            }
        }
    }
}

//! What an admitted exchange holds between request and response.
use alloc::{sync::Arc, vec::Vec};

use super::leases::LeaseId;
use crate::table::RecordId;

/// Charges that need no allocation: requests and tokens of an account and its organization.
const INLINE: usize = 4;

/// What an admitted exchange holds until it is settled. Settle or abort it once; one that is dropped stays charged until
/// its windows have passed.
#[derive(Clone, Debug, Default)]
pub struct Reservation {
    inline: [Option<Held>; INLINE],
    more: Vec<Held>,
    /// Lives as long as anybody could still give the leases back; the ledger looks at it before it renews them.
    alive: Option<Arc<()>>,
}

/// What kind of charge it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of use: counts until its window has passed.
    Use,
    /// Counts until it is given back, or its worker is gone. The id is there once the ledger looks after it.
    Lease(Option<LeaseId>),
    /// A lease that was given back.
    Released,
}

/// One charge as it stands in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) id: RecordId,
    pub(super) limit: u32,
    /// What was reserved.
    pub(super) amount: u32,
    /// What the window held with it, saturating.
    pub(super) used: u32,
    /// The sub-window that holds it.
    pub(super) slot: u64,
    /// Which incarnation of the record holds it; 0 when nothing was reserved.
    pub(super) born: u32,
    pub(super) kind: Kind,
}

impl Reservation {
    /// How much each charged budget has left after this reservation, in the order of the charges.
    pub fn remaining(&self) -> impl Iterator<Item = u32> {
        self.iter().map(|held| held.limit.saturating_sub(held.used))
    }

    /// What is reserved of each budget, in the order of the charges.
    pub fn amounts(&self) -> impl Iterator<Item = u32> {
        self.iter().map(|held| held.amount)
    }

    /// Whether it holds anything that [`release_leases`](super::Ledger::release_leases) would give back.
    pub fn holds_leases(&self) -> bool {
        self.iter().any(|held| matches!(held.kind, Kind::Lease(_)))
    }

    /// What shows that it still exists.
    pub(super) fn life(&mut self) -> &Arc<()> {
        self.alive.get_or_insert_default()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Held> {
        self.inline.iter_mut().flatten().chain(&mut self.more)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.inline.iter().flatten().chain(&self.more)
    }

    /// Notes the charge at `index`. Every index below the highest has to be set before the reservation is used.
    pub(super) fn set(&mut self, index: usize, held: Held) {
        if let Some(place) = self.inline.get_mut(index) {
            *place = Some(held);
            return;
        }
        let index = index.saturating_sub(INLINE);
        if self.more.len() <= index {
            // Buckets are read one after the other, so later charges may come first: fill up with what will be overwritten.
            self.more.resize(index.saturating_add(1), held);
        }
        if let Some(place) = self.more.get_mut(index) {
            *place = held;
        }
    }
}

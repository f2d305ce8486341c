//! Settlements that wait in one worker, in bounded memory and without an allocation each.
//!
//! A slab of entries, chained per bucket. Settlements of the same record and sub-window merge, so an organization's
//! thousand exchanges wait as one.
use alloc::{vec, vec::Vec};

use crate::table::RecordId;

/// Most settlements that wait: 300 KiB, a second's worth of exchanges of one busy worker.
pub(super) const CAPACITY: usize = 4096;
/// Chains; a power of two, so that the low bits of a bucket's index choose one.
const CHAINS: u32 = 4096;

/// A change to one sub-window of one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settlement {
    pub(super) id: RecordId,
    /// The incarnation that `released` was reserved in; a later one owes nothing.
    pub(super) born: u32,
    /// For the record, in case it has to be made anew.
    pub(super) limit: u32,
    pub(super) slot: u64,
    pub(super) released: u64,
    pub(super) charged: u64,
    /// A lease lives and ends with its record: where that was given up, nothing is owed.
    pub(super) lease: bool,
}

impl Settlement {
    fn merges_with(&self, other: &Self) -> bool {
        self.slot == other.slot && self.born == other.born && self.id == other.id
    }
}

#[derive(Debug)]
struct Entry {
    bucket: u32,
    settlement: Settlement,
    /// The next entry of the same chain, or of the free ones.
    next: Option<usize>,
}

/// Waiting settlements, found by bucket.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// First entry of each chain; allocated with the first settlement.
    heads: Vec<Option<usize>>,
    entries: Vec<Entry>,
    free: Option<usize>,
    len: usize,
    /// The chain at which the next flush goes on, so that every bucket has its turn.
    cursor: usize,
}

impl Queue {
    /// Settlements that wait, after merging.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether what can be made up for should not wait here now.
    pub(super) fn is_half_full(&self) -> bool {
        self.len >= CAPACITY / 2
    }

    /// Lets `settlement` wait, merged with its like if there is one; `false` when the queue is full.
    pub(super) fn push(&mut self, bucket: u32, settlement: Settlement) -> bool {
        if self.heads.is_empty() {
            self.heads = vec![None; chain(CHAINS)];
        }
        if let Some(alike) = self.find(bucket, &settlement) {
            alike.released = alike.released.saturating_add(settlement.released);
            alike.charged = alike.charged.saturating_add(settlement.charged);
            return true;
        }
        let Some(head) = self.heads.get_mut(chain(bucket % CHAINS)) else {
            return false;
        };
        let entry = Entry {
            bucket,
            settlement,
            next: *head,
        };
        let place = match self.free {
            Some(place) => {
                let Some(unused) = self.entries.get_mut(place) else {
                    return false;
                };
                self.free = unused.next;
                *unused = entry;
                place
            }
            None if self.entries.len() < CAPACITY => {
                self.entries.push(entry);
                self.entries.len().saturating_sub(1)
            }
            None => return false,
        };
        *head = Some(place);
        self.len = self.len.saturating_add(1);
        true
    }

    /// The settlements of a bucket.
    pub(super) fn of(&self, bucket: u32) -> impl Iterator<Item = &Settlement> {
        let mut next = self.heads.get(chain(bucket % CHAINS)).copied().flatten();
        core::iter::from_fn(move || {
            let entry = self.entries.get(next?)?;
            next = entry.next;
            Some(entry)
        })
        .filter(move |entry| entry.bucket == bucket)
        .map(|entry| &entry.settlement)
    }

    /// Forgets the settlements of a bucket: they have been written.
    pub(super) fn remove(&mut self, bucket: u32) {
        let Some(head) = self.heads.get_mut(chain(bucket % CHAINS)) else {
            return;
        };
        let mut rest = head.take();
        let mut kept = None;
        while let Some(place) = rest {
            let Some(entry) = self.entries.get_mut(place) else {
                break;
            };
            rest = entry.next;
            let list = if entry.bucket == bucket {
                &mut self.free
            } else {
                &mut kept
            };
            entry.next = list.replace(place);
            if entry.bucket == bucket {
                self.len = self.len.saturating_sub(1);
            }
        }
        *head = kept;
    }

    /// A bucket that settlements wait for; another one each time, until all had their turn.
    pub(super) fn next_bucket(&mut self) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let (before, after) = self.heads.split_at_checked(self.cursor)?;
        let steps = after.iter().chain(before).position(Option::is_some)?;
        let found = self
            .cursor
            .checked_add(steps)?
            .checked_rem(self.heads.len())?;
        self.cursor = found.checked_add(1)?.checked_rem(self.heads.len())?;
        let entry = self.entries.get((*self.heads.get(found)?)?)?;
        Some(entry.bucket)
    }

    fn find(&mut self, bucket: u32, like: &Settlement) -> Option<&mut Settlement> {
        let mut next = self.heads.get(chain(bucket % CHAINS)).copied().flatten();
        while let Some(place) = next {
            let entry = self.entries.get(place)?;
            if entry.bucket == bucket && entry.settlement.merges_with(like) {
                return self
                    .entries
                    .get_mut(place)
                    .map(|entry| &mut entry.settlement);
            }
            next = entry.next;
        }
        None
    }
}

/// A chain's number as an index; it always fits.
fn chain(number: u32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests;

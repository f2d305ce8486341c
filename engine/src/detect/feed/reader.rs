//! The leader's end of the feed.
use super::{
    FeedStats, SLOTS, page,
    slot::{self, Slot},
};
use crate::{
    detect::Observation,
    store::{CounterStore, StoreError},
};
use alloc::vec::Vec;

/// Reads every worker's ring, each page once.
#[derive(Debug)]
pub struct FeedReader {
    ring: u16,
    cursors: Vec<Option<Cursor>>,
    bytes: Vec<u8>,
    stats: FeedStats,
}

/// How far a slot was read.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    /// The next page.
    page: u64,
    /// Observations before it, read or lost, as the slot's header told; `None` before it was asked.
    accounted: Option<u64>,
    /// Observations read since `accounted` was last put right.
    read: u64,
}

impl FeedReader {
    /// A reader that begins with the oldest page that still stands in each ring.
    pub fn new(ring: u16) -> Self {
        Self {
            ring: ring.max(1),
            cursors: alloc::vec![None; usize::from(SLOTS)],
            bytes: Vec::new(),
            stats: FeedStats::default(),
        }
    }

    /// Appends to `out` what workers wrote since the last call, at most `max_pages` pages; true when nothing is
    /// left. One call for the directory, one for each slot in use, one for each page.
    ///
    /// # Errors
    /// The store's own; what was read before stays in `out` and is not read again.
    pub fn collect(
        &mut self,
        max_pages: usize,
        store: &mut impl CounterStore,
        out: &mut Vec<Observation>,
    ) -> Result<bool, StoreError> {
        let claimed = slot::claimed(store)?;
        let mut left = max_pages;
        for index in 0..SLOTS {
            if claimed.checked_shr(index.into()).unwrap_or_default() & 1 == 0 {
                continue;
            }
            if !self.collect_slot(index, &mut left, store, out)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What became of the observations.
    pub fn stats(&self) -> FeedStats {
        self.stats
    }

    fn collect_slot(
        &mut self,
        index: u8,
        left: &mut usize,
        store: &mut impl CounterStore,
        out: &mut Vec<Observation>,
    ) -> Result<bool, StoreError> {
        let (_, found) = Slot::get(index, store)?;
        let Ok(header) = found else {
            self.stats.corrupt = self.stats.corrupt.saturating_add(1);
            return Ok(true);
        };
        let oldest = header.pages.saturating_sub(self.ring.into());
        let known = self.cursors.get(usize::from(index)).copied().flatten();
        let mut cursor = match known {
            // A header that was damaged counts from zero again.
            Some(cursor) if cursor.page <= header.pages => cursor,
            // What a former leader read is none of this one's business.
            _ => Cursor {
                page: oldest,
                accounted: (oldest == 0).then_some(0),
                read: 0,
            },
        };
        cursor.page = cursor.page.max(oldest);
        while cursor.page < header.pages && *left > 0 {
            *left = left.saturating_sub(1);
            let read = self.page(index, cursor.page, &header, store, out)?;
            cursor.page = cursor.page.saturating_add(1);
            cursor.read = cursor.read.saturating_add(read);
            self.set(index, cursor);
        }
        let caught_up = cursor.page == header.pages;
        if caught_up {
            if let Some(accounted) = cursor.accounted {
                let told = header.observations.saturating_sub(accounted);
                let lost = told.saturating_sub(cursor.read);
                self.stats.lost = self.stats.lost.saturating_add(lost);
            }
            cursor.accounted = Some(header.observations);
            cursor.read = 0;
        }
        self.set(index, cursor);
        Ok(caught_up)
    }

    fn set(&mut self, index: u8, cursor: Cursor) {
        if let Some(place) = self.cursors.get_mut(usize::from(index)) {
            *place = Some(cursor);
        }
    }

    /// Reads one page; how many observations it gave.
    fn page(
        &mut self,
        index: u8,
        number: u64,
        header: &Slot,
        store: &mut impl CounterStore,
        out: &mut Vec<Observation>,
    ) -> Result<u64, StoreError> {
        let position = number
            .checked_rem(self.ring.into())
            .and_then(|position| u16::try_from(position).ok())
            .unwrap_or_default();
        store.get(&page::key(index, position), &mut self.bytes)?;
        let Some((owner, found, wire)) = page::decode(&self.bytes) else {
            self.stats.corrupt = self.stats.corrupt.saturating_add(1);
            return Ok(0);
        };
        let by_owner = number < header.since || owner == header.owner;
        if found != number || !by_owner {
            // Overwritten meanwhile: counted as lost when the slot has been caught up with.
            return Ok(0);
        }
        let mut read = 0_u64;
        for bytes in wire.chunks_exact(Observation::WIRE_BYTES) {
            match Observation::read(bytes) {
                Some(observation) => {
                    out.push(observation);
                    read = read.saturating_add(1);
                }
                None => self.stats.corrupt = self.stats.corrupt.saturating_add(1),
            }
        }
        self.stats.observations = self.stats.observations.saturating_add(read);
        Ok(read)
    }
}

//! One worker's end of the feed.
use super::{
    FeedStats, MAX_AGE, PAGE_OBSERVATIONS, SPAN, page,
    slot::{self, Slot},
};
use crate::{
    detect::Observation,
    store::{CounterStore, StoreError, Swap},
    time::Timestamp,
};
use alloc::vec::Vec;

/// Gathers observations and writes them as pages into this worker's ring.
#[derive(Debug)]
pub struct FeedWriter {
    owner: u64,
    ring: u16,
    slot: Option<u8>,
    wire: Vec<u8>,
    waiting: usize,
    oldest: Timestamp,
    stats: FeedStats,
}

impl FeedWriter {
    /// A worker's end; `owner` names it (random, not 0), `ring` is the process's.
    pub fn new(owner: u64, ring: u16) -> Self {
        Self {
            owner: owner.max(1),
            ring: ring.max(1),
            slot: None,
            wire: Vec::new(),
            waiting: 0,
            oldest: Timestamp::default(),
            stats: FeedStats::default(),
        }
    }

    /// Takes one observation; every 48th writes a page (four calls).
    pub fn push(
        &mut self,
        observation: &Observation,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        if self.waiting == 0 {
            self.oldest = observation.time;
        }
        self.oldest = self.oldest.min(observation.time);
        observation.write(&mut self.wire);
        self.waiting = self.waiting.saturating_add(1);
        self.stats.observations = self.stats.observations.saturating_add(1);
        if self.waiting >= PAGE_OBSERVATIONS {
            self.flush(now, store);
        }
    }

    /// Writes what has waited for long enough, or belongs to a span that is over.
    pub fn tick(&mut self, now: Timestamp, store: &mut impl CounterStore) {
        let old = now.saturating_since(self.oldest) >= MAX_AGE;
        if self.waiting > 0 && (old || span(now) > span(self.oldest)) {
            self.flush(now, store);
        }
    }

    /// Writes what waits. What cannot be written is lost and counted: it must not pile up.
    pub fn flush(&mut self, now: Timestamp, store: &mut impl CounterStore) {
        if self.waiting == 0 {
            return;
        }
        let written = self.write(now, store);
        if !matches!(written, Ok(true)) {
            let lost = u64::try_from(self.waiting).unwrap_or(u64::MAX);
            self.stats.lost = self.stats.lost.saturating_add(lost);
        }
        self.wire.clear();
        self.waiting = 0;
    }

    /// Whether anything waits.
    pub fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// What became of this worker's observations, as far as it knows.
    pub fn stats(&self) -> FeedStats {
        self.stats
    }

    /// Writes a page, then the header that announces it.
    fn write(&mut self, now: Timestamp, store: &mut impl CounterStore) -> Result<bool, StoreError> {
        // The second try is for a worker that was silent for so long that its slot was taken.
        for _ in 0..2 {
            let Some(index) = (match self.slot {
                Some(index) => Some(index),
                None => slot::claim(self.owner, now, store)?,
            }) else {
                return Ok(false);
            };
            self.slot = None;
            let (version, found) = Slot::get(index, store)?;
            let Ok(header) = found else {
                self.stats.corrupt = self.stats.corrupt.saturating_add(1);
                continue;
            };
            if header.owner != self.owner {
                continue;
            }
            let position = header
                .pages
                .checked_rem(self.ring.into())
                .and_then(|position| u16::try_from(position).ok())
                .unwrap_or_default();
            let key = page::key(index, position);
            let mut old = Vec::new();
            let old = store.get(&key, &mut old)?;
            let bytes = page::encode(self.owner, header.pages, &self.wire);
            if store.compare_and_swap(&key, &bytes, old)? != Swap::Done {
                continue;
            }
            let waiting = u64::try_from(self.waiting).unwrap_or_default();
            let announced = Slot {
                pages: header.pages.saturating_add(1),
                observations: header.observations.saturating_add(waiting),
                touched: now,
                ..header
            };
            if announced.put(index, version, store)? == Swap::Done {
                self.slot = Some(index);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn span(time: Timestamp) -> u64 {
    time.as_unix_seconds()
        .checked_div(SPAN.as_secs())
        .unwrap_or_default()
}

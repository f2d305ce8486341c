//! A worker's view of the board.
use super::{
    HEADER_KEY, MAGIC, MAP_KEY, MAP_LENGTH, Notice, bucket_key, bucket_of, marked, record,
};
use crate::{
    detect::Standing,
    store::{CounterStore, StoreError},
    time::Timestamp,
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::num::NonZeroU32;

/// Buckets that a worker keeps a copy of.
const MAX_COPIES: usize = 256;

/// A worker's copy of the board: the map, and the buckets that it needed since the board last changed.
#[derive(Debug)]
pub struct BoardReader {
    buckets: NonZeroU32,
    notice: Notice,
    map: Vec<u8>,
    copies: BTreeMap<u32, Vec<u8>>,
    stale: bool,
    corrupt: u64,
}

impl BoardReader {
    /// A view of a board with so many buckets.
    pub fn new(buckets: NonZeroU32) -> Self {
        Self {
            buckets,
            notice: Notice::default(),
            map: Vec::new(),
            copies: BTreeMap::new(),
            stale: true,
            corrupt: 0,
        }
    }

    /// The next question looks whether the board has changed. Makes no call itself.
    pub fn tick(&mut self) {
        self.stale = true;
    }

    /// What is thought of an account. No call but the first after a tick (one, or two where the board
    /// has changed), and for an account that may have a standing whose bucket is not at hand.
    pub fn standing(
        &mut self,
        account: u64,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Standing {
        // What cannot be read now is read after the next tick; until then the copy serves.
        if core::mem::take(&mut self.stale) {
            let _ = self.refresh(store);
        }
        if marked(&self.map, account) {
            if let Ok(Some(record)) = self.record(account, store) {
                if record.holds(now) {
                    return record.standing;
                }
            }
        }
        self.notice.standing()
    }

    /// How much of the learning is done.
    pub fn learned(&self) -> f32 {
        self.notice.learned
    }

    /// Values that could not be read as what they should be.
    pub fn corrupt(&self) -> u64 {
        self.corrupt
    }

    fn refresh(&mut self, store: &mut impl CounterStore) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        if store.get(HEADER_KEY, &mut bytes)?.is_none() {
            return Ok(());
        }
        let Some(notice) = Notice::decode(&bytes) else {
            self.corrupt = self.corrupt.saturating_add(1);
            return Ok(());
        };
        if notice.sequence != self.notice.sequence {
            store.get(MAP_KEY, &mut bytes)?;
            match bytes.strip_prefix(&MAGIC) {
                Some(map) if map.len() == MAP_LENGTH => {
                    self.map.clear();
                    self.map.extend_from_slice(map);
                }
                _ => self.corrupt = self.corrupt.saturating_add(1),
            }
            self.copies.clear();
        }
        self.notice = notice;
        Ok(())
    }

    fn record(
        &mut self,
        account: u64,
        store: &mut impl CounterStore,
    ) -> Result<Option<record::Record>, StoreError> {
        let bucket = bucket_of(account, self.buckets);
        if let Some(copy) = self.copies.get(&bucket) {
            return Ok(record::find(copy, account));
        }
        let mut bytes = Vec::new();
        let exists = store.get(&bucket_key(bucket), &mut bytes)?.is_some();
        if exists && record::records(&bytes).is_none() {
            self.corrupt = self.corrupt.saturating_add(1);
            bytes.clear();
        }
        let found = record::find(&bytes, account);
        if self.copies.len() >= MAX_COPIES {
            self.copies.clear();
        }
        self.copies.insert(bucket, bytes);
        Ok(found)
    }
}

//! The leader's hand on the board.
use super::{
    CONFIRM, HEADER_KEY, MAGIC, MAP_KEY, MAP_LENGTH, Notice, bucket_key, bucket_of, marked, place,
    record::{self, MAX_RECORDS, Record, minute},
};
use crate::{
    detect::{Signal, Standing, State},
    store::{CounterStore, StoreError, Swap},
    time::Timestamp,
};
use alloc::{collections::BTreeMap, vec::Vec};
use core::num::NonZeroU32;

/// Tries to write one value, against nobody: only a leader that was replaced meanwhile writes here too.
const MAX_TRIES: usize = 4;

/// Writes standings, then the map, then the header that announces them.
#[derive(Debug)]
pub struct BoardWriter {
    buckets: NonZeroU32,
    /// What stands on the board by this leader's hand, with the minute of its last confirmation.
    published: BTreeMap<u64, (State, u32)>,
    /// Bits that a former leader set.
    inherited: Option<Vec<u8>>,
    /// The map and the header are to be written.
    dirty: bool,
    notice: Notice,
    evicted: u64,
}

impl BoardWriter {
    /// A hand on a board with so many buckets.
    pub fn new(buckets: NonZeroU32) -> Self {
        Self {
            buckets,
            published: BTreeMap::new(),
            inherited: None,
            dirty: false,
            notice: Notice::default(),
            evicted: 0,
        }
    }

    /// Puts an account's standing on the board, or takes it off when it is back in `observe`. Two calls, or
    /// none for an account that is not on the board and need not be.
    ///
    /// # Errors
    /// The store's own; ask again.
    pub fn publish(
        &mut self,
        account: u64,
        standing: &Standing,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<(), StoreError> {
        let wanted = standing.state > State::Observe;
        let unknown = !marked(self.inherited(store)?, account);
        if !wanted && unknown && !self.published.contains_key(&account) {
            return Ok(());
        }
        let bucket = bucket_of(account, self.buckets);
        let record = Record {
            account,
            minute: minute(now),
            standing: *standing,
        };
        let mut bytes = Vec::new();
        for _ in 0..MAX_TRIES {
            let version = store.get(&bucket_key(bucket), &mut bytes)?;
            let mut kept: Vec<Record> = record::records(&bytes)
                .into_iter()
                .flatten()
                .filter(|other| other.account != account && other.holds(now))
                .collect();
            let mut out = None;
            if wanted {
                kept.push(record);
            }
            if kept.len() > MAX_RECORDS {
                kept.sort_unstable_by_key(|record| {
                    (core::cmp::Reverse(record.worth()), record.account)
                });
                out = kept.pop();
            }
            let value = record::bucket(&kept);
            if store.compare_and_swap(&bucket_key(bucket), &value, version)? == Swap::Conflict {
                continue;
            }
            if wanted {
                self.published
                    .insert(account, (standing.state, record.minute));
            } else {
                self.published.remove(&account);
            }
            if let Some(out) = out {
                self.published.remove(&out.account);
                self.evicted = self.evicted.saturating_add(1);
            }
            self.dirty = true;
            return Ok(());
        }
        Err(StoreError::CONTENDED)
    }

    /// Announces what was published, how much is learned and what is believed of everybody else. No call where
    /// nothing of it has changed.
    ///
    /// # Errors
    /// The store's own; what was not announced is announced next time.
    pub fn announce(
        &mut self,
        everybody: &Standing,
        store: &mut impl CounterStore,
    ) -> Result<(), StoreError> {
        let prior = everybody
            .evidence
            .iter()
            .flatten()
            .find(|evidence| evidence.signal == Signal::PRIOR)
            .map_or([0.0, everybody.score], |prior| [prior.value, prior.weight]);
        let same = |left: f32, right: f32| left.to_bits() == right.to_bits();
        let known = self.notice;
        // The share that is learned moves all the time: a hundredth more is worth telling.
        let step = |learned: f32| libm::floorf(learned * 100.0) / 100.0;
        let learned = step(everybody.learned.clamp(0.0, 1.0));
        let changed = !same(known.learned, learned)
            || !same(known.prior[0], prior[0])
            || !same(known.prior[1], prior[1]);
        if !self.dirty && !changed && known.sequence > 0 {
            return Ok(());
        }
        if self.dirty {
            let map = self.map(store)?;
            overwrite(MAP_KEY, &map, store)?;
        }
        let mut bytes = Vec::new();
        store.get(HEADER_KEY, &mut bytes)?;
        let before = Notice::decode(&bytes).map_or(0, |notice| notice.sequence);
        let notice = Notice {
            sequence: before.max(known.sequence).saturating_add(1),
            learned,
            prior,
        };
        overwrite(HEADER_KEY, &notice.encode(), store)?;
        self.notice = notice;
        self.dirty = false;
        Ok(())
    }

    /// Accounts whose standing has to be confirmed, at most `max`.
    pub fn unconfirmed(&self, now: Timestamp, max: usize) -> Vec<u64> {
        let old = |confirmed: u32| {
            let age = u64::from(minute(now).saturating_sub(confirmed));
            age.saturating_mul(60) >= CONFIRM.as_secs()
        };
        let unconfirmed = self
            .published
            .iter()
            .filter(|(_, (_, minute))| old(*minute));
        unconfirmed.map(|(account, _)| *account).take(max).collect()
    }

    /// Accounts on the board, by state from `watch` on.
    pub fn counts(&self) -> [u64; 4] {
        let mut counts = [0_u64; 4];
        for (state, _) in self.published.values() {
            let place = match state {
                State::Observe => continue,
                State::Watch => 0,
                State::StepUp => 1,
                State::Restrict => 2,
                State::Block => 3,
            };
            if let Some(count) = counts.get_mut(place) {
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// Standings that gave way to others of their bucket.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn inherited(&mut self, store: &mut impl CounterStore) -> Result<&[u8], StoreError> {
        if self.inherited.is_none() {
            let mut bytes = Vec::new();
            store.get(MAP_KEY, &mut bytes)?;
            let map = bytes
                .strip_prefix(&MAGIC)
                .filter(|map| map.len() == MAP_LENGTH);
            self.inherited = Some(map.unwrap_or_default().to_vec());
        }
        Ok(self.inherited.as_deref().unwrap_or_default())
    }

    fn map(&mut self, store: &mut impl CounterStore) -> Result<Vec<u8>, StoreError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(self.inherited(store)?);
        bytes.resize(MAGIC.len().saturating_add(MAP_LENGTH), 0);
        for account in self.published.keys() {
            let (byte, bit) = place(*account);
            if let Some(place) = bytes.get_mut(byte.saturating_add(MAGIC.len())) {
                *place |= bit;
            }
        }
        Ok(bytes)
    }
}

fn overwrite(key: &[u8], value: &[u8], store: &mut impl CounterStore) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for _ in 0..MAX_TRIES {
        let version = store.get(key, &mut bytes)?;
        if bytes == value && version.is_some() {
            return Ok(());
        }
        if store.compare_and_swap(key, value, version)? == Swap::Done {
            return Ok(());
        }
    }
    Err(StoreError::CONTENDED)
}

//! How `detection.memory` is divided.
//!
//! An eighth each for the pages in which workers leave observations (shared data), for the board of standings
//! (shared data) and for spans that are not over (the leader's VM); the rest for the detector's tables (the
//! leader's VM). The first two are agreed once in each process, because keys can never be freed.
use super::{board, feed, observation::Observation};
use crate::store::{CounterStore, StoreError, Swap};
use alloc::vec::Vec;
use core::num::NonZeroU32;

const KEY: &[u8] = b"weir.1.detect";
const MAGIC: [u8; 4] = *b"wd1\0";
/// Most observations of spans that are not over: as many as a busy proxy sees in a minute.
const MAX_OPEN: u64 = 64 * 1024;
/// What one account costs the detector, all of its tables together.
const ACCOUNT_BYTES: u64 = 768;

/// What is agreed between the workers of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Pages in the ring of each worker.
    pub ring: u16,
    /// Buckets of the board.
    pub buckets: NonZeroU32,
}

impl Room {
    /// The largest rings and the largest board that fit into a quarter of `bytes`; at least one page and one bucket.
    pub fn within(bytes: u64) -> Self {
        let part = bytes / 8;
        let pages = part.saturating_sub(feed::SMALL_BYTES) / feed::RING_PAGE_BYTES;
        let buckets = part.saturating_sub(board::SMALL_BYTES) / board::BUCKET_BYTES;
        Self {
            ring: u16::try_from(pages).unwrap_or(u16::MAX).max(1),
            buckets: u32::try_from(buckets)
                .ok()
                .and_then(NonZeroU32::new)
                .unwrap_or(NonZeroU32::MIN),
        }
    }

    /// Most bytes of shared data that rings and board ever take.
    pub fn max_bytes(self) -> u64 {
        let small = feed::SMALL_BYTES
            .saturating_add(board::SMALL_BYTES)
            .saturating_add(super::lease::BYTES)
            .saturating_add(64);
        u64::from(self.ring)
            .saturating_mul(feed::RING_PAGE_BYTES)
            .saturating_add(u64::from(self.buckets.get()).saturating_mul(board::BUCKET_BYTES))
            .saturating_add(small)
    }

    /// What this process uses: whatever a worker published first. Two calls when this one is the first.
    ///
    /// # Errors
    /// The store's own; nothing was published then.
    pub fn agree(self, store: &mut impl CounterStore) -> Result<Self, StoreError> {
        let mut value = Vec::new();
        loop {
            let version = store.get(KEY, &mut value)?;
            if let Some(published) = Self::decode(&value) {
                return Ok(published);
            }
            if store.compare_and_swap(KEY, &self.encode(), version)? == Swap::Done {
                return Ok(self);
            }
        }
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.ring.to_le_bytes());
        bytes.extend_from_slice(&self.buckets.get().to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (ring, buckets) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
        Some(Self {
            ring: Some(u16::from_le_bytes(*ring)).filter(|ring| *ring > 0)?,
            buckets: NonZeroU32::new(u32::from_le_bytes(buckets.try_into().ok()?))?,
        })
    }
}

/// Most observations of spans that are not over, of `bytes` in all.
pub fn open_within(bytes: u64) -> usize {
    let each = u64::try_from(size_of::<Observation>()).unwrap_or(u64::MAX);
    let room = (bytes / 8).checked_div(each).unwrap_or_default();
    usize::try_from(room.min(MAX_OPEN)).unwrap_or(usize::MAX)
}

/// Most accounts that the detector keeps, of `bytes` in all.
pub fn accounts_within(bytes: u64) -> usize {
    let room = (bytes / 8).saturating_mul(5) / ACCOUNT_BYTES;
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn shared_parts_stay_within_a_quarter_of_the_memory() {
        for mib in [16, 17, 64, 1000] {
            let bytes = mib * 1024 * 1024;
            let room = Room::within(bytes);

            assert!(room.max_bytes() <= bytes / 4 + 1024, "{mib} MiB: {room:?}");
            assert!(
                room.ring >= 2 && room.buckets.get() > 500,
                "{mib} MiB: {room:?}"
            );
        }
    }

    #[test]
    fn whoever_comes_first_decides_for_the_process_and_damage_is_mended() {
        let mut store = MemoryStore::new();
        let first = Room::within(8 << 20);

        assert_eq!(first.agree(&mut store), Ok(first));
        assert_eq!(Room::within(64 << 20).agree(&mut store), Ok(first));

        let version = store.get(KEY, &mut Vec::new()).unwrap();
        store
            .compare_and_swap(KEY, b"wd1\0nonsense", version)
            .unwrap();
        let other = Room::within(16 << 20);
        assert_eq!(other.agree(&mut store), Ok(other));
    }
}

//! The bounded set-associative table that holds every counter.
//!
//! Shared data can neither delete nor expire, so there is a fixed set of keys; each names a bucket of fixed-size records.
//! An account's hash picks its bucket, which holds all of its budgets: one read and one write serve them together.
//! A value is as long as its live records need (shorter copies are cheaper), never longer than a full bucket.
mod bucket;
mod record;

use alloc::vec::Vec;
use core::num::NonZeroU32;

use crate::store::{CounterStore, StoreError, Swap};

pub(crate) use bucket::{Bucket, Found, Room};
pub(crate) use record::{Record, RecordId};

/// Names the table and the version of the bytes in it: another layout must never be read as this one.
const KEY_PREFIX: [u8; 7] = *b"weir.1.";
/// Bytes of a bucket's key: the prefix and the index as eight hexadecimal digits, so that all keys are equally long.
const KEY_BYTES: usize = KEY_PREFIX.len() + 8;
/// Where the layout that this process settled on is written.
const LAYOUT_KEY: &[u8] = b"weir.1.layout";
const LAYOUT_BYTES: u64 = 13 + 4;
/// Most bytes that one bucket takes, key and value.
const FULL_BUCKET_BYTES: u64 = 15 + 1952;
const _: () = {
    assert!(
        KEY_BYTES == 15 && Bucket::MAX_BYTES == 1952 && LAYOUT_KEY.len() == 13,
        "the figures above"
    );
};

/// How many buckets the table has; fixed for the life of the process, because shared data cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of buckets.
    pub buckets: NonZeroU32,
}

impl Layout {
    /// The largest layout whose keys and values together stay within `bytes`; at least one bucket.
    pub fn within(bytes: u64) -> Self {
        let buckets = bytes.saturating_sub(LAYOUT_BYTES) / FULL_BUCKET_BYTES;
        let buckets = u32::try_from(buckets).unwrap_or(u32::MAX);
        Self {
            buckets: NonZeroU32::new(buckets).unwrap_or(NonZeroU32::MIN),
        }
    }

    /// Most bytes that the table's keys and values ever take.
    pub fn max_bytes(self) -> u64 {
        u64::from(self.buckets.get())
            .saturating_mul(FULL_BUCKET_BYTES)
            .saturating_add(LAYOUT_BYTES)
    }

    /// Most records that the table holds; one account takes one per budget.
    pub fn max_records(self) -> u64 {
        u64::from(self.buckets.get()).saturating_mul(Bucket::MAX_RECORDS.into())
    }

    /// The layout that this process uses: the first one that any worker published in `store`, so that workers which see a
    /// changed policy earlier or later than others still find the same counters. Two calls when this one is the first.
    ///
    /// # Errors
    /// The store's own; nothing was published then.
    pub fn agree(self, store: &mut impl CounterStore) -> Result<Self, StoreError> {
        let mut value = Vec::new();
        loop {
            let version = store.get(LAYOUT_KEY, &mut value)?;
            let published = value
                .as_slice()
                .try_into()
                .ok()
                .and_then(|bytes| NonZeroU32::new(u32::from_le_bytes(bytes)));
            if let Some(buckets) = published {
                return Ok(Self { buckets });
            }
            if store.compare_and_swap(LAYOUT_KEY, &self.buckets.get().to_le_bytes(), version)?
                == Swap::Done
            {
                return Ok(self);
            }
        }
    }

    /// The bucket of an account: the high half of its hash, scaled, so that every bucket is equally likely.
    pub(crate) fn bucket_of(self, owner: u64) -> u32 {
        let scaled = (owner >> 32).saturating_mul(u64::from(self.buckets.get())) >> 32;
        u32::try_from(scaled).unwrap_or(0)
    }
}

/// The key of a bucket.
pub(crate) fn key(bucket: u32) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let (prefix, digits) = key.split_at_mut(KEY_PREFIX.len());
    prefix.copy_from_slice(&KEY_PREFIX);
    for (place, shift) in digits.iter_mut().zip([28_u32, 24, 20, 16, 12, 8, 4, 0]) {
        let nibble = bucket.checked_shr(shift).unwrap_or(0) & 0xf;
        *place = char::from_digit(nibble, 16)
            .and_then(|digit| u8::try_from(digit).ok())
            .unwrap_or(b'0');
    }
    key
}

#[cfg(test)]
mod tests;

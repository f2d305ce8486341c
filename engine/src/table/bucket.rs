//! One bucket: a small header and the records of the accounts that hash to it, edited in place.
//!
//! Nothing is decoded but the records that are asked for, and everything when room has to be made.
use alloc::vec::Vec;
use core::slice::ChunksExact;

use super::record::{RECORD_BYTES, Record, RecordId};
use crate::time::Timestamp;

/// Magic, version and a zero byte for alignment; the number of records follows from the length.
const MAGIC: [u8; 4] = *b"wb1\0";
/// The magic and the `born` of the next record.
const HEADER_BYTES: usize = MAGIC.len() + 4;

/// What a stored value turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A bucket, possibly one that was just begun.
    Bucket,
    /// Foreign or damaged bytes; an empty bucket stands in their place.
    Corrupt,
}

/// How a new record found its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// There was some, or expired records made some.
    Free,
    /// A live record was given up.
    Evicted,
    /// Every record belongs to the exchange that asks.
    None,
}

/// The bytes of a bucket, for as long as they are edited.
#[derive(Debug)]
pub(crate) struct Bucket<'a> {
    bytes: &'a mut Vec<u8>,
}

impl<'a> Bucket<'a> {
    /// Most records: as many as fit into 2 KiB.
    pub(crate) const MAX_RECORDS: u8 = 18;
    /// Bytes of a full bucket.
    pub(crate) const MAX_BYTES: usize = HEADER_BYTES + 18 * RECORD_BYTES;

    /// Reads `bytes` as a bucket. `exists` tells a stored empty value, which is foreign, from a key that was never written.
    pub(crate) fn open(bytes: &'a mut Vec<u8>, exists: bool, now: Timestamp) -> (Self, Found) {
        if is_bucket(bytes) {
            return (Self { bytes }, Found::Bucket);
        }
        bytes.clear();
        bytes.extend_from_slice(&MAGIC);
        // Nanoseconds make it unlikely that records of a bucket that was lost are taken for those of its successor.
        let [a, b, c, d, ..] = now.as_unix_nanos().to_le_bytes();
        bytes.extend_from_slice(&[a, b, c, d]);
        (
            Self { bytes },
            if exists {
                Found::Corrupt
            } else {
                Found::Bucket
            },
        )
    }

    /// The bucket in `bytes` that [`open`](Self::open) has been through before.
    pub(crate) fn reopen(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The record named `id` with its place. At most 18 comparisons of 20 bytes.
    pub(crate) fn find(&self, id: RecordId) -> Option<(usize, Record)> {
        let (owner, tag) = (id.owner.to_le_bytes(), id.tag());
        // The owner alone, in one register, rules out nearly every record.
        let is_named =
            |bytes: &[u8]| bytes.first_chunk() == Some(&owner) && bytes.starts_with(&tag);
        let (place, bytes) = self
            .records()
            .enumerate()
            .find(|(_, bytes)| is_named(bytes))?;
        Some((place, Record::decode(bytes)?))
    }

    /// Overwrites the record at `place`, as [`find`](Self::find) gave it.
    pub(crate) fn replace(&mut self, place: usize, record: &Record) {
        self.write(place, &record.encode());
    }

    /// Gives `record` its `born` and a place: expired records go, then, if the bucket is full, the one of least risk that
    /// was touched longest ago. `spare` names records that must stay. Decodes every record once.
    pub(crate) fn insert(
        &mut self,
        record: &mut Record,
        now: Timestamp,
        spare: impl Fn(&Record) -> bool,
    ) -> Room {
        let least_valuable = self.remove_expired(now, spare);
        let mut room = Room::Free;
        if self.is_full() {
            let Some(place) = least_valuable else {
                return Room::None;
            };
            self.remove(place);
            room = Room::Evicted;
        }
        record.born = self.next_born();
        self.bytes.extend_from_slice(&record.encode());
        room
    }

    /// Removes what has expired and cannot be read. If the bucket was full and still is, returns the place of the record
    /// to give up, which is the right one as long as nothing moves.
    fn remove_expired(&mut self, now: Timestamp, spare: impl Fn(&Record) -> bool) -> Option<usize> {
        let mut least: Option<((u8, u32), usize)> = None;
        let mut place = 0_usize;
        while let Some(bytes) = self.records().nth(place) {
            let record = Record::decode(bytes);
            let spared = record.filter(&spare);
            let live = record.filter(|record| !record.window.is_void(now));
            match (spared, live) {
                (Some(_), _) => {}
                (None, Some(record)) if self.is_full() => {
                    let value = (record.risk(now), record.touched);
                    if least.is_none_or(|(least, _)| value < least) {
                        least = Some((value, place));
                    }
                }
                (None, Some(_)) => {}
                (None, None) => {
                    self.remove(place);
                    continue;
                }
            }
            place = place.saturating_add(1);
        }
        least.map(|(_, place)| place)
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= Self::MAX_BYTES
    }

    /// Takes a record out; the last one moves into its place.
    fn remove(&mut self, place: usize) {
        let last: Option<[u8; RECORD_BYTES]> = self
            .records()
            .last()
            .and_then(|bytes| bytes.try_into().ok());
        if let Some(last) = last {
            self.write(place, &last);
            self.bytes
                .truncate(self.bytes.len().saturating_sub(RECORD_BYTES));
        }
    }

    fn write(&mut self, place: usize, record: &[u8; RECORD_BYTES]) {
        let records = self.bytes.get_mut(HEADER_BYTES..).unwrap_or_default();
        if let Some(bytes) = records.chunks_exact_mut(RECORD_BYTES).nth(place) {
            bytes.copy_from_slice(record);
        }
    }

    fn records(&self) -> ChunksExact<'_, u8> {
        self.bytes
            .get(HEADER_BYTES..)
            .unwrap_or_default()
            .chunks_exact(RECORD_BYTES)
    }

    /// The `born` of another record. Counts up, never zero: compare-and-swap lets only one worker use each number.
    pub(crate) fn next_born(&mut self) -> u32 {
        let Some(counter) = self
            .bytes
            .get_mut(MAGIC.len()..)
            .and_then(|rest| rest.first_chunk_mut())
        else {
            return 1;
        };
        let born = u32::from_le_bytes(*counter).max(1);
        *counter = born.wrapping_add(1).to_le_bytes();
        born
    }
}

/// Whether `bytes` are a whole header and whole records, no more than fit.
fn is_bucket(bytes: &[u8]) -> bool {
    let records = bytes.len().checked_sub(HEADER_BYTES);
    bytes.starts_with(&MAGIC)
        && bytes.len() <= Bucket::MAX_BYTES
        && records.is_some_and(|bytes| bytes % RECORD_BYTES == 0)
}

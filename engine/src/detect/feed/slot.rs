//! Who owns which slot, and how much stands in its ring.
use super::{SLOTS, page::digit};
use crate::{
    store::{CounterStore, StoreError, Swap, Version},
    time::Timestamp,
};
use alloc::vec::Vec;

const MAGIC: [u8; 4] = *b"wh1\0";
const DIRECTORY: &[u8] = b"weir.1.feed";
/// Key and value of the directory.
pub(super) const DIRECTORY_BYTES: usize = DIRECTORY.len() + MAGIC.len() + 8;
const KEY_BYTES: usize = 14;
/// Key and value of one header.
pub(super) const HEADER_BYTES: usize = KEY_BYTES + MAGIC.len() + 40;
/// Tries to enter the directory, which at most [`SLOTS`] workers do at once.
const MAX_TRIES: usize = 128;

/// A slot's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// The worker that writes here.
    pub(super) owner: u64,
    /// The first page that is the owner's; earlier ones were its predecessor's.
    pub(super) since: u64,
    /// Pages written so far; the ring holds the last ones.
    pub(super) pages: u64,
    /// Observations in them.
    pub(super) observations: u64,
    /// When the owner wrote last.
    pub(super) touched: Timestamp,
}

impl Slot {
    /// The header of slot `index`: `Err` inside `Ok` says that it is damaged.
    pub(super) fn get(
        index: u8,
        store: &mut impl CounterStore,
    ) -> Result<(Option<Version>, Result<Self, Damaged>), StoreError> {
        let mut bytes = Vec::new();
        let version = store.get(&key(index), &mut bytes)?;
        Ok((
            version,
            match version {
                None => Ok(Self::default()),
                Some(_) => Self::decode(&bytes).ok_or(Damaged),
            },
        ))
    }

    pub(super) fn put(
        self,
        index: u8,
        version: Option<Version>,
        store: &mut impl CounterStore,
    ) -> Result<Swap, StoreError> {
        let mut bytes = MAGIC.to_vec();
        for field in [
            self.owner,
            self.since,
            self.pages,
            self.observations,
            self.touched.as_unix_nanos(),
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        store.compare_and_swap(&key(index), &bytes, version)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let mut fields = rest.chunks_exact(8).map(|field| {
            field
                .first_chunk()
                .map(|field| u64::from_le_bytes(*field))
                .unwrap_or_default()
        });
        let slot = Self {
            owner: fields.next()?,
            since: fields.next()?,
            pages: fields.next()?,
            observations: fields.next()?,
            touched: Timestamp::from_unix_nanos(fields.next()?),
        };
        (rest.len() == 40 && slot.since <= slot.pages).then_some(slot)
    }
}

/// Bytes that are no header.
#[derive(Debug)]
pub(super) struct Damaged;

fn key(index: u8) -> [u8; KEY_BYTES] {
    let mut key = *b"weir.1.feed.00";
    let (_, tail) = key.split_at_mut(12);
    tail.copy_from_slice(&[digit(index >> 4), digit(index & 0xf)]);
    key
}

/// Slots that were ever claimed, as bits.
pub(super) fn claimed(store: &mut impl CounterStore) -> Result<u64, StoreError> {
    let mut bytes = Vec::new();
    store.get(DIRECTORY, &mut bytes)?;
    Ok(directory(&bytes))
}

fn directory(bytes: &[u8]) -> u64 {
    let bits = bytes
        .strip_prefix(&MAGIC)
        .and_then(|bits| bits.try_into().ok());
    bits.map(u64::from_le_bytes).unwrap_or_default()
}

/// Claims a slot for `owner`: a free one, or one whose owner has long been silent; `None` when all are taken.
pub(super) fn claim(
    owner: u64,
    now: Timestamp,
    store: &mut impl CounterStore,
) -> Result<Option<u8>, StoreError> {
    for index in 0..SLOTS {
        let (version, found) = Slot::get(index, store)?;
        // A damaged header begins anew: what the leader has not read of it is lost with it.
        let found = found.unwrap_or_default();
        if found.owner == owner {
            return Ok(Some(index));
        }
        let silent = now.saturating_since(found.touched);
        if found.owner != 0 && silent < super::ABANDONED {
            continue;
        }
        let mine = Slot {
            owner,
            since: found.pages,
            touched: now,
            ..found
        };
        if mine.put(index, version, store)? == Swap::Done {
            enter(index, store)?;
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn enter(index: u8, store: &mut impl CounterStore) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for _ in 0..MAX_TRIES {
        let version = store.get(DIRECTORY, &mut bytes)?;
        let bits = directory(&bytes) | 1_u64.checked_shl(index.into()).unwrap_or_default();
        let mut value = MAGIC.to_vec();
        value.extend_from_slice(&bits.to_le_bytes());
        if store.compare_and_swap(DIRECTORY, &value, version)? == Swap::Done {
            return Ok(());
        }
    }
    Err(StoreError::CONTENDED)
}

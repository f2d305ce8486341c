//! A store in this process's memory, for native runs.
//!
//! It has one owner; hosts that run several workers put a lock around it and implement the port on
//! their handle. The ledger never assumes that two calls happen together, so locking each is enough.
use alloc::{collections::BTreeMap, vec::Vec};
use core::num::NonZeroU32;

use super::{CounterStore, StoreError, Swap, Version};

/// Keys in order with values and versions; never fails.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    entries: BTreeMap<Vec<u8>, Entry>,
    bytes: u64,
    /// Version of the latest write to any key; skips zero when it wraps.
    latest: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    version: Version,
    value: Vec<u8>,
}

impl MemoryStore {
    /// A store without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of all keys and values together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was ever written.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every key with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_slice(), entry.value.as_slice()))
    }

    fn next_version(&mut self) -> Version {
        self.latest = self.latest.wrapping_add(1);
        let version = NonZeroU32::new(self.latest).unwrap_or(NonZeroU32::MIN);
        self.latest = version.get();
        Version(version)
    }
}

impl CounterStore for MemoryStore {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        value.clear();
        let entry = self.entries.get(key);
        if let Some(entry) = entry {
            value.extend_from_slice(&entry.value);
        }
        Ok(entry.map(|entry| entry.version))
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        let found = self.entries.get(key);
        if found.map(|entry| entry.version) != expected {
            return Ok(Swap::Conflict);
        }
        let before = found.map_or(0, |entry| size(key, &entry.value));
        let version = self.next_version();
        if let Some(entry) = self.entries.get_mut(key) {
            entry.version = version;
            entry.value.clear();
            entry.value.extend_from_slice(value);
        } else {
            self.entries.insert(
                key.to_vec(),
                Entry {
                    version,
                    value: value.to_vec(),
                },
            );
        }
        self.bytes = self
            .bytes
            .saturating_sub(before)
            .saturating_add(size(key, value));
        Ok(Swap::Done)
    }
}

fn size(key: &[u8], value: &[u8]) -> u64 {
    u64::try_from(key.len().saturating_add(value.len())).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::rc::Rc;
    use core::cell::RefCell;

    use super::*;
    use crate::store::suite;

    /// Two workers' handles on one store.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<MemoryStore>>);

    impl CounterStore for Shared {
        fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
            self.0.borrow_mut().get(key, value)
        }

        fn compare_and_swap(
            &mut self,
            key: &[u8],
            value: &[u8],
            expected: Option<Version>,
        ) -> Result<Swap, StoreError> {
            self.0.borrow_mut().compare_and_swap(key, value, expected)
        }
    }

    #[test]
    fn behaves_as_every_store_must() {
        suite::run(MemoryStore::new);
    }

    #[test]
    fn behaves_as_every_shared_store_must() {
        suite::run_shared(|| {
            let store = Shared::default();
            (store.clone(), store)
        });
    }

    #[test]
    fn counts_the_bytes_that_it_holds_now() {
        let mut store = MemoryStore::new();

        store
            .compare_and_swap(b"key", b"a longer value", None)
            .unwrap();
        let version = store.get(b"key", &mut Vec::new()).unwrap();
        store.compare_and_swap(b"key", b"short", version).unwrap();
        store.compare_and_swap(b"other", b"", None).unwrap();
        store
            .compare_and_swap(b"key", b"lost the race", None)
            .unwrap();

        let told: usize = store
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        assert_eq!(store.bytes(), told as u64);
        assert_eq!((store.bytes(), store.len()), (13, 2));
    }

    #[test]
    fn versions_wrap_around_zero() {
        let mut store = MemoryStore {
            latest: u32::MAX - 1,
            ..MemoryStore::new()
        };

        for key in [b"a", b"b", b"c"] {
            assert_eq!(store.compare_and_swap(key, b"", None), Ok(Swap::Done));
        }

        let versions =
            [b"a", b"b", b"c"].map(|key| store.get(key, &mut Vec::new()).unwrap().unwrap().0.get());
        assert_eq!(versions, [u32::MAX, 1, 2]);
    }
}

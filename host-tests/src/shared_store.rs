//! The host's shared data as the engine's [`CounterStore`], for native runs over the same memory.
use core::num::NonZeroU32;

use weir_engine::store::{CounterStore, StoreError, Swap, Version};

use crate::shared_data::Namespace;
use crate::status::Status;

/// A CAS that no value has yet: the counter reaches it after 2^32 - 1 writes.
///
/// Envoy lets any nonzero CAS pass on a missing key and compares it on an existing one, so this
/// one creates only what is absent. (An unconditional first write would let two creators win.)
const ABSENT: u32 = u32::MAX;

/// One `vm_id`'s shared data. Clones see the same data.
#[derive(Clone)]
pub struct SharedDataStore(pub(crate) Namespace);

impl CounterStore for SharedDataStore {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        Ok(self
            .0
            .get(key, value)
            .and_then(NonZeroU32::new)
            .map(Version))
    }
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        match self.0.set(
            key,
            value,
            expected.map_or(ABSENT, |version| version.0.get()),
        ) {
            Ok(()) => Ok(Swap::Done),
            Err(Status::CasMismatch) => Ok(Swap::Conflict),
            Err(other) => Err(StoreError {
                status: other.code(),
            }),
        }
    }
}

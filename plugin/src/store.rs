//! Proxy-Wasm shared data as the engine's counter store.
use crate::hostcalls::{self, Refused};
use std::num::NonZeroU32;
use weir_engine::store::{CounterStore, StoreError, Swap, Version};

/// Shared data of this process, in the namespace of the plugin's `vm_id`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedData;

fn failure(refused: Refused) -> StoreError {
    StoreError {
        status: refused.status,
    }
}

impl CounterStore for SharedData {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        value.clear();
        match hostcalls::shared_data(key).map_err(failure)? {
            None => Ok(None),
            Some((bytes, cas)) => {
                *value = bytes;
                // A stored value never has version 0; if one had, taking it for "any" would lose updates.
                NonZeroU32::new(cas)
                    .map(|cas| Some(Version(cas)))
                    .ok_or(StoreError { status: 0 })
            }
        }
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        // There is no create-if-absent, but a version on a missing key is accepted and on an existing
        // one compared: a version that no value gets (the counter would have to wrap) does the same.
        let expected = expected.map_or(NonZeroU32::MAX, |version| version.0);
        let written = hostcalls::set_shared_data(key, value, expected).map_err(failure)?;
        Ok(if written { Swap::Done } else { Swap::Conflict })
    }
}

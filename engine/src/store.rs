//! The one port through which counters reach shared memory.
use alloc::vec::Vec;
use core::num::NonZeroU32;

/// Opaque version of a stored value; changes with every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub NonZeroU32);

/// What became of a compare-and-swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The value was written.
    Done,
    /// Somebody wrote first: read again and re-apply.
    Conflict,
}

/// The store could not be reached or refused the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shared store failed with status {status}")]
pub struct StoreError {
    /// The host's own status code.
    pub status: u32,
}

/// Shared memory with optimistic concurrency, as Proxy-Wasm shared data offers it.
pub trait CounterStore {
    /// Replaces the content of `value` with what is stored under `key` and returns its version; `None` when the key was never written (`value` is then empty).
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError>;
    /// Writes `value` if the key still has `expected` (`None`: if it was never written).
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError>;
}

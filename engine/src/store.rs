//! The one port through which counters reach shared memory, and the one store that lives in this process.
mod memory;
#[cfg(any(test, feature = "store-suite"))]
pub mod suite;

use alloc::vec::Vec;
use core::num::NonZeroU32;

pub use memory::MemoryStore;

/// Opaque version of a stored value; changes with every write. Only means something for the key that it was read from.
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

impl StoreError {
    /// Somebody else wrote first on every try that a caller allowed itself (Proxy-Wasm's `CasMismatch`).
    pub const CONTENDED: Self = Self { status: 8 };
    /// One exchange charges more budgets than a bucket has records (Proxy-Wasm's `InternalFailure`).
    pub const FULL: Self = Self { status: 10 };
}

/// Shared memory with optimistic concurrency, as Proxy-Wasm shared data offers it: no delete, no expiry.
pub trait CounterStore {
    /// Replaces the content of `value` with what is stored under `key` and returns its version; `None` when the key was never written (`value` is then empty).
    ///
    /// # Errors
    /// The host's status, when it could not answer; `value` is then unspecified.
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError>;

    /// Writes `value` if the key still has `expected` (`None`: if it was never written).
    ///
    /// # Errors
    /// The host's status, when it refused; nothing was written then. Callers count on that: they apply the same change again.
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError>;
}

impl<S: CounterStore + ?Sized> CounterStore for &mut S {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        (**self).get(key, value)
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        (**self).compare_and_swap(key, value, expected)
    }
}

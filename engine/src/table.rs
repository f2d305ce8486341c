//! The bounded set-associative table that holds every counter.
use core::num::NonZeroU32;

/// How many buckets the table has; fixed for the life of the process, because shared data cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of buckets.
    pub buckets: NonZeroU32,
}

impl Layout {
    /// The largest layout whose keys and values together stay within `bytes`; at least one bucket.
    pub fn within(_bytes: u64) -> Self {
        Self {
            buckets: NonZeroU32::MIN,
        }
    }
}

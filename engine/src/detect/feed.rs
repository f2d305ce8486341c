//! How workers tell the leader what they observed: rings of pages in shared data.
//!
//! Each worker owns a slot (claimed by compare-and-swap) with a ring of pages. It gathers observations and writes
//! a page, then the slot's header, which says how many pages there are; the leader reads headers, then new
//! pages. A page that is overwritten before it was read is lost, and counted. Keys and bytes are fixed.
mod page;
mod reader;
mod slot;
mod writer;

pub use reader::FeedReader;
pub use writer::FeedWriter;

use super::observation::Observation;
use core::time::Duration;

/// Observations of one page; a worker writes when it has that many.
pub const PAGE_OBSERVATIONS: usize = 48;
/// Observations wait in a worker so long at most, while it ticks.
pub const MAX_AGE: Duration = Duration::from_secs(1);
/// Length of a span: what a worker observed in one is written on the first tick after it.
pub const SPAN: Duration = Duration::from_secs(60);
/// Workers that have a ring at the same time; one more loses its observations, and counts them.
pub const SLOTS: u8 = 64;
/// A slot whose owner has not written for so long may be taken by another worker.
const ABANDONED: Duration = Duration::from_secs(600);

/// Most bytes of the directory and all headers.
#[expect(clippy::as_conversions, reason = "widening of constants")]
pub(super) const SMALL_BYTES: u64 =
    slot::DIRECTORY_BYTES as u64 + SLOTS as u64 * slot::HEADER_BYTES as u64;
/// Most bytes of one page in each slot's ring.
#[expect(clippy::as_conversions, reason = "widening of constants")]
pub(super) const RING_PAGE_BYTES: u64 = SLOTS as u64
    * (page::KEY_BYTES + page::HEADER_BYTES + PAGE_OBSERVATIONS * Observation::WIRE_BYTES) as u64;

/// What became of observations on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedStats {
    /// Given to the writer, or handed out by the reader.
    pub observations: u64,
    /// Overwritten before they were read, or had no slot or store to go to.
    pub lost: u64,
    /// Pages and headers that were damaged.
    pub corrupt: u64,
}

#[cfg(test)]
mod tests;

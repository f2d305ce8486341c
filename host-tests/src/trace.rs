//! Recorded exchanges: reading them as a stream, whatever their number.
//!
//! Two formats, told apart by the first line: Weir's own trace (JSON lines sorted by time) and
//! what Envoy's HTTP tap filter writes as JSON. Reading has two halves so that it can use every
//! core: [`TraceReader`] splits the input into [`Batch`]es without parsing, [`Record::parse`] makes
//! a borrowing [`TraceLine`] of one record, on any thread. Memory depends on the longest record
//! and on the batch size only.
//!
//! A trace's `truth` is for scoring. [`TraceLine`] has no place for it, so nothing that a plugin
//! is given can hold it.
mod batch;
mod error;
mod json;
mod line;
mod reader;
mod tap;

pub use batch::{Batch, Record};
pub use error::{TraceError, TraceProblem};
pub use line::{TraceLine, TraceResponse};
pub use reader::{MAX_RECORD_BYTES, TraceReader};

/// How a recording is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceFormat {
    /// Weir's own: one exchange per line.
    Lines,
    /// Envoy's HTTP tap filter: JSON objects one after another, each on one line or on many.
    Tap,
}

//! Records that were split but not yet parsed, on their way from the reader to a worker.
use super::TraceFormat;
use super::error::{TraceError, TraceProblem};
use super::line::{self, TraceLine};
use super::tap;
use weir_engine::time::Timestamp;

/// Some consecutive records. Reuse one: its buffers keep their size.
pub struct Batch {
    pub(super) format: TraceFormat,
    pub(super) text: Vec<u8>,
    pub(super) ends: Vec<(u64, usize)>,
}

impl Batch {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self {
            format: TraceFormat::Lines,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }
    /// Number of records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut start = 0;
        self.ends.iter().map(move |&(line, end)| {
            let text = self.text.get(start..end).unwrap_or_default();
            start = end;
            Record {
                line,
                text,
                format: self.format,
            }
        })
    }
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

/// One record, not yet parsed.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Its line, counted from 1; in a tap recording the exchange, counted from 1.
    pub line: u64,
    text: &'a [u8],
    format: TraceFormat,
}

impl<'a> Record<'a> {
    /// The exchange in this record. Linear in its bytes; allocates for headers and escaped text.
    ///
    /// # Errors
    /// [`TraceError`] where the record is no exchange: the recording is at fault.
    pub fn parse(&self) -> Result<TraceLine<'a>, TraceError> {
        let text = str::from_utf8(self.text).map_err(|error| {
            self.error(TraceProblem::NotUtf8 {
                at: error.valid_up_to(),
            })
        })?;
        let line = match self.format {
            TraceFormat::Lines => line::parse(text),
            TraceFormat::Tap => tap::parse(text),
        };
        line.map_err(|problem| self.error(problem))
    }
    /// When its exchange began; `None` where it is no exchange. A glance where `time` comes first, else a parse.
    pub fn time(&self) -> Option<Timestamp> {
        const FIRST: &[u8] = br#"{"time":""#;
        let written = self.text.strip_prefix(FIRST).and_then(|rest| {
            let end = rest.iter().take(64).position(|byte| *byte == b'"')?;
            Timestamp::parse_rfc3339(str::from_utf8(rest.get(..end)?).ok()?)
        });
        written.or_else(|| self.parse().ok().map(|exchange| exchange.time))
    }
    /// The record's bytes as recorded, for whoever scores decisions against `truth`. Never for a plugin.
    pub fn raw(&self) -> &'a [u8] {
        self.text
    }
    fn error(&self, problem: TraceProblem) -> TraceError {
        TraceError {
            line: self.line,
            problem,
        }
    }
}

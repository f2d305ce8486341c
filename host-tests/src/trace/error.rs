//! What can be wrong with a recording, where, and what to do about it.
//!
//! Messages name fields and positions, never values: a value may be prompt text or a credential.
use std::io;

/// A recording that cannot be read on.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {problem}; {}", problem.help())]
pub struct TraceError {
    /// The line, counted from 1. In a recording of Envoy's tap filter: the line where the
    /// exchange's object starts, or, once parsing is on its way, the exchange counted from 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: TraceProblem,
}

/// What is wrong with one record.
#[derive(Debug, thiserror::Error)]
pub enum TraceProblem {
    /// The input itself failed.
    #[error("cannot read the trace: {0}")]
    Read(io::Error),
    /// No end in sight.
    #[error("the record is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// The input ends inside a record.
    #[error("the trace ends in the middle of a record")]
    Cut,
    /// Not UTF-8.
    #[error("byte {at} of the record is not UTF-8")]
    NotUtf8 {
        /// Offset in the record.
        at: usize,
    },
    /// Not JSON, or not an exchange.
    #[error("{what} ({} of the record)", place(*row, *column))]
    Malformed {
        /// Without any value of the record.
        what: String,
        /// Line inside the record, counted from 1; above 1 only in tap recordings.
        row: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// A field is there but says nothing usable.
    #[error("{field} {what}")]
    Field {
        /// Where in the record.
        field: &'static str,
        /// What it should be.
        what: &'static str,
    },
    /// A tap recording without a time.
    #[error(
        "the recorded exchange has neither `headers_received_time` nor a `date` header in its response"
    )]
    NoTime,
    /// A tap recording in pieces.
    #[error("this is a streamed tap recording, whose exchanges come in pieces")]
    Streamed,
}

impl TraceProblem {
    /// What the user can do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Read(_) => "check the file and that it is not being written to",
            Self::TooLong { .. } => "is this a trace? It has one JSON object per line",
            Self::Cut => "the recording was cut off: remove its last, incomplete record",
            Self::NotUtf8 { .. } => {
                "record such bodies with Envoy's tap filter as JSON_BODY_AS_BYTES"
            }
            Self::Malformed { .. } | Self::Field { .. } => "correct or remove the record",
            Self::NoTime => "record with `record_headers_received_time: true` in the tap filter",
            Self::Streamed => "record with `streaming: false` in the tap filter's output_config",
        }
    }
    /// From serde_json, without the value that its message may quote.
    pub(super) fn from_json(error: &serde_json::Error) -> Self {
        if error.is_eof() {
            return Self::Cut;
        }
        let text = error.to_string();
        let text = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(what, _)| what);
        let what = if text.starts_with("missing field")
            || text.starts_with("duplicate field")
            || !error.is_data()
        {
            text.to_owned()
        } else if let Some((_, expected)) = text.rsplit_once(", expected ") {
            format!("expected {expected}")
        } else {
            "unexpected value".to_owned()
        };
        Self::Malformed {
            what,
            row: error.line(),
            column: error.column(),
        }
    }
}

fn place(row: usize, column: usize) -> String {
    if row > 1 {
        format!("line {row}, column {column}")
    } else {
        format!("column {column}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_quotes_the_value_it_complains_about() {
        let error = serde_json::from_str::<u16>("\"sk-secret, expected things\"").unwrap_err();

        let problem = TraceProblem::from_json(&error);

        assert_eq!(
            problem.to_string(),
            "expected u16 (column 28 of the record)"
        );
    }
}

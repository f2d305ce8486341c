//! Splits a recording into batches of records without parsing them.
//!
//! Sequential and cheap on purpose (one search for the line's end, one copy), so that a single
//! reader feeds every core. Memory: one batch, whose size one record may exceed.
use super::batch::Batch;
use super::error::{TraceError, TraceProblem};
use super::{TraceFormat, tap};
use memchr::memchr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;

/// Longest record that is read; a longer one is an error and not an allocation.
pub const MAX_RECORD_BYTES: usize = 64 << 20;
/// A batch is full at this many records ...
const BATCH_RECORDS: usize = 256;
/// ... or at this many bytes, whichever comes first.
const BATCH_BYTES: usize = 1 << 20;
const BUFFER_BYTES: usize = 256 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads records, in order, from a file or from any stream.
pub struct TraceReader {
    input: Chain<Cursor<Vec<u8>>, BufReader<Box<dyn Read + Send>>>,
    format: TraceFormat,
    /// Lines whose end was seen.
    lines: u64,
    /// Exchanges of a tap recording handed out.
    exchanges: u64,
    limit: usize,
}

impl TraceReader {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// Where it cannot be opened or read.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        if path.as_os_str() == "-" {
            return Self::new(io::stdin());
        }
        Self::new(File::open(path).map_err(|error| TraceError {
            line: 1,
            problem: TraceProblem::Read(error),
        })?)
    }
    /// Reads from `input` and tells its format by the first line, which is read now.
    ///
    /// # Errors
    /// Where `input` fails, or its first line is longer than [`MAX_RECORD_BYTES`].
    pub fn new(input: impl Read + Send + 'static) -> Result<Self, TraceError> {
        Self::with_limit(Box::new(input), MAX_RECORD_BYTES)
    }
    fn with_limit(input: Box<dyn Read + Send>, limit: usize) -> Result<Self, TraceError> {
        let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
        let mut first = Vec::new();
        let mut blank = 0;
        let start = loop {
            let start = first.len();
            let ended = read_line(&mut input, &mut first, limit).map_err(|problem| TraceError {
                line: blank + 1,
                problem,
            })?;
            if blank == 0 && first.starts_with(BYTE_ORDER_MARK) {
                first.drain(..BYTE_ORDER_MARK.len());
            }
            if !ended
                || first
                    .iter()
                    .skip(start)
                    .any(|byte| !byte.is_ascii_whitespace())
            {
                break start;
            }
            // Blank lines ahead of the first record need not be kept, only counted.
            blank += 1;
            first.clear();
        };
        let format = if tap::begins(first.get(start..).unwrap_or_default()) {
            TraceFormat::Tap
        } else {
            TraceFormat::Lines
        };
        Ok(Self {
            input: Cursor::new(first).chain(input),
            format,
            lines: blank,
            exchanges: 0,
            limit,
        })
    }
    /// The format that the first line told.
    pub fn format(&self) -> TraceFormat {
        self.format
    }
    /// Fills `batch` with the next records, up to 256 or 1 MiB; `false` at the end of the recording.
    ///
    /// # Errors
    /// Where the input fails or a record has no end. Records before it are lost with the batch.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, TraceError> {
        batch.clear();
        batch.format = self.format;
        while batch.ends.len() < BATCH_RECORDS && batch.text.len() < BATCH_BYTES {
            let more = match self.format {
                TraceFormat::Lines => self.next_line(batch)?,
                TraceFormat::Tap => self.next_object(batch)?,
            };
            if !more {
                break;
            }
        }
        Ok(!batch.is_empty())
    }
    /// Appends the next line that is not blank.
    fn next_line(&mut self, batch: &mut Batch) -> Result<bool, TraceError> {
        loop {
            let start = batch.text.len();
            let ended =
                read_line(&mut self.input, &mut batch.text, self.limit).map_err(|problem| {
                    TraceError {
                        line: self.lines + 1,
                        problem,
                    }
                })?;
            let blank = batch.text.iter().skip(start).all(u8::is_ascii_whitespace);
            if !blank {
                self.lines += 1;
                batch.ends.push((self.lines, batch.text.len()));
                return Ok(true);
            }
            batch.text.truncate(start);
            if !ended {
                return Ok(false);
            }
            self.lines += 1;
        }
    }
    /// Appends the next JSON object, wherever it ends.
    fn next_object(&mut self, batch: &mut Batch) -> Result<bool, TraceError> {
        let mut object = ObjectEnd::default();
        let start = batch.text.len();
        let mut first_line = self.lines + 1;
        loop {
            let failed = |problem| TraceError {
                line: first_line,
                problem,
            };
            let chunk = self
                .input
                .fill_buf()
                .map_err(|error| failed(TraceProblem::Read(error)))?;
            if chunk.is_empty() {
                return if object.is_open() {
                    Err(failed(TraceProblem::Cut))
                } else {
                    Ok(false)
                };
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in chunk {
                used += 1;
                if byte == b'\n' {
                    self.lines += 1;
                }
                if !object.is_open() {
                    // Between objects: white space only, not part of the record.
                    if byte == b'{' {
                        first_line = self.lines + 1;
                    } else if byte.is_ascii_whitespace() {
                        continue;
                    } else {
                        return Err(TraceError {
                            line: self.lines + 1,
                            problem: TraceProblem::Malformed {
                                what: "expected an object".to_owned(),
                                row: 1,
                                column: 1,
                            },
                        });
                    }
                }
                batch.text.push(byte);
                if object.ends_at(byte) {
                    ended = true;
                    break;
                }
            }
            self.input.consume(used);
            if batch.text.len() - start > self.limit {
                return Err(TraceError {
                    line: first_line,
                    problem: TraceProblem::TooLong { limit: self.limit },
                });
            }
            if ended {
                self.exchanges += 1;
                batch.ends.push((self.exchanges, batch.text.len()));
                return Ok(true);
            }
        }
    }
}

/// Appends one line, its end included; `false` when the input ended without a line's end.
fn read_line(
    input: &mut impl BufRead,
    into: &mut Vec<u8>,
    limit: usize,
) -> Result<bool, TraceProblem> {
    let start = into.len();
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(TraceProblem::Read(error)),
        };
        let (line, ended) = match memchr(b'\n', chunk) {
            Some(at) => (chunk.get(..=at).unwrap_or(chunk), true),
            None => (chunk, chunk.is_empty()),
        };
        into.extend_from_slice(line);
        let used = line.len();
        input.consume(used);
        if into.len() - start > limit {
            return Err(TraceProblem::TooLong { limit });
        }
        if ended {
            return Ok(used > 0);
        }
    }
}

/// Finds where a JSON object ends, byte by byte, without looking at what it says.
#[derive(Default)]
struct ObjectEnd {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl ObjectEnd {
    fn is_open(&self) -> bool {
        self.depth > 0
    }
    fn ends_at(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1; // open, so at least 1
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives `step` bytes a call, as a slow pipe does.
    struct Dribble {
        rest: Cursor<Vec<u8>>,
        step: usize,
    }

    impl Read for Dribble {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let step = self.step.min(into.len());
            self.rest.read(&mut into[..step])
        }
    }

    fn read(text: &str, step: usize) -> Result<Vec<(u64, String)>, TraceError> {
        let mut reader = TraceReader::with_limit(
            Box::new(Dribble {
                rest: Cursor::new(text.into()),
                step,
            }),
            4_096,
        )?;
        let mut batch = Batch::new();
        let mut records = Vec::new();
        while reader.next_batch(&mut batch)? {
            records.extend(batch.records().map(|record| {
                (
                    record.line,
                    String::from_utf8(record.raw().trim_ascii().to_vec()).unwrap(),
                )
            }));
        }
        Ok(records)
    }

    fn owned(records: &[(u64, &str)]) -> Vec<(u64, String)> {
        records
            .iter()
            .map(|&(line, text)| (line, text.to_owned()))
            .collect()
    }

    #[test]
    fn lines_keep_their_number_across_blank_lines_marks_and_a_missing_last_end() {
        for step in [1, 3, 1 << 20] {
            let records = read("\u{feff}\n\r\n{\"a\":1}\r\n\n  \n{\"b\":2}", step).unwrap();

            assert_eq!(
                records,
                owned(&[(3, "{\"a\":1}"), (6, "{\"b\":2}")]),
                "{step}"
            );
        }
    }

    #[test]
    fn an_empty_recording_has_no_records() {
        for text in ["", "\n", " \n\n ", "\u{feff}"] {
            assert_eq!(read(text, 2).unwrap(), []);
        }
    }

    #[test]
    fn tap_objects_are_found_whatever_their_layout() {
        for step in [1, 7, 1 << 20] {
            let records = read("{\n \"http_buffered_trace\": {\"x\": \"}\\\"{\\\\\"}\n}{\"http_buffered_trace\":{}}\n\n{\"http_buffered_trace\":[{}]}\n", step).unwrap();

            assert_eq!(
                records,
                owned(&[
                    (1, "{\n \"http_buffered_trace\": {\"x\": \"}\\\"{\\\\\"}\n}"),
                    (2, "{\"http_buffered_trace\":{}}"),
                    (3, "{\"http_buffered_trace\":[{}]}")
                ]),
                "{step}"
            );
        }
    }

    #[test]
    fn a_cut_tap_recording_names_the_line_where_the_object_starts() {
        let error = read(
            "{\n\"http_buffered_trace\":{}}\n\n{\"http_buffered_trace\":{\n",
            5,
        )
        .unwrap_err();

        assert!(
            matches!(
                error,
                TraceError {
                    line: 4,
                    problem: TraceProblem::Cut
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn a_record_without_end_is_an_error_and_not_an_allocation() {
        for text in [
            "x".repeat(5_000),
            format!("{{\"a\":1}}\n{}", "x".repeat(5_000)),
            format!("{{\n{}", " ".repeat(5_000)),
        ] {
            let error = read(&text, 1 << 20).unwrap_err();

            assert!(
                matches!(error.problem, TraceProblem::TooLong { limit: 4_096 }),
                "{error}"
            );
        }
    }

    #[test]
    fn a_batch_is_full_at_256_records() {
        let mut reader = TraceReader::new(Cursor::new("{}\n".repeat(300))).unwrap();
        let mut batch = Batch::new();

        let sizes: Vec<_> =
            std::iter::from_fn(|| reader.next_batch(&mut batch).unwrap().then(|| batch.len()))
                .collect();

        assert_eq!(sizes, [256, 44]);
    }

    proptest! {
        #[test]
        fn every_line_comes_out_once_in_order_however_the_input_arrives(lines in prop::collection::vec("[ a-z{}\"]{0,30}", 0..40), step in 1_usize..64) {
            let text = lines.join("\n");
            let expected: Vec<_> = lines.iter().enumerate().map(|(index, line)| (index as u64 + 1, line.trim().to_owned())).filter(|(_, line)| !line.is_empty()).collect();
            prop_assume!(expected.first().is_none_or(|(_, first)| first != "{")); // would read as printed for people

            prop_assert_eq!(read(&text, step).unwrap(), expected);
        }
    }
}

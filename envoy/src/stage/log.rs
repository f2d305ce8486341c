//! Envoy's own log, record by record, as it is written.
//!
//! Envoy writes its log to stderr without a buffer, each record in one piece. Messages of plugins may have lines in
//! them, so records are set apart by separators that no message has.
use std::fs::File;
use std::io::{Read, Write};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch;

/// For `--log-format`: record separator, fields, unit separator.
pub(crate) const FORMAT: &str = "\u{1e}%t|%l|%n|%v\u{1f}";
const BEGIN: u8 = 0x1e;
const END: u8 = 0x1f;
/// What a plugin's messages begin with.
const OF_PLUGIN: &str = "wasm log";

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// Number of the thread that wrote it.
    pub thread: u64,
    /// `trace`, `debug`, `info`, `warning`, `error` or `critical`.
    pub level: String,
    /// `wasm`, `main`, ...
    pub component: String,
    /// The message; may have several lines.
    pub text: String,
}

impl LogRecord {
    /// What a plugin logged, without Envoy's prefix of its names; None for Envoy's own words.
    pub fn of_plugin(&self) -> Option<&str> {
        if self.component != "wasm" {
            return None;
        }
        // `wasm log NAME ROOT_ID VM_ID: `, `wasm log ROOT_ID VM_ID: `, `wasm log: ` by phase and configuration.
        let (_, message) = self.text.strip_prefix(OF_PLUGIN)?.split_once(": ")?;
        Some(message)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(4, '|');
        Some(Self {
            thread: fields.next()?.parse().ok()?,
            level: fields.next()?.to_owned(),
            component: fields.next()?.to_owned(),
            text: fields.next()?.to_owned(),
        })
    }
}

/// The log of one Envoy; clones read the same.
#[derive(Clone, Debug)]
pub struct EnvoyLog {
    records: Arc<Mutex<Vec<LogRecord>>>,
    length: watch::Receiver<usize>,
}

impl EnvoyLog {
    /// Reads what the process says until its end, and copies it to `file`.
    pub(crate) fn read(from: ChildStderr, file: File) -> Self {
        let records = Arc::new(Mutex::new(Vec::new()));
        let (sender, length) = watch::channel(0);
        let own = Arc::clone(&records);
        thread::spawn(move || pump(from, file, &own, &sender));
        Self { records, length }
    }

    fn records(&self) -> MutexGuard<'_, Vec<LogRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records so far.
    pub fn len(&self) -> usize {
        self.records().len()
    }

    /// Whether nothing was logged yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records from number `begin` on.
    pub fn since(&self, begin: usize) -> Vec<LogRecord> {
        self.records().get(begin..).unwrap_or_default().to_vec()
    }

    /// Gives each record from number `begin` on to `visit`; returns how many there are by then in all.
    pub fn visit(&self, begin: usize, visit: impl FnMut(&LogRecord)) -> usize {
        let records = self.records();
        records
            .get(begin..)
            .unwrap_or_default()
            .iter()
            .for_each(visit);
        records.len()
    }

    /// Tells when there are more. The sender is dropped once the process has ended and all is read.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.length.clone()
    }

    /// Whether the process has ended and all that it logged is here.
    pub fn has_ended(&self) -> bool {
        self.length.has_changed().is_err()
    }

    /// Returns when the process has ended and all that it logged is here.
    pub async fn end(&self) {
        let mut length = self.length.clone();
        while length.changed().await.is_ok() {}
    }
}

fn pump(
    mut from: ChildStderr,
    mut file: File,
    records: &Mutex<Vec<LogRecord>>,
    length: &watch::Sender<usize>,
) {
    let mut pending = Vec::new();
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let new = bytes.get(..read).unwrap_or_default();
        // For people; the comparison does not need it.
        let _ = file.write_all(new);
        pending.extend_from_slice(new);
        let complete = take_complete(&mut pending);
        if complete.is_empty() {
            continue;
        }
        let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
        records.extend(complete);
        length.send_replace(records.len());
    }
}

/// Takes the complete records out of `pending`; what stands between records is of no use.
fn take_complete(pending: &mut Vec<u8>) -> Vec<LogRecord> {
    let Some(last) = pending.iter().rposition(|byte| *byte == END) else {
        return Vec::new();
    };
    let complete: Vec<u8> = pending.drain(..=last).collect();
    complete
        .split(|byte| *byte == END)
        .filter_map(|record| {
            let begin = record.iter().position(|byte| *byte == BEGIN)?;
            let text = record.get(begin.saturating_add(1)..)?;
            LogRecord::parse(&String::from_utf8_lossy(text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_whatever_lines_they_have() {
        let mut pending =
            b"noise\n\x1e7|info|wasm|wasm log probe: two\nlines: | here\x1f\n\x1e8|critical|main|bad\x1f\n\x1e7|in"
                .to_vec();

        let records = take_complete(&mut pending);

        assert_eq!(records.len(), 2);
        assert_eq!(records[0].of_plugin(), Some("two\nlines: | here"));
        assert_eq!((records[0].thread, records[0].level.as_str()), (7, "info"));
        assert_eq!(records[1].of_plugin(), None);
        assert_eq!(pending, b"\n\x1e7|in");
    }

    #[test]
    fn the_prefix_of_each_phase_is_taken_away() {
        let said = |text: &str| LogRecord {
            thread: 1,
            level: "info".into(),
            component: "wasm".into(),
            text: text.into(),
        };

        assert_eq!(said("wasm log: a: b").of_plugin(), Some("a: b"));
        assert_eq!(said("wasm log probe root vm: hi").of_plugin(), Some("hi"));
        assert_eq!(said("Wasm VM failed: x").of_plugin(), None);
    }
}

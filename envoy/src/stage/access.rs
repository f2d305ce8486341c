//! Envoy's access log: what it made of each exchange.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::EnvoyError;

/// The format that a listener's access log must have for `AccessLog` to read it.
///
/// A decision of Weir, where one was left, follows behind a tab.
pub const ACCESS_FORMAT: &str = "%DOWNSTREAM_DIRECT_REMOTE_PORT% %DOWNSTREAM_LOCAL_PORT% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\t%FILTER_STATE(wasm.weir.decision:PLAIN)%\n";

/// What Envoy says about one exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Status code, 0 where the client got none.
    pub code: u16,
    /// `UC`, `DC`, ..., or `-`.
    pub flags: String,
    /// Response code details, or `-`.
    pub details: String,
    /// The decision, where the plugin left one.
    pub decision: Option<String>,
}

/// Reads the file as it grows.
#[derive(Debug)]
pub(crate) struct AccessLog {
    path: PathBuf,
    read: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    file: Option<File>,
    offset: u64,
    pending: Vec<u8>,
    /// By the client's and the listener's port; taken away when asked for, since ports come again. One port may be the
    /// client's at several listeners at once.
    lines: BTreeMap<(u16, u16), Access>,
}

impl AccessLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Mutex::new(Seen::default()),
        }
    }

    /// What was written about the connection from port `client` to port `listener`, once; None where nothing is there
    /// yet.
    pub(crate) fn take(&self, client: u16, listener: u16) -> Result<Option<Access>, EnvoyError> {
        let mut seen = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        seen.update(&self.path).map_err(|source| EnvoyError::File {
            path: self.path.clone(),
            source,
        })?;
        Ok(seen.lines.remove(&(client, listener)))
    }
}

impl Seen {
    fn update(&mut self, path: &Path) -> std::io::Result<()> {
        if self.file.is_none() {
            // Not there before Envoy has opened it.
            self.file = File::open(path).ok();
        }
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let read = file.read_to_end(&mut self.pending)?;
        self.offset = self.offset.saturating_add(read as u64);
        let Some(last) = self.pending.iter().rposition(|byte| *byte == b'\n') else {
            return Ok(());
        };
        let complete: Vec<u8> = self.pending.drain(..=last).collect();
        for line in String::from_utf8_lossy(&complete).lines() {
            if let Some((ports, access)) = parse(line) {
                self.lines.insert(ports, access);
            }
        }
        Ok(())
    }
}

fn parse(line: &str) -> Option<((u16, u16), Access)> {
    let (line, decision) = line.split_once('\t').unwrap_or((line, "-"));
    let mut fields = line.splitn(5, ' ');
    Some((
        (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?),
        Access {
            code: fields.next()?.parse().ok()?,
            flags: fields.next()?.to_owned(),
            details: fields.next()?.to_owned(),
            decision: (decision != "-").then(|| decision.to_owned()),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_given_once_and_only_when_it_is_complete() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access");
        let log = AccessLog::new(path.clone());
        assert_eq!(log.take(7, 80).unwrap(), None);

        std::fs::write(
            &path,
            "7 81 200 - another\n7 80 200 - via_upstream\t{\"a\": 1}\n8 80 0 DC -",
        )
        .unwrap();

        let access = log.take(7, 80).unwrap().unwrap();
        assert_eq!(access.details, "via_upstream");
        assert_eq!(access.decision.as_deref(), Some("{\"a\": 1}"));
        assert_eq!(log.take(7, 80).unwrap(), None);
        assert_eq!(log.take(8, 80).unwrap(), None);
    }
}

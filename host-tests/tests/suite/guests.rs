//! The guests of `guests/` for tests: where they are, and how they are started.
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use weir_host::{Host, HostConfig, LoadError, LogLine, Outcome, Plugin, PluginConfig, Worker};

use crate::weir::repository;

/// A guest's bytes: from `WEIR_GUESTS`, or what `cargo xtask guests` left; says `skipped: TEST: REASON`
/// where nothing was left. A `WEIR_GUESTS` that names no folder is a mistake, no reason to skip.
pub(crate) fn guest_or_skip(test: &str, name: &str) -> Option<Vec<u8>> {
    let named = std::env::var_os("WEIR_GUESTS").map(PathBuf::from);
    if let Some(folder) = &named {
        assert!(folder.is_dir(), "WEIR_GUESTS names {}", folder.display());
    }
    let folder = named.unwrap_or_else(|| repository("target/guests"));
    let read = std::fs::read(folder.join(name).with_extension("wasm"));
    if read.is_err() {
        // Past the harness's capture, so that skips can be counted.
        let reason = format!("there is no guest {name}; `cargo xtask guests` builds it");
        let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
    }
    read.ok()
}

/// A worker with a guest, and everything that its VM logged.
pub(crate) struct Started {
    pub(crate) host: Host,
    pub(crate) worker: Worker,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Started {
    /// What was logged since the last time, without the canary's lines at first.
    pub(crate) fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap())
    }
    /// What an upstream got as that header.
    pub(crate) fn upstream_header(outcome: &Outcome, name: &str) -> Option<String> {
        let value = outcome.upstream.headers.get(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
    /// What the client got as that header.
    pub(crate) fn downstream_header(outcome: &Outcome, name: &str) -> Option<String> {
        let value = outcome.downstream.headers.get(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// Starts a guest; `Err` is why it was refused.
pub(crate) fn start(wasm: &[u8], config: PluginConfig) -> Result<Started, LoadError> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let host = Host::new(HostConfig {
        log: Some(Arc::new(move |line: &LogLine| {
            sink.lock().unwrap().push(line.message.clone());
        })),
        ..HostConfig::default()
    })
    .unwrap();
    let plugin = Plugin::load(&host, wasm, config)?;
    lines.lock().unwrap().clear();
    let worker = plugin.worker()?;
    Ok(Started {
        host,
        worker,
        lines,
    })
}

//! The guests of `guests/` for tests: where they are.
use std::io::Write;
use std::path::PathBuf;

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

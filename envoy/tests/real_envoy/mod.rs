//! The Envoy that end-to-end tests run against, or the reason why they are skipped.
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use weir_envoy::{BinaryNotFound, find_binary};

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The Envoy binary; where there is none, says `skipped: TEST: REASON` on stderr, past the test harness's capture,
/// so that skips can be counted, and the test returns.
pub(crate) fn envoy_or_skip(test: &str) -> Option<PathBuf> {
    match find_binary(workspace()) {
        Ok(binary) => Some(binary),
        Err(reason @ BinaryNotFound::Absent(_)) => {
            skip(test, reason);
            None
        }
        Err(wrong) => panic!("{wrong}"),
    }
}

/// Says that a test is left out, and why.
pub(crate) fn skip(test: &str, reason: impl Display) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {reason}");
}

/// [`envoy_or_skip`] with the name of the test that calls it.
#[macro_export]
macro_rules! real_envoy {
    () => {{
        let here = std::any::type_name_of_val(&|| ());
        let test = here.trim_end_matches("::{{closure}}");
        match $crate::real_envoy::envoy_or_skip(test) {
            Some(binary) => binary,
            None => return,
        }
    }};
}

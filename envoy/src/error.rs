//! What can go wrong around an Envoy process.
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use crate::client::ClientError;

/// Why an Envoy could not be started, asked or reloaded. The message names the next step.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyError {
    /// A file that the caller named, or one in Envoy's directory, cannot be used. The caller's, or the machine's.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The process could not be started: no `/bin/sh`, or no room. The machine's.
    #[error("cannot start {} under /bin/sh", binary.display())]
    Spawn {
        /// The Envoy binary.
        binary: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The plugin, or Envoy itself, refused the first configuration: a bad policy, a broken `.wasm`.
    #[error(
        "envoy refused its configuration; correct the policy or the plugin. It said:\n{reason}"
    )]
    Refused {
        /// What the plugin and Envoy logged about it.
        reason: String,
    },
    /// Envoy ended by itself: a bad bootstrap, no descriptors, a kill.
    #[error("envoy ended with {status}; its last words, from {}:\n{log_tail}", log.display())]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// Where its whole log is.
        log: PathBuf,
        /// The last lines of it.
        log_tail: String,
    },
    /// Envoy runs, but what was waited for did not happen.
    #[error("envoy gave no {what} within {waited:?}; look into {}, which ends:\n{log_tail}", log.display())]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long.
        waited: Duration,
        /// Where its whole log is.
        log: PathBuf,
        /// The last lines of it.
        log_tail: String,
    },
    /// The admin interface could not be asked.
    #[error("envoy's admin interface did not answer {path}; was the process stopped?")]
    Admin {
        /// The path asked for.
        path: String,
        /// What the connection said.
        source: ClientError,
    },
    /// The admin interface gave an answer that this launcher does not understand: another Envoy version?
    #[error("envoy's admin interface answered {path} in a way that is not Envoy 1.40's: {answer}")]
    AdminAnswer {
        /// The path asked for.
        path: String,
        /// The beginning of the answer.
        answer: String,
    },
    /// A decision or access log holds a line that is not JSON. The plugin's.
    #[error("line {line} of {} is not JSON", path.display())]
    LogLine {
        /// The log.
        path: PathBuf,
        /// 1-based line number.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
}

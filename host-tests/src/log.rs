//! What the guest logs.
use std::fmt;
use std::sync::Arc;

/// Severity of a line, numbered as `proxy_log` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// 0
    Trace,
    /// 1
    Debug,
    /// 2
    Info,
    /// 3
    Warn,
    /// 4
    Error,
    /// 5
    Critical,
}

impl LogLevel {
    pub(crate) const fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }
    pub(crate) const fn code(self) -> u32 {
        self as u32
    }
    /// The level in lower case, e.g. `info`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One line that a guest (or the host about its guest) logged. `Display` gives Envoy's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Severity.
    pub level: LogLevel,
    /// Plugin name, root id and VM id as far as they are set, each preceded by a space.
    pub origin: Arc<str>,
    /// The text; bytes that are not UTF-8 are replaced.
    pub message: String,
}

/// How the host tells of a trap.
pub(crate) const TRAPPED: &str = "the guest trapped: ";

impl LogLine {
    /// Whether the host logged it about its guest.
    pub(crate) fn is_hosts(&self) -> bool {
        self.level == LogLevel::Critical && self.message.starts_with(TRAPPED)
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wasm log{}: {}", self.origin, self.message)
    }
}

/// Receives every line of every VM, from any worker's thread.
pub type LogSink = Arc<dyn Fn(&LogLine) + Send + Sync>;

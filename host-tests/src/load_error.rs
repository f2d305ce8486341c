//! Why a plugin is not loaded.
use std::fmt;

use crate::log::LogLine;

/// Why a plugin, or a new configuration of it, was refused. Envoy would keep the old one or not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no WebAssembly that this engine takes.
    #[error("not a usable WebAssembly module")]
    Module(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The module asks for an import that the ABI does not have, or with another type.
    #[error("an import cannot be satisfied")]
    Import(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The module speaks another version of the ABI, or none.
    #[error("the module does not export proxy_abi_version_0_2_0 or proxy_abi_version_0_2_1")]
    AbiVersion,
    /// An export that the host cannot work without is missing, or one has another type.
    #[error("export `{name}` is missing or has another type than the ABI says")]
    Export {
        /// The export.
        name: &'static str,
    },
    /// A start-up call trapped.
    #[error("{call} trapped: {reason}{}", Lines(.log))]
    Trap {
        /// The export that was called.
        call: &'static str,
        /// What the engine says.
        reason: String,
        /// What the guest logged before.
        log: Vec<LogLine>,
    },
    /// `proxy_on_vm_start` or `proxy_on_configure` answered false.
    #[error("{call} refused the configuration{}", Lines(.log))]
    Refused {
        /// The export that was called.
        call: &'static str,
        /// What the guest logged before; normally says why.
        log: Vec<LogLine>,
    },
}

impl LoadError {
    /// Whether the plugin's configuration is at fault, and not its code or VM.
    pub(crate) fn is_about_configure(&self) -> bool {
        match self {
            Self::Trap { call, .. } | Self::Refused { call, .. } => *call == "proxy_on_configure",
            _ => false,
        }
    }
}

struct Lines<'a>(&'a [LogLine]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|line| write!(f, "\n  [{}] {}", line.level.name(), line.message))
    }
}

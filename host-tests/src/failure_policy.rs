//! What follows when a VM fails.
use std::time::Duration;

use crate::scenario::OnFailure;

/// What happens to streams after a VM has trapped: Envoy's `failure_policy` and the older `fail_open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// `FAIL_CLOSED`, the default.
    Closed,
    /// `FAIL_OPEN`.
    Open,
    /// `fail_open: true`.
    FailOpen,
    /// `FAIL_RELOAD`.
    Reload {
        /// `reload_config.backoff.base_interval`, without jitter.
        backoff: Duration,
    },
}

impl FailurePolicy {
    /// Whether streams that begin after the failure pass without the filter.
    pub(crate) const fn skips_failed_vm(self) -> bool {
        matches!(self, Self::Open | Self::FailOpen)
    }
}

impl From<OnFailure> for FailurePolicy {
    fn from(spec: OnFailure) -> Self {
        match spec {
            OnFailure::Closed => Self::Closed,
            OnFailure::Open => Self::Open,
            OnFailure::FailOpen => Self::FailOpen,
            OnFailure::Reload { backoff_ms } => Self::Reload {
                backoff: Duration::from_millis(backoff_ms),
            },
        }
    }
}

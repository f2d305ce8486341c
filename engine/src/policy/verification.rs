//! The `verification` section: which use asks for a better verification, and whose attestations count.
use super::{Tier, diagnostic::Diagnostics, document::Unit};
use crate::{attestation::AttestationError, hash::HashKey, time::Timestamp};
use alloc::{string::String, vec::Vec};
use core::time::Duration;
use serde::Deserialize;

/// The section as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Section {
    /// Names of levels of verification, weakest first; an account without any is below all of them.
    pub levels: Option<Vec<String>>,
}

/// The section, compiled.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    /// Names of levels, weakest first.
    pub(crate) levels: Vec<String>,
    /// Where accounts are verified.
    pub(crate) url: Option<String>,
    /// How long an account that crossed a threshold is still served.
    pub(crate) grace: Duration,
    pub(crate) thresholds: Vec<Threshold>,
    /// The level that clears an account whose state asks for verification.
    pub(crate) suspected: Option<usize>,
    /// The request header that carries attestations, in lower case; `None` where the policy accepts none.
    pub(crate) header: Option<String>,
}

/// A volume above which an account has to be better verified.
#[derive(Debug)]
pub(crate) struct Threshold {
    pub(crate) name: String,
    /// Tier indices that it holds for; `None` is all.
    pub(crate) tiers: Option<Vec<usize>>,
    pub(crate) unit: Unit,
    pub(crate) above: u32,
    pub(crate) window: Duration,
    /// Index of the level that is enough.
    pub(crate) level: usize,
}

impl Threshold {
    /// Names the counter of its volume; survives another bound or level, not another unit or window.
    pub(crate) fn id(&self, key: &HashKey) -> u64 {
        let window = self.window.as_nanos().to_be_bytes();
        key.hash64("verification", &[self.name.as_bytes(), &window])
    }

    /// Names the record of when the account crossed it.
    pub(crate) fn grace_id(&self, key: &HashKey) -> u64 {
        key.hash64("verification.grace", &[self.name.as_bytes()])
    }

    /// How long a crossing is remembered: for as long as what was used may still count, and the grace.
    pub(crate) fn memory(&self, grace: Duration) -> Duration {
        self.window.saturating_add(grace)
    }
}

impl Verification {
    /// Name of a threshold.
    pub(crate) fn threshold_name(&self, index: usize) -> &str {
        self.thresholds
            .get(index)
            .map(|threshold| threshold.name.as_str())
            .unwrap_or_default()
    }

    /// Index of the level of this name.
    pub(crate) fn level(&self, name: &str) -> Option<usize> {
        self.levels.iter().position(|level| level == name)
    }

    /// The level that `token` attests to `account`.
    pub(crate) fn attested(
        &self,
        _token: &[u8],
        _account: &str,
        _now: Timestamp,
    ) -> Result<usize, AttestationError> {
        Err(AttestationError::Malformed)
    }
}

/// Checks the section.
pub(super) fn compile(
    _given: Option<Section>,
    _tiers: &[Tier],
    _d: &mut Diagnostics,
) -> Verification {
    Verification::default()
}

//! The `verification` section as written.
use crate::policy::document::Unit;
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The section as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Section {
    /// Names of levels of verification, weakest first; an account without any is below all of them. The
    /// level of an account is what `identity.verification` says or an attestation, whichever is higher.
    pub levels: Option<Vec<String>>,
    /// Where accounts are verified, an `https` URL; callers are told.
    pub url: Option<String>,
    /// How long an account that crossed a threshold is still served, with warnings; `0s` when absent. It lasts at
    /// least as long, and at most a sixteenth of the threshold's window and a fifteenth of itself longer.
    pub grace: Option<String>,
    /// The level that clears an account whose state has the action `verify`.
    pub suspected: Option<String>,
    /// Volumes above which an account has to be better verified.
    pub thresholds: Option<Vec<ThresholdSection>>,
    /// Whose attestations count; none when absent.
    pub attestation: Option<AttestationSection>,
}

/// A volume above which an account has to be better verified. It is counted while the account is below the
/// level, and an account that stays below the volume for the window and the grace has its grace again.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThresholdSection {
    /// Name of the threshold; decisions carry it.
    pub name: Option<String>,
    /// Tiers that it holds for; all when absent.
    pub tiers: Option<Vec<String>>,
    /// What is counted: `requests`, `input_tokens`, `output_tokens` or `tokens`.
    pub unit: Option<Unit>,
    /// What may be used in any window without the level. Tokens count once an answer has used them: what a request
    /// asks for at most crosses nothing by itself.
    pub above: Option<u64>,
    /// Length of the window, `7d`.
    pub window: Option<String>,
    /// The level that is enough.
    pub level: Option<String>,
}

/// Whose attestations count: compact JWS with the header members `alg` (`HS256` or `EdDSA`) and `kid`, and the
/// claims `sub` (the account), `aud`, `iat`, `exp`, `weir_level` and, if wanted, `nbf`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationSection {
    /// The request header that carries one; `x-weir-attestation` when absent. It does not reach the upstream.
    pub header: Option<String>,
    /// What `aud` has to name.
    pub audience: Option<String>,
    /// How far the verifier's clock may differ, at most `10m`; `60s` when absent.
    pub clock_skew: Option<String>,
    /// Longest time from `iat` to `exp`, `10s` to `31d`; `24h` when absent.
    pub max_age: Option<String>,
    /// The verifier's keys.
    pub keys: Option<Vec<KeySection>>,
}

/// One key: `ed25519` or `hmacSha256`. Prefer the first: a policy with a shared secret is itself a secret, and
/// whoever reads it can attest anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySection {
    /// What attestations name as `kid`.
    pub id: Option<String>,
    /// Shared secret of 32 random bytes or more, base64.
    pub hmac_sha256: Option<KeyText>,
    /// Public key, 32 bytes, base64.
    pub ed25519: Option<KeyText>,
    /// From when on it counts, RFC 3339.
    pub not_before: Option<String>,
    /// From when on nothing that it signed counts, RFC 3339. For a rotation: some time after the verifier began
    /// to sign with the next one, at least `maxAge`.
    pub not_after: Option<String>,
}

/// Key material as written. Reads any value, so that no message about its type can repeat it.
#[derive(Clone)]
pub struct KeyText(Option<String>);

impl KeyText {
    /// The text; `None` where something else was written.
    pub(in crate::policy) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl<'de> Deserialize<'de> for KeyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => Some(text),
            _ => None,
        }))
    }
}

/// Never shows what was written.
impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(secret)")
    }
}

//! The `verification` section as written.
use crate::policy::document::Unit;
#[cfg(feature = "schema")]
use crate::policy::{defaults, schema};
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Which use asks for a better verification, and whose attestations count.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Verification"))]
pub struct Section {
    /// Names of levels of verification, weakest first; an account without any is below all of them. The
    /// level of an account is what `identity.verification` says or an attestation, whichever is higher.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::Name>>", length(max = 16), extend("default" = [])))]
    pub levels: Option<Vec<String>>,
    /// Where accounts are verified, an `https` URL; callers are told.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Url>"))]
    pub url: Option<String>,
    /// How long an account that crossed a threshold is still served, with warnings. It lasts at
    /// least as long, and at most a sixteenth of the threshold's window and a fifteenth of itself longer.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::GRACE)))]
    pub grace: Option<String>,
    /// The level that clears an account whose state has the action `verify`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Name>"))]
    pub suspected: Option<String>,
    /// Volumes above which an account has to be better verified.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub thresholds: Option<Vec<ThresholdSection>>,
    /// Whose attestations count; none when absent.
    pub attestation: Option<AttestationSection>,
}

/// A volume above which an account has to be better verified. It is counted while the account is below the
/// level, and an account that stays below the volume for the window and the grace has its grace again.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "VerificationThreshold"))]
pub struct ThresholdSection {
    /// Name of the threshold; decisions carry it.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub name: Option<String>,
    /// Tiers that it holds for; all when absent.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<schema::Name>>", length(min = 1))
    )]
    pub tiers: Option<Vec<String>>,
    /// What is counted: `requests`, `input_tokens`, `output_tokens` or `tokens`.
    #[cfg_attr(feature = "schema", schemars(required, extend("not" = {"const": "concurrency"})))]
    pub unit: Option<Unit>,
    /// What may be used in any window without the level. Tokens count once an answer has used them: what a request
    /// asks for at most crosses nothing by itself.
    #[cfg_attr(feature = "schema", schemars(required, range(max = u32::MAX - 1)))]
    pub above: Option<u64>,
    /// Length of the window, `1s` to `366d`.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Duration>")
    )]
    pub window: Option<String>,
    /// The level that is enough.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub level: Option<String>,
}

/// Whose attestations count: compact JWS with the header members `alg` (`HS256` or `EdDSA`) and `kid`, and the
/// claims `sub` (the account), `aud`, `iat`, `exp`, `weir_level` and, if wanted, `nbf`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Attestation"))]
pub struct AttestationSection {
    /// The request header that carries one, in lower case. It does not reach the upstream.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::HeaderName>", extend("default" = defaults::ATTESTATION_HEADER)))]
    pub header: Option<String>,
    /// What `aud` has to name.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub audience: Option<String>,
    /// How far the verifier's clock may differ, at most `10m`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::CLOCK_SKEW)))]
    pub clock_skew: Option<String>,
    /// Longest time from `iat` to `exp`, `10s` to `31d`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::MAX_AGE)))]
    pub max_age: Option<String>,
    /// The verifier's keys.
    #[cfg_attr(feature = "schema", schemars(required, length(min = 1, max = 16)))]
    pub keys: Option<Vec<KeySection>>,
}

/// One key: `ed25519` or `hmacSha256`. Prefer the first: a policy with a shared secret is itself a secret, and
/// whoever reads it can attest anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "AttestationKey", extend("oneOf" = [{"required": ["hmacSha256"]}, {"required": ["ed25519"]}])))]
pub struct KeySection {
    /// What attestations name as `kid`.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub id: Option<String>,
    /// Shared secret of 32 random bytes or more, base64.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Base64>"))]
    pub hmac_sha256: Option<KeyText>,
    /// Public key, 32 bytes, base64.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Base64>"))]
    pub ed25519: Option<KeyText>,
    /// From when on it counts, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Time>"))]
    pub not_before: Option<String>,
    /// From when on nothing that it signed counts, RFC 3339. For a rotation: some time after the verifier began
    /// to sign with the next one, at least `maxAge`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Time>"))]
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

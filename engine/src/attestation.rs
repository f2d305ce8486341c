//! Attestations: signed, short-lived statements of the operator's verifier that an account is verified.
//!
//! A compact JWS (RFC 7515) with `alg` HS256 (RFC 7518) or EdDSA (RFC 8037) and a `kid`; claims as in
//! RFC 7519: `sub` is the account, `aud` the policy's audience, `exp` and `iat` bound its life, and
//! `weir_level` names the level. Checked in the VM, without a call to anybody; the same attestation counts as
//! often as it is sent until it expires, because it binds an account and no request.
mod claims;
mod key;
mod seen;

use crate::{hash::HashKey, time::Timestamp};
use alloc::{string::String, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding};
use claims::{Claims, Header, Seconds};
use core::time::Duration;
pub(crate) use key::{Key, KeyError, Verifier};
pub(crate) use seen::Seen;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest attestation that is read: several times what the claims need.
pub const MAX_BYTES: usize = 4096;

/// Why an attestation was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AttestationError {
    /// Not a compact JWS of the claims, or longer than [`MAX_BYTES`].
    #[error("it is not a signed attestation")]
    Malformed,
    /// It demands extensions (`crit`), and none is supported.
    #[error("it demands an extension")]
    Unsupported,
    /// No key of the policy has this `kid` and `alg`.
    #[error("its key is not known")]
    UnknownKey,
    /// The key was retired, or is not yet in use.
    #[error("its key is not in use")]
    KeyNotInUse,
    /// The signature is not the key's.
    #[error("its signature is wrong")]
    BadSignature,
    /// It is for another audience.
    #[error("it is for another audience")]
    WrongAudience,
    /// It speaks of another account.
    #[error("it is for another account")]
    WrongAccount,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYet,
    /// It would live for longer than the policy accepts.
    #[error("it lives too long")]
    TooLong,
    /// The policy has no such level.
    #[error("its level is not known")]
    UnknownLevel,
}

impl AttestationError {
    /// Stable name, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::UnknownKey => "unknown_key",
            Self::KeyNotInUse => "key_not_in_use",
            Self::BadSignature => "bad_signature",
            Self::WrongAudience => "wrong_audience",
            Self::WrongAccount => "wrong_account",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::TooLong => "too_long",
            Self::UnknownLevel => "unknown_level",
        }
    }
}

/// Whose attestations count, and for what.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub(crate) audience: String,
    /// How far the verifier's clock may differ from this one.
    pub(crate) clock_skew: Duration,
    /// Longest life.
    pub(crate) max_age: Duration,
    pub(crate) keys: Vec<Key>,
    /// Signatures that need not be checked again.
    pub(crate) seen: Seen,
}

impl Acceptance {
    /// The name of the level that `token` attests to `account` at `now`. Nothing that the token says is
    /// believed before its signature was checked; that is done for known keys only, and for each token once as long
    /// as it is remembered. `secret` keys what is remembered.
    ///
    /// # Errors
    /// [`AttestationError`]; all but [`KeyNotInUse`](AttestationError::KeyNotInUse) are the token's fault.
    pub(crate) fn level(
        &self,
        secret: &HashKey,
        token: &[u8],
        account: &str,
        now: Timestamp,
    ) -> Result<String, AttestationError> {
        let Parts {
            header,
            payload,
            signature,
            signed,
        } = Parts::of(token)?;
        let header: Header = object(header)?;
        if header.crit {
            return Err(AttestationError::Unsupported);
        }
        let mut named = self
            .keys
            .iter()
            .filter(|key| key.is_named(&header.kid, &header.alg));
        let key = named.next().ok_or(AttestationError::UnknownKey)?;
        if !key.is_in_use(now) {
            return Err(AttestationError::KeyNotInUse);
        }
        let tag = key.is_slow().then(|| Seen::tag(secret, token));
        if !tag.is_some_and(|tag| self.seen.contains(tag)) {
            key.check(signed, &base64(signature)?)?;
            tag.into_iter().for_each(|tag| self.seen.insert(tag));
        }
        let claims: Claims = object(payload)?;
        if !claims.aud.contains(&self.audience) {
            return Err(AttestationError::WrongAudience);
        }
        if claims.sub != account {
            return Err(AttestationError::WrongAccount);
        }
        self.check_time(&claims, now)?;
        Ok(claims.weir_level)
    }

    fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<(), AttestationError> {
        let life = claims.exp.0.checked_sub(claims.iat.0);
        let life = life.ok_or(AttestationError::Malformed)?;
        if Duration::from_secs(life) > self.max_age {
            return Err(AttestationError::TooLong);
        }
        let latest_now = now.saturating_add(self.clock_skew);
        let begins = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
        if latest_now < at(begins) {
            return Err(AttestationError::NotYet);
        }
        if now >= at(claims.exp).saturating_add(self.clock_skew) {
            return Err(AttestationError::Expired);
        }
        Ok(())
    }
}

/// The three parts of a compact JWS, and what the signature is over.
struct Parts<'a> {
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
    signed: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(token: &'a [u8]) -> Result<Self, AttestationError> {
        let parts = || {
            let token = Some(token).filter(|token| token.len() <= MAX_BYTES)?;
            let last = token.iter().rposition(|byte| *byte == b'.')?;
            let (signed, signature) = token.split_at_checked(last)?;
            let mut parts = signed.split(|byte| *byte == b'.');
            let (header, payload) = (parts.next()?, parts.next()?);
            Some(Self {
                header,
                payload,
                signature: signature.strip_prefix(b".")?,
                signed,
            })
            .filter(|_| parts.next().is_none())
        };
        parts().ok_or(AttestationError::Malformed)
    }
}

/// Decodes base64url without padding, of which every text has exactly one form here.
fn base64(text: &[u8]) -> Result<Vec<u8>, AttestationError> {
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok())
        .ok_or(AttestationError::Malformed)
}

/// Reads an object. A struct alone would take a list of its members too, and would not look into the texts of
/// members that it does not know.
fn object<T: DeserializeOwned>(part: &[u8]) -> Result<T, AttestationError> {
    let text = base64(part)?;
    let is_object = serde_json::from_slice(&text).is_ok_and(|read: Value| read.is_object());
    let read = is_object.then(|| serde_json::from_slice(&text).ok());
    read.flatten().ok_or(AttestationError::Malformed)
}

fn at(seconds: Seconds) -> Timestamp {
    Timestamp::from_unix_nanos(0).saturating_add(Duration::from_secs(seconds.0))
}

#[cfg(test)]
mod tests;

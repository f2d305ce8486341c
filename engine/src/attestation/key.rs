//! Keys that the operator's verifier signs with.
use super::AttestationError;
use crate::time::Timestamp;
use alloc::string::String;
use base64ct::{Base64, Encoding};
use core::fmt;
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Least bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
pub(crate) const MIN_SECRET_BYTES: usize = 32;
/// More would be hashed to 32 bytes anyway; nobody means it.
const MAX_SECRET_BYTES: usize = 256;

/// Why a key cannot be used. Never says what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// Not canonical base64 with padding.
    #[error("it is not base64")]
    NotBase64,
    /// A secret of too few or too many bytes.
    #[error("it has {given} bytes, a secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}")]
    SecretLength {
        /// Bytes given.
        given: usize,
    },
    /// A public key of another length.
    #[error("it has {given} bytes, a public key has 32")]
    PublicLength {
        /// Bytes given.
        given: usize,
    },
    /// Not a point of the curve, or one for which anybody can sign.
    #[error("it is not a public key of Ed25519")]
    NotAPoint,
}

/// One key with its algorithm and the time that it is used in.
pub(crate) struct Key {
    /// Names it in the header of an attestation.
    pub(crate) id: String,
    verifier: Verifier,
    /// From when on it counts.
    pub(crate) not_before: Option<Timestamp>,
    /// From when on it no longer counts.
    pub(crate) not_after: Option<Timestamp>,
}

/// What a signature is checked with. The algorithm is the key's; a token only repeats it.
#[derive(Clone)]
pub(crate) enum Verifier {
    /// HMAC with SHA-256, keyed once: each check continues a copy.
    Hs256(Hmac<Sha256>),
    /// Ed25519.
    EdDsa(VerifyingKey),
}

impl Key {
    pub(crate) fn new(
        id: String,
        verifier: Verifier,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
    ) -> Self {
        Self {
            id,
            verifier,
            not_before,
            not_after,
        }
    }

    /// Whether a token that names `kid` and `alg` is this key's to check.
    pub(super) fn is_named(&self, kid: &str, alg: &str) -> bool {
        self.id == kid && self.verifier.algorithm() == alg
    }

    /// Whether the key counts at `now`, by this clock alone: the policy is as local as it is.
    pub(super) fn is_in_use(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.not_after.is_none_or(|to| now < to)
    }

    /// Whether a check takes so long that its outcome is worth remembering.
    pub(super) const fn is_slow(&self) -> bool {
        matches!(self.verifier, Verifier::EdDsa(_))
    }

    /// Whether `signature` is this key's over `message`. Takes as long for a wrong one as for a right one
    /// where the key is secret.
    pub(super) fn check(&self, message: &[u8], signature: &[u8]) -> Result<(), AttestationError> {
        let good = match &self.verifier {
            Verifier::Hs256(keyed) => keyed
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok(),
            // Strict: one signature has one form, and no key of small order signs everything.
            Verifier::EdDsa(key) => Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        };
        if good {
            Ok(())
        } else {
            Err(AttestationError::BadSignature)
        }
    }
}

impl Verifier {
    /// A shared secret, as base64 text.
    pub(crate) fn hmac_sha256(base64: &str) -> Result<Self, KeyError> {
        let secret = Base64::decode_vec(base64).map_err(|_| KeyError::NotBase64)?;
        let given = secret.len();
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&given) {
            return Err(KeyError::SecretLength { given });
        }
        Hmac::new_from_slice(&secret)
            .map(Self::Hs256)
            .map_err(|_| KeyError::SecretLength { given })
    }

    /// A public key, as base64 text.
    pub(crate) fn ed25519(base64: &str) -> Result<Self, KeyError> {
        let bytes = Base64::decode_vec(base64).map_err(|_| KeyError::NotBase64)?;
        let given = bytes.len();
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| KeyError::PublicLength { given })?;
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self::EdDsa(key)),
            _ => Err(KeyError::NotAPoint),
        }
    }

    /// `alg` of RFC 7518 and RFC 8037.
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::EdDsa(_) => "EdDSA",
        }
    }
}

/// Never shows key material.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {})", self.id, self.verifier.algorithm())
    }
}

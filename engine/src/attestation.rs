//! Attestations: signed, short-lived statements of the operator's verifier that an account is verified.
//!
//! A compact JWS (RFC 7515) with `alg` HS256 (RFC 7518) or EdDSA (RFC 8037) and a `kid`; claims as in
//! RFC 7519: `sub` is the account, `aud` the policy's audience, `exp` and `iat` bound its life, and
//! `weir_level` names the level. Checked in the VM, without a call to anybody.

/// Why an attestation was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AttestationError {
    /// Not a compact JWS of the claims.
    #[error("it is not a signed attestation")]
    Malformed,
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

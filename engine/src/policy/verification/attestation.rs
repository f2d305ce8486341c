//! `verification.attestation`: the header, the limits and the keys. No message repeats anything of a key.
use super::{
    ranged,
    section::{AttestationSection, KeySection, KeyText},
};
use crate::{
    attestation::{Acceptance, Key, KeyError, Seen, Verifier},
    policy::{
        defaults,
        diagnostic::{Code, Diagnostics},
        validate::{CREDENTIAL_HEADERS, LOOKED_AT, clip, missing, short_text, too_many},
    },
    time::Timestamp,
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{ops::RangeInclusive, time::Duration};

/// Most keys: two of each of a few verifiers, while they are rotated.
const MAX_KEYS: usize = 16;
/// Clocks further apart are broken.
const CLOCK_SKEW: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(600);
/// Lives of attestations: nothing revokes one, so none lives for long.
const MAX_AGE: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(31 * 86_400);
/// Headers that a request is not whole without; the one with the attestation is taken off it.
const ESSENTIAL_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "x-request-id",
];

const ATTESTATION: &str = "verification.attestation";

/// Checks the section; the header in lower case, and what it may carry.
pub(super) fn compile(
    given: AttestationSection,
    d: &mut Diagnostics,
) -> (Option<String>, Option<Acceptance>) {
    let header = given
        .header
        .as_deref()
        .unwrap_or(defaults::ATTESTATION_HEADER);
    check_header(header, d);
    let audience_path = format!("{ATTESTATION}.audience");
    let audience = given.audience.unwrap_or_default();
    if audience.trim().is_empty() {
        let help = "write what attestations for this gateway name as `aud`, e.g. `api.example.com`";
        missing(&audience_path, help, d);
    }
    short_text(&audience, &audience_path, d);
    let clock_skew = given.clock_skew.as_deref().unwrap_or(defaults::CLOCK_SKEW);
    let clock_skew = ranged(
        clock_skew,
        &format!("{ATTESTATION}.clockSkew"),
        CLOCK_SKEW,
        d,
    );
    let max_age = given.max_age.as_deref().unwrap_or(defaults::MAX_AGE);
    let max_age = ranged(max_age, &format!("{ATTESTATION}.maxAge"), MAX_AGE, d);
    let acceptance = Acceptance {
        audience,
        clock_skew: clock_skew.unwrap_or_default(),
        max_age: max_age.unwrap_or_default(),
        keys: keys(given.keys.unwrap_or_default(), d),
        seen: Seen::default(),
    };
    (Some(header.to_string()), Some(acceptance))
}

fn check_header(header: &str, d: &mut Diagnostics) {
    let path = format!("{ATTESTATION}.header");
    if CREDENTIAL_HEADERS.contains(&header) {
        d.error(
            Code::CredentialSource,
            path,
            format!("`{header}` carries a credential, which would not reach the upstream"),
            "give attestations a header of their own, e.g. `x-weir-attestation`",
        );
        return;
    }
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let essential = ESSENTIAL_HEADERS.contains(&header);
    if header.is_empty() || header.len() > 64 || !header.bytes().all(token) || essential {
        d.error(
            Code::BadName,
            path,
            format!("`{}` is not a lower-case header name for it", clip(header)),
            "write a header's name in lower case, e.g. `x-weir-attestation`",
        );
    }
}

fn keys(mut given: Vec<KeySection>, d: &mut Diagnostics) -> Vec<Key> {
    let list = format!("{ATTESTATION}.keys");
    if given.is_empty() {
        let help = "name at least one: `keys: [{id: k1, ed25519: <public key in base64>}]`";
        missing(&list, help, d);
    }
    if given.len() > MAX_KEYS {
        too_many(&list, given.len(), MAX_KEYS, d);
        given.truncate(LOOKED_AT);
    }
    let mut keys: Vec<Key> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for (index, key) in given.into_iter().enumerate() {
        let path = format!("{list}[{index}]");
        let id = key_id(key.id, &ids, &format!("{path}.id"), d);
        ids.push(id.clone());
        let mut time = |text: Option<String>, name: &str| {
            let read = Timestamp::parse_rfc3339(text.as_deref()?);
            if read.is_none() {
                let help = "write RFC 3339, e.g. `2027-01-31T00:00:00Z`";
                let message = "it is not a point in time";
                d.error(Code::BadTime, format!("{path}.{name}"), message, help);
            }
            read
        };
        let not_before = time(key.not_before, "notBefore");
        let not_after = time(key.not_after, "notAfter");
        if let (Some(from), Some(to)) = (not_before, not_after) {
            if to <= from {
                let message = "it ends before it begins";
                let help = "write a `notAfter` later than `notBefore`";
                d.error(Code::OutOfRange, format!("{path}.notAfter"), message, help);
            }
        }
        if let Some(verifier) = verifier(key.hmac_sha256, key.ed25519, &path, d) {
            keys.push(Key::new(id, verifier, not_before, not_after));
        }
    }
    keys
}

/// A key's id. No message repeats it: who confuses the two has written the key there.
fn key_id(given: Option<String>, before: &[String], path: &str, d: &mut Diagnostics) -> String {
    let Some(id) = given else {
        missing(path, "write what attestations name as `kid`", d);
        return String::new();
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        let help = "use 1 to 64 letters, digits, `-`, `_` and `.`";
        d.error(Code::BadName, path, "it is not an id", help);
    } else if before.contains(&id) {
        let message = "another key above has this id";
        let help = "give each its own: attestations name the key by it";
        d.error(Code::DuplicateName, path, message, help);
    }
    id
}

/// What is written of one key. No message repeats any of it.
fn verifier(
    secret: Option<KeyText>,
    public: Option<KeyText>,
    path: &str,
    d: &mut Diagnostics,
) -> Option<Verifier> {
    const HELP: &str = "write base64 with padding: of 32 random bytes or more for `hmacSha256`, of the 32 bytes of the public key for `ed25519`";
    type Read = fn(&str) -> Result<Verifier, KeyError>;
    let (name, text, read): (&str, KeyText, Read) = match (secret, public) {
        (Some(secret), None) => ("hmacSha256", secret, Verifier::hmac_sha256),
        (None, Some(public)) => ("ed25519", public, Verifier::ed25519),
        (Some(_), Some(_)) => {
            let message = "a key has one algorithm";
            let help = "write `hmacSha256:` or `ed25519:`, not both";
            d.error(Code::BadKey, path, message, help);
            return None;
        }
        (None, None) => {
            let help =
                "write `ed25519: <public key in base64>`, or `hmacSha256:` for a shared secret";
            d.error(Code::BadKey, path, "the key itself is missing", help);
            return None;
        }
    };
    let path = format!("{path}.{name}");
    let Some(text) = text.as_str() else {
        d.error(Code::WrongValue, path, "it is not text", HELP);
        return None;
    };
    match read(text) {
        Ok(verifier) => Some(verifier),
        Err(error) => {
            d.error(Code::BadKey, path, error.to_string(), HELP);
            None
        }
    }
}

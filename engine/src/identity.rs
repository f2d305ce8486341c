//! Who is asking: the facts a policy reads from one request's head.
//!
//! Identity headers are trusted only as far as the filter that sets them: it must overwrite what a
//! client sends. A header that stands twice with different values is ambiguous and counts as absent.
use crate::{
    endpoint::Endpoint,
    hash::HashKey,
    policy::{Policy, Source},
    time::Timestamp,
};
use alloc::{format, string::String};

/// Longest account or organization id that is used as it is; longer ones are replaced by their hash.
const MAX_ID_BYTES: usize = 128;

/// Names of decisions hide nothing, so that they are the same wherever an exchange is replayed.
const PUBLIC_KEY: HashKey = HashKey::new([0; 16]);

/// The facts about the caller, in the order of the policy's sources.
#[derive(Clone, Copy)]
enum Fact {
    Account,
    Organization,
    Created,
    Verification,
    Plan,
}

/// Who is asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The paying or signed-up identity; `anonymous` when no source gave one and the policy shares that account.
    pub account: String,
    /// The organization above it.
    pub organization: Option<String>,
    /// When the account was created.
    pub created: Option<Timestamp>,
    /// How it was verified.
    pub verification: Option<String>,
    /// What it pays for.
    pub plan: Option<String>,
}

/// What the engine keeps of a request's head.
#[derive(Clone, Debug)]
pub struct Head {
    /// Endpoint asked for.
    pub endpoint: Endpoint,
    /// The caller; `None` when no source gave an account and the policy refuses such requests.
    pub caller: Option<Caller>,
    /// The body carries a `content-encoding` other than identity.
    pub compressed: bool,
    /// Hash of `x-request-id`, path and time: names the decision.
    pub decision_id: u128,
}

impl Head {
    /// Reads a head from its name/value pairs, pseudo headers included. One pass; O(headers x wanted names).
    pub fn read<'h>(
        policy: &Policy,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        now: Timestamp,
    ) -> Self {
        let find = |name: &str| single(headers.clone(), name);
        let path = find(":path").unwrap_or_default();
        let method = find(":method").unwrap_or_default();
        let endpoint = match (core::str::from_utf8(method), core::str::from_utf8(path)) {
            (Ok(method), Ok(path)) => Endpoint::of(method, path),
            _ => Endpoint::Unknown,
        };
        let encoding = find("content-encoding").unwrap_or_default();
        let compressed = !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity");
        let request_id = find("x-request-id").unwrap_or_default();
        let decision_id = PUBLIC_KEY.hash128(
            "decision",
            &[request_id, path, &now.as_unix_nanos().to_be_bytes()],
        );
        let value = |fact: Fact| {
            let sources = policy
                .identity
                .sources
                .get(fact.index())
                .map(|sources| sources.as_slice())
                .unwrap_or_default();
            sources.iter().find_map(|source| match source {
                Source::Header(name) => find(name).and_then(|value| identifier(key, value)),
                Source::ApiKey(_) => {
                    credential(headers.clone()).map(|secret| fingerprint(key, secret))
                }
            })
        };
        let account = value(Fact::Account).or_else(|| {
            policy
                .identity
                .anonymous_shared
                .then(|| String::from("anonymous"))
        });
        let caller = account.map(|account| Caller {
            account,
            organization: value(Fact::Organization),
            created: value(Fact::Created)
                .as_deref()
                .and_then(Timestamp::parse_rfc3339),
            verification: value(Fact::Verification),
            plan: value(Fact::Plan),
        });
        Self {
            endpoint,
            caller,
            compressed,
            decision_id,
        }
    }
}

impl Fact {
    const fn index(self) -> usize {
        match self {
            Self::Account => 0,
            Self::Organization => 1,
            Self::Created => 2,
            Self::Verification => 3,
            Self::Plan => 4,
        }
    }
}

/// The value of a header, unless it stands twice with different values.
fn single<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>, name: &str) -> Option<&'h [u8]> {
    let mut found = None;
    for (key, value) in headers {
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            match found {
                None => found = Some(value),
                Some(first) if first == value => {}
                Some(_) => return None,
            }
        }
    }
    found
}

fn identifier(key: &HashKey, value: &[u8]) -> Option<String> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return None;
    }
    match core::str::from_utf8(value) {
        Ok(text) if text.len() <= MAX_ID_BYTES && !text.chars().any(char::is_control) => {
            Some(String::from(text))
        }
        _ => Some(format!("hash-{:032x}", key.hash128("identifier", &[value]))),
    }
}

fn credential<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone) -> Option<&'h [u8]> {
    let bearer = single(headers.clone(), "authorization").and_then(|value| {
        let (scheme, secret) = value.split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(secret)
    });
    let secret = bearer
        .or_else(|| single(headers.clone(), "x-api-key"))
        .or_else(|| single(headers, "api-key"))?;
    let secret = secret.trim_ascii();
    (!secret.is_empty()).then_some(secret)
}

fn fingerprint(key: &HashKey, secret: &[u8]) -> String {
    format!("key-{:032x}", key.hash128("credential", &[secret]))
}

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
    /// The policy lets its path pass without a look at the body.
    pub passes_through: bool,
    /// The body carries a `content-encoding` other than identity.
    pub compressed: bool,
    /// Hash of `x-request-id` and time: names the decision.
    pub decision_id: u128,
}

impl Head {
    /// Reads a head from its name/value pairs, pseudo headers included. Time: headers x wanted names.
    pub fn read<'h>(
        policy: &Policy,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        now: Timestamp,
    ) -> Self {
        let one = |name: &str| find(headers.clone(), name).one();
        let path = one(":path").unwrap_or_default();
        let method = one(":method").unwrap_or_default();
        let endpoint = match (core::str::from_utf8(method), core::str::from_utf8(path)) {
            (Ok(method), Ok(path)) => Endpoint::of(method, path),
            _ => Endpoint::Unknown,
        };
        let encoding = one("content-encoding").unwrap_or_default();
        let compressed = !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity");
        let request_id = one("x-request-id").unwrap_or_default();
        let decision_id = PUBLIC_KEY.hash128(
            "decision",
            &[request_id, &now.as_unix_nanos().to_be_bytes()],
        );
        // The first source with a value wins, but a contradiction ends the search: falling back to the
        // next source would let a client choose by adding a header.
        let value = |fact: Fact| {
            let sources = policy.identity.sources.get(fact.index());
            for source in sources.into_iter().flatten() {
                let value = match source {
                    Source::Header(name) => match find(headers.clone(), name.as_str()) {
                        Found::Nothing => None,
                        Found::One(value) => identifier(key, value),
                        Found::Several => return None,
                    },
                    Source::ApiKey(_) => {
                        credential(headers.clone()).map(|secret| fingerprint(key, secret))
                    }
                };
                if value.is_some() {
                    return value;
                }
            }
            None
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
            passes_through: policy.inspection.passes_through(path),
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

/// What a request says under one header name.
enum Found<'h> {
    Nothing,
    One(&'h [u8]),
    /// Different values: the client's and the authentication's, and nobody can say which is which.
    Several,
}

impl<'h> Found<'h> {
    fn one(self) -> Option<&'h [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::Nothing | Self::Several => None,
        }
    }
}

fn find<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>, name: &str) -> Found<'h> {
    let mut found = Found::Nothing;
    for (key, value) in headers {
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            match found {
                Found::Nothing => found = Found::One(value),
                Found::One(first) if first == value => {}
                Found::One(_) | Found::Several => return Found::Several,
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
        Ok(text) if is_identifier(text) => Some(String::from(text)),
        _ => Some(format!("hash-{:032x}", key.hash128("identifier", &[value]))),
    }
}

/// Whether an id is used, and logged, as it is: letters of any script, digits and visible ASCII, so that
/// no log line is broken and nothing is hidden in it.
pub(crate) fn is_identifier(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.trim() == text && text.chars().all(plain)
}

fn credential<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone) -> Option<&'h [u8]> {
    let bearer = find(headers.clone(), "authorization")
        .one()
        .and_then(|value| {
            let (scheme, secret) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(secret)
        });
    let secret = bearer
        .or_else(|| find(headers.clone(), "x-api-key").one())
        .or_else(|| find(headers, "api-key").one())?;
    let secret = secret.trim_ascii();
    (!secret.is_empty()).then_some(secret)
}

fn fingerprint(key: &HashKey, secret: &[u8]) -> String {
    format!("key-{:032x}", key.hash128("credential", &[secret]))
}

//! Who is asking: the facts a policy reads from one request's head.
//!
//! Identity headers are trusted only as far as the filter that sets them: it must overwrite what a
//! client sends. A header that stands twice with different values is ambiguous and counts as absent.
use crate::{
    attestation::AttestationError,
    endpoint::Endpoint,
    hash::HashKey,
    origin::{self, Origin},
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
    Payment,
    Address,
    Asn,
    Client,
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
    /// The model that its path names, as Gemini's do; any other endpoint names it in the body.
    pub model: Option<String>,
    /// The caller; `None` when no source gave an account and the policy refuses such requests.
    pub caller: Option<Caller>,
    /// The policy lets its path pass without a look at the body.
    pub passes_through: bool,
    /// The body carries a `content-encoding` other than identity.
    pub compressed: bool,
    /// What came of the attestation that the request carries: the index of its level, or why it does not count.
    /// `None` where it carries none, or the policy accepts none.
    pub attestation: Option<Result<usize, AttestationError>>,
    /// Hash of `x-request-id` and time: names the decision.
    pub decision_id: u128,
    /// Where the request comes from, as the detector is told; `None` where the policy has none.
    pub origin: Option<Origin>,
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
        let (endpoint, model) = match (core::str::from_utf8(method), core::str::from_utf8(path)) {
            (Ok(method), Ok(path)) => (Endpoint::of(method, path), Endpoint::model_in(path)),
            _ => (Endpoint::Unknown, None),
        };
        let compressed = is_encoded(headers.clone());
        let request_id = one("x-request-id").unwrap_or_default();
        let decision_id = PUBLIC_KEY.hash128(
            "decision",
            &[request_id, &now.as_unix_nanos().to_be_bytes()],
        );
        // The first source with a value wins, but a contradiction ends the search: falling back to the
        // next source would let a client choose by adding a header.
        let raw = |fact: Fact| {
            let sources = policy.identity.sources.get(fact.index());
            for source in sources.into_iter().flatten() {
                match source {
                    Source::Header(name) => match find(headers.clone(), name.as_str()) {
                        Found::One(value) if !value.trim_ascii().is_empty() => {
                            return Some(Raw::Header(value.trim_ascii()));
                        }
                        Found::Nothing | Found::One(_) => {}
                        Found::Several => return None,
                    },
                    Source::ApiKey(_) => {
                        if let Some(secret) = credential(headers.clone()) {
                            return Some(Raw::Credential(secret));
                        }
                    }
                }
            }
            None
        };
        let value = |fact: Fact| {
            raw(fact).map(|raw| match raw {
                Raw::Header(value) => identifier(key, value),
                Raw::Credential(secret) => fingerprint(key, secret),
            })
        };
        let account = value(Fact::Account).or_else(|| {
            policy
                .identity
                .anonymous_shared
                .then(|| String::from("anonymous"))
        });
        let mut caller = account.map(|account| Caller {
            account,
            organization: value(Fact::Organization),
            created: value(Fact::Created)
                .as_deref()
                .and_then(Timestamp::parse_rfc3339),
            verification: value(Fact::Verification),
            plan: value(Fact::Plan),
        });
        let verification = &policy.verification;
        let attestation = match (&caller, &verification.header) {
            (Some(caller), Some(header)) => find(headers.clone(), header)
                .one()
                .map(|token| verification.attested(key, token, &caller.account, now)),
            _ => None,
        };
        if let (Some(caller), Some(Ok(attested))) = (&mut caller, attestation) {
            let level = |name: &String| verification.level(name);
            if caller.verification.as_ref().and_then(level) < Some(attested) {
                caller.verification = verification.levels.get(attested).cloned();
            }
        }
        let origin = policy.detection().and(caller.as_ref()).map(|caller| {
            // A credential is hashed apart, so that it never meets the same text in a header.
            let tag = |fact: Fact, domain: &str| match raw(fact) {
                Some(Raw::Header(value)) => origin::tag(key, domain, value),
                Some(Raw::Credential(secret)) => {
                    origin::tag(key, domain, fingerprint(key, secret).as_bytes())
                }
                None => 0,
            };
            let organization = caller.organization.as_ref();
            Origin {
                account: origin::account(key, &caller.account),
                organization: organization
                    .map_or(0, |id| key.hash64("organization", &[id.as_bytes()])),
                payment: tag(Fact::Payment, "payment"),
                network: match raw(Fact::Address) {
                    Some(Raw::Header(value)) => origin::network(key, value),
                    _ => 0,
                },
                asn: tag(Fact::Asn, "asn"),
                client: tag(Fact::Client, "client"),
            }
        });
        Self {
            endpoint,
            model,
            passes_through: policy.inspection.passes_through(path),
            caller,
            compressed,
            attestation,
            decision_id,
            origin,
        }
    }

    /// Index of the caller's level of verification in the policy; `None` below the weakest.
    pub fn level(&self, policy: &Policy) -> Option<usize> {
        let name = self.caller.as_ref()?.verification.as_ref()?;
        policy.verification.level(name)
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
            Self::Payment => 5,
            Self::Address => 6,
            Self::Asn => 7,
            Self::Client => 8,
        }
    }
}

/// What a request says under one header name.
pub(crate) enum Found<'h> {
    Nothing,
    One(&'h [u8]),
    /// Different values: the client's and the authentication's, and nobody can say which is which.
    Several,
}

impl<'h> Found<'h> {
    pub(crate) fn one(self) -> Option<&'h [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::Nothing | Self::Several => None,
        }
    }
}

pub(crate) fn find<'h>(
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
    name: &str,
) -> Found<'h> {
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

/// Whether a body is encoded: any `content-encoding` says other than identity, because nobody knows which of
/// several its reader heeds.
pub(crate) fn is_encoded<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> bool {
    headers
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"))
        .any(|(_, value)| {
            let encoding = value.trim_ascii();
            !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity")
        })
}

/// A value as a source gave it.
enum Raw<'h> {
    /// Neither empty nor with space around it.
    Header(&'h [u8]),
    /// May never be kept.
    Credential(&'h [u8]),
}

fn identifier(key: &HashKey, value: &[u8]) -> String {
    match core::str::from_utf8(value) {
        Ok(text) if is_identifier(text) => String::from(text),
        _ => format!("hash-{:032x}", key.hash128("identifier", &[value])),
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

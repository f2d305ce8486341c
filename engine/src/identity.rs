//! Who is asking: the facts a policy reads from one request's head.
//!
//! Identity headers are trusted only as far as the filter that sets them: it must overwrite what a
//! client sends. A header that stands twice with different values is ambiguous and counts as absent.
mod headers;
mod properties;
mod reader;
mod value;

pub(crate) use headers::{Found, find, is_encoded};
pub(crate) use properties::Remembered;
pub use properties::{NoProperties, Properties};
pub(crate) use value::is_identifier;

use crate::{
    attestation::AttestationError,
    endpoint::Endpoint,
    hash::HashKey,
    origin::{self, Origin},
    policy::Policy,
    time::Timestamp,
};
use alloc::{string::String, vec::Vec};
use core::net::IpAddr;
use reader::Reader;

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
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Address of its client; only where the policy's detection or a tier asks for it.
    pub address: Option<IpAddr>,
    /// Further facts, in the order of the policy's.
    pub attributes: Vec<Option<Attribute>>,
}

/// A further fact.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Text, as ids are.
    Text(String),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A point in time.
    Time(Timestamp),
}

/// How decisions name the caller where the policy wants pseudonyms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pseudonyms {
    /// Instead of the account; `None` where that is told.
    pub account: Option<String>,
    /// Instead of the organization; `None` where that is told, or there is none.
    pub organization: Option<String>,
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
    /// How decisions name the caller.
    pub pseudonyms: Pseudonyms,
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
    /// Reads a head from its name/value pairs, pseudo headers included, and from what the host knows beyond them.
    /// Time: headers x wanted names. Asks for a property only where a source that the policy names is needed, and for
    /// each once.
    pub fn read<'h>(
        policy: &Policy,
        key: &HashKey,
        headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
        properties: &dyn Properties,
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
        let decision_id = HashKey::PUBLIC.hash128(
            "decision",
            &[request_id, &now.as_unix_nanos().to_be_bytes()],
        );
        let reader = Reader::new(&policy.identity, key, headers.clone(), properties);
        let account = reader.text(Fact::Account).or_else(|| {
            policy
                .identity
                .anonymous_shared
                .then(|| String::from("anonymous"))
        });
        let asks_for_address = policy.identity.asks_for_network || policy.detection().is_some();
        let mut caller = account.map(|account| Caller {
            account,
            organization: reader.text(Fact::Organization),
            created: reader.time(Fact::Created),
            verification: reader.text(Fact::Verification),
            plan: reader.text(Fact::Plan),
            address: asks_for_address.then(|| reader.address()).flatten(),
            attributes: reader.attributes(),
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
            let organization = caller.organization.as_ref();
            Origin {
                account: origin::account(key, &caller.account),
                organization: organization
                    .map_or(0, |id| key.hash64("organization", &[id.as_bytes()])),
                payment: reader.tag(Fact::Payment, "payment"),
                network: caller
                    .address
                    .map_or(0, |address| origin::network(key, address)),
                asn: reader.tag(Fact::Asn, "asn"),
                client: reader.tag(Fact::Client, "client"),
            }
        });
        let pseudonyms = caller.as_ref().map(|caller| Pseudonyms {
            account: policy.privacy.account(caller, key),
            organization: policy.privacy.organization(caller, key),
        });
        Self {
            endpoint,
            model,
            passes_through: policy.inspection.passes_through(path),
            caller,
            pseudonyms: pseudonyms.unwrap_or_default(),
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

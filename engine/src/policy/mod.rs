//! The policy: `Document` (as written), checked, compiled to `Policy`, which alone reaches `evaluate`.
mod defaults;
mod deployment;
mod detection;
mod diagnostic;
mod document;
mod identity;
#[cfg(feature = "lints")]
mod lints;
mod locks;
mod matcher;
mod privacy;
mod read;
mod responses;
mod rollout;
#[cfg(feature = "schema")]
mod schema;
mod shaping;
mod validate;
mod verification;

pub use deployment::{Arm, CheckedDeployment, Deployment};
pub use detection::Detection;
pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use document::Document;
pub(crate) use document::{HeaderFamily, Per, Unit};
pub(crate) use identity::{AttributeType, Identity, Source, ValueType};
pub use locks::is_lock;
pub(crate) use matcher::Matcher;
pub(crate) use privacy::Privacy;
pub(crate) use responses::Responses;
pub use rollout::Guard;
pub(crate) use rollout::Rollout;
#[cfg(feature = "schema")]
pub use schema::schema;
pub(crate) use shaping::{Shaping, Subject};
pub(crate) use verification::Verification;

use crate::{
    capability::{Capabilities, CapabilitySet},
    detect::State,
    hash::HashKey,
    identity::Caller,
    table::Layout,
    time::Timestamp,
    verdict::Action,
};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::time::Duration;
use sha2::{Digest, Sha256};

/// A compiled policy: immutable, shared by all streams that began under it.
#[derive(Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) owner: String,
    pub(crate) digest: String,
    pub(crate) rollout: Rollout,
    pub(crate) inspection: Inspection,
    pub(crate) identity: Identity,
    pub(crate) privacy: Privacy,
    pub(crate) capabilities: Capabilities,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) metering: Metering,
    pub(crate) lists: Lists,
    pub(crate) detection: Option<Detection>,
    pub(crate) shaping: Shaping,
    pub(crate) verification: Verification,
    pub(crate) responses: Responses,
    pub(crate) layout: Layout,
    pub(crate) memory: u64,
    pub(crate) admit_on_failure: bool,
}

/// What reading a document gave: the policy unless an error refuses it, and everything noticed.
#[derive(Debug)]
pub struct Checked {
    /// The policy, `None` when refused.
    pub policy: Option<Policy>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl Policy {
    /// Reads, checks and compiles a policy from its JSON text. Entries of lists that ended before
    /// `now` are warned of; without a `now` they are not looked at.
    pub fn check(json: &[u8], now: Option<Timestamp>) -> Checked {
        let mut diagnostics = Diagnostics::default();
        let Some((document, taken)) = read::document(json, &mut diagnostics) else {
            diagnostics.close();
            return Checked {
                policy: None,
                diagnostics,
            };
        };
        let mut found = Diagnostics::default();
        let refused = diagnostics.refuse();
        let policy = validate::policy(document, digest(json), &mut found);
        #[cfg(feature = "lints")]
        if let Some(policy) = policy.as_ref().filter(|_| !refused) {
            lints::check(policy, now, &mut found);
        }
        if let (Some(policy), Some(now)) = (&policy, now) {
            policy
                .lists
                .deny
                .warn_of_expired("lists.deny", now, &mut found);
            policy
                .lists
                .exempt
                .warn_of_expired("lists.exempt", now, &mut found);
            policy
                .lists
                .states
                .warn_of_expired("lists.states", now, &mut found);
            policy.verification.warn_of_expired(now, &mut found);
        }
        diagnostics.absorb(found, &taken);
        diagnostics.close();
        Checked {
            policy: policy.filter(|_| !refused),
            diagnostics,
        }
    }

    /// Name of the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version of the policy.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Team that answers for the policy.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// `sha256:` and the hex digest of the JSON text that the policy was read from.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// `shadow`, `canary` or `enforce`.
    pub fn mode(&self) -> &'static str {
        self.rollout.mode()
    }

    /// When it stops acting by itself; `None` where nothing makes it.
    pub fn guard(&self) -> Option<&Guard> {
        self.rollout.guard.as_ref()
    }

    /// Where counters live.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Bytes that all keys and values in shared memory may take, those of detection included.
    pub fn memory(&self) -> u64 {
        let detection = self.detection.as_ref().map_or(0, Detection::shared_bytes);
        self.memory.saturating_add(detection)
    }

    /// How campaigns are looked for; `None` where they are not.
    pub fn detection(&self) -> Option<&Detection> {
        self.detection.as_ref()
    }

    /// Index of the caller's tier: the first that matches.
    pub(crate) fn tier_of(&self, caller: &Caller, now: Timestamp) -> Option<usize> {
        self.tiers
            .iter()
            .position(|tier| tier.matcher.matches(caller, now))
    }

    /// Tier names, by index.
    pub fn tier_names(&self) -> impl Iterator<Item = &str> {
        self.tiers.iter().map(|tier| tier.name.as_str())
    }

    /// Whether requests of accounts in some state are delayed.
    pub fn delays(&self) -> bool {
        self.rollout.reach != rollout::Reach::Nobody
            && self.detection().is_some_and(|detection| {
                let mut states = State::ALL.into_iter();
                states.any(|state| detection.action(state) == Action::Delay)
            })
    }

    /// Bytes of a request body that are read at most.
    pub fn max_body(&self) -> usize {
        self.inspection.max_body
    }
}

fn digest(json: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(json) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// What of a request is read, and what happens to one that cannot be.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// Bytes.
    pub(crate) max_body: usize,
    pub(crate) inspect_oversized: bool,
    pub(crate) allow_compressed: bool,
    pub(crate) allow_malformed: bool,
    pub(crate) allow_unknown_endpoint: bool,
    pub(crate) pass_through: Vec<String>,
}

impl Inspection {
    /// Whether the policy names this path, or one above it, as asking no model for anything. A path
    /// that has a second reading (escapes, parameters, dots) is never meant.
    pub(crate) fn passes_through(&self, path: &[u8]) -> bool {
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.:".contains(byte);
        let dots = path
            .windows(2)
            .any(|pair| pair == b".." || pair == b"//" || pair == b"/.");
        path.iter().all(plain)
            && !dots
            && self.pass_through.iter().any(|named| {
                path.strip_prefix(named.as_bytes())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
            })
    }
}

/// A class of accounts.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) name: String,
    pub(crate) matcher: Matcher,
    pub(crate) grants: CapabilitySet,
}

/// A limit over a window.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) name: String,
    pub(crate) per: Per,
    pub(crate) unit: Unit,
    pub(crate) limit: u32,
    pub(crate) window: Duration,
    /// Tier indices that it holds for; `None` is all.
    pub(crate) tiers: Option<Vec<usize>>,
}

impl Budget {
    /// Names the budget's counters: they survive a new limit, not a new unit or window.
    pub(crate) fn id(&self, key: &HashKey) -> u64 {
        key.hash64(
            "budget",
            &[
                self.name.as_bytes(),
                self.unit.name().as_bytes(),
                &self.window.as_nanos().to_be_bytes(),
            ],
        )
    }
}

/// How tokens are counted.
#[derive(Debug)]
pub(crate) struct Metering {
    pub(crate) default_output_tokens: u32,
    pub(crate) keep_unknown: bool,
}

/// Standing decisions.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    pub(crate) deny: List,
    pub(crate) exempt: List,
    states: List,
    /// The state of each entry of `states`.
    pinned: Vec<State>,
}

impl Lists {
    /// The state that somebody has decided on for this caller.
    pub(crate) fn pinned(&self, caller: &Caller, now: Timestamp) -> Option<State> {
        let entry = self.states.entry(caller, now)?;
        self.pinned.get(entry).copied()
    }
}

/// Accounts and organizations with a standing decision; looked up in O(log n).
#[derive(Debug, Default)]
pub(crate) struct List {
    accounts: BTreeMap<String, ListEntry>,
    organizations: BTreeMap<String, ListEntry>,
}

#[derive(Clone, Copy, Debug)]
struct ListEntry {
    /// Position in the document.
    index: usize,
    expires: Timestamp,
}

impl List {
    fn insert(&mut self, account: Option<String>, organization: Option<String>, entry: ListEntry) {
        if let Some(account) = account {
            self.accounts.insert(account, entry);
        } else if let Some(organization) = organization {
            self.organizations.insert(organization, entry);
        }
    }

    /// Position of the entry that speaks of this caller and still holds.
    pub(crate) fn entry(&self, caller: &Caller, now: Timestamp) -> Option<usize> {
        let account = self.accounts.get(&caller.account);
        let organization = caller
            .organization
            .as_ref()
            .and_then(|organization| self.organizations.get(organization));
        [account, organization]
            .into_iter()
            .flatten()
            .find(|entry| now < entry.expires)
            .map(|entry| entry.index)
    }

    fn warn_of_expired(&self, path: &str, now: Timestamp, diagnostics: &mut Diagnostics) {
        for entry in self
            .accounts
            .values()
            .chain(self.organizations.values())
            .filter(|entry| entry.expires <= now)
        {
            let path = format!("{path}[{}]", entry.index);
            diagnostics.warning(
                Code::ExpiredEntry,
                path,
                "its time is over, it does nothing",
                "remove it or extend `expires`",
            );
        }
    }
}

#[cfg(test)]
mod tests;

//! The policy as written: field for field what people type, nothing checked yet.
//!
//! Every field is optional here, so that one missing or wrong value never hides the next problem;
//! `validate` says what is missing. Variants are map keys (`{header: x-account-id}`), because serde
//! then refuses unknown keys inside them and reports exact paths.
use super::{
    identity::{Attribute, Certificate, Claim, Property},
    matcher::AttributeMatcher,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::Deserialize;

/// A whole policy document, `apiVersion: weir/v1`, `kind: Policy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// `weir/v1`.
    pub api_version: Option<String>,
    /// `Policy`.
    pub kind: Option<String>,
    /// Which policy this is.
    pub metadata: Option<Metadata>,
    /// What of a request is read, and what happens to one that cannot be.
    pub inspection: Option<Inspection>,
    /// Where the facts about the caller come from.
    pub identity: Option<Identity>,
    /// What decisions tell of callers.
    pub privacy: Option<super::privacy::Section>,
    /// What counts as asking for a sensitive ability.
    pub capabilities: Option<BTreeMap<String, Capability>>,
    /// Classes of accounts and what they are granted; the first that matches wins.
    pub tiers: Option<Vec<Tier>>,
    /// Limits over windows.
    pub budgets: Option<Vec<Budget>>,
    /// How tokens are counted.
    pub metering: Option<Metering>,
    /// Accounts and organizations that are always refused or always let through.
    pub lists: Option<Lists>,
    /// Whether campaigns of accounts are looked for.
    pub detection: Option<Detection>,
    /// What exchanges are given less of.
    pub shaping: Option<super::shaping::Section>,
    /// Which use asks for a better verification.
    pub verification: Option<super::verification::Section>,
    /// What callers are told, and what is done about suspects.
    pub responses: Option<Responses>,
    /// Shared memory.
    pub state: Option<State>,
    /// Whether the policy acts.
    pub rollout: Option<super::rollout::Section>,
}

/// Which policy this is; every decision carries it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of the policy.
    pub name: Option<String>,
    /// Version, any text; changes with every change.
    pub version: Option<String>,
    /// Team that answers for it.
    pub owner: Option<String>,
}

/// What of a request is read, and what happens to one that cannot be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inspection {
    /// Largest body that is read, `4MiB`.
    pub max_body: Option<String>,
    /// How much prompt text the phrase search reads, `8KiB`.
    pub scan_text: Option<String>,
    /// A body above `maxBody`.
    pub oversized: Option<Oversized>,
    /// A body with a `content-encoding`.
    pub compressed: Option<Handling>,
    /// A body that is not the JSON of its endpoint.
    pub malformed: Option<Handling>,
    /// A path that the engine does not know and `passThrough` does not name.
    pub unknown_endpoint: Option<Handling>,
    /// Paths, with everything below them, that ask no model for anything: lists and request budgets hold.
    pub pass_through: Option<Vec<String>>,
}

/// What happens to a request whose body cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// Passes on what the head alone says: lists, tier and request budgets still hold.
    Allow,
    /// Is refused.
    Deny,
}

/// What happens to a body above the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oversized {
    /// The first `maxBody` bytes are judged, the rest passes unread.
    Inspect,
    /// Is refused.
    Deny,
}

/// Where the facts about the caller come from: the first source that yields a value wins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The paying or signed-up identity.
    pub account: Option<Vec<Source>>,
    /// The organization above the account.
    pub organization: Option<Vec<Source>>,
    /// When the account was created, RFC 3339.
    pub created: Option<Vec<Source>>,
    /// How the account was verified.
    pub verification: Option<Vec<Source>>,
    /// What the account pays for.
    pub plan: Option<Vec<Source>>,
    /// Payment instrument, as the billing system names it; `x-payment-fingerprint` when absent.
    pub payment: Option<Vec<Source>>,
    /// Address of the client, of a header's list the one that `trustedHops` says; `x-forwarded-for` when absent.
    pub address: Option<Vec<Source>>,
    /// How many proxies of your own stand in front of this one and append to the list of addresses, at most 32; 0 when
    /// absent. The same as Envoy's `xff_num_trusted_hops`: 0 takes the last address, which the nearest proxy saw, and
    /// N the one that is N places before it. A list that is shorter names nobody.
    pub trusted_hops: Option<u32>,
    /// Autonomous system of the client; `x-asn` when absent.
    pub asn: Option<Vec<Source>>,
    /// Client program and version; `user-agent` when absent.
    pub client: Option<Vec<Source>>,
    /// Further facts by name, at most 32, for `match.attributes`: region, contract, programme, seats.
    pub attributes: Option<BTreeMap<String, Attribute>>,
    /// A request that no source gives an account.
    pub anonymous: Option<Anonymous>,
}

/// One place to read a fact from. A place with nothing in it, or with empty text, leaves the fact to the next source; one
/// whose value contradicts itself or cannot be read as its type ends the search, and the fact is not known.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A request header that a trusted filter sets.
    Header(String),
    /// A keyed hash of the credential (`authorization: Bearer`, `x-api-key`, `api-key`).
    ApiKey(ApiKey),
    /// A claim of the JWT that Envoy's `jwt_authn` filter has verified and left in its dynamic metadata.
    Claim(Claim),
    /// The client's certificate. The listener has to validate it: Envoy tells of one that nobody vouched for as well.
    Certificate(Certificate),
    /// Any other attribute of Envoy's: what a filter left in dynamic metadata or in filter state, facts of the connection.
    Property(Property),
}

/// No settings yet.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {}

/// What happens to a request without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anonymous {
    /// Is refused.
    Deny,
    /// All such requests share the account `anonymous` and its budgets.
    Shared,
}

/// What counts as asking for one ability: any of the conditions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capability {
    /// Conditions, one of which is enough.
    pub any_of: Option<Vec<Condition>>,
}

/// One condition on a request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// Tools (or legacy functions) offered to the model.
    Tools(AtLeast),
    /// Tool results in the history: how far an agent loop has come.
    ToolResults(AtLeast),
    /// User messages in the history.
    UserTurns(AtLeast),
    /// `n`: answers asked for at once.
    Samples(AtLeast),
    /// Output tokens asked for (`max_tokens`, `max_completion_tokens`).
    OutputTokens(AtLeast),
    /// Reasoning that the caller asks to see.
    VisibleReasoning(Asked),
    /// Token probabilities.
    Logprobs(Asked),
    /// Different phrases found in the prompt.
    Phrases(Phrases),
}

/// A lower bound.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtLeast {
    /// The smallest number that counts.
    pub at_least: u32,
}

/// No settings: asking is enough.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {}

/// Phrases to look for, case-insensitively (ASCII), at word boundaries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phrases {
    /// How many different ones count; 1 when absent.
    pub at_least: Option<u32>,
    /// The phrases.
    pub of: Vec<String>,
}

/// A class of accounts and what it is granted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// Name of the tier.
    pub name: Option<String>,
    /// Who belongs to it; everybody when absent.
    #[serde(rename = "match")]
    pub matcher: Option<Matcher>,
    /// Capabilities that it may use.
    pub grants: Option<Vec<String>>,
}

/// Conditions on identity facts: all that are given must hold, any listed value is enough.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Matcher {
    /// Account ids.
    pub account: Option<Vec<String>>,
    /// Organization ids.
    pub organization: Option<Vec<String>>,
    /// Verification levels.
    pub verification: Option<Vec<String>>,
    /// Plans.
    pub plan: Option<Vec<String>>,
    /// Least age of the account, `30d`.
    pub min_age: Option<String>,
    /// Networks that the client's address is in, `203.0.113.0/24` or `2001:db8::/32`, at most 1024.
    pub network: Option<Vec<String>>,
    /// Conditions on attributes by name, each declared under `identity.attributes`. An attribute that the caller lacks
    /// matches nothing.
    pub attributes: Option<BTreeMap<String, AttributeMatcher>>,
}

/// A limit over a window.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// Name of the budget.
    pub name: Option<String>,
    /// Whose budget it is.
    pub per: Option<Per>,
    /// What is counted.
    pub unit: Option<Unit>,
    /// Most that may be used in any window.
    pub limit: Option<u64>,
    /// Length of the window, `1h`. For `concurrency`, `10s` to `1h`: how long a request counts at most whose worker
    /// died; one that is answered for longer is renewed, one that ended no longer counts.
    pub window: Option<String>,
    /// Tiers that it holds for; all when absent.
    pub tiers: Option<Vec<String>>,
}

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each account has its own.
    Account,
    /// All accounts of an organization share one.
    Organization,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Admitted requests.
    Requests,
    /// Prompt tokens.
    InputTokens,
    /// Completion tokens.
    OutputTokens,
    /// Prompt and completion tokens.
    Tokens,
    /// Requests that are being answered.
    Concurrency,
}

impl Unit {
    /// Its word in a policy.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Tokens => "tokens",
            Self::Concurrency => "concurrency",
        }
    }
}

/// How tokens are counted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metering {
    /// Output tokens to reserve for a request that names no maximum.
    pub default_output_tokens: Option<u32>,
    /// What happens to the reservation of an answer that broke off before its usage was told.
    pub unknown_usage: Option<UnknownUsage>,
}

/// What happens to the reservation of an answer that broke off before its usage was told. (An answer that
/// came to its end keeps it, an error gives it back, whatever is set here.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownUsage {
    /// Is given back.
    Release,
    /// Stays charged: leaving before the usage arrives does not pay.
    Keep,
}

/// Accounts and organizations with a standing decision.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lists {
    /// Always refused.
    pub deny: Option<Vec<ListEntry>>,
    /// Never refused, never charged, never given less.
    pub exempt: Option<Vec<ListEntry>>,
    /// In a state that somebody has decided on, whatever the detector thinks; needs `detection`.
    pub states: Option<Vec<StateEntry>>,
}

/// One account, or the accounts of one organization, in a state that somebody has decided on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StateEntry {
    /// Account id.
    pub account: Option<String>,
    /// Organization id.
    pub organization: Option<String>,
    /// The state: `observe` clears it, for one that was restricted wrongly.
    pub state: Option<super::shaping::section::StateName>,
    /// Team that answers for the entry.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: Option<String>,
    /// When it stops working, RFC 3339.
    pub expires: Option<String>,
}

/// One entry of a list; who put it there, why and until when is part of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListEntry {
    /// Account id.
    pub account: Option<String>,
    /// Organization id.
    pub organization: Option<String>,
    /// Team that answers for the entry.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: Option<String>,
    /// When it stops working, RFC 3339.
    pub expires: Option<String>,
}

/// Whether campaigns of accounts are looked for; off when the section is absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Detection {
    /// Off when false; true when absent.
    pub enabled: Option<bool>,
    /// How long traffic is learned before anybody is judged, `1m` to `90d`; `3d` when absent.
    pub learn: Option<String>,
    /// Memory of the detector and of what workers tell it, `16MiB` to `1GiB`; `64MiB` when absent; fixed when the
    /// proxy starts.
    pub memory: Option<String>,
    /// Scores from which an account changes its state.
    pub thresholds: Option<Thresholds>,
    /// Weights of the signals; the shipped ones when absent.
    pub profile: Option<serde_json::Value>,
}

/// Scores (log odds of belonging to a campaign, in nats) from which an account changes its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thresholds {
    /// To `watch`; 2 when absent.
    pub watch: Option<f64>,
    /// To `step_up`; 5 when absent.
    pub step_up: Option<f64>,
    /// To `restrict`, where two independent keys agree; 8 when absent.
    pub restrict: Option<f64>,
}

/// What is done about an account by its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct StateActions {
    /// `allow` when absent.
    pub watch: Option<StateAction>,
    /// `allow` when absent.
    pub step_up: Option<StateAction>,
    /// `deny` when absent.
    pub restrict: Option<StateAction>,
    /// `deny` when absent.
    pub block: Option<StateAction>,
}

/// What is done about an account in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAction {
    /// Its requests go on to capabilities and budgets.
    Allow,
    /// The same, and shaping rules that name the state apply.
    Shape,
    /// The same, and each waits for `responses.delay.for` first.
    Delay,
    /// Its requests are refused (403) until the account has the level `verification.suspected`.
    Verify,
    /// Its requests are refused for now (429).
    Throttle,
    /// Its requests are refused (403).
    Deny,
}

/// What callers are told, and what is done about suspects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Responses {
    /// What is done about an account by its state; needs `detection`.
    pub states: Option<StateActions>,
    /// Link to the terms of use, added to final denials.
    pub terms_of_use: Option<String>,
    /// Where to ask, added to final denials.
    pub contact: Option<String>,
    /// Families of headers that tell clients what is left of their budgets; none when absent.
    pub headers: Option<Vec<HeaderFamily>>,
    /// Longest wait after which clients may ask again on their own, at most `1h`; `60s` when absent. A longer one is
    /// told to their users.
    pub longest_retry: Option<String>,
    /// How requests of accounts in a state with the action `delay` wait.
    pub delay: Option<Delay>,
}

/// A family of rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderFamily {
    /// The family of the provider whose endpoint is asked: `openai` or `anthropic`, `ietf` for others.
    Provider,
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    Ietf,
    /// `x-ratelimit-limit-requests` and so on.
    Openai,
    /// `anthropic-ratelimit-requests-limit` and so on.
    Anthropic,
    /// `x-ratelimit-limit`, `x-ratelimit-remaining`, `x-ratelimit-reset`, as Envoy's own filter writes them; of
    /// budgets of requests.
    Envoy,
}

/// How delayed requests wait.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delay {
    /// How long each waits, `100ms` to `30s`; `2s` when absent.
    #[serde(rename = "for")]
    pub wait: Option<String>,
    /// Requests that may wait at once in one worker, 1 to 10000; 64 when absent.
    pub max_waiting: Option<u32>,
    /// What happens to one more; `throttle` when absent.
    pub when_full: Option<WhenFull>,
}

/// What happens to a request that should wait where too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Passes at once.
    Allow,
    /// Is refused for now (429).
    Throttle,
}

/// Shared memory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Bytes of all keys and values together, `64MiB`; fixed when the proxy starts.
    pub memory: Option<String>,
    /// A request whose budgets cannot be counted.
    pub on_failure: Option<Handling>,
}

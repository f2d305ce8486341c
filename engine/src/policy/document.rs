//! The policy as written: field for field what people type, nothing checked yet.
//!
//! Every field is optional here, so that one missing or wrong value never hides the next problem;
//! `validate` says what is missing. Variants are map keys (`{header: x-account-id}`), because serde
//! then refuses unknown keys inside them and reports exact paths.
#[cfg(feature = "schema")]
use super::{defaults, schema};
use super::{
    identity::{Attribute, Certificate, Claim, Property},
    matcher::AttributeMatcher,
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::Deserialize;

/// What Weir does about requests to LLM APIs: `apiVersion: weir/v1`, `kind: Policy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(title = "Weir policy"))]
pub struct Document {
    /// The format: `weir/v1`.
    #[cfg_attr(feature = "schema", schemars(required, extend("const" = "weir/v1")))]
    pub api_version: Option<String>,
    /// What the document is: `Policy`.
    #[cfg_attr(feature = "schema", schemars(required, extend("const" = "Policy")))]
    pub kind: Option<String>,
    /// Which policy this is.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub metadata: Option<Metadata>,
    /// Paths that overlays may not touch, each with everything below: `detection`, `budgets.account-requests.limit`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::Lock>>", extend("default" = [])))]
    pub locked: Option<Vec<String>>,
    /// What of a request is read, and what happens to one that cannot be.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub inspection: Option<Inspection>,
    /// Where the facts about the caller come from.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub identity: Option<Identity>,
    /// What decisions tell of callers.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub privacy: Option<super::privacy::Section>,
    /// What counts as asking for a sensitive ability.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {}, "propertyNames" = {"pattern": schema::NAME}, "maxProperties" = 32)))]
    pub capabilities: Option<BTreeMap<String, Capability>>,
    /// Classes of accounts and what they are granted; the first that matches wins.
    #[cfg_attr(feature = "schema", schemars(required, length(min = 1, max = 32)))]
    pub tiers: Option<Vec<Tier>>,
    /// Limits over windows.
    #[cfg_attr(feature = "schema", schemars(length(max = 16), extend("default" = [])))]
    pub budgets: Option<Vec<Budget>>,
    /// How tokens are counted.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub metering: Option<Metering>,
    /// Accounts and organizations that are always refused or always let through.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub lists: Option<Lists>,
    /// Whether campaigns of accounts are looked for.
    pub detection: Option<Detection>,
    /// What exchanges are given less of.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub shaping: Option<super::shaping::Section>,
    /// Which use asks for a better verification.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub verification: Option<super::verification::Section>,
    /// What callers are told, and what is done about suspects.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub responses: Option<Responses>,
    /// Memory that counters share.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub state: Option<State>,
    /// Whether the policy acts.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub rollout: Option<super::rollout::Section>,
}

/// Which policy this is; every decision carries it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of the policy.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub name: Option<String>,
    /// Version: 1 to 64 letters, digits, `-`, `_` and `.`; changes with every change of the policy.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub version: Option<String>,
    /// Team that answers for it.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub owner: Option<String>,
}

/// What of a request is read, and what happens to one that cannot be.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inspection {
    /// Largest body that is read, `1KiB` to `64MiB`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Size>", extend("default" = defaults::MAX_BODY)))]
    pub max_body: Option<String>,
    /// How much prompt text the phrase search reads, at most `1MiB`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Size>", extend("default" = defaults::SCAN_TEXT)))]
    pub scan_text: Option<String>,
    /// What happens to a body above `maxBody`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::OVERSIZED)))]
    pub oversized: Option<Oversized>,
    /// What happens to a body with a `content-encoding`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::COMPRESSED)))]
    pub compressed: Option<Handling>,
    /// What happens to a body that is not the JSON of its endpoint.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::MALFORMED)))]
    pub malformed: Option<Handling>,
    /// What happens on a path that Weir cannot read and `passThrough` does not name.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::UNKNOWN_ENDPOINT)))]
    pub unknown_endpoint: Option<Handling>,
    /// Paths, with everything below them, that ask no model for anything: lists and request budgets hold.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::UrlPath>>", extend("default" = [])))]
    pub pass_through: Option<Vec<String>>,
}

/// What happens to a request whose body cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// Passes on what the head alone says: lists, tier and request budgets still hold.
    Allow,
    /// Is refused.
    Deny,
}

/// What happens to a body above the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Oversized {
    /// The first `maxBody` bytes are judged, the rest passes unread.
    Inspect,
    /// Is refused.
    Deny,
}

/// Where the facts about the caller come from: the first source that yields a value wins.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    /// The paying or signed-up identity.
    #[cfg_attr(feature = "schema", schemars(required, length(min = 1)))]
    pub account: Option<Vec<Source>>,
    /// The organization above the account.
    pub organization: Option<Vec<Source>>,
    /// When the account was created, RFC 3339.
    pub created: Option<Vec<Source>>,
    /// How the account was verified.
    pub verification: Option<Vec<Source>>,
    /// What the account pays for.
    pub plan: Option<Vec<Source>>,
    /// Payment instrument, as the billing system names it.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [{"header": defaults::PAYMENT_HEADER}])))]
    pub payment: Option<Vec<Source>>,
    /// Address of the client; of a header's list the one that `trustedHops` says.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [{"header": defaults::ADDRESS_HEADER}])))]
    pub address: Option<Vec<Source>>,
    /// How many proxies of your own stand in front of this one and append to the list of addresses, at most 32.
    /// The same as Envoy's `xff_num_trusted_hops`: 0 takes the last address, which the nearest proxy saw, and
    /// N the one that is N places before it. A list that is shorter names nobody.
    #[cfg_attr(feature = "schema", schemars(range(max = 32), extend("default" = defaults::TRUSTED_HOPS)))]
    pub trusted_hops: Option<u32>,
    /// Autonomous system of the client.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [{"header": defaults::ASN_HEADER}])))]
    pub asn: Option<Vec<Source>>,
    /// Client program and version.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [{"header": defaults::CLIENT_HEADER}])))]
    pub client: Option<Vec<Source>>,
    /// Further facts by name, at most 32, for `match.attributes`: region, contract, programme, seats.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {}, "propertyNames" = {"pattern": schema::NAME}, "maxProperties" = 32)))]
    pub attributes: Option<BTreeMap<String, Attribute>>,
    /// What happens to a request that no source gives an account.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ANONYMOUS)))]
    pub anonymous: Option<Anonymous>,
}

/// One place to read a fact from. A place with nothing in it, or with empty text, leaves the fact to the next source; one
/// whose value contradicts itself or cannot be read as its type ends the search, and the fact is not known.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A request header that a trusted filter sets.
    Header(#[cfg_attr(feature = "schema", schemars(with = "schema::HeaderName"))] String),
    /// A keyed hash of the credential (`authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key`);
    /// several that differ identify nobody.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApiKey {}

/// What happens to a request without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Anonymous {
    /// Is refused.
    Deny,
    /// All such requests share the account `anonymous` and its budgets.
    Shared,
}

/// What counts as asking for one ability: any of the conditions.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capability {
    /// Conditions, one of which is enough.
    #[cfg_attr(feature = "schema", schemars(required, length(min = 1)))]
    pub any_of: Option<Vec<Condition>>,
}

/// One condition on a request.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtLeast {
    /// The smallest number that counts.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub at_least: u32,
}

/// No settings: asking is enough.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Asked {}

/// Phrases to look for, case-insensitively (ASCII), at word boundaries.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phrases {
    /// How many different ones have to be found.
    #[cfg_attr(feature = "schema", schemars(range(min = 1), extend("default" = defaults::PHRASES)))]
    pub at_least: Option<u32>,
    /// The phrases.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<schema::Phrase>", length(min = 1))
    )]
    pub of: Vec<String>,
}

/// A class of accounts and what it is granted.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// Name of the tier.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub name: Option<String>,
    /// Who belongs to it; everybody when absent.
    #[serde(rename = "match")]
    pub matcher: Option<Matcher>,
    /// Capabilities that it may use.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::Name>>", extend("default" = [])))]
    pub grants: Option<Vec<String>>,
}

/// Conditions on identity facts: all that are given must hold, any listed value is enough.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Matcher {
    /// Account ids.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub account: Option<Vec<String>>,
    /// Organization ids.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub organization: Option<Vec<String>>,
    /// Verification levels.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub verification: Option<Vec<String>>,
    /// Plans.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub plan: Option<Vec<String>>,
    /// Least age of the account.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>"))]
    pub min_age: Option<String>,
    /// Networks that the client's address is in, `203.0.113.0/24` or `2001:db8::/32`, at most 1024.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<schema::Network>>", length(min = 1, max = 1024))
    )]
    pub network: Option<Vec<String>>,
    /// Conditions on attributes by name, each declared under `identity.attributes`. An attribute that the caller lacks
    /// matches nothing.
    pub attributes: Option<BTreeMap<String, AttributeMatcher>>,
}

/// A limit over a window.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// Name of the budget.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub name: Option<String>,
    /// Whose budget it is.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub per: Option<Per>,
    /// What is counted.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub unit: Option<Unit>,
    /// Most that may be used in any window of that length.
    #[cfg_attr(feature = "schema", schemars(required, range(min = 1, max = u32::MAX)))]
    pub limit: Option<u64>,
    /// Length of the window, `1s` to `366d`. For `concurrency`, `10s` to `1h`: how long a request counts at most whose worker
    /// died; one that is answered for longer is renewed, one that ended no longer counts.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Duration>")
    )]
    pub window: Option<String>,
    /// Tiers that it holds for; all when absent.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<schema::Name>>", length(min = 1))
    )]
    pub tiers: Option<Vec<String>>,
}

/// Whose budget it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each account has its own.
    Account,
    /// All accounts of an organization share one.
    Organization,
}

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metering {
    /// Output tokens to reserve for a request that names no maximum.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::OUTPUT_TOKENS)))]
    pub default_output_tokens: Option<u32>,
    /// What happens to the reservation of an answer that broke off before its usage was told.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::UNKNOWN_USAGE)))]
    pub unknown_usage: Option<UnknownUsage>,
}

/// What happens to the reservation of an answer that broke off before its usage was told. (An answer that
/// came to its end keeps it, an error gives it back, whatever is set here.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum UnknownUsage {
    /// Is given back.
    Release,
    /// Stays charged: leaving before the usage arrives does not pay.
    Keep,
}

/// Accounts and organizations with a standing decision.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lists {
    /// Always refused.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub deny: Option<Vec<ListEntry>>,
    /// Never refused, never charged, never given less.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub exempt: Option<Vec<ListEntry>>,
    /// In a state that somebody has decided on, whatever the detector thinks; needs `detection`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [])))]
    pub states: Option<Vec<StateEntry>>,
}

/// One account, or the accounts of one organization, in a state that somebody has decided on.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = [{"required": ["account"]}, {"required": ["organization"]}])))]
pub struct StateEntry {
    /// Account id.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Id>"))]
    pub account: Option<String>,
    /// Organization id.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Id>"))]
    pub organization: Option<String>,
    /// The state: `observe` clears it, for one that was restricted wrongly.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub state: Option<super::shaping::section::StateName>,
    /// Team that answers for the entry.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub owner: Option<String>,
    /// Why it is there.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub reason: Option<String>,
    /// When it stops working, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Time>"))]
    pub expires: Option<String>,
}

/// One entry of a list; who put it there, why and until when is part of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(extend("oneOf" = [{"required": ["account"]}, {"required": ["organization"]}])))]
pub struct ListEntry {
    /// Account id.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Id>"))]
    pub account: Option<String>,
    /// Organization id.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Id>"))]
    pub organization: Option<String>,
    /// Team that answers for the entry.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub owner: Option<String>,
    /// Why it is there.
    #[cfg_attr(
        feature = "schema",
        schemars(required, with = "Option<schema::Sentence>")
    )]
    pub reason: Option<String>,
    /// When it stops working, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Time>"))]
    pub expires: Option<String>,
}

/// Whether campaigns of accounts are looked for; off when the section is absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Detection {
    /// Off when false.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::DETECTION)))]
    pub enabled: Option<bool>,
    /// How long traffic is learned before anybody is judged, `1m` to `90d`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::LEARN)))]
    pub learn: Option<String>,
    /// Memory of the detector and of what workers tell it, `16MiB` to `1GiB`; fixed when the proxy starts.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Size>", extend("default" = defaults::DETECTION_MEMORY)))]
    pub memory: Option<String>,
    /// Scores from which an account changes its state.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub thresholds: Option<Thresholds>,
    /// Weights of the signals; the shipped ones when absent.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Weights>"))]
    pub profile: Option<serde_json::Value>,
}

/// Scores (log odds of belonging to a campaign, in nats) from which an account changes its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Thresholds {
    /// Score from which it is in `watch`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100), extend("default" = defaults::SCORE_WATCH)))]
    pub watch: Option<f64>,
    /// Score from which it is in `step_up`; not below `watch`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100), extend("default" = defaults::SCORE_STEP_UP)))]
    pub step_up: Option<f64>,
    /// Score from which it is in `restrict`, where two independent keys agree; not below `stepUp`.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100), extend("default" = defaults::SCORE_RESTRICT)))]
    pub restrict: Option<f64>,
}

/// What is done about an account by its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct StateActions {
    /// What is done about an account that some evidence speaks against.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ON_WATCH)))]
    pub watch: Option<StateAction>,
    /// What is done about an account that more evidence speaks against.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ON_STEP_UP)))]
    pub step_up: Option<StateAction>,
    /// What is done about an account that belongs to a campaign.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ON_RESTRICT)))]
    pub restrict: Option<StateAction>,
    /// What is done about an account of a campaign that has kept on.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ON_BLOCK)))]
    pub block: Option<StateAction>,
}

/// What is done about an account in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Responses {
    /// What is done about an account by its state; needs `detection`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub states: Option<StateActions>,
    /// Link to the terms of use, added to final denials.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Line>"))]
    pub terms_of_use: Option<String>,
    /// Where to ask, added to final denials.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Line>"))]
    pub contact: Option<String>,
    /// Families of headers that tell clients what is left of their budgets.
    #[cfg_attr(feature = "schema", schemars(extend("default" = [], "uniqueItems" = true)))]
    pub headers: Option<Vec<HeaderFamily>>,
    /// Longest wait after which clients may ask again on their own, at most `1h`. A longer one is told to their users.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::LONGEST_RETRY)))]
    pub longest_retry: Option<String>,
    /// How requests of accounts in a state with the action `delay` wait.
    #[cfg_attr(feature = "schema", schemars(extend("default" = {})))]
    pub delay: Option<Delay>,
}

/// A family of rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delay {
    /// How long each waits, `100ms` to `30s`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::DELAY)))]
    #[serde(rename = "for")]
    pub wait: Option<String>,
    /// Requests that may wait at once in one worker, 1 to 10000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10_000), extend("default" = defaults::MAX_WAITING)))]
    pub max_waiting: Option<u32>,
    /// What happens to one more.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::WHEN_FULL)))]
    pub when_full: Option<WhenFull>,
}

/// What happens to a request that should wait where too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Passes at once.
    Allow,
    /// Is refused for now (429).
    Throttle,
}

/// Shared memory.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// Memory of all counters together, `64KiB` to `8GiB`; fixed when the proxy starts.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Size>", extend("default" = defaults::MEMORY)))]
    pub memory: Option<String>,
    /// What happens to a request whose budgets cannot be counted.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ON_FAILURE)))]
    pub on_failure: Option<Handling>,
}

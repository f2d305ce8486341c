//! The `shaping` section as written.
use crate::policy::document::Handling;
#[cfg(feature = "schema")]
use crate::policy::{defaults, schema};
use alloc::{string::String, vec::Vec};
use serde::Deserialize;

/// What exchanges are given less of.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Shaping"))]
pub struct Section {
    /// Rules; those that match an exchange add up.
    #[cfg_attr(feature = "schema", schemars(length(max = 32), extend("default" = [])))]
    pub rules: Option<Vec<RuleSection>>,
    /// What happens to a response that a rule wants stripped and that cannot be read (it is encoded, or no JSON).
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::UNREADABLE)))]
    pub unreadable: Option<Handling>,
}

/// One rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "ShapingRule", extend("anyOf" = [{"required": ["request"]}, {"required": ["response"]}])))]
pub struct RuleSection {
    /// Name of the rule; decisions carry it.
    #[cfg_attr(feature = "schema", schemars(required, with = "Option<schema::Name>"))]
    pub name: Option<String>,
    /// Which exchanges; all when absent.
    pub when: Option<When>,
    /// What is asked for at most.
    pub request: Option<RequestSection>,
    /// What is taken out of the response.
    pub response: Option<ResponseSection>,
}

/// Which exchanges a rule is about: all that is given must hold, anything listed is enough.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct When {
    /// Tiers.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<schema::Name>>", length(min = 1))
    )]
    pub tiers: Option<Vec<String>>,
    /// States; only those whose action in `responses.states` is `shape` or more.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub states: Option<Vec<StateName>>,
    /// Capabilities that the request asks for.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<schema::Name>>", length(min = 1))
    )]
    pub capabilities: Option<Vec<String>>,
}

/// State of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// Nothing speaks against it.
    Observe,
    /// Some evidence.
    Watch,
    /// More evidence.
    StepUp,
    /// It belongs to a campaign.
    Restrict,
    /// The same, and has kept on.
    Block,
}

/// What is asked for at most.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "ShapedRequest"))]
pub struct RequestSection {
    /// Token probabilities.
    pub logprobs: Option<Drop>,
    /// Answers at once.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub samples: Option<u32>,
    /// Output tokens.
    #[cfg_attr(feature = "schema", schemars(range(min = 16)))]
    pub output_tokens: Option<u32>,
    /// Reasoning effort.
    pub reasoning_effort: Option<EffortName>,
    /// Tokens to think with.
    #[cfg_attr(feature = "schema", schemars(range(min = 1024)))]
    pub thinking_tokens: Option<u32>,
    /// Reasoning that is shown.
    pub visible_reasoning: Option<Hide>,
}

/// What is taken out of the response.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "ShapedResponse"))]
pub struct ResponseSection {
    /// Token probabilities.
    pub logprobs: Option<StripWord>,
    /// The text of visible reasoning; signatures and encrypted reasoning stay.
    pub visible_reasoning: Option<StripWord>,
    /// Reasoning of an exchange that offers tools or brings their results.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::TOOL_LOOPS)))]
    pub tool_loops: Option<ToolLoops>,
}

/// Not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// Is not asked for.
    Drop,
}

/// Not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Hide {
    /// Is not shown.
    Hide,
}

/// Taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StripWord {
    /// Is taken out.
    Strip,
}

/// What happens to reasoning that a client has to send back in its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum ToolLoops {
    /// Stays: a provider that checks it would refuse the next request of the loop.
    Keep,
    /// Is taken out all the same.
    Strip,
}

/// Reasoning effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EffortName {
    /// `none`.
    None,
    /// `minimal`.
    Minimal,
    /// `low`.
    Low,
    /// `medium`.
    Medium,
    /// `high`.
    High,
}

//! The `shaping` section: which exchanges are given less, and less of what.
use super::{
    Tier,
    diagnostic::{Code, Diagnostics},
    validate::{clip, required_name},
};
use crate::{
    capability::CapabilitySet,
    detect::State,
    facts::Effort,
    shaping::{RequestLimits, Strip},
};
use alloc::{format, string::String, vec::Vec};
use serde::Deserialize;

/// Most rules of one policy.
const MAX_RULES: usize = 32;

/// The section as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Section {
    /// Rules; those that match an exchange add up.
    pub rules: Option<Vec<RuleSection>>,
}

/// One rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleSection {
    /// Name of the rule; decisions carry it.
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct When {
    /// Tiers.
    pub tiers: Option<Vec<String>>,
    /// States; only those whose action in `responses.states` is `shape` or more.
    pub states: Option<Vec<StateName>>,
    /// Capabilities that the request asks for.
    pub capabilities: Option<Vec<String>>,
}

/// State of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestSection {
    /// Token probabilities.
    pub logprobs: Option<Drop>,
    /// Answers at once.
    pub samples: Option<u32>,
    /// Output tokens.
    pub output_tokens: Option<u32>,
    /// Reasoning effort.
    pub reasoning_effort: Option<EffortName>,
    /// Tokens to think with.
    pub thinking_tokens: Option<u32>,
    /// Reasoning that is shown.
    pub visible_reasoning: Option<Hide>,
}

/// What is taken out of the response.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResponseSection {
    /// Token probabilities.
    pub logprobs: Option<StripWord>,
    /// The text of visible reasoning; signatures and encrypted reasoning stay.
    pub visible_reasoning: Option<StripWord>,
    /// Reasoning of an exchange that offers tools or brings their results.
    pub tool_loops: Option<ToolLoops>,
}

/// Not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// Is not asked for.
    Drop,
}

/// Not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hide {
    /// Is not shown.
    Hide,
}

/// Taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StripWord {
    /// Is taken out.
    Strip,
}

/// What happens to reasoning that a client has to send back in its next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolLoops {
    /// Stays: a provider that checks it would refuse the next request of the loop.
    Keep,
    /// Is taken out all the same.
    Strip,
}

/// Reasoning effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// The rules, compiled.
#[derive(Debug, Default)]
pub(crate) struct Shaping {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    name: String,
    tiers: Option<Vec<usize>>,
    states: Option<Vec<State>>,
    capabilities: Option<CapabilitySet>,
    request: RequestLimits,
    strip: Strip,
    strip_tool_loops: bool,
}

/// What the rules that match one exchange ask for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) request: RequestLimits,
    pub(crate) strip: Strip,
    /// The first rule that matches.
    pub(crate) rule: Option<usize>,
    /// A rule matches because of the account's state.
    pub(crate) by_state: bool,
}

/// One exchange, as rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) tier: usize,
    pub(crate) state: State,
    /// Whether the policy does anything about that state.
    pub(crate) acts_on_state: bool,
    pub(crate) capabilities: CapabilitySet,
    /// Tools are offered, or their results brought.
    pub(crate) in_tool_loop: bool,
}

impl Shaping {
    /// Name of a rule.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.rules
            .get(index)
            .map(|rule| rule.name.as_str())
            .unwrap_or_default()
    }

    /// What the rules that match `subject` ask for together.
    pub(crate) fn select(&self, subject: Subject) -> Selected {
        let mut selected = Selected::default();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.matches(&subject) {
                continue;
            }
            let keeps = subject.in_tool_loop && !rule.strip_tool_loops;
            let strip = Strip {
                reasoning: rule.strip.reasoning && !keeps,
                ..rule.strip
            };
            selected.request = selected.request.and(rule.request);
            selected.strip = selected.strip.and(strip);
            selected.by_state |= rule.states.is_some();
            selected.rule = selected.rule.or(Some(index));
        }
        selected
    }
}

impl Rule {
    fn matches(&self, subject: &Subject) -> bool {
        let tier = self
            .tiers
            .as_ref()
            .is_none_or(|tiers| tiers.contains(&subject.tier));
        let state = self
            .states
            .as_ref()
            .is_none_or(|states| subject.acts_on_state && states.contains(&subject.state));
        let capability = self
            .capabilities
            .is_none_or(|wanted| subject.capabilities.without(wanted) != subject.capabilities);
        tier && state && capability
    }
}

/// Checks the section.
pub(super) fn compile(
    given: Option<Section>,
    tiers: &[Tier],
    capabilities: &[String],
    d: &mut Diagnostics,
) -> Shaping {
    let given = given.unwrap_or_default().rules.unwrap_or_default();
    if given.len() > MAX_RULES {
        let message = format!("{} rules, {MAX_RULES} are supported", given.len());
        d.error(
            Code::TooMany,
            "shaping.rules",
            message,
            "merge or remove some",
        );
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (index, rule) in given.into_iter().enumerate() {
        let path = format!("shaping.rules[{index}]");
        let name = required_name(rule.name, &format!("{path}.name"), d);
        let when = rule.when.unwrap_or_default();
        let mut find = |names: Option<Vec<String>>, what: &str, code, known: &[&str]| {
            names.map(|names| {
                let mut found = Vec::new();
                for (position, name) in names.iter().enumerate() {
                    match known.iter().position(|known| known == name) {
                        Some(index) => found.push(index),
                        None => d.error(
                            code,
                            format!("{path}.when.{what}[{position}]"),
                            format!("`{}` is not defined", clip(name)),
                            format!("define it under `{what}`"),
                        ),
                    }
                }
                found
            })
        };
        let tier_names: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
        let capability_names: Vec<&str> = capabilities.iter().map(String::as_str).collect();
        let tiers = find(when.tiers, "tiers", Code::UnknownTier, &tier_names);
        let wanted = find(
            when.capabilities,
            "capabilities",
            Code::UnknownCapability,
            &capability_names,
        );
        let capabilities = wanted.map(|wanted| {
            let mut set = CapabilitySet::default();
            wanted.into_iter().for_each(|index| set.insert(index));
            set
        });
        let request = rule.request.unwrap_or_default();
        let response = rule.response.unwrap_or_default();
        rules.push(Rule {
            name,
            tiers,
            states: when
                .states
                .map(|states| states.into_iter().map(state).collect()),
            capabilities,
            request: RequestLimits {
                drop_logprobs: request.logprobs.is_some(),
                samples: request.samples,
                output_tokens: request.output_tokens,
                effort: request.reasoning_effort.map(effort),
                thinking_tokens: request.thinking_tokens,
                hide_reasoning: request.visible_reasoning.is_some(),
            },
            strip: Strip {
                logprobs: response.logprobs.is_some(),
                reasoning: response.visible_reasoning.is_some(),
            },
            strip_tool_loops: response.tool_loops == Some(ToolLoops::Strip),
        });
    }
    Shaping { rules }
}

pub(super) const fn state(name: StateName) -> State {
    match name {
        StateName::Observe => State::Observe,
        StateName::Watch => State::Watch,
        StateName::StepUp => State::StepUp,
        StateName::Restrict => State::Restrict,
        StateName::Block => State::Block,
    }
}

const fn effort(name: EffortName) -> Effort {
    match name {
        EffortName::None => Effort::None,
        EffortName::Minimal => Effort::Minimal,
        EffortName::Low => Effort::Low,
        EffortName::Medium => Effort::Medium,
        EffortName::High => Effort::High,
    }
}

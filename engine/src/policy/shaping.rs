//! The `shaping` section: which exchanges are given less, and less of what.
#[cfg(feature = "lints")]
mod coverage;
pub(super) mod section;
#[cfg(test)]
mod tests;

use super::{
    Detection, Tier, defaults,
    diagnostic::{Code, Diagnostics},
    document::Handling,
    validate::{LOOKED_AT, clip, duplicate, required_name, too_many},
};
use crate::{
    capability::CapabilitySet,
    detect::State,
    facts::Effort,
    shaping::{RequestLimits, Strip},
    verdict::Action,
};
use alloc::{format, string::String, vec::Vec};
use section::{EffortName, RequestSection, RuleSection, StateName};
pub(super) use section::{Section, ToolLoops};

/// Most rules of one policy.
const MAX_RULES: usize = 32;
/// The least output that any provider takes as a maximum: that of OpenAI's Responses.
const LEAST_OUTPUT: u32 = 16;
/// The least thinking budget that Anthropic takes.
const LEAST_THINKING: u32 = 1024;

/// The rules, compiled.
#[derive(Debug, Default)]
pub(crate) struct Shaping {
    rules: Vec<Rule>,
    /// A response that cannot be read, and therefore not stripped, is not let through.
    pub(crate) refuses_unreadable: bool,
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
    /// The first rule that matches and changes anything.
    pub(crate) rule: Option<usize>,
    /// It matches because of the account's state.
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

    /// What the rules that match `subject` ask for together. `changes` says whether limits change anything about its request.
    pub(crate) fn select(
        &self,
        subject: Subject,
        changes: impl Fn(&RequestLimits) -> bool,
    ) -> Selected {
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
            if selected.rule.is_none() && (changes(&rule.request) || !strip.is_nothing()) {
                selected.rule = Some(index);
                selected.by_state = rule.states.is_some();
            }
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

/// Checks the section. `detection` is what is done about states, `None` where nothing is.
pub(super) fn compile(
    given: Option<Section>,
    tiers: &[Tier],
    capabilities: &[String],
    detection: Option<&Detection>,
    d: &mut Diagnostics,
) -> Shaping {
    let given = given.unwrap_or_default();
    let refuses_unreadable = given.unreadable.unwrap_or(defaults::UNREADABLE) == Handling::Deny;
    let mut given = given.rules.unwrap_or_default();
    if given.len() > MAX_RULES {
        too_many("shaping.rules", given.len(), MAX_RULES, d);
        given.truncate(LOOKED_AT);
    }
    let tiers: Vec<&str> = tiers.iter().map(|tier| tier.name.as_str()).collect();
    let capabilities: Vec<&str> = capabilities.iter().map(String::as_str).collect();
    let mut rules: Vec<Rule> = Vec::new();
    for (index, given) in given.into_iter().enumerate() {
        let path = format!("shaping.rules[{index}]");
        let rule = rule(given, &path, &tiers, &capabilities, detection, d);
        if !rule.name.is_empty() && rules.iter().any(|other| other.name == rule.name) {
            duplicate(&format!("{path}.name"), &rule.name, d);
        }
        rules.push(rule);
    }
    if let Some(detection) = detection {
        unshaped_states(&rules, detection, d);
    }
    Shaping {
        rules,
        refuses_unreadable,
    }
}

fn rule(
    given: RuleSection,
    path: &str,
    tiers: &[&str],
    capabilities: &[&str],
    detection: Option<&Detection>,
    d: &mut Diagnostics,
) -> Rule {
    let name = required_name(given.name, &format!("{path}.name"), d);
    let when = given.when.unwrap_or_default();
    let within = format!("{path}.when");
    let tiers = found(when.tiers, &within, "tiers", Code::UnknownTier, tiers, d);
    let capabilities = found(
        when.capabilities,
        &within,
        "capabilities",
        Code::UnknownCapability,
        capabilities,
        d,
    );
    let states: Option<Vec<State>> = when
        .states
        .map(|states| states.into_iter().map(state).collect());
    if let Some(states) = &states {
        let path = format!("{within}.states");
        let acts = |state: &State| {
            detection.is_some_and(|detection| detection.action(*state) != Action::Allow)
        };
        if states.is_empty() {
            empty(path, d);
        } else if !states.iter().any(acts) {
            d.warning(
                Code::IdleState,
                path,
                "nothing is done about any of these states, so the rule never holds",
                "add `detection`, and give one of them the action `shape` under `responses.states`",
            );
        }
    }
    let request = limits(given.request.unwrap_or_default(), path, d);
    let response = given.response.unwrap_or_default();
    let strip = Strip {
        logprobs: response.logprobs.is_some(),
        reasoning: response.visible_reasoning.is_some(),
    };
    if request == RequestLimits::default() && strip.is_nothing() {
        d.error(
            Code::IdleRule,
            path,
            "the rule asks for nothing",
            "write what is limited, e.g. `request: {logprobs: drop}` or `response: {logprobs: strip}`",
        );
    }
    Rule {
        name,
        tiers,
        states,
        capabilities: capabilities.map(|wanted| {
            let mut set = CapabilitySet::default();
            wanted.into_iter().for_each(|index| set.insert(index));
            set
        }),
        request,
        strip,
        strip_tool_loops: response.tool_loops.unwrap_or(defaults::TOOL_LOOPS) == ToolLoops::Strip,
    }
}

/// The indices of `names` in `known`.
fn found(
    names: Option<Vec<String>>,
    path: &str,
    what: &str,
    code: Code,
    known: &[&str],
    d: &mut Diagnostics,
) -> Option<Vec<usize>> {
    let names = names?;
    if names.is_empty() {
        empty(format!("{path}.{what}"), d);
    }
    let mut found = Vec::new();
    for (position, name) in names.iter().enumerate() {
        match known.iter().position(|known| known == name) {
            Some(index) => found.push(index),
            None => d.error(
                code,
                format!("{path}.{what}[{position}]"),
                format!("`{}` is not defined", clip(name)),
                format!("define it under `{what}`"),
            ),
        }
    }
    Some(found)
}

fn empty(path: String, d: &mut Diagnostics) {
    d.error(
        Code::OutOfRange,
        path,
        "the list is empty, so the rule never holds",
        "name one at least, or leave the key out, which means all",
    );
}

fn limits(given: RequestSection, path: &str, d: &mut Diagnostics) -> RequestLimits {
    for (key, limit, least) in [
        ("samples", given.samples, 1),
        ("outputTokens", given.output_tokens, LEAST_OUTPUT),
        ("thinkingTokens", given.thinking_tokens, LEAST_THINKING),
    ] {
        if let Some(limit) = limit.filter(|&limit| limit < least) {
            d.error(
                Code::OutOfRange,
                format!("{path}.request.{key}"),
                format!("{limit} is less than a request may ask for"),
                format!("write {least} or more"),
            );
        }
    }
    RequestLimits {
        drop_logprobs: given.logprobs.is_some(),
        samples: given.samples,
        output_tokens: given.output_tokens,
        effort: given.reasoning_effort.map(effort),
        thinking_tokens: given.thinking_tokens,
        hide_reasoning: given.visible_reasoning.is_some(),
    }
}

/// Warns of states that are to be shaped and that no rule names.
fn unshaped_states(rules: &[Rule], detection: &Detection, d: &mut Diagnostics) {
    for (name, state) in [
        ("watch", State::Watch),
        ("step_up", State::StepUp),
        ("restrict", State::Restrict),
        ("block", State::Block),
    ] {
        let names_it = |rule: &Rule| {
            let states = rule.states.as_ref();
            states.is_some_and(|states| states.contains(&state))
        };
        if detection.action(state) == Action::Shape && !rules.iter().any(names_it) {
            d.warning(
                Code::UnshapedState,
                format!("responses.states.{name}"),
                "no shaping rule names the state, so nothing is done about it",
                format!("add a rule under `shaping.rules` with `when: {{states: [{name}]}}`"),
            );
        }
    }
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

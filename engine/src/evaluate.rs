//! From facts and counters to a verdict: lists, then inspection, the account's state, capabilities and
//! budgets; the first refusal decides.
use crate::{
    capability::{CapabilitySet, Excerpt},
    charging::{self, Hold, Quota},
    detect::{Footprint, Printer, Standing, State},
    endpoint::Endpoint,
    facts::{self, RawText, RequestFacts, Role, TextSink},
    hash::HashKey,
    identity::Head,
    ledger::Ledger,
    policy::{Policy, Subject},
    shaping::{RequestLimits, Strip},
    store::CounterStore,
    time::Timestamp,
    verdict::{Action, Basis, Reason, ReasonCode, Rule, StepUp, Verdict},
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// When an account that is throttled for its state may ask again; fixed, so that it tells nothing, and longer than
/// SDKs are let wait by default, so that they do not come back on their own.
const STATE_RETRY: Duration = Duration::from_secs(300);

/// A request body as the host could read it.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// The first bytes, up to the policy's cap; it goes on.
    Prefix(&'a [u8]),
}

/// A verdict and what it found on its way.
#[derive(Debug)]
pub struct Evaluation {
    /// The answer.
    pub verdict: Verdict,
    /// Index of the caller's tier; `None` without a caller.
    pub tier: Option<usize>,
    /// Capabilities asked for.
    pub capabilities: CapabilitySet,
    /// What the request may ask for at most; nothing in shadow mode.
    pub limits: RequestLimits,
    /// What is taken out of the response; nothing in shadow mode.
    pub strip: Strip,
    /// The policy acts for this caller; if not, the exchange goes on untouched whatever was decided.
    pub acts: bool,
    /// Capabilities that the tier does not grant and that the request asks for no longer once it is shaped.
    pub waived: CapabilitySet,
    /// What the budgets of the exchange have left.
    pub quotas: Vec<Quota>,
    /// Model asked for, shortened and cleaned.
    pub model: Option<String>,
    /// What the exchange holds of its budgets.
    pub hold: Option<Hold>,
    /// The shared counters could not be reached.
    pub store_failed: bool,
    /// What the detector thinks of the account; `None` where the policy has none, or the request no caller.
    pub standing: Option<Standing>,
    /// What the body tells the detector, where it could be read.
    pub footprint: Option<Footprint>,
}

/// The part that a policy has in an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Its rollout says whether it acts for the caller.
    #[default]
    Decides,
    /// Its guard has tripped: it decides and records, touches nothing.
    StandsDown,
    /// Another policy answers. It decides as if it enforced, on counters of its own, so that neither disturbs the
    /// other's.
    LooksOn {
        /// The policy that answers refused for a budget. Then the counters that it refused by are looked at as well:
        /// this policy's own are younger, and an account that has used up its budget before would seem to have room.
        used_up: bool,
    },
}

/// One request and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The policy that the exchange began under.
    pub policy: &'a Policy,
    /// Key of identity hashes.
    pub key: &'a HashKey,
    /// The request's head.
    pub head: &'a Head,
    /// When it came.
    pub now: Timestamp,
    /// What the detector thinks of the account, where it was asked.
    pub standing: Option<Standing>,
    /// Requests that wait in this worker because they are delayed.
    pub waiting: usize,
    /// Part of the policy in the exchange.
    pub part: Part,
}

/// Decides on one request, and reserves from its budgets if it passes. One pass over the body; one read
/// and one write of the store for each of account and organization.
pub fn evaluate(
    asked: Asked<'_>,
    body: Body<'_>,
    ledger: &mut Ledger,
    store: &mut impl CounterStore,
) -> Evaluation {
    let mut evaluation = Evaluation {
        verdict: Verdict::allow(),
        tier: None,
        capabilities: CapabilitySet::default(),
        limits: RequestLimits::default(),
        strip: Strip::default(),
        acts: false,
        waived: CapabilitySet::default(),
        quotas: Vec::new(),
        model: None,
        hold: None,
        store_failed: false,
        standing: None,
        footprint: None,
    };
    let detection = asked.policy.detection().and(asked.head.origin);
    evaluation.standing = detection.map(|_| asked.standing.unwrap_or_default());
    let caller = asked.head.caller.as_ref();
    let pinned = caller.and_then(|caller| asked.policy.lists.pinned(caller, asked.now));
    if let (Some(standing), Some(state)) = (&mut evaluation.standing, pinned) {
        standing.state = state;
    }
    evaluation.verdict = decide(asked, body, ledger, store, &mut evaluation);
    if let Some(standing) = &evaluation.standing {
        let rules = core::mem::take(&mut evaluation.verdict.reasons);
        evaluation.verdict.reasons = evidence(standing).chain(rules).collect();
    }
    if pinned.is_some() && evaluation.standing.is_some() {
        let reason = Reason::rule(ReasonCode::Pinned, 1.0);
        evaluation.verdict.reasons.push(reason);
    }
    if let Some(Err(refused)) = asked.head.attestation {
        let reason = Reason::rule(ReasonCode::AttestationRefused(refused), 1.0);
        evaluation.verdict.reasons.push(reason);
    }
    let caller = asked.head.caller.as_ref();
    let rollout = &asked.policy.rollout;
    evaluation.acts = asked.part == Part::Decides && rollout.acts_for(caller, evaluation.tier);
    if !evaluation.acts {
        evaluation.verdict.action = Action::Allow;
        evaluation.verdict.delay = None;
        (evaluation.limits, evaluation.strip) = Default::default();
    }
    evaluation
}

/// The verdict as if the policy enforced; what is found on the way goes into `found`.
fn decide(
    asked: Asked<'_>,
    body: Body<'_>,
    ledger: &mut Ledger,
    store: &mut impl CounterStore,
    found: &mut Evaluation,
) -> Verdict {
    let Asked {
        policy, head, now, ..
    } = asked;
    let Some(caller) = &head.caller else {
        let reasons = reason(ReasonCode::NoAccount);
        return Verdict::refuse(Action::Deny, Basis::None, Rule::Anonymous, reasons);
    };
    found.tier = policy.tier_of(caller, now);
    if let Some(entry) = policy.lists.deny.entry(caller, now) {
        let reasons = reason(ReasonCode::Listed);
        return Verdict::refuse(Action::Deny, Basis::List, Rule::DenyList(entry), reasons);
    }
    let (inspected, shaped) = inspect(asked, body, found);
    if let Some(entry) = policy.lists.exempt.entry(caller, now) {
        return Verdict {
            basis: Basis::List,
            rule: Some(Rule::ExemptList(entry)),
            reasons: reason(ReasonCode::Listed),
            ..Verdict::allow()
        };
    }
    let (facts, uninspected) = match inspected {
        Inspected::Facts(facts) => (Some(facts), None),
        Inspected::Unreadable {
            rule,
            allowed: true,
        } => (None, Some(rule)),
        Inspected::Unreadable {
            rule,
            allowed: false,
        } => {
            let reasons = reason(ReasonCode::NotInspected);
            return Verdict::refuse(Action::Deny, Basis::None, rule, reasons);
        }
    };
    let level = head.level(policy);
    let state = found.standing.as_ref().map(|standing| standing.state);
    let action = action_on_state(policy, state);
    if let (Some(state), Action::Verify | Action::Throttle | Action::Deny) = (state, action) {
        let wanted = policy
            .verification
            .suspected
            .filter(|_| action == Action::Verify);
        if wanted.is_none() || level < wanted {
            let refusal = Verdict::refuse(action, Basis::Detection, Rule::State(state), Vec::new());
            return Verdict {
                retry_after: (action == Action::Throttle).then_some(STATE_RETRY),
                verification: wanted.map(StepUp::now),
                ..refusal
            };
        }
    }
    let delays = action == Action::Delay;
    let is_full = asked.waiting >= policy.responses.max_waiting;
    if let (Some(state), true, true, false) =
        (state, delays, is_full, policy.responses.pass_when_full)
    {
        let rule = Rule::State(state);
        let refusal = Verdict::refuse(Action::Throttle, Basis::Detection, rule, Vec::new());
        return Verdict {
            retry_after: Some(policy.responses.delay),
            ..refusal
        };
    }
    let tier = found.tier.unwrap_or_default();
    let granted = policy
        .tiers
        .get(tier)
        .map(|tier| tier.grants)
        .unwrap_or_default();
    let missing = shaped.capabilities.without(granted);
    if !missing.is_empty() {
        return Verdict::not_granted(tier, missing);
    }
    found.waived = found.capabilities.without(granted);
    let mut verdict = charging::charge(asked, caller, facts.as_ref(), ledger, store, found);
    if !verdict.action.passes() {
        return verdict;
    }
    if let (Some(rule), None) = (uninspected, verdict.rule) {
        verdict.rule = Some(rule);
        verdict.reasons = reason(ReasonCode::NotInspected);
    }
    if let Some(rule) = shaped.rule {
        (found.limits, found.strip) = (shaped.limits, shaped.strip);
        let basis = if shaped.by_state {
            Basis::Detection
        } else {
            Basis::Capability
        };
        verdict = Verdict {
            basis,
            rule: Some(Rule::Shaping(rule)),
            ..verdict.with(Action::Shape)
        };
    }
    if let (Some(state), true, false) = (state, delays, is_full) {
        verdict = Verdict {
            basis: Basis::Detection,
            rule: Some(Rule::State(state)),
            delay: Some(policy.responses.delay),
            ..verdict.with(Action::Delay)
        };
    }
    verdict
}

fn action_on_state(policy: &Policy, state: Option<State>) -> Action {
    match (policy.detection(), state) {
        (Some(detection), Some(state)) => detection.action(state),
        _ => Action::Allow,
    }
}

fn reason(code: ReasonCode) -> Vec<Reason> {
    alloc::vec![Reason::rule(code, 1.0)]
}

/// The evidence of a standing, or that there is none yet.
fn evidence(standing: &Standing) -> impl Iterator<Item = Reason> {
    let learning = (!standing.judges()).then(|| Reason::learning(standing.learned));
    let evidence = standing.evidence.iter().flatten().map(Reason::evidence);
    learning
        .into_iter()
        .chain(evidence.take_while(|_| standing.judges()))
}

/// Two readers of one pass over the text.
struct Both<'a>(&'a mut Excerpt, Printer);

impl TextSink for Both<'_> {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        self.0.text(role, text);
        self.1.text(role, text);
    }

    fn message(&mut self) {
        self.0.message();
        self.1.message();
    }

    fn tool(&mut self, name: RawText<'_>) {
        self.0.tool(name);
        self.1.tool(name);
    }
}

enum Inspected<'a> {
    Facts(RequestFacts<'a>),
    Unreadable { rule: Rule, allowed: bool },
}

/// What is left of a request that shaping rules match.
#[derive(Default)]
struct Shaped {
    /// Capabilities that it still asks for.
    capabilities: CapabilitySet,
    /// What changes, if the exchange passes on its merits and not because it is exempt.
    limits: RequestLimits,
    strip: Strip,
    /// The rule that changes anything.
    rule: Option<usize>,
    by_state: bool,
}

/// Reads the body once; fills in model, capabilities, what is given less of and what the detector is told.
fn inspect<'a>(
    asked: Asked<'_>,
    body: Body<'a>,
    found: &mut Evaluation,
) -> (Inspected<'a>, Shaped) {
    let mut shaped = Shaped::default();
    let inspected = read(asked, body, found, &mut shaped);
    (inspected, shaped)
}

fn read<'a>(
    asked: Asked<'_>,
    body: Body<'a>,
    found: &mut Evaluation,
    shaped: &mut Shaped,
) -> Inspected<'a> {
    let Asked {
        policy, key, head, ..
    } = asked;
    let inspection = &policy.inspection;
    if head.endpoint == Endpoint::Unknown {
        return Inspected::Unreadable {
            rule: Rule::UnknownEndpoint,
            allowed: head.passes_through || inspection.allow_unknown_endpoint,
        };
    }
    if head.compressed {
        return Inspected::Unreadable {
            rule: Rule::Compressed,
            allowed: inspection.allow_compressed,
        };
    }
    let (bytes, cut) = match body {
        Body::Prefix(_) if !inspection.inspect_oversized => {
            return Inspected::Unreadable {
                rule: Rule::Oversized,
                allowed: false,
            };
        }
        Body::Prefix(bytes) => (bytes, true),
        Body::Whole(bytes) => (bytes, false),
    };
    let mut excerpt = policy.capabilities.excerpt();
    let read = match head.origin {
        Some(_) => {
            let mut sinks = Both(&mut excerpt, Printer::new());
            let read = facts::read(head.endpoint, bytes, cut, &mut sinks);
            if let Ok(facts) = &read {
                found.footprint = Some(Footprint::of(key, facts, sinks.1.finish()));
            }
            read
        }
        None => facts::read(head.endpoint, bytes, cut, &mut excerpt),
    };
    match read {
        Ok(mut facts) => {
            found.capabilities = policy.capabilities.of(&facts, &excerpt);
            found.model = facts.model.as_deref().or(head.model.as_deref()).map(label);
            let state = found.standing.as_ref().map(|standing| standing.state);
            let subject = Subject {
                tier: found.tier.unwrap_or_default(),
                state: state.unwrap_or_default(),
                acts_on_state: action_on_state(policy, state) != Action::Allow,
                capabilities: found.capabilities,
                in_tool_loop: facts.tools > 0 || facts.tool_results > 0,
            };
            let selected = policy.shaping.select(subject, |limits| {
                let mut after = facts.clone();
                limits.apply(&mut after);
                after != facts
            });
            if selected.rule.is_some() {
                selected.request.apply(&mut facts);
                (shaped.limits, shaped.strip) = (selected.request, selected.strip);
                (shaped.rule, shaped.by_state) = (selected.rule, selected.by_state);
            }
            shaped.capabilities = policy.capabilities.of(&facts, &excerpt);
            Inspected::Facts(facts)
        }
        Err(_) => Inspected::Unreadable {
            rule: Rule::Malformed,
            allowed: inspection.allow_malformed,
        },
    }
}

/// A model name as it may stand in a log: at most 64 bytes of the characters that model names have.
fn label(model: &str) -> String {
    model
        .chars()
        .take(64)
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.:/@+".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

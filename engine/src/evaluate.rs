//! From facts and counters to a verdict: lists, then inspection, the account's state, capabilities and
//! budgets; the first refusal decides.
use crate::{
    capability::{CapabilitySet, Excerpt},
    detect::{Footprint, Printer, Standing},
    endpoint::Endpoint,
    facts::{self, RawText, RequestFacts, Role, TextSink},
    hash::HashKey,
    identity::{Caller, Head},
    ledger::{Admission, Charge, Ledger, Reservation},
    policy::{Budget, Per, Policy, Unit},
    store::CounterStore,
    time::Timestamp,
    usage::{Tokens, Usage},
    verdict::{Action, Basis, Reason, ReasonCode, Rule, Verdict},
};
use alloc::{string::String, vec::Vec};
use core::time::Duration;

/// When an account that is throttled for its state may ask again; fixed, so that it tells nothing.
const STATE_RETRY: Duration = Duration::from_secs(60);

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

/// What an admitted exchange holds of its budgets until its usage is known.
#[derive(Debug)]
pub struct Hold {
    reservation: Reservation,
    units: Vec<Unit>,
}

/// How the response to an admitted request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// An answer (2xx) that came to its end.
    Complete,
    /// An answer that broke off: the client left, or the upstream did.
    BrokenOff,
    /// An error, or nothing at all: no answer was given.
    Failed,
}

impl Hold {
    /// Replaces what was reserved by what was used.
    ///
    /// Where no usage became known: a failure cost nothing; an answer that is complete was given, and
    /// the reservation stands as the estimate of it; one that broke off is the policy's to decide.
    pub fn settle(
        self,
        policy: &Policy,
        usage: Usage,
        ending: Ending,
        ledger: &mut Ledger,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        let unmetered = match ending {
            Ending::Complete => None,
            Ending::BrokenOff if policy.metering.keep_unknown => None,
            Ending::BrokenOff | Ending::Failed => Some(0),
        };
        let actual: Vec<Option<u32>> = self
            .units
            .iter()
            .map(|unit| match (unit, usage) {
                (Unit::Requests, _) => None,
                (unit, Usage::Known(tokens)) => Some(used(*unit, tokens)),
                (_, Usage::Absent | Usage::Unknown) => unmetered,
            })
            .collect();
        ledger.settle(self.reservation, &actual, now, store);
    }
}

const fn used(unit: Unit, tokens: Tokens) -> u32 {
    match unit {
        Unit::Requests => 1,
        Unit::InputTokens => tokens.input,
        Unit::OutputTokens => tokens.output,
        Unit::Tokens => tokens.input.saturating_add(tokens.output),
    }
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
        model: None,
        hold: None,
        store_failed: false,
        standing: None,
        footprint: None,
    };
    let detection = asked.policy.detection().and(asked.head.origin);
    evaluation.standing = detection.map(|_| asked.standing.unwrap_or_default());
    evaluation.verdict = decide(asked, body, ledger, store, &mut evaluation);
    if let Some(standing) = &evaluation.standing {
        let rules = core::mem::take(&mut evaluation.verdict.reasons);
        evaluation.verdict.reasons = evidence(standing).chain(rules).collect();
    }
    if !asked.policy.enforce {
        evaluation.verdict.action = Action::Allow;
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
    found.tier = policy
        .tiers
        .iter()
        .position(|tier| tier.matcher.matches(caller, now));
    if let Some(entry) = policy.lists.deny.entry(caller, now) {
        let reasons = reason(ReasonCode::Listed);
        return Verdict::refuse(Action::Deny, Basis::List, Rule::DenyList(entry), reasons);
    }
    let inspected = inspect(asked, body, found);
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
    if let (Some(detection), Some(standing)) = (policy.detection(), &found.standing) {
        let action = detection.action(standing.state);
        if action != Action::Allow {
            let rule = Rule::State(standing.state);
            let refusal = Verdict::refuse(action, Basis::Detection, rule, Vec::new());
            return Verdict {
                retry_after: (action == Action::Throttle).then_some(STATE_RETRY),
                ..refusal
            };
        }
    }
    let tier = found.tier.unwrap_or_default();
    let granted = policy
        .tiers
        .get(tier)
        .map(|tier| tier.grants)
        .unwrap_or_default();
    let missing = found.capabilities.without(granted);
    if !missing.is_empty() {
        let reasons = missing
            .iter()
            .map(|index| Reason::rule(ReasonCode::CapabilityNotGranted(index), 1.0))
            .collect();
        return Verdict::refuse(Action::Deny, Basis::Capability, Rule::Tier(tier), reasons);
    }
    let mut verdict = charge(asked, caller, facts.as_ref(), ledger, store, found);
    if let (Some(rule), None) = (uninspected, verdict.rule) {
        verdict.rule = Some(rule);
        verdict.reasons = reason(ReasonCode::NotInspected);
    }
    verdict
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

/// Reads the body once; fills in model, capabilities and what the detector is told.
fn inspect<'a>(asked: Asked<'_>, body: Body<'a>, found: &mut Evaluation) -> Inspected<'a> {
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
        Ok(facts) => {
            found.capabilities = policy.capabilities.of(&facts, &excerpt);
            found.model = facts.model.as_deref().map(label);
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

/// Reserves from every budget that holds for the caller; the verdict that lets pass, or the refusal.
fn charge(
    asked: Asked<'_>,
    caller: &Caller,
    facts: Option<&RequestFacts<'_>>,
    ledger: &mut Ledger,
    store: &mut impl CounterStore,
    found: &mut Evaluation,
) -> Verdict {
    let Asked {
        policy,
        key,
        head,
        now,
        ..
    } = asked;
    let tier = found.tier;
    let account = key.hash64("account", &[caller.account.as_bytes()]);
    let organization = caller.organization.as_ref();
    let organization = organization.map(|id| key.hash64("organization", &[id.as_bytes()]));
    let holds = |budget: &Budget| {
        let tiers = budget.tiers.as_ref();
        // What no response meters would stay an estimate for ever.
        let metered = head.endpoint != Endpoint::Unknown || budget.unit == Unit::Requests;
        metered && tiers.is_none_or(|tiers| tier.is_some_and(|tier| tiers.contains(&tier)))
    };
    let mut charges = Vec::new();
    let mut budgets = Vec::new();
    for (index, budget) in policy.budgets.iter().enumerate() {
        let owner = match budget.per {
            Per::Account => Some(account),
            Per::Organization => organization,
        };
        let Some(owner) = owner.filter(|_| holds(budget)) else {
            continue;
        };
        charges.push(Charge {
            owner,
            budget: budget.id(key),
            window: budget.window,
            limit: budget.limit,
            amount: estimate(budget.unit, facts, policy),
        });
        budgets.push((index, budget.unit));
    }
    if charges.is_empty() {
        return Verdict::allow();
    }
    match ledger.reserve(&charges, now, store) {
        Ok(Admission::Granted(reservation)) => {
            let units = budgets.into_iter().map(|(_, unit)| unit).collect();
            found.hold = Some(Hold { reservation, units });
            Verdict::allow()
        }
        Ok(Admission::Refused {
            charge,
            used,
            retry_after,
        }) => {
            let rule = Rule::Budget(
                budgets
                    .get(charge)
                    .map(|(index, _)| *index)
                    .unwrap_or_default(),
            );
            let used = f64::from(u32::try_from(used).unwrap_or(u32::MAX));
            let reasons = alloc::vec![Reason::rule(ReasonCode::BudgetUsed, used)];
            let refusal = Verdict::refuse(Action::Throttle, Basis::Budget, rule, reasons);
            Verdict {
                retry_after: Some(retry_after),
                ..refusal
            }
        }
        Err(_) => {
            found.store_failed = true;
            let reasons = reason(ReasonCode::StateUnavailable);
            if policy.admit_on_failure {
                Verdict {
                    rule: Some(Rule::StateFailure),
                    reasons,
                    ..Verdict::allow()
                }
            } else {
                Verdict::refuse(Action::Throttle, Basis::None, Rule::StateFailure, reasons)
            }
        }
    }
}

/// What to reserve: tokens are estimated from the text and the maximum asked for, and trued up from the response.
fn estimate(unit: Unit, facts: Option<&RequestFacts<'_>>, policy: &Policy) -> u32 {
    let input = facts.map(facts::estimated_input_tokens).unwrap_or_default();
    let each = facts
        .and_then(|facts| facts.max_output_tokens)
        .unwrap_or(policy.metering.default_output_tokens);
    let output = each.saturating_mul(facts.map_or(1, |facts| facts.samples.max(1)));
    used(unit, Tokens { input, output })
}

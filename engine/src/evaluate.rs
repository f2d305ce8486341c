//! From facts and counters to a verdict: lists, then inspection, the account's state, capabilities and
//! budgets; the first refusal decides.
use crate::{
    capability::{CapabilitySet, Excerpt},
    detect::{Footprint, Printer, Standing, State},
    endpoint::Endpoint,
    facts::{self, RawText, RequestFacts, Role, TextSink},
    hash::HashKey,
    identity::{Caller, Head},
    ledger::{Admission, Charge, Ledger, Reservation},
    policy::{Budget, Per, Policy, Subject, Unit},
    shaping::{RequestLimits, Strip},
    store::CounterStore,
    time::Timestamp,
    usage::{Tokens, Usage},
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

/// What one budget has left for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Index of the budget in the policy.
    pub budget: usize,
    /// What is left in its window, this exchange's reservation taken; in the budget's unit.
    pub remaining: u32,
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
    /// Whether anything of it counts only while the exchange is under way.
    pub fn holds_leases(&self) -> bool {
        self.reservation.holds_leases()
    }

    /// Gives back what counts only while the exchange is under way, at once; a second time does nothing.
    pub fn release_leases(
        &mut self,
        ledger: &mut Ledger,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        ledger.release_leases(&mut self.reservation, now, store);
    }

    /// Gives back everything, for an exchange that does not happen.
    pub fn abort(self, ledger: &mut Ledger, now: Timestamp, store: &mut impl CounterStore) {
        ledger.abort(self.reservation, now, store);
    }

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
                // The ledger gives leases back by itself.
                (Unit::Requests | Unit::Concurrency, _) => None,
                (unit, Usage::Known(tokens)) => Some(used(*unit, tokens)),
                (_, Usage::Absent | Usage::Unknown) => unmetered,
            })
            .collect();
        ledger.settle(self.reservation, &actual, now, store);
    }
}

const fn used(unit: Unit, tokens: Tokens) -> u32 {
    match unit {
        Unit::Requests | Unit::Concurrency => 1,
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
    /// Requests that wait in this worker because they are delayed.
    pub waiting: usize,
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
    if !asked.policy.enforce {
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
    found.tier = policy
        .tiers
        .iter()
        .position(|tier| tier.matcher.matches(caller, now));
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
    let mut verdict = charge(asked, caller, facts.as_ref(), ledger, store, found);
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
            let selected = policy.shaping.select(Subject {
                tier: found.tier.unwrap_or_default(),
                state: state.unwrap_or_default(),
                acts_on_state: action_on_state(policy, state) != Action::Allow,
                capabilities: found.capabilities,
                in_tool_loop: facts.tools > 0 || facts.tool_results > 0,
            });
            let before = facts.clone();
            selected.request.apply(&mut facts);
            if facts != before || !selected.strip.is_nothing() {
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
            lease: budget.unit == Unit::Concurrency,
        });
        budgets.push((index, budget.unit));
    }
    let level = head.level(policy);
    let mut volumes = Vec::new();
    for (index, threshold) in policy.verification.thresholds.iter().enumerate() {
        let tiers = threshold.tiers.as_ref();
        let holds = tiers.is_none_or(|tiers| tier.is_some_and(|tier| tiers.contains(&tier)));
        if holds && level < Some(threshold.level) {
            volumes.push((index, charges.len()));
            charges.push(Charge {
                owner: account,
                budget: threshold.id(key),
                window: threshold.window,
                // A volume only counts: nobody is refused for want of room in it.
                limit: u32::MAX,
                // More than this says no more: the answer's usage trues it up.
                amount: estimate(threshold.unit, facts, policy)
                    .min(threshold.above.saturating_add(1)),
                lease: false,
            });
        }
    }
    if charges.is_empty() {
        return Verdict::allow();
    }
    let mut admission = ledger.reserve(&charges, now, store);
    let mut overflowed = None;
    if let Ok(Admission::Refused { charge, used, .. }) = admission {
        let volume = charge.checked_sub(budgets.len());
        if let Some(&(index, _)) = volume.and_then(|volume| volumes.get(volume)) {
            // Its counter has no room for the estimate: budgets decide without it.
            overflowed = Some((index, u32::try_from(used).unwrap_or(u32::MAX)));
            charges.truncate(budgets.len());
            volumes.clear();
            admission = ledger.reserve(&charges, now, store);
        }
    }
    match admission {
        Ok(Admission::Granted(reservation)) => {
            let left: Vec<u32> = reservation.remaining().collect();
            found.quotas = budgets
                .iter()
                .zip(&left)
                .map(|(&(budget, _), &remaining)| Quota { budget, remaining })
                .collect();
            let units = budgets.iter().map(|(_, unit)| *unit);
            let volume_units = volumes.iter().filter_map(|(index, _)| {
                let threshold = policy.verification.thresholds.get(*index)?;
                Some(threshold.unit)
            });
            let units = units.chain(volume_units).collect();
            let used = volumes.into_iter().filter_map(|(index, charge)| {
                let used = u32::MAX.saturating_sub(*left.get(charge)?);
                let threshold = policy.verification.thresholds.get(index)?;
                // What a request asks for is not used yet, and may never be: a grace begins once.
                let unused = match threshold.unit {
                    Unit::Requests => 0,
                    _ => charges.get(charge)?.amount,
                };
                Some((index, used.saturating_sub(unused)))
            });
            let used = used.chain(overflowed);
            let verdict = step_up(asked, account, used, ledger, store);
            if verdict.action.passes() {
                found.hold = Some(Hold { reservation, units });
            } else {
                ledger.abort(reservation, now, store);
            }
            verdict
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
            found.quotas = budgets
                .get(charge)
                .map(|&(budget, _)| Quota {
                    budget,
                    remaining: 0,
                })
                .into_iter()
                .collect();
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

/// Whether an account that used so much (threshold, volume) may go on as it is verified.
fn step_up(
    asked: Asked<'_>,
    account: u64,
    used: impl Iterator<Item = (usize, u32)>,
    ledger: &mut Ledger,
    store: &mut impl CounterStore,
) -> Verdict {
    let Asked {
        policy, key, now, ..
    } = asked;
    let verification = &policy.verification;
    let mut verdict = Verdict::allow();
    for (index, used) in used {
        let Some(threshold) = verification.thresholds.get(index) else {
            continue;
        };
        if used <= threshold.above {
            continue;
        }
        let (grace, memory) = (verification.grace, threshold.memory(verification.grace));
        let since = if grace.is_zero() {
            Some(Duration::ZERO)
        } else {
            // Shared memory that fails leaves the account its grace.
            ledger
                .mark(account, threshold.grace_id(key), memory, now, store)
                .ok()
        };
        let reason = Reason::rule(ReasonCode::VerificationRequired, f64::from(used));
        if since.is_some_and(|since| since >= grace) {
            let rule = Rule::Verification(index);
            let reasons = alloc::vec![reason];
            return Verdict {
                verification: Some(StepUp::now(threshold.level)),
                ..Verdict::refuse(Action::Verify, Basis::Budget, rule, reasons)
            };
        }
        let left = grace.saturating_sub(since.unwrap_or_default());
        let asked_before = verdict
            .verification
            .is_some_and(|asked: StepUp| asked.level >= threshold.level);
        if !asked_before {
            verdict.verification = Some(StepUp {
                level: threshold.level,
                deadline: Some(now.saturating_add(left)),
            });
            verdict.reasons = alloc::vec![reason];
        }
    }
    verdict
}

/// What to reserve: tokens are estimated from the text and the maximum asked for, and trued up from the response.
fn estimate(unit: Unit, facts: Option<&RequestFacts<'_>>, policy: &Policy) -> u32 {
    let input = facts.map(facts::estimated_input_tokens).unwrap_or_default();
    let each = facts
        .and_then(|facts| facts.max_output_tokens)
        .unwrap_or(policy.metering.default_output_tokens);
    let output = each.saturating_mul(facts.map_or(1, |facts| facts.samples.max(1)));
    used(
        unit,
        Tokens {
            input,
            output,
            ..Tokens::default()
        },
    )
}

//! What an exchange takes of budgets and volumes: reserved when it is admitted, settled when its usage is known.
//!
//! All charges of an exchange are one reservation, so that nothing is charged where anything refuses. Volumes count
//! beside budgets and refuse nobody by themselves: they say when an account has to be better verified.
use crate::{
    endpoint::Endpoint,
    evaluate::{Asked, Evaluation, Part},
    facts::{self, RequestFacts},
    hash::HashKey,
    identity::Caller,
    ledger::{Admission, Charge, Ledger, Reservation},
    policy::{Budget, Per, Policy, Unit},
    store::CounterStore,
    time::Timestamp,
    usage::{Tokens, Usage},
    verdict::{Action, Basis, Reason, ReasonCode, Rule, StepUp, Verdict},
};
use alloc::vec::Vec;
use core::time::Duration;

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

/// Who is charged: a policy that looks on keeps accounts of its own, in other buckets, so that it evicts nothing of
/// the owner's.
fn charged(part: Part, owner: u64, key: &HashKey) -> u64 {
    match part {
        Part::Decides | Part::StandsDown => owner,
        Part::LooksOn { .. } => key.hash64("looks on", &[&owner.to_be_bytes()]),
    }
}

/// Reserves from every budget that holds for the caller; the verdict that lets pass, or the refusal.
pub(crate) fn charge(
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
        part,
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
    let mut owners = Vec::new();
    for (index, budget) in policy.budgets.iter().enumerate() {
        let owner = match budget.per {
            Per::Account => Some(account),
            Per::Organization => organization,
        };
        let Some(owner) = owner.filter(|_| holds(budget)) else {
            continue;
        };
        charges.push(Charge {
            owner: charged(part, owner, key),
            budget: budget.id(key),
            window: budget.window,
            limit: budget.limit,
            amount: estimate(budget.unit, facts, policy),
            lease: budget.unit == Unit::Concurrency,
        });
        budgets.push((index, budget.unit));
        owners.push(owner);
    }
    let level = head.level(policy);
    let mut volumes = Vec::new();
    for (index, threshold) in policy.verification.thresholds.iter().enumerate() {
        let tiers = threshold.tiers.as_ref();
        let holds = tiers.is_none_or(|tiers| tier.is_some_and(|tier| tiers.contains(&tier)));
        if holds && level < Some(threshold.level) {
            volumes.push((index, charges.len()));
            charges.push(Charge {
                owner: charged(part, account, key),
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
    let mut admission = match part {
        Part::LooksOn { used_up: true } => used_up(&charges, &owners, ledger, now, store)
            .map_or_else(|| ledger.reserve(&charges, now, store), Ok),
        _ => ledger.reserve(&charges, now, store),
    };
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
            let reasons = alloc::vec![Reason::rule(ReasonCode::StateUnavailable, 1.0)];
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

/// The refusal of the first of `charges` that has no room in the counters of its real owner; one read for each. A
/// store that fails refuses nothing.
fn used_up(
    charges: &[Charge],
    owners: &[u64],
    ledger: &mut Ledger,
    now: Timestamp,
    store: &mut impl CounterStore,
) -> Option<Admission> {
    charges
        .iter()
        .zip(owners)
        .enumerate()
        .find_map(|(index, (charge, &owner))| {
            let shared = Charge { owner, ..*charge };
            let used = ledger.used(&shared, now, store).ok()?;
            let wanted = u64::from(charge.amount.min(charge.limit));
            (used.saturating_add(wanted) > u64::from(charge.limit)).then_some(Admission::Refused {
                charge: index,
                used,
                retry_after: charge.window,
            })
        })
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
        policy,
        key,
        now,
        part,
        ..
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
                .mark(
                    charged(part, account, key),
                    threshold.grace_id(key),
                    memory,
                    now,
                    store,
                )
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

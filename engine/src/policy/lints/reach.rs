//! Tiers that nobody reaches, and what is only for them.
use super::{ORGANIZATION, is_given};
use crate::policy::{
    Policy,
    diagnostic::{Code, Diagnostics},
    document::Per,
};
use alloc::{format, string::String, vec::Vec};

/// Which tiers somebody can be in; warns of the others, unless they stand behind a tier of everybody, of which
/// validation warns.
pub(super) fn tiers(policy: &Policy, d: &mut Diagnostics) -> Vec<bool> {
    let mut reached = Vec::new();
    for (index, tier) in policy.tiers.iter().enumerate() {
        let mut before = policy.tiers.iter().take(index);
        let implied = before.position(|before| tier.matcher.implies(&before.matcher));
        let path = format!("tiers[{index}].match");
        let lacks = tier.matcher.lacks(policy);
        if let Some(fact) = lacks {
            d.warning(
                Code::UnreachedTier,
                path,
                format!("nobody reaches the tier: no source gives the fact `{fact}`"),
                format!("name a source under `identity.{fact}`"),
            );
        } else if let Some(before) = implied {
            let all = policy.tiers.iter().take(index);
            if !all.into_iter().any(|tier| tier.matcher.matches_everyone()) {
                d.warning(
                    Code::UnreachedTier,
                    path,
                    format!("nobody reaches the tier: tiers[{before}] matches all of them first"),
                    "move it up, or match others",
                );
            }
        }
        reached.push(lacks.is_none() && implied.is_none());
    }
    reached
}

/// Warns of what is only for tiers that nobody reaches, or for organizations that nobody has.
pub(super) fn users(policy: &Policy, reached: &[bool], d: &mut Diagnostics) {
    let mut idle = |tiers: Option<&Vec<usize>>, path: &dyn Fn() -> String| {
        let is_reached = |tier: &usize| reached.get(*tier).copied().unwrap_or(true);
        if tiers.is_some_and(|tiers| !tiers.iter().any(is_reached)) {
            d.warning(
                Code::NeverHolds,
                path(),
                "it is for tiers that nobody reaches",
                "name a tier that somebody reaches, or remove it",
            );
        }
    };
    for (index, budget) in policy.budgets.iter().enumerate() {
        idle(budget.tiers.as_ref(), &|| format!("budgets[{index}].tiers"));
    }
    for (index, threshold) in policy.verification.thresholds.iter().enumerate() {
        idle(threshold.tiers.as_ref(), &|| {
            format!("verification.thresholds[{index}].tiers")
        });
    }
    for (index, tiers) in policy.shaping.tiers().enumerate() {
        idle(tiers, &|| format!("shaping.rules[{index}].when.tiers"));
    }
    idle(policy.rollout.canary_tiers(), &|| {
        String::from("rollout.canary.tiers")
    });
    if is_given(&policy.identity, ORGANIZATION) {
        return;
    }
    for (index, budget) in policy.budgets.iter().enumerate() {
        if budget.per == Per::Organization {
            d.warning(
                Code::NeverHolds,
                format!("budgets[{index}].per"),
                "nobody has an organization: no source gives it",
                "name a source under `identity.organization`, or remove the budget",
            );
        }
    }
}

//! Limits that another limit always reaches first.
use super::{ORGANIZATION, is_given};
use crate::policy::{
    Budget, Policy,
    diagnostic::{Code, Diagnostics},
    document::{Per, Unit},
};
use alloc::format;

impl Budget {
    /// Whether who is within `other` is always within this one: `other` counts at least what this one does, and
    /// allows no more in any window of this one.
    fn is_implied_by(&self, other: &Self) -> bool {
        let counts_it = self.unit == other.unit
            && (self.per == other.per
                || (self.per == Per::Account && other.per == Per::Organization));
        let holds_for_it = match (&self.tiers, &other.tiers) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(others)) => own.iter().all(|tier| others.contains(tier)),
        };
        // So many windows of the other cover one of this; what is answered at once has no window to speak of.
        let windows = match self.unit {
            Unit::Concurrency => 1,
            _ => self
                .window
                .as_nanos()
                .div_ceil(other.window.as_nanos().max(1)),
        };
        let most = u128::from(other.limit).saturating_mul(windows);
        counts_it && holds_for_it && u128::from(self.limit) >= most
    }
}

pub(super) fn loose(policy: &Policy, d: &mut Diagnostics) {
    let has_organizations = is_given(&policy.identity, ORGANIZATION);
    for (index, budget) in policy.budgets.iter().enumerate() {
        let mut others = policy.budgets.iter().enumerate();
        let tighter = others.find(|(at, other)| {
            // Of two that imply each other the later one is told.
            let comes_first = *at < index || !other.is_implied_by(budget);
            *at != index
                && (other.per == Per::Account || has_organizations)
                && comes_first
                && budget.is_implied_by(other)
        });
        let Some((_, tighter)) = tighter else {
            continue;
        };
        let (whose, help) = if budget.per == tighter.per {
            let help = "lower this limit, raise the other one, or remove one of them";
            ("the", help)
        } else {
            let help = "lower this limit, or raise the other one; it still bounds callers without an organization";
            ("for whoever has an organization, its", help)
        };
        d.warning(
            Code::LooseLimit,
            format!("budgets[{index}].limit"),
            format!(
                "{whose} budget `{}` ({}) always ends first",
                tighter.name, tighter.limit
            ),
            help,
        );
    }
}

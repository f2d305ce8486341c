//! What was set for a while and forgotten: exemptions, shadows, canaries.
use crate::policy::{
    List, Lists, Policy,
    diagnostic::{Code, Diagnostics},
    rollout::Reach,
};
use crate::time::Timestamp;
use alloc::format;
use core::time::Duration;

/// The longest that anybody can be expected to remember an exemption: a leap year.
const LONGEST_EXEMPTION: Duration = Duration::from_secs(366 * 86_400);
/// A trial that takes longer was forgotten.
const LONGEST_TRIAL: Duration = Duration::from_secs(30 * 86_400);
/// Exchanges in a window that hardly any tier has.
const MANY_EXCHANGES: u32 = 1_000_000;

/// Warns of entries that let somebody through for more than a year.
pub(super) fn exemptions(lists: &Lists, now: Timestamp, d: &mut Diagnostics) {
    let mut warn = |list: &List, path: &str| {
        for entry in list.accounts.values().chain(list.organizations.values()) {
            if entry.expires.saturating_since(now) > LONGEST_EXEMPTION {
                d.warning(
                    Code::LongExemption,
                    format!("{path}[{}].expires", entry.index),
                    "it is more than a year away: nobody will look at the entry again",
                    "write a day within a year, and extend it when it comes",
                );
            }
        }
    };
    warn(&lists.exempt, "lists.exempt");
    warn(&lists.states, "lists.states");
}

/// Warns of trials that are over, of canaries of everybody and of guards that can hardly trip.
pub(super) fn rollout(policy: &Policy, now: Option<Timestamp>, d: &mut Diagnostics) {
    let rollout = &policy.rollout;
    let since = rollout
        .since
        .filter(|_| rollout.reach != Reach::Everybody)
        .zip(now)
        .map(|(since, now)| now.saturating_since(since));
    if let Some(since) = since.filter(|since| *since > LONGEST_TRIAL) {
        let days = since.as_secs().checked_div(86_400).unwrap_or_default();
        d.warning(
            Code::ForgottenRollout,
            "rollout.since",
            format!("it has been a {} for {days} days", rollout.mode()),
            "go on to the next mode, or set `since` to the day of the last change",
        );
    }
    if rollout.is_canary_of_all() {
        d.warning(
            Code::WholeCanary,
            "rollout.canary",
            "everybody is in the canary",
            "write `mode: enforce`, or a smaller `percent`",
        );
    }
    let Some(guard) = &rollout.guard else {
        return;
    };
    if guard.min_exchanges > MANY_EXCHANGES {
        d.warning(
            Code::IdleGuard,
            "rollout.guard.minExchanges",
            format!(
                "hardly any tier has {} exchanges in the guard's window",
                guard.min_exchanges
            ),
            "write fewer: 100 are enough to tell a share",
        );
    }
    let mut shares = guard.refused.iter().copied().chain([guard.failed]);
    if shares.all(|share| share.is_none_or(|share| share >= 1.0)) {
        d.warning(
            Code::IdleGuard,
            "rollout.guard",
            "no share is ever larger than 1, so it never trips",
            "write shares below 1, e.g. `refusedShare: 0.05`",
        );
    }
}

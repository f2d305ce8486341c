//! What a policy says that it can hardly mean: rules that never hold, limits that never bind, exemptions and trials
//! that were forgotten. All are warnings, looked for in a policy that is valid otherwise.
mod budgets;
mod reach;
mod standing;
#[cfg(test)]
mod tests;

use super::{
    Identity, Policy,
    diagnostic::{Code, Diagnostics},
};
use crate::time::Timestamp;
use alloc::format;

/// Places of facts in [`Identity::sources`] whose lack makes something void.
pub(super) const ORGANIZATION: usize = 1;
pub(super) const CREATED: usize = 2;
pub(super) const VERIFICATION: usize = 3;
pub(super) const PLAN: usize = 4;

/// Scores between which `restrict` says what it seems to, by what odds mean; no sweep of it was measured. Below, more
/// than one account in twenty is restricted wrongly (e^3 = 20); above, only accounts in several convicted groups at
/// once get there.
const CALIBRATED: core::ops::RangeInclusive<f32> = 3.0..=15.0;

/// Looks at a whole policy; `now` dates what was forgotten.
pub(super) fn check(policy: &Policy, now: Option<Timestamp>, d: &mut Diagnostics) {
    let reached = reach::tiers(policy, d);
    reach::users(policy, &reached, d);
    policy.shaping.warn_of_covered_rules(d);
    budgets::loose(policy, d);
    thresholds(policy, d);
    verification(policy, d);
    standing::rollout(policy, now, d);
    if let Some(now) = now {
        standing::exemptions(&policy.lists, now, d);
    }
}

/// Whether some source gives the fact.
pub(super) fn is_given(identity: &Identity, fact: usize) -> bool {
    identity
        .sources
        .get(fact)
        .is_some_and(|sources| !sources.is_empty())
}

fn thresholds(policy: &Policy, d: &mut Diagnostics) {
    let Some(detection) = &policy.detection else {
        return;
    };
    if !CALIBRATED.contains(&detection.restrict) {
        let (least, most) = (CALIBRATED.start(), CALIBRATED.end());
        d.warning(
            Code::UncalibratedThreshold,
            "detection.thresholds.restrict",
            format!(
                "{} is outside of the calibrated range, {least} to {most}",
                detection.restrict
            ),
            "the shipped one is 8; `weir calibrate` says what another one does",
        );
    }
}

fn verification(policy: &Policy, d: &mut Diagnostics) {
    let section = &policy.verification;
    let is_asked = !section.thresholds.is_empty() || section.suspected.is_some();
    if is_asked && section.header.is_none() && !is_given(&policy.identity, VERIFICATION) {
        d.warning(
            Code::UnshownVerification,
            "verification",
            "no account can show that it is verified",
            "name a source under `identity.verification`, or add `verification.attestation`",
        );
    }
}

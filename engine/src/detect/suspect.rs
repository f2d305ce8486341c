//! A group under suspicion: evidence adds up over days, and conviction takes more than one bad day.
//!
//! Page's CUSUM (Biometrika 1954): what a group's features say per day, less a drift, is summed and
//! never falls below zero. Evidence of one moment, however strong, is capped per day, so that a burst
//! that is over by tomorrow convicts nobody.
use super::{
    groups::{FEATURES, Features, Group},
    measures::{MEASURES, Values},
    profile::Profile,
    signal::Signal,
    standing::Evidence,
};

/// Most that one day may add.
const DAY_CAP: f32 = 16.0;
/// Most that the sum remembers, as a multiple of the boundary: clearing a group takes days, not months.
const MEMORY: f32 = 2.0;
/// Half-life of the sum while the group is not seen, hours.
const HALF_LIFE: f32 = 7.0 * 24.0;
/// How often members of a campaign are flagged by their own evidence.
const FLAGGED_IN_CAMPAIGN: f64 = 0.8;
/// Variance below which members count as equal, in variances of their strata.
const LEAST_VARIANCE: f32 = 0.15;
/// Most that one measure says of likeness, nats.
const MOST_LIKENESS: f32 = 2.0;
/// Measures depend on one another, so their sum counts for less.
const LIKENESS: f32 = 0.4;
/// Most that likeness counts for; unlikeness may count for twice as much.
const LIKENESS_CAP: f32 = 3.0;
/// Pieces of evidence kept to explain a conviction.
pub(super) const EXPLAINED: usize = 4;

/// What has been found against one group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Suspect {
    /// Sum of evidence.
    pub(super) sum: f32,
    /// Evidence a day at the latest pass, in nats.
    pub(super) daily: f32,
    /// Hour of that pass.
    seen: u32,
    /// Whether the sum has passed the boundary and not come back below half of it.
    pub(super) convicted: bool,
    /// Log odds that a member belongs to the campaign, by how many are flagged.
    pub(super) base: f32,
    /// The features that say most against it.
    pub(super) evidence: [Option<Evidence>; EXPLAINED],
    /// Mean and variance of its members, by measure, in their strata's standard deviations.
    members: [(f32, f32); MEASURES],
    /// Accounts acted on because of it on `day`.
    pub(super) acted: u32,
    pub(super) day: u32,
}

/// Evidence of a group for one day, in nats.
pub(super) fn evidence(profile: &Profile, features: &Features) -> f32 {
    let weighed = profile
        .group
        .iter()
        .zip(features)
        .map(|(weight, value)| weight * value);
    (profile.group_bias + weighed.sum::<f32>()).clamp(-DAY_CAP, DAY_CAP)
}

impl Suspect {
    /// Takes one pass in, at `hour`.
    pub(super) fn update(
        &mut self,
        profile: &Profile,
        group: &Group,
        features: &Features,
        flagged: f64,
        hour: u32,
    ) {
        let daily = evidence(profile, features);
        let elapsed = if self.seen == 0 {
            1
        } else {
            hour.saturating_sub(self.seen).clamp(1, 24)
        };
        self.seen = hour;
        self.daily = daily;
        #[expect(clippy::as_conversions, reason = "at most 24")]
        let days = elapsed as f32 / 24.0;
        self.sum = (self.sum + (daily - profile.drift) * days)
            .max(0.0)
            .min(MEMORY * profile.boundary);
        self.judge(profile);
        let share = (group.flagged / group.weight.max(1e-9) - flagged)
            / (FLAGGED_IN_CAMPAIGN - flagged).max(0.05);
        let share = share.clamp(0.01, 0.99);
        #[expect(clippy::as_conversions, reason = "a logarithm of a bounded ratio")]
        let base = libm::log(share / (1.0 - share)) as f32;
        self.base = base;
        self.members = group.members();
        self.explain(profile, features);
    }

    /// Whether an account is one of them, in nats: how much likelier its measures are for a member than
    /// for anybody of its stratum, both taken as normal. Members of a campaign are clones of one another;
    /// who merely shares their template or their shape is not.
    pub(super) fn likeness(&self, values: &Values) -> f32 {
        let each = values
            .iter()
            .zip(&self.members)
            .filter(|(value, _)| !value.is_nan());
        let terms = each.map(|(value, (mean, variance))| {
            let variance = variance.max(LEAST_VARIANCE);
            let off = value - mean;
            let ratio = 0.5 * (value * value - off * off / variance) - 0.5 * libm::logf(variance);
            ratio.clamp(-MOST_LIKENESS, MOST_LIKENESS)
        });
        (LIKENESS * terms.sum::<f32>()).clamp(-2.0 * LIKENESS_CAP, LIKENESS_CAP)
    }

    /// A pass in which the group had too few members.
    pub(super) fn absent(&mut self, profile: &Profile, hour: u32) {
        let elapsed = hour.saturating_sub(self.seen).min(24 * 60);
        #[expect(clippy::as_conversions, reason = "at most 1440")]
        let factor = libm::powf(0.5, elapsed as f32 / HALF_LIFE);
        self.seen = hour;
        self.sum *= factor;
        self.judge(profile);
    }

    /// Hour of the latest pass that it took part in.
    pub(super) const fn seen(&self) -> u32 {
        self.seen
    }

    fn judge(&mut self, profile: &Profile) {
        let bar = if self.convicted { 0.5 } else { 1.0 };
        self.convicted = self.sum >= profile.boundary * bar;
    }

    fn explain(&mut self, profile: &Profile, features: &Features) {
        self.evidence = [None; EXPLAINED];
        let mut left = [true; FEATURES];
        for slot in &mut self.evidence {
            let weighed = profile.group.iter().zip(features).zip(&left).enumerate();
            let strongest = weighed
                .filter(|(_, (_, left))| **left)
                .map(|(index, ((weight, value), _))| (index, *value, weight * value))
                .max_by(|one, other| one.2.total_cmp(&other.2));
            let Some((index, value, weight)) = strongest.filter(|(_, _, weight)| *weight > 0.0)
            else {
                return;
            };
            if let Some(left) = left.get_mut(index) {
                *left = false;
            }
            *slot = Some(Evidence {
                signal: Signal::group(index),
                value,
                weight,
            });
        }
    }
}

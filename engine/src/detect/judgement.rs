//! From evidence to a standing: the score is a sum of listed reasons, and nobody is acted on without two
//! keys that do not depend on one another.
use super::{
    groups::{FAMILIES, Family, Kind, Membership},
    measures::Values,
    profile::Profile,
    signal::Signal,
    standing::{Evidence, Standing, State},
    suspect::Suspect,
};

/// Own evidence counts for this much at most, either way.
const OWN_CAP: f32 = 6.0;
/// A group counts for this much at most.
const GROUP_CAP: f32 = 11.5;
/// Likeness to the members of its group that serves as the second key, together with own evidence.
const SECOND_LIKENESS: f32 = 2.0;
/// Share of an account's requests from which a membership counts in full: a campaign has several
/// templates, and serves other customers besides.
const FULL_SHARE: f32 = 0.2;
/// Requests that make a membership certain.
const CERTAIN: f32 = 10.0;
/// Families after the strongest count for less: they have causes in common.
const FAMILY_SHARES: [f32; FAMILIES] = [1.0, 0.5, 0.25];
/// Own evidence that serves as the second key, together with likeness.
const SECOND_KEY: f32 = 1.5;
/// Contribution of a convicted group that serves as a key.
const CONVICTING: f32 = 2.5;
/// A state is left when the score, in nats, stays this far below its threshold ...
pub const HYSTERESIS: f32 = 3.0;
/// ... for so many hours: [`HYSTERESIS`].
pub const CLEAN_HOURS: u32 = 7 * 24;
/// Hours of restriction after which an account is blocked.
pub const BLOCK_HOURS: u32 = 7 * 24;
/// Scores are kept, and told in decisions, from this far below `watch` on, in nats; anybody below has the prior's.
pub const KEPT_BELOW_WATCH: f32 = 4.0;
/// Pieces of own evidence that are listed.
const LISTED: usize = 4;

/// Scores from which states are entered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    pub(super) watch: f32,
    pub(super) step_up: f32,
    pub(super) restrict: f32,
}

impl Thresholds {
    fn of(self, state: State) -> f32 {
        match state {
            State::Observe => f32::NEG_INFINITY,
            State::Watch => self.watch,
            State::StepUp => self.step_up,
            State::Restrict | State::Block => self.restrict,
        }
    }

    fn state(self, score: f32) -> State {
        [State::Restrict, State::StepUp, State::Watch]
            .into_iter()
            .find(|state| score >= self.of(*state))
            .unwrap_or_default()
    }
}

/// An account's standing and what its changes depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Judgement {
    pub(super) standing: Standing,
    /// Hour since which it has been in its state.
    since: u32,
    /// Hour since which the score has been low enough to leave the state; 0 when it is not.
    clean: u32,
}

/// An account's own evidence in nats.
pub(super) fn own(profile: &Profile, values: &Values) -> f32 {
    let weighed = profile
        .own
        .iter()
        .zip(values)
        .filter(|(_, value)| !value.is_nan());
    let sum: f32 = weighed.map(|(weight, value)| weight * value).sum();
    (profile.own_bias + sum).clamp(-OWN_CAP, OWN_CAP)
}

/// What belonging to a convicted group says of an account: the group's base rate instead of the prior,
/// as far as the account belongs to it.
pub(super) fn contribution(profile: &Profile, membership: &Membership, suspect: &Suspect) -> f32 {
    let belongs = (membership.count / CERTAIN).min(1.0)
        * libm::sqrtf((membership.share / FULL_SHARE).min(1.0));
    (suspect.base - profile.prior).clamp(0.0, GROUP_CAP) * belongs
}

impl Judgement {
    /// Nothing but the prior.
    pub(super) fn blank(profile: &Profile) -> Self {
        let mut blank = Self::default();
        blank.standing.add(Evidence {
            signal: Signal::PRIOR,
            value: 1.0,
            weight: profile.prior,
        });
        blank
    }

    /// Judges anew. `best` holds the strongest convicted group of each family; `room` says that those
    /// groups may still bring accounts down today.
    pub(super) fn update(
        &mut self,
        profile: &Profile,
        thresholds: Thresholds,
        values: Option<&Values>,
        best: &[Option<(Membership, Suspect)>; FAMILIES],
        room: bool,
        hour: u32,
    ) {
        let state = self.standing.state;
        self.standing = Self::blank(profile).standing;
        let own = values.map_or(0.0, |values| own(profile, values));
        let mut families = best.map(|found| {
            found.map(|(membership, suspect)| {
                (
                    contribution(profile, &membership, &suspect),
                    membership,
                    suspect,
                )
            })
        });
        families.sort_by(|one, other| {
            let gain =
                |found: &Option<(f32, Membership, Suspect)>| found.map_or(-1.0, |(gain, ..)| gain);
            gain(other).total_cmp(&gain(one))
        });
        for (found, share) in families.iter().zip(FAMILY_SHARES) {
            if let Some((gain, membership, suspect)) = found {
                explain_group(&mut self.standing, suspect, gain * share);
                if self.standing.campaign == 0 {
                    self.standing.campaign = membership.key;
                }
            }
        }
        let first = families
            .first()
            .copied()
            .flatten()
            .map_or(0.0, |(gain, ..)| gain);
        let alike = match (families.first().copied().flatten(), values) {
            (Some((_, _, suspect)), Some(values)) => suspect.likeness(values),
            _ => 0.0,
        };
        if first > 0.0 {
            self.standing.add(Evidence {
                signal: Signal::LIKENESS,
                value: alike,
                weight: alike,
            });
        }
        if let Some(values) = values {
            explain_own(&mut self.standing, profile, values, own);
        }
        // Sharing an origin alone is what families, classes and offices do.
        let shares_work = families.iter().flatten().any(|(gain, membership, _)| {
            membership.kind.family() != Family::Origin && *gain > CONVICTING
        });
        let itself = own >= SECOND_KEY && alike >= SECOND_LIKENESS;
        // One tool has one text, one shape and one week of success: those are one key. Who pays and from
        // where is another.
        let pays_alike = families.iter().flatten().any(|(gain, membership, _)| {
            matches!(membership.kind, Kind::Payment | Kind::Network) && *gain > CONVICTING
        });
        let two_keys = shares_work && (itself || pays_alike && own > 0.0);
        let most = if two_keys && room {
            State::Restrict
        } else if first > 0.0 {
            State::StepUp
        } else {
            State::Watch
        };
        // Falling silent is no evidence.
        let most = if values.is_some() { most } else { state };
        self.enter(
            state,
            thresholds.state(self.standing.score).min(most),
            thresholds,
            hour,
        );
        if self.standing.state == State::Observe {
            self.standing.campaign = 0;
        }
    }

    /// Goes up at once, and down after clean days only.
    fn enter(&mut self, before: State, found: State, thresholds: Thresholds, hour: u32) {
        let mut state = before;
        if found > before {
            (state, self.since, self.clean) = (found, hour, 0);
        } else if before > State::Observe
            && self.standing.score < thresholds.of(before) - HYSTERESIS
        {
            if self.clean == 0 {
                self.clean = hour;
            }
            if hour.saturating_sub(self.clean) >= CLEAN_HOURS {
                (state, self.since, self.clean) = (found, hour, 0);
            }
        } else {
            self.clean = 0;
            let long = hour.saturating_sub(self.since) >= BLOCK_HOURS;
            if before == State::Restrict && found == State::Restrict && long {
                (state, self.since) = (State::Block, hour);
            }
        }
        self.standing.state = state;
    }
}

/// Splits what a group contributes among the features that convicted it.
fn explain_group(standing: &mut Standing, suspect: &Suspect, weight: f32) {
    let total: f32 = suspect
        .evidence
        .iter()
        .flatten()
        .map(|evidence| evidence.weight)
        .sum();
    if total <= 0.0 {
        standing.add(Evidence {
            signal: Signal::GROUP_OTHER,
            value: suspect.base,
            weight,
        });
        return;
    }
    for evidence in suspect.evidence.iter().flatten().take(2) {
        standing.add(Evidence {
            weight: weight * evidence.weight / total,
            ..*evidence
        });
    }
    let rest: f32 = suspect
        .evidence
        .iter()
        .flatten()
        .skip(2)
        .map(|evidence| evidence.weight)
        .sum();
    if rest > 0.0 {
        standing.add(Evidence {
            signal: Signal::GROUP_OTHER,
            value: suspect.base,
            weight: weight * rest / total,
        });
    }
}

/// Lists the strongest of an account's own evidence, and the rest as one.
fn explain_own(standing: &mut Standing, profile: &Profile, values: &Values, own: f32) {
    let mut weighed: [(usize, f32, f32); super::measures::MEASURES] =
        core::array::from_fn(|index| {
            let value = values
                .get(index)
                .copied()
                .filter(|value| !value.is_nan())
                .unwrap_or(0.0);
            (
                index,
                value,
                profile.own.get(index).map_or(0.0, |weight| weight * value),
            )
        });
    weighed.sort_by(|one, other| other.2.abs().total_cmp(&one.2.abs()));
    let mut rest = own;
    let listed = LISTED.min(
        super::standing::MAX_EVIDENCE
            .saturating_sub(1)
            .saturating_sub(standing.reasons().count()),
    );
    for (index, value, weight) in weighed.into_iter().take(listed) {
        if weight != 0.0 {
            rest -= weight;
            standing.add(Evidence {
                signal: Signal::own(index),
                value,
                weight,
            });
        }
    }
    standing.add(Evidence {
        signal: Signal::OWN_OTHER,
        value: own,
        weight: rest,
    });
}

//! Whether the reasons given are true: the strongest evidence against what the generator did.
use serde::Serialize;
use weir_engine::detect::{Signal, Standing};

/// What a generator gave a campaign; a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties(pub u32);

impl Properties {
    /// Its prompts are filled into a fixed frame, or say the same.
    pub const TEXT: Self = Self(1);
    /// Its clients send requests of one shape.
    pub const SHAPE: Self = Self(1 << 1);
    /// Its accounts are used as soon as they were opened, or soon after.
    pub const YOUNG: Self = Self(1 << 2);
    /// Its accounts share payment instruments.
    pub const PAYMENT: Self = Self(1 << 3);
    /// Its accounts come from the same networks.
    pub const NETWORK: Self = Self(1 << 4);
    /// Its accounts get equal shares of the work.
    pub const EVEN: Self = Self(1 << 5);
    /// No piece of work is given to two accounts.
    pub const PARTITION: Self = Self(1 << 6);
    /// Its requests come by a script: at all hours, at even distances, together.
    pub const SCHEDULE: Self = Self(1 << 7);
    /// It asks for what is worth copying: reasoning, rubrics, code, plans.
    pub const CAPABILITY: Self = Self(1 << 8);
    /// Its accounts do nothing else.
    pub const SINGLE_PURPOSE: Self = Self(1 << 9);
    /// Its accounts were opened together.
    pub const COHORT: Self = Self(1 << 10);
    /// Its accounts change networks as no person does.
    pub const MOVING: Self = Self(1 << 11);

    /// Whether any of `others` is in the set.
    pub const fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
    /// Both sets together.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// What signals claim, by their stable names. A name that is not here claims nothing: what is believed
/// of anybody, what is not listed by itself, membership as such, members that other evidence flagged.
const CLAIMS: [(Properties, &[&str]); 12] = [
    (
        Properties::TEXT,
        &[
            "SHARED_TEXT",
            "TEMPLATE",
            "GROUP_SHARED_TEXT",
            "GROUP_TEMPLATE",
            "SAME_SHARED_TEXT",
            "SAME_TEMPLATE_SHARE",
        ],
    ),
    (
        Properties::SHAPE,
        &["ONE_SHAPE", "GROUP_ONE_SHAPE", "SAME_SHAPE_SHARE"],
    ),
    (Properties::YOUNG, &["ACCOUNT_AGE", "GROUP_AGE"]),
    (Properties::COHORT, &["SIGNUP_BURST", "SAME_AGE"]),
    (
        Properties::PAYMENT,
        &[
            "SHARED_PAYMENT",
            "GROUP_SHARED_PAYMENT",
            "SAME_PAYMENT_SHARING",
        ],
    ),
    (
        Properties::NETWORK,
        &[
            "SHARED_NETWORK",
            "GROUP_SHARED_NETWORK",
            "SAME_NETWORK_SHARING",
        ],
    ),
    (
        Properties::MOVING,
        &["NETWORK_CHURN", "GROUP_NETWORK_CHURN", "SAME_NETWORK_CHURN"],
    ),
    (Properties::EVEN, &["VOLUME", "GROUP_VOLUME", "EVENNESS"]),
    (
        Properties::SCHEDULE,
        &[
            "RHYTHM",
            "SLEEPLESS",
            "GAPS",
            "GROUP_RHYTHM",
            "GROUP_SLEEPLESS",
            "GROUP_GAPS",
            "SAME_RHYTHM",
            "SAME_HOURS",
            "SAME_GAPS",
        ],
    ),
    (
        Properties::SINGLE_PURPOSE,
        &[
            "SINGLE_TURN",
            "GROUP_SINGLE_TURN",
            "SAME_TURNS",
            "NO_SIDE_LIFE",
        ],
    ),
    (
        Properties::CAPABILITY,
        &[
            "TARGET_MIX",
            "ELICITATION",
            "GROUP_TARGET_MIX",
            "GROUP_ELICITATION",
            "SAME_TARGETS",
            "SAME_ELICITATION",
            "ANSWER_LENGTH",
            "GROUP_ANSWER_LENGTH",
            "SAME_ANSWER_LENGTH",
        ],
    ),
    // No work twice: no signal says this of its own yet.
    (Properties::PARTITION, &[]),
];

/// The property that a signal claims; empty for signals that claim none.
pub fn property_of(signal: Signal) -> Properties {
    let name = signal.name();
    CLAIMS
        .iter()
        .filter(|(_, names)| names.contains(&name))
        .fold(Properties::default(), |all, (property, _)| {
            all.with(*property)
        })
}

/// Restricted accounts of a campaign, by whether the strongest reason given is true of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reasons {
    /// Restricted accounts with any evidence for a campaign that claims a property of it.
    pub given: u64,
    /// Of these, with strongest evidence that names something the generator did.
    pub right: u64,
}

impl Reasons {
    /// Counts the standing that an account was restricted with.
    pub fn add(&mut self, standing: &Standing, truth: Properties) {
        let top = standing
            .evidence
            .iter()
            .flatten()
            .filter(|evidence| evidence.weight > 0.0)
            .filter(|evidence| property_of(evidence.signal) != Properties::default())
            .max_by(|left, right| left.weight.total_cmp(&right.weight));
        if let Some(evidence) = top {
            self.given += 1;
            self.right += u64::from(property_of(evidence.signal).any(truth));
        }
    }
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            given: self.given + other.given,
            right: self.right + other.right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_engine::detect::Evidence;

    fn restricted_for(evidence: &[(&str, f32)]) -> Standing {
        let mut standing = Standing::default();
        for (slot, (name, weight)) in standing.evidence.iter_mut().zip(evidence) {
            *slot = Some(Evidence {
                signal: Signal::named(name).unwrap(),
                value: 1.0,
                weight: *weight,
            });
        }
        standing
    }

    #[test]
    fn the_strongest_reason_that_claims_something_is_held_against_the_truth() {
        let truth = Properties::TEXT.with(Properties::EVEN);
        let mut reasons = Reasons::default();

        reasons.add(
            &restricted_for(&[("EVENNESS", 4.0), ("SHARED_PAYMENT", 1.0)]),
            truth,
        );
        reasons.add(
            &restricted_for(&[("EVENNESS", 1.0), ("SHARED_PAYMENT", 4.0)]),
            truth,
        );
        assert_eq!(reasons, Reasons { given: 2, right: 1 });

        reasons.add(
            &restricted_for(&[("GROUP_OTHER", 9.0), ("TEMPLATE", 2.0)]),
            truth,
        );
        reasons.add(
            &restricted_for(&[("PRIOR", 9.0), ("TEMPLATE", -2.0)]),
            truth,
        );
        assert_eq!(reasons, Reasons { given: 3, right: 2 });
    }

    #[test]
    fn every_claim_names_a_signal_and_every_measured_signal_claims_something() {
        for name in CLAIMS.iter().flat_map(|(_, names)| names.iter()) {
            assert!(Signal::named(name).is_some(), "{name}");
        }
        let silent = [
            "PRIOR",
            "OWN_OTHER",
            "GROUP_OTHER",
            "ONE_OF_THEM",
            "FLAGGED_MEMBERS",
            "TRUSTED_MEMBERS",
        ];
        for signal in (0..=u8::MAX).filter_map(Signal::from_code) {
            let claims = property_of(signal) != Properties::default();
            assert_ne!(claims, silent.contains(&signal.name()), "{}", signal.name());
        }
    }
}

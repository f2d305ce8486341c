//! Names of the evidence, as decisions, profiles and reports show them.
use super::{groups::FEATURES, measures::MEASURES};

/// What a piece of evidence measured. Own evidence compares an account with its stratum; group evidence
/// compares the members of a group with theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

/// In order: prior, rest of own evidence, rest of a group's, likeness; own evidence by measure; a group's by feature.
const NAMES: [&str; FIRST_GROUP + FEATURES] = [
    "PRIOR",
    "OWN_OTHER",
    "GROUP_OTHER",
    "ONE_OF_THEM",
    "ACCOUNT_AGE",
    "VOLUME",
    "RHYTHM",
    "SLEEPLESS",
    "SINGLE_TURN",
    "TARGET_MIX",
    "ELICITATION",
    "SHARED_TEXT",
    "GAPS",
    "NETWORK_CHURN",
    "SHARED_PAYMENT",
    "SHARED_NETWORK",
    "ANSWER_LENGTH",
    "TEMPLATE",
    "ONE_SHAPE",
    "GROUP_AGE",
    "GROUP_VOLUME",
    "GROUP_RHYTHM",
    "GROUP_SLEEPLESS",
    "GROUP_SINGLE_TURN",
    "GROUP_TARGET_MIX",
    "GROUP_ELICITATION",
    "GROUP_SHARED_TEXT",
    "GROUP_GAPS",
    "GROUP_NETWORK_CHURN",
    "GROUP_SHARED_PAYMENT",
    "GROUP_SHARED_NETWORK",
    "GROUP_ANSWER_LENGTH",
    "GROUP_TEMPLATE",
    "GROUP_ONE_SHAPE",
    "SAME_AGE",
    "EVENNESS",
    "SAME_RHYTHM",
    "SAME_HOURS",
    "SAME_TURNS",
    "SAME_TARGETS",
    "SAME_ELICITATION",
    "SAME_SHARED_TEXT",
    "SAME_GAPS",
    "SAME_NETWORK_CHURN",
    "SAME_PAYMENT_SHARING",
    "SAME_NETWORK_SHARING",
    "SAME_ANSWER_LENGTH",
    "SAME_TEMPLATE_SHARE",
    "SAME_SHAPE_SHARE",
    "SIGNUP_BURST",
    "NO_SIDE_LIFE",
    "FLAGGED_MEMBERS",
    "TRUSTED_MEMBERS",
];
const FIRST_OWN: usize = 4;
const FIRST_GROUP: usize = FIRST_OWN + MEASURES;

impl Signal {
    /// What is believed of any account before anything is known of it.
    pub const PRIOR: Self = Self(0);
    /// Own evidence that is not listed by itself.
    pub const OWN_OTHER: Self = Self(1);
    /// Group evidence that is not listed by itself.
    pub const GROUP_OTHER: Self = Self(2);

    /// How much likelier the account's measures are for a member of its group than for anybody.
    pub const LIKENESS: Self = Self(3);

    pub(super) fn own(measure: usize) -> Self {
        Self::at(FIRST_OWN.saturating_add(measure))
    }

    pub(super) fn group(feature: usize) -> Self {
        Self::at(FIRST_GROUP.saturating_add(feature))
    }

    fn at(index: usize) -> Self {
        u8::try_from(index)
            .ok()
            .and_then(Self::from_code)
            .unwrap_or(Self::GROUP_OTHER)
    }

    /// Stable name, as decisions show it.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("PRIOR")
    }

    /// The signal of a name.
    pub fn named(name: &str) -> Option<Self> {
        let index = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(index).ok().map(Self)
    }

    /// Number of the signal in stored records.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The signal of a number.
    pub fn from_code(code: u8) -> Option<Self> {
        NAMES.get(usize::from(code)).map(|_| Self(code))
    }
}

/// Names of an account's measures, in the order of its weights.
pub(super) fn own_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().skip(FIRST_OWN).take(MEASURES).copied()
}

/// Names of a group's features, in the order of its weights.
pub(super) fn group_names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().skip(FIRST_GROUP).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{
        groups::{BURST, FLAGGED, SHARE, TRUSTED},
        measures::Measure,
    };
    use alloc::collections::BTreeSet;

    #[test]
    fn names_follow_the_order_of_the_measures_and_features() {
        for (index, name) in [
            (Measure::Age as usize, "ACCOUNT_AGE"),
            (Measure::Hours as usize, "SLEEPLESS"),
            (Measure::Moves as usize, "NETWORK_CHURN"),
            (Measure::Shape as usize, "ONE_SHAPE"),
        ] {
            assert_eq!(Signal::own(index).name(), name);
        }
        for (index, name) in [
            (MEASURES + Measure::Volume as usize, "EVENNESS"),
            (BURST, "SIGNUP_BURST"),
            (SHARE, "NO_SIDE_LIFE"),
            (FLAGGED, "FLAGGED_MEMBERS"),
            (TRUSTED, "TRUSTED_MEMBERS"),
        ] {
            assert_eq!(Signal::group(index).name(), name);
        }
    }

    #[test]
    fn every_signal_has_a_name_of_its_own_and_is_found_by_it_and_by_its_code() {
        let distinct: BTreeSet<_> = NAMES.iter().collect();
        assert_eq!(distinct.len(), NAMES.len());
        for code in 0..u8::try_from(NAMES.len()).unwrap() {
            let signal = Signal::from_code(code).unwrap();
            assert_eq!(Signal::named(signal.name()), Some(signal));
            assert_eq!(signal.code(), code);
        }
        assert_eq!(Signal::from_code(u8::MAX), None);
        assert_eq!(
            own_names().count() + group_names().count() + FIRST_OWN,
            NAMES.len()
        );
    }
}

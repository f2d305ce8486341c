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
    /// Its accounts were opened about the same time, or shortly before they were used.
    pub const COHORT: Self = Self(1 << 2);
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

/// The property that a signal claims; empty for signals that claim none (what is believed of anybody).
pub const fn property_of(signal: Signal) -> Properties {
    match signal {
        Signal::Prior => Properties(0),
    }
}

/// Restricted accounts of a campaign, by whether the strongest reason given is true of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reasons {
    /// Restricted accounts with any evidence that speaks for a campaign.
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

    #[test]
    fn a_reason_that_claims_nothing_is_not_right() {
        let mut standing = Standing::default();
        standing.evidence[0] = Some(Evidence {
            signal: Signal::Prior,
            value: 1.0,
            weight: 9.0,
        });
        let mut reasons = Reasons::default();

        reasons.add(&standing, Properties::TEXT);
        reasons.add(&Standing::default(), Properties::TEXT);

        assert_eq!(reasons, Reasons { given: 1, right: 0 });
    }
}

//! The answer for one exchange.
use crate::{
    capability::CapabilitySet,
    detect::{Evidence, Signal, State},
    time::Timestamp,
};
use alloc::vec::Vec;
use core::time::Duration;

/// What is done with an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It passes as it is.
    Allow,
    /// It passes, asked or answered with less than was wanted.
    Shape,
    /// It passes after a while.
    Delay,
    /// It is refused until the account is better verified (403).
    Verify,
    /// It is refused for now (429).
    Throttle,
    /// It is refused (4xx, final).
    Deny,
}

impl Action {
    /// Whether the request goes on to the upstream, however changed or late.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Allow | Self::Shape | Self::Delay)
    }

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Shape => "shape",
            Self::Delay => "delay",
            Self::Verify => "verify",
            Self::Throttle => "throttle",
            Self::Deny => "deny",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Nothing spoke against it, or it could not be judged (`rule` tells).
    None,
    /// A capability that the tier does not grant.
    Capability,
    /// A budget.
    Budget,
    /// A list.
    List,
    /// The account's state: it belongs to a campaign.
    Detection,
}

impl Basis {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Capability => "capability",
            Self::Budget => "budget",
            Self::List => "list",
            Self::Detection => "detection",
        }
    }
}

/// The rule of the policy that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `identity.anonymous`.
    Anonymous,
    /// `inspection.oversized`.
    Oversized,
    /// `inspection.compressed`.
    Compressed,
    /// `inspection.malformed`.
    Malformed,
    /// `inspection.unknownEndpoint`.
    UnknownEndpoint,
    /// `lists.deny[i]`.
    DenyList(usize),
    /// `lists.exempt[i]`.
    ExemptList(usize),
    /// The grants of `tiers[i]`.
    Tier(usize),
    /// `budgets[i]`.
    Budget(usize),
    /// `state.onFailure`.
    StateFailure,
    /// `responses.states`, for an account in this state.
    State(State),
    /// `shaping.rules[i]`.
    Shaping(usize),
    /// `verification.thresholds[i]`.
    Verification(usize),
}

/// One fact that a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// What was measured.
    pub code: ReasonCode,
    /// The measured value, in the unit of the code.
    pub value: f64,
    /// Share of the score in nats; 0 for rules, which need no score.
    pub weight: f64,
}

/// What a reason measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonCode {
    /// The policy's capability of this index was asked for and not granted; value 1.
    CapabilityNotGranted(usize),
    /// Used in the window before this exchange; value in the budget's unit.
    BudgetUsed,
    /// An entry of a list; value 1.
    Listed,
    /// The body could not be judged; value 1.
    NotInspected,
    /// No source gave an account; value 1.
    NoAccount,
    /// Shared memory failed; value 1.
    StateUnavailable,
    /// Evidence for or against a campaign; value in the signal's unit.
    Signal(Signal),
    /// An entry of `lists.states` says what the account's state is; value 1.
    Pinned,
    /// The response could not be stripped as the policy wants; value 1 where it was let through, 0 where it ended there.
    NotStripped,
    /// The request could not be changed as the policy wants, because its head had gone on; value 1.
    NotShaped,
    /// A better verification is asked for: what the account used in the threshold's window, in its unit.
    VerificationRequired,
    /// An attestation that came with the request was not accepted; value 1.
    AttestationRefused(crate::attestation::AttestationError),
    /// The detector still learns and judges nobody; value is how much of the learning is done, below 1.
    Learning,
}

/// The answer for one exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is done; `Allow` in shadow mode.
    pub action: Action,
    /// What would be done if the policy enforced.
    pub would_action: Action,
    /// What it rests on.
    pub basis: Basis,
    /// The rule that decided, if one did.
    pub rule: Option<Rule>,
    /// What was measured.
    pub reasons: Vec<Reason>,
    /// When a throttled exchange may come again.
    pub retry_after: Option<Duration>,
    /// How long a delayed exchange waits.
    pub delay: Option<Duration>,
    /// The verification that is asked for: at once where the exchange is refused for it, soon where it passes.
    pub verification: Option<StepUp>,
}

/// A verification that an account is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// Index of the level in the policy's `verification.levels`.
    pub level: usize,
    /// From when on exchanges are refused without it; `None` from now on.
    pub deadline: Option<Timestamp>,
}

impl StepUp {
    /// A verification without which the exchange is refused.
    pub(crate) const fn now(level: usize) -> Self {
        Self {
            level,
            deadline: None,
        }
    }
}

impl Verdict {
    /// The same with an action that is at least as strict.
    pub(crate) fn with(self, action: Action) -> Self {
        Self {
            action: self.action.max(action),
            would_action: self.would_action.max(action),
            ..self
        }
    }

    pub(crate) fn allow() -> Self {
        Self {
            action: Action::Allow,
            would_action: Action::Allow,
            basis: Basis::None,
            rule: None,
            reasons: Vec::new(),
            retry_after: None,
            delay: None,
            verification: None,
        }
    }

    /// A refusal for capabilities that tier number `tier` does not grant.
    pub(crate) fn not_granted(tier: usize, missing: CapabilitySet) -> Self {
        let reasons = missing
            .iter()
            .map(|index| Reason::rule(ReasonCode::CapabilityNotGranted(index), 1.0))
            .collect();
        Self::refuse(Action::Deny, Basis::Capability, Rule::Tier(tier), reasons)
    }

    pub(crate) fn refuse(action: Action, basis: Basis, rule: Rule, reasons: Vec<Reason>) -> Self {
        Self {
            action,
            would_action: action,
            basis,
            rule: Some(rule),
            reasons,
            retry_after: None,
            delay: None,
            verification: None,
        }
    }
}

impl Reason {
    pub(crate) fn learning(learned: f32) -> Self {
        Self {
            code: ReasonCode::Learning,
            value: rounded(learned),
            weight: 0.0,
        }
    }

    pub(crate) fn evidence(evidence: &Evidence) -> Self {
        Self {
            code: ReasonCode::Signal(evidence.signal),
            value: rounded(evidence.value),
            weight: rounded(evidence.weight),
        }
    }

    pub(crate) const fn rule(code: ReasonCode, value: f64) -> Self {
        Self {
            code,
            value,
            weight: 0.0,
        }
    }

    /// The capability that it speaks of.
    pub(crate) const fn capability(&self) -> Option<usize> {
        match self.code {
            ReasonCode::CapabilityNotGranted(index) => Some(index),
            _ => None,
        }
    }
}

/// A measured value as logs show it: to a millionth, which is all that an `f32` tells of a score.
pub(crate) fn rounded(value: f32) -> f64 {
    const UNIT: f64 = 1_000_000.0;
    libm::round(f64::from(value) * UNIT) / UNIT
}

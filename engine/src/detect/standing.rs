//! What the detector thinks of an account, and why.
use super::signal::Signal;

/// State of an account; actions follow from it by policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing stands out.
    #[default]
    Observe,
    /// Worth logging.
    Watch,
    /// Worth asking for verification.
    StepUp,
    /// Belongs to a campaign by two independent keys.
    Restrict,
    /// Restricted for a week.
    Block,
}

impl State {
    /// All states, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Observe,
        Self::Watch,
        Self::StepUp,
        Self::Restrict,
        Self::Block,
    ];

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Watch => "watch",
            Self::StepUp => "step_up",
            Self::Restrict => "restrict",
            Self::Block => "block",
        }
    }
}

/// One measured fact and its share of the score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// What was measured.
    pub signal: Signal,
    /// The measured value, in the signal's unit.
    pub value: f32,
    /// Its share of the score in nats; positive speaks for a campaign.
    pub weight: f32,
}

/// Most pieces of evidence that a standing lists.
pub const MAX_EVIDENCE: usize = 12;

/// What the detector thinks of one account. The weights of its evidence sum to its score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// What may be done about it.
    pub state: State,
    /// Log odds of belonging to a campaign, in nats. Meaningless while learning.
    pub score: f32,
    /// The campaign it was found in; 0 when in none.
    pub campaign: u64,
    /// How much of the learning is done, 0 to 1; below 1 nobody is judged.
    pub learned: f32,
    /// Evidence, the strongest first.
    pub evidence: [Option<Evidence>; MAX_EVIDENCE],
}

impl Standing {
    /// Appends a piece of evidence and adds its weight to the score; without room it goes to the last one.
    pub(super) fn add(&mut self, evidence: Evidence) {
        self.score += evidence.weight;
        if let Some(free) = self.evidence.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(evidence);
        } else if let Some(Some(last)) = self.evidence.last_mut() {
            last.weight += evidence.weight;
        }
    }

    /// The evidence that is listed.
    pub fn reasons(&self) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().flatten()
    }

    /// Whether anybody is judged: the learning is done.
    pub fn judges(&self) -> bool {
        self.learned >= 1.0
    }
}

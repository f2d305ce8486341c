//! What scoring keeps of one account: a fixed-size record, found by the account's number.
use super::organic::stratum_index;
use crate::world::Person;
use weir_engine::detect::State;

/// "Not yet", for points in time in nanoseconds.
pub(super) const NEVER: u64 = u64::MAX;
/// The score of an account that the detector said nothing about: logit of one in a thousand.
pub(super) const PRIOR: f32 = -6.9;

/// One account's record; times are nanoseconds since the epoch.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// It was seen; the fields below are facts.
    pub(super) known: bool,
    /// Its state now.
    pub(super) state: State,
    /// Its stratum of hard negatives, 1 to 13; 0 for none.
    pub(super) stratum: u8,
    /// Index of its campaign.
    pub(super) campaign: Option<u8>,
    /// The program of its first exchange.
    pub(super) program: u32,
    /// Its organization.
    pub(super) organization: u64,
    /// Its score now, and the highest it ever had.
    pub(super) score: f32,
    pub(super) peak: f32,
    /// Organic requests: all, and those that came while it was restricted or asked to verify.
    pub(super) organic: u32,
    pub(super) organic_refused: u32,
    pub(super) organic_stepped: u32,
    /// Attack exchanges: all, while it was not restricted, and before it ever was.
    pub(super) attack: u32,
    pub(super) attack_served: u32,
    pub(super) attack_before: u32,
    /// Attack exchanges since the last day's end.
    pub(super) attack_today: u32,
    pub(super) first_attack: u64,
    pub(super) first_watch: u64,
    pub(super) first_step_up: u64,
    pub(super) first_restrict: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            known: false,
            state: State::Observe,
            stratum: 0,
            campaign: None,
            program: 0,
            organization: 0,
            score: PRIOR,
            peak: PRIOR,
            organic: 0,
            organic_refused: 0,
            organic_stepped: 0,
            attack: 0,
            attack_served: 0,
            attack_before: 0,
            attack_today: 0,
            first_attack: NEVER,
            first_watch: NEVER,
            first_step_up: NEVER,
            first_restrict: NEVER,
        }
    }
}

impl Account {
    /// Takes the facts at its first exchange.
    #[cold]
    pub(super) fn meet(&mut self, person: Option<&Person>, program: u32) {
        self.known = true;
        self.program = program;
        if let Some(person) = person {
            self.organization = person.organization;
            self.stratum = stratum_index(person.hard_negative);
        }
    }
}

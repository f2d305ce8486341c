//! The `detection` section and `responses.states`: how campaigns are looked for, and what is done about them.
use super::{
    defaults,
    diagnostic::{Code, Diagnostics},
    document::{self, StateAction, StateActions, Thresholds},
    validate::{duration, size},
};
use crate::{
    detect::{
        Profile, Settings, State, feed,
        room::{self, Room},
    },
    verdict::Action,
};
use alloc::{
    format,
    string::{String, ToString},
};
use core::{ops::RangeInclusive, time::Duration};

/// Learning: from a minute, for tests (nobody is judged before the first pass anyhow), to a quarter of a year.
const LEARN: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(90 * 86_400);
/// Memory: every possible worker's pages twice over, up to what a VM can hold.
const MEMORY: RangeInclusive<u64> = 16 * 1024 * 1024..=1024 * 1024 * 1024;
/// Scores that can be reached at all.
const SCORES: RangeInclusive<f64> = 0.0..=100.0;

/// How campaigns are looked for, and what is done about them.
#[derive(Clone, Debug)]
pub struct Detection {
    /// How long traffic is learned before anybody is judged.
    pub(crate) learn: Duration,
    /// Bytes, as [`room`] divides them.
    pub(crate) memory: u64,
    pub(crate) watch: f32,
    pub(crate) step_up: f32,
    pub(crate) restrict: f32,
    /// JSON text of the weights; the shipped ones when absent.
    pub(crate) profile: Option<String>,
    actions: [Action; 5],
}

impl Detection {
    /// What is done about an account in `state`.
    pub fn action(&self, state: State) -> Action {
        let [observe, watch, step_up, restrict, block] = self.actions;
        match state {
            State::Observe => observe,
            State::Watch => watch,
            State::StepUp => step_up,
            State::Restrict => restrict,
            State::Block => block,
        }
    }

    /// Bytes of `detection.memory`.
    pub const fn memory(&self) -> u64 {
        self.memory
    }

    /// Most bytes of it that stand in shared memory.
    pub fn shared_bytes(&self) -> u64 {
        Room::within(self.memory).max_bytes()
    }

    /// Observations that workers can leave with the leader before it looks: exact for one worker, so that a
    /// replay knows when to let the leader look.
    pub fn feed_room(&self) -> usize {
        let pages = usize::from(Room::within(self.memory).ring);
        pages.saturating_mul(feed::PAGE_OBSERVATIONS)
    }

    /// What the detector is set to.
    pub fn settings(&self) -> Settings {
        Settings {
            max_accounts: room::accounts_within(self.memory),
            learn: self.learn,
            watch: self.watch,
            step_up: self.step_up,
            restrict: self.restrict,
        }
    }

    /// The weights of the signals.
    pub fn profile(&self) -> Profile {
        // It was read when the policy was checked.
        let own = self.profile.as_ref();
        own.and_then(|json| Profile::from_json(json.as_bytes()).ok())
            .unwrap_or_else(Profile::shipped)
    }

    /// Whether the detector of `other` could not go on from this one's memory.
    pub fn differs(&self, other: &Self) -> bool {
        let set = |of: &Self| (of.learn, of.memory, of.profile.clone());
        let scores = |of: &Self| [of.watch, of.step_up, of.restrict].map(f32::to_bits);
        set(self) != set(other) || scores(self) != scores(other)
    }
}

/// Checks both sections; `None` where detection is off.
pub(super) fn compile(
    given: Option<document::Detection>,
    states: Option<StateActions>,
    d: &mut Diagnostics,
) -> Option<Detection> {
    let off = given.is_none();
    let given = given.unwrap_or_default();
    let learn = given.learn.as_deref().unwrap_or(defaults::LEARN);
    let learn = duration(learn, "detection.learn", d).filter(|learn| {
        let fits = LEARN.contains(learn);
        if !fits {
            let message = "learning is too short or too long";
            d.error(
                Code::OutOfRange,
                "detection.learn",
                message,
                "write 1m to 90d",
            );
        }
        fits
    });
    let memory = given
        .memory
        .as_deref()
        .unwrap_or(defaults::DETECTION_MEMORY);
    let memory = size(memory, "detection.memory", MEMORY, d);
    let [watch, step_up, restrict] = thresholds(given.thresholds.unwrap_or_default(), d);
    let profile = given.profile.map(|profile| profile.to_string());
    if let Some(Err(error)) = profile
        .as_ref()
        .map(|json| Profile::from_json(json.as_bytes()))
    {
        let message = format!("the weights cannot be used: {error}");
        let help = "leave the key out to use the shipped weights";
        d.error(Code::BadProfile, "detection.profile", message, help);
    }
    if off && states.is_some() {
        d.warning(
            Code::NoDetection,
            "responses.states",
            "without `detection` every account stays in `observe`",
            "add `detection: {}`, or remove this",
        );
    }
    let action = |given: Option<StateAction>, default| act(given.unwrap_or(default));
    let states = states.unwrap_or_default();
    let actions = [
        Action::Allow,
        action(states.watch, defaults::ON_WATCH),
        action(states.step_up, defaults::ON_STEP_UP),
        action(states.restrict, defaults::ON_RESTRICT),
        action(states.block, defaults::ON_BLOCK),
    ];
    if off || !given.enabled.unwrap_or(defaults::DETECTION) {
        return None;
    }
    Some(Detection {
        learn: learn?,
        memory: memory?,
        watch,
        step_up,
        restrict,
        profile,
        actions,
    })
}

const fn act(given: StateAction) -> Action {
    match given {
        StateAction::Allow => Action::Allow,
        StateAction::Shape => Action::Shape,
        StateAction::Delay => Action::Delay,
        StateAction::Verify => Action::Verify,
        StateAction::Throttle => Action::Throttle,
        StateAction::Deny => Action::Deny,
    }
}

fn thresholds(given: Thresholds, d: &mut Diagnostics) -> [f32; 3] {
    let scores = [
        ("watch", given.watch.unwrap_or(defaults::SCORE_WATCH)),
        ("stepUp", given.step_up.unwrap_or(defaults::SCORE_STEP_UP)),
        (
            "restrict",
            given.restrict.unwrap_or(defaults::SCORE_RESTRICT),
        ),
    ];
    for (name, score) in scores {
        if !SCORES.contains(&score) {
            d.error(
                Code::OutOfRange,
                format!("detection.thresholds.{name}"),
                format!("{score} is no score to act on"),
                "write 0 to 100, or leave the key out",
            );
        }
    }
    let [(_, watch), (_, step_up), (_, restrict)] = scores;
    if watch > step_up || step_up > restrict {
        d.error(
            Code::OutOfRange,
            "detection.thresholds",
            "a state would be reached before a weaker one",
            "write `watch` <= `stepUp` <= `restrict`",
        );
    }
    #[expect(
        clippy::as_conversions,
        reason = "scores from 0 to 100 need no more digits than an f32 has"
    )]
    [watch, step_up, restrict].map(|score| score as f32)
}

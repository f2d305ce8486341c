//! What one account was thought of while it was judged, and what it would have come to at other thresholds.
//!
//! Scores change every two hours at most, so consecutive exchanges share a [`Run`]. A decision tells the
//! score and the state that came of it at the present thresholds, and no more: where the score had reached
//! a threshold and the state had not, a key was missing and stays missing. Where the score had not reached
//! it, nobody knows, and the account counts as if it had both keys. Where it is in a state that no score of its
//! exchanges explains, it came to it in between, with the score that takes.
use weir_engine::detect::{BLOCK_HOURS, CLEAN_HOURS, HYSTERESIS, State};

/// Scores from which states are entered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cuts {
    /// Enters `watch`.
    pub watch: f64,
    /// Enters `step_up`.
    pub step_up: f64,
    /// Enters `restrict`, with two keys.
    pub restrict: f64,
}

impl Default for Cuts {
    /// Those of a policy that names none.
    fn default() -> Self {
        Self {
            watch: 2.0,
            step_up: 5.0,
            restrict: 8.0,
        }
    }
}

impl Cuts {
    /// The score from which `state` is entered.
    pub fn of(self, state: State) -> f64 {
        match state {
            State::Observe => f64::NEG_INFINITY,
            State::Watch => self.watch,
            State::StepUp => self.step_up,
            State::Restrict | State::Block => self.restrict,
        }
    }
    /// The state that `score` alone would bring.
    pub fn state(self, score: f64) -> State {
        [State::Restrict, State::StepUp, State::Watch]
            .into_iter()
            .find(|state| reaches(score, self.of(*state)))
            .unwrap_or_default()
    }
}

/// Whether `score` is enough for `cut`, to the digits that the detector has.
pub(super) fn reaches(score: f64, cut: f64) -> bool {
    score as f32 >= cut as f32
}

/// Consecutive exchanges under one score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    /// Hours since 1970 of the first of them.
    hour: u32,
    exchanges: u32,
    score: f32,
    /// The score that the account had reached by then: more than `score` where it came to its state in between.
    peak: f32,
    /// The gravest state that the account had the keys for, as far as known.
    most: State,
}

/// One account's.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    runs: Vec<Run>,
    /// The state that was recorded last.
    recorded: State,
}

/// Exchanges in each state, mildest first.
pub(super) type ByState = [u64; 5];

impl History {
    /// Adds an exchange that was decided at the thresholds `present`.
    pub(super) fn add(&mut self, hour: u32, score: f64, recorded: State, present: Cuts) {
        let most = if recorded < present.state(score) {
            recorded
        } else {
            State::Restrict
        };
        // No score has more digits than a float.
        let score = score as f32;
        let peak = match recorded > self.recorded {
            true => score.max(present.of(recorded) as f32),
            false => score,
        };
        self.recorded = recorded;
        let same = |last: &&mut Run| {
            (last.score.to_bits(), last.most) == (score.to_bits(), most) && peak <= last.peak
        };
        match self.runs.last_mut().filter(same) {
            Some(last) => last.exchanges = last.exchanges.saturating_add(1),
            None => self.runs.push(Run {
                hour,
                exchanges: 1,
                score,
                peak,
                most,
            }),
        }
    }
    /// The largest score with which the account could have entered `state`.
    pub(super) fn largest(&self, state: State) -> f64 {
        let able = self.runs.iter().filter(|run| run.most >= state);
        able.map(|run| f64::from(run.peak))
            .fold(f64::NEG_INFINITY, f64::max)
    }
    /// The gravest state at `cuts`, and exchanges by state. States go up at once and down after clean days, as
    /// the detector's do.
    pub(super) fn at(&self, cuts: Cuts) -> (State, ByState) {
        let mut counts = ByState::default();
        let (mut state, mut gravest) = (State::Observe, State::Observe);
        let (mut since, mut clean) = (0_u32, None::<u32>);
        for run in &self.runs {
            let score = f64::from(run.score);
            let found = cuts.state(f64::from(run.peak)).min(run.most);
            if found > state {
                (state, since, clean) = (found, run.hour, None);
            } else if state > State::Observe && score < cuts.of(state) - f64::from(HYSTERESIS) {
                let low_since = *clean.get_or_insert(run.hour);
                if run.hour.saturating_sub(low_since) >= CLEAN_HOURS {
                    (state, since, clean) = (found, run.hour, None);
                }
            } else {
                clean = None;
                let long = run.hour.saturating_sub(since) >= BLOCK_HOURS;
                if state == State::Restrict && found == State::Restrict && long {
                    (state, since) = (State::Block, run.hour);
                }
            }
            gravest = gravest.max(state);
            if let Some(count) = counts.get_mut(place(state)) {
                *count += u64::from(run.exchanges);
            }
        }
        (gravest, counts)
    }
}

/// Where a state stands in [`State::ALL`].
pub(super) fn place(state: State) -> usize {
    State::ALL
        .iter()
        .position(|known| *known == state)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(runs: &[(u32, f64, State)]) -> History {
        let mut history = History::default();
        for (hour, score, recorded) in runs {
            history.add(*hour, *score, *recorded, Cuts::default());
        }
        history
    }

    #[test]
    fn a_key_that_was_missing_stays_missing_and_one_that_nobody_saw_counts_as_there() {
        let unseen = history(&[(1, 7.5, State::StepUp)]);
        let missing = history(&[(1, 9.0, State::StepUp), (2, 7.5, State::StepUp)]);
        let alone = history(&[(1, 9.0, State::Watch)]);
        let lower = Cuts {
            restrict: 7.0,
            ..Cuts::default()
        };

        assert_eq!(unseen.at(lower).0, State::Restrict);
        assert_eq!(unseen.at(Cuts::default()).0, State::StepUp);
        assert_eq!(missing.at(Cuts::default()).0, State::StepUp);
        assert_eq!(missing.largest(State::Restrict), 7.5);
        assert_eq!(missing.largest(State::StepUp), 9.0);
        assert_eq!(alone.largest(State::StepUp), f64::NEG_INFINITY);
    }

    #[test]
    fn a_state_is_left_after_a_week_below_and_blocks_after_a_week_of_restriction() {
        let restrict = State::Restrict;
        let cleared = history(&[
            (0, 9.0, restrict),
            (10, 1.0, restrict),
            (10 + CLEAN_HOURS - 1, 1.5, restrict),
            (10 + CLEAN_HOURS, 1.0, State::Observe),
        ]);
        let blocked = history(&[(0, 9.0, restrict), (BLOCK_HOURS, 9.5, State::Block)]);

        assert_eq!(cleared.at(Cuts::default()), (restrict, [1, 0, 0, 3, 0]));
        assert_eq!(blocked.at(Cuts::default()), (State::Block, [0, 0, 0, 1, 1]));
    }

    #[test]
    fn whoever_came_to_a_state_between_two_exchanges_had_the_score_for_it() {
        let between = history(&[(0, 1.0, State::Observe), (9, 6.5, State::Restrict)]);

        assert_eq!(between.largest(State::Restrict), 8.0);
        assert_eq!(
            between.at(Cuts::default()),
            (State::Restrict, [1, 0, 0, 1, 0])
        );
        let higher = Cuts {
            restrict: 8.1,
            ..Cuts::default()
        };
        assert_eq!(between.at(higher).0, State::StepUp);
    }

    #[test]
    fn exchanges_under_one_score_are_one_run() {
        let mut history = History::default();

        for hour in 0..10_000 {
            history.add(hour, -6.9, State::Observe, Cuts::default());
        }

        assert_eq!(history.runs.len(), 1);
        assert_eq!(history.at(Cuts::default()).1[0], 10_000);
    }
}

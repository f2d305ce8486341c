//! What others would do with the same observations: published baselines and an offline ceiling.
//!
//! Each gives an account one number, the higher the more suspicious, and gets the threshold that lets
//! one organic account in a thousand pass on other seeds. Online ones score at the end of each day,
//! offline ones only at the end of everything.
mod boosting;
mod features;
mod near_duplicates;
mod oracle;
mod prompt_hash;
mod rate;
mod synchrotrap;

pub use boosting::{Boosted, Settings};
pub use features::{FEATURES, Features};
pub use near_duplicates::NearDuplicates;
pub use oracle::{Oracle, Row, Rows};
pub use prompt_hash::PromptHash;
pub use rate::Rate;
pub use synchrotrap::SynchroTrap;

use super::{History, Scoreboard, Sweep};
use std::collections::BTreeMap;
use weir_engine::detect::Observation;

/// Highest scores so far, by account number; 0 for accounts without one.
#[derive(Clone, Debug, Default)]
pub struct Scores(Vec<f32>);

impl Scores {
    /// Notes a score; only the highest is kept.
    pub fn raise(&mut self, account: usize, score: f32) {
        if self.0.len() <= account {
            self.0.resize(account + 1, 0.0);
        }
        if let Some(kept) = self.0.get_mut(account) {
            *kept = kept.max(score);
        }
    }
    /// The highest score of an account.
    pub fn get(&self, account: usize) -> f32 {
        self.0.get(account).copied().unwrap_or(0.0)
    }
}

/// A method that scores accounts by what it observes.
pub trait Baseline: Send {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Takes one exchange.
    fn observe(&mut self, account: u32, observation: &Observation);
    /// Ends a day; notes the scores of online methods.
    fn end_day(&mut self, scores: &mut Scores);
    /// Ends everything; notes the scores of offline methods.
    fn finish(&mut self, scores: &mut Scores);
}

/// All baselines of one run.
pub struct Baselines {
    methods: Vec<Method>,
    features: Features,
    scoring: bool,
}

struct Method {
    baseline: Box<dyn Baseline>,
    scores: Scores,
    peaks: BTreeMap<u32, Vec<f32>>,
}

/// What the baselines scored in one seed.
pub struct BaselineScores {
    /// By method: its name and its scores.
    pub methods: Vec<(&'static str, Sweep)>,
    /// What an oracle is trained and asked with.
    pub rows: Rows,
}

impl Default for Baselines {
    fn default() -> Self {
        let all: [Box<dyn Baseline>; 4] = [
            Box::<Rate>::default(),
            Box::<PromptHash>::default(),
            Box::<NearDuplicates>::default(),
            Box::<SynchroTrap>::default(),
        ];
        Self {
            methods: all
                .into_iter()
                .map(|baseline| Method {
                    baseline,
                    scores: Scores::default(),
                    peaks: BTreeMap::new(),
                })
                .collect(),
            features: Features::default(),
            scoring: false,
        }
    }
}

impl Baselines {
    /// Takes one exchange.
    pub fn observe(&mut self, account: u32, observation: &Observation) {
        for method in &mut self.methods {
            method.baseline.observe(account, observation);
        }
        self.features.observe(account, observation);
    }
    /// Ends a day; `board` is given when the day counts. Scores of the burn-in are forgotten, what was
    /// learned in it is not.
    pub fn end_day(&mut self, board: Option<&Scoreboard>) {
        self.features.end_day();
        for method in &mut self.methods {
            if board.is_some() && !self.scoring {
                method.scores = Scores::default();
            }
            method.baseline.end_day(&mut method.scores);
            for (number, history) in board.into_iter().flat_map(Scoreboard::histories) {
                let peaks = method.peaks.entry(*number).or_default();
                // Days before its first attack come with the first entry.
                peaks.resize(history.attack.len().saturating_sub(1), 0.0);
                peaks.push(method.scores.get(*number as usize));
            }
        }
        self.scoring |= board.is_some();
    }
    /// Ends everything.
    pub fn finish(self, board: &Scoreboard) -> BaselineScores {
        let methods = self
            .methods
            .into_iter()
            .map(|mut method| {
                method.baseline.finish(&mut method.scores);
                for (number, peaks) in &mut method.peaks {
                    if let Some(last) = peaks.last_mut() {
                        *last = last.max(method.scores.get(*number as usize));
                    }
                }
                let mut peaks = method.peaks;
                let sweep = sweep(
                    board,
                    |number| method.scores.get(number),
                    |number, _| peaks.remove(&number).unwrap_or_default(),
                );
                (method.baseline.name(), sweep)
            })
            .collect();
        BaselineScores {
            methods,
            rows: Rows::new(&self.features, board),
        }
    }
}

/// Scores of organic accounts by `score`, days of campaign accounts by `peaks` (number, days).
fn sweep(
    board: &Scoreboard,
    score: impl Fn(usize) -> f32,
    mut peaks: impl FnMut(u32, usize) -> Vec<f32>,
) -> Sweep {
    Sweep {
        organic: (0..board.accounts())
            .filter(|number| board.is_organic(*number))
            .map(score)
            .collect(),
        accounts: board
            .histories()
            .iter()
            .map(|(number, history)| History {
                peak: peaks(*number, history.attack.len()),
                ..history.clone()
            })
            .collect(),
    }
}

//! Holds the states in decisions against those of the evaluation, while the decisions are being written.
use super::PluginCost;
use super::book::Book;
use crate::replay::counted;
use crate::world::Sampling;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Write};
use weir_engine::detect::State;

/// What both ways came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// The world's seed.
    pub seed: u64,
    /// Share of organic accounts that took part.
    pub sample: String,
    /// Exchanges of the evaluation, and decisions.
    pub exchanges: u64,
    /// See `exchanges`.
    pub decisions: u64,
    /// Accounts that took part.
    pub accounts: u64,
    /// Of these, those with a decision in which the state was another one than in the evaluation; wanted: 0.
    pub differing_accounts: u64,
    /// Such decisions.
    pub differing_exchanges: u64,
    /// The first of them.
    pub first: Option<Difference>,
    /// Decisions by the state in them.
    pub states: Vec<(&'static str, u64)>,
    /// Accounts of the evaluation by their gravest state, from `watch` on.
    pub gravest: Vec<(&'static str, u64)>,
    /// What the plugin cost; `None` where it was not the plugin.
    pub cost: Option<PluginCost>,
}

/// A decision with another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Number of the exchange, from 1.
    pub exchange: u64,
    /// State in the evaluation.
    pub evaluation: &'static str,
    /// State in the decision; `missing` where it has none.
    pub decision: &'static str,
}

impl Agreement {
    /// Whether every decision had the state of the evaluation, and none was missing.
    pub const fn holds(&self) -> bool {
        self.differing_exchanges == 0 && self.exchanges == self.decisions
    }
}

/// Takes decisions as lines, in order.
pub(super) struct Comparison {
    book: Book,
    decisions: u64,
    line: Vec<u8>,
    states: [u64; State::ALL.len()],
    differing: BTreeSet<u32>,
    differences: u64,
    first: Option<Difference>,
}

impl Comparison {
    pub(super) const fn new(book: Book) -> Self {
        Self {
            book,
            decisions: 0,
            line: Vec::new(),
            states: [0; State::ALL.len()],
            differing: BTreeSet::new(),
            differences: 0,
            first: None,
        }
    }

    fn compare(&mut self) {
        let state = counted::state(&self.line);
        if let Some(count) = state.and_then(|state| self.states.get_mut(state as usize)) {
            *count += 1;
        }
        let seen = self.book.seen.get(self.decisions as usize);
        self.decisions += 1;
        let Some(seen) = seen.filter(|seen| state != Some(seen.state)) else {
            return;
        };
        self.differing.insert(seen.account);
        self.differences += 1;
        self.first.get_or_insert(Difference {
            exchange: self.decisions,
            evaluation: seen.state.name(),
            decision: state.map_or("missing", State::name),
        });
    }

    pub(super) fn finish(
        self,
        seed: u64,
        sampling: Sampling,
        accounts: u64,
        gravest: Vec<(&'static str, u64)>,
        cost: Option<PluginCost>,
    ) -> Agreement {
        let names = State::ALL.into_iter().map(State::name);
        Agreement {
            seed,
            sample: sampling.to_string(),
            exchanges: self.book.seen.len() as u64,
            decisions: self.decisions,
            accounts,
            differing_accounts: self.differing.len() as u64,
            differing_exchanges: self.differences,
            first: self.first,
            states: names.zip(self.states).collect(),
            gravest,
            cost,
        }
    }
}

impl Write for Comparison {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        for part in buffer.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.compare();
                self.line.clear();
            }
        }
        Ok(buffer.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::Recorder;
    use super::*;
    use crate::evaluate::Judge;
    use std::cell::RefCell;
    use std::rc::Rc;
    use weir_engine::detect::{Detector, Observation, Profile, Settings};

    /// Two exchanges of one account and one of another; nobody is judged.
    fn book() -> Book {
        let book = Rc::new(RefCell::new(Book::default()));
        let detector = Detector::new(Profile::shipped(), Settings::default());
        let mut recorder = Recorder::new(detector, Rc::clone(&book));
        for account in [7, 7, 8] {
            recorder.observe(&Observation {
                account,
                ..Observation::default()
            });
        }
        book.take()
    }

    fn told(decisions: &str) -> Agreement {
        let mut comparison = Comparison::new(book());
        // In pieces that do not end where lines do.
        for piece in decisions.as_bytes().chunks(7) {
            comparison.write_all(piece).unwrap();
        }
        comparison.finish(1, Sampling::ALL, 2, Vec::new(), None)
    }

    #[test]
    fn a_state_that_differs_is_counted_by_exchange_and_by_account() {
        let told = told("{\"state\":\"watch\"}\n{\"state\":\"watch\"}\n{\"state\":\"observe\"}\n");

        assert!(!told.holds());
        assert_eq!((told.differing_accounts, told.differing_exchanges), (1, 2));
        let first = told.first.unwrap();
        assert_eq!(
            (first.exchange, first.evaluation, first.decision),
            (1, "observe", "watch")
        );
        assert_eq!(&told.states[..2], [("observe", 1), ("watch", 2)]);
    }

    #[test]
    fn a_decision_that_is_missing_or_tells_no_state_is_no_agreement() {
        let line = "{\"state\":\"observe\"}\n";

        assert!(told(&line.repeat(3)).holds());
        assert!(!told(&line.repeat(2)).holds());
        assert!(!told(&line.repeat(4)).holds());
        assert_eq!(
            told(&format!("{line}{{}}\n{line}")).first.unwrap().decision,
            "missing"
        );
    }
}

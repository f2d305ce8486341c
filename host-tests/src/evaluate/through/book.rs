//! What the evaluation read of each account at each exchange.
use crate::evaluate::Judge;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use weir_engine::detect::{Detector, Observation, Standing, State};
use weir_engine::time::Timestamp;

/// One exchange as the evaluation saw it: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Number of its account.
    pub(super) account: u32,
    /// The state in which the account stood.
    pub(super) state: State,
}

/// All exchanges, and what accounts came to.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// Exchanges in order.
    pub(super) seen: Vec<Seen>,
    numbers: HashMap<u64, u32>,
    /// By number: the state now, and the gravest ever read.
    states: Vec<(State, State)>,
}

impl Book {
    /// Accounts that were seen.
    pub(super) fn accounts(&self) -> u64 {
        self.states.len() as u64
    }

    /// Accounts by the gravest state that was read, from `watch` on.
    pub(super) fn gravest(&self) -> Vec<(&'static str, u64)> {
        let of = |state| {
            let gravest = self.states.iter().map(|(_, gravest)| *gravest);
            gravest.filter(|gravest| *gravest == state).count() as u64
        };
        let states = State::ALL.into_iter().skip(1);
        states.map(|state| (state.name(), of(state))).collect()
    }

    fn number(&mut self, account: u64) -> u32 {
        let next = self.states.len() as u32;
        let number = *self.numbers.entry(account).or_insert(next);
        if number == next {
            self.states.push((State::Observe, State::Observe));
        }
        number
    }

    fn see(&mut self, account: u64) {
        let account = self.number(account);
        if let Some((state, gravest)) = self.states.get_mut(account as usize) {
            *gravest = (*gravest).max(*state);
            let state = *state;
            self.seen.push(Seen { account, state });
        }
    }

    fn change(&mut self, account: u64, to: State) {
        let number = self.number(account) as usize;
        if let Some((state, _)) = self.states.get_mut(number) {
            *state = to;
        }
    }
}

/// A detector whose states are written down as the evaluation reads them.
pub(super) struct Recorder {
    detector: Detector,
    book: Rc<RefCell<Book>>,
}

impl Recorder {
    pub(super) const fn new(detector: Detector, book: Rc<RefCell<Book>>) -> Self {
        Self { detector, book }
    }
}

impl Judge for Recorder {
    fn observe(&mut self, observation: &Observation) {
        self.book.borrow_mut().see(observation.account);
        Judge::observe(&mut self.detector, observation);
    }
    fn advance(&mut self, now: Timestamp) {
        Judge::advance(&mut self.detector, now);
    }
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>) {
        let from = out.len();
        Judge::take_changed(&mut self.detector, out);
        let mut book = self.book.borrow_mut();
        for (account, standing) in out.get(from..).unwrap_or_default() {
            book.change(*account, standing.state);
        }
    }
    fn memory_bytes(&self) -> usize {
        Judge::memory_bytes(&self.detector)
    }
}

//! Counts what a decider decides, without parsing it again.
use super::Decider;
use crate::trace::TraceLine;
use std::collections::{BTreeMap, HashMap};
use weir_engine::detect::State;
use weir_engine::time::Timestamp;

/// Exchanges after which progress is told.
const PROGRESS_STEP: u64 = 256;
/// What stands before the action in a decision. Nowhere else: inside a string the quotes were escaped.
const ACTION: &[u8] = b"\"action\":\"";

/// What stands before the state.
const STATE: &[u8] = b"\"state\":\"";
/// What stands before the account.
const ACCOUNT: &[u8] = b"\"account\":\"";

/// How often each action was decided, and how many accounts came to each state above `observe`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    actions: BTreeMap<String, u64>,
    /// The gravest state of each account, as the decision spells it.
    accounts: HashMap<Vec<u8>, State>,
}

impl Actions {
    /// Actions and their counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.actions
            .iter()
            .map(|(action, count)| (action.as_str(), *count))
    }
    /// States above `observe` with the number of accounts for which they were the gravest, mildest first.
    pub fn states(&self) -> impl Iterator<Item = (&'static str, u64)> {
        State::ALL.into_iter().skip(1).map(|state| {
            let accounts = self.accounts.values().filter(|gravest| **gravest == state);
            (state.name(), accounts.count() as u64)
        })
    }
    /// Both together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (action, count) in other.actions {
            *self.actions.entry(action).or_default() += count;
        }
        for (account, state) in other.accounts {
            let gravest = self.accounts.entry(account).or_default();
            *gravest = (*gravest).max(state);
        }
        self
    }
    fn count(&mut self, decision: &[u8]) {
        let action = value(decision, ACTION);
        match self
            .actions
            .get_mut(str::from_utf8(action).unwrap_or_default())
        {
            Some(count) => *count += 1,
            None => {
                self.actions
                    .insert(String::from_utf8_lossy(action).into_owned(), 1);
            }
        }
        let state = state(decision).unwrap_or_default();
        if state > State::Observe {
            let account = value(decision, ACCOUNT).to_vec();
            let gravest = self.accounts.entry(account).or_default();
            *gravest = (*gravest).max(state);
        }
    }
}

/// The state that a decision tells.
pub(crate) fn state(decision: &[u8]) -> Option<State> {
    let state = value(decision, STATE);
    State::ALL
        .into_iter()
        .find(|known| known.name().as_bytes() == state)
}

/// What follows `key` up to the end of the string, escapes as they are.
fn value<'d>(decision: &'d [u8], key: &[u8]) -> &'d [u8] {
    let rest = memchr::memmem::find(decision, key).and_then(|at| decision.get(at + key.len()..));
    let rest = rest.unwrap_or_default();
    let mut escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    rest.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// A decider whose actions are counted.
pub struct Counted<D, P> {
    decider: D,
    actions: Actions,
    untold: u64,
    progress: P,
}

impl<D: Decider, P: Fn(u64)> Counted<D, P> {
    /// Counts what `decider` decides; `progress` is told how many more, now and then.
    pub fn new(decider: D, progress: P) -> Self {
        Self {
            decider,
            actions: Actions::default(),
            untold: 0,
            progress,
        }
    }
}

impl<D: Decider, P: Fn(u64)> Decider for Counted<D, P> {
    type Error = D::Error;
    type Report = (D::Report, Actions);

    fn decide(
        &mut self,
        line: u64,
        exchange: &TraceLine<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), D::Error> {
        self.decider.decide(line, exchange, out)?;
        self.actions.count(out);
        self.untold += 1;
        if self.untold == PROGRESS_STEP {
            (self.progress)(std::mem::take(&mut self.untold));
        }
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<bool, D::Error> {
        self.decider.tick(now)
    }

    fn report(self) -> Self::Report {
        (self.decider.report(), self.actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_is_counted_whatever_stands_in_strings_before_it() {
        let mut actions = Actions::default();

        actions.count(
            br#"{"account":"\"action\":\"deny\"","action":"allow","would_action":"throttle"}"#,
        );

        assert_eq!(actions.iter().collect::<Vec<_>>(), [("allow", 1)]);
    }

    #[test]
    fn an_account_counts_once_with_the_gravest_state_that_any_worker_saw() {
        let of = |decisions: &[(&str, &str)]| {
            let mut actions = Actions::default();
            for (account, state) in decisions {
                let decision =
                    format!(r#"{{"account":"{account}","state":"{state}","action":"allow"}}"#);
                actions.count(decision.as_bytes());
            }
            actions
        };

        let one = of(&[("a", "watch"), (r#"q\"x"#, "restrict"), ("b", "observe")]);
        let other = of(&[("a", "restrict"), ("c", "watch"), (r#"q\"x"#, "watch")]);

        let states: Vec<_> = one.merge(other).states().collect();
        assert_eq!(
            states,
            [("watch", 1), ("step_up", 0), ("restrict", 2), ("block", 0)]
        );
    }
}

//! Counts what a decider decides, without parsing it again.
use super::Decider;
use crate::trace::TraceLine;
use std::collections::BTreeMap;

/// Exchanges after which progress is told.
const PROGRESS_STEP: u64 = 256;
/// What stands before the action in a decision. Nowhere else: inside a string the quotes were escaped.
const ACTION: &[u8] = b"\"action\":\"";

/// How often each action was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(BTreeMap<String, u64>);

impl Actions {
    /// Actions and their counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0
            .iter()
            .map(|(action, count)| (action.as_str(), *count))
    }
    /// Both together.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (action, count) in other.0 {
            *self.0.entry(action).or_default() += count;
        }
        self
    }
    fn count(&mut self, decision: &[u8]) {
        let action = decision
            .windows(ACTION.len())
            .position(|window| window == ACTION)
            .and_then(|at| decision.get(at + ACTION.len()..));
        let action = action
            .and_then(|rest| rest.split(|byte| *byte == b'"').next())
            .unwrap_or_default();
        match self.0.get_mut(str::from_utf8(action).unwrap_or_default()) {
            Some(count) => *count += 1,
            None => {
                self.0
                    .insert(String::from_utf8_lossy(action).into_owned(), 1);
            }
        }
    }
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
}

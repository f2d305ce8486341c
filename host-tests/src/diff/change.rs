//! From one action to another.
use std::collections::HashSet;
use std::fmt;
use weir_engine::verdict::Action;

/// What is done with an exchange under the policy and under the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// Under the policy.
    pub before: Action,
    /// Under the candidate.
    pub after: Action,
}

impl Change {
    /// Whether they differ.
    pub fn is_any(self) -> bool {
        self.before != self.after
    }
    /// Whether the candidate refuses what the policy lets pass.
    pub fn refuses(self) -> bool {
        self.before.passes() && !self.after.passes()
    }
    /// Whether the candidate lets pass what the policy refuses.
    pub fn frees(self) -> bool {
        !self.before.passes() && self.after.passes()
    }
    /// Whether the candidate is the stricter one.
    pub fn is_stricter(self) -> bool {
        self.after > self.before
    }
    /// Where it stands in a list: new refusals first, then what else became stricter, then the rest.
    pub(super) fn rank(self) -> u8 {
        match () {
            () if self.refuses() => 0,
            () if self.is_stricter() => 1,
            () if self.frees() => 2,
            () => 3,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} -> {}", self.before.name(), self.after.name())
    }
}

/// How far something reaches.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    pub(super) exchanges: u64,
    accounts: HashSet<u32>,
}

impl Reach {
    /// One exchange more, of the account with this number.
    pub(super) fn add(&mut self, account: Option<u32>) {
        self.exchanges += 1;
        self.accounts.extend(account);
    }
    pub(super) fn accounts(&self) -> u64 {
        self.accounts.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_is_whoever_does_not_reach_the_upstream() {
        let change = |before, after| Change { before, after };

        assert!(change(Action::Delay, Action::Verify).refuses());
        assert!(!change(Action::Verify, Action::Deny).refuses());
        assert!(change(Action::Throttle, Action::Shape).frees());
        assert!(!change(Action::Allow, Action::Allow).is_any());
        assert_eq!(
            change(Action::Allow, Action::Deny).to_string(),
            "allow -> deny"
        );
    }

    #[test]
    fn an_account_counts_once() {
        let mut reach = Reach::default();

        for account in [Some(1), None, Some(1), Some(2)] {
            reach.add(account);
        }

        assert_eq!((reach.exchanges, reach.accounts()), (4, 2));
    }
}

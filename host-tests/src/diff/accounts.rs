//! What two policies make of each account, over all of its exchanges.
use super::change::Change;
use super::ground::Ground;
use super::report::{AccountChange, AccountsRefused};
use std::collections::HashMap;

/// One account.
#[derive(Clone, Debug, Default)]
struct Account {
    exchanges: u64,
    refused_before: u64,
    refused_after: u64,
    newly: u64,
    freed: u64,
    /// The first line of each kind and what it rests on, on the side that refuses.
    first_newly: Option<(u64, u32)>,
    first_freed: Option<(u64, u32)>,
}

/// All accounts by number, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    numbers: HashMap<Box<str>, u32>,
    accounts: Vec<Account>,
    /// A policy has few grounds: accounts hold their numbers.
    grounds: Vec<Ground>,
}

impl Accounts {
    /// Takes in one exchange of `name`, and gives the account's number.
    pub(super) fn add(
        &mut self,
        name: &str,
        change: Change,
        line: u64,
        refused_for: &Ground,
    ) -> u32 {
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
                self.numbers.insert(name.into(), number);
                self.accounts.push(Account::default());
                number
            }
        };
        let first = (change.refuses() || change.frees()).then(|| (line, self.ground(refused_for)));
        if let Some(account) = self.accounts.get_mut(number as usize) {
            account.exchanges += 1;
            account.refused_before += u64::from(!change.before.passes());
            account.refused_after += u64::from(!change.after.passes());
            if change.refuses() {
                account.newly += 1;
                account.first_newly = account.first_newly.or(first);
            } else if change.frees() {
                account.freed += 1;
                account.first_freed = account.first_freed.or(first);
            }
        }
        number
    }
    pub(super) fn len(&self) -> u64 {
        self.accounts.len() as u64
    }
    /// How many accounts are refused anything at all, by whom.
    pub(super) fn refused(&self) -> AccountsRefused {
        let mut refused = AccountsRefused::default();
        for account in &self.accounts {
            let count = match (account.refused_before > 0, account.refused_after > 0) {
                (false, false) => &mut refused.never,
                (true, true) => &mut refused.by_both,
                (false, true) => &mut refused.newly,
                (true, false) => &mut refused.no_longer,
            };
            *count += 1;
        }
        refused
    }
    /// Accounts with exchanges that only the candidate refuses, and how many there are: those with the largest
    /// share of their exchanges first, at most `limit`.
    pub(super) fn newly_refused(&self, limit: usize) -> (u64, Vec<AccountChange>) {
        self.listed(limit, |account| (account.newly, account.first_newly))
    }
    /// The same for exchanges that only the policy refuses.
    pub(super) fn no_longer_refused(&self, limit: usize) -> (u64, Vec<AccountChange>) {
        self.listed(limit, |account| (account.freed, account.first_freed))
    }
    fn listed(
        &self,
        limit: usize,
        of: impl Fn(&Account) -> (u64, Option<(u64, u32)>),
    ) -> (u64, Vec<AccountChange>) {
        let mut found: Vec<AccountChange> = self
            .numbers
            .iter()
            .filter_map(|(name, number)| {
                let account = self.accounts.get(*number as usize)?;
                let (changed, first) = of(account);
                let (first_line, ground) = first?;
                let ground = self.grounds.get(ground as usize)?;
                Some(AccountChange {
                    account: name.to_string(),
                    exchanges: account.exchanges,
                    changed,
                    share: changed as f64 / account.exchanges.max(1) as f64,
                    refused_before: account.refused_before,
                    refused_after: account.refused_after,
                    first_line,
                    basis: ground.basis.clone(),
                    rule: ground.rule.clone(),
                })
            })
            .collect();
        let count = found.len() as u64;
        found.sort_by(|one, other| {
            let by_share = other.share.total_cmp(&one.share);
            by_share
                .then(other.changed.cmp(&one.changed))
                .then(one.first_line.cmp(&other.first_line))
        });
        found.truncate(limit);
        (count, found)
    }
    fn ground(&mut self, ground: &Ground) -> u32 {
        let known = self.grounds.iter().position(|known| known == ground);
        let place = known.unwrap_or_else(|| {
            self.grounds.push(ground.clone());
            self.grounds.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_engine::verdict::Action::{self, Allow, Deny, Shape};

    fn accounts(exchanges: &[(&str, Action, Action)]) -> Accounts {
        let mut accounts = Accounts::default();
        for (line, (name, before, after)) in (1..).zip(exchanges) {
            let change = Change {
                before: *before,
                after: *after,
            };
            accounts.add(name, change, line, &Ground::default());
        }
        accounts
    }

    #[test]
    fn whoever_loses_most_of_what_he_asks_for_comes_first() {
        let accounts = accounts(&[
            ("busy", Allow, Allow),
            ("busy", Allow, Deny),
            ("busy", Shape, Deny),
            ("small", Allow, Deny),
            ("freed", Deny, Allow),
        ]);

        let (count, listed) = accounts.newly_refused(10);
        let names: Vec<_> = listed.iter().map(|of| (&*of.account, of.changed)).collect();

        assert_eq!((count, names), (2, vec![("small", 1), ("busy", 2)]));
        assert_eq!(accounts.newly_refused(1).1.len(), 1);
        assert_eq!(accounts.no_longer_refused(10).1[0].first_line, 5);
    }

    #[test]
    fn an_account_is_newly_refused_at_all_where_it_never_was_before() {
        let accounts = accounts(&[
            ("again", Deny, Allow),
            ("again", Allow, Deny),
            ("new", Allow, Deny),
            ("old", Deny, Allow),
            ("quiet", Allow, Shape),
        ]);

        assert_eq!(
            accounts.refused(),
            AccountsRefused {
                never: 1,
                by_both: 1,
                newly: 1,
                no_longer: 1
            }
        );
    }
}

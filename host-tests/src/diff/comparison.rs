//! Takes in the two decisions of each exchange and keeps counts.
use super::accounts::Accounts;
use super::change::{Change, Reach};
use super::ground::Ground;
use super::pairing::{Compare, PairingError};
use super::report::{
    ChangeReach, Example, FORMAT, GroundChange, Group, Report, Reviewed, Sided, Standpoint,
};
use crate::decision::Decision;
use std::collections::{BTreeMap, BTreeSet};

/// Where an exchange without a tier, or without a capability, counts.
const NONE: &str = "none";

/// A comparison under way.
pub struct Comparison {
    /// Examples of each change, and accounts in each list, at most.
    limit: usize,
    exchanges: u64,
    without_account: u64,
    changed: Reach,
    other_account: u64,
    other_tier: u64,
    changes: BTreeMap<Change, Changed>,
    tiers: BTreeMap<String, Grouped>,
    capabilities: BTreeMap<String, Grouped>,
    reasons: BTreeMap<String, Grouped>,
    grounds: BTreeMap<(Change, Ground, Ground), Reach>,
    accounts: Accounts,
}

#[derive(Default)]
struct Changed {
    reach: Reach,
    examples: Vec<Example>,
}

#[derive(Default)]
struct Grouped {
    exchanges: u64,
    changes: BTreeMap<Change, Reach>,
}

impl Comparison {
    /// Nothing yet; `limit` examples of each change will be kept, and as many accounts listed.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            exchanges: 0,
            without_account: 0,
            changed: Reach::default(),
            other_account: 0,
            other_tier: 0,
            changes: BTreeMap::new(),
            tiers: BTreeMap::new(),
            capabilities: BTreeMap::new(),
            reasons: BTreeMap::new(),
            grounds: BTreeMap::new(),
            accounts: Accounts::default(),
        }
    }

    fn take(&mut self, line: u64, before: &Decision<'_>, after: &Decision<'_>, change: Change) {
        self.exchanges += 1;
        let (ground_before, ground_after) = (Ground::of(before), Ground::of(after));
        let refusal = if change.frees() {
            &ground_before
        } else {
            &ground_after
        };
        let name = before.account.as_deref().or(after.account.as_deref());
        let account = name.map(|name| self.accounts.add(name, change, line, refusal));
        self.without_account += u64::from(account.is_none());
        self.other_account += u64::from(before.account != after.account);
        self.other_tier += u64::from(before.tier != after.tier);
        count(&mut self.tiers, &tier(before, after), change, account);
        let asked: BTreeSet<&str> = before
            .capabilities
            .iter()
            .chain(&after.capabilities)
            .map(String::as_str)
            .collect();
        for capability in &asked {
            count(&mut self.capabilities, capability, change, account);
        }
        if asked.is_empty() {
            count(&mut self.capabilities, NONE, change, account);
        }
        if change.is_any() {
            self.changed.add(account);
            let stricter = if change.is_stricter() { after } else { before };
            let codes: BTreeSet<&str> = stricter
                .telling()
                .into_iter()
                .map(|reason| reason.code.as_str())
                .collect();
            for code in codes {
                count(&mut self.reasons, code, change, account);
            }
            let changed = self.changes.entry(change).or_default();
            changed.reach.add(account);
            let is_known =
                |example: &Example| account.is_some() && example.account.as_deref() == name;
            if changed.examples.len() < self.limit && !changed.examples.iter().any(is_known) {
                changed.examples.push(example(line, name, before, after));
            }
        }
        if change.is_any() || ground_before != ground_after {
            self.grounds
                .entry((change, ground_before, ground_after))
                .or_default()
                .add(account);
        }
    }

    /// The report of a comparison of `policy` with `candidate`.
    pub fn report(&self, policy: Reviewed, candidate: Reviewed) -> Report {
        let (newly_refused_accounts, newly_refused) = self.accounts.newly_refused(self.limit);
        let (no_longer_refused_accounts, no_longer_refused) =
            self.accounts.no_longer_refused(self.limit);
        let mut changes: Vec<_> = self
            .changes
            .iter()
            .map(|(change, changed)| {
                let examples = changed.examples.clone();
                (*change, reach(*change, &changed.reach, examples))
            })
            .collect();
        order(&mut changes);
        let (grounds, same_action) = self
            .grounds
            .iter()
            .partition::<Vec<_>, _>(|((change, ..), _)| change.is_any());
        let mut reasons = groups(&self.reasons);
        reasons.sort_by_key(|group| std::cmp::Reverse(group.exchanges));
        Report {
            format: FORMAT,
            policy,
            candidate,
            engine: String::new(),
            workers: 1,
            exchanges: self.exchanges,
            skipped: 0,
            accounts: self.accounts.len(),
            without_account: self.without_account,
            changed_exchanges: self.changed.exchanges,
            changed_accounts: self.changed.accounts(),
            other_account: self.other_account,
            other_tier: self.other_tier,
            changes: changes.into_iter().map(|(_, reach)| reach).collect(),
            tiers: groups(&self.tiers),
            capabilities: groups(&self.capabilities),
            grounds: ground_changes(grounds),
            same_action: ground_changes(same_action),
            reasons,
            accounts_refused: self.accounts.refused(),
            newly_refused_accounts,
            newly_refused,
            no_longer_refused_accounts,
            no_longer_refused,
        }
    }
}

impl Compare for Comparison {
    fn compare(&mut self, before: &[u8], after: &[u8]) -> Result<(), PairingError> {
        let line = self.exchanges + 1;
        let parse = |decision| {
            Decision::parse(decision).map_err(|error| PairingError::NoDecision { line, error })
        };
        let (before, after) = (parse(before)?, parse(after)?);
        let lines = [&before, &after].map(|decision| decision.line.unwrap_or_default());
        let [one, other] = lines;
        if one != other {
            return Err(PairingError::Apart {
                before: one,
                after: other,
            });
        }
        let unknown = || PairingError::UnknownAction { line: one };
        let change = Change {
            before: before.action().ok_or_else(unknown)?,
            after: after.action().ok_or_else(unknown)?,
        };
        self.take(one, &before, &after, change);
        Ok(())
    }
}

fn tier(before: &Decision<'_>, after: &Decision<'_>) -> String {
    let [from, to] = [before, after].map(|decision| decision.tier.as_deref().unwrap_or(NONE));
    if from == to {
        from.to_owned()
    } else {
        format!("{from} -> {to}")
    }
}

fn count(groups: &mut BTreeMap<String, Grouped>, name: &str, change: Change, account: Option<u32>) {
    if !groups.contains_key(name) {
        groups.insert(name.to_owned(), Grouped::default());
    }
    if let Some(group) = groups.get_mut(name) {
        group.exchanges += 1;
        if change.is_any() {
            group.changes.entry(change).or_default().add(account);
        }
    }
}

fn example(
    line: u64,
    account: Option<&str>,
    before: &Decision<'_>,
    after: &Decision<'_>,
) -> Example {
    Example {
        line,
        time: after.time.clone().into_owned(),
        account: account.map(str::to_owned),
        endpoint: after.endpoint.clone().into_owned(),
        model: after.model.clone().or_else(|| before.model.clone()),
        capabilities: after.capabilities.clone(),
        before: Sided::of(before),
        after: Sided::of(after),
    }
}

fn reach(change: Change, reach: &Reach, examples: Vec<Example>) -> ChangeReach {
    ChangeReach {
        before: change.before.name(),
        after: change.after.name(),
        exchanges: reach.exchanges,
        accounts: reach.accounts(),
        examples,
    }
}

/// New refusals first, and the most frequent change first among its like.
fn order(changes: &mut [(Change, ChangeReach)]) {
    changes.sort_by_key(|(change, reach)| (change.rank(), std::cmp::Reverse(reach.exchanges)));
}

fn groups(groups: &BTreeMap<String, Grouped>) -> Vec<Group> {
    groups
        .iter()
        .map(|(name, group)| {
            let mut changes: Vec<_> = group
                .changes
                .iter()
                .map(|(change, of)| (*change, reach(*change, of, Vec::new())))
                .collect();
            order(&mut changes);
            Group {
                name: name.clone(),
                exchanges: group.exchanges,
                changes: changes.into_iter().map(|(_, reach)| reach).collect(),
            }
        })
        .collect()
}

fn ground_changes(mut of: Vec<(&(Change, Ground, Ground), &Reach)>) -> Vec<GroundChange> {
    of.sort_by_key(|((change, ..), reach)| (change.rank(), std::cmp::Reverse(reach.exchanges)));
    of.into_iter()
        .map(|((change, before, after), reach)| GroundChange {
            before: Standpoint::new(change.before.name(), before),
            after: Standpoint::new(change.after.name(), after),
            exchanges: reach.exchanges,
            accounts: reach.accounts(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(line: u64, account: &str, action: &str, basis: &str, rule: &str) -> String {
        format!(
            r#"{{"line":{line},"time":"2026-05-01T12:00:00Z","policy":{{"name":"p","version":"1","digest":"d"}},"mode":"enforce","account":"{account}","tier":"basic","endpoint":"openai.chat","model":"m","capabilities":["logprobs","agentic_tools"],"state":"observe","action":"allow","would_action":"{action}","basis":"{basis}","score":null,"reasons":[{{"code":"BUDGET_USED","value":3.0,"weight":0.0}}],"campaign":null,"rule":"{rule}","tokens":null}}"#
        )
    }

    fn compare(pairs: &[(String, String)]) -> Report {
        let mut comparison = Comparison::new(2);
        for (before, after) in pairs {
            comparison
                .compare(before.as_bytes(), after.as_bytes())
                .unwrap();
        }
        comparison.report(Reviewed::default(), Reviewed::default())
    }

    #[test]
    fn who_changes_from_what_to_what_is_counted_by_everything() {
        let allow = |line, account| decision(line, account, "allow", "none", "x");
        let deny = |line, account| decision(line, account, "deny", "budget", "budgets.b");
        let report = compare(&[
            (allow(1, "a"), deny(1, "a")),
            (allow(2, "a"), deny(2, "a")),
            (deny(3, "b"), allow(3, "b")),
            (deny(4, "c"), deny(4, "c")),
        ]);

        assert_eq!((report.exchanges, report.accounts), (4, 3));
        assert_eq!((report.changed_exchanges, report.changed_accounts), (3, 2));
        let changes: Vec<_> = report
            .changes
            .iter()
            .map(|of| (of.before, of.after, of.exchanges, of.accounts))
            .collect();
        assert_eq!(changes, [("allow", "deny", 2, 1), ("deny", "allow", 1, 1)]);
        assert_eq!(report.changes[0].examples.len(), 1, "one an account");
        assert_eq!(report.tiers[0].exchanges, 4);
        assert_eq!(report.capabilities.len(), 2);
        assert_eq!(report.reasons[0].exchanges, 3);
        assert_eq!(report.grounds[0].after.rule.as_deref(), Some("budgets.b"));
        assert_eq!(report.newly_refused[0].account, "a");
        assert_eq!(report.no_longer_refused[0].account, "b");
        assert!(report.same_action.is_empty());
    }

    #[test]
    fn the_same_action_for_another_reason_is_no_change_but_is_told() {
        let report = compare(&[(
            decision(1, "a", "deny", "budget", "budgets.b"),
            decision(1, "a", "deny", "list", "lists.deny[0]"),
        )]);

        assert!(report.is_same() && report.grounds.is_empty());
        assert_eq!(report.same_action[0].exchanges, 1);
    }

    #[test]
    fn an_account_that_changes_its_tier_is_listed_under_both() {
        let before = decision(1, "a", "allow", "none", "x");
        let after = before.replace("basic", "vetted");

        let report = compare(&[(before, after)]);

        assert_eq!(
            (report.tiers[0].name.as_str(), report.other_tier),
            ("basic -> vetted", 1)
        );
    }

    #[test]
    fn decisions_of_different_lines_are_not_compared() {
        let mut comparison = Comparison::new(2);
        let [one, other] = [1, 2].map(|line| decision(line, "a", "allow", "none", "x"));

        let refused = comparison.compare(one.as_bytes(), other.as_bytes());

        assert_eq!(
            refused,
            Err(PairingError::Apart {
                before: 1,
                after: 2
            })
        );
    }
}

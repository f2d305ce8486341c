//! How a campaign fared: how much of it was found, how fast, and what it got away with.
//!
//! Times count from its first attack request in the scored window, not from any later point at which
//! a detector would have had a chance. An account counts as active from its own first attack on.
use super::Reasons;
use super::account::{Account, NEVER};
use serde::Serialize;

const HOUR_NS: u64 = 3_600_000_000_000;
/// With fewer active accounts than this, "90 % of them" is chance.
const FEWEST_ACTIVE: u64 = 10;

/// Attack exchanges by hour of the scored window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timeline {
    begin: u64,
    total: Vec<u32>,
    served: Vec<u32>,
}

impl Timeline {
    /// From `begin` to `end`, nanoseconds since the epoch.
    pub(super) fn new(begin: u64, end: u64) -> Self {
        let hours = end.saturating_sub(begin).div_ceil(HOUR_NS) as usize;
        Self {
            begin,
            total: vec![0; hours],
            served: vec![0; hours],
        }
    }
    /// Counts one exchange; those outside of the window are not counted.
    #[inline]
    pub(super) fn add(&mut self, time: u64, served: bool) {
        let hour = (time.saturating_sub(self.begin) / HOUR_NS) as usize;
        if let (Some(total), Some(through)) = (self.total.get_mut(hour), self.served.get_mut(hour))
        {
            *total += 1;
            *through += u32::from(served);
        }
    }
    /// Served in all hours up to the one of `time`, that one included.
    fn served_until(&self, time: u64) -> u64 {
        let hour = (time.saturating_sub(self.begin) / HOUR_NS) as usize;
        self.served
            .iter()
            .take(hour.saturating_add(1))
            .map(|served| u64::from(*served))
            .sum()
    }
    fn daily(hours: &[u32]) -> Vec<u64> {
        hours
            .chunks(24)
            .map(|day| day.iter().map(|count| u64::from(*count)).sum())
            .collect()
    }
}

/// A point that a campaign's containment reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Milestone {
    /// Hours since the campaign's first attack request.
    pub hours: f64,
    /// Attack exchanges served until then, counted to the end of that hour.
    pub served: u64,
}

/// One campaign in one seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CampaignScore {
    /// Name in the scenario.
    pub name: String,
    /// Family, `A1`, ...
    pub family: String,
    /// Accounts that attacked in the window.
    pub accounts: u64,
    /// Of these, ever restricted until the end.
    pub restricted: u64,
    /// Accounts whose first attack is at least 24 h before the end, and of these, restricted within 24 h of it.
    pub eligible_24h: u64,
    /// See `eligible_24h`.
    pub within_24h: u64,
    /// The same for 72 h.
    pub eligible_72h: u64,
    /// See `eligible_72h`.
    pub within_72h: u64,
    /// Attack exchanges sent.
    pub attack: u64,
    /// Of these, sent while the account was not restricted.
    pub served: u64,
    /// Of these, sent before the account's first restriction.
    pub before: u64,
    /// Exchanges of real customers that its accounts carried, and how many of these were refused.
    pub customers: u64,
    /// See `customers`.
    pub customers_refused: u64,
    /// First restriction of any of its accounts.
    pub first: Option<Milestone>,
    /// Half of the then-active accounts restricted (with at least ten active, or all).
    pub half: Option<Milestone>,
    /// Nine tenths.
    pub ninety: Option<Milestone>,
    /// Attack exchanges by day of the window: sent.
    pub daily_attack: Vec<u64>,
    /// Served.
    pub daily_served: Vec<u64>,
    /// Correctness of the reasons given at restriction.
    pub reasons: Reasons,
}

impl CampaignScore {
    /// Takes the records of its accounts; `end` is the window's, in nanoseconds.
    pub(super) fn take(&mut self, accounts: &[&Account], timeline: &Timeline, end: u64) {
        let attackers: Vec<&Account> = accounts
            .iter()
            .copied()
            .filter(|account| account.first_attack != NEVER)
            .collect();
        for account in accounts {
            self.customers += u64::from(account.organic);
            self.customers_refused += u64::from(account.organic_refused);
        }
        for account in &attackers {
            self.accounts += 1;
            self.restricted += u64::from(account.first_restrict != NEVER);
            self.attack += u64::from(account.attack);
            self.served += u64::from(account.attack_served);
            self.before += u64::from(account.attack_before);
            let (eligible, within) = horizon(account, 24, end);
            self.eligible_24h += eligible;
            self.within_24h += within;
            let (eligible, within) = horizon(account, 72, end);
            self.eligible_72h += eligible;
            self.within_72h += within;
        }
        self.first = milestone(&attackers, 0.0, timeline);
        self.half = milestone(&attackers, 0.5, timeline);
        self.ninety = milestone(&attackers, 0.9, timeline);
        self.daily_attack = Timeline::daily(&timeline.total);
        self.daily_served = Timeline::daily(&timeline.served);
    }
}

/// Whether the account began early enough to be judged at `hours`, and whether it was restricted by then.
fn horizon(account: &Account, hours: u64, end: u64) -> (u64, u64) {
    let due = account.first_attack.saturating_add(hours * HOUR_NS);
    let eligible = due <= end;
    let within = eligible && account.first_restrict <= due;
    (u64::from(eligible), u64::from(within))
}

/// When the share of restricted among active accounts first reached `share` (0: any one at all).
fn milestone(attackers: &[&Account], share: f64, timeline: &Timeline) -> Option<Milestone> {
    let begin = attackers.iter().map(|account| account.first_attack).min()?;
    let mut events: Vec<(u64, bool)> = attackers
        .iter()
        .map(|account| (account.first_attack, false))
        .chain(
            attackers
                .iter()
                .filter(|account| account.first_restrict != NEVER)
                .map(|account| (account.first_restrict.max(account.first_attack), true)),
        )
        .collect();
    events.sort_unstable();
    let fewest = if share > 0.0 {
        FEWEST_ACTIVE.min(attackers.len() as u64)
    } else {
        1
    };
    let (mut active, mut restricted) = (0_u64, 0_u64);
    for (time, is_restriction) in events {
        if is_restriction {
            restricted += 1;
        } else {
            active += 1;
        }
        if restricted > 0 && active >= fewest && restricted as f64 >= share * active as f64 {
            return Some(Milestone {
                hours: time.saturating_sub(begin) as f64 / HOUR_NS as f64,
                served: timeline.served_until(time),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(first_attack_h: u64, restricted_h: Option<u64>) -> Account {
        Account {
            first_attack: first_attack_h * HOUR_NS,
            first_restrict: restricted_h.map_or(NEVER, |hours| hours * HOUR_NS),
            ..Account::default()
        }
    }

    #[test]
    fn recall_at_a_horizon_counts_only_accounts_that_had_that_long() {
        let late = account(90, Some(95));
        let quick = account(0, Some(20));
        let slow = account(0, Some(30));
        let never = account(0, None);
        let mut score = CampaignScore::default();

        score.take(
            &[&late, &quick, &slow, &never],
            &Timeline::new(0, 100 * HOUR_NS),
            100 * HOUR_NS,
        );

        assert_eq!((score.accounts, score.restricted), (4, 3));
        assert_eq!((score.eligible_24h, score.within_24h), (3, 1));
        assert_eq!((score.eligible_72h, score.within_72h), (3, 2));
    }

    #[test]
    fn milestones_count_from_the_first_attack_and_tell_what_was_served_by_then() {
        let accounts: Vec<Account> = (0..10).map(|i| account(5, Some(10 + i))).collect();
        let mut timeline = Timeline::new(0, 48 * HOUR_NS);
        for hour in 5..20 {
            timeline.add(hour * HOUR_NS, hour < 15);
        }
        let mut score = CampaignScore::default();

        score.take(
            &accounts.iter().collect::<Vec<_>>(),
            &timeline,
            48 * HOUR_NS,
        );

        assert_eq!(
            score.first,
            Some(Milestone {
                hours: 5.0,
                served: 6
            })
        );
        assert_eq!(
            score.half,
            Some(Milestone {
                hours: 9.0,
                served: 10
            })
        );
        assert_eq!(score.ninety.map(|point| point.hours), Some(13.0));
        assert_eq!(score.daily_attack, [15, 0]);
        assert_eq!(score.daily_served, [10, 0]);
    }

    #[test]
    fn a_first_lucky_hit_is_not_ninety_percent_of_the_campaign() {
        let mut accounts = vec![account(0, Some(1))];
        accounts.extend((0..19).map(|_| account(2, None)));
        let mut score = CampaignScore::default();

        score.take(
            &accounts.iter().collect::<Vec<_>>(),
            &Timeline::new(0, HOUR_NS),
            HOUR_NS,
        );

        assert!(score.first.is_some());
        assert_eq!((score.half, score.ninety), (None, None));
    }
}

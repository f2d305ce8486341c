//! What any score would have done at any threshold: recall, share served and false positives.
//!
//! Kept are the highest score of every organic account and, for campaign accounts, the highest score
//! so far and the attack exchanges of each day. A threshold then acts from the day after the score
//! passed it, so methods of all kinds are compared at one daily granularity. A method that only knows
//! at the end has a score on the last day only, so that all its attack exchanges were served.
use serde::Serialize;

/// A campaign account's days.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Index of its campaign.
    pub campaign: u8,
    /// Attack exchanges by day of the scored window.
    pub attack: Vec<u32>,
    /// Highest score so far at the end of each day.
    pub peak: Vec<f32>,
}

/// The scores of one method in one seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sweep {
    /// Highest scores of organic accounts, in no order.
    pub organic: Vec<f32>,
    /// Accounts that attacked.
    pub accounts: Vec<History>,
}

/// What a threshold does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Operating {
    /// Organic accounts with a score above it, and all of them.
    pub false_positives: u64,
    /// See `false_positives`.
    pub organic: u64,
    /// Campaign accounts with a score above it, and all of them.
    pub found: u64,
    /// See `found`.
    pub accounts: u64,
    /// Attack exchanges before the account was found, and all of them.
    pub served: u64,
    /// See `served`.
    pub attack: u64,
}

impl Operating {
    /// Share of organic accounts wrongly found.
    pub fn false_positive_rate(&self) -> f64 {
        super::intervals::share(self.false_positives, self.organic)
    }
    /// Share of campaign accounts found.
    pub fn recall(&self) -> f64 {
        super::intervals::share(self.found, self.accounts)
    }
    /// Share of attack exchanges served before their account was found.
    pub fn served_share(&self) -> f64 {
        super::intervals::share(self.served, self.attack)
    }
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            false_positives: self.false_positives + other.false_positives,
            organic: self.organic + other.organic,
            found: self.found + other.found,
            accounts: self.accounts + other.accounts,
            served: self.served + other.served,
            attack: self.attack + other.attack,
        }
    }
}

impl Sweep {
    /// What acting on scores above `threshold` does; `counts` picks campaigns by index.
    pub fn at(&self, threshold: f32, counts: impl Fn(u8) -> bool) -> Operating {
        let mut result = Operating {
            false_positives: self
                .organic
                .iter()
                .filter(|score| **score > threshold)
                .count() as u64,
            organic: self.organic.len() as u64,
            ..Operating::default()
        };
        for account in self
            .accounts
            .iter()
            .filter(|account| counts(account.campaign))
        {
            let found = account.peak.iter().position(|peak| *peak > threshold);
            let until = found.map_or(usize::MAX, |day| day + 1);
            result.accounts += 1;
            result.found += u64::from(found.is_some());
            let sum = |days: usize| -> u64 {
                account
                    .attack
                    .iter()
                    .take(days)
                    .map(|count| u64::from(*count))
                    .sum()
            };
            result.served += sum(until);
            result.attack += sum(usize::MAX);
        }
        result
    }
    /// The lowest threshold that at most this share of the organic accounts of `sweeps` pass.
    /// Infinite without organic accounts: nothing was learned about them.
    pub fn threshold<'a>(sweeps: impl IntoIterator<Item = &'a Self>, rate: f64) -> f32 {
        let mut scores: Vec<f32> = sweeps
            .into_iter()
            .flat_map(|sweep| sweep.organic.iter().copied())
            .collect();
        scores.sort_by(|left, right| right.total_cmp(left));
        let allowed = (scores.len() as f64 * rate).floor() as usize;
        if scores.is_empty() {
            return f32::INFINITY;
        }
        // Above the score at `allowed` there are at most `allowed` scores, fewer where there are ties.
        scores.get(allowed).copied().unwrap_or(f32::NEG_INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep() -> Sweep {
        Sweep {
            organic: (0..1000).map(|score| score as f32 / 1000.0).collect(),
            accounts: vec![
                History {
                    campaign: 0,
                    attack: vec![10, 10, 10],
                    peak: vec![0.0, 2.0, 2.0],
                },
                History {
                    campaign: 1,
                    attack: vec![5, 5, 5],
                    peak: vec![0.0, 0.0, 0.5],
                },
            ],
        }
    }

    #[test]
    fn a_threshold_acts_from_the_day_after_it_was_passed() {
        let result = sweep().at(1.0, |_| true);

        assert_eq!((result.found, result.accounts), (1, 2));
        assert_eq!((result.served, result.attack), (20 + 15, 45));
        assert_eq!(result.false_positives, 0);
        assert_eq!(sweep().at(1.0, |campaign| campaign == 1).found, 0);
    }

    #[test]
    fn what_is_found_on_the_last_day_was_served_whole() {
        let result = sweep().at(0.4, |campaign| campaign == 1);

        assert_eq!((result.found, result.served, result.attack), (1, 15, 15));
    }

    #[test]
    fn a_calibrated_threshold_lets_at_most_its_share_of_organic_accounts_pass() {
        for rate in [0.0, 0.001, 0.01, 0.5, 1.0] {
            let threshold = Sweep::threshold([&sweep()], rate);
            let passed = sweep().at(threshold, |_| true).false_positive_rate();

            assert!(passed <= rate && passed > rate - 0.002, "{rate}: {passed}");
        }
    }

    #[test]
    fn ties_never_push_the_rate_over_its_limit() {
        let tied = Sweep {
            organic: vec![1.0; 100],
            accounts: Vec::new(),
        };

        let threshold = Sweep::threshold([&tied], 0.05);

        assert_eq!(tied.at(threshold, |_| true).false_positives, 0);
        assert_eq!(Sweep::threshold([], 0.5), f32::INFINITY);
    }
}

//! Counts one seed while it runs: a record per account, found by number, and little else.
//!
//! Exchanges count in the scored window only. Standings count from the first on: a restriction of the burn-in
//! lasts into the window, so an organic account that it hit is a false positive. Per exchange
//! there is no hashing and no allocation (accounts are met once); memory is O(accounts) plus, for
//! campaign accounts only, a number per day.
use super::account::{Account, NEVER};
use super::campaign::Timeline;
use super::organic::{Organic, STRATA};
use super::{Calibration, Campaign, CampaignScore, Cluster, History, Reasons, Sweep, Window};
use crate::world::{Person, Turn};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use weir_engine::detect::{Standing, State};
use weir_engine::time::Timestamp;

const DAY_NS: u64 = 86_400_000_000_000;

/// Scores at the end of a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DayPoint {
    /// By campaign: the 10 %, 50 % and 90 % quantiles of its active accounts' scores; `None` before it begins.
    pub campaigns: Vec<Option<[f32; 3]>>,
    /// Highest score of any organic account.
    pub highest_organic: f32,
}

/// What one seed came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeedScore {
    /// Exchanges in the window.
    pub exchanges: u64,
    /// All organic accounts active in the window.
    pub organic: Organic,
    /// The same by stratum, in the order of [`STRATA`].
    pub strata: Vec<Organic>,
    /// Organic accounts by organization, hits being accounts ever acted on.
    pub organizations: Vec<Cluster>,
    /// Organic accounts by the program that they were first seen with.
    pub programs: Vec<Cluster>,
    /// By campaign of the scenario.
    pub campaigns: Vec<CampaignScore>,
    /// Scores at the end against the truth.
    pub calibration: Calibration,
    /// Highest scores, for any threshold.
    pub sweep: Sweep,
    /// Scores over days.
    pub days: Vec<DayPoint>,
}

/// Counts a running seed.
pub struct Scoreboard {
    scored: u64,
    end: u64,
    accounts: Vec<Account>,
    /// Numbers of accounts by the hash that standings name them with.
    numbers: HashMap<u64, u32>,
    campaigns: Vec<Campaign>,
    timelines: Vec<Timeline>,
    reasons: Vec<Reasons>,
    histories: BTreeMap<u32, History>,
    days: Vec<DayPoint>,
    exchanges: u64,
}

impl Scoreboard {
    /// An empty board.
    pub fn new(window: Window, campaigns: &[Campaign]) -> Self {
        let scored = window.scored.as_unix_nanos();
        let end = window.end.as_unix_nanos();
        Self {
            scored,
            end,
            accounts: Vec::new(),
            numbers: HashMap::new(),
            campaigns: campaigns.to_vec(),
            timelines: vec![Timeline::new(scored, end); campaigns.len()],
            reasons: vec![Reasons::default(); campaigns.len()],
            histories: BTreeMap::new(),
            days: Vec::new(),
            exchanges: 0,
        }
    }

    /// Counts one exchange; returns the state that its account is in. From the moment that a campaign has
    /// taken an account over, it is the campaign's; what it sent before stays its former owner's.
    #[inline]
    pub fn exchange(&mut self, turn: &Turn, hash: u64, person: Option<&Person>) -> State {
        let index = turn.account as usize;
        if self
            .accounts
            .get(index)
            .is_none_or(|account| !account.known)
        {
            self.meet(turn, hash, person);
        }
        let time = turn.time.as_unix_nanos();
        let Some(account) = self.accounts.get_mut(index) else {
            return State::Observe;
        };
        let state = account.state;
        account.campaign = person.and_then(|person| person.campaign);
        if time < self.scored {
            return state;
        }
        self.exchanges += 1;
        match account.campaign {
            Some(campaign) if !turn.customer => {
                let served = state < State::Restrict;
                account.first_attack = account.first_attack.min(time);
                account.attack += 1;
                account.attack_today += 1;
                account.attack_served += u32::from(served);
                account.attack_before += u32::from(account.first_restrict == NEVER);
                if let Some(timeline) = self.timelines.get_mut(usize::from(campaign)) {
                    timeline.add(time, served);
                }
            }
            _ => {
                account.organic += 1;
                account.organic_refused += u32::from(state >= State::Restrict);
                account.organic_stepped += u32::from(state >= State::StepUp);
            }
        }
        state
    }

    #[cold]
    fn meet(&mut self, turn: &Turn, hash: u64, person: Option<&Person>) {
        let index = turn.account as usize;
        if self.accounts.len() <= index {
            self.accounts.resize_with(index + 1, Account::default);
        }
        if let Some(account) = self.accounts.get_mut(index) {
            account.meet(person, turn.program);
        }
        self.numbers.insert(hash, turn.account);
    }

    /// Takes a standing that changed at `now`. Standings of unknown accounts and those of a detector
    /// that is still learning are not counted.
    pub fn standing(&mut self, hash: u64, now: Timestamp, standing: &Standing) {
        let Some(account) = self
            .numbers
            .get(&hash)
            .and_then(|number| self.accounts.get_mut(*number as usize))
        else {
            return;
        };
        account.state = standing.state;
        if standing.learned < 1.0 {
            return;
        }
        account.score = standing.score;
        account.peak = account.peak.max(standing.score);
        let now = now.as_unix_nanos();
        let newly_restricted = standing.state >= State::Restrict && account.first_restrict == NEVER;
        for (first, least) in [
            (&mut account.first_watch, State::Watch),
            (&mut account.first_step_up, State::StepUp),
            (&mut account.first_restrict, State::Restrict),
        ] {
            if standing.state >= least && *first == NEVER {
                *first = now;
            }
        }
        if let Some(campaign) = account
            .campaign
            .map(usize::from)
            .filter(|_| newly_restricted)
            && let (Some(reasons), Some(truth)) =
                (self.reasons.get_mut(campaign), self.campaigns.get(campaign))
        {
            reasons.add(standing, truth.properties);
        }
    }

    /// Ends a day of the scored window: what scores are now, and what was sent today.
    pub fn end_day(&mut self) {
        let day = self.days.len();
        let mut scores: Vec<Vec<f32>> = vec![Vec::new(); self.campaigns.len()];
        let mut highest_organic = f32::NEG_INFINITY;
        for (number, account) in (0_u32..).zip(&mut self.accounts) {
            let Some(campaign) = account.campaign else {
                if account.known {
                    highest_organic = highest_organic.max(account.score);
                }
                continue;
            };
            if account.first_attack == NEVER {
                continue;
            }
            if let Some(scores) = scores.get_mut(usize::from(campaign)) {
                scores.push(account.score);
            }
            let history = self.histories.entry(number).or_insert_with(|| History {
                campaign,
                attack: vec![0; day],
                peak: vec![super::account::PRIOR; day],
            });
            history
                .attack
                .push(std::mem::take(&mut account.attack_today));
            history.peak.push(account.peak);
        }
        self.days.push(DayPoint {
            campaigns: scores.into_iter().map(quantiles).collect(),
            highest_organic,
        });
    }

    /// Attack exchanges of campaign accounts by day, by account number; see [`Sweep::accounts`].
    pub fn histories(&self) -> &BTreeMap<u32, History> {
        &self.histories
    }

    /// Whether an account is organic and was active in the window.
    pub fn is_organic(&self, number: usize) -> bool {
        self.accounts
            .get(number)
            .is_some_and(|account| account.campaign.is_none() && account.organic > 0)
    }

    /// The campaign of an account that attacked in the window.
    pub fn attacker(&self, number: usize) -> Option<u8> {
        self.accounts
            .get(number)
            .filter(|account| account.first_attack != NEVER)
            .and_then(|account| account.campaign)
    }

    /// The organization of an account.
    pub fn organization(&self, number: usize) -> u64 {
        self.accounts
            .get(number)
            .map_or(0, |account| account.organization)
    }

    /// The families of campaigns, by index.
    pub fn families(&self) -> Vec<String> {
        self.campaigns
            .iter()
            .map(|campaign| campaign.family.clone())
            .collect()
    }

    /// Accounts by number, seen or not.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Accounts seen.
    pub fn known(&self) -> u64 {
        self.numbers.len() as u64
    }

    /// What it all came to. Days that did not end are ended first, so that nothing is lost.
    pub fn finish(mut self) -> SeedScore {
        let days = self.end.saturating_sub(self.scored).div_ceil(DAY_NS) as usize;
        while self.days.len() < days {
            self.end_day();
        }
        let mut result = SeedScore {
            exchanges: self.exchanges,
            strata: vec![Organic::default(); STRATA.len()],
            days: self.days,
            ..SeedScore::default()
        };
        let mut organizations: BTreeMap<u64, Cluster> = BTreeMap::new();
        let mut programs: BTreeMap<u32, Cluster> = BTreeMap::new();
        for account in self.accounts.iter().filter(|account| account.known) {
            let attacked = account.first_attack != NEVER;
            if attacked || (account.campaign.is_none() && account.organic > 0) {
                result.calibration.add(account.score, attacked);
            }
            if account.campaign.is_some() || account.organic == 0 {
                continue;
            }
            let counts = organic(account);
            result.organic = result.organic.plus(counts);
            if let Some(stratum) = result.strata.get_mut(usize::from(account.stratum)) {
                *stratum = stratum.plus(counts);
            }
            for cluster in [
                organizations.entry(account.organization).or_default(),
                programs.entry(account.program).or_default(),
            ] {
                cluster.accounts += 1;
                cluster.hits += u32::from(account.first_restrict != NEVER);
            }
            result.sweep.organic.push(account.peak);
        }
        result.organizations = organizations.into_values().collect();
        result.programs = programs.into_values().collect();
        result.sweep.accounts = self.histories.into_values().collect();
        for (index, campaign) in self.campaigns.iter().enumerate() {
            let accounts: Vec<&Account> = self
                .accounts
                .iter()
                .filter(|account| account.campaign.map(usize::from) == Some(index))
                .collect();
            let mut score = CampaignScore {
                name: campaign.name.clone(),
                family: campaign.family.clone(),
                reasons: self.reasons.get(index).copied().unwrap_or_default(),
                ..CampaignScore::default()
            };
            if let Some(timeline) = self.timelines.get(index) {
                score.take(&accounts, timeline, self.end);
            }
            result.campaigns.push(score);
        }
        result
    }
}

fn organic(account: &Account) -> Organic {
    Organic {
        accounts: 1,
        watched: u64::from(account.first_watch != NEVER),
        stepped_up: u64::from(account.first_step_up != NEVER),
        acted: u64::from(account.first_restrict != NEVER),
        requests: u64::from(account.organic),
        requests_refused: u64::from(account.organic_refused),
        requests_stepped_up: u64::from(account.organic_stepped),
    }
}

/// The 10 %, 50 % and 90 % quantiles.
fn quantiles(mut scores: Vec<f32>) -> Option<[f32; 3]> {
    scores.sort_by(f32::total_cmp);
    let last = scores.len().checked_sub(1)?;
    let at = |q: f64| scores.get((q * last as f64).round() as usize).copied();
    Some([at(0.1)?, at(0.5)?, at(0.9)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::fixture;

    const HOUR: u64 = 3_600_000_000_000;

    fn restrict(score: f32) -> Standing {
        Standing {
            state: State::Restrict,
            score,
            learned: 1.0,
            ..Standing::default()
        }
    }

    #[test]
    fn exchanges_before_and_after_a_restriction_are_told_apart() {
        let (window, campaigns) = (fixture::window(0, 2), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let attacker = fixture::attacker(0);
        for hour in 0..40 {
            let turn = fixture::turn(0, hour * HOUR, false);
            if hour == 24 {
                board.end_day();
            }
            if hour == 10 {
                board.standing(500, turn.time, &restrict(9.0));
            }
            if hour == 30 {
                board.standing(
                    500,
                    turn.time,
                    &Standing {
                        learned: 1.0,
                        ..Standing::default()
                    },
                );
            }
            board.exchange(&turn, 500, Some(&attacker));
        }

        let score = board.finish();

        let campaign = &score.campaigns[0];
        assert_eq!(
            (campaign.attack, campaign.before, campaign.served),
            (40, 10, 20)
        );
        assert_eq!((campaign.restricted, campaign.within_24h), (1, 1));
        assert_eq!(campaign.daily_served, [10, 10]);
        assert_eq!(score.sweep.accounts[0].attack, [24, 16]);
    }

    #[test]
    fn an_account_taken_over_attacks_from_then_on() {
        let (window, campaigns) = (fixture::window(0, 2), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let (before, after) = (fixture::organic(0, None), fixture::attacker(0));
        for hour in 0..10 {
            let person = if hour < 6 { &before } else { &after };
            board.exchange(&fixture::turn(0, hour * HOUR, false), 500, Some(person));
        }

        let score = board.finish();

        assert_eq!(score.organic.accounts, 0);
        assert_eq!(
            (score.campaigns[0].attack, score.campaigns[0].customers),
            (4, 6)
        );
    }

    #[test]
    fn customers_of_a_campaign_account_are_no_attack_and_no_organic_account() {
        let (window, campaigns) = (fixture::window(0, 1), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let attacker = fixture::attacker(0);
        board.exchange(&fixture::turn(0, 0, false), 500, Some(&attacker));
        board.standing(500, Timestamp::from_unix_nanos(1), &restrict(9.0));
        for hour in 1..4 {
            board.exchange(&fixture::turn(0, hour * HOUR, true), 500, Some(&attacker));
        }

        let score = board.finish();

        let campaign = &score.campaigns[0];
        assert_eq!(
            (
                campaign.attack,
                campaign.customers,
                campaign.customers_refused
            ),
            (1, 3, 3)
        );
        assert_eq!(score.organic.accounts, 0);
    }

    #[test]
    fn an_organic_account_acted_on_once_stays_a_false_positive_in_its_stratum() {
        let (window, campaigns) = (fixture::window(0, 1), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let (seat, casual) = (fixture::organic(1, Some("H5")), fixture::organic(2, None));
        board.exchange(&fixture::turn(1, 0, false), 501, Some(&seat));
        board.exchange(&fixture::turn(2, 0, false), 502, Some(&casual));
        board.standing(501, Timestamp::from_unix_nanos(1), &restrict(8.5));
        board.exchange(&fixture::turn(1, HOUR, false), 501, Some(&seat));
        board.standing(
            501,
            Timestamp::from_unix_nanos(2 * HOUR),
            &Standing {
                learned: 1.0,
                score: -5.0,
                ..Standing::default()
            },
        );

        let score = board.finish();

        assert_eq!((score.organic.accounts, score.organic.acted), (2, 1));
        assert_eq!((score.strata[5].accounts, score.strata[5].acted), (1, 1));
        assert_eq!((score.strata[0].accounts, score.strata[0].acted), (1, 0));
        assert_eq!(score.organic.requests_refused, 1);
        assert_eq!(score.sweep.organic, [8.5, super::super::account::PRIOR]);
        assert_eq!(score.organizations.len(), 2);
    }

    #[test]
    fn the_burn_in_introduces_accounts_and_counts_nothing() {
        let (window, campaigns) = (fixture::window(1, 2), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let person = fixture::organic(1, None);
        board.exchange(&fixture::turn(1, HOUR, false), 501, Some(&person));

        let score = board.finish();

        assert_eq!((score.exchanges, score.organic.accounts), (0, 0));
        assert_eq!(score.days.len(), 1);
    }

    #[test]
    fn what_a_learning_detector_thinks_is_not_held_against_it() {
        let (window, campaigns) = (fixture::window(0, 1), fixture::campaigns());
        let mut board = Scoreboard::new(window, &campaigns);
        let person = fixture::organic(1, None);
        board.exchange(&fixture::turn(1, HOUR, false), 501, Some(&person));
        let learning = Standing {
            learned: 0.5,
            state: State::Observe,
            score: 99.0,
            ..Standing::default()
        };

        board.standing(501, Timestamp::from_unix_nanos(2 * HOUR), &learning);

        assert_eq!(board.finish().sweep.organic, [super::super::account::PRIOR]);
    }
}

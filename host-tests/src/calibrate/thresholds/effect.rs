//! What thresholds come to: accounts and exchanges by state, and what was read.
use super::exact::interval;
use super::history::{ByState, Cuts, place};
use super::period::{Account, Period};
use super::report::{Counted, Effect, Found, StateEffect};
use crate::evaluate::{Cluster, Interval, cluster_bootstrap};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use weir_engine::detect::State;

/// Campaigns listed.
const LISTED: usize = 20;
/// Bootstrap samples.
const DRAWS: usize = 400;

/// `accounts` by state as recorded, and at the thresholds `proposed`.
pub(super) fn effect(of: &'static str, accounts: &[&Account], proposed: Cuts) -> Effect {
    let (mut gravest_now, mut gravest_then) = (ByState::default(), ByState::default());
    let (mut exchanges_now, mut exchanges_then) = (ByState::default(), ByState::default());
    let mut clusters: HashMap<Option<u32>, Cluster> = HashMap::new();
    let mut alone = Vec::new();
    for account in accounts {
        let (gravest, exchanges) = account.history.at(proposed);
        for (counts, state) in [
            (&mut gravest_now, account.recorded),
            (&mut gravest_then, gravest),
        ] {
            if let Some(count) = counts.get_mut(place(state)) {
                *count += 1;
            }
        }
        for (sum, more) in [
            (&mut exchanges_now, &account.exchanges),
            (&mut exchanges_then, &exchanges),
        ] {
            for (sum, more) in sum.iter_mut().zip(more) {
                *sum += more;
            }
        }
        let hit = u32::from(gravest >= State::Restrict);
        match account.organization {
            None => alone.push(Cluster {
                accounts: 1,
                hits: hit,
            }),
            organization => {
                let cluster = clusters.entry(organization).or_default();
                cluster.accounts += 1;
                cluster.hits += hit;
            }
        }
    }
    let total = accounts.len() as u64;
    let rows = State::ALL.into_iter().enumerate().map(|(index, state)| {
        let get = |counts: &ByState| counts.get(index).copied().unwrap_or_default();
        StateEffect {
            state: state.name(),
            accounts_now: get(&gravest_now),
            accounts_then: get(&gravest_then),
            share_then: interval(get(&gravest_then), total),
            exchanges_now: get(&exchanges_now),
            exchanges_then: get(&exchanges_then),
        }
    });
    let states = rows.collect();
    alone.extend(clusters.into_values());
    // The order of a map is another each time, and the draws go by it.
    alone.sort_by_key(|cluster| (cluster.accounts, cluster.hits));
    Effect {
        of,
        accounts: total,
        states,
        restricted_by_organization: by_organization(&alone, total),
    }
}

fn by_organization(clusters: &[Cluster], accounts: u64) -> Option<Interval> {
    let several = (clusters.len() as u64) < accounts;
    several.then(|| cluster_bootstrap(clusters, DRAWS, 1))
}

/// What was read; `innocent` are the accounts that were not confirmed.
pub(super) fn counted(period: &Period, innocent: &[&Account], confirmed: usize) -> Counted {
    let accounts = period.accounts.iter();
    let organizations: HashSet<u32> = innocent
        .iter()
        .filter_map(|account| account.organization)
        .collect();
    let alone = innocent
        .iter()
        .filter(|account| account.organization.is_none());
    let same: u64 = accounts
        .clone()
        .map(|account| {
            let (_, exchanges) = account.history.at(period.present);
            let both = exchanges.iter().zip(&account.exchanges);
            both.map(|(then, now)| then.min(now)).sum::<u64>()
        })
        .sum();
    Counted {
        first: period.first.map(|time| time.to_string()),
        last: period.last.map(|time| time.to_string()),
        days: period.days(),
        exchanges: period.exchanges,
        judged: period.judged,
        learning: period.learning,
        undetected: period.undetected,
        without_account: period.without_account,
        pinned: period.pinned,
        listed: period.listed,
        skipped: period.skipped,
        accounts: period.accounts.len() as u64,
        unjudged_accounts: period.unjudged.len() as u64,
        never_weighed: accounts
            .clone()
            .filter(|account| !account.was_weighed)
            .count() as u64,
        in_campaigns: accounts
            .filter(|account| !account.campaigns.is_empty())
            .count() as u64,
        confirmed: confirmed as u64,
        organizations: organizations.len() as u64 + alone.count() as u64,
        modes: period.modes.clone(),
        policies: period.policies.keys().cloned().collect(),
        agreement: same as f64 / period.judged.max(1) as f64,
    }
}

/// The campaigns with most accounts restricted.
pub(super) fn campaigns(period: &Period, confirmed: &HashSet<u32>) -> Vec<Found> {
    let numbered = (0_u32..).zip(&period.campaigns);
    let mut found: Vec<Found> = numbered
        .map(|(number, campaign)| Found {
            campaign: campaign.clone(),
            accounts: 0,
            restricted: 0,
            largest: f64::NEG_INFINITY,
            confirmed: confirmed.contains(&number),
        })
        .collect();
    for account in &period.accounts {
        for campaign in &account.campaigns {
            if let Some(found) = found.get_mut(*campaign as usize) {
                found.accounts += 1;
                found.restricted += u64::from(account.recorded >= State::Restrict);
                found.largest = found.largest.max(account.history.largest(State::Observe));
            }
        }
    }
    found.sort_by_key(|found| Reverse((found.restricted, found.accounts)));
    found.truncate(LISTED);
    found
}

//! B7: accounts that do the same things in the same hours, found offline as in SynchroTrap (CCS 2014).
//!
//! An action is (template or else client, hour). Accounts with Jaccard >= 0.5 of their actions are
//! linked, groups of 20 or more are malicious. Here the threshold on Jaccard is what is calibrated:
//! an account's score is the highest at which its group still has 20 members. Sets are compared by
//! 64 min-hashes (standard error at 0.5: 0.06), and candidates are accounts that share one of them,
//! each with a bounded number of others, which is enough to link a group.
use super::{Baseline, Scores};
use std::collections::HashMap;
use weir_engine::detect::Observation;

const HASHES: usize = 64;
/// Actions below which an account is not compared; two accounts with one action each are no group.
const FEWEST: u32 = 20;
/// The published limits.
const LEAST_JACCARD: f32 = 0.5;
const LEAST_GROUP: u32 = 20;
/// Others that an account is compared with for each min-hash it shares.
const PARTNERS: usize = 4;
const HOUR_S: u64 = 3600;

#[derive(Clone)]
struct Actions {
    last: [u64; 2],
    count: u32,
    least: [u32; HASHES],
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            last: [0; 2],
            count: 0,
            least: [u32::MAX; HASHES],
        }
    }
}

impl Actions {
    fn jaccard(&self, other: &Self) -> f32 {
        let equal = self
            .least
            .iter()
            .zip(&other.least)
            .filter(|(left, right)| left == right)
            .count();
        equal as f32 / HASHES as f32
    }
}

/// Scores an account by the Jaccard at which it belongs to a group of 20.
#[derive(Default)]
pub struct SynchroTrap {
    accounts: Vec<Actions>,
}

impl Baseline for SynchroTrap {
    fn name(&self) -> &'static str {
        "B7 SynchroTrap (offline)"
    }
    fn observe(&mut self, account: u32, observation: &Observation) {
        let prompt = &observation.prompt;
        let template = if prompt.system.exact != 0 {
            prompt.system.exact
        } else if prompt.skeleton != 0 {
            u64::from(prompt.skeleton)
        } else {
            u64::from(observation.client)
        };
        let hour = observation.time.as_unix_seconds() / HOUR_S;
        let action = mix(template, hour);
        let account = account as usize;
        if self.accounts.len() <= account {
            self.accounts.resize_with(account + 1, Actions::default);
        }
        let Some(actions) = self.accounts.get_mut(account) else {
            return;
        };
        if actions.last.contains(&action) {
            return;
        }
        actions.last.rotate_right(1);
        if let Some(last) = actions.last.first_mut() {
            *last = action;
        }
        actions.count += 1;
        let (mut value, step) = (action as u32, ((action >> 32) as u32) | 1);
        for least in &mut actions.least {
            value = value.wrapping_add(step);
            let hashed = (value ^ (value >> 16)).wrapping_mul(0x85eb_ca6b);
            *least = (*least).min(hashed ^ (hashed >> 13));
        }
    }
    fn end_day(&mut self, _: &mut Scores) {}
    fn finish(&mut self, scores: &mut Scores) {
        let mut edges = self.edges();
        edges.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        let mut groups = Groups::new(self.accounts.len());
        for (jaccard, (left, right)) in edges {
            groups.join(left, right, |member| scores.raise(member as usize, jaccard));
        }
    }
}

impl SynchroTrap {
    /// Pairs with enough in common, the strongest not first; each pair once.
    fn edges(&self) -> Vec<(f32, (u32, u32))> {
        let mut edges: HashMap<(u32, u32), f32> = HashMap::new();
        let mut buckets: HashMap<u32, Vec<u32>> = HashMap::new();
        for hash in 0..HASHES {
            buckets.clear();
            for (number, actions) in (0_u32..).zip(&self.accounts) {
                if actions.count >= FEWEST {
                    let least = actions.least.get(hash).copied().unwrap_or_default();
                    buckets.entry(least).or_default().push(number);
                }
            }
            for members in buckets.values() {
                for (at, left) in members.iter().enumerate() {
                    for right in members.iter().skip(at + 1).take(PARTNERS) {
                        if let (Some(one), Some(other)) = (
                            self.accounts.get(*left as usize),
                            self.accounts.get(*right as usize),
                        ) {
                            let jaccard = one.jaccard(other);
                            if jaccard >= LEAST_JACCARD {
                                edges.insert((*left, *right), jaccard);
                            }
                        }
                    }
                }
            }
        }
        edges
            .into_iter()
            .map(|(pair, jaccard)| (jaccard, pair))
            .collect()
    }
}

/// Disjoint sets that tell when a member first belongs to a group of [`LEAST_GROUP`].
struct Groups {
    parent: Vec<u32>,
    members: HashMap<u32, Vec<u32>>,
}

impl Groups {
    fn new(accounts: usize) -> Self {
        Self {
            parent: (0..accounts as u32).collect(),
            members: HashMap::new(),
        }
    }
    fn root(&mut self, mut at: u32) -> u32 {
        while let Some(parent) = self.parent.get(at as usize).copied().filter(|up| *up != at) {
            let above = self.parent.get(parent as usize).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(at as usize) {
                *slot = above;
            }
            at = above;
        }
        at
    }
    /// Joins two groups; `grown` is told of everyone who now first is in a large group.
    fn join(&mut self, left: u32, right: u32, mut grown: impl FnMut(u32)) {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return;
        }
        let mut small = self.members.remove(&left).unwrap_or_else(|| vec![left]);
        let mut large = self.members.remove(&right).unwrap_or_else(|| vec![right]);
        let (mut from, mut to) = (left, right);
        if small.len() > large.len() {
            std::mem::swap(&mut small, &mut large);
            std::mem::swap(&mut from, &mut to);
        }
        let least = LEAST_GROUP as usize;
        if small.len() + large.len() >= least {
            for group in [&small, &large] {
                if group.len() < least {
                    group.iter().for_each(|member| grown(*member));
                }
            }
        }
        large.append(&mut small);
        if let Some(slot) = self.parent.get_mut(from as usize) {
            *slot = to;
        }
        self.members.insert(to, large);
    }
}

fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_add(b.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_engine::time::Timestamp;

    fn at(hour: u64, template: u64) -> Observation {
        let mut observation = Observation {
            time: Timestamp::from_unix_nanos(hour * HOUR_S * 1_000_000_000),
            ..Observation::default()
        };
        observation.prompt.system.exact = template;
        observation
    }

    #[test]
    fn thirty_in_step_are_a_group_and_ten_in_step_or_loners_are_not() {
        let (mut method, mut scores) = (SynchroTrap::default(), Scores::default());
        for hour in 0..40 {
            for account in 0..30 {
                method.observe(account, &at(hour, 1));
            }
            for account in 30..40 {
                method.observe(account, &at(hour, 2));
            }
            for account in 40..80 {
                method.observe(
                    account,
                    &at(hour * 50 + u64::from(account), u64::from(account)),
                );
            }
        }
        method.finish(&mut scores);

        assert!((0..30).all(|account| scores.get(account) == 1.0));
        assert!((30..80).all(|account| scores.get(account) == 0.0));
    }

    #[test]
    fn half_the_hours_in_common_score_about_a_third_and_do_not_link() {
        let mut method = SynchroTrap::default();
        for hour in 0..200 {
            method.observe(0, &at(hour, 1));
            method.observe(1, &at(hour + 100, 1));
        }

        let jaccard = method.accounts[0].jaccard(&method.accounts[1]);

        assert!((jaccard - 1.0 / 3.0).abs() < 0.2, "{jaccard}");
    }

    #[test]
    fn repeating_an_action_within_the_hour_changes_nothing() {
        let mut method = SynchroTrap::default();
        for _ in 0..10 {
            method.observe(0, &at(5, 1));
            method.observe(0, &at(5, 2));
        }

        assert_eq!(method.accounts[0].count, 2);
    }
}

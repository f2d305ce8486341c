//! The records of all accounts, in a fixed number of places: set-associative, evicting by risk, then activity, then recency.
//!
//! A flood of one-shot accounts fills the ways with records of one request, and those are the first to
//! go: whoever is watched stays, and whoever has a history outlives whoever has none.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "indices are below the number of places, which fits memory"
)]
use super::account::Account;
use alloc::vec::Vec;

/// Places that an account may take.
const WAYS: usize = 16;
/// A record that was not used for so long is as good as empty, seconds: 30 days.
const STALE: u32 = 30 * 86_400;

/// A fixed-size table of accounts.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    ids: Vec<u64>,
    records: Vec<Account>,
    sets: usize,
    live: usize,
    evicted: u64,
}

impl Accounts {
    /// A table with room for `capacity` accounts, at least one set of them.
    pub(super) fn new(capacity: usize) -> Self {
        let sets = capacity.div_ceil(WAYS).max(1);
        Self {
            ids: alloc::vec![0; sets * WAYS],
            records: alloc::vec![Account::default(); sets * WAYS],
            sets,
            live: 0,
            evicted: 0,
        }
    }

    /// Bytes of the table.
    pub(super) fn bytes(&self) -> usize {
        self.records.len() * (size_of::<Account>() + size_of::<u64>())
    }

    /// Places, taken or free; [`at`](Self::at) reads them.
    pub(super) fn places(&self) -> usize {
        self.records.len()
    }

    /// Accounts kept.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Accounts that had to leave.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn set(&self, id: u64) -> usize {
        let spread = (id ^ id >> 31).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(spread) * self.sets as u128) >> 64) as usize * WAYS
    }

    /// The place of an account, if it is kept.
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        let start = self.set(id);
        let ways = self.ids.get(start..start + WAYS)?;
        ways.iter()
            .position(|kept| *kept == id)
            .map(|way| start + way)
    }

    /// The record at a place; `None` where it is free.
    pub(super) fn at(&self, place: usize) -> Option<&Account> {
        // The ids are small: a scan passes over free places without touching their records.
        self.ids.get(place).filter(|id| **id != 0)?;
        self.records.get(place)
    }

    /// The record at a place, to be changed.
    pub(super) fn at_mut(&mut self, place: usize) -> Option<&mut Account> {
        self.records
            .get_mut(place)
            .filter(|account| account.id != 0)
    }

    /// The record of `id`, made by `new` where there is none; the least valuable of its set makes room. O(ways).
    pub(super) fn entry(
        &mut self,
        id: u64,
        now: u32,
        new: impl FnOnce() -> Account,
    ) -> Option<&mut Account> {
        let place = match self.find(id) {
            Some(place) => place,
            None => {
                let start = self.set(id);
                let ways = self.records.get(start..start + WAYS)?;
                let worth = |account: &Account| {
                    let stale = now.saturating_sub(account.last) > STALE && account.risk == 0;
                    (
                        account.id != 0 && !stale,
                        account.risk,
                        account.requests >= 4.0,
                        account.last,
                    )
                };
                let least = ways
                    .iter()
                    .enumerate()
                    .min_by_key(|(_, account)| worth(account));
                let (way, leaving) = least?;
                if leaving.id == 0 {
                    self.live += 1;
                } else {
                    self.evicted += 1;
                }
                let place = start + way;
                *self.records.get_mut(place)? = new();
                *self.ids.get_mut(place)? = id;
                place
            }
        };
        self.records.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u64, last: u32) -> Account {
        let mut account = Account::default();
        (account.id, account.last, account.requests) = (id, last, 1.0);
        account
    }

    #[test]
    fn a_flood_of_one_shot_accounts_never_evicts_a_watched_one() {
        let mut accounts = Accounts::new(1 << 10);
        for id in 1..=40_u64 {
            let watched = accounts
                .entry(id << 40, 10, || account(id << 40, 10))
                .unwrap();
            watched.risk = 1;
        }

        for id in 0..1_000_000_u64 {
            accounts.entry(id | 1 << 63, 20, || account(id | 1 << 63, 20));
        }

        assert!((1..=40_u64).all(|id| accounts.find(id << 40).is_some()));
        assert!(accounts.evicted() > 900_000 && accounts.live() == accounts.places());
    }

    #[test]
    fn an_account_with_a_history_outlives_newer_ones_without() {
        let mut accounts = Accounts::new(WAYS);
        accounts.entry(7, 10, || account(7, 10)).unwrap().requests = 9.0;

        for id in 100..200 {
            accounts.entry(id, 50, || account(id, 50));
        }

        assert!(accounts.find(7).is_some());
    }
}

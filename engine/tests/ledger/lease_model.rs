//! Leases over several workers of which some die, in random histories.
use proptest::prelude::*;
use weir_engine::{store::StoreError, window::Span};

use super::{
    leases::{TIMEOUT, lease, seen},
    stores::{Fault, Shared},
    *,
};

const ACCOUNTS: u32 = 2;
const WORKERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Takes a lease of every account in the bit set, under this limit.
    Acquire {
        worker: usize,
        accounts: u32,
        limit: u32,
    },
    /// The response ends, and the exchange is settled now or later.
    End {
        exchange: prop::sample::Index,
        how: Ending,
    },
    /// A worker dies with everything that it knows.
    Crash { worker: usize },
    /// Time passes, with ticks.
    Pass { millis: u64 },
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Released,
    Settled,
    ReleasedAndSettled,
    Aborted,
    Dropped,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = prop_oneof![
        Just(Ending::Released),
        Just(Ending::Settled),
        Just(Ending::ReleasedAndSettled),
        Just(Ending::Aborted),
        Just(Ending::Dropped),
    ];
    let step = prop_oneof![
        4 => (0..WORKERS, 1_u32..1 << ACCOUNTS, 1_u32..6).prop_map(|(worker, accounts, limit)| Step::Acquire { worker, accounts, limit }),
        3 => (any::<prop::sample::Index>(), ending).prop_map(|(exchange, how)| Step::End { exchange, how }),
        1 => (0..WORKERS).prop_map(|worker| Step::Crash { worker }),
        2 => prop_oneof![3 => 0_u64..1500, 1 => 0_u64..40_000].prop_map(|millis| Step::Pass { millis }),
    ];
    prop::collection::vec(step, 1..60)
}

struct Open {
    worker: usize,
    accounts: u32,
    reservation: Reservation,
}

/// The workers, and what should count.
struct World {
    store: Shared,
    ledgers: Vec<Ledger>,
    now: Timestamp,
    open: Vec<Open>,
    /// Leases that nobody holds any more and that may count until this moment: accounts and when.
    lost: Vec<(u32, Timestamp)>,
}

impl World {
    fn new() -> Self {
        Self {
            store: Shared::new(),
            ledgers: (0..WORKERS).map(|_| ledger()).collect(),
            now: at(0),
            open: vec![],
            lost: vec![],
        }
    }

    /// How many leases of `account` count at least, and at most.
    fn bounds(&self, account: u32) -> (u64, u64) {
        let has = |accounts: u32| accounts & (1 << account) != 0;
        let open = self.open.iter().filter(|open| has(open.accounts)).count();
        let lost = |(accounts, until): &&(u32, Timestamp)| has(*accounts) && self.now < *until;
        let lost = self.lost.iter().filter(lost).count();
        (open as u64, (open + lost) as u64)
    }

    /// The moment from which on what a worker last wrote now no longer counts.
    fn gone(&self) -> Timestamp {
        let slot = Span::of(TIMEOUT).slot(self.now);
        Timestamp::from_unix_nanos((slot + 17) * 1_000_000_000)
    }

    fn tick(&mut self) {
        for ledger in &mut self.ledgers {
            ledger.flush(128, self.now, &mut self.store);
        }
    }

    /// Does a step and checks what counts then, as long as the store does not fail.
    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        if let Step::Acquire {
            accounts, limit, ..
        } = step
        {
            let bounds = Self::accounts(*accounts).map(|account| self.bounds(account));
            let (least, most): (Vec<_>, Vec<_>) = bounds.unzip();
            let full = |used: &[u64]| used.iter().any(|used| *used >= u64::from(*limit));
            match self.acquire(step) {
                Some(Ok(Admission::Granted(_))) => prop_assert!(!full(&least)),
                Some(Ok(Admission::Refused { retry_after, .. })) => {
                    prop_assert!(full(&most));
                    prop_assert_eq!(retry_after, Duration::from_secs(1));
                }
                Some(Err(error)) => prop_assert!(false, "{error}"),
                None => {}
            }
        } else {
            self.act(step);
        }
        for account in 0..ACCOUNTS {
            let (least, most) = self.bounds(account);
            let used = seen(account, self.now, &mut self.store);
            prop_assert!(
                (least..=most).contains(&used),
                "{used} of {least} to {most}"
            );
        }
        Ok(())
    }

    fn accounts(set: u32) -> impl Iterator<Item = u32> {
        (0..ACCOUNTS).filter(move |account| set & (1 << account) != 0)
    }

    fn acquire(&mut self, step: &Step) -> Option<Result<Admission, StoreError>> {
        let Step::Acquire {
            worker,
            accounts,
            limit,
        } = *step
        else {
            return None;
        };
        let charges: Vec<_> = Self::accounts(accounts)
            .map(|account| lease(account, limit))
            .collect();
        let admission = self.ledgers[worker].reserve(&charges, self.now, &mut self.store);
        if let Ok(Admission::Granted(reservation)) = &admission {
            self.open.push(Open {
                worker,
                accounts,
                reservation: reservation.clone(),
            });
        }
        Some(admission)
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Acquire { .. } => drop(self.acquire(step)),
            Step::End { exchange, how } if !self.open.is_empty() => {
                let open = self.open.swap_remove(exchange.index(self.open.len()));
                let (ledger, now) = (&mut self.ledgers[open.worker], self.now);
                let mut reservation = open.reservation;
                if matches!(how, Ending::Released | Ending::ReleasedAndSettled) {
                    ledger.release_leases(&mut reservation, now, &mut self.store);
                }
                match how {
                    Ending::Settled | Ending::ReleasedAndSettled => {
                        ledger.settle(reservation, &[None, None], now, &mut self.store);
                    }
                    Ending::Aborted => ledger.abort(reservation, now, &mut self.store),
                    Ending::Released => {}
                    // The next tick finds it.
                    Ending::Dropped => self.lost.push((
                        open.accounts,
                        self.now.saturating_add(Duration::from_millis(500)),
                    )),
                }
            }
            Step::Crash { worker } => {
                let gone = self.gone();
                self.ledgers[*worker] = ledger();
                let (dead, alive) = std::mem::take(&mut self.open)
                    .into_iter()
                    .partition::<Vec<_>, _>(|open| open.worker == *worker);
                self.open = alive;
                self.lost
                    .extend(dead.iter().map(|open| (open.accounts, gone)));
                // Whatever it had dropped before, nobody finds any more.
                self.lost
                    .iter_mut()
                    .for_each(|(_, until)| *until = gone.max(*until));
            }
            Step::Pass { millis } => {
                let end = self.now.saturating_add(Duration::from_millis(*millis));
                while self.now < end {
                    self.now = self.now.saturating_add(Duration::from_millis(500)).min(end);
                    self.tick();
                }
            }
            Step::End { .. } => {}
        }
    }
}

proptest! {
    #[test]
    fn exactly_what_is_under_way_counts_and_what_died_for_a_timeout(
        steps in steps(),
        faults in prop::collection::vec(0_u8..10, 1..200),
    ) {
        let mut world = World::new();
        // Of five tries at most four meet a conflict: 32 in a row would leave a release for the next tick.
        world.store.plan(move |call| if call / 2 % 5 != 0 && faults[call % faults.len()] < 2 { Fault::Conflict } else { Fault::None });
        for step in &steps {
            world.step(step)?;
        }

        world.store.plan(|_| Fault::None);
        for open in std::mem::take(&mut world.open) {
            world.ledgers[open.worker].settle(open.reservation, &[None, None], world.now, &mut world.store);
        }
        world.step(&Step::Pass { millis: 500 })?;
        world.step(&Step::Pass { millis: 18_000 })?;

        prop_assert!((0..ACCOUNTS).all(|account| seen(account, world.now, &mut world.store) == 0));
        prop_assert!(world.ledgers.iter().all(|ledger| ledger.stats().leases == 0));
    }

    #[test]
    fn whatever_the_store_does_everything_is_free_in_the_end(
        steps in steps(),
        faults in prop::collection::vec(0_u8..10, 1..200),
    ) {
        let mut world = World::new();
        world.store.plan(move |call| match faults[call % faults.len()] {
            0 | 1 => Fault::Conflict,
            2 | 3 => Fault::Fail,
            _ => Fault::None,
        });
        steps.iter().for_each(|step| world.act(step));

        world.store.plan(|_| Fault::None);
        for open in std::mem::take(&mut world.open) {
            world.ledgers[open.worker].settle(open.reservation, &[None, None], world.now, &mut world.store);
        }
        world.now = world.now.saturating_add(Duration::from_millis(500));
        world.tick();
        let crashed = steps.iter().any(|step| matches!(step, Step::Crash { .. }));
        // What a worker that died had not yet written is lost with it.
        prop_assert!(crashed || (0..ACCOUNTS).all(|account| seen(account, world.now, &mut world.store) == 0));
        world.step(&Step::Pass { millis: 18_000 })?;
        prop_assert!((0..ACCOUNTS).all(|account| seen(account, world.now, &mut world.store) == 0));
    }
}

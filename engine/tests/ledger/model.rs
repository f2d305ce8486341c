//! Random histories of several workers, against a list of everything that was charged.
use proptest::prelude::*;
use weir_engine::window::Span;

use super::{
    stores::{Fault, Shared},
    *,
};

const ACCOUNTS: u32 = 4;
const WORKERS: usize = 3;

/// The budgets of every account: length of the window in seconds and limit.
const BUDGETS: [(u64, u32); 2] = [(16, 60), (100, 150)];

#[derive(Clone, Debug)]
enum Step {
    /// Reserves `amount` of every budget of the accounts in the bit set.
    Reserve {
        worker: usize,
        accounts: u32,
        amount: u32,
    },
    /// Settles one of the open exchanges with this share (percent) of what it reserved.
    Settle {
        exchange: prop::sample::Index,
        percent: u32,
    },
    Abort {
        exchange: prop::sample::Index,
    },
    Flush {
        worker: usize,
        buckets: usize,
    },
    Pass {
        millis: u64,
    },
}

fn steps(percent: std::ops::Range<u32>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..WORKERS, 1_u32..1 << ACCOUNTS, 0_u32..70).prop_map(|(worker, accounts, amount)| Step::Reserve { worker, accounts, amount }),
        3 => (any::<prop::sample::Index>(), percent).prop_map(|(exchange, percent)| Step::Settle { exchange, percent }),
        1 => any::<prop::sample::Index>().prop_map(|exchange| Step::Abort { exchange }),
        1 => (0..WORKERS, 1_usize..4).prop_map(|(worker, buckets)| Step::Flush { worker, buckets }),
        2 => prop_oneof![4 => 0_u64..1500, 1 => 0_u64..20_000].prop_map(|millis| Step::Pass { millis }),
    ];
    prop::collection::vec(step, 1..80)
}

/// What is charged to one budget: who, how much, when.
#[derive(Clone, Copy, Debug)]
struct Event {
    exchange: usize,
    charge: Charge,
    time: Timestamp,
    amount: u32,
}

/// An exchange that is under way in one worker.
struct Open {
    number: usize,
    worker: usize,
    since: Timestamp,
    charges: Vec<Charge>,
    reservation: Reservation,
}

/// The workers with what should be true of them.
struct World {
    store: Shared,
    ledgers: Vec<Ledger>,
    now: Timestamp,
    open: Vec<Open>,
    events: Vec<Event>,
    exchanges: usize,
}

impl World {
    fn new(workers: usize) -> Self {
        let ledgers = (0..workers).map(|_| ledger()).collect();
        Self {
            store: Shared::new(),
            ledgers,
            now: at(0),
            open: vec![],
            events: vec![],
            exchanges: 0,
        }
    }

    fn charges(accounts: u32, amount: u32) -> Vec<Charge> {
        let accounts = (0..ACCOUNTS).filter(|account| accounts & (1 << account) != 0);
        accounts
            .flat_map(|account| {
                BUDGETS.map(|(secs, limit)| Charge {
                    window: Duration::from_secs(secs),
                    ..charge(account, limit, amount)
                })
            })
            .collect()
    }

    /// What should count in the charge's budget, sub-windows and all.
    fn used(&self, charge: &Charge, now: Timestamp) -> u64 {
        let span = Span::of(charge.window);
        let counts = |event: &&Event| {
            same(&event.charge, charge) && span.slot(event.time) + 16 >= span.slot(now)
        };
        self.events
            .iter()
            .filter(counts)
            .map(|event| u64::from(event.amount))
            .sum()
    }

    /// When `charge` should fit, by trying every sub-window.
    fn retry_after(&self, charge: &Charge) -> Duration {
        let fits = |now| {
            self.used(charge, now) + u64::from(charge.amount.min(charge.limit))
                <= u64::from(charge.limit)
        };
        if fits(self.now) {
            return Duration::ZERO;
        }
        let nanos = u64::try_from(charge.window.as_nanos()).unwrap() / 16;
        let slot = Span::of(charge.window).slot(self.now);
        let starts = (1..=17).map(|later| Timestamp::from_unix_nanos((slot + later) * nanos));
        starts
            .into_iter()
            .find(|start| fits(*start))
            .unwrap()
            .saturating_since(self.now)
    }

    fn reserve(
        &mut self,
        worker: usize,
        charges: Vec<Charge>,
    ) -> Result<Admission, weir_engine::store::StoreError> {
        let worker = worker % self.ledgers.len();
        let admission = self.ledgers[worker].reserve(&charges, self.now, &mut self.store);
        if let Ok(Admission::Granted(reservation)) = &admission {
            let (number, time) = (self.exchanges, self.now);
            self.exchanges += 1;
            self.events
                .extend(
                    charges
                        .iter()
                        .zip(reservation.amounts())
                        .map(|(charge, amount)| Event {
                            exchange: number,
                            charge: *charge,
                            time,
                            amount,
                        }),
                );
            self.open.push(Open {
                number,
                worker,
                since: time,
                charges,
                reservation: reservation.clone(),
            });
        }
        admission
    }

    fn settle(&mut self, open: Open, actual: Option<u32>) {
        let ledger = &mut self.ledgers[open.worker];
        let amounts: Vec<_> = open.reservation.amounts().collect();
        let actual: Vec<_> = match actual {
            Some(percent) => amounts
                .iter()
                .map(|amount| amount * percent / 100)
                .collect(),
            None => vec![0; amounts.len()],
        };
        let given: Vec<_> = actual.iter().copied().map(Some).collect();
        if actual.iter().all(|amount| *amount == 0) && open.number % 2 == 0 {
            ledger.abort(open.reservation, self.now, &mut self.store);
        } else {
            ledger.settle(open.reservation, &given, self.now, &mut self.store);
        }
        for (place, charge) in open.charges.iter().enumerate() {
            let own =
                |event: &&mut Event| event.exchange == open.number && same(&event.charge, charge);
            let event = self.events.iter_mut().find(own).unwrap();
            if event.amount != actual[place] {
                (event.amount, event.time) = (actual[place], self.now);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Reserve {
                worker,
                accounts,
                amount,
            } => drop(self.reserve(*worker, Self::charges(*accounts, *amount))),
            Step::Settle { exchange, percent } if !self.open.is_empty() => {
                let open = self.open.swap_remove(exchange.index(self.open.len()));
                self.settle(open, Some(*percent));
            }
            Step::Abort { exchange } if !self.open.is_empty() => {
                let open = self.open.swap_remove(exchange.index(self.open.len()));
                self.settle(open, None);
            }
            Step::Flush { worker, buckets } => {
                let worker = worker % self.ledgers.len();
                self.ledgers[worker].flush(*buckets, self.now, &mut self.store);
            }
            Step::Pass { millis } => {
                self.now = self.now.saturating_add(Duration::from_millis(*millis))
            }
            Step::Settle { .. } | Step::Abort { .. } => {}
        }
    }

    fn flush_everything(&mut self) {
        self.store.plan(|_| Fault::None);
        for ledger in &mut self.ledgers {
            while ledger.flush(usize::MAX, self.now, &mut self.store) > 0 {}
        }
    }

    /// Every budget holds what it should, for a worker without any queue.
    fn check_sums(&mut self) -> Result<(), TestCaseError> {
        for charge in Self::charges(u32::MAX, 0) {
            let used = ledger().used(&charge, self.now, &mut self.store).unwrap();
            prop_assert_eq!(used, self.used(&charge, self.now), "{:?}", charge);
        }
        Ok(())
    }

    /// No window of any budget, as long as it is to the nanosecond, holds more than the limit.
    fn check_limits(&self) -> Result<(), TestCaseError> {
        for event in &self.events {
            let inside = |other: &&Event| {
                same(&other.charge, &event.charge)
                    && other.time <= event.time
                    && event.time.saturating_since(other.time) <= event.charge.window
            };
            let sum: u32 = self
                .events
                .iter()
                .filter(inside)
                .map(|event| event.amount)
                .sum();
            prop_assert!(sum <= event.charge.limit, "{} of {:?}", sum, event.charge);
        }
        Ok(())
    }
}

fn same(one: &Charge, other: &Charge) -> bool {
    one.owner == other.owner && one.window == other.window
}

proptest! {
    #[test]
    fn one_worker_decides_as_the_list_of_events_says(steps in steps(0..300)) {
        let mut world = World::new(1);

        for step in &steps {
            let Step::Reserve { accounts, amount, .. } = step else {
                world.step(step);
                continue;
            };
            let charges = World::charges(*accounts, *amount);
            let longest = charges.iter().map(|charge| world.retry_after(charge)).max().unwrap();
            let before: Vec<_> = charges.iter().map(|charge| world.used(charge, world.now)).collect();

            match world.reserve(0, charges.clone()).unwrap() {
                Admission::Granted(reservation) => {
                    prop_assert_eq!(longest, Duration::ZERO);
                    let left: Vec<_> = charges.iter().map(|charge| u64::from(charge.limit).saturating_sub(world.used(charge, world.now))).collect();
                    prop_assert_eq!(reservation.remaining().map(u64::from).collect::<Vec<_>>(), left);
                }
                Admission::Refused { charge, used, retry_after } => {
                    prop_assert_eq!(retry_after, longest);
                    prop_assert_eq!(world.retry_after(&charges[charge]), longest);
                    prop_assert_eq!(used, before[charge]);
                }
            }
            for charge in &charges {
                let used = world.ledgers[0].used(charge, world.now, &mut world.store).unwrap();
                prop_assert_eq!(used, world.used(charge, world.now));
            }
        }
    }

    #[test]
    fn what_is_charged_is_what_was_used_whatever_the_store_does(
        steps in steps(0..300),
        faults in prop::collection::vec(0_u8..10, 1..200),
    ) {
        let mut world = World::new(WORKERS);
        world.store.plan(move |call| match faults[call % faults.len()] {
            0 | 1 => Fault::Conflict,
            2 => Fault::Fail,
            _ => Fault::None,
        });

        steps.iter().for_each(|step| world.step(step));
        world.flush_everything();

        world.check_sums()?;
        prop_assert!(world.ledgers.iter().all(|ledger| ledger.stats().dropped == 0 && ledger.stats().evictions == 0));
    }

    #[test]
    fn no_window_holds_more_than_the_limit_when_nobody_uses_more_than_was_reserved(
        steps in steps(0..101),
        faults in prop::collection::vec(0_u8..10, 1..200),
    ) {
        let mut world = World::new(WORKERS);
        for step in &steps {
            let faults = faults.clone();
            world.store.plan(move |call| if faults[call % faults.len()] == 0 { Fault::Conflict } else { Fault::None });
            if let Step::Pass { millis } = step {
                // Exchanges end, and are written, before their reservation leaves the shortest window.
                let then = world.now.saturating_add(Duration::from_millis(*millis));
                let (stay, end) = std::mem::take(&mut world.open).into_iter().partition(|open| then.saturating_since(open.since) < Duration::from_secs(8));
                world.open = stay;
                Vec::into_iter(end).for_each(|open| world.settle(open, Some(50)));
                world.flush_everything();
            }
            world.step(step);
            world.check_limits()?;
        }
    }

    #[test]
    fn the_order_in_which_workers_write_does_not_matter(
        steps in steps(0..300),
        order in Just((0..WORKERS).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut world = World::new(WORKERS);
        steps.iter().for_each(|step| world.step(step));

        world.ledgers = {
            let mut ledgers: Vec<_> = std::mem::take(&mut world.ledgers).into_iter().map(Some).collect();
            order.iter().map(|worker| ledgers[*worker].take().unwrap()).collect()
        };
        world.flush_everything();

        world.check_sums()?;
    }
}

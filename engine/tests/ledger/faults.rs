use weir_engine::store::StoreError;

use super::{
    stores::{Fault, Shared},
    *,
};

/// One budget of each of two accounts, which lie in different buckets.
const BOTH: fn(u32) -> [Charge; 2] = |amount| [charge(1, 10, amount), charge(2, 10, amount)];

#[test]
fn a_conflict_is_tried_again_and_counted_once() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    store.plan(|call| {
        if call < 12 {
            Fault::Conflict
        } else {
            Fault::None
        }
    });

    granted(ledger.reserve(&BOTH(4), at(0), &mut store).unwrap());

    for charge in BOTH(0) {
        assert_eq!(ledger.used(&charge, at(0), &mut store), Ok(4));
    }
    assert!(ledger.stats().conflicts > 0);
    assert_eq!(ledger.stats().retries_exhausted, 0);
}

#[test]
fn a_storm_of_conflicts_ends_after_32_tries_and_charges_nothing() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    store.plan(|_| Fault::Conflict);

    let failed = ledger.reserve(&[charge(1, 10, 4)], at(0), &mut store);

    assert_eq!(failed.err(), Some(StoreError::CONTENDED));
    let (_, sets) = store.take_calls();
    assert_eq!(sets, 32);
    let stats = ledger.stats();
    assert_eq!((stats.conflicts, stats.retries_exhausted), (32, 1));
    assert_eq!(ledger.used(&charge(1, 10, 0), at(0), &mut store), Ok(0));
}

#[test]
fn a_store_that_fails_anywhere_charges_nothing() {
    for failing in 0..4 {
        let (mut ledger, mut store) = (ledger(), Shared::new());
        store.plan(move |call| {
            if call == failing {
                Fault::Fail
            } else {
                Fault::None
            }
        });

        let failed = ledger.reserve(&BOTH(4), at(0), &mut store);

        assert_eq!(failed.err(), Some(StoreError { status: 99 }));
        let mut other = super::ledger();
        for charge in BOTH(0) {
            assert_eq!(
                other.used(&charge, at(0), &mut store),
                Ok(0),
                "call {failing} failed"
            );
        }
    }
}

#[test]
fn what_cannot_be_taken_back_now_is_taken_back_later() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    store.plan(|call| if call >= 3 { Fault::Fail } else { Fault::None });

    assert!(ledger.reserve(&BOTH(4), at(0), &mut store).is_err());
    assert_eq!(ledger.pending(), 1);
    store.plan(|_| Fault::None);
    assert_eq!(ledger.flush(10, at(0), &mut store), 0);

    let mut other = super::ledger();
    for charge in BOTH(0) {
        assert_eq!(other.used(&charge, at(0), &mut store), Ok(0));
    }
}

/// Lets another worker act just before the write number `before`.
struct Interleaved<'a> {
    store: Shared,
    before: usize,
    sets: usize,
    act: &'a mut dyn FnMut(&mut Shared),
}

impl CounterStore for Interleaved<'_> {
    fn get(
        &mut self,
        key: &[u8],
        value: &mut Vec<u8>,
    ) -> Result<Option<weir_engine::store::Version>, StoreError> {
        self.store.get(key, value)
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<weir_engine::store::Version>,
    ) -> Result<weir_engine::store::Swap, StoreError> {
        if self.sets == self.before {
            (self.act)(&mut self.store);
        }
        self.sets += 1;
        self.store.compare_and_swap(key, value, expected)
    }
}

#[test]
fn what_was_written_is_taken_back_when_another_worker_takes_the_rest() {
    let (mut ledger, mut other, store) = (ledger(), ledger(), Shared::new());
    let mut act = |store: &mut Shared| {
        granted(other.reserve(&[charge(2, 10, 10)], at(0), store).unwrap());
    };
    let mut interleaved = Interleaved {
        store: store.clone(),
        before: 1,
        sets: 0,
        act: &mut act,
    };

    let refused = ledger.reserve(&BOTH(4), at(0), &mut interleaved).unwrap();

    assert!(
        matches!(
            refused,
            Admission::Refused {
                charge: 1,
                used: 10,
                ..
            }
        ),
        "{refused:?}"
    );
    let used = BOTH(0).map(|charge| {
        super::ledger()
            .used(&charge, at(0), &mut store.clone())
            .unwrap()
    });
    assert_eq!(used, [0, 10]);
}

#[test]
fn a_reservation_that_meets_another_counts_with_it() {
    let (mut ledger, mut other, store) = (ledger(), ledger(), Shared::new());
    let mut act = |store: &mut Shared| {
        granted(other.reserve(&[charge(1, 10, 6)], at(0), store).unwrap());
    };
    let mut interleaved = Interleaved {
        store: store.clone(),
        before: 0,
        sets: 0,
        act: &mut act,
    };

    let reservation = granted(ledger.reserve(&BOTH(4), at(0), &mut interleaved).unwrap());

    assert_eq!(reservation.remaining().collect::<Vec<_>>(), [0, 6]);
    assert!(!passes(
        &mut ledger,
        &[charge(1, 10, 1)],
        at(0),
        &mut store.clone()
    ));
}

#[test]
fn a_settlement_that_cannot_be_written_waits_and_is_written_once() {
    for fault in [Fault::Conflict, Fault::Fail] {
        let (mut ledger, mut store) = (ledger(), Shared::new());
        let reservation = granted(
            ledger
                .reserve(&[charge(1, 10, 8)], at(0), &mut store)
                .unwrap(),
        );
        ledger.settle(reservation, &[Some(3)], at(0), &mut store);

        store.plan(move |_| fault);
        assert_eq!(ledger.flush(10, at(0), &mut store), 1);
        store.plan(|_| Fault::None);
        assert_eq!(ledger.flush(10, at(0), &mut store), 0);
        assert_eq!(ledger.flush(10, at(0), &mut store), 0);

        assert_eq!(
            super::ledger().used(&charge(1, 10, 0), at(0), &mut store),
            Ok(3)
        );
    }
}

#[test]
fn settlements_wait_in_bounded_memory_and_are_written_when_there_is_no_more() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    for account in 0..6000 {
        let reservation = granted(
            ledger
                .reserve(&[charge(account, 10, 8)], at(0), &mut store)
                .unwrap(),
        );
        ledger.settle(reservation, &[Some(3)], at(0), &mut store);
        assert!(ledger.pending() <= 4096);
    }
    while ledger.flush(1000, at(0), &mut store) > 0 {}

    let wrong = (0..6000)
        .filter(|account| ledger.used(&charge(*account, 10, 0), at(0), &mut store) != Ok(3))
        .count();
    assert_eq!((wrong, ledger.stats().dropped), (0, 0));
}

#[test]
fn settlements_that_neither_wait_nor_can_be_written_are_counted() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let reservations: Vec<_> = (0..5000)
        .map(|account| {
            granted(
                ledger
                    .reserve(&[charge(account, 10, 8)], at(0), &mut store)
                    .unwrap(),
            )
        })
        .collect();

    store.plan(|_| Fault::Fail);
    reservations
        .into_iter()
        .for_each(|reservation| ledger.settle(reservation, &[Some(3)], at(0), &mut store));

    let stats = ledger.stats();
    assert_eq!((stats.pending, stats.dropped), (4096, 904));
}

#[test]
fn what_a_dead_worker_reserved_stays_charged_for_its_window_only() {
    let mut store = Shared::new();
    let reservation = granted(
        ledger()
            .reserve(&[charge(1, 10, 10)], at(0), &mut store)
            .unwrap(),
    );
    drop(reservation);

    let mut successor = ledger();
    let Admission::Refused { retry_after, .. } = successor
        .reserve(&[charge(1, 10, 1)], at(0), &mut store)
        .unwrap()
    else {
        panic!("granted")
    };

    assert!(passes(
        &mut successor,
        &[charge(1, 10, 10)],
        at(0).saturating_add(retry_after),
        &mut store
    ));
}

#[test]
fn damaged_values_are_empty_buckets_and_counted_when_overwritten() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    granted(ledger.reserve(&BOTH(4), at(0), &mut store).unwrap());
    store.damage(b"something else");

    granted(ledger.reserve(&BOTH(0), at(0), &mut store).unwrap());
    assert_eq!(ledger.stats().corrupt_buckets, 0, "nothing was overwritten");
    granted(ledger.reserve(&BOTH(7), at(0), &mut store).unwrap());

    assert_eq!(ledger.stats().corrupt_buckets, 2);
    assert_eq!(ledger.used(&charge(1, 10, 0), at(0), &mut store), Ok(7));
    assert_eq!(ledger.stats().corrupt_buckets, 2);
}

#[test]
fn an_exchange_with_more_budgets_than_a_bucket_holds_fails_and_charges_nothing() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let budgets: Vec<_> = (0..19)
        .map(|budget| Charge {
            budget,
            ..charge(1, 10, 1)
        })
        .collect();

    assert_eq!(
        ledger.reserve(&budgets, at(0), &mut store).err(),
        Some(StoreError::FULL)
    );
    assert_eq!(store.take_calls(), (1, 0));
    granted(ledger.reserve(&budgets[..18], at(0), &mut store).unwrap());
}

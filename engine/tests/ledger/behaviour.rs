use weir_engine::store::MemoryStore;

use super::*;

#[test]
fn grants_up_to_the_limit_and_refuses_until_exactly_the_told_instant() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    for _ in 0..10 {
        granted(
            ledger
                .reserve(&[charge(1, 10, 1)], at(0), &mut store)
                .unwrap(),
        );
    }

    let refused = ledger
        .reserve(&[charge(1, 10, 1)], at(0), &mut store)
        .unwrap();

    let Admission::Refused {
        charge: 0,
        used: 10,
        retry_after,
    } = refused
    else {
        panic!("{refused:?}")
    };
    let told = at(0).saturating_add(retry_after);
    let just_before = Timestamp::from_unix_nanos(told.as_unix_nanos() - 1);
    assert!(!passes(
        &mut ledger,
        &[charge(1, 10, 1)],
        just_before,
        &mut store
    ));
    assert!(passes(&mut ledger, &[charge(1, 10, 1)], told, &mut store));
}

#[test]
fn charges_nothing_when_anything_refuses() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    granted(
        ledger
            .reserve(&[charge(2, 5, 5)], at(0), &mut store)
            .unwrap(),
    );

    let both = [
        charge(1, 100, 10),
        charge(2, 5, 1),
        Charge {
            budget: 2,
            ..charge(1, 100, 10)
        },
    ];
    assert!(!passes(&mut ledger, &both, at(0), &mut store));

    for untouched in [both[0], both[2]] {
        assert_eq!(ledger.used(&untouched, at(0), &mut store), Ok(0));
    }
}

#[test]
fn the_refusal_that_holds_longest_is_told() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let charges = [
        charge(1, 5, 5),
        Charge {
            budget: 2,
            window: 60 * MINUTE,
            ..charge(1, 5, 5)
        },
        Charge {
            budget: 3,
            window: 10 * MINUTE,
            ..charge(2, 5, 5)
        },
    ];
    granted(ledger.reserve(&charges, at(0), &mut store).unwrap());

    let refused = ledger.reserve(&charges, at(0), &mut store).unwrap();

    let Admission::Refused {
        charge: 1,
        used: 5,
        retry_after,
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert!(retry_after >= 60 * MINUTE);
    assert!(passes(
        &mut ledger,
        &charges,
        at(0).saturating_add(retry_after),
        &mut store
    ));
}

#[test]
fn a_single_request_beyond_the_limit_passes_when_nothing_else_is_charged() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());

    let reservation = granted(
        ledger
            .reserve(&[charge(1, 10, 5000)], at(0), &mut store)
            .unwrap(),
    );

    assert_eq!(reservation.amounts().collect::<Vec<_>>(), [10]);
    assert!(!passes(&mut ledger, &[charge(1, 10, 1)], at(0), &mut store));
}

#[test]
fn tells_what_is_left_of_every_budget() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let charges: Vec<_> = (0..7)
        .map(|account| charge(account, 10 + account, account))
        .collect();

    granted(ledger.reserve(&charges, at(0), &mut store).unwrap());
    let second = granted(ledger.reserve(&charges[..6], at(0), &mut store).unwrap());

    assert_eq!(second.amounts().collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(second.remaining().collect::<Vec<_>>(), [10, 9, 8, 7, 6, 5]);
}

#[test]
fn a_limit_of_zero_refuses_everything() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());

    let refused = ledger
        .reserve(&[charge(1, 0, 1)], at(0), &mut store)
        .unwrap();

    assert!(
        matches!(
            refused,
            Admission::Refused {
                charge: 0,
                used: 0,
                retry_after: MINUTE
            }
        ),
        "{refused:?}"
    );
}

#[test]
fn reserving_nothing_takes_no_memory_and_is_settled_all_the_same() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());

    let reservation = granted(
        ledger
            .reserve(&[charge(1, 10, 0)], at(0), &mut store)
            .unwrap(),
    );
    assert!(store.is_empty());
    ledger.settle(reservation, &[Some(12)], at(0), &mut store);

    assert_eq!(ledger.used(&charge(1, 10, 0), at(0), &mut store), Ok(12));
    assert!(
        !passes(&mut ledger, &[charge(1, 10, 0)], at(0), &mut store),
        "debt refuses even nothing"
    );
    assert!(passes(&mut ledger, &[charge(1, 12, 0)], at(0), &mut store));
}

#[test]
fn settling_gives_back_what_was_not_used() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let reservation = granted(
        ledger
            .reserve(&[charge(1, 100, 80)], at(0), &mut store)
            .unwrap(),
    );
    assert!(!passes(
        &mut ledger,
        &[charge(1, 100, 30)],
        at(0),
        &mut store
    ));

    ledger.settle(reservation, &[Some(70)], at(1000), &mut store);

    assert!(passes(
        &mut ledger,
        &[charge(1, 100, 30)],
        at(1000),
        &mut store
    ));
}

#[test]
fn settling_without_a_figure_keeps_the_reserved_amount() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let charges = [charge(1, 100, 80), charge(2, 100, 60), charge(3, 100, 40)];
    let reservation = granted(ledger.reserve(&charges, at(0), &mut store).unwrap());

    ledger.settle(reservation, &[None, Some(1)], at(0), &mut store);

    let used = charges.map(|charge| ledger.used(&charge, at(0), &mut store).unwrap());
    assert_eq!(used, [80, 1, 40]);
}

#[test]
fn debt_is_carried_until_its_window_has_passed() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let reservation = granted(
        ledger
            .reserve(&[charge(1, 10, 5)], at(0), &mut store)
            .unwrap(),
    );

    ledger.settle(reservation, &[Some(40)], at(20_000), &mut store);

    let refused = ledger
        .reserve(&[charge(1, 10, 1)], at(20_000), &mut store)
        .unwrap();
    let Admission::Refused {
        used: 40,
        retry_after,
        ..
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert!(
        retry_after >= MINUTE,
        "{retry_after:?} since it was charged when it was known"
    );
}

#[test]
fn an_exchange_that_outlasts_its_window_is_charged_when_it_ends() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let reservation = granted(
        ledger
            .reserve(&[charge(1, 10, 10)], at(0), &mut store)
            .unwrap(),
    );
    assert!(passes(
        &mut ledger,
        &[charge(1, 10, 4)],
        at(120_000),
        &mut store
    ));

    ledger.settle(reservation, &[Some(3)], at(120_000), &mut store);

    assert_eq!(
        ledger.used(&charge(1, 10, 0), at(120_000), &mut store),
        Ok(7)
    );
}

#[test]
fn aborting_gives_everything_back() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let charges = [
        charge(1, 10, 10),
        charge(2, 10, 7),
        Charge {
            budget: 2,
            ..charge(1, 10, 0)
        },
    ];
    let reservation = granted(ledger.reserve(&charges, at(0), &mut store).unwrap());

    ledger.abort(reservation, at(30_000), &mut store);

    assert!(passes(
        &mut ledger,
        &[charge(1, 10, 10), charge(2, 10, 10)],
        at(30_000),
        &mut store
    ));
}

#[test]
fn a_worker_sees_its_own_settlements_at_once_and_others_after_its_flush() {
    let (mut one, mut other, mut store) = (ledger(), ledger(), MemoryStore::new());
    let reservation = granted(
        one.reserve(&[charge(1, 10, 10)], at(0), &mut store)
            .unwrap(),
    );

    one.settle(reservation, &[Some(2)], at(0), &mut store);
    let seen_before = (
        one.used(&charge(1, 10, 0), at(0), &mut store),
        other.used(&charge(1, 10, 0), at(0), &mut store),
    );
    assert_eq!(one.flush(10, at(0), &mut store), 0);

    assert_eq!(seen_before, (Ok(2), Ok(10)));
    assert_eq!(other.used(&charge(1, 10, 0), at(0), &mut store), Ok(2));
}

#[test]
fn a_reservation_writes_the_settlements_of_its_bucket_along() {
    let (mut one, mut other, mut store) = (ledger(), ledger(), MemoryStore::new());
    let reservation = granted(
        one.reserve(&[charge(1, 10, 10)], at(0), &mut store)
            .unwrap(),
    );
    one.settle(reservation, &[Some(2)], at(0), &mut store);
    assert_eq!(one.pending(), 1);

    granted(one.reserve(&[charge(1, 10, 1)], at(0), &mut store).unwrap());

    assert_eq!(one.pending(), 0);
    assert_eq!(other.used(&charge(1, 10, 0), at(0), &mut store), Ok(3));
}

#[test]
fn one_budget_charged_twice_by_one_exchange_counts_twice() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());

    assert!(!passes(
        &mut ledger,
        &[charge(1, 10, 6), charge(1, 10, 6)],
        at(0),
        &mut store
    ));
    let reservation = granted(
        ledger
            .reserve(&[charge(1, 12, 6), charge(1, 12, 6)], at(0), &mut store)
            .unwrap(),
    );
    ledger.settle(reservation, &[Some(1), Some(2)], at(0), &mut store);

    assert_eq!(ledger.used(&charge(1, 12, 0), at(0), &mut store), Ok(3));
}

#[test]
fn budgets_of_other_names_and_windows_are_other_budgets() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let first = charge(1, 10, 10);

    for other in [
        first,
        Charge { budget: 2, ..first },
        Charge {
            window: 2 * MINUTE,
            ..first
        },
        Charge {
            owner: owner(2),
            ..first
        },
    ] {
        assert!(
            passes(&mut ledger, &[other], at(0), &mut store),
            "{other:?}"
        );
    }
}

#[test]
fn a_clock_set_right_locks_nobody_out_and_is_counted() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let a_day = 86_400_000;
    let early = ledger.reserve(&[charge(1, 10, 10)], at(a_day), &mut store);

    assert!(passes(&mut ledger, &[charge(1, 10, 4)], at(0), &mut store));
    ledger.settle(granted(early.unwrap()), &[Some(3)], at(0), &mut store);

    // The old reservation releases nothing of the new window, but what was used is owed.
    assert_eq!(ledger.used(&charge(1, 10, 0), at(0), &mut store), Ok(7));
    assert_eq!(ledger.stats().clock_resets, 1);
}

#[test]
fn a_clock_that_steps_back_a_little_loses_nothing() {
    let (mut ledger, mut store) = (ledger(), MemoryStore::new());
    let reservation = ledger.reserve(&[charge(1, 10, 6)], at(30_000), &mut store);
    granted(
        ledger
            .reserve(&[charge(1, 10, 2)], at(10_000), &mut store)
            .unwrap(),
    );

    ledger.settle(
        granted(reservation.unwrap()),
        &[Some(5)],
        at(20_000),
        &mut store,
    );

    for millis in [10_000, 20_000, 30_000, 70_000] {
        assert_eq!(
            ledger.used(&charge(1, 10, 0), at(millis), &mut store),
            Ok(7),
            "at {millis}"
        );
    }
}

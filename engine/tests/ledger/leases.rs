//! Leases: what counts while an exchange is under way, in examples.
use weir_engine::store::StoreError;

use super::{
    stores::{Fault, Shared},
    *,
};

/// A timeout whose sub-windows are a second long.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(16);

pub(crate) fn lease(account: u32, limit: u32) -> Charge {
    Charge {
        budget: 9,
        window: TIMEOUT,
        lease: true,
        ..charge(account, limit, 1)
    }
}

/// What a worker without anything of its own sees.
pub(crate) fn seen(account: u32, now: Timestamp, store: &mut Shared) -> u64 {
    ledger().used(&lease(account, 1), now, store).unwrap()
}

fn acquire(ledger: &mut Ledger, now: Timestamp, store: &mut Shared) -> Reservation {
    granted(ledger.reserve(&[lease(1, 10)], now, store).unwrap())
}

/// Ticks of `ledger` every 500 ms for so many seconds; the time after them.
fn ticks(ledger: &mut Ledger, from: u64, seconds: u64, store: &mut Shared) -> u64 {
    for tick in 1..=seconds * 2 {
        ledger.flush(128, at(from + tick * 500), store);
    }
    from + seconds * 1000
}

#[test]
fn what_is_given_back_is_free_for_other_workers_at_once() {
    let (mut one, mut other, mut store) = (ledger(), ledger(), Shared::new());
    let mut first = granted(one.reserve(&[lease(1, 1)], at(0), &mut store).unwrap());
    assert!(!passes(&mut other, &[lease(1, 1)], at(10), &mut store));

    one.release_leases(&mut first, at(20), &mut store);

    assert!(!first.holds_leases());
    assert!(passes(&mut other, &[lease(1, 1)], at(20), &mut store));
}

#[test]
fn giving_back_twice_and_settling_afterwards_gives_back_once() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let (mut first, _second) = (
        acquire(&mut ledger, at(0), &mut store),
        acquire(&mut ledger, at(0), &mut store),
    );
    let mut copy = first.clone();

    ledger.release_leases(&mut first, at(10), &mut store);
    ledger.release_leases(&mut first, at(20), &mut store);
    ledger.release_leases(&mut copy, at(30), &mut store);
    ledger.settle(first, &[None], at(40), &mut store);
    ledger.abort(copy, at(50), &mut store);
    ledger.flush(10, at(60), &mut store);

    assert_eq!(seen(1, at(60), &mut store), 1);
}

#[test]
fn a_copy_of_what_was_given_back_gives_back_nothing_of_its_successor() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let first = acquire(&mut ledger, at(0), &mut store);
    let copy = first.clone();
    ledger.settle(first, &[None], at(10), &mut store);
    let _successor = acquire(&mut ledger, at(20), &mut store);

    ledger.settle(copy, &[None], at(30), &mut store);

    assert_eq!(seen(1, at(30), &mut store), 1);
    assert_eq!(ledger.stats().leases, 1);
}

#[test]
fn settling_and_aborting_give_back_whatever_the_usage() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let tokens = charge(1, 1000, 100);

    for actual in [None, Some(0), Some(7)] {
        let all = [tokens, lease(1, 1)];
        let reservation = granted(ledger.reserve(&all, at(0), &mut store).unwrap());
        ledger.settle(reservation, &[Some(50), actual], at(5000), &mut store);
        assert_eq!(seen(1, at(5000), &mut store), 0, "{actual:?}");
    }
    let aborted = acquire(&mut ledger, at(5000), &mut store);
    ledger.abort(aborted, at(5000), &mut store);

    assert_eq!(seen(1, at(5000), &mut store), 0);
    assert_eq!(ledger.used(&tokens, at(5000), &mut store), Ok(150));
    assert_eq!(ledger.stats().leases, 0);
}

#[test]
fn a_release_takes_one_read_and_one_write_for_each_owner_and_takes_settlements_along() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let all = [
        charge(1, 1000, 100),
        lease(1, 5),
        Charge {
            budget: 10,
            ..lease(1, 5)
        },
        lease(2, 5),
    ];
    let reservation = granted(ledger.reserve(&all, at(0), &mut store).unwrap());
    store.take_calls();

    ledger.settle(
        reservation,
        &[Some(50), None, None, None],
        at(10),
        &mut store,
    );

    assert_eq!(store.take_calls(), (2, 2));
    assert_eq!(ledger.pending(), 0);
}

#[test]
fn a_refusal_tells_to_come_again_in_a_second_unless_a_budget_refuses_too() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let short = Charge {
        window: Duration::from_secs(1),
        ..charge(1, 1, 1)
    };
    let _held = ledger.reserve(&[lease(1, 1), short], at(0), &mut store);

    for (charges, expected) in [
        (vec![lease(1, 1)], 0),
        (vec![lease(1, 1), short], 1),
        (vec![short, lease(1, 1)], 0),
    ] {
        let refused = ledger.reserve(&charges, at(10), &mut store).unwrap();
        let Admission::Refused {
            charge,
            retry_after,
            ..
        } = refused
        else {
            panic!("{refused:?}")
        };
        assert_eq!(charge, expected);
        // Even one that would hold for longer does not outrank the budget.
        let is_lease = charges[charge].lease;
        assert_eq!(
            retry_after == Duration::from_secs(1),
            is_lease,
            "{retry_after:?}"
        );
    }
}

#[test]
fn the_lease_of_a_dead_worker_is_free_after_its_timeout_and_a_sixteenth() {
    let mut store = Shared::new();
    drop((acquire(&mut ledger(), at(0), &mut store), ()));

    assert_eq!(seen(1, at(16_000), &mut store), 1);
    assert_eq!(seen(1, at(17_000), &mut store), 0);
}

#[test]
fn a_long_exchange_keeps_its_lease_and_a_renewal_after_its_end_does_not_happen() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let reservation = acquire(&mut ledger, at(0), &mut store);

    let mut now = 0;
    for _ in 0..200 {
        now = ticks(&mut ledger, now, 1, &mut store);
        assert_eq!(seen(1, at(now), &mut store), 1, "after {now} ms");
    }
    ledger.settle(reservation, &[None], at(now), &mut store);
    for _ in 0..40 {
        assert_eq!(seen(1, at(now), &mut store), 0, "after {now} ms");
        now = ticks(&mut ledger, now, 1, &mut store);
    }
}

#[test]
fn a_release_between_a_renewal_and_its_writing_gives_back_once() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let (reservation, _other) = (
        acquire(&mut ledger, at(0), &mut store),
        acquire(&mut ledger, at(0), &mut store),
    );
    // Renewed, but nothing may be written.
    assert!(ledger.flush(0, at(9000), &mut store) > 0);

    ledger.settle(reservation, &[None], at(9500), &mut store);

    assert_eq!(seen(1, at(9500), &mut store), 1);
    assert_eq!(seen(1, at(25_000), &mut store), 1);
}

#[test]
fn a_lease_that_was_dropped_is_given_back_by_the_ledger_and_told_of() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    drop(acquire(&mut ledger, at(0), &mut store));
    let _held = acquire(&mut ledger, at(0), &mut store);

    ledger.flush(10, at(100), &mut store);

    assert_eq!(seen(1, at(100), &mut store), 1);
    assert_eq!((ledger.stats().leases, ledger.stats().abandoned), (1, 1));
}

#[test]
fn a_release_that_the_store_refuses_is_made_up_for_on_a_tick() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let reservation = acquire(&mut ledger, at(0), &mut store);
    store.plan(|_| Fault::Fail);
    ledger.settle(reservation, &[None], at(10), &mut store);
    store.plan(|_| Fault::None);
    assert_eq!(seen(1, at(10), &mut store), 1);

    ledger.flush(10, at(100), &mut store);

    assert_eq!(seen(1, at(100), &mut store), 0);
}

#[test]
fn a_lowered_limit_leaks_no_lease_and_a_changed_timeout_leaves_the_old_ones_where_they_are() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let open: Vec<_> = (0..5)
        .map(|_| acquire(&mut ledger, at(0), &mut store))
        .collect();
    let longer = Charge {
        window: 2 * TIMEOUT,
        ..lease(1, 2)
    };

    assert!(!passes(&mut ledger, &[lease(1, 2)], at(10), &mut store));
    let mut long = granted(ledger.reserve(&[longer], at(10), &mut store).unwrap());
    for reservation in open {
        ledger.settle(reservation, &[None], at(20), &mut store);
    }
    ledger.release_leases(&mut long, at(20), &mut store);

    assert_eq!(seen(1, at(20), &mut store), 0);
    assert_eq!(super::ledger().used(&longer, at(20), &mut store), Ok(0));
    assert!(passes(&mut ledger, &[lease(1, 2)], at(20), &mut store));
}

#[test]
fn a_lease_whose_record_was_given_up_is_gone_with_it() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let reservation = acquire(&mut ledger, at(0), &mut store);
    store.damage(b"nothing that was ever written here");
    let _later = acquire(&mut ledger, at(10), &mut store);

    ticks(&mut ledger, 0, 12, &mut store);
    assert_eq!(seen(1, at(12_000), &mut store), 1);
    ledger.settle(reservation, &[None], at(12_000), &mut store);

    assert_eq!(seen(1, at(12_000), &mut store), 1);
}

#[test]
fn a_partial_reservation_leaves_no_lease() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    store.plan(|call| if call == 3 { Fault::Fail } else { Fault::None });

    let failed = ledger.reserve(&[lease(1, 5), lease(2, 5)], at(0), &mut store);

    assert_eq!(failed.err(), Some(StoreError { status: 99 }));
    assert_eq!(
        (seen(1, at(0), &mut store), seen(2, at(0), &mut store)),
        (0, 0)
    );
    assert_eq!(ledger.stats().leases, 0);
}

#[test]
fn more_leases_than_a_worker_looks_after_are_given_back_all_the_same() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let many = |account: u32| lease(account % 100, u32::MAX);
    let open: Vec<_> = (0..20_000)
        .map(|account| granted(ledger.reserve(&[many(account)], at(0), &mut store).unwrap()))
        .collect();

    assert!(ledger.stats().leases < 20_000);
    for reservation in open {
        ledger.settle(reservation, &[None], at(10), &mut store);
    }

    assert!((0..100).all(|account| seen(account, at(10), &mut store) == 0));
    assert_eq!(ledger.stats().leases, 0);
}

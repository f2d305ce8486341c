use super::{stores::Shared, *};

/// Requests and tokens of an account and of its organization.
fn typical(account: u32, organization: u32) -> [Charge; 4] {
    let (account, organization) = (
        charge(account, 10_000, 1),
        charge(organization, 1_000_000, 1),
    );
    let tokens = |requests: Charge| Charge {
        budget: 2,
        window: 60 * MINUTE,
        amount: 500,
        ..requests
    };
    [account, tokens(account), organization, tokens(organization)]
}

#[test]
fn a_typical_exchange_reserves_with_four_calls_and_settles_with_none() {
    let (mut ledger, mut store) = (ledger(), Shared::new());

    let reservation = granted(ledger.reserve(&typical(1, 2), at(0), &mut store).unwrap());
    assert_eq!(store.take_calls(), (2, 2));

    ledger.settle(
        reservation,
        &[None, Some(321), None, Some(321)],
        at(900),
        &mut store,
    );
    assert_eq!(store.take_calls(), (0, 0));
}

#[test]
fn all_budgets_of_one_account_take_one_read_and_one_write() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let budgets: Vec<_> = (0..10)
        .map(|budget| Charge {
            budget,
            ..charge(1, 10, 1)
        })
        .collect();

    granted(ledger.reserve(&budgets, at(0), &mut store).unwrap());

    assert_eq!(store.take_calls(), (1, 1));
}

#[test]
fn a_refusal_only_reads() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    granted(
        ledger
            .reserve(&[charge(1, 1, 1)], at(0), &mut store)
            .unwrap(),
    );
    store.take_calls();

    assert!(!passes(
        &mut ledger,
        &[charge(1, 1, 1), charge(2, 1, 1)],
        at(0),
        &mut store
    ));

    assert_eq!(store.take_calls(), (2, 0));
}

#[test]
fn settlements_of_one_organization_are_written_together() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    for account in 0..100 {
        let reservation = granted(
            ledger
                .reserve(&typical(account, 1000), at(0), &mut store)
                .unwrap(),
        );
        ledger.settle(
            reservation,
            &[None, Some(100), None, Some(100)],
            at(10),
            &mut store,
        );
    }
    store.take_calls();

    assert_eq!(ledger.flush(usize::MAX, at(20), &mut store), 0);

    // One bucket for each account, and one for what the organization's last exchange left.
    let (gets, sets) = store.take_calls();
    assert!(gets <= 101 && sets <= 101, "{gets} reads, {sets} writes");
    assert_eq!(
        ledger.used(&typical(0, 1000)[3], at(20), &mut store),
        Ok(10_000)
    );
}

#[test]
fn a_flush_writes_no_more_buckets_than_it_may() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    for account in 0..20 {
        let reservation = granted(
            ledger
                .reserve(&[charge(account, 10, 5)], at(0), &mut store)
                .unwrap(),
        );
        ledger.settle(reservation, &[Some(1)], at(0), &mut store);
    }
    store.take_calls();

    assert_eq!(ledger.flush(8, at(0), &mut store), 12);
    assert_eq!(store.take_calls(), (8, 8));
    assert_eq!(ledger.flush(100, at(0), &mut store), 0);
    assert_eq!(store.take_calls(), (12, 12));
}

#[test]
fn an_exchange_that_used_what_it_reserved_leaves_nothing_to_settle() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    let reservation = granted(
        ledger
            .reserve(&[charge(1, 10, 5)], at(0), &mut store)
            .unwrap(),
    );

    ledger.settle(reservation, &[Some(5)], at(0), &mut store);

    assert_eq!(ledger.pending(), 0);
}

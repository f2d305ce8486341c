use weir_engine::store::MemoryStore;

use super::*;

const HUNDRED_THOUSAND: u32 = 100_000;

/// A ledger over so little memory that it holds `buckets` buckets.
fn small(buckets: u64) -> Ledger {
    let ledger = Ledger::new(Layout::within(buckets * 1967 + 17));
    assert_eq!(u64::from(ledger.layout.buckets.get()), buckets);
    ledger
}

#[test]
fn the_memory_of_the_table_does_not_grow_with_the_accounts() {
    let (mut ledger, mut store) = (small(64), MemoryStore::new());

    for account in 0..HUNDRED_THOUSAND {
        granted(
            ledger
                .reserve(&[charge(account, 100, 1)], at(account.into()), &mut store)
                .unwrap(),
        );
    }

    assert!(store.bytes() <= ledger.layout.max_bytes());
    assert!(
        store.bytes() > ledger.layout.max_bytes() * 9 / 10,
        "the test fills the table"
    );
    assert!(ledger.stats().evictions > 0);
}

#[test]
fn a_flood_of_one_shot_accounts_frees_no_account_at_its_limit() {
    let (mut ledger, mut store) = (small(16), MemoryStore::new());
    // At most half of a bucket each, on average a quarter of it.
    let watched: Vec<u32> = (0..64).collect();
    for account in &watched {
        granted(
            ledger
                .reserve(&[charge(*account, 100, 95)], at(0), &mut store)
                .unwrap(),
        );
    }

    for account in 1000..HUNDRED_THOUSAND {
        granted(
            ledger
                .reserve(&[charge(account, 100, 1)], at(1), &mut store)
                .unwrap(),
        );
    }

    for account in watched {
        assert!(
            !passes(&mut ledger, &[charge(account, 100, 6)], at(2), &mut store),
            "account {account} is free again"
        );
    }
}

#[test]
fn expired_records_are_given_up_without_counting_as_lost() {
    let (mut ledger, mut store) = (small(4), MemoryStore::new());
    let a_window_and_a_bit = 64_000;

    for account in 0..1000_u32 {
        granted(
            ledger
                .reserve(
                    &[charge(account, 100, 99)],
                    at(u64::from(account) * a_window_and_a_bit),
                    &mut store,
                )
                .unwrap(),
        );
    }

    assert_eq!(ledger.stats().evictions, 0);
    assert!(
        store.bytes() < 4 * 200,
        "{} bytes hold four live records at most",
        store.bytes()
    );
}

#[test]
fn a_record_made_anew_owes_what_was_used_but_not_what_its_predecessor_held() {
    let (mut ledger, mut store) = (small(1), MemoryStore::new());
    let early = granted(
        ledger
            .reserve(&[charge(1, 100, 10)], at(0), &mut store)
            .unwrap(),
    );
    for account in 10..40 {
        granted(
            ledger
                .reserve(&[charge(account, 100, 11)], at(1000), &mut store)
                .unwrap(),
        );
    }
    assert_eq!(
        ledger.used(&charge(1, 100, 0), at(1000), &mut store),
        Ok(0),
        "evicted"
    );
    granted(
        ledger
            .reserve(&[charge(1, 100, 50)], at(1000), &mut store)
            .unwrap(),
    );

    ledger.settle(early, &[Some(7)], at(1000), &mut store);

    assert_eq!(
        ledger.used(&charge(1, 100, 0), at(1000), &mut store),
        Ok(57)
    );
}

#[test]
fn debt_of_an_evicted_record_makes_it_anew() {
    let (mut ledger, mut store) = (small(1), MemoryStore::new());
    let early = granted(
        ledger
            .reserve(&[charge(1, 100, 10)], at(0), &mut store)
            .unwrap(),
    );
    for account in 10..40 {
        granted(
            ledger
                .reserve(&[charge(account, 100, 11)], at(1000), &mut store)
                .unwrap(),
        );
    }

    ledger.settle(early, &[Some(300)], at(1000), &mut store);
    assert_eq!(ledger.flush(1, at(1000), &mut store), 0);

    assert_eq!(
        small(1).used(&charge(1, 100, 0), at(1000), &mut store),
        Ok(300)
    );
}

#[test]
fn debt_whose_window_has_passed_takes_nobodys_place() {
    let (mut ledger, mut store) = (small(1), MemoryStore::new());
    let early = granted(
        ledger
            .reserve(&[charge(1, 100, 10)], at(0), &mut store)
            .unwrap(),
    );
    ledger.settle(early, &[Some(300)], at(0), &mut store);
    let mut other = small(1);
    for account in 10..40 {
        let hour = Charge {
            window: 60 * MINUTE,
            ..charge(account, 100, 60)
        };
        granted(other.reserve(&[hour], at(1000), &mut store).unwrap());
    }

    assert_eq!(ledger.flush(1, at(120_000), &mut store), 0);

    assert_eq!(ledger.stats().evictions, 0);
}

#[test]
fn budgets_of_one_exchange_do_not_push_each_other_out() {
    let (mut ledger, mut store) = (small(1), MemoryStore::new());
    for account in 10..28 {
        granted(
            ledger
                .reserve(&[charge(account, 100, 60)], at(0), &mut store)
                .unwrap(),
        );
    }
    // Of least risk and oldest, so each would be the first to go for the next.
    let budgets: Vec<_> = (0..9)
        .flat_map(|budget| {
            [1, 2].map(|account| Charge {
                budget,
                ..charge(account, 100, 1)
            })
        })
        .collect();

    granted(ledger.reserve(&budgets, at(0), &mut store).unwrap());

    for charge in budgets {
        assert_eq!(ledger.used(&charge, at(0), &mut store), Ok(1), "{charge:?}");
    }
}

//! Marks against a list of when there were calls.
use proptest::prelude::*;
use weir_engine::window::Span;

use super::{
    stores::{Fault, Shared},
    *,
};

/// A window whose sub-windows are a second long.
const WINDOW: Duration = Duration::from_secs(16);

fn mark(ledger: &mut Ledger, millis: u64, store: &mut Shared) -> Duration {
    ledger.mark(owner(1), 5, WINDOW, at(millis), store).unwrap()
}

#[test]
fn the_first_mark_is_new_and_later_ones_tell_its_age_rounded_down() {
    let (mut ledger, mut store) = (ledger(), Shared::new());

    assert_eq!(mark(&mut ledger, 0, &mut store), Duration::ZERO);
    // `at(0)` is 123 ms into its second.
    assert_eq!(mark(&mut ledger, 876, &mut store), Duration::ZERO);
    assert_eq!(mark(&mut ledger, 877, &mut store), Duration::ZERO);
    assert_eq!(
        mark(&mut ledger, 3000, &mut store),
        Duration::from_millis(2123)
    );
}

#[test]
fn a_marked_sub_window_is_only_read() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    mark(&mut ledger, 0, &mut store);
    assert_eq!(store.take_calls(), (1, 1));

    for millis in 1..100 {
        mark(&mut ledger, millis, &mut store);
    }

    assert_eq!(store.take_calls(), (99, 0));
}

#[test]
fn other_owners_other_names_and_other_windows_have_marks_of_their_own() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    mark(&mut ledger, 0, &mut store);

    for (account, budget, window) in [(2, 5, WINDOW), (1, 6, WINDOW), (1, 5, MINUTE)] {
        let age = ledger.mark(owner(account), budget, window, at(9000), &mut store);
        assert_eq!(age, Ok(Duration::ZERO));
    }
}

#[test]
fn a_store_that_fails_marks_nothing() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    for failing in 0..2 {
        store.plan(move |call| {
            if call == failing {
                Fault::Fail
            } else {
                Fault::None
            }
        });
        assert!(ledger.mark(owner(1), 5, WINDOW, at(0), &mut store).is_err());
    }
    store.plan(|_| Fault::None);

    assert_eq!(mark(&mut ledger, 9000, &mut store), Duration::ZERO);
}

#[test]
fn settlements_that_wait_are_not_lost_when_a_mark_only_reads() {
    let (mut ledger, mut store) = (ledger(), Shared::new());
    mark(&mut ledger, 0, &mut store);
    let held = granted(
        ledger
            .reserve(&[charge(1, 10, 5)], at(0), &mut store)
            .unwrap(),
    );
    ledger.settle(held, &[Some(2)], at(1), &mut store);

    mark(&mut ledger, 2, &mut store);

    assert_eq!(ledger.pending(), 1);
    ledger.flush(1, at(3), &mut store);
    assert_eq!(
        super::ledger().used(&charge(1, 10, 0), at(3), &mut store),
        Ok(2)
    );
}

proptest! {
    #[test]
    fn two_workers_agree_on_the_oldest_mark_that_the_window_still_holds(
        calls in prop::collection::vec((0_usize..2, prop_oneof![4 => 0_u64..900, 1 => 0_u64..20_000]), 1..120),
        faults in prop::collection::vec(0_u8..10, 1..50),
    ) {
        let (mut ledgers, mut store) = ([ledger(), ledger()], Shared::new());
        store.plan(move |call| if faults[call % faults.len()] < 2 { Fault::Conflict } else { Fault::None });
        let span = Span::of(WINDOW);
        let (mut marked, mut times, mut millis) = (vec![], vec![], 0);

        for (worker, wait) in calls {
            millis += wait;
            let now = at(millis);
            let Ok(age) = ledgers[worker].mark(owner(1), 5, WINDOW, now, &mut store) else {
                continue;
            };
            marked.push(span.slot(now));
            times.push(now);

            let oldest = marked.iter().copied().filter(|slot| slot + 16 >= span.slot(now)).min().unwrap();
            let end = Timestamp::from_unix_nanos((oldest + 1) * 1_000_000_000);
            prop_assert_eq!(age, now.saturating_since(end));
            // Never older than the first call that the window can hold, nor by a sub-window younger.
            let first = times.iter().find(|time| span.slot(**time) == oldest).unwrap();
            let truth = now.saturating_since(*first);
            prop_assert!(age <= truth && truth <= age + WINDOW / 16);
        }
    }

    #[test]
    fn who_calls_in_every_sub_window_is_old_for_good(calls in prop::collection::vec(1_u64..1000, 40..200)) {
        let (mut ledger, mut store) = (ledger(), Shared::new());
        let (mut millis, mut oldest) = (0, Duration::ZERO);

        for wait in calls {
            millis += wait;
            let age = mark(&mut ledger, millis, &mut store);
            oldest = oldest.max(age);
            let truth = Duration::from_millis(millis).min(WINDOW);
            prop_assert!(age + 2 * WINDOW / 16 >= truth, "{age:?} of {truth:?}");
        }
    }
}

use alloc::{collections::BTreeMap, vec::Vec};
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::window::Span;

fn settlement(owner: u64, slot: u64) -> Settlement {
    let id = RecordId::new(owner, 1, Span::of(Duration::from_secs(60)));
    Settlement {
        id,
        born: 1,
        limit: 100,
        slot,
        released: 3,
        charged: 5,
        lease: false,
    }
}

#[test]
fn settlements_of_one_sub_window_wait_as_one() {
    let mut queue = Queue::default();

    for _ in 0..1000 {
        assert!(queue.push(7, settlement(1, 2)));
    }

    let waiting: Vec<_> = queue
        .of(7)
        .map(|waiting| (waiting.released, waiting.charged))
        .collect();
    assert_eq!(waiting, [(3000, 5000)]);
    assert_eq!(queue.len(), 1);
}

#[test]
fn different_records_incarnations_and_sub_windows_wait_apart() {
    let mut queue = Queue::default();
    let first = settlement(1, 2);
    let other_window = Settlement {
        id: RecordId::new(1, 1, Span::of(Duration::from_secs(61))),
        ..first
    };

    for different in [
        first,
        settlement(2, 2),
        settlement(1, 3),
        Settlement { born: 2, ..first },
        other_window,
    ] {
        assert!(queue.push(7, different));
    }

    assert_eq!(queue.of(7).count(), 5);
}

#[test]
fn holds_4096_and_refuses_more_until_some_are_written() {
    let mut queue = Queue::default();
    for owner in 0..4096 {
        assert!(queue.push(1, settlement(owner, 0)));
    }

    assert!(!queue.push(2, settlement(5000, 0)));
    assert!(
        queue.push(1, settlement(4095, 0)),
        "what merges needs no room"
    );

    queue.remove(1);
    assert_eq!(queue.len(), 0);
    assert!(queue.push(2, settlement(5000, 0)));
}

#[test]
fn every_bucket_has_its_turn() {
    let mut queue = Queue::default();
    for bucket in [5, 9, 4095, 70_000] {
        queue.push(bucket, settlement(bucket.into(), 0));
    }

    let mut turns: Vec<_> = (0..4).filter_map(|_| queue.next_bucket()).collect();

    turns.sort_unstable();
    assert_eq!(turns, [5, 9, 4095, 70_000]);
}

proptest! {
    #[test]
    fn holds_what_a_map_would_hold(steps in prop::collection::vec((0_u8..4, 0_u32..6, 0_u64..4), 0..200)) {
        let mut queue = Queue::default();
        let mut model: BTreeMap<(u32, u64), u64> = BTreeMap::new();

        for (step, bucket, owner) in steps {
            // Buckets 4096 apart share a chain.
            let bucket = bucket % 3 + bucket / 3 * 4096;
            if step == 0 {
                queue.remove(bucket);
                model.retain(|(of, _), _| *of != bucket);
            } else {
                prop_assert!(queue.push(bucket, settlement(owner, 0)));
                *model.entry((bucket, owner)).or_default() += 5;
            }

            prop_assert_eq!(queue.len(), model.len());
            for bucket in [0, 1, 2, 4096, 4097, 4098] {
                let mut waiting: Vec<_> = queue.of(bucket).map(|waiting| (waiting.id.owner, waiting.charged)).collect();
                waiting.sort_unstable();
                let expected: Vec<_> = model.iter().filter(|((of, _), _)| *of == bucket).map(|((_, owner), charged)| (*owner, *charged)).collect();
                prop_assert_eq!(waiting, expected);
            }
            let next = queue.next_bucket();
            prop_assert_eq!(next.is_some(), !model.is_empty());
            prop_assert!(next.is_none_or(|bucket| model.keys().any(|(of, _)| *of == bucket)));
        }
    }
}

use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{hash::HashKey, time::Timestamp, window::Span};

const HOUR: Duration = Duration::from_secs(3600);
const LIMIT: u32 = 100;

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-04-22T08:00:00Z").unwrap()
}

fn id(owner: u64) -> RecordId {
    RecordId::new(owner, 7, Span::of(HOUR))
}

/// Inserts a record that holds `used` since `when`.
fn insert(bytes: &mut Vec<u8>, owner: u64, used: u32, when: Timestamp) -> (Room, Record) {
    let mut record = Record::new(id(owner), LIMIT, when);
    record.window.charge(when, used);
    let room = Bucket::reopen(bytes).insert(&mut record, when, |_| false);
    (room, record)
}

fn owners(bytes: &mut Vec<u8>) -> Vec<u64> {
    (0..100)
        .filter(|owner| Bucket::reopen(bytes).find(id(*owner)).is_some())
        .collect()
}

/// A bucket of owners 0..18 with `used`.
fn full(used: u32) -> Vec<u8> {
    let mut bytes = begun();
    for owner in 0..18 {
        assert_eq!(insert(&mut bytes, owner, used, now()).0, Room::Free);
    }
    bytes
}

fn begun() -> Vec<u8> {
    let mut bytes = vec![];
    assert_eq!(Bucket::open(&mut bytes, false, now()).1, Found::Bucket);
    bytes
}

#[test]
fn every_bucket_has_a_key_of_its_own_and_all_are_equally_long() {
    assert_eq!(&key(0), b"weir.1.00000000");
    assert_eq!(&key(0x1a2b_3c4d), b"weir.1.1a2b3c4d");
    assert_eq!(&key(u32::MAX), b"weir.1.ffffffff");
}

#[test]
fn accounts_spread_evenly_over_the_buckets() {
    let (layout, hash) = (
        Layout {
            buckets: NonZeroU32::new(97).unwrap(),
        },
        HashKey::new([7; 16]),
    );
    let mut load = [0; 97];

    for account in 0_u32..97_000 {
        let owner = hash.hash64("account", &[&account.to_le_bytes()]);
        load[usize::try_from(layout.bucket_of(owner)).unwrap()] += 1;
    }

    // Mean 1,000, standard deviation 32.
    assert!(
        load.iter().all(|accounts| (840..1160).contains(accounts)),
        "{load:?}"
    );
    assert_eq!(layout.bucket_of(u64::MAX), 96);
}

#[test]
fn a_full_bucket_takes_exactly_the_bytes_that_the_layout_counts_with() {
    assert_eq!(full(10).len(), Bucket::MAX_BYTES);
    assert_eq!(
        Layout {
            buckets: NonZeroU32::MIN
        }
        .max_bytes(),
        (KEY_BYTES + Bucket::MAX_BYTES) as u64 + LAYOUT_BYTES
    );
}

#[test]
fn finds_a_record_by_owner_budget_and_window_together() {
    let mut bytes = begun();
    let (_, record) = insert(&mut bytes, 3, 10, now());
    let bucket = Bucket::reopen(&mut bytes);

    assert_eq!(bucket.find(id(3)), Some((0, record)));
    assert_eq!(bucket.find(id(4)), None);
    assert_eq!(bucket.find(RecordId::new(3, 8, Span::of(HOUR))), None);
    assert_eq!(bucket.find(RecordId::new(3, 7, Span::of(2 * HOUR))), None);
}

#[test]
fn expired_records_make_room_before_live_ones_and_shorten_the_value() {
    let mut bytes = full(LIMIT);
    let later = now().saturating_add(2 * HOUR);

    let (room, _) = insert(&mut bytes, 50, 1, later);

    assert_eq!(room, Room::Free);
    assert_eq!(owners(&mut bytes), [50]);
    assert!(bytes.len() < 200);
}

#[test]
fn the_record_of_least_risk_goes_first() {
    let mut bytes = begun();
    for (owner, used) in [90, 50, 25, 24].into_iter().chain([95; 14]).enumerate() {
        insert(&mut bytes, owner as u64, used, now());
    }

    for (newcomer, victim) in [(50, 3), (51, 2), (52, 1)] {
        assert_eq!(insert(&mut bytes, newcomer, 100, now()).0, Room::Evicted);
        assert!(
            !owners(&mut bytes).contains(&victim),
            "{victim} is still there"
        );
    }
    assert!(owners(&mut bytes).contains(&0));
}

#[test]
fn among_equals_the_one_touched_longest_ago_goes() {
    let mut bytes = begun();
    for owner in 0..18 {
        insert(
            &mut bytes,
            owner,
            10,
            now().saturating_add(Duration::from_secs((owner + 9) % 18)),
        );
    }

    insert(
        &mut bytes,
        50,
        10,
        now().saturating_add(Duration::from_secs(60)),
    );

    assert!(!owners(&mut bytes).contains(&9));
    assert_eq!(owners(&mut bytes).len(), 18);
}

#[test]
fn a_flood_of_small_records_leaves_those_near_their_limit_alone() {
    let mut bytes = full(LIMIT * 9 / 10);
    insert(&mut bytes, 18, 1, now());

    for owner in 0..5000 {
        insert(&mut bytes, 1000 + owner, 1, now());
    }

    assert!(
        owners(&mut bytes).len() == 17,
        "only the record that the flood's first one replaced is gone"
    );
}

#[test]
fn spared_records_stay_even_when_nothing_else_can_go() {
    let mut bytes = full(1);
    let long_expired = now().saturating_add(2 * HOUR);
    let mut record = Record::new(id(50), LIMIT, long_expired);

    let room = Bucket::reopen(&mut bytes).insert(&mut record, long_expired, |_| true);

    assert_eq!(room, Room::None);
    assert_eq!(owners(&mut bytes), Vec::from_iter(0..18));
}

#[test]
fn a_record_made_anew_is_told_from_its_predecessor() {
    let mut bytes = begun();
    let mut seen = BTreeSet::new();

    for round in 0..100 {
        let (_, record) = insert(&mut bytes, 1, 10, now().saturating_add(round * 2 * HOUR));
        assert!(seen.insert(record.born), "born {} came twice", record.born);
        assert_ne!(record.born, 0);
    }
}

#[test]
fn foreign_bytes_are_an_empty_bucket_and_said_so() {
    let good = full(10);
    let mut foreign = vec![
        vec![],
        b"{}".to_vec(),
        vec![0; 2048],
        good[..good.len() - 1].to_vec(),
        [&good[..], &good[8..116]].concat(),
    ];
    foreign.push([b"wb2\0", &good[4..]].concat());

    for mut bytes in foreign {
        let (bucket, found) = Bucket::open(&mut bytes, true, now());
        assert_eq!((found, bucket.find(id(3))), (Found::Corrupt, None));
        assert_eq!(insert(&mut bytes, 3, 1, now()).0, Room::Free);
        assert_eq!(owners(&mut bytes), [3]);
    }
}

proptest! {
    #[test]
    fn a_record_survives_its_bytes(owner: u64, budget: u64, secs in 1_u64..1 << 24, born in 1_u32.., limit: u32, used: u32, nanos: u64) {
        let when = Timestamp::from_unix_nanos(nanos);
        let mut record = Record::new(RecordId::new(owner, budget, Span::of(Duration::from_secs(secs))), limit, when);
        record.born = born;
        record.window.charge(when, used);

        prop_assert_eq!(Record::decode(&record.encode()), Some(record));
    }

    #[test]
    fn no_stored_bytes_trap_or_outgrow_a_bucket(
        records in prop::collection::vec(any::<[u8; 32]>(), 0..=18),
        tail in prop::collection::vec(any::<u8>(), 0..120),
        nanos: u64,
        owner: u64,
    ) {
        let mut bytes = b"wb1\0\xff\xff\xff\xff".to_vec();
        records.iter().for_each(|record| bytes.extend(record.iter().cycle().take(108)));
        if tail.len() < 60 {
            bytes.extend(tail);
        }
        let when = Timestamp::from_unix_nanos(nanos);

        let _ = Bucket::open(&mut bytes, true, when);
        for owner in [owner, owner ^ 1] {
            insert(&mut bytes, owner, 1, when);
            prop_assert!(Bucket::reopen(&mut bytes).find(id(owner)).is_some());
        }

        prop_assert!(bytes.len() <= Bucket::MAX_BYTES);
        prop_assert_eq!(Bucket::open(&mut bytes, true, when).1, Found::Bucket);
    }
}

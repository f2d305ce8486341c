//! What every [`CounterStore`] must do, as checks that any store's own tests can run.
//!
//! Each check takes a fresh store, so they are independent; [`run`] and [`run_shared`] call them all.
//! They panic on the first broken promise and are not part of a build without `store-suite`.
use alloc::{vec, vec::Vec};

use super::{CounterStore, Swap, Version};

/// Checks a store that one owner uses; `make` gives an empty one each time.
pub fn run<S: CounterStore>(make: impl Fn() -> S) {
    a_key_never_written_is_missing(make());
    a_missing_key_empties_the_buffer(make());
    what_was_written_is_read(make());
    creating_loses_to_an_existing_value(make());
    a_stale_version_conflicts_and_changes_nothing(make());
    every_write_gives_another_version(make());
    a_version_stays_stale_when_the_value_comes_back(make());
    an_empty_value_is_not_a_missing_key(make());
    a_value_is_replaced_entirely(make());
    keys_do_not_touch_one_another(make());
    reading_changes_no_version(make());
    any_bytes_survive(make());
}

/// Checks two handles on one store, as two workers have them; `make` gives two handles on an empty store each time.
pub fn run_shared<A: CounterStore, B: CounterStore>(make: impl Fn() -> (A, B)) {
    let each = |check: fn(&mut dyn CounterStore, &mut dyn CounterStore)| {
        let (mut a, mut b) = make();
        check(&mut a, &mut b);
        let (mut a, mut b) = make();
        check(&mut b, &mut a);
    };
    each(one_handle_reads_what_the_other_wrote);
    each(of_two_creators_one_wins);
    each(of_two_writers_one_wins);
    each(increments_of_both_handles_all_count);
}

/// A key that was never written has no version.
pub fn a_key_never_written_is_missing(mut store: impl CounterStore) {
    assert_eq!(read(&mut store, b"key"), (None, vec![]));
}

/// What the buffer held before is gone, so nobody takes it for a stored value.
pub fn a_missing_key_empties_the_buffer(mut store: impl CounterStore) {
    let mut buffer = b"from an earlier read".to_vec();

    assert_eq!(store.get(b"key", &mut buffer), Ok(None));
    assert!(
        buffer.is_empty(),
        "the buffer still holds {} bytes",
        buffer.len()
    );
}

/// A write is read back, with a version.
pub fn what_was_written_is_read(mut store: impl CounterStore) {
    create(&mut store, b"key", b"value");

    let (version, value) = read(&mut store, b"key");
    assert!(version.is_some());
    assert_eq!(value, b"value");
}

/// `expected: None` never overwrites.
pub fn creating_loses_to_an_existing_value(mut store: impl CounterStore) {
    create(&mut store, b"key", b"first");

    assert_eq!(
        store.compare_and_swap(b"key", b"second", None),
        Ok(Swap::Conflict)
    );
    assert_eq!(read(&mut store, b"key").1, b"first");
}

/// A version from before the latest write is refused, and the refused value leaves no trace.
pub fn a_stale_version_conflicts_and_changes_nothing(mut store: impl CounterStore) {
    create(&mut store, b"key", b"first");
    let (stale, _) = read(&mut store, b"key");
    assert_eq!(
        store.compare_and_swap(b"key", b"second", stale),
        Ok(Swap::Done)
    );
    let current = read(&mut store, b"key");

    assert_eq!(
        store.compare_and_swap(b"key", b"third", stale),
        Ok(Swap::Conflict)
    );
    assert_eq!(read(&mut store, b"key"), current);
}

/// Writing the same bytes again is a write too.
pub fn every_write_gives_another_version(mut store: impl CounterStore) {
    create(&mut store, b"key", b"same");
    let mut seen: Vec<Option<Version>> = vec![];

    for _ in 0..50 {
        let (version, _) = read(&mut store, b"key");
        assert!(!seen.contains(&version), "a version came twice");
        seen.push(version);
        assert_eq!(
            store.compare_and_swap(b"key", b"same", version),
            Ok(Swap::Done)
        );
    }
}

/// A → B → A is not "unchanged".
pub fn a_version_stays_stale_when_the_value_comes_back(mut store: impl CounterStore) {
    create(&mut store, b"key", b"A");
    let (stale, _) = read(&mut store, b"key");
    for value in [b"B", b"A"] {
        let (version, _) = read(&mut store, b"key");
        assert_eq!(
            store.compare_and_swap(b"key", value, version),
            Ok(Swap::Done)
        );
    }

    assert_eq!(
        store.compare_and_swap(b"key", b"C", stale),
        Ok(Swap::Conflict)
    );
    assert_eq!(read(&mut store, b"key").1, b"A");
}

/// An empty value has a version, cannot be created over, and can be replaced.
pub fn an_empty_value_is_not_a_missing_key(mut store: impl CounterStore) {
    create(&mut store, b"key", b"");

    let (version, value) = read(&mut store, b"key");
    assert!(
        version.is_some(),
        "an empty value was taken for a missing key"
    );
    assert!(value.is_empty());
    assert_eq!(
        store.compare_and_swap(b"key", b"value", None),
        Ok(Swap::Conflict)
    );
    assert_eq!(
        store.compare_and_swap(b"key", b"value", version),
        Ok(Swap::Done)
    );
    assert_eq!(read(&mut store, b"key").1, b"value");
}

/// Nothing of a longer value stays behind a shorter one.
pub fn a_value_is_replaced_entirely(mut store: impl CounterStore) {
    create(&mut store, b"key", &[7; 2048]);
    let (version, _) = read(&mut store, b"key");

    assert_eq!(
        store.compare_and_swap(b"key", b"short", version),
        Ok(Swap::Done)
    );

    assert_eq!(read(&mut store, b"key").1, b"short");
}

/// Keys that are prefixes of one another, or differ in one byte, are different keys.
pub fn keys_do_not_touch_one_another(mut store: impl CounterStore) {
    let keys: [&[u8]; 4] = [b"weir.1.1", b"weir.1.10", b"weir.1.11", b"weir.2.1"];
    for key in keys {
        create(&mut store, key, key);
    }
    let (version, _) = read(&mut store, keys[0]);
    assert_eq!(
        store.compare_and_swap(keys[0], b"changed", version),
        Ok(Swap::Done)
    );

    for key in keys.into_iter().skip(1) {
        assert_eq!(read(&mut store, key).1, key);
    }
}

/// Reading between read and write does not make the write conflict.
pub fn reading_changes_no_version(mut store: impl CounterStore) {
    create(&mut store, b"key", b"value");
    let (version, _) = read(&mut store, b"key");
    for _ in 0..3 {
        assert_eq!(read(&mut store, b"key").0, version);
    }

    assert_eq!(
        store.compare_and_swap(b"key", b"next", version),
        Ok(Swap::Done)
    );
}

/// Keys and values are bytes, not text: zero bytes, invalid UTF-8, every byte value, 2 KiB.
pub fn any_bytes_survive(mut store: impl CounterStore) {
    let value: Vec<u8> = (0..=u8::MAX).cycle().take(2048).collect();
    let key = [b'k', 0, 0xff, b'.', 0xc3];

    create(&mut store, &key, &value);

    assert_eq!(read(&mut store, &key).1, value);
}

/// A write through one handle is seen through the other, version included.
pub fn one_handle_reads_what_the_other_wrote(a: &mut dyn CounterStore, b: &mut dyn CounterStore) {
    create(a, b"key", b"value");

    assert_eq!(read(b, b"key"), read(a, b"key"));
    assert_eq!(read(b, b"key").1, b"value");
}

/// Both saw the key missing; the second to create it is told.
pub fn of_two_creators_one_wins(a: &mut dyn CounterStore, b: &mut dyn CounterStore) {
    assert_eq!((read(a, b"key").0, read(b, b"key").0), (None, None));

    assert_eq!(a.compare_and_swap(b"key", b"from a", None), Ok(Swap::Done));
    assert_eq!(
        b.compare_and_swap(b"key", b"from b", None),
        Ok(Swap::Conflict)
    );

    assert_eq!(read(b, b"key").1, b"from a");
}

/// Both read the same version; the second to write is told.
pub fn of_two_writers_one_wins(a: &mut dyn CounterStore, b: &mut dyn CounterStore) {
    create(a, b"key", b"old");
    let (version_a, version_b) = (read(a, b"key").0, read(b, b"key").0);

    assert_eq!(
        b.compare_and_swap(b"key", b"from b", version_b),
        Ok(Swap::Done)
    );
    assert_eq!(
        a.compare_and_swap(b"key", b"from a", version_a),
        Ok(Swap::Conflict)
    );

    assert_eq!(read(a, b"key").1, b"from b");
}

/// Read, add one, write, again on conflict: no increment of either handle is lost.
pub fn increments_of_both_handles_all_count(a: &mut dyn CounterStore, b: &mut dyn CounterStore) {
    create(a, b"key", &[0]);
    for _ in 0..50 {
        let (of_a, of_b) = (read(a, b"key"), read(b, b"key"));
        assert_eq!(
            a.compare_and_swap(b"key", &plus_one(&of_a.1), of_a.0),
            Ok(Swap::Done)
        );
        assert_eq!(
            b.compare_and_swap(b"key", &plus_one(&of_b.1), of_b.0),
            Ok(Swap::Conflict)
        );
        let of_b = read(b, b"key");
        assert_eq!(
            b.compare_and_swap(b"key", &plus_one(&of_b.1), of_b.0),
            Ok(Swap::Done)
        );
    }

    assert_eq!(read(a, b"key").1, [100]);
}

fn plus_one(value: &[u8]) -> Vec<u8> {
    value.iter().map(|byte| byte.wrapping_add(1)).collect()
}

fn create<S: CounterStore + ?Sized>(store: &mut S, key: &[u8], value: &[u8]) {
    assert_eq!(
        store.compare_and_swap(key, value, None),
        Ok(Swap::Done),
        "a new key was not created"
    );
}

fn read<S: CounterStore + ?Sized>(store: &mut S, key: &[u8]) -> (Option<Version>, Vec<u8>) {
    let mut value = vec![];
    let version = store.get(key, &mut value);
    assert!(version.is_ok(), "reading failed: {version:?}");
    (version.ok().flatten(), value)
}

//! What the table's layout promises.
use proptest::prelude::*;
use weir_engine::{
    store::{CounterStore, MemoryStore},
    table::Layout,
};

/// Less than this cannot hold one full bucket.
const SMALLEST: u64 = 2048;

proptest! {
    #[test]
    fn takes_as_many_buckets_as_the_memory_holds(bytes in SMALLEST..1 << 40) {
        let layout = Layout::within(bytes);
        let one_more = Layout { buckets: layout.buckets.saturating_add(1) };

        prop_assert!(layout.max_bytes() <= bytes);
        prop_assert!(one_more.max_bytes() > bytes);
    }
}

#[test]
fn has_a_bucket_however_little_memory_there_is() {
    assert_eq!(Layout::within(0).buckets.get(), 1);
    assert_eq!(Layout::within(u64::MAX).buckets.get(), u32::MAX);
}

#[test]
fn sixty_four_mebibytes_hold_600_000_records() {
    assert!(Layout::within(64 << 20).max_records() >= 600_000);
}

#[test]
fn the_layout_that_was_published_first_stays() {
    let mut store = MemoryStore::new();
    let (first, second) = (Layout::within(1 << 20), Layout::within(1 << 30));

    assert_eq!(first.agree(&mut store), Ok(first));
    assert_eq!(second.agree(&mut store), Ok(first));
}

#[test]
fn a_damaged_layout_is_published_again() {
    let mut store = MemoryStore::new();
    store
        .compare_and_swap(b"weir.1.layout", &[0; 4], None)
        .unwrap();
    let layout = Layout::within(1 << 20);

    assert_eq!(layout.agree(&mut store), Ok(layout));
    assert_eq!(Layout::within(1 << 30).agree(&mut store), Ok(layout));
}

use super::*;
use crate::{
    store::{CounterStore, MemoryStore, StoreError, Swap, Version},
    time::Timestamp,
};
use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;
use proptest::prelude::*;

const START: u64 = 1_700_000_000_000_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_nanos(START + millis * 1_000_000)
}

fn seen(account: u64, millis: u64) -> Observation {
    Observation {
        time: at(millis),
        account,
        ..Observation::default()
    }
}

fn accounts(read: &[Observation]) -> Vec<u64> {
    let mut accounts: Vec<u64> = read.iter().map(|seen| seen.account).collect();
    accounts.sort_unstable();
    accounts
}

fn drain(reader: &mut FeedReader, store: &mut impl CounterStore) -> Vec<Observation> {
    let mut read = Vec::new();
    while !reader.collect(3, store, &mut read).unwrap() {}
    read
}

#[test]
fn what_workers_push_is_read_once_and_whole() {
    let mut store = MemoryStore::new();
    let mut reader = FeedReader::new(8);
    let mut workers = [FeedWriter::new(11, 8), FeedWriter::new(12, 8)];

    for account in 1..=500_u64 {
        workers[account as usize % 2].push(&seen(account, account), at(account), &mut store);
    }
    for worker in &mut workers {
        worker.flush(at(600), &mut store);
    }

    assert_eq!(
        accounts(&drain(&mut reader, &mut store)),
        (1..=500).collect::<Vec<_>>()
    );
    assert!(drain(&mut reader, &mut store).is_empty());
    assert_eq!((reader.stats().lost, reader.stats().corrupt), (0, 0));
}

#[test]
fn pages_are_written_when_full_when_old_and_when_their_span_is_over() {
    let mut store = MemoryStore::new();
    let mut worker = FeedWriter::new(1, 4);
    let minute = 60_000 - START / 1_000_000 % 60_000;

    worker.push(&seen(1, minute - 300), at(minute - 300), &mut store);
    worker.tick(at(minute - 100), &mut store);
    assert!(worker.is_waiting());
    worker.tick(at(minute), &mut store);
    assert!(!worker.is_waiting());

    worker.push(&seen(1, minute + 10), at(minute + 10), &mut store);
    worker.tick(at(minute + 1_010), &mut store);
    assert!(!worker.is_waiting());

    for account in 1..=48 {
        worker.push(
            &seen(account, minute + 2_000),
            at(minute + 2_000),
            &mut store,
        );
    }
    assert!(!worker.is_waiting());
}

#[test]
fn what_is_overwritten_before_it_was_read_is_counted_as_lost() {
    let mut store = MemoryStore::new();
    let mut reader = FeedReader::new(2);
    let mut worker = FeedWriter::new(1, 2);
    let push = |worker: &mut FeedWriter, store: &mut MemoryStore, count: u64| {
        for account in 0..count {
            worker.push(&seen(account + 1, 5), at(5), store);
        }
    };

    push(&mut worker, &mut store, 48);
    assert_eq!(drain(&mut reader, &mut store).len(), 48);
    push(&mut worker, &mut store, 48 * 5);

    assert_eq!(drain(&mut reader, &mut store).len(), 96);
    assert_eq!(reader.stats().lost, 48 * 3);
    assert_eq!(reader.stats().observations, 48 * 3);
}

#[test]
fn keys_and_bytes_stay_within_the_fixed_figure() {
    let mut store = MemoryStore::new();
    for owner in 1..=u64::from(SLOTS) + 3 {
        let mut worker = FeedWriter::new(owner, 2);
        for account in 1..=48 * 5 {
            worker.push(&seen(account, owner), at(owner), &mut store);
        }
        let lost = if owner > SLOTS.into() { 240 } else { 0 };
        assert_eq!(worker.stats().lost, lost);
    }

    assert!(store.bytes() <= SMALL_BYTES + 2 * RING_PAGE_BYTES);
    assert!(store.bytes() > 2 * RING_PAGE_BYTES - 1024);
}

#[test]
fn a_worker_whose_slot_was_taken_after_long_silence_takes_another() {
    let mut store = MemoryStore::new();
    let mut reader = FeedReader::new(8);
    let later = 700_000;
    let mut silent = FeedWriter::new(1, 8);
    silent.push(&seen(1, 0), at(0), &mut store);
    silent.flush(at(0), &mut store);

    let mut newcomer = FeedWriter::new(2, 8);
    newcomer.push(&seen(2, later), at(later), &mut store);
    newcomer.flush(at(later), &mut store);
    silent.push(&seen(3, later), at(later), &mut store);
    silent.flush(at(later), &mut store);

    assert_eq!(slot::claimed(&mut store), Ok(0b11));
    assert_eq!(accounts(&drain(&mut reader, &mut store)), [1, 2, 3]);
    assert_eq!(reader.stats().lost, 0);
}

#[test]
fn a_new_leader_reads_what_still_stands_and_blames_nobody_for_the_rest() {
    let mut store = MemoryStore::new();
    let mut worker = FeedWriter::new(1, 2);
    for account in 1..=48 * 4 {
        worker.push(&seen(account, 0), at(0), &mut store);
    }

    let mut reader = FeedReader::new(2);

    assert_eq!(drain(&mut reader, &mut store).len(), 96);
    assert_eq!(reader.stats().lost, 0);
}

#[test]
fn a_store_that_fails_loses_the_page_and_keeps_the_slot() {
    struct Failing(MemoryStore, bool);
    impl CounterStore for Failing {
        fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
            if self.1 {
                return Err(StoreError { status: 10 });
            }
            self.0.get(key, value)
        }
        fn compare_and_swap(
            &mut self,
            key: &[u8],
            value: &[u8],
            expected: Option<Version>,
        ) -> Result<Swap, StoreError> {
            self.0.compare_and_swap(key, value, expected)
        }
    }
    let mut store = Failing(MemoryStore::new(), false);
    let mut worker = FeedWriter::new(1, 4);
    for failing in [false, true, false] {
        store.1 = failing;
        worker.push(&seen(1, 0), at(0), &mut store);
        worker.flush(at(0), &mut store);
    }

    assert_eq!(worker.stats().lost, 1);
    assert_eq!(slot::claimed(&mut store), Ok(1));
    assert_eq!(drain(&mut FeedReader::new(4), &mut store).len(), 2);
}

/// A store that lets others act before a call.
struct Interleaved<'a> {
    store: Rc<RefCell<MemoryStore>>,
    before: &'a mut dyn FnMut(),
}

impl CounterStore for Interleaved<'_> {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        (self.before)();
        self.store.borrow_mut().get(key, value)
    }
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        (self.before)();
        self.store
            .borrow_mut()
            .compare_and_swap(key, value, expected)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_lost_or_doubled_while_the_rings_have_room(
        steps in proptest::collection::vec((0usize..4, any::<bool>()), 1..600),
        interleavings in proptest::collection::vec(any::<bool>(), 0..400),
    ) {
        // Room for everything that can be pushed between two looks of the reader.
        let ring = 600;
        let store = Rc::new(RefCell::new(MemoryStore::new()));
        let mut workers: Vec<FeedWriter> = (1..=3).map(|owner| FeedWriter::new(owner, ring)).collect();
        let mut reader = FeedReader::new(ring);
        let mut read = Vec::new();
        let mut pushed = 0_u64;
        let mut turns = interleavings.into_iter();
        for (who, flush) in steps {
            if who == 3 {
                // While the reader reads, a worker pushes and flushes between its calls.
                let mut others = Vec::from_iter(workers.drain(..1));
                let mut busy = false;
                let mut act = || {
                    if !busy && turns.next() == Some(true) {
                        busy = true;
                        pushed += 1;
                        let mut plain = Rc::clone(&store);
                        others[0].push(&seen(pushed, 0), at(0), &mut Plain(&mut plain));
                        others[0].flush(at(0), &mut Plain(&mut plain));
                        busy = false;
                    }
                };
                let mut interleaved = Interleaved { store: Rc::clone(&store), before: &mut act };
                reader.collect(2, &mut interleaved, &mut read).unwrap();
                workers.insert(0, others.remove(0));
            } else {
                pushed += 1;
                workers[who].push(&seen(pushed, 0), at(0), &mut *store.borrow_mut());
                if flush {
                    workers[who].flush(at(0), &mut *store.borrow_mut());
                }
            }
        }
        for worker in &mut workers {
            worker.flush(at(0), &mut *store.borrow_mut());
        }
        read.extend(drain(&mut reader, &mut *store.borrow_mut()));

        prop_assert_eq!(accounts(&read), (1..=pushed).collect::<Vec<_>>());
        prop_assert_eq!((reader.stats().lost, reader.stats().corrupt), (0, 0));
    }

    #[test]
    fn damaged_values_are_counted_and_never_end_in_a_trap(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..80), any::<prop::sample::Index>(), any::<u8>()), 1..12),
    ) {
        let mut store = MemoryStore::new();
        let mut worker = FeedWriter::new(1, 4);
        for account in 1..=48 * 3 {
            worker.push(&seen(account, 0), at(0), &mut store);
        }
        for (which, other, place, byte) in damage {
            let keys: Vec<(Vec<u8>, Vec<u8>)> = store.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
            let (key, mut value) = which.get(&keys).clone();
            if other.len() > 40 || value.is_empty() {
                value = other;
            } else {
                let place = place.index(value.len());
                value[place] ^= byte;
            }
            let version = store.get(&key, &mut Vec::new()).unwrap();
            store.compare_and_swap(&key, &value, version).unwrap();
        }
        let mut reader = FeedReader::new(4);
        let mut read = Vec::new();

        for _ in 0..10 {
            let _ = reader.collect(8, &mut store, &mut read);
            worker.push(&seen(1, 0), at(0), &mut store);
            worker.flush(at(0), &mut store);
        }

        prop_assert!(read.iter().all(|seen| seen.account != 0));
    }
}

/// A store behind a shared handle.
struct Plain<'a>(&'a mut Rc<RefCell<MemoryStore>>);

impl CounterStore for Plain<'_> {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        self.0.borrow_mut().get(key, value)
    }
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        self.0.borrow_mut().compare_and_swap(key, value, expected)
    }
}

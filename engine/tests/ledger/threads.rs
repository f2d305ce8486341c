use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use weir_engine::store::{MemoryStore, StoreError, Swap, Version};

use super::*;

const THREADS: u32 = 4;

/// A lock around each call, as Proxy-Wasm's shared data has it.
#[derive(Clone, Default)]
struct Locked(Arc<Mutex<MemoryStore>>);

impl CounterStore for Locked {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        self.0.lock().unwrap().get(key, value)
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        self.0
            .lock()
            .unwrap()
            .compare_and_swap(key, value, expected)
    }
}

/// Runs `work` in every thread with a ledger of its own; returns the sum of what it gave.
fn in_all_threads(
    store: &Locked,
    work: impl Fn(u32, &mut Ledger, &mut Locked) -> u32 + Sync,
) -> u32 {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                let (mut store, work) = (store.clone(), &work);
                scope.spawn(move || work(worker, &mut ledger(), &mut store))
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    })
}

/// Tries until the store answers: contention is no answer, and charges nothing.
fn insist(ledger: &mut Ledger, charges: &[Charge], store: &mut Locked) -> Admission {
    loop {
        match ledger.reserve(charges, at(0), store) {
            Ok(admission) => return admission,
            Err(error) => assert_eq!(error, StoreError::CONTENDED),
        }
    }
}

#[test]
fn of_three_times_the_limit_exactly_the_limit_passes() {
    const LIMIT: u32 = 5000;
    let store = Locked::default();

    let passed = in_all_threads(&store, |_, ledger, store| {
        let attempts = 0..3 * LIMIT / THREADS;
        let passed = attempts.filter(|_| {
            matches!(
                insist(ledger, &[charge(1, LIMIT, 1)], store),
                Admission::Granted(_)
            )
        });
        u32::try_from(passed.count()).unwrap()
    });

    assert_eq!(passed, LIMIT);
}

#[test]
fn what_all_threads_settle_is_what_is_charged() {
    let store = Locked::default();

    let charged = in_all_threads(&store, |worker, ledger, store| {
        let mut sum = 0;
        for exchange in 0..1000_u32 {
            let charges = [
                charge(1, u32::MAX, 100),
                charge(10 + exchange % 5, u32::MAX, 100),
            ];
            let Admission::Granted(reservation) = insist(ledger, &charges, store) else {
                panic!("refused")
            };
            let actual = (exchange * 7 + worker) % 200;
            if actual < 20 {
                ledger.abort(reservation, at(0), store);
            } else {
                ledger.settle(reservation, &[Some(actual), Some(actual)], at(0), store);
                sum += actual;
            }
        }
        while ledger.flush(usize::MAX, at(0), store) > 0 {}
        sum
    });

    let mut store = store;
    let mut used = |account| {
        ledger()
            .used(&charge(account, u32::MAX, 0), at(0), &mut store)
            .unwrap()
    };
    assert_eq!(used(1), u64::from(charged));
    assert_eq!((10..15).map(&mut used).sum::<u64>(), u64::from(charged));
}

#[test]
fn never_more_leases_than_the_limit_are_held_and_none_in_the_end() {
    const LIMIT: u32 = 3;
    let store = Locked::default();
    let held = AtomicU32::new(0);
    let lease = Charge {
        lease: true,
        ..charge(1, LIMIT, 1)
    };

    let granted = in_all_threads(&store, |_, ledger, store| {
        let mut granted = 0;
        for _ in 0..2000 {
            let Admission::Granted(mut reservation) = insist(ledger, &[lease], store) else {
                continue;
            };
            granted += 1;
            assert!(held.fetch_add(1, Ordering::SeqCst) < LIMIT);
            held.fetch_sub(1, Ordering::SeqCst);
            ledger.release_leases(&mut reservation, at(0), store);
        }
        while ledger.flush(usize::MAX, at(0), store) > 0 {}
        granted
    });

    let mut store = store;
    assert!(granted >= LIMIT);
    assert_eq!(ledger().used(&lease, at(0), &mut store), Ok(0));
}

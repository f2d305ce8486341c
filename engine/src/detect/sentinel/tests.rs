use super::*;
use crate::{detect::State, store::MemoryStore};
use alloc::{rc::Rc, string::String, vec};
use core::cell::RefCell;
use proptest::prelude::*;

const MEMORY: u64 = 16 << 20;

fn at(millis: u64) -> Timestamp {
    // The start of a minute.
    Timestamp::from_unix_nanos(1_699_999_980_000_000_000 + millis * 1_000_000)
}

/// Restricts accounts that it saw three times; writes down what it was told, in order.
struct Script {
    told: Rc<RefCell<Vec<String>>>,
    seen: alloc::collections::BTreeMap<u64, u32>,
    changed: Vec<u64>,
    debt: usize,
    done: Timestamp,
}

impl Judge for Script {
    fn observe(&mut self, observation: &Observation) {
        let line = alloc::format!("{} {}", observation.time, observation.account);
        self.told.borrow_mut().push(line);
        let count = self.seen.entry(observation.account).or_default();
        *count += 1;
        if *count == 3 {
            self.changed.push(observation.account);
        }
    }
    fn advance(&mut self, now: Timestamp, work: usize) -> bool {
        if now > self.done && self.debt == 0 {
            self.told.borrow_mut().push(alloc::format!("pass {now}"));
            self.debt = 5_000;
        }
        self.debt = self.debt.saturating_sub(work);
        if self.debt == 0 {
            self.done = now;
        }
        self.debt == 0
    }
    fn standing(&self, account: u64) -> Standing {
        let restricted = self.seen.get(&account).is_some_and(|count| *count >= 3);
        Standing {
            state: if restricted {
                State::Restrict
            } else {
                State::Observe
            },
            score: if restricted { 9.0 } else { -5.0 },
            learned: 1.0,
            ..Standing::default()
        }
    }
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>, max: usize) {
        for account in self.changed.drain(..self.changed.len().min(max)) {
            let standing = Standing {
                state: State::Restrict,
                score: 9.0,
                learned: 1.0,
                ..Standing::default()
            };
            out.push((account, standing));
        }
    }
}

type Told = Rc<RefCell<Vec<String>>>;

fn vm(owner: u64, told: &Told, store: &mut MemoryStore) -> Sentinel {
    let told = Rc::clone(told);
    let judge = move || {
        Box::new(Script {
            told: Rc::clone(&told),
            seen: alloc::collections::BTreeMap::new(),
            changed: Vec::new(),
            debt: 0,
            done: Timestamp::default(),
        }) as Box<dyn Judge>
    };
    Sentinel::with_judge(MEMORY, owner, Box::new(judge), store).unwrap()
}

fn seen(account: u64, millis: u64) -> Observation {
    Observation {
        time: at(millis),
        account,
        ..Observation::default()
    }
}

fn settle(sentinel: &mut Sentinel, now: Timestamp, store: &mut MemoryStore) {
    for _ in 0..10_000 {
        if sentinel.tick(now, false, store) {
            return;
        }
    }
    panic!("the leader never comes to an end");
}

/// Runs `exchanges` (worker, account, millisecond) past so many workers and one leader, minute by minute.
fn run(exchanges: &[(usize, u64, u64)], workers: usize) -> (Vec<String>, Vec<State>) {
    let (told, mut store) = (Told::default(), MemoryStore::new());
    let mut leader = vm(99, &told, &mut store);
    let mut vms: Vec<Sentinel> = (0..workers)
        .map(|n| vm(n as u64 + 1, &told, &mut store))
        .collect();
    leader.tick(at(0), false, &mut store);
    let (mut minute, mut states) = (0, Vec::new());
    for (worker, account, millis) in exchanges {
        if millis / 60_000 > minute {
            let over = (minute + 1) * 60_000;
            minute = millis / 60_000;
            leader.tick(at(over), false, &mut store);
            for vm in &mut vms {
                vm.tick(at(over), true, &mut store);
            }
            settle(&mut leader, at(*millis.max(&(over + 2_000))), &mut store);
        }
        let vm = &mut vms[worker % workers];
        states.push(vm.standing(*account, at(*millis), &mut store).state);
        vm.observe(&seen(*account, *millis), at(*millis), &mut store);
    }
    assert!(vms.iter().all(|vm| !vm.leads()));
    assert_eq!(
        leader.stats().lost + leader.stats().shed + leader.stats().late,
        0
    );
    let told = told.borrow().clone();
    (told, states)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_number_of_workers_shows_neither_in_what_is_judged_nor_in_what_is_decided(
        steps in proptest::collection::vec((0usize..8, 1u64..6, 0u64..30_000), 1..150),
    ) {
        let mut millis = 0;
        let exchanges: Vec<(usize, u64, u64)> = steps.into_iter().map(|(worker, account, wait)| {
            millis += wait;
            (worker, account, millis)
        }).collect();

        let one = run(&exchanges, 1);

        prop_assert_eq!(&one, &run(&exchanges, 4));
        let repeated = (1..6).any(|account| {
            let mut minutes: Vec<u64> = exchanges.iter().filter(|(_, other, _)| *other == account).map(|(_, _, millis)| millis / 60_000).collect();
            minutes.sort_unstable();
            minutes.len() > 3 && minutes[2] < minutes[minutes.len() - 1]
        });
        prop_assert_eq!(one.1.contains(&State::Restrict), repeated);
    }
}

#[test]
fn spans_are_closed_two_seconds_after_their_end_and_judged_in_order() {
    let (told, mut store) = (Told::default(), MemoryStore::new());
    let mut leader = vm(1, &told, &mut store);
    for (account, millis) in [(2, 61_000), (9, 5_000), (1, 5_000), (3, 59_999)] {
        leader.observe(&seen(account, millis), at(millis), &mut store);
    }
    leader.flush(at(61_000), &mut store);

    leader.tick(at(61_000), false, &mut store);
    leader.tick(at(61_999), false, &mut store);
    assert!(told.borrow().iter().all(|line| line.starts_with("pass")));
    settle(&mut leader, at(62_000), &mut store);
    let lines = told.borrow().clone();
    let observed: Vec<&String> = lines
        .iter()
        .filter(|line| !line.starts_with("pass"))
        .collect();
    assert_eq!(observed.len(), 3);
    assert!(
        observed[0].ends_with(" 1") && observed[1].ends_with(" 9") && observed[2].ends_with(" 3")
    );

    // What comes for a closed span counts for the open one.
    leader.observe(&seen(7, 30_000), at(63_000), &mut store);
    leader.flush(at(63_000), &mut store);
    settle(&mut leader, at(123_000), &mut store);
    assert_eq!(leader.stats().late, 1);
    assert_eq!(leader.stats().judged, 5);
}

#[test]
fn a_leader_that_serves_streams_gives_way_while_it_has_learned_nothing() {
    let (told, mut store) = (Told::default(), MemoryStore::new());
    let mut worker = vm(1, &told, &mut store);
    let mut main = vm(2, &told, &mut store);

    worker.tick(at(0), false, &mut store);
    main.tick(at(10), false, &mut store);
    assert!(worker.leads() && !main.leads());

    worker.observe(&seen(1, 2_000), at(2_000), &mut store);
    worker.tick(at(2_100), true, &mut store);
    main.tick(at(2_110), false, &mut store);
    worker.tick(at(3_200), true, &mut store);
    assert!(!worker.leads() && main.leads());

    // Alone, it leads again.
    for millis in (4_000..12_000).step_by(100) {
        worker.tick(at(millis), true, &mut store);
    }
    assert!(worker.leads());
}

#[test]
fn two_leaders_never_both_publish() {
    let (told, mut store) = (Told::default(), MemoryStore::new());
    let mut first = vm(1, &told, &mut store);
    let mut second = vm(2, &told, &mut store);
    let mut published = vec![0_u64; 2];
    for step in 0..2_000_u64 {
        let now = at(step * 97);
        // The first VM is silent for half of the time.
        if step / 200 % 2 == 0 {
            first.observe(&seen(step % 50 + 1, step * 97), now, &mut store);
            first.tick(now, false, &mut store);
        }
        second.observe(&seen(step % 50 + 1, step * 97), now, &mut store);
        second.tick(now, false, &mut store);
        assert!(!(first.leads() && second.leads()) || step / 200 % 2 == 1);
        let counts = [first.stats().passes, second.stats().passes];
        let moved = counts
            .iter()
            .zip(&published)
            .filter(|(now, then)| now > then);
        assert!(moved.count() <= 1, "at step {step}");
        published = counts.to_vec();
    }
    assert!(
        published.iter().all(|passes| *passes > 100),
        "{published:?}"
    );
}

#[test]
fn what_exceeds_the_room_for_open_spans_is_shed_and_counted() {
    let (told, mut store) = (Told::default(), MemoryStore::new());
    let mut leader = vm(1, &told, &mut store);
    leader.tick(at(0), false, &mut store);
    let room = room::open_within(MEMORY) as u64;
    for account in 1..=room + 500 {
        leader.observe(&seen(account, 1), at(1), &mut store);
        if account % 48 == 0 {
            leader.tick(at(1), false, &mut store);
        }
    }
    leader.flush(at(2), &mut store);
    settle(&mut leader, at(62_000), &mut store);

    assert_eq!(leader.stats().shed, 500);
    assert_eq!(leader.stats().judged, room);
}

#[test]
fn an_idle_vm_that_leads_makes_few_calls() {
    struct Counting(MemoryStore, u64);
    impl CounterStore for Counting {
        fn get(
            &mut self,
            key: &[u8],
            value: &mut Vec<u8>,
        ) -> Result<Option<crate::store::Version>, StoreError> {
            self.1 += 1;
            self.0.get(key, value)
        }
        fn compare_and_swap(
            &mut self,
            key: &[u8],
            value: &[u8],
            expected: Option<crate::store::Version>,
        ) -> Result<crate::store::Swap, StoreError> {
            self.1 += 1;
            self.0.compare_and_swap(key, value, expected)
        }
    }
    let (told, mut plain) = (Told::default(), MemoryStore::new());
    let mut leader = vm(1, &told, &mut plain);
    let mut store = Counting(plain, 0);
    leader.tick(at(0), false, &mut store);
    store.1 = 0;

    for tick in 1..=100_u64 {
        leader.tick(at(tick * 100), false, &mut store);
    }

    assert!(store.1 <= 215, "{} calls in 10 s", store.1);
    assert!(leader.tick(at(10_000), false, &mut store));
}

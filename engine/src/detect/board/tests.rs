use super::*;
use crate::{
    detect::State,
    store::{CounterStore, MemoryStore, StoreError, Swap, Version},
    time::Timestamp,
};
use proptest::prelude::*;

const BUCKETS: NonZeroU32 = NonZeroU32::MIN;

fn at(hours: u64) -> Timestamp {
    Timestamp::from_unix_nanos((1_700_000_000 + hours * 3600) * 1_000_000_000)
}

fn standing(state: State, score: f32) -> Standing {
    let mut standing = Standing {
        state,
        score,
        campaign: 7,
        learned: 1.0,
        ..Standing::default()
    };
    standing.evidence[0] = Some(Evidence {
        signal: Signal::PRIOR,
        value: 0.001,
        weight: -5.0,
    });
    standing.evidence[1] = Some(Evidence {
        signal: Signal::OWN_OTHER,
        value: 3.0,
        weight: score + 5.0,
    });
    standing
}

fn everybody() -> Standing {
    let mut standing = Standing {
        score: -5.0,
        learned: 1.0,
        ..Standing::default()
    };
    standing.evidence[0] = Some(Evidence {
        signal: Signal::PRIOR,
        value: 0.001,
        weight: -5.0,
    });
    standing
}

/// Counts calls.
#[derive(Default)]
struct Counting(MemoryStore, u32);

impl CounterStore for Counting {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        self.1 += 1;
        self.0.get(key, value)
    }
    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        self.1 += 1;
        self.0.compare_and_swap(key, value, expected)
    }
}

#[test]
fn a_published_standing_is_read_back_and_taken_off_when_it_is_over() {
    let mut store = MemoryStore::new();
    let buckets = NonZeroU32::new(64).unwrap();
    let (mut writer, mut reader) = (BoardWriter::new(buckets), BoardReader::new(buckets));
    let wanted = standing(State::Restrict, 9.5);
    assert!(!reader.standing(5, at(0), &mut store).judges());

    writer.publish(5, &wanted, at(0), &mut store).unwrap();
    writer.announce(&everybody(), &mut store).unwrap();
    reader.tick();

    assert_eq!(reader.standing(5, at(0), &mut store), wanted);
    assert_eq!(reader.standing(6, at(0), &mut store), everybody());
    assert_eq!(writer.counts(), [0, 0, 1, 0]);

    let over = standing(State::Observe, -4.0);
    writer.publish(5, &over, at(1), &mut store).unwrap();
    writer.announce(&everybody(), &mut store).unwrap();
    reader.tick();
    assert_eq!(reader.standing(5, at(1), &mut store), everybody());
    assert_eq!(writer.counts(), [0; 4]);
}

#[test]
fn an_account_without_a_standing_costs_a_call_after_a_tick_and_none_otherwise() {
    let mut store = Counting::default();
    let buckets = NonZeroU32::new(64).unwrap();
    let (mut writer, mut reader) = (BoardWriter::new(buckets), BoardReader::new(buckets));
    writer
        .publish(5, &standing(State::Watch, 3.0), at(0), &mut store)
        .unwrap();
    writer.announce(&everybody(), &mut store).unwrap();
    reader.standing(6, at(0), &mut store);

    store.1 = 0;
    for account in 6..1000 {
        reader.standing(account, at(0), &mut store);
    }
    assert_eq!(store.1, 0);
    reader.tick();
    for _ in 0..10 {
        reader.standing(5, at(0), &mut store);
    }
    assert_eq!(store.1, 2, "the header and the bucket");
}

#[test]
fn a_standing_that_nobody_confirms_is_void_after_two_days() {
    let mut store = MemoryStore::new();
    let (mut writer, mut reader) = (BoardWriter::new(BUCKETS), BoardReader::new(BUCKETS));
    let wanted = standing(State::Restrict, 9.0);
    writer.publish(5, &wanted, at(0), &mut store).unwrap();
    writer.announce(&everybody(), &mut store).unwrap();

    assert_eq!(
        reader.standing(5, at(47), &mut store).state,
        State::Restrict
    );
    assert_eq!(reader.standing(5, at(48), &mut store).state, State::Observe);

    assert!(writer.unconfirmed(at(23), 10).is_empty());
    assert_eq!(writer.unconfirmed(at(24), 10), [5]);
    writer.publish(5, &wanted, at(24), &mut store).unwrap();
    writer.announce(&everybody(), &mut store).unwrap();
    reader.tick();
    assert_eq!(
        reader.standing(5, at(70), &mut store).state,
        State::Restrict
    );
}

#[test]
fn the_next_leader_can_take_off_what_a_former_one_put_on() {
    let mut store = MemoryStore::new();
    let (mut former, mut next) = (BoardWriter::new(BUCKETS), BoardWriter::new(BUCKETS));
    let mut reader = BoardReader::new(BUCKETS);
    for account in [5, 6] {
        former
            .publish(account, &standing(State::Watch, 3.0), at(0), &mut store)
            .unwrap();
    }
    former.announce(&everybody(), &mut store).unwrap();

    next.publish(5, &standing(State::Observe, -4.0), at(1), &mut store)
        .unwrap();
    next.announce(&everybody(), &mut store).unwrap();

    assert_eq!(reader.standing(5, at(1), &mut store).state, State::Observe);
    assert_eq!(reader.standing(6, at(1), &mut store).state, State::Watch);
}

#[test]
fn bytes_stay_within_the_fixed_figure() {
    let mut store = MemoryStore::new();
    let buckets = NonZeroU32::new(3).unwrap();
    let mut writer = BoardWriter::new(buckets);
    for account in 0..500_u64 {
        let account = account.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writer
            .publish(account, &standing(State::Watch, 3.0), at(0), &mut store)
            .unwrap();
    }
    writer.announce(&everybody(), &mut store).unwrap();

    assert_eq!(writer.counts(), [45, 0, 0, 0]);
    assert_eq!(writer.evicted(), 455);
    assert_eq!(store.bytes(), SMALL_BYTES + 3 * BUCKET_BYTES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flood_of_lower_states_never_pushes_out_a_higher_one(states in proptest::collection::vec(1usize..4, 1..80)) {
        let mut store = MemoryStore::new();
        let (mut writer, mut reader) = (BoardWriter::new(BUCKETS), BoardReader::new(BUCKETS));
        for (account, state) in (1_u64..).zip(&states) {
            writer.publish(account, &standing(State::ALL[*state], 3.0), at(0), &mut store).unwrap();
        }
        writer.announce(&everybody(), &mut store).unwrap();

        let shown: Vec<State> = (1..=states.len() as u64).map(|account| reader.standing(account, at(0), &mut store).state).collect();
        let mut wanted: Vec<State> = states.iter().map(|state| State::ALL[*state]).collect();
        wanted.sort_unstable_by(|left, right| right.cmp(left));
        wanted.truncate(15);
        let mut kept: Vec<State> = shown.into_iter().filter(|state| *state > State::Observe).collect();
        kept.sort_unstable_by(|left, right| right.cmp(left));
        prop_assert_eq!(kept, wanted);
    }

    #[test]
    fn damaged_values_never_invent_a_standing_for_others_and_never_trap(
        key in 0usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..400), flip in any::<prop::sample::Index>(), mask in 1u8..,
        replace: bool,
    ) {
        let mut store = MemoryStore::new();
        let (mut writer, mut reader) = (BoardWriter::new(BUCKETS), BoardReader::new(BUCKETS));
        for account in 1..10 {
            writer.publish(account, &standing(State::Restrict, 9.0), at(0), &mut store).unwrap();
        }
        writer.announce(&everybody(), &mut store).unwrap();
        let entries: Vec<(Vec<u8>, Vec<u8>)> = store.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect();
        let (key, mut value) = entries[key].clone();
        if replace {
            value = bytes;
        } else {
            let place = flip.index(value.len());
            value[place] ^= mask;
        }
        let version = store.get(&key, &mut Vec::new()).unwrap();
        store.compare_and_swap(&key, &value, version).unwrap();

        for account in 0..40 {
            let standing = reader.standing(account, at(0), &mut store);
            prop_assert!(standing.score.is_finite());
            prop_assert!((0.0..=1.0).contains(&standing.learned));
        }
        for account in 1..10 {
            writer.publish(account, &standing(State::Restrict, 9.0), at(1), &mut store).unwrap();
        }
        writer.announce(&everybody(), &mut store).unwrap();
    }
}

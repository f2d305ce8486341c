//! The detector as a whole, on a small made-up town: what it finds, when it stays silent, and what it may not depend on.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test says what went wrong by failing"
)]
use std::time::Duration;
use weir_engine::detect::{
    Detector, FieldPrint, Observation, Plan, Profile, PromptPrint, Settings, State, Topics,
    Verification,
};
use weir_engine::time::Timestamp;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const START: u64 = 20_000 * DAY;
const TOWNSPEOPLE: u64 = 600;
const SYBILS: u64 = 60;
/// Days before the campaign begins.
const QUIET: u64 = 8;

/// A small generator of well-spread numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_nanos(seconds * 1_000_000_000)
}

fn text(frame: u64, seed: u64) -> FieldPrint {
    let mut print = FieldPrint {
        exact: Dice(seed).roll() | 1,
        len: 12,
        words: 40,
        ..FieldPrint::default()
    };
    let (mut frame, mut own) = (Dice(frame), Dice(seed));
    for (index, shingle) in print.shingles.iter_mut().take(12).enumerate() {
        *shingle = if index < 6 { frame.roll() } else { own.roll() } as u32;
    }
    print
}

/// A person: young or old, asleep at night, busy in bursts, about many things.
fn life(person: u64, day: u64, out: &mut Vec<Observation>) {
    let mut dice = Dice(person * 1_000 + day);
    let nature = Dice(person).roll();
    let wakes = nature % 24;
    let sessions = dice.below(2 + nature % 4);
    for _ in 0..sessions {
        let begins = START + day * DAY + (wakes + dice.below(12)) % 24 * HOUR + dice.below(HOUR);
        let session = dice.roll();
        let mut now = begins;
        for turn in 0..=dice.below(4 + nature % 16) {
            now += 20 + dice.below(300);
            out.push(Observation {
                time: at(now),
                account: nature | 1,
                created: Some(at(START - (nature >> 8) % 700 * DAY)),
                plan: if nature & 1 == 0 {
                    Plan::Free
                } else {
                    Plan::PayAsYouGo
                },
                verification: Verification::Email,
                network: (nature >> 20) as u32,
                payment: if nature & 1 == 0 {
                    0
                } else {
                    (nature >> 21) as u32
                },
                shape: (nature >> 30) as u32 % 40 + 1,
                prompt: PromptPrint {
                    user: text(session, session),
                    topics: Topics(1 << (session % 12)),
                    ..PromptPrint::default()
                },
                user_turns: turn as u16 + 1,
                input_tokens: 200,
                output_tokens: 50 + dice.below(2_000) as u32,
                ..Observation::default()
            });
        }
    }
}

/// A sybil: new, awake all day, one frame with ever new slots.
fn work(sybil: u64, day: u64, out: &mut Vec<Observation>) {
    let mut dice = Dice(sybil * 7_000 + day);
    let id = Dice(sybil).roll();
    for _ in 0..26 {
        out.push(Observation {
            time: at(START + day * DAY + dice.below(DAY)),
            account: id | 1,
            created: Some(at(START + QUIET * DAY - dice.below(3 * DAY))),
            plan: Plan::PayAsYouGo,
            verification: Verification::Email,
            network: dice.roll() as u32,
            payment: (id >> 21) as u32,
            shape: 7,
            prompt: PromptPrint {
                user: text(1, dice.roll()),
                topics: Topics::SOFTWARE,
                ..PromptPrint::default()
            },
            user_turns: 1,
            input_tokens: 200,
            output_tokens: 800 + dice.below(200) as u32,
            ..Observation::default()
        });
    }
}

fn town(days: u64, campaign: bool) -> Vec<Observation> {
    let mut all = Vec::new();
    for day in 0..days {
        for person in 0..TOWNSPEOPLE {
            life(1 + person, day, &mut all);
        }
        if campaign && day >= QUIET {
            for sybil in 0..SYBILS {
                work(1_000_000 + sybil, day, &mut all);
            }
        }
    }
    all.sort_by_key(|seen| (seen.time, seen.account));
    all
}

fn settings() -> Settings {
    Settings {
        max_accounts: 4_096,
        learn: Duration::from_secs(5 * DAY),
        ..Settings::default()
    }
}

fn watch(observations: &[Observation], slice: usize) -> Detector {
    let mut detector = Detector::new(Profile::shipped(), settings());
    for seen in observations {
        while !detector.advance(seen.time, slice) {}
        detector.observe(seen);
    }
    detector
}

fn sybils() -> impl Iterator<Item = u64> {
    (0..SYBILS).map(|sybil| Dice(1_000_000 + sybil).roll() | 1)
}

fn people() -> impl Iterator<Item = u64> {
    (0..TOWNSPEOPLE).map(|person| Dice(1 + person).roll() | 1)
}

#[test]
fn a_campaign_of_small_accounts_is_found_within_days_and_nobody_else_is_restricted() {
    let detector = watch(&town(QUIET + 3, true), usize::MAX);

    let caught = sybils()
        .filter(|id| detector.standing(*id).state >= State::Restrict)
        .count();
    let reached = |state| {
        people()
            .filter(|id| detector.standing(*id).state >= state)
            .count()
    };
    assert!(caught >= 57, "{caught} of {SYBILS}");
    assert_eq!(reached(State::Restrict), 0);
    assert!(reached(State::StepUp) <= 3, "{}", reached(State::StepUp));
}

#[test]
fn every_score_is_the_sum_of_its_reasons_and_a_campaign_has_few_names() {
    let detector = watch(&town(QUIET + 3, true), usize::MAX);

    let mut names = std::collections::BTreeSet::new();
    for id in sybils().chain(people()) {
        let standing = detector.standing(id);
        let sum: f32 = standing.reasons().map(|reason| reason.weight).sum();
        assert!((sum - standing.score).abs() < 1e-3, "{standing:?}");
        if standing.state >= State::Restrict {
            names.insert(standing.campaign);
        }
    }
    assert!(
        !names.contains(&0) && (1..=4).contains(&names.len()),
        "{names:?}"
    );
}

#[test]
fn without_a_campaign_nobody_is_asked_to_verify() {
    let detector = watch(&town(QUIET + 3, false), usize::MAX);

    assert_eq!(
        people()
            .filter(|id| detector.standing(*id).state > State::Watch)
            .count(),
        0
    );
}

#[test]
fn while_it_learns_it_judges_nobody_and_says_so() {
    let mut detector = Detector::new(
        Profile::shipped(),
        Settings {
            learn: Duration::from_secs(30 * DAY),
            ..settings()
        },
    );
    for seen in town(QUIET + 3, true) {
        while !detector.advance(seen.time, usize::MAX) {}
        detector.observe(&seen);
    }

    assert!(detector.learned() > 0.2 && detector.learned() < 1.0);
    for id in sybils() {
        let standing = detector.standing(id);
        assert_eq!(standing.state, State::Observe);
        assert!(standing.learned < 1.0);
    }
}

#[test]
fn how_a_pass_is_sliced_changes_nothing() {
    let observations = town(QUIET + 2, true);
    let (whole, sliced) = (watch(&observations, usize::MAX), watch(&observations, 17));

    for id in sybils().chain(people()) {
        assert_eq!(whole.standing(id), sliced.standing(id));
    }
}

#[test]
fn marking_accounts_changes_no_standing() {
    let observations = town(QUIET + 2, true);
    let plain = watch(&observations, usize::MAX);
    let mut marked = Detector::new(Profile::shipped(), settings());
    for id in people().take(100) {
        marked.mark(id);
    }
    for seen in &observations {
        while !marked.advance(seen.time, usize::MAX) {}
        marked.observe(seen);
    }

    assert!(!marked.survey().is_empty());
    for id in sybils().chain(people()) {
        assert_eq!(plain.standing(id), marked.standing(id));
    }
}

#[test]
fn changes_are_handed_over_once_and_agree_with_the_standing() {
    let mut detector = watch(&town(QUIET + 3, true), usize::MAX);

    let mut changed = Vec::new();
    detector.take_changed(&mut changed, usize::MAX);
    assert!(changed.len() >= 50);
    for (id, standing) in &changed {
        assert_eq!(detector.standing(*id), *standing);
    }
    changed.clear();
    detector.take_changed(&mut changed, usize::MAX);
    assert!(changed.is_empty());
}

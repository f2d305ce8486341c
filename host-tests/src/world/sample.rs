//! People, programs and turns for tests of words: every combination, no believable life.
use super::{Person, ProgramKind, ProgramSpec, Rewrite, Source, SystemText, TOPICS, Text, Turn};
use crate::simulate::random::{Random, mix};
use weir_engine::time::Timestamp;

/// 2026-04-22T08:00:00Z.
const START: u64 = 1_776_844_800_000_000_000;
/// How many programs there are.
pub(super) const PROGRAMS: u32 = 60;

/// Program `number`.
pub(super) fn program(number: u32) -> ProgramSpec {
    let mut random = Random::new(u64::from(number), 1);
    ProgramSpec {
        seed: random.next(),
        kind: ProgramKind::App,
        topic: random.below(TOPICS.len()) as u8,
        system: match number % 5 {
            0 => SystemText::None,
            1 => SystemText::Fixed(number),
            2 => SystemText::Template(number),
            3 => SystemText::Own(random.next()),
            _ => SystemText::Rewritten(number),
        },
        tools: random.chance(0.4).then_some(number),
        shape: random.next(),
    }
}

/// Person `number`; one in three works for a campaign.
pub(super) fn person(number: u32) -> Person {
    let mut random = Random::new(u64::from(number), 2);
    Person {
        id: random.next(),
        organization: random.next(),
        created: Timestamp::from_unix_nanos(START - random.next() % 10_000_000_000_000_000),
        verification: random
            .pick(&["none", "email", "phone", "document", "organization", ""])
            .filter(|word| !word.is_empty()),
        plan: random
            .pick(&["free", "payg", "team", "enterprise"])
            .unwrap_or("free"),
        payment: random.chance(0.6).then(|| random.next()),
        asn: 64_512 + random.below(200) as u32,
        client_version: random.below(8) as u8,
        campaign: number.is_multiple_of(3).then_some(0),
        kind: if number.is_multiple_of(3) {
            "A1"
        } else {
            "chat"
        },
        hard_negative: number.is_multiple_of(7).then_some("H3"),
    }
}

/// Turn `number` of a world with this many people; every fourth goes on with a former conversation.
pub(super) fn turn(number: u32, people: u32) -> Turn {
    let mut random = Random::new(u64::from(number), 3);
    let later = number % 4 == 3;
    let mut talk = Random::new(u64::from(number - u32::from(later)), 4);
    let topic = talk.below(TOPICS.len()) as u8;
    let source = match talk.below(4) {
        0 => Source::Template(talk.below(30) as u32, topic),
        1 => Source::Verbatim(talk.below(30) as u32, topic),
        _ => Source::Free(topic),
    };
    let rewrite = match talk.below(8) {
        0 => Rewrite::Whole,
        1 => Rewrite::Words(0.3),
        _ => Rewrite::Not,
    };
    Turn {
        time: Timestamp::from_unix_nanos(START + u64::from(number) * 777_777_777),
        account: talk.below(people as usize) as u32,
        program: talk.below(PROGRAMS as usize) as u32,
        text: Text {
            source,
            seed: talk.next(),
            rewrite,
        },
        step: if later {
            1 + random.below(80) as u16
        } else {
            0
        },
        tool_results: (random.below(12).pow(2) * 2) as u16,
        model: random.below(4) as u8,
        address: mix(talk.next(), 3),
        input_tokens: 1 + random.below(100_000) as u32,
        output_tokens: random.below(4_000) as u32,
        customer: random.chance(0.2),
    }
}

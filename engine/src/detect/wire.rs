//! Observations as bytes, as they travel between workers: fixed size, little-endian.
//!
//! Not a format for files: it has no version, since writer and reader are always the same build.
use super::observation::{Observation, Plan, Verification};
use super::prompt::{FieldPrint, PromptPrint, SHINGLES, Topics};
use crate::time::Timestamp;
use alloc::vec::Vec;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// Bytes of a point in time: milliseconds in 48 bits reach beyond the year 10000.
const TIME_BYTES: usize = 6;

const FIELD_BYTES: usize = 8 + 4 * SHINGLES + 1 + 2;

const CREATED: u8 = 1;
const TOOLS: u8 = 1 << 1;
const REASONING: u8 = 1 << 2;
const SAMPLES: u8 = 1 << 3;
const REFUSED: u8 = 1 << 4;

impl Observation {
    /// Bytes of every observation on the wire.
    pub const WIRE_BYTES: usize = 2 * TIME_BYTES // time, created
        + 2 * 8 // account, organization
        + 1 // verification and plan
        + 6 * 4 // payment, network, asn, client, shape, model
        + 2 * FIELD_BYTES
        + 8 + 4 + 2 // tools, skeleton, topics
        + 2 * 2 // turns, results
        + 1 // flags
        + 2 * 4; // tokens

    /// Appends [`Self::WIRE_BYTES`] bytes to `out`. Times are cut to whole milliseconds.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(Self::WIRE_BYTES);
        write_time(self.time, out);
        write_time(self.created.unwrap_or_default(), out);
        out.extend_from_slice(&self.account.to_le_bytes());
        out.extend_from_slice(&self.organization.to_le_bytes());
        out.push(tag(&VERIFICATIONS, self.verification) | tag(&PLANS, self.plan) << 4);
        for hash in [
            self.payment,
            self.network,
            self.asn,
            self.client,
            self.shape,
            self.model,
        ] {
            out.extend_from_slice(&hash.to_le_bytes());
        }
        write_field(&self.prompt.system, out);
        write_field(&self.prompt.user, out);
        out.extend_from_slice(&self.prompt.tools.to_le_bytes());
        out.extend_from_slice(&self.prompt.skeleton.to_le_bytes());
        out.extend_from_slice(&self.prompt.topics.0.to_le_bytes());
        out.extend_from_slice(&self.user_turns.to_le_bytes());
        out.extend_from_slice(&self.tool_results.to_le_bytes());
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        out.push(
            flag(self.created.is_some(), CREATED)
                | flag(self.tools, TOOLS)
                | flag(self.reasoning, REASONING)
                | flag(self.samples, SAMPLES)
                | flag(self.refused, REFUSED),
        );
        out.extend_from_slice(&self.input_tokens.to_le_bytes());
        out.extend_from_slice(&self.output_tokens.to_le_bytes());
    }

    /// The observation of exactly [`Self::WIRE_BYTES`] bytes; `None` for bytes that [`Self::write`] never wrote.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut wire = Wire(bytes);
        let (time, created) = (wire.time()?, wire.time()?);
        let (account, organization) = (wire.u64()?, wire.u64()?);
        let tags = wire.u8()?;
        let mut observation = Self {
            time,
            account,
            organization,
            verification: *VERIFICATIONS.get(usize::from(tags & 0xF))?,
            plan: *PLANS.get(usize::from(tags >> 4))?,
            payment: wire.u32()?,
            network: wire.u32()?,
            asn: wire.u32()?,
            client: wire.u32()?,
            shape: wire.u32()?,
            model: wire.u32()?,
            prompt: PromptPrint {
                system: wire.field()?,
                user: wire.field()?,
                tools: wire.u64()?,
                skeleton: wire.u32()?,
                topics: Topics(wire.u16()?),
            },
            user_turns: wire.u16()?,
            tool_results: wire.u16()?,
            ..Self::default()
        };
        let flags = wire.u8()?;
        if flags > CREATED | TOOLS | REASONING | SAMPLES | REFUSED {
            return None;
        }
        observation.created = (flags & CREATED != 0).then_some(created);
        observation.tools = flags & TOOLS != 0;
        observation.reasoning = flags & REASONING != 0;
        observation.samples = flags & SAMPLES != 0;
        observation.refused = flags & REFUSED != 0;
        observation.input_tokens = wire.u32()?;
        observation.output_tokens = wire.u32()?;
        wire.0.is_empty().then_some(observation)
    }
}

/// In the order of their tags.
const VERIFICATIONS: [Verification; 6] = [
    Verification::Unknown,
    Verification::None,
    Verification::Email,
    Verification::Phone,
    Verification::Document,
    Verification::Organization,
];

/// In the order of their tags.
const PLANS: [Plan; 5] = [
    Plan::Unknown,
    Plan::Free,
    Plan::PayAsYouGo,
    Plan::Team,
    Plan::Enterprise,
];

fn tag<T: PartialEq>(all: &[T], value: T) -> u8 {
    let index = all.iter().position(|one| *one == value);
    index
        .and_then(|index| u8::try_from(index).ok())
        .unwrap_or_default()
}

fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, ..] = (time.as_unix_nanos() / NANOS_PER_MILLI).to_le_bytes();
    out.extend_from_slice(&[a, b, c, d, e, f]);
}

fn write_field(field: &FieldPrint, out: &mut Vec<u8>) {
    out.extend_from_slice(&field.exact.to_le_bytes());
    for shingle in field.shingles {
        out.extend_from_slice(&shingle.to_le_bytes());
    }
    out.push(field.len);
    out.extend_from_slice(&field.words.to_le_bytes());
}

/// What is left to read.
struct Wire<'b>(&'b [u8]);

impl Wire<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Option<Timestamp> {
        let [a, b, c, d, e, f] = self.take::<TIME_BYTES>()?;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
            .checked_mul(NANOS_PER_MILLI)
            .map(Timestamp::from_unix_nanos)
    }

    fn field(&mut self) -> Option<FieldPrint> {
        let exact = self.u64()?;
        let mut shingles = [0; SHINGLES];
        for shingle in &mut shingles {
            *shingle = self.u32()?;
        }
        let (len, words) = (self.u8()?, self.u16()?);
        (usize::from(len) <= SHINGLES).then_some(FieldPrint {
            exact,
            shingles,
            len,
            words,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field() -> impl Strategy<Value = FieldPrint> {
        (
            any::<u64>(),
            any::<[u32; SHINGLES]>(),
            0..=SHINGLES as u8,
            any::<u16>(),
        )
            .prop_map(|(exact, shingles, len, words)| FieldPrint {
                exact,
                shingles,
                len,
                words,
            })
    }

    fn time() -> impl Strategy<Value = Timestamp> {
        (0..u64::MAX / NANOS_PER_MILLI)
            .prop_map(|millis| Timestamp::from_unix_nanos(millis * NANOS_PER_MILLI))
    }

    fn observation() -> impl Strategy<Value = Observation> {
        let who = (
            time(),
            prop::option::of(time()),
            any::<[u64; 2]>(),
            prop::sample::select(VERIFICATIONS.to_vec()),
            prop::sample::select(PLANS.to_vec()),
            any::<[u32; 8]>(),
        );
        let prompt = (
            field(),
            field(),
            any::<u64>(),
            any::<u32>(),
            any::<u16>().prop_map(Topics),
        );
        let rest = (any::<[u16; 2]>(), any::<[bool; 4]>());
        (who, prompt, rest).prop_map(|(who, prompt, (counts, flags))| {
            let (time, created, [account, organization], verification, plan, hashes) = who;
            let [payment, network, asn, client, shape, model, input, output] = hashes;
            let (system, user, names, skeleton, topics) = prompt;
            let [tools, reasoning, samples, refused] = flags;
            Observation {
                time,
                account,
                organization,
                created,
                verification,
                plan,
                payment,
                network,
                asn,
                client,
                shape,
                model,
                prompt: PromptPrint {
                    system,
                    user,
                    tools: names,
                    skeleton,
                    topics,
                },
                user_turns: counts[0],
                tool_results: counts[1],
                tools,
                reasoning,
                samples,
                refused,
                input_tokens: input,
                output_tokens: output,
            }
        })
    }

    fn bytes_of(observation: &Observation) -> Vec<u8> {
        let mut bytes = Vec::new();
        observation.write(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(observation in observation()) {
            let bytes = bytes_of(&observation);

            prop_assert_eq!(bytes.len(), Observation::WIRE_BYTES);
            prop_assert_eq!(Observation::read(&bytes), Some(observation));
        }

        #[test]
        fn bytes_that_nobody_wrote_give_nothing_or_an_observation_that_writes_them(
            observation in observation(), at in 0..Observation::WIRE_BYTES, byte: u8,
        ) {
            let mut bytes = bytes_of(&observation);
            bytes[at] = byte;

            if let Some(read) = Observation::read(&bytes) {
                prop_assert_eq!(Some(read), Observation::read(&bytes_of(&read)));
            }
        }
    }

    #[test]
    fn another_length_an_unknown_tag_or_too_many_shingles_are_refused() {
        let bytes = bytes_of(&Observation::default());
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            Observation::read(&bytes)
        };
        let tags = 2 * TIME_BYTES + 16;
        let len = tags + 1 + 24 + 8 + 4 * SHINGLES;

        assert_eq!(Observation::read(&bytes[1..]), None);
        assert_eq!(Observation::read(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(with(tags, 0x06), None);
        assert_eq!(with(tags, 0x50), None);
        assert_eq!(with(len, SHINGLES as u8 + 1), None);
        assert!(with(len, SHINGLES as u8).is_some());
        assert_eq!(with(Observation::WIRE_BYTES - 9, 0x20), None);
        assert_eq!(with(TIME_BYTES - 1, 0xFF), None);
    }

    #[test]
    fn times_lose_less_than_a_millisecond() {
        let observation = Observation {
            time: Timestamp::from_unix_nanos(1_999_999),
            created: Some(Timestamp::from_unix_nanos(0)),
            ..Observation::default()
        };

        let read = Observation::read(&bytes_of(&observation)).unwrap();

        assert_eq!(read.time, Timestamp::from_unix_nanos(1_000_000));
        assert_eq!(read.created, observation.created);
    }
}

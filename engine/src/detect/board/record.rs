//! One standing as 134 bytes, and a bucket of fifteen.
//!
//! | bytes | field |
//! |---|---|
//! | 0..8 | account |
//! | 8 | state |
//! | 9 | pieces of evidence |
//! | 10..14 | score |
//! | 14..22 | campaign |
//! | 22..26 | minute of the last confirmation |
//! | 26..134 | evidence: signal, value, weight |
use super::{HOLD, MAGIC};
use crate::{
    detect::{Evidence, Signal, Standing, State, standing::MAX_EVIDENCE},
    time::Timestamp,
};
use alloc::vec::Vec;

pub(super) const RECORD_LENGTH: usize = 26 + MAX_EVIDENCE * 9;
/// Most records of a bucket.
pub(super) const MAX_RECORDS: usize = 15;
pub(super) const BUCKET_LENGTH: usize = MAGIC.len() + MAX_RECORDS * RECORD_LENGTH;

/// A standing with the account that it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) account: u64,
    pub(super) minute: u32,
    pub(super) standing: Standing,
}

/// Minutes since the epoch.
pub(super) fn minute(now: Timestamp) -> u32 {
    u32::try_from(now.as_unix_seconds() / 60).unwrap_or(u32::MAX)
}

impl Record {
    /// Whether it still holds.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let age = u64::from(minute(now).saturating_sub(self.minute));
        age.saturating_mul(60) < HOLD.as_secs()
    }

    /// What it is worth when room is short: the state, then how recent it is.
    pub(super) fn worth(&self) -> (State, u32) {
        (self.standing.state, self.minute)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let evidence = self.standing.evidence.iter().flatten();
        let state = match self.standing.state {
            State::Observe => 0,
            State::Watch => 1,
            State::StepUp => 2,
            State::Restrict => 3,
            State::Block => 4,
        };
        let end = out.len().saturating_add(RECORD_LENGTH);
        out.extend_from_slice(&self.account.to_le_bytes());
        out.push(state);
        out.push(u8::try_from(evidence.clone().count()).unwrap_or_default());
        out.extend_from_slice(&self.standing.score.to_le_bytes());
        out.extend_from_slice(&self.standing.campaign.to_le_bytes());
        out.extend_from_slice(&self.minute.to_le_bytes());
        for evidence in evidence {
            out.push(evidence.signal.code());
            out.extend_from_slice(&evidence.value.to_le_bytes());
            out.extend_from_slice(&evidence.weight.to_le_bytes());
        }
        out.resize(end, 0);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (account, rest) = bytes.split_first_chunk()?;
        let ([state, count], rest) = rest.split_first_chunk()?;
        let (score, rest) = rest.split_first_chunk()?;
        let (campaign, rest) = rest.split_first_chunk()?;
        let (minute, rest) = rest.split_first_chunk()?;
        let mut standing = Standing {
            state: match state {
                0 => State::Observe,
                1 => State::Watch,
                2 => State::StepUp,
                3 => State::Restrict,
                4 => State::Block,
                _ => return None,
            },
            score: finite(*score)?,
            campaign: u64::from_le_bytes(*campaign),
            // Nobody gets a standing before the learning is done.
            learned: 1.0,
            ..Standing::default()
        };
        if usize::from(*count) > MAX_EVIDENCE {
            return None;
        }
        let pieces = rest.chunks_exact(9).take(usize::from(*count));
        for (place, piece) in standing.evidence.iter_mut().zip(pieces) {
            let (signal, values) = piece.split_first()?;
            let (value, weight) = values.split_first_chunk()?;
            *place = Some(Evidence {
                signal: Signal::from_code(*signal)?,
                value: finite(*value)?,
                weight: finite(weight.try_into().ok()?)?,
            });
        }
        Some(Self {
            account: u64::from_le_bytes(*account),
            minute: u32::from_le_bytes(*minute),
            standing,
        })
    }
}

fn finite(bytes: [u8; 4]) -> Option<f32> {
    Some(f32::from_le_bytes(bytes)).filter(|value| value.is_finite())
}

/// The records of a bucket; `None` for bytes that are no bucket. Records that cannot be read are left out.
pub(super) fn records(bytes: &[u8]) -> Option<impl Iterator<Item = Record>> {
    let records = bytes.strip_prefix(&MAGIC)?;
    let whole = records.len() % RECORD_LENGTH == 0 && bytes.len() <= BUCKET_LENGTH;
    whole.then(|| records.chunks_exact(RECORD_LENGTH).filter_map(Record::read))
}

/// The record of `account` in a bucket.
pub(super) fn find(bytes: &[u8], account: u64) -> Option<Record> {
    records(bytes)?.find(|record| record.account == account)
}

/// The bytes of a bucket.
pub(super) fn bucket(records: &[Record]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for record in records.iter().take(MAX_RECORDS) {
        record.write(&mut bytes);
    }
    bytes
}

//! How the leader tells workers what it thinks of accounts: a board of standings in shared data.
//!
//! Only accounts above `observe` stand on it. Fixed keys: a header (how much is learned, what is believed of
//! accounts without a standing), a map of bits that tells which accounts may have one, and buckets of
//! fixed-size records. The common case, no standing, costs a worker no call: it looks at its copy of the map.
mod reader;
mod record;
mod writer;

pub use reader::BoardReader;
pub use writer::BoardWriter;

use super::{Evidence, Signal, Standing};
use alloc::vec::Vec;
use core::{num::NonZeroU32, time::Duration};

/// A standing that was not confirmed for so long is void: its leader is gone, and none may last for ever.
pub const HOLD: Duration = Duration::from_secs(48 * 3600);
/// Age at which the leader confirms a standing.
pub const CONFIRM: Duration = Duration::from_secs(24 * 3600);

const HEADER_KEY: &[u8] = b"weir.1.board";
const MAP_KEY: &[u8] = b"weir.1.board.map";
const MAGIC: [u8; 4] = *b"wo1\0";
const HEADER_LENGTH: usize = MAGIC.len() + 20;
/// One bit for each value of the low 16 bits of an account's hash.
const MAP_LENGTH: usize = 8192;
const BUCKET_KEY_LENGTH: usize = 21;

/// Most bytes of the header and the map.
#[expect(clippy::as_conversions, reason = "widening of constants")]
pub(super) const SMALL_BYTES: u64 =
    (HEADER_KEY.len() + HEADER_LENGTH + MAP_KEY.len() + MAGIC.len() + MAP_LENGTH) as u64;
/// Most bytes of a bucket.
#[expect(clippy::as_conversions, reason = "widening of constants")]
pub(super) const BUCKET_BYTES: u64 = (BUCKET_KEY_LENGTH + record::BUCKET_LENGTH) as u64;

/// What the board says of everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Notice {
    /// Counts up with every change of the board.
    pub(super) sequence: u64,
    /// How much of the learning is done.
    pub(super) learned: f32,
    /// What is believed of an account without a standing.
    pub(super) prior: [f32; 2],
}

impl Notice {
    fn encode(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        for value in [self.learned, self.prior[0], self.prior[1]] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (sequence, rest) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
        let (learned, rest) = rest.split_first_chunk()?;
        let (value, rest) = rest.split_first_chunk()?;
        let (weight, rest) = rest.split_first_chunk()?;
        let notice = Self {
            sequence: u64::from_le_bytes(*sequence),
            learned: f32::from_le_bytes(*learned),
            prior: [f32::from_le_bytes(*value), f32::from_le_bytes(*weight)],
        };
        let sound = notice.prior.iter().all(|value| value.is_finite());
        (rest.is_empty() && sound && (0.0..=1.0).contains(&notice.learned)).then_some(notice)
    }

    /// The standing of an account that has none of its own: the prior alone.
    fn standing(self) -> Standing {
        let [value, weight] = self.prior;
        let mut standing = Standing {
            score: weight,
            learned: self.learned,
            ..Standing::default()
        };
        if let Some(first) = standing.evidence.first_mut() {
            *first = Some(Evidence {
                signal: Signal::PRIOR,
                value,
                weight,
            });
        }
        standing
    }
}

/// The byte and the bit of an account in the map.
fn place(account: u64) -> (usize, u8) {
    let low = usize::try_from(account & 0xffff).unwrap_or_default();
    let bit = u32::try_from(low & 7).unwrap_or_default();
    (low >> 3, 1_u8.checked_shl(bit).unwrap_or_default())
}

fn marked(map: &[u8], account: u64) -> bool {
    let (byte, bit) = place(account);
    map.get(byte).is_some_and(|byte| byte & bit != 0)
}

/// The bucket of an account: the high half of its hash, scaled.
fn bucket_of(account: u64, buckets: NonZeroU32) -> u32 {
    let scaled = (account >> 32).saturating_mul(u64::from(buckets.get())) >> 32;
    u32::try_from(scaled).unwrap_or_default()
}

fn bucket_key(bucket: u32) -> [u8; BUCKET_KEY_LENGTH] {
    let mut key = *b"weir.1.board.00000000";
    let (_, digits) = key.split_at_mut(13);
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bucket.to_be_bytes()) {
        for (digit, nibble) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
            let letter = char::from_digit(nibble.into(), 16).unwrap_or('0');
            *digit = u8::try_from(letter).unwrap_or(b'0');
        }
    }
    key
}

#[cfg(test)]
mod tests;

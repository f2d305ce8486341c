//! One page: who wrote it, which one it is, and its observations.
use super::PAGE_OBSERVATIONS;
use crate::detect::Observation;
use alloc::vec::Vec;

const MAGIC: [u8; 4] = *b"wf1\0";
/// Magic, owner and number.
pub(super) const HEADER_BYTES: usize = MAGIC.len() + 16;
/// `weir.1.feed.<slot>.<position>`.
pub(super) const KEY_BYTES: usize = 19;

pub(super) fn key(slot: u8, position: u16) -> [u8; KEY_BYTES] {
    let mut key = *b"weir.1.feed.00.0000";
    let [high, low] = position.to_be_bytes();
    let digits = [slot, high, low].map(|byte| [byte >> 4, byte & 0xf]);
    let [[a, b], [c, d], [e, f]] = digits.map(|pair| pair.map(digit));
    let (_, tail) = key.split_at_mut(12);
    tail.copy_from_slice(&[a, b, b'.', c, d, e, f]);
    key
}

pub(super) fn digit(nibble: u8) -> u8 {
    let digit = char::from_digit(nibble.into(), 16).unwrap_or('0');
    u8::try_from(digit).unwrap_or(b'0')
}

/// Writes the page `number` of `owner`, whose observations stand in `wire`.
pub(super) fn encode(owner: u64, number: u64, wire: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES.saturating_add(wire.len()));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&owner.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(wire);
    bytes
}

/// A page's owner, number and observations; `None` for bytes that are no page.
pub(super) fn decode(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (owner, rest) = rest.split_first_chunk()?;
    let (number, wire) = rest.split_first_chunk()?;
    let whole = wire.len() % Observation::WIRE_BYTES == 0;
    let fits = wire.len() <= PAGE_OBSERVATIONS.saturating_mul(Observation::WIRE_BYTES);
    (whole && fits).then_some((
        u64::from_le_bytes(*owner),
        u64::from_le_bytes(*number),
        wire,
    ))
}

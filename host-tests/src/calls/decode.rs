//! Raw numbers of a hostcall and the guest's memory as values.
use super::Argument;
use super::signature::{self, Parameter};
use crate::memory::{Slice, read};

/// What the guest hands over, before the call.
pub(super) fn arguments(
    signature: Option<&[Parameter]>,
    raw: &[i64],
    memory: &[u8],
) -> Vec<Argument> {
    let Some(signature) = signature else {
        return raw.iter().map(|number| Argument::Number(*number)).collect();
    };
    by_parameter(signature, raw)
        .filter_map(|(parameter, raw)| {
            let number = raw.first().copied().unwrap_or_default();
            Some(match parameter {
                Parameter::Number => Argument::Number(i64::from(number as u32)),
                Parameter::Signed => Argument::Number(number),
                Parameter::Named(names) => signature::named(names, number as u32),
                Parameter::Bytes => bytes(memory, slice(raw)),
                Parameter::Pairs => pairs(bytes(memory, slice(raw))),
                _ => return None,
            })
        })
        .collect()
}

/// What it got, after a call that succeeded.
pub(super) fn results(
    signature: Option<&[Parameter]>,
    raw: &[i64],
    memory: &[u8],
) -> Vec<Argument> {
    by_parameter(signature.unwrap_or_default(), raw)
        .filter_map(|(parameter, raw)| {
            let at = slice(raw).at;
            let returned = || Slice {
                at: number(memory, at).unwrap_or_default(),
                len: number(memory, slice(raw).len).unwrap_or_default(),
            };
            Some(match parameter {
                Parameter::ToBytes => bytes(memory, returned()),
                Parameter::ToPairs => pairs(bytes(memory, returned())),
                Parameter::ToNumber => Argument::Number(number(memory, at)?.into()),
                Parameter::ToLong => Argument::Number(long(memory, at)?),
                _ => return None,
            })
        })
        .collect()
}

fn by_parameter<'a>(
    signature: &'a [Parameter],
    raw: &'a [i64],
) -> impl Iterator<Item = (Parameter, &'a [i64])> {
    let mut rest = raw;
    signature.iter().map_while(move |parameter| {
        let (own, later) = rest.split_at_checked(parameter.width())?;
        rest = later;
        Some((*parameter, own))
    })
}

fn slice(raw: &[i64]) -> Slice {
    let part = |at: usize| raw.get(at).copied().unwrap_or_default() as u32;
    Slice {
        at: part(0),
        len: part(1),
    }
}

fn bytes(memory: &[u8], slice: Slice) -> Argument {
    match read(memory, slice) {
        Ok(bytes) => Argument::Bytes(bytes.to_vec()),
        Err(_) => Argument::Unreadable {
            at: slice.at,
            len: slice.len,
        },
    }
}

/// The pairs as they stand there; bytes that are none stay bytes.
fn pairs(bytes: Argument) -> Argument {
    let Argument::Bytes(bytes) = bytes else {
        return bytes;
    };
    match parse(&bytes) {
        Some(pairs) => Argument::Pairs(pairs),
        None => Argument::Bytes(bytes),
    }
}

fn parse(bytes: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let count = number(bytes, 0)? as usize;
    let (lengths, mut texts) = bytes.get(4..)?.split_at_checked(count.checked_mul(8)?)?;
    let mut text = |length: &[u8]| {
        let length = number(length, 0)? as usize;
        let text = texts.get(..length)?.to_vec();
        texts = texts.get(length + 1..)?;
        Some(text)
    };
    lengths
        .chunks_exact(8)
        .map(|pair| Some((text(pair.get(..4)?)?, text(pair.get(4..)?)?)))
        .collect()
}

fn number(memory: &[u8], at: u32) -> Option<u32> {
    let bytes = read(memory, Slice { at, len: 4 }).ok()?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn long(memory: &[u8], at: u32) -> Option<i64> {
    let bytes = read(memory, Slice { at, len: 8 }).ok()?;
    Some(i64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_pairs_or_stay_bytes(bytes in prop::collection::vec(0_u8..4, 0..60)) {
            pairs(Argument::Bytes(bytes));
        }
    }

    #[test]
    fn pairs_keep_their_case_and_their_order() {
        let wire = b"\x02\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0X\0y\0ab\0\0";

        let pair = |name: &str, value: &str| (name.into(), value.into());
        assert_eq!(
            pairs(Argument::Bytes(wire.to_vec())),
            Argument::Pairs(vec![pair("X", "y"), pair("ab", "")])
        );
    }
}

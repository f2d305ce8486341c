//! Protocol buffers on the wire, as far as arguments of hostcalls need them: fields in order, unknown ones skipped.
//!
//! It refuses what the C++ parser refuses, because Envoy decides by that: whether the name of a cluster *parses* as a
//! message is how `proxy_grpc_call` tells the two apart.

/// A field's value; fixed-size numbers and groups are skipped by every reader here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Other,
}

/// Depth of nested groups, as in C++.
const MOST_NESTING: u32 = 100;

/// The fields of a message by number; `None` where it is none.
pub(crate) fn fields(bytes: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut rest = bytes;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (number, wire_type) = tag(&mut rest)?;
        fields.push((number, value(&mut rest, number, wire_type, MOST_NESTING)?));
    }
    Some(fields)
}

/// Text of a `string` field, which has to be UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn tag(rest: &mut &[u8]) -> Option<(u64, u64)> {
    let tag = varint(rest)?;
    let (number, wire_type) = (tag >> 3, tag & 7);
    (number != 0 && tag <= u64::from(u32::MAX)).then_some((number, wire_type))
}

fn value<'a>(rest: &mut &'a [u8], number: u64, wire_type: u64, nesting: u32) -> Option<Value<'a>> {
    Some(match wire_type {
        0 => Value::Varint(varint(rest)?),
        1 => {
            take(rest, 8)?;
            Value::Other
        }
        2 => {
            let length = varint(rest)?;
            Value::Bytes(take(rest, usize::try_from(length).ok()?)?)
        }
        3 => {
            let nesting = nesting.checked_sub(1)?;
            loop {
                let (inner, wire_type) = tag(rest)?;
                if wire_type == 4 {
                    return (inner == number).then_some(Value::Other);
                }
                value(rest, inner, wire_type, nesting)?;
            }
        }
        5 => {
            take(rest, 4)?;
            Value::Other
        }
        _ => return None,
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, later) = rest.split_first()?;
        *rest = later;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, later) = rest.split_at_checked(length)?;
    *rest = later;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_come_in_order_with_their_numbers() {
        let message = b"\x0a\x02hi\x10\x96\x01\x1d....\x23\x28\x01\x24";

        let read = fields(message).unwrap();

        assert_eq!(
            read,
            [
                (1, Value::Bytes(b"hi")),
                (2, Value::Varint(150)),
                (3, Value::Other),
                (4, Value::Other)
            ]
        );
    }

    #[test]
    fn names_are_messages_only_where_their_letters_happen_to_be() {
        for name in ["answers", "refuses", "resets", "silent", "grpc", "unknown"] {
            assert_eq!(fields(name.as_bytes()), None, "{name}");
        }
        // `e` begins a field of four bytes.
        assert_eq!(fields(b"empty").unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            fields(&bytes);
        }
    }
}

//! Log lines: how bytes, numbers and header maps are printed so that two runs can be compared.
use std::fmt::Write;

use crate::abi;
use crate::bytes::deserialized;

/// Level `info` of the ABI.
const INFO: u64 = 2;

/// Longer byte strings are cut here, and end with their length and hash.
const SHOWN_BYTES: usize = 300;

/// Names whose values would only make lines long: the probe's own.
const MASKED: [&[u8]; 2] = [b"x-script", b"x-id"];

/// Writes a line to the host's log.
pub(crate) fn line(nonce: &str, who: &str, text: &str) {
    let line = format!("{nonce}|{who}|{text}");
    // A line that the host refuses has nowhere else to go.
    let _ = abi::call(
        "proxy_log",
        &[INFO, abi::address(line.as_bytes()), line.len() as u64],
    );
}

/// Bytes in quotes; `null` for the null pointer.
pub(crate) fn quoted(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else {
        return "null".into();
    };
    let shown = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    let mut out = String::from("\"");
    escape(&mut out, shown);
    out.push('"');
    out + &rest(bytes)
}

/// A header map in the ABI's form as `[a: b, c: d]`; quoted bytes when it is none.
pub(crate) fn map(bytes: Option<&[u8]>) -> String {
    let Some(pairs) = bytes.and_then(deserialized) else {
        return quoted(bytes);
    };
    let mut out = String::from("[");
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        out += if index == 0 { "" } else { ", " };
        part(&mut out, name);
        out += ": ";
        match MASKED.contains(&name) {
            true => out.push('*'),
            false => part(&mut out, value),
        }
    }
    out.push(']');
    out
}

fn part(out: &mut String, bytes: &[u8]) {
    escape(out, bytes.get(..SHOWN_BYTES).unwrap_or(bytes));
    *out += &rest(bytes);
}

fn rest(bytes: &[u8]) -> String {
    match bytes.len() > SHOWN_BYTES {
        true => format!(".. {} {:016x}", bytes.len(), fnv1a(bytes)),
        false => String::new(),
    }
}

fn escape(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
            _ => out.push(*byte as char),
        }
    }
}

/// FNV-1a with 64 bits: small, and the same for whoever wants to check a long body.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::serialized;

    #[test]
    fn quotes_backslashes_and_what_cannot_be_printed_are_escaped() {
        assert_eq!(
            quoted(Some(b"a \"b\" \\ \n\xff~")),
            r#""a \x22b\x22 \x5c \x0a\xff~""#
        );
        assert_eq!(quoted(Some(b"")), "\"\"");
        assert_eq!(quoted(None), "null");
    }

    #[test]
    fn long_bytes_end_with_their_length_and_hash() {
        let shown = "x".repeat(300);

        assert_eq!(quoted(Some(shown.as_bytes())), format!("\"{shown}\""));
        let longer = "x".repeat(301);
        assert_eq!(
            quoted(Some(longer.as_bytes())),
            format!("\"{shown}\".. 301 {:016x}", fnv1a(longer.as_bytes()))
        );
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8); // from the authors' test vectors
    }

    #[test]
    fn maps_are_lists_and_the_probes_own_headers_are_masked() {
        let pairs = [("a", "b"), ("x-script", "{}"), ("x-id", "7")]
            .map(|(name, value)| (name.into(), value.into()));

        assert_eq!(
            map(Some(&serialized(&pairs))),
            "[a: b, x-script: *, x-id: *]"
        );
        assert_eq!(map(Some(&serialized(&[]))), "[]");
        assert_eq!(map(Some(b"odd")), "\"odd\"");
        assert_eq!(map(None), "null");
    }
}

//! Byte strings that scripts write down, and header maps in the ABI's form.
use serde_json::Value;

/// Beyond what any host takes.
const MOST_PAIRS: u64 = 1 << 16;

/// The bytes that a script means by a value; `Some(None)` is the null pointer, `None` nonsense.
pub(crate) fn bytes(value: &Value) -> Option<Option<Vec<u8>>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.as_bytes().to_vec())),
        Value::Object(map) => {
            let (form, value) = map.iter().next()?;
            match form.as_str() {
                "hex" => hex(value.as_str()?).map(Some),
                "repeat" => {
                    let what = value.get(0)?.as_str()?;
                    let times = usize::try_from(value.get(1)?.as_u64()?).ok()?;
                    let fits = what.len().checked_mul(times)? <= isize::MAX as usize;
                    fits.then(|| Some(what.repeat(times).into_bytes()))
                }
                _ => None,
            }
        }
        Value::Array(segments) => {
            let segments: Option<Vec<&str>> = segments.iter().map(Value::as_str).collect();
            Some(Some(segments?.join("\0").into_bytes()))
        }
        _ => None,
    }
}

/// A header map's pairs, each of two byte strings; or, as `{"count": N}`, N pairs of a number and nothing.
pub(crate) fn pairs(value: &Value) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    if let Some(count) = value.get("count") {
        let name = |index: u64| (format!("x-{index}").into_bytes(), Vec::new());
        return Some((0..count.as_u64()?.min(MOST_PAIRS)).map(name).collect());
    }
    let pair = |pair: &Value| {
        let [name, value] = pair.as_array()?.as_slice() else {
            return None;
        };
        let bytes = |value| Some(bytes(value)?.unwrap_or_default());
        Some((bytes(name)?, bytes(value)?))
    };
    value.as_array()?.iter().map(pair).collect()
}

/// Pairs as the ABI passes them: count, lengths, then names and values that end with NUL.
pub(crate) fn serialized(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = (pairs.len() as u32).to_le_bytes().to_vec();
    for (name, value) in pairs {
        out.extend((name.len() as u32).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        out.extend(text);
        out.push(0);
    }
    out
}

/// Reads what [`serialized`] writes; `None` when the bytes are no header map.
pub(crate) fn deserialized(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
    };
    let count = number(0)?;
    let mut at = count.checked_mul(8)?.checked_add(4)?;
    let mut text = |size: usize| {
        let end = at.checked_add(size)?;
        let text = bytes.get(at..end)?;
        at = end.checked_add(1)?;
        Some(text)
    };
    (0..count)
        .map(|pair| {
            let name = text(number(4 + pair * 8)?)?;
            Some((name, text(number(8 + pair * 8)?)?))
        })
        .collect()
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn byte_strings_have_five_forms_and_anything_else_is_nonsense() {
        let text = |value| bytes(&value).unwrap().unwrap();
        assert_eq!(text(json!("é")), "é".as_bytes());
        assert_eq!(text(json!({"hex": "00fF"})), [0, 255]);
        assert_eq!(text(json!({"repeat": ["ab", 2]})), b"abab");
        assert_eq!(text(json!(["request", "path"])), b"request\0path");
        assert_eq!(bytes(&json!(null)), Some(None));

        for odd in [
            json!(1),
            json!({}),
            json!({"hex": "0"}),
            json!({"hex": "zz"}),
            json!({"repeat": ["ab"]}),
            json!({"repeat": ["ab", u64::MAX]}),
            json!([1]),
        ] {
            assert_eq!(bytes(&odd), None, "{odd}");
        }
    }

    #[test]
    fn pairs_survive_the_abi_and_broken_maps_are_seen() {
        let map = pairs(&json!([["a", "b"], ["c", {"hex": "00"}], ["", null]])).unwrap();
        let wire = serialized(&map);

        let read = deserialized(&wire).unwrap();

        assert_eq!(read, [(&b"a"[..], &b"b"[..]), (b"c", b"\0"), (b"", b"")]);
        assert_eq!(deserialized(&wire[..wire.len() - 2]), None);
        assert_eq!(deserialized(&[255; 4]), None);
        assert_eq!(pairs(&json!([["a"]])), None);
        assert_eq!(pairs(&json!({"count": 2})).unwrap()[1].0, b"x-1");
    }
}

//! What a header or a part of a body must be.
use super::message::Wrong;
use super::seen::brief;
use serde_json::{Map, Value};

/// What a header must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Is(String),
    Contains(String),
    Between(f64, f64),
    Present,
    Absent,
}

/// Reads what is expected of headers; `place` is where it stands.
pub(super) fn conditions(
    place: &str,
    headers: Option<&Map<String, Value>>,
) -> Result<Vec<(String, Condition)>, Wrong> {
    let headers = headers.into_iter().flatten();
    let read = headers.map(|(name, value)| match Condition::read(value) {
        Some(condition) => Ok((name.to_ascii_lowercase(), condition)),
        None => {
            let help = "write a text, `absent`, `present`, {is: TEXT}, {contains: TEXT} or {atLeast: N, atMost: N}";
            let problem = format!("{value} says nothing about a header; {help}");
            Err((format!("{place}.{name}"), problem))
        }
    });
    read.collect()
}

impl Condition {
    fn read(value: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match value {
            Value::String(word) if word == "absent" => Some(Self::Absent),
            Value::String(word) if word == "present" => Some(Self::Present),
            Value::String(exact) => Some(Self::Is(exact.clone())),
            Value::Number(number) => Some(Self::Is(number.to_string())),
            Value::Object(members) => {
                let (mut least, mut most) = (f64::NEG_INFINITY, f64::INFINITY);
                for (name, value) in members {
                    match name.as_str() {
                        "is" if members.len() == 1 => return Some(Self::Is(text(value)?)),
                        "contains" if members.len() == 1 => {
                            return Some(Self::Contains(text(value)?));
                        }
                        "atLeast" => least = value.as_f64()?,
                        "atMost" => most = value.as_f64()?,
                        _ => return None,
                    }
                }
                (!members.is_empty()).then_some(Self::Between(least, most))
            }
            _ => None,
        }
    }

    /// What a header has different, as a sentence.
    pub(super) fn unmet(&self, what: &str, name: &str, is: Option<&str>) -> Option<String> {
        let holds = match (self, is) {
            (Self::Absent, is) => is.is_none(),
            (Self::Present, is) => is.is_some(),
            (_, None) => false,
            (Self::Is(expected), Some(is)) => is == expected,
            (Self::Contains(piece), Some(is)) => is.contains(piece.as_str()),
            (Self::Between(least, most), Some(is)) => is
                .parse::<f64>()
                .is_ok_and(|is| *least <= is && is <= *most),
        };
        let is = is.map_or_else(|| "absent".to_owned(), |is| format!("`{is}`"));
        let expected = match self {
            Self::Absent => "none".to_owned(),
            Self::Present => "one".to_owned(),
            Self::Is(text) => format!("`{text}`"),
            Self::Contains(text) => format!("one with `{text}`"),
            Self::Between(least, most) => format!("from {least} to {most}"),
        };
        (!holds).then(|| format!("{what} {name} is {is}, expected {expected}"))
    }
}

/// What a body has different.
pub(super) fn unmet_body(what: &str, expected: &Value, body: &[u8], unmet: &mut Vec<String>) {
    match serde_json::from_slice::<Value>(body) {
        Ok(is) => unmet_part(what, expected, Some(&is), unmet),
        Err(_) => {
            let is = brief(&Value::from(String::from_utf8_lossy(body).into_owned()));
            unmet.push(format!("{what} is no JSON: {is}"));
        }
    }
}

/// A mapping's members must be there and meet theirs, a list each of its items; `/a/0/b` is a JSON pointer, and
/// `absent` and `present` speak of being there.
pub(super) fn unmet_part(
    what: &str,
    expected: &Value,
    is: Option<&Value>,
    unmet: &mut Vec<String>,
) {
    match (expected, is) {
        (Value::String(word), Some(_)) if word == "present" => {}
        (Value::String(word), None) if word == "absent" => {}
        (Value::Object(members), Some(is)) if is.is_object() || is.is_array() => {
            for (name, expected) in members {
                let (part, path) = match name.starts_with('/') {
                    true => (is.pointer(name), format!("{what} {name}")),
                    false => (is.get(name), format!("{what}.{name}")),
                };
                unmet_part(&path, expected, part, unmet);
            }
        }
        (Value::Array(items), Some(Value::Array(are))) if items.len() == are.len() => {
            for (index, (expected, is)) in items.iter().zip(are).enumerate() {
                unmet_part(&format!("{what}[{index}]"), expected, Some(is), unmet);
            }
        }
        (expected, Some(is)) if expected == is => {}
        (expected, Some(is)) => unmet.push(differs(what, expected, is)),
        (expected, None) => unmet.push(format!("{what} is absent, expected {}", brief(expected))),
    }
}

/// A sentence about a value that is another one.
pub(super) fn differs(name: &str, expected: &Value, is: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| brief(value), str::to_owned);
    format!("{name} is {}, expected {}", plain(is), plain(expected))
}

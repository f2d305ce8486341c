//! What a source gave, and what it means as one fact or another.
use crate::{hash::HashKey, policy::ValueType, time::Timestamp};
use alloc::{
    format,
    string::{String, ToString},
};
use core::time::Duration;

/// Longest id that is used as it is; longer ones are replaced by their hash.
const MAX_ID_BYTES: usize = 128;
/// The largest whole number up to which a double holds every one, 2^53.
const MAX_WHOLE: u64 = 1 << 53;

/// A value as a source gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A header's, neither empty nor with space around it.
    Header(&'a [u8]),
    /// May never be kept.
    Credential(&'a [u8]),
    /// Neither empty nor with space around it, and with nothing in it that an id could not have.
    Text(&'a str),
    /// Finite.
    Number(f64),
    Integer(i64),
    Boolean(bool),
    Time(Timestamp),
}

/// What there is at a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Read<'a> {
    /// Nothing: the next source is asked.
    Nothing,
    /// A value.
    Value(Value<'a>),
    /// Something that nobody can say the meaning of: no source is asked any more.
    Unreadable,
}

impl<'a> Read<'a> {
    /// Reads the bytes of a property as what the policy says that they are.
    pub(super) fn property(bytes: &'a [u8], value_type: ValueType) -> Self {
        if bytes.is_empty() {
            return Self::Nothing;
        }
        let number = <[u8; 8]>::try_from(bytes).ok();
        let value = match value_type {
            ValueType::Text => return Self::text(bytes),
            ValueType::Boolean => match bytes {
                [0] => Some(Value::Boolean(false)),
                [1] => Some(Value::Boolean(true)),
                _ => None,
            },
            ValueType::Number => number
                .map(f64::from_le_bytes)
                .filter(|number| number.is_finite())
                .map(Value::Number),
            ValueType::Integer => number.map(i64::from_le_bytes).map(Value::Integer),
            ValueType::Time => number
                .and_then(|number| u64::try_from(i64::from_le_bytes(number)).ok())
                .map(|nanos| Value::Time(Timestamp::from_unix_nanos(nanos))),
        };
        value.map_or(Self::Unreadable, Self::Value)
    }

    /// Bytes that may be another type's are no text: they would be an account that nobody has.
    fn text(bytes: &'a [u8]) -> Self {
        match core::str::from_utf8(bytes).map(str::trim) {
            Ok("") => Self::Nothing,
            Ok(text) if text.chars().all(is_plain) => Self::Value(Value::Text(text)),
            _ => Self::Unreadable,
        }
    }
}

impl Value<'_> {
    /// As an id or any other text; a number that stands for one has to be whole and not negative.
    pub(super) fn to_text(self, key: &HashKey) -> Option<String> {
        match self {
            Self::Header(value) => Some(identifier(key, value)),
            Self::Credential(secret) => Some(fingerprint(key, secret)),
            Self::Text(text) => Some(identifier(key, text.as_bytes())),
            Self::Number(number) => whole(number).map(|number| number.to_string()),
            Self::Integer(number) => u64::try_from(number).ok().map(|number| number.to_string()),
            Self::Boolean(flag) => Some(String::from(if flag { "true" } else { "false" })),
            Self::Time(time) => Some(time.to_string()),
        }
    }

    /// As a point in time: RFC 3339, or seconds since 1970.
    pub(super) fn to_time(self) -> Option<Timestamp> {
        let since = match self {
            Self::Header(_) | Self::Text(_) => return Timestamp::parse_rfc3339(self.as_str()?),
            Self::Time(time) => return Some(time),
            Self::Number(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
            Self::Integer(seconds) => Duration::from_secs(u64::try_from(seconds).ok()?),
            Self::Credential(_) | Self::Boolean(_) => return None,
        };
        let nanos = u64::try_from(since.as_nanos()).ok()?;
        Some(Timestamp::from_unix_nanos(nanos))
    }

    /// As a number; text as JSON writes one.
    pub(super) fn to_number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Integer(number) => Some(nearest(number)),
            _ => serde_json::from_str(self.as_str()?).ok(),
        }
    }

    /// As true or false; text as JSON writes them.
    pub(super) fn to_boolean(self) -> Option<bool> {
        match self {
            Self::Boolean(flag) => Some(flag),
            _ => match self.as_str()? {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    /// The text that was written, where it is text.
    fn as_str(&self) -> Option<&str> {
        match self {
            Self::Header(value) => core::str::from_utf8(value).ok(),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The number where it is whole and a double of its own, as ids have to be.
fn whole(number: f64) -> Option<u64> {
    let is_whole = (number - libm::trunc(number)).abs() <= 0.0;
    let seconds = Duration::try_from_secs_f64(number).ok()?.as_secs();
    (is_whole && seconds < MAX_WHOLE).then_some(seconds)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "the nearest double is what a bound is compared with"
)]
fn nearest(number: i64) -> f64 {
    number as f64
}

fn identifier(key: &HashKey, value: &[u8]) -> String {
    match core::str::from_utf8(value) {
        Ok(text) if is_identifier(text) => String::from(text),
        _ => format!("hash-{:032x}", key.hash128("identifier", &[value])),
    }
}

/// Whether an id is used, and logged, as it is: letters of any script, digits and visible ASCII, so that
/// no log line is broken and nothing is hidden in it.
pub(crate) fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID_BYTES
        && text.trim() == text
        && text.chars().all(is_plain)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric()
}

pub(super) fn fingerprint(key: &HashKey, secret: &[u8]) -> String {
    format!("key-{:032x}", key.hash128("credential", &[secret]))
}

#[cfg(test)]
mod tests;

//! Lengths of time as people write them in policies: `500ms`, `1h30m`, `30d`, `2w`.
use alloc::string::String;
use core::{fmt::Write, time::Duration};

/// Units from the longest to the shortest with their length in milliseconds.
const UNITS: [(&str, u64); 6] = [
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads whole numbers with the units `w d h m s ms`, longer units before shorter ones and none twice.
///
/// `None` for anything else (no unit, signs, fractions, blanks) and for more than 2^64 milliseconds.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut millis = 0_u64;
    while !rest.is_empty() || text.is_empty() {
        let (number, tail) = split_number(rest)?;
        let unit_ends = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_ends)?;
        // Going on where the last unit was found keeps the order and rules out repeats.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.checked_mul(*length)?)?;
        rest = tail;
    }
    Some(Duration::from_millis(millis))
}

/// Writes what [`parse_duration`] reads, in `d h m s ms` (`90m` gives `1h30m`, a week `7d`); parts of a millisecond are cut off.
pub fn format_duration(duration: Duration) -> String {
    let mut text = String::new();
    let mut millis = duration.as_millis();
    for (unit, length) in UNITS.iter().skip(1) {
        let length = u128::from(*length);
        let Some(count) = millis.checked_div(length).filter(|count| *count > 0) else {
            continue;
        };
        millis = millis.checked_rem(length).unwrap_or(0);
        // Writing to a string cannot fail.
        let _ = write!(text, "{count}{unit}");
    }
    if text.is_empty() {
        String::from("0s")
    } else {
        text
    }
}

/// Splits the leading digits off `text`; `None` without digits or beyond `u64`.
pub(crate) fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    // `parse` alone would take a sign; there is none among digits.
    Some((digits.parse().ok()?, rest))
}

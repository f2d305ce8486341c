//! Points in time as the host tells them, and their text; no clock is ever read here.
//!
//! Why not a calendar crate: the engine needs one format in UTC and must build without `std`.
mod calendar;
mod duration;

use core::{fmt, str::FromStr, time::Duration};

use calendar::Date;
pub(crate) use duration::split_number;
pub use duration::{format_duration, parse_duration};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// Nanoseconds since the Unix epoch, UTC. Range: 1970 to 2554.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the epoch.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_unix_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn as_unix_seconds(self) -> u64 {
        self.0 / NANOS_PER_SECOND
    }

    /// Reads RFC 3339 (`2026-04-22T08:00:00.123Z`, any offset, up to nine fractional digits); `None` for anything else
    /// and for points outside of the range. A leap second `:60` is read as `:59`, the last second that Unix time has.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        literal(&mut rest, b"-")?;
        let month = number(&mut rest, 2)?;
        literal(&mut rest, b"-")?;
        let day = number(&mut rest, 2)?;
        literal(&mut rest, b"Tt")?;
        let hour = number(&mut rest, 2).filter(|hour| *hour < 24)?;
        literal(&mut rest, b":")?;
        let minute = number(&mut rest, 2).filter(|minute| *minute < 60)?;
        literal(&mut rest, b":")?;
        let second = number(&mut rest, 2).filter(|second| *second <= 60)?.min(59);
        let nanos = fraction(&mut rest)?;
        let offset = offset_seconds(&mut rest)?;
        if !rest.is_empty() {
            return None;
        }
        let days = Date { year, month, day }.days_since_epoch()?;
        let time_of_day = hour
            .checked_mul(3600)?
            .checked_add(minute.checked_mul(60)?)?
            .checked_add(second)?;
        let local = days
            .checked_mul(SECONDS_PER_DAY)?
            .checked_add(time_of_day)?;
        let seconds = local.checked_add_signed(offset.checked_neg()?)?;
        seconds
            .checked_mul(NANOS_PER_SECOND)?
            .checked_add(nanos)
            .map(Self)
    }

    /// Time since `earlier`, zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The point `by` later; the end of the range when that lies beyond it.
    pub fn saturating_add(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// Writes `2026-04-22T08:00:00.123Z`: UTC, milliseconds, the rest cut off.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.as_unix_seconds();
        let Date { year, month, day } = Date::from_days_since_epoch(seconds / SECONDS_PER_DAY);
        let of_day = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let millis = self.0 / NANOS_PER_MILLI % 1000;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
        )
    }
}

/// Text that is not a point in time as [`Timestamp::parse_rfc3339`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time between 1970 and 2554")]
pub struct NotATimestamp;

impl FromStr for Timestamp {
    type Err = NotATimestamp;

    fn from_str(text: &str) -> Result<Self, NotATimestamp> {
        Self::parse_rfc3339(text).ok_or(NotATimestamp)
    }
}

/// Reads exactly `digits` ASCII digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<u64> {
    let (head, tail) = rest.split_at_checked(digits)?;
    *rest = tail;
    head.iter().try_fold(0_u64, |value, byte| {
        value.checked_mul(10)?.checked_add(digit(*byte)?)
    })
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(10).map(u64::from)
}

/// Reads one byte out of `allowed`.
fn literal(rest: &mut &[u8], allowed: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    allowed.contains(first).then_some(*first)
}

/// Reads `.` and one to nine digits as nanoseconds; zero when there is no point.
fn fraction(rest: &mut &[u8]) -> Option<u64> {
    let Some(mut tail) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    let mut unit = NANOS_PER_SECOND;
    let mut nanos = 0_u64;
    while let Some(digit) = tail.first().copied().and_then(digit) {
        unit /= 10;
        if unit == 0 {
            return None;
        }
        nanos = nanos.checked_add(digit.checked_mul(unit)?)?;
        tail = tail.get(1..)?;
    }
    *rest = tail;
    (unit < NANOS_PER_SECOND).then_some(nanos)
}

/// Reads `Z` or `+hh:mm` as seconds east of UTC.
fn offset_seconds(rest: &mut &[u8]) -> Option<i64> {
    let sign = literal(rest, b"Zz+-")?;
    if sign.eq_ignore_ascii_case(&b'Z') {
        return Some(0);
    }
    let hours = number(rest, 2).filter(|hours| *hours < 24)?;
    literal(rest, b":")?;
    let minutes = number(rest, 2).filter(|minutes| *minutes < 60)?;
    let seconds = i64::try_from(
        hours
            .checked_mul(3600)?
            .checked_add(minutes.checked_mul(60)?)?,
    )
    .ok()?;
    if sign == b'-' {
        seconds.checked_neg()
    } else {
        Some(seconds)
    }
}

#[cfg(test)]
mod tests;

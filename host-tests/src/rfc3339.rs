//! Points in time as text: RFC 3339 for traces, and the HTTP date that recordings fall back to.
//!
//! Only what traces need: the proleptic Gregorian calendar, no leap seconds (`:60` reads as the
//! second after `:59`), no time zones beyond the numeric offset.
use weir_engine::time::Timestamp;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Appends `time` as `2026-04-22T08:00:00.123Z`; digits below the millisecond are cut.
pub fn write_millis(time: Timestamp, out: &mut Vec<u8>) {
    write_date_and_clock(time, out);
    out.push(b'.');
    push_digits(out, time.as_unix_nanos() % NANOS_PER_SECOND / 1_000_000, 3);
    out.push(b'Z');
}

/// Appends `time` as `2026-04-22T08:00:00Z`; digits below the second are cut.
pub fn write_seconds(time: Timestamp, out: &mut Vec<u8>) {
    write_date_and_clock(time, out);
    out.push(b'Z');
}

fn write_date_and_clock(time: Timestamp, out: &mut Vec<u8>) {
    let seconds = time.as_unix_nanos() / NANOS_PER_SECOND;
    let (year, month, day) = civil((seconds / 86_400) as i64);
    let of_day = seconds % 86_400;
    push_digits(out, year as u64, 4);
    out.push(b'-');
    push_digits(out, month, 2);
    out.push(b'-');
    push_digits(out, day, 2);
    out.push(b'T');
    push_digits(out, of_day / 3_600, 2);
    out.push(b':');
    push_digits(out, of_day / 60 % 60, 2);
    out.push(b':');
    push_digits(out, of_day % 60, 2);
}

/// The point that an RFC 3339 text names (`2026-04-22T08:00:00.123Z`, any offset, a space for the
/// `T` too, as many CSV files have it); without an offset it is UTC. `None` for anything else and
/// outside 1970 to 2554. Digits below the nanosecond are cut.
pub fn parse(text: &str) -> Option<Timestamp> {
    let mut rest = Scan(text.as_bytes());
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = rest.number(2)?;
    rest.one_of(b"-")?;
    let day = rest.number(2)?;
    rest.one_of(b"Tt ")?;
    let clock = rest.clock()?;
    let nanos = rest.fraction()?;
    let offset = match rest.0 {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let mut offset = Scan(offset);
            let hours = offset.number(2)?;
            offset.one_of(b":")?;
            let minutes = offset.number(2)?;
            if hours > 23 || minutes > 59 || !offset.0.is_empty() {
                return None;
            }
            let seconds = hours * 3_600 + minutes * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    point(year, month, day, clock - offset, nanos)
}

/// The point that an HTTP date names (`Wed, 22 Apr 2026 08:00:00 GMT`); `None` for anything else.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let (_weekday, date) = text.split_once(", ")?;
    let mut rest = Scan(date.as_bytes());
    let day = rest.number(2)?;
    rest.one_of(b" ")?;
    let month = MONTHS
        .iter()
        .position(|name| rest.0.starts_with(name.as_bytes()))? as i64
        + 1;
    rest.0 = rest.0.get(3..)?;
    rest.one_of(b" ")?;
    let year = rest.number(4)?;
    rest.one_of(b" ")?;
    let clock = rest.clock()?;
    if rest.0 != b" GMT" {
        return None;
    }
    point(year, month, day, clock, 0)
}

fn point(year: i64, month: i64, day: i64, seconds: i64, nanos: u64) -> Option<Timestamp> {
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let seconds = days(year, month, day) * SECONDS_PER_DAY + seconds;
    let nanos = u64::try_from(seconds)
        .ok()?
        .checked_mul(NANOS_PER_SECOND)?
        .checked_add(nanos)?;
    Some(Timestamp::from_unix_nanos(nanos))
}

/// What is left to read.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(digits)?;
        self.0 = tail;
        head.iter().try_fold(0, |number, digit| {
            digit
                .is_ascii_digit()
                .then(|| number * 10 + i64::from(digit - b'0'))
        })
    }
    fn one_of(&mut self, allowed: &[u8]) -> Option<()> {
        let (head, tail) = self.0.split_first()?;
        self.0 = tail;
        allowed.contains(head).then_some(())
    }
    /// Seconds since midnight of `HH:MM:SS`.
    fn clock(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        self.one_of(b":")?;
        let minutes = self.number(2)?;
        self.one_of(b":")?;
        let seconds = self.number(2)?;
        (hours <= 23 && minutes <= 59 && seconds <= 60)
            .then_some(hours * 3_600 + minutes * 60 + seconds)
    }
    /// Nanoseconds of an optional `.fraction`.
    fn fraction(&mut self) -> Option<u64> {
        let [b'.', digits @ ..] = self.0 else {
            return Some(0);
        };
        let length = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = digits.split_at_checked(length)?;
        self.0 = rest;
        let mut scale = NANOS_PER_SECOND;
        let mut nanos = 0;
        for digit in digits.iter().take(9) {
            scale /= 10;
            nanos += u64::from(digit - b'0') * scale;
        }
        (length > 0).then_some(nanos)
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date, counted in years that start in March so that the leap day is last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let since_march = (month + 9) % 12;
    365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * since_march + 2) / 5
        + day
        - 1
        - 719_468
}

/// The date `days` after 1970-01-01; the inverse of [`days`].
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097); // days of 400 years
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * since_march + 2) / 5 + 1;
    let month = (since_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u64, day as u64)
}

fn push_digits(out: &mut Vec<u8>, number: u64, digits: u32) {
    for place in (0..digits).rev() {
        out.push(b'0' + (number / 10_u64.pow(place) % 10) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(time: Timestamp) -> String {
        let mut out = Vec::new();
        write_millis(time, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_points_read_as_their_unix_time() {
        for (given, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-04-22T08:00:00.123Z", 1_776_844_800_123_000_000),
            ("2026-04-22T10:00:00.123+02:00", 1_776_844_800_123_000_000),
            ("2000-02-29t23:59:59.999999999z", 951_868_799_999_999_999),
            ("2023-11-16 18:15:46.6805900", 1_700_158_546_680_590_000),
        ] {
            assert_eq!(
                parse(given),
                Some(Timestamp::from_unix_nanos(nanos)),
                "{given}"
            );
        }
        assert_eq!(
            parse_http_date("Wed, 22 Apr 2026 08:00:00 GMT"),
            parse("2026-04-22T08:00:00Z")
        );
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for given in [
            "",
            "2026",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-22T24:00:00Z",
            "2026-04-22T08:00:00.Z",
            "2026-04-22T08:00:00+2:00",
            "1969-12-31T23:59:59Z",
            "9999-01-01T00:00:00Z",
            "2026-04-22T08:00:00Zx",
            "２026-04-22T08:00:00Z",
        ] {
            assert_eq!(parse(given), None, "{given}");
        }
        assert_eq!(parse_http_date("Wed, 22 Abr 2026 08:00:00 GMT"), None);
    }

    proptest! {
        #[test]
        fn every_millisecond_reads_back_as_itself(millis in 0..18_446_744_073_709_u64) {
            let time = Timestamp::from_unix_nanos(millis * 1_000_000);

            prop_assert_eq!(parse(&text(time)), Some(time));
        }

        #[test]
        fn no_text_panics(given in "\\PC{0,40}") {
            let _ = parse(&given);
            let _ = parse_http_date(&given);
        }
    }
}

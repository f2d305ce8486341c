use alloc::{format, string::ToString};
use core::time::Duration;

use proptest::prelude::*;

use super::{Date, Timestamp, format_duration, parse_duration};

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is a time"))
}

#[test]
fn counts_days_as_a_calendar_on_the_wall_does() {
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut month, mut day) = (1970, 1, 1);

    for days in 0..213_600 {
        let date = Date { year, month, day };
        assert_eq!(date.days_since_epoch(), Some(days), "{date:?}");
        assert_eq!(Date::from_days_since_epoch(days), date, "day {days}");

        let last = [
            31,
            if leap(year) { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ][usize::try_from(month - 1).unwrap()];
        day += 1;
        if day > last {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
}

#[test]
fn reads_known_points() {
    assert_eq!(at("1970-01-01T00:00:00Z").as_unix_nanos(), 0);
    assert_eq!(
        at("2001-09-09T01:46:40Z").as_unix_nanos(),
        1_000_000_000_000_000_000
    );
    assert_eq!(
        at("2026-04-22T08:00:00.123Z").as_unix_nanos(),
        1_776_844_800_123_000_000
    );
    assert_eq!(
        at("2554-07-21T23:34:33.709551615Z").as_unix_nanos(),
        u64::MAX
    );
}

#[test]
fn reads_any_offset_as_the_same_point() {
    let utc = at("2026-04-22T08:00:00Z");

    for text in [
        "2026-04-22T10:00:00+02:00",
        "2026-04-22T02:15:00-05:45",
        "2026-04-21T08:01:00-23:59",
        "2026-04-22T08:00:00-00:00",
        "2026-04-22t08:00:00z",
        "2026-04-22T08:00:00.000000000Z",
    ] {
        assert_eq!(at(text), utc, "{text}");
    }
}

#[test]
fn reads_a_leap_second_as_the_second_before() {
    assert_eq!(at("2016-12-31T23:59:60Z"), at("2016-12-31T23:59:59Z"));
    assert_eq!(
        at("2017-01-01T00:59:60.5+01:00"),
        at("2016-12-31T23:59:59.5Z")
    );
}

#[test]
fn refuses_everything_that_is_not_rfc_3339() {
    for text in [
        "",
        "2026-04-22",
        "2026-04-22T08:00:00",
        "2026-04-22 08:00:00Z",
        "2026-4-22T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "2100-02-29T08:00:00Z",
        "2026-00-10T08:00:00Z",
        "2026-13-10T08:00:00Z",
        "2026-04-00T08:00:00Z",
        "2026-04-31T08:00:00Z",
        "2026-04-22T24:00:00Z",
        "2026-04-22T08:60:00Z",
        "2026-04-22T08:00:61Z",
        "2026-04-22T08:00:00.Z",
        "2026-04-22T08:00:00.1234567890Z",
        "2026-04-22T08:00:00+0200",
        "2026-04-22T08:00:00+24:00",
        "2026-04-22T08:00:00+02:60",
        "2026-04-22T08:00:00+02",
        "2026-04-22T08:00:00ZZ",
        " 2026-04-22T08:00:00Z",
        "+026-04-22T08:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2554-07-21T23:34:33.709551616Z",
        "9999-12-31T23:59:59Z",
        "２０２６-04-22T08:00:00Z",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
    }
}

#[test]
fn writes_utc_milliseconds_and_cuts_the_rest_off() {
    let point = at("2026-04-22T10:00:00.123999999+02:00");

    assert_eq!(point.to_string(), "2026-04-22T08:00:00.123Z");
    assert_eq!(
        Timestamp::from_unix_nanos(u64::MAX).to_string(),
        "2554-07-21T23:34:33.709Z"
    );
}

#[test]
fn adding_stops_at_the_end_of_the_range() {
    let second = Duration::from_secs(1);

    assert_eq!(
        at("2026-04-22T08:00:00Z").saturating_add(second),
        at("2026-04-22T08:00:01Z")
    );
    assert_eq!(
        Timestamp::from_unix_nanos(5)
            .saturating_add(Duration::MAX)
            .as_unix_nanos(),
        u64::MAX
    );
}

#[test]
fn reads_durations_in_every_unit_and_in_sequence() {
    let cases = [
        ("0s", 0),
        ("250ms", 250),
        ("90s", 90_000),
        ("15m", 900_000),
        ("1h", 3_600_000),
        ("30d", 2_592_000_000),
        ("2w", 1_209_600_000),
        ("1h30m", 5_400_000),
        ("1w2d3h4m5s6ms", 788_645_006),
        ("1m1ms", 60_001),
    ];

    for (text, millis) in cases {
        assert_eq!(
            parse_duration(text),
            Some(Duration::from_millis(millis)),
            "{text}"
        );
    }
}

#[test]
fn refuses_durations_without_unit_order_or_room() {
    for text in [
        "", "1", "h", "1h ", " 1h", "1 h", "-1h", "+1h", "1.5h", "1H", "1y", "30m1h", "1h1h",
        "1ms1s", "1hh", "1h30", "٣s",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    assert_eq!(parse_duration("18446744073709551616ms"), None);
    assert_eq!(parse_duration("30500568905w"), None);
    assert_eq!(parse_duration("30500568904w9d"), None);
}

#[test]
fn writes_durations_as_people_do() {
    let cases = [
        ("0s", "0s"),
        ("90m", "1h30m"),
        ("2w", "14d"),
        ("1000ms", "1s"),
        ("1d1ms", "1d1ms"),
    ];

    for (given, written) in cases {
        assert_eq!(format_duration(parse_duration(given).unwrap()), written);
    }
    assert_eq!(format_duration(Duration::from_nanos(1_999_999)), "1ms");
}

proptest! {
    #[test]
    fn reads_back_the_milliseconds_that_it_writes(nanos: u64) {
        let point = Timestamp::from_unix_nanos(nanos);

        let read = Timestamp::parse_rfc3339(&point.to_string());

        prop_assert_eq!(read, Some(Timestamp::from_unix_nanos(nanos - nanos % 1_000_000)));
    }

    #[test]
    fn reads_nanoseconds_and_offsets_exactly(
        nanos in 100_000_000_000_000_u64..u64::MAX - 100_000_000_000_000,
        minutes in -1439_i64..=1439,
    ) {
        let local = Timestamp::from_unix_nanos(nanos.checked_add_signed(minutes * 60_000_000_000).unwrap());
        let seconds = &local.to_string()[..19];
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hh, mm) = (minutes.abs() / 60, minutes.abs() % 60);

        let read = Timestamp::parse_rfc3339(&format!("{seconds}.{:09}{sign}{hh:02}:{mm:02}", nanos % 1_000_000_000));

        prop_assert_eq!(read, Some(Timestamp::from_unix_nanos(nanos)));
    }

    #[test]
    fn reads_back_every_duration_that_it_writes(millis: u64) {
        let duration = Duration::from_millis(millis);

        prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_trap(text in "\\PC{0,40}", almost in "[0-9TZtz:.+-]{0,40}") {
        let _ = (Timestamp::parse_rfc3339(&text), Timestamp::parse_rfc3339(&almost));
        let _ = (parse_duration(&text), parse_duration(&almost), crate::size::parse_bytes(&text));
    }
}

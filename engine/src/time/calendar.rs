//! The proleptic Gregorian calendar from 1970 on: dates to days and back, in constant time.

/// A day of the calendar; `month` and `day` count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u64,
    pub(super) month: u64,
    pub(super) day: u64,
}

const DAYS_PER_YEAR: u64 = 365;
/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 0000-03-01, where counting in years that begin in March starts, to 1970-01-01.
const MARCH_OF_YEAR_ZERO_TO_EPOCH: u64 = 719_468;
/// Leap days of the years 1 to 1969.
const LEAP_DAYS_BEFORE_EPOCH: u64 = 477;

impl Date {
    /// Days since 1970-01-01; `None` before it, after year 9999, and for days that no month has.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "year is within 1970..=9999 and day within a month when anything is computed"
    )]
    pub(super) fn days_since_epoch(self) -> Option<u64> {
        let Self { year, month, day } = self;
        if !(1970..=9999).contains(&year) || day < 1 || day > days_of_month(year, month)? {
            return None;
        }
        let before = year - 1;
        let leap_days = before / 4 - before / 100 + before / 400 - LEAP_DAYS_BEFORE_EPOCH;
        let earlier_months: u64 = (1..month)
            .filter_map(|month| days_of_month(year, month))
            .sum();
        Some((year - 1970) * DAYS_PER_YEAR + leap_days + earlier_months + day - 1)
    }

    /// The date `days` after 1970-01-01; meant for the days of a `Timestamp`, fewer than 2^18.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "days are fewer than 2^32 after the `min`, every difference is of a part from its whole"
    )]
    pub(super) fn from_days_since_epoch(days: u64) -> Self {
        let days = days.min(u64::from(u32::MAX)) + MARCH_OF_YEAR_ZERO_TO_EPOCH;
        let era = days / DAYS_PER_ERA;
        let of_era = days % DAYS_PER_ERA;
        let year_of_era =
            (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / DAYS_PER_YEAR;
        let of_year = of_era - (DAYS_PER_YEAR * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months that begin in March repeat 31,30,31,30,31 days: 153 in five months.
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self { year, month, day }
    }
}

/// Days of a month; `None` when `month` is not one.
fn days_of_month(year: u64, month: u64) -> Option<u64> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap(year) => Some(29),
        2 => Some(28),
        _ => None,
    }
}

fn is_leap(year: u64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

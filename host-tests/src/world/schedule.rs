//! When people are at it: weekly rhythms by region, and time stretched by them.
//!
//! A [`Calendar`] maps a span of activity ("half a day's worth from now") to a point in time, by the
//! inverse of its cumulative rate over the 168 hours of a week. That makes a Poisson process with a
//! rhythm as cheap as one without: one exponential and a binary search.
use crate::simulate::random::Random;

pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 3_600 * SECOND;
pub(super) const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const HOURS: usize = 168;

/// How a week goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Evenings and weekends.
    Leisure,
    /// Office hours.
    Work,
    /// A service that people use all day.
    Service,
    /// No rhythm at all.
    Always,
    /// One of three shifts of eight hours, every day.
    Shift(u8),
}

/// Regions: hours from UTC and how many accounts live there, relative.
const REGIONS: [(i8, u8); 7] = [
    (-8, 12),
    (-5, 20),
    (0, 10),
    (1, 24),
    (5, 14),
    (8, 12),
    (9, 8),
];
const STYLES: [Style; 7] = [
    Style::Leisure,
    Style::Work,
    Style::Service,
    Style::Always,
    Style::Shift(0),
    Style::Shift(1),
    Style::Shift(2),
];

/// Number of a calendar in [`Calendars`].
pub(super) type CalendarNumber = u8;

/// One weekly rhythm; on average one day of activity a day.
pub(super) struct Calendar {
    /// Activity from the week's beginning (Thursday 0:00 UTC, as the epoch) until each hour, in days.
    until: [f64; HOURS + 1],
}

impl Calendar {
    fn new(style: Style, utc_hours: i8) -> Self {
        let mut until = [0.0; HOURS + 1];
        let mut sum = 0.0;
        for (hour, slot) in until.iter_mut().enumerate() {
            *slot = sum;
            let local = (hour as i64 + i64::from(utc_hours)).rem_euclid(HOURS as i64);
            sum += rate(style, (local % 24) as f64 + 0.5, (local / 24 + 4) % 7);
        }
        let week = until.last().copied().unwrap_or(1.0);
        until.iter_mut().for_each(|value| *value *= 7.0 / week);
        Self { until }
    }
    /// When `days` of activity have passed since `now`, both in nanoseconds since the epoch.
    /// Logarithmic in the hours of a week.
    pub(super) fn after(&self, now: u64, days: f64) -> u64 {
        let week = now / WEEK;
        let hours = (now % WEEK) as f64 / HOUR as f64;
        let hour = (hours as usize).min(HOURS - 1);
        let (from, to) = self.hour(hour);
        let target = from + (to - from) * (hours - hour as f64) + days.clamp(0.0, 10_000.0);
        let weeks = (target / 7.0).floor();
        let rest = target - weeks * 7.0;
        let hour = self
            .until
            .partition_point(|value| *value <= rest)
            .clamp(1, HOURS)
            - 1;
        let (from, to) = self.hour(hour);
        let within = if to > from {
            (rest - from) / (to - from)
        } else {
            0.0
        };
        let then = (week + weeks as u64) * WEEK
            + ((hour as f64 + within.clamp(0.0, 1.0)) * HOUR as f64) as u64;
        then.max(now)
    }
    fn hour(&self, hour: usize) -> (f64, f64) {
        let at = |hour: usize| self.until.get(hour).copied().unwrap_or(7.0);
        (at(hour), at(hour + 1))
    }
}

/// Relative activity at this local hour of this day of the week (0 Sunday).
fn rate(style: Style, hour: f64, day: i64) -> f64 {
    let weekend = day == 0 || day == 6;
    let bell = |centre: f64, width: f64| (-((hour - centre) / width).powi(2)).exp();
    match style {
        Style::Leisure => {
            let evening =
                0.08 + 0.6 * bell(13.0, 4.5) + 0.9 * bell(20.5, 2.6) + 0.25 * bell(0.0, 1.5);
            evening * if weekend { 1.1 } else { 1.0 }
        }
        Style::Work => {
            let office = 0.03 + bell(10.5, 2.2) + 0.95 * bell(15.2, 2.4) + 0.25 * bell(21.0, 2.0);
            office * if weekend { 0.25 } else { 1.0 }
        }
        Style::Service => {
            let users = 0.25 + 0.7 * bell(11.0, 3.5) + 0.8 * bell(18.0, 4.0);
            users * if weekend { 0.8 } else { 1.0 }
        }
        Style::Always => 1.0,
        Style::Shift(shift) => {
            let begins = f64::from(shift) * 8.0;
            if hour >= begins && hour < begins + 8.0 {
                1.0
            } else {
                0.01
            }
        }
    }
}

/// All calendars: each style in each region.
pub(super) struct Calendars(Vec<Calendar>);

impl Calendars {
    pub(super) fn new() -> Self {
        let of = |style| {
            REGIONS
                .iter()
                .map(move |(utc, _)| Calendar::new(style, *utc))
        };
        Self(STYLES.into_iter().flat_map(of).collect())
    }
    /// The calendar of a style in a region.
    pub(super) fn number(style: Style, region: u8) -> CalendarNumber {
        let style = STYLES.iter().position(|known| *known == style).unwrap_or(0);
        (style * REGIONS.len() + usize::from(region).min(REGIONS.len() - 1)) as u8
    }
    /// See [`Calendar::after`].
    pub(super) fn after(&self, number: CalendarNumber, now: u64, days: f64) -> u64 {
        match self.0.get(usize::from(number)) {
            Some(calendar) => calendar.after(now, days),
            None => now.saturating_add((days * DAY as f64) as u64),
        }
    }
}

/// A region, as likely as accounts live there.
pub(super) fn region(random: &mut Random) -> u8 {
    let all: u32 = REGIONS.iter().map(|(_, weight)| u32::from(*weight)).sum();
    let mut left = random.below(all as usize) as u32;
    for (index, (_, weight)) in REGIONS.iter().enumerate() {
        match left.checked_sub(u32::from(*weight)) {
            Some(rest) => left = rest,
            None => return index as u8,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_of_activity_takes_a_week_in_every_calendar() {
        let calendars = Calendars::new();
        for number in 0..(STYLES.len() * REGIONS.len()) as u8 {
            let now = 2_900 * WEEK + 3 * DAY + 7 * HOUR + 11;
            let then = calendars.after(number, now, 7.0);
            assert!(then.abs_diff(now + WEEK) < SECOND, "calendar {number}");
        }
    }

    #[test]
    fn time_never_goes_back_and_nights_pass_quickly() {
        let calendars = Calendars::new();
        let work = Calendars::number(Style::Work, 2); // UTC
        let mut now = 20_000 * DAY;
        let mut by_hour = [0_u32; 24];
        for _ in 0..20_000 {
            let then = calendars.after(work, now, 0.01);
            assert!(then >= now);
            now = then;
            by_hour[(now / HOUR % 24) as usize] += 1;
        }
        assert!(by_hour[10] > 10 * by_hour[3], "{by_hour:?}");
    }

    #[test]
    fn offices_are_quiet_on_saturday_and_sunday() {
        let calendar = Calendar::new(Style::Work, 0);
        let day = |days: usize| calendar.until[(days + 1) * 24] - calendar.until[days * 24];
        // Weeks begin on Thursday.
        assert!(day(2) < 0.3 * day(1) && day(3) < 0.3 * day(1) && day(4) > 0.9 * day(1));
    }
}

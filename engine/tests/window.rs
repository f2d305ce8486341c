//! What sliding windows promise, against a list of everything that was ever charged.
#![allow(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]
use std::time::Duration;

use proptest::prelude::*;
use weir_engine::{
    time::Timestamp,
    window::{Span, Window},
};

/// A Wednesday in 2026, so that slot numbers are as large as they will be.
const START: u64 = 1_776_844_800_123_456_789;
const DAY: u64 = 86_400;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_unix_nanos(START + nanos)
}

fn lengths() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::from_secs(1)),
        Just(Duration::from_secs(60)),
        Just(Duration::from_secs(3600)),
        Just(Duration::from_secs(30 * DAY)),
        (1_000_000_000_u64..=366 * DAY * 1_000_000_000).prop_map(Duration::from_nanos),
    ]
}

/// Steps of time as thousandths of a window with amounts; most are short, some leave the window behind.
fn charges() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let step = prop_oneof![8 => 0_u64..40, 2 => 0_u64..400, 1 => 900_u64..1200];
    prop::collection::vec((step, 1_u32..60), 1..120)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

/// Charges what fits and returns the window, the time reached and what was charged when.
fn fill(length: Duration, limit: u32, charges: &[(u64, u32)]) -> (Window, u64, Vec<(u64, u32)>) {
    let mut window = Window::new(Span::of(length));
    let (mut now, mut charged) = (0, vec![]);
    for (step, amount) in charges {
        now += nanos(length) / 1000 * step + step % 7;
        if window.retry_after(at(now), limit, *amount).is_zero() {
            window.charge(at(now), *amount);
            charged.push((now, *amount));
        }
    }
    (window, now, charged)
}

proptest! {
    #[test]
    fn never_holds_more_than_the_limit_in_any_window(length in lengths(), charges in charges()) {
        const LIMIT: u32 = 100;

        let (_, _, charged) = fill(length, LIMIT, &charges);

        for (end, _) in &charged {
            // Closed on both sides: the longest that could be called a window of this length.
            let inside = charged.iter().filter(|(time, _)| time <= end && end - time <= nanos(length));
            let sum: u32 = inside.map(|(_, amount)| amount).sum();
            prop_assert!(sum <= LIMIT, "{sum} in the window that ends at {end}");
        }
    }

    #[test]
    fn counts_for_a_window_and_at_most_a_sixteenth_longer(length in lengths(), phase in 0_u64..100 * DAY * 1_000_000_000, amount: u32) {
        let mut window = Window::new(Span::of(length));
        let length = nanos(length);

        window.charge(at(phase), amount);

        prop_assert_eq!(window.used(at(phase + length)), u64::from(amount));
        // The sub-window is rounded up to a nanosecond, and 17 of them count.
        prop_assert_eq!(window.used(at(phase + length + length / 16 + 17)), 0);
    }

    #[test]
    fn holds_exactly_what_was_charged_in_the_last_seventeen_sub_windows(length in lengths(), charges in charges()) {
        let (window, now, charged) = fill(length, u32::MAX, &charges);
        let span = Span::of(length);

        for later in 0..20 {
            let now = at(now + nanos(length) / 16 * later);
            let counting = charged.iter().filter(|(time, _)| span.slot(at(*time)) + 16 >= span.slot(now));
            prop_assert_eq!(window.used(now), counting.map(|(_, amount)| u64::from(*amount)).sum::<u64>());
            prop_assert_eq!(window.is_void(now), window.used(now) == 0);
        }
    }

    #[test]
    fn refuses_until_exactly_the_told_instant(length in lengths(), charges in charges(), limit in 1_u32..200, amount in 0_u32..300) {
        let (window, now, _) = fill(length, 200, &charges);
        let fits = |nanos: u64| window.used(at(nanos)) + u64::from(amount.min(limit)) <= u64::from(limit);

        let retry_after = nanos(window.retry_after(at(now), limit, amount));

        prop_assert!(fits(now + retry_after), "refused at the told instant");
        // Without new charges `used` only falls, so the instant before stands for all earlier ones.
        prop_assert!(retry_after == 0 || !fits(now + retry_after - 1), "admitted before the told instant");
        prop_assert!(retry_after <= nanos(length) / 16 * 17 + 17);
    }

    #[test]
    fn settlements_give_the_same_window_in_any_order(
        length in lengths(),
        reserved in charges(),
        actual in prop::collection::vec((0_u64..3000, 0_u64..500), 120),
        order in Just((0..120).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let (window, now, reservations) = fill(length, u32::MAX, &reserved);
        let span = Span::of(length);
        let settlements: Vec<_> = reservations
            .iter()
            .zip(actual)
            .flat_map(|((time, amount), (later, actual))| {
                let settled = span.slot(at(now + nanos(length) / 1000 * later));
                [(span.slot(at(*time)), u64::from(*amount), 0), (settled, 0, actual)]
            })
            .collect();
        let (mut straight, mut shuffled) = (window, window);

        settlements.iter().for_each(|(slot, released, charged)| straight.settle(*slot, *released, *charged));
        for (slot, released, charged) in order.iter().flat_map(|place| settlements.get(2 * place..2 * place + 2)).flatten() {
            shuffled.settle(*slot, *released, *charged);
        }

        prop_assert_eq!(straight, shuffled);
    }

    #[test]
    fn a_clock_that_steps_back_within_the_window_loses_nothing(length in lengths(), back in 0_u64..=1000, phase in 0_u64..1000) {
        let mut window = Window::new(Span::of(length));
        let first = 10 * nanos(length) + phase * (nanos(length) / 16_000);
        let second = first - nanos(length) / 1000 * back;

        window.charge(at(first), 5);
        window.charge(at(second), 7);

        prop_assert_eq!(window.used(at(second)), 12);
        prop_assert_eq!(window.used(at(second + nanos(length)).max(at(first))), if second + nanos(length) >= first { 12 } else { 5 });
        prop_assert!(window.used(at(first + nanos(length))) >= 5);
    }
}

#[test]
fn a_wrong_clock_that_is_set_right_does_not_lock_the_window() {
    let mut window = Window::new(Span::of(Duration::from_secs(60)));
    window.charge(at(DAY * 1_000_000_000), 100);

    assert!(window.is_ahead(at(0)));
    assert_eq!(window.used(at(0)), 0);
    assert_eq!(window.retry_after(at(0), 100, 1), Duration::ZERO);

    window.charge(at(0), 3);
    assert_eq!(window.used(at(0)), 3);
    assert!(!window.is_ahead(at(0)));
}

#[test]
fn what_is_released_counts_no_more_and_never_below_zero() {
    let mut window = Window::new(Span::of(Duration::from_secs(60)));
    let slot = window.charge(at(0), 10);

    window.release(slot, 4);
    assert_eq!(window.used(at(0)), 6);

    window.release(slot, 100);
    window.release(slot + 1, 1);
    window.release(slot - 17, 1);
    assert_eq!(window.used(at(0)), 0);
}

#[test]
fn releasing_what_has_left_the_window_changes_nothing() {
    let minute = Duration::from_secs(60);
    let mut window = Window::new(Span::of(minute));
    let slot = window.charge(at(0), 10);
    window.charge(at(2 * nanos(minute)), 7);

    window.release(slot, 10);

    assert_eq!(window.used(at(2 * nanos(minute))), 7);
}

#[test]
fn counts_stop_at_the_largest_number_instead_of_wrapping() {
    let mut window = Window::new(Span::of(Duration::from_secs(60)));

    window.charge(at(0), u32::MAX);
    window.charge(at(0), 10);

    assert_eq!(window.used(at(0)), u64::from(u32::MAX));
    assert!(window.retry_after(at(0), u32::MAX, 1) > Duration::ZERO);
}

#[test]
fn lengths_outside_of_the_range_are_clamped_to_it() {
    assert_eq!(Span::of(Duration::ZERO), Span::of(Span::MIN));
    assert_eq!(Span::of(Duration::MAX), Span::of(Span::MAX));
    assert_ne!(Span::of(Span::MIN), Span::of(Span::MAX));
}

//! Sliding windows out of sub-windows: never more than the limit in any window of its length.
//!
//! A window of length `W` is cut into 16 sub-windows that start at multiples of `W/16` since the epoch. The window that
//! ends now overlaps up to 17 of them; all 17 count in full, the one that is half out too. So a charge counts for at
//! least `W` and at most `W + W/16`: the promise holds whatever the phase, and capacity returns at most `W/16` late.
use core::{num::NonZeroU64, time::Duration};

use crate::time::Timestamp;

/// Sub-windows that make up one window.
const SUB_WINDOWS: u64 = 16;
/// The 16 sub-windows and the one that is leaving.
const COUNTS: usize = 17;

/// The length of a window, as sub-windows of `ceil(W/16)` nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    slot_nanos: NonZeroU64,
}

impl Span {
    /// Shortest window.
    pub const MIN: Duration = Duration::from_secs(1);
    /// Longest window: 366 days.
    pub const MAX: Duration = Duration::from_secs(366 * 86_400);

    /// The span of windows of `length`, which is clamped to [`MIN`](Self::MIN)..=[`MAX`](Self::MAX).
    pub fn of(length: Duration) -> Self {
        let nanos =
            u64::try_from(length.clamp(Self::MIN, Self::MAX).as_nanos()).unwrap_or(u64::MAX);
        Self {
            slot_nanos: NonZeroU64::new(nanos.div_ceil(SUB_WINDOWS)).unwrap_or(NonZeroU64::MIN),
        }
    }

    /// Number of the sub-window that `now` lies in, counted from the epoch.
    pub fn slot(self, now: Timestamp) -> u64 {
        now.as_unix_nanos() / self.slot_nanos
    }

    /// Whether nothing charged in `slot` counts any more at `now`.
    pub(crate) fn has_left(self, slot: u64, now: Timestamp) -> bool {
        self.slot(now) > slot.saturating_add(SUB_WINDOWS)
    }

    /// First moment of a sub-window; the end of time when it lies beyond.
    fn start(self, slot: u64) -> Timestamp {
        Timestamp::from_unix_nanos(slot.saturating_mul(self.slot_nanos.get()))
    }

    /// The span as it stands in a record: nanoseconds of one sub-window.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.slot_nanos.get().to_le_bytes()
    }

    /// Reads [`to_bytes`](Self::to_bytes) back; `None` for zero, which no span gives.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_le_bytes(bytes)).map(|slot_nanos| Self { slot_nanos })
    }
}

/// What was charged lately, per sub-window; each saturates at `u32::MAX`, which no limit exceeds.
///
/// Charges carry the sub-window that they were made in, so the order in which they are applied does not matter, and a
/// clock that steps back by less than a window loses nothing. One that steps back further than a window makes every
/// count lie in its future: then the window is void and starts again, rather than refusing until that future has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    span: Span,
    /// Sub-window of the first count.
    newest: u64,
    /// Counts from the newest sub-window back.
    counts: [u32; COUNTS],
}

impl Window {
    /// Bytes of a window in a record, without its span.
    pub(crate) const BYTES: usize = 8 + 4 * COUNTS;

    /// A window without charges.
    pub fn new(span: Span) -> Self {
        Self {
            span,
            newest: 0,
            counts: [0; COUNTS],
        }
    }

    /// Length of the window.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What counts at `now`: at least everything charged in the last window length.
    pub fn used(&self, now: Timestamp) -> u64 {
        sum(self.counting(self.span.slot(now)))
    }

    /// Whether nothing counts at `now` or at any later time.
    pub fn is_void(&self, now: Timestamp) -> bool {
        self.counting(self.span.slot(now))
            .iter()
            .all(|count| *count == 0)
    }

    /// Whether all counts lie in the future of `now`, further than a window: its clock was wrong.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.newest > self.span.slot(now).saturating_add(SUB_WINDOWS)
    }

    /// Whether anything was charged in `slot` and still counts at some time.
    pub(crate) fn counts_in(&self, slot: u64) -> bool {
        let age = self
            .newest
            .checked_sub(slot)
            .and_then(|age| usize::try_from(age).ok());
        age.and_then(|age| self.counts.get(age))
            .is_some_and(|count| *count > 0)
    }

    /// How long ago the sub-window of the oldest charge that counts at `now` ended; zero while it goes on, and
    /// where nothing counts.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        let counting = self.counting(self.span.slot(now));
        let oldest = counting.iter().rposition(|count| *count > 0);
        let slot = oldest
            .and_then(|age| u64::try_from(age).ok())
            .and_then(|age| self.newest.checked_sub(age));
        slot.map_or(Duration::ZERO, |slot| {
            now.saturating_since(self.span.start(slot.saturating_add(1)))
        })
    }

    /// Adds `amount` at `now` and returns the sub-window that holds it, for a later [`settle`](Self::settle).
    pub fn charge(&mut self, now: Timestamp, amount: u32) -> u64 {
        if self.is_ahead(now) {
            *self = Self::new(self.span);
        }
        let slot = self.span.slot(now);
        self.settle(slot, 0, u64::from(amount));
        slot
    }

    /// Takes `amount` back out of the sub-window that [`charge`](Self::charge) returned; nothing when that has left the window.
    pub fn release(&mut self, slot: u64, amount: u32) {
        self.settle(slot, u64::from(amount), 0);
    }

    /// Adds `charged` to a sub-window and takes `released` out of it. What has left the window stays out.
    /// Settlements commute as long as they release no more than was charged.
    pub fn settle(&mut self, slot: u64, released: u64, charged: u64) {
        if charged > 0 {
            self.advance(slot);
        }
        let age = self
            .newest
            .checked_sub(slot)
            .and_then(|age| usize::try_from(age).ok());
        if let Some(count) = age.and_then(|age| self.counts.get_mut(age)) {
            let settled = u64::from(*count)
                .saturating_add(charged)
                .saturating_sub(released);
            *count = u32::try_from(settled).unwrap_or(u32::MAX);
        }
    }

    /// How long after `now` another `amount` fits under `limit` if nothing else is charged: refused at every instant
    /// before, admitted at exactly that one. Zero when it fits now. `amount` counts as `limit` when it is larger, for
    /// otherwise it would never fit.
    pub fn retry_after(&self, now: Timestamp, limit: u32, amount: u32) -> Duration {
        let room = u64::from(limit.saturating_sub(amount));
        let counting = self.counting(self.span.slot(now));
        let mut used = sum(counting);
        if used <= room {
            return Duration::ZERO;
        }
        // The oldest sub-window leaves first; `left` is the age of the one that has just gone.
        for (left, count) in counting.iter().enumerate().rev() {
            used = used.saturating_sub(u64::from(*count));
            if used <= room {
                let slot = u64::try_from(left)
                    .ok()
                    .and_then(|left| self.newest.checked_sub(left))
                    .unwrap_or(0);
                let fits_from = slot.saturating_add(SUB_WINDOWS).saturating_add(1);
                return self.span.start(fits_from).saturating_since(now);
            }
        }
        Duration::ZERO
    }

    /// The counts that lie in the window that ends in `slot`, newest first.
    fn counting(&self, slot: u64) -> &[u32] {
        let gone = match slot.checked_sub(self.newest) {
            Some(later) => usize::try_from(later).unwrap_or(COUNTS),
            // A clock behind: what it calls the future counts, unless that is further away than a window.
            None if self.newest.saturating_sub(slot) <= SUB_WINDOWS => 0,
            None => COUNTS,
        };
        self.counts
            .get(..COUNTS.saturating_sub(gone))
            .unwrap_or_default()
    }

    /// Makes `slot` the newest sub-window if it is newer.
    fn advance(&mut self, slot: u64) {
        let Some(steps) = slot.checked_sub(self.newest).filter(|steps| *steps > 0) else {
            return;
        };
        let steps = usize::try_from(steps).unwrap_or(COUNTS).min(COUNTS);
        self.counts.rotate_right(steps);
        self.counts
            .iter_mut()
            .take(steps)
            .for_each(|count| *count = 0);
        self.newest = slot;
    }

    /// The window as it stands in a record, little-endian.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (newest, counts) = bytes.split_at_mut(8);
        newest.copy_from_slice(&self.newest.to_le_bytes());
        for (place, count) in counts.chunks_exact_mut(4).zip(self.counts) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        bytes
    }

    /// Reads [`to_bytes`](Self::to_bytes) back.
    pub(crate) fn from_bytes(span: Span, bytes: &[u8; Self::BYTES]) -> Self {
        let (newest, stored) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let mut counts = [0; COUNTS];
        for (count, place) in counts.iter_mut().zip(stored.chunks_exact(4)) {
            *count = place
                .first_chunk()
                .map_or(0, |place| u32::from_le_bytes(*place));
        }
        Self {
            span,
            newest: u64::from_le_bytes(*newest),
            counts,
        }
    }
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().copied().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_window_survives_its_record(slot_nanos in 1_u64.., newest: u64, counts: [u32; COUNTS]) {
            let span = Span { slot_nanos: NonZeroU64::new(slot_nanos).unwrap() };
            let window = Window { span, newest, counts };

            prop_assert_eq!(Window::from_bytes(Span::from_bytes(span.to_bytes()).unwrap(), &window.to_bytes()), window);
        }

        #[test]
        fn no_stored_window_traps(slot_nanos in 1_u64.., newest: u64, counts: [u32; COUNTS], now: u64, slot: u64, limit: u32, amount: u32) {
            let span = Span { slot_nanos: NonZeroU64::new(slot_nanos).unwrap() };
            let mut window = Window { span, newest, counts };
            let now = Timestamp::from_unix_nanos(now);

            let _ = (window.used(now), window.is_void(now), window.retry_after(now, limit, amount));
            window.settle(slot, u64::from(amount), u64::MAX);
            window.charge(now, amount);
            prop_assert!(window.used(now) >= u64::from(amount));
        }
    }
}

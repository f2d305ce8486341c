//! How time passes on hosts whose clock a case sets: the same ticks at the same times on each of them.
use std::time::Duration;
use weir_engine::time::Timestamp;

/// The plugin's tick.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Enough ticks for everything that can wait in a worker (4,096 settlements, 128 buckets a tick); of a long time only as many run at its beginning and at
/// its end, since nothing is left to do in between.
const TICKS: u32 = 32;
/// After so long every counter of the plugin is told to its host.
pub(super) const REPORT: Duration = Duration::from_secs(6);

/// When ticks run while `time` passes from `from` on; the last one is at its end if that is on a tick.
pub(super) fn ticks(from: Timestamp, time: Duration) -> impl Iterator<Item = Timestamp> {
    let whole = time.as_nanos().checked_div(TICK.as_nanos()).unwrap_or(0);
    let whole = u32::try_from(whole).unwrap_or(u32::MAX);
    let first = 1..=whole.min(TICKS);
    let last = whole.saturating_sub(TICKS).max(TICKS)..whole;
    first
        .chain(last.map(|before| before.saturating_add(1)))
        .map(move |number| from.saturating_add(TICK.saturating_mul(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_tick_throughout_and_long_ones_at_both_ends() {
        let at = |time: Duration| -> Vec<u64> {
            let ticks = ticks(Timestamp::default(), time);
            ticks.map(|at| at.as_unix_nanos() / 1_000_000).collect()
        };

        assert_eq!(at(Duration::from_millis(250)), [100, 200]);
        assert_eq!(at(Duration::from_millis(99)), [0_u64; 0]);
        let day = at(Duration::from_secs(86_400));
        assert_eq!(day.len(), 64);
        assert_eq!(day.first(), Some(&100));
        assert_eq!(day.last(), Some(&86_400_000));
        let between = at(Duration::from_secs(5));
        assert!(
            between.windows(2).all(|pair| pair[0] + 100 == pair[1]),
            "{between:?}"
        );
        assert_eq!(between.len(), 50);
    }
}

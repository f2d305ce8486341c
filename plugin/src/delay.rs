//! Streams whose requests wait before they go on, because the policy delays them.
use std::time::Duration;
use weir_engine::time::Timestamp;

/// The delayed streams of one VM; as many as `responses.delay.maxWaiting` lets wait at once.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    waiting: Vec<(u32, Timestamp)>,
}

impl Delays {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Lets `stream` wait for `delay` from `now` on, to the next tick after it.
    pub(crate) fn hold(&mut self, stream: u32, now: Timestamp, delay: Duration) {
        self.waiting.push((stream, now.saturating_add(delay)));
    }

    /// Whether `stream` still waits.
    pub(crate) fn holds(&self, stream: u32) -> bool {
        self.waiting.iter().any(|&(id, _)| id == stream)
    }

    /// The stream is gone.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.waiting.retain(|&(id, _)| id != stream);
    }

    /// Streams whose time has come; they wait no longer.
    pub(crate) fn due(&mut self, clock: impl FnOnce() -> Timestamp) -> Vec<u32> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let now = clock();
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|&(_, until)| until <= now);
        self.waiting = waiting;
        due.into_iter().map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Timestamp {
        Timestamp::from_unix_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_stream_waits_until_its_delay_is_over_and_is_let_go_once() {
        let mut delays = Delays::default();
        delays.hold(2, at_ms(0), Duration::from_millis(250));
        delays.hold(4, at_ms(100), Duration::from_millis(250));

        assert!(delays.due(|| at_ms(249)).is_empty());
        assert_eq!(delays.due(|| at_ms(250)), [2]);
        assert!(delays.holds(4) && !delays.holds(2));
        assert_eq!(delays.due(|| at_ms(400)), [4]);
        assert_eq!(delays.len(), 0);
    }

    #[test]
    fn a_stream_that_is_gone_is_not_let_go() {
        let mut delays = Delays::default();
        delays.hold(2, at_ms(0), Duration::from_millis(250));

        delays.forget(2);

        assert!(delays.due(|| at_ms(300)).is_empty());
    }

    #[test]
    fn nobody_waiting_costs_no_look_at_the_clock() {
        let mut delays = Delays::default();

        assert!(delays.due(|| panic!("looked at the clock")).is_empty());
    }
}

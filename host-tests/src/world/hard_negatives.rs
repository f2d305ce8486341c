//! Organic groups that look like campaigns: the strata H1 to H13 that detectors are judged in.
//!
//! Their members come from the same generators as everybody; a stratum only sets what makes it hard:
//! what its members share, when they sign up, how much they send. Sizes are those of the incident at
//! 1:100, times the world's scale, and never so small that a stratum about many accounts is none.
mod gatherings;
mod services;
mod teams;

use super::life::{Life, Rhythm};
use super::network::{Access, Place};
use super::population::{Kind, Newcomer, Population};
use super::scenario::WorldScenario;
use super::schedule::DAY;
use super::setting::{Setting, days};
use super::turn::TOPICS;
use crate::simulate::random::Random;

/// What strata are made with.
struct Strata<'a> {
    setting: &'a mut Setting,
    population: &'a mut Population,
    random: Random,
    size: f64,
    made: Vec<Newcomer>,
}

/// Everybody in the hard-negative strata of a world.
pub(super) fn all(
    scenario: &WorldScenario,
    setting: &mut Setting,
    population: &mut Population,
    random: Random,
) -> Vec<Newcomer> {
    let size = scenario.hard_negatives * scenario.scale;
    let mut strata = Strata {
        setting,
        population,
        random,
        size,
        made: Vec::new(),
    };
    if size > 0.0 {
        strata.gatherings();
        strata.teams();
        strata.services();
    }
    strata.made
}

impl Strata<'_> {
    /// So many accounts at this size, never below `least`.
    fn count(&self, accounts: u32, least: u32) -> u32 {
        ((f64::from(accounts) * self.size).round() as u32).max(least)
    }
    /// A point in the days after the burn-in, between two shares of them.
    fn day_between(&mut self, from: f64, to: f64) -> u64 {
        let span = (self.setting.end - self.setting.burn_in_end) as f64;
        self.setting.burn_in_end + (span * (from + (to - from) * self.random.unit())) as u64
    }
    /// Somebody who has been there since before the world began and stays.
    fn settled(&mut self, stratum: &'static str, kind: Kind) -> Newcomer {
        // Three in ten are younger than a month, as everywhere.
        let age = if self.random.chance(0.3) {
            30.0 * self.random.unit()
        } else {
            30.0 + self.random.exponential(300.0).min(2_000.0)
        };
        let created = self.setting.start.saturating_sub(days(age));
        let mut member = self
            .population
            .make(self.setting, kind, created, age < 30.0);
        member.life.next = member
            .life
            .next_session(self.setting.start, &self.setting.calendars);
        member.person.hard_negative = Some(stratum);
        member
    }
    /// Somebody who signs up at `created` and begins at `first`.
    fn new_account(
        &mut self,
        stratum: &'static str,
        kind: Kind,
        created: u64,
        first: u64,
    ) -> Newcomer {
        let mut member = self.population.make(self.setting, kind, created, true);
        member.life.next = first;
        member.person.hard_negative = Some(stratum);
        member
    }
    /// A place that a group shares.
    fn shared_place(&mut self, access: Access) -> Place {
        let mut place = Place::of(access, &mut self.random);
        place.prefix = self.random.next() as u32;
        place
    }
}

/// Puts somebody behind a group's prefix.
fn put(member: &mut Newcomer, place: Place, random: &mut Random) {
    member.life.place = Place {
        host: random.next() as u32,
        ..place
    };
    member.person.asn = place.asn;
}

/// Gives somebody one program for everything.
fn give(life: &mut Life, program: u32) {
    life.programs = [program; 2];
    life.first_share = 1.0;
}

/// A topic's number.
fn topic(name: &str) -> u8 {
    TOPICS.iter().position(|topic| *topic == name).unwrap_or(0) as u8
}

/// So many exchanges a day at exact distances.
fn each_day(count: f64) -> Rhythm {
    Rhythm::Cron((DAY as f64 / count.max(1.0)) as u64)
}

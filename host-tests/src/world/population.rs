//! Ordinary people: who is there at the beginning, who signs up, who leaves.
//!
//! The mixture is that of published evaluations (70 % occasional, 24 % developers, 5.5 % applications,
//! 0.5 % batch); what applications and batch jobs send is scaled so that the whole makes the promised
//! number of exchanges a day. 2.3 % of the base sign up each day, four in five of them stay for days
//! only, so that about three in ten active accounts are younger than a month.
use super::catalogue::Catalogue;
use super::life::{Life, Rhythm};
use super::network::Place;
use super::person::Person;
use super::schedule::{Calendars, Style, region};
use super::setting::{Setting, days, first_use_delay};
use super::spec::ProgramKind;
use crate::simulate::random::Random;

/// Sign-ups a day, of the base.
const SIGN_UPS: f64 = 0.023;
/// Share of the base that has been there for more than a month.
const SETTLED: f64 = 0.7;
/// Accounts that come back after months, per sign-up.
const RETURNING: f64 = 0.14;
/// Mean days that a settled account goes on.
const SETTLED_DAYS: f64 = 133.0;
/// Share of sign-ups that settle, and mean days of the others.
const STAYS: f64 = 0.2;
const TRIES_DAYS: f64 = 9.0;
/// Share of accounts that switch to a new model within a day.
pub(super) const PIVOTS: f64 = 0.5;

/// An account before its first exchange.
pub(super) struct Newcomer {
    pub(super) person: Person,
    pub(super) life: Life,
    /// It does not sign up but takes over somebody's account.
    pub(super) takes_over: bool,
}

/// The four kinds of ordinary accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Chat,
    Ide,
    App,
    Batch,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Ide => "ide",
            Self::App => "app",
            Self::Batch => "batch",
        }
    }
    fn draw(random: &mut Random) -> Self {
        match random.unit() {
            share if share < 0.70 => Self::Chat,
            share if share < 0.94 => Self::Ide,
            share if share < 0.995 => Self::App,
            _ => Self::Batch,
        }
    }
}

/// What new accounts are made with.
pub(super) struct Population {
    random: Random,
    base: f64,
    /// What applications and batch jobs send relative to their distribution's unit.
    app_scale: f64,
    /// Most exchanges a day of one application.
    app_cap: f64,
}

impl Population {
    pub(super) fn new(random: Random, accounts: usize, per_day: f64) -> Self {
        Self {
            random,
            base: accounts as f64,
            app_scale: 1.0,
            app_cap: (per_day * 0.008).max(60.0),
        }
    }
    /// Everybody who is there at the beginning, and those who have signed up but come later. `per_day`
    /// is what they are to send together; applications are scaled until they do.
    pub(super) fn settle(&mut self, setting: &mut Setting, per_day: f64) -> Vec<Newcomer> {
        let mut all = Vec::new();
        for _ in 0..(self.base * SETTLED) as usize {
            let age = 30.0 + self.random.exponential(320.0).min(2_400.0);
            let kind = Kind::draw(&mut self.random);
            let mut newcomer = self.make(
                setting,
                kind,
                setting.start.saturating_sub(days(age)),
                false,
            );
            let life = &mut newcomer.life;
            life.until = setting.start + days(self.random.exponential(SETTLED_DAYS));
            life.next = life.next_session(setting.start, &setting.calendars);
            all.push(newcomer);
        }
        for _ in 0..(self.base * SIGN_UPS * 30.0) as usize {
            let created = setting.start - days(self.random.unit() * 30.0);
            let mut newcomer = self.arrive(setting, created);
            if newcomer.life.until > setting.start {
                let life = &mut newcomer.life;
                if life.next < setting.start {
                    life.next = life.next_session(setting.start, &setting.calendars);
                }
                all.push(newcomer);
            }
        }
        let scaled = |newcomer: &&mut Newcomer| matches!(newcomer.person.kind, "app" | "batch");
        let total: f64 = all.iter().map(|newcomer| newcomer.life.per_day()).sum();
        let apps: f64 = all
            .iter_mut()
            .filter(scaled)
            .map(|newcomer| newcomer.life.per_day())
            .sum();
        if apps > 0.0 {
            self.app_scale = ((per_day - (total - apps)) / apps).clamp(0.02, 50.0);
            for newcomer in all.iter_mut().filter(scaled) {
                newcomer.life.rate *= self.app_scale as f32;
            }
        }
        all
    }
    /// When the next account signs up or comes back.
    pub(super) fn next_arrival(&mut self, now: u64, calendars: &Calendars) -> u64 {
        let rate = self.base * SIGN_UPS * (1.0 + RETURNING);
        let gap = self.random.exponential(1.0 / rate.max(1e-3));
        calendars.after(Calendars::number(Style::Service, 3), now, gap)
    }
    /// Who signs up, or comes back, at `now`.
    pub(super) fn arrival(&mut self, setting: &mut Setting, now: u64) -> Newcomer {
        if self.random.chance(RETURNING / (1.0 + RETURNING)) {
            let kind = Kind::draw(&mut self.random);
            let age = 40.0 + self.random.exponential(300.0).min(2_000.0);
            let mut newcomer = self.make(setting, kind, now.saturating_sub(days(age)), false);
            newcomer.life.next = now;
            newcomer.life.until = now + days(self.random.exponential(20.0));
            return newcomer;
        }
        self.arrive(setting, now)
    }
    /// Somebody who signs up at `created`.
    fn arrive(&mut self, setting: &mut Setting, created: u64) -> Newcomer {
        let kind = Kind::draw(&mut self.random);
        let mut newcomer = self.make(setting, kind, created, true);
        let stays = self.random.chance(STAYS);
        let lifetime = self
            .random
            .exponential(if stays { SETTLED_DAYS } else { TRIES_DAYS });
        newcomer.life.next = created + first_use_delay(&mut self.random);
        newcomer.life.until = newcomer.life.next + days(lifetime);
        newcomer
    }
    /// Somebody of no particular kind who comes at `first`.
    pub(super) fn stranger(&mut self, setting: &mut Setting, created: u64, first: u64) -> Newcomer {
        let mut newcomer = self.make(setting, Kind::Chat, created, true);
        newcomer.life.next = first;
        newcomer
    }
    /// An account of this kind. Its first exchange and its end are for the caller to set.
    pub(super) fn make(
        &mut self,
        setting: &mut Setting,
        kind: Kind,
        created: u64,
        young: bool,
    ) -> Newcomer {
        let random = &mut Random::new(self.random.next(), 0);
        let place = Place::draw(random);
        let region = region(random);
        let catalogue = &mut setting.catalogue;
        let (rhythm, style, rate, length, programs, share) = match kind {
            Kind::Chat => {
                let per_day = random.log_normal(3.0, 1.2).min(250.0);
                let length = 1.6 + random.unit() * 1.8;
                let main = chat_program(catalogue, random);
                (
                    Rhythm::Talk,
                    Style::Leisure,
                    per_day / length,
                    length,
                    [main, catalogue.plain(random)],
                    0.8,
                )
            }
            Kind::Ide => {
                let per_day = 20.0 * 20.0_f64.powf(random.unit()); // log-uniform, 20 to 400 on a day of work
                let sessions = 1.0 + random.unit();
                let main = if random.chance(0.72) {
                    catalogue.tool_of(ProgramKind::Ide, random)
                } else {
                    catalogue.private_script(random)
                };
                // At it on less than half of the days, on average.
                let length = 0.42 * per_day / sessions;
                (
                    Rhythm::Coding,
                    Style::Work,
                    sessions,
                    length.max(2.0),
                    [main, catalogue.plain(random)],
                    0.85,
                )
            }
            Kind::App => {
                let per_day = random.log_normal(40.0, 1.8) * self.app_scale;
                let main = if random.chance(0.12) {
                    catalogue.tool_of(ProgramKind::App, random)
                } else {
                    catalogue.private_app(ProgramKind::App, random)
                };
                (
                    Rhythm::Stream,
                    Style::Service,
                    per_day.min(self.app_cap),
                    1.0,
                    [main, main],
                    1.0,
                )
            }
            Kind::Batch => {
                let per_day = random.log_normal(120.0, 1.3) * self.app_scale;
                let main = catalogue.private_app(ProgramKind::Batch, random);
                let sessions = 0.3 + 0.9 * random.unit();
                (
                    Rhythm::Burst,
                    Style::Work,
                    sessions,
                    (per_day / sessions).clamp(1.0, self.app_cap),
                    [main, main],
                    1.0,
                )
            }
        };
        let lag = Setting::version_lag(random);
        let version = setting.version(created.max(setting.start), lag);
        let person = setting
            .envelopes
            .person(random, created, young, version, &place, kind.name());
        let mut life = Life::new(
            Random::new(random.next(), 0),
            place,
            rhythm,
            Calendars::number(style, region),
        );
        life.rate = rate as f32;
        life.length = length as f32;
        life.programs = programs;
        life.first_share = share;
        life.lag = Some(lag);
        life.model = Setting::model(random);
        life.pivot = setting.pivot(random, PIVOTS);
        life.patience = 3 + random.below(5) as u8;
        Newcomer {
            person,
            life,
            takes_over: false,
        }
    }
}

/// What an occasional user talks through: a shared tool, a plain client, or a script of their own.
pub(super) fn chat_program(catalogue: &mut Catalogue, random: &mut Random) -> u32 {
    match random.unit() {
        share if share < 0.35 => catalogue.tool(random),
        share if share < 0.78 => catalogue.plain(random),
        _ => catalogue.private_script(random),
    }
}

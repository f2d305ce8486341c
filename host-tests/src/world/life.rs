//! An account's life: when the next session comes, what it is about, and how it goes on.
//!
//! One state machine for everybody. Sessions come by exponential gaps in the time of a calendar;
//! inside a session user turns are a Pareto think time apart and tool results a few seconds. Campaign
//! accounts live it too; only what a session is about comes from their campaign.
use super::catalogue::{Catalogue, Speech};
use super::network::Place;
use super::person::Person;
use super::schedule::{Calendars, DAY, SECOND};
use super::setting::Setting;
use super::turn::{Rewrite, Source, Text, Turn};
use crate::simulate::random::Random;
use weir_engine::time::Timestamp;

/// Contexts end here, in tokens.
const MAX_CONTEXT: u32 = 180_000;

/// How an account works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rhythm {
    /// Short conversations.
    Talk,
    /// Long sessions with loops of tool results.
    Coding,
    /// Independent requests, one at a time.
    Stream,
    /// Many requests at once, now and then.
    Burst,
    /// One request each this many nanoseconds, exactly.
    Cron(u64),
}

/// Whose work an account does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) campaign: u8,
    pub(super) operator: u16,
}

/// What a session is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assignment {
    pub(super) program: u32,
    pub(super) text: Text,
    /// Exchanges in it.
    pub(super) turns: u16,
    /// Mean tool results after a user turn; 0 for none.
    pub(super) tool_loop: u16,
    /// Only one user turn: everything after it is tool results.
    pub(super) scripted: bool,
    pub(super) customer: bool,
}

impl Assignment {
    /// Nothing in particular.
    pub(super) fn none() -> Self {
        let text = Text {
            source: Source::Free(0),
            seed: 0,
            rewrite: Rewrite::Not,
        };
        Self {
            program: 0,
            text,
            turns: 1,
            tool_loop: 0,
            scripted: false,
            customer: false,
        }
    }
}

/// The session that an account is in.
#[derive(Clone, Copy, Debug)]
struct Session {
    address: u64,
    text: Text,
    program: u32,
    context: u32,
    left: u16,
    step: u16,
    tool_results: u16,
    /// Tool results to come before the next user turn.
    loop_left: u16,
    tool_loop: u16,
    model: u8,
    customer: bool,
    scripted: bool,
}

/// An account's life.
pub(super) struct Life {
    pub(super) random: Random,
    /// When the next exchange comes; whatever is queued for another time is stale.
    pub(super) next: u64,
    /// When it leaves.
    pub(super) until: u64,
    /// When it goes over to the newest model.
    pub(super) pivot: u64,
    /// Sessions a day.
    pub(super) rate: f32,
    /// Mean exchanges of a session.
    pub(super) length: f32,
    pub(super) place: Place,
    pub(super) rhythm: Rhythm,
    pub(super) calendar: u8,
    pub(super) model: u8,
    /// The two programs that it uses, and the first one's share of sessions.
    pub(super) programs: [u32; 2],
    pub(super) first_share: f32,
    /// Most exchanges a day; 0 for no cap.
    pub(super) cap: u16,
    /// Sessions come at even distances instead of at random.
    pub(super) even: bool,
    pub(super) job: Option<Job>,
    /// Days that its client is behind the newest version; `None` never changes it.
    pub(super) lag: Option<f32>,
    /// Refusals in a row after which it leaves.
    pub(super) patience: u8,
    refusals: u8,
    refused: bool,
    today: u32,
    used_today: u16,
    session: Session,
}

impl Life {
    /// A life from now on; `next` and the fields that differ are set by whoever makes it.
    pub(super) fn new(random: Random, place: Place, rhythm: Rhythm, calendar: u8) -> Self {
        let Assignment { text, .. } = Assignment::none();
        Self {
            random,
            next: 0,
            until: u64::MAX,
            pivot: u64::MAX,
            rate: 1.0,
            length: 1.0,
            place,
            rhythm,
            calendar,
            model: 0,
            programs: [0; 2],
            first_share: 1.0,
            cap: 0,
            even: false,
            job: None,
            lag: None,
            patience: 4,
            refusals: 0,
            refused: false,
            today: 0,
            used_today: 0,
            session: Session {
                address: 0,
                text,
                program: 0,
                context: 0,
                left: 0,
                step: 0,
                tool_results: 0,
                loop_left: 0,
                tool_loop: 0,
                model: 0,
                customer: false,
                scripted: false,
            },
        }
    }
    /// Exchanges a day that it makes on average.
    pub(super) fn per_day(&self) -> f64 {
        match self.rhythm {
            Rhythm::Cron(period) => DAY as f64 / period.max(1) as f64,
            _ => f64::from(self.rate) * f64::from(self.length),
        }
    }
    /// Whether the next exchange begins a session.
    pub(super) fn is_idle(&self) -> bool {
        self.session.left == 0
    }
    /// What an organic account's next session is about.
    pub(super) fn choose(&mut self, catalogue: &Catalogue) -> Assignment {
        let random = &mut self.random;
        let [first, second] = self.programs;
        let number = if random.chance(f64::from(self.first_share)) {
            first
        } else {
            second
        };
        let program = catalogue.program(number);
        let length = f64::from(self.length);
        let turns = match self.rhythm {
            Rhythm::Talk => geometric(random, length),
            Rhythm::Coding => random.log_normal(length * 0.835, 0.6), // exp(-0.6^2/2): the mean is `length`
            Rhythm::Burst => random.log_normal(length * 0.607, 1.0),  // exp(-1/2)
            Rhythm::Stream | Rhythm::Cron(_) => 1.0,
        };
        let tool_loop = match (program.spec.tools, self.rhythm) {
            (Some(_), Rhythm::Coding) => 5,
            (Some(_), Rhythm::Talk) => 2,
            (Some(_), Rhythm::Burst) => 1,
            _ => 0,
        };
        Assignment {
            program: number,
            text: program.words.text(random),
            turns: turns.round().clamp(1.0, 5_000.0) as u16,
            tool_loop,
            scripted: false,
            customer: false,
        }
    }
    /// Begins a session.
    pub(super) fn begin(
        &mut self,
        assignment: Assignment,
        now: u64,
        person: &mut Person,
        setting: &Setting,
    ) {
        let address = self.place.address(&mut self.random);
        let random = &mut self.random;
        if let Some(lag) = self.lag {
            person.client_version = person.client_version.max(setting.version(now, lag));
        }
        let model = match now >= self.pivot {
            true => Setting::NEWEST,
            false if random.chance(0.1) => Setting::model(random),
            false => self.model,
        };
        self.session = Session {
            address,
            text: assignment.text,
            program: assignment.program,
            context: 0,
            left: assignment.turns.max(1),
            step: 0,
            tool_results: 0,
            loop_left: 0,
            tool_loop: assignment.tool_loop,
            model,
            customer: assignment.customer,
            scripted: assignment.scripted,
        };
        self.open();
        if self.rhythm == Rhythm::Stream
            && self.job.is_none()
            && matches!(assignment.text.source, Source::Free(_))
        {
            // An app's users are in the middle of their conversations.
            let steps = geometric(&mut self.random, 2.2) as u16 - 1;
            self.session.step = steps;
            self.session.context += u32::from(steps) * 300;
        }
    }
    /// A new conversation in the session.
    fn open(&mut self) {
        let base = if self.session.tool_loop > 0 {
            2_400.0
        } else {
            350.0
        };
        self.session.context = (self.random.log_normal(base, 0.8) as u32).clamp(12, MAX_CONTEXT);
        self.session.step = 0;
        self.session.tool_results = 0;
        self.session.loop_left = if self.session.scripted {
            self.session.left - 1
        } else {
            self.loops()
        };
    }
    fn loops(&mut self) -> u16 {
        match self.session.tool_loop {
            0 => 0,
            mean => (self.random.exponential(f64::from(mean)) + 0.5) as u16,
        }
    }
    /// The exchange that is due, and when the next one comes. The session must have begun.
    pub(super) fn turn(
        &mut self,
        account: u32,
        now: u64,
        catalogue: &Catalogue,
        calendars: &Calendars,
    ) -> Turn {
        if !self.refused {
            self.refusals = 0;
        }
        self.refused = false;
        let session = &mut self.session;
        let output =
            self.random
                .exponential(if session.tool_loop > 0 { 180.0 } else { 320.0 }) as u32
                + 1;
        let turn = Turn {
            time: Timestamp::from_unix_nanos(now),
            account,
            program: session.program,
            text: session.text,
            step: session.step,
            tool_results: session.tool_results,
            model: session.model,
            address: session.address,
            input_tokens: session.context,
            output_tokens: output,
            customer: session.customer,
        };
        session.left = session.left.saturating_sub(1);
        session.context = session.context.saturating_add(output).min(MAX_CONTEXT);
        let pause = if session.left == 0 {
            None
        } else {
            Some(self.go_on(catalogue))
        };
        self.next = match pause {
            Some(seconds) => now + (seconds * SECOND as f64) as u64 + 1,
            None => self.next_session(now, calendars),
        };
        self.count(now, calendars);
        turn
    }
    /// Goes on inside the session; returns the seconds until the next exchange.
    fn go_on(&mut self, catalogue: &Catalogue) -> f64 {
        if self.session.loop_left > 0 {
            self.session.loop_left -= 1;
            self.session.tool_results = self.session.tool_results.saturating_add(1);
            let result = 100 + (self.random.next() & 1_023) as u32;
            self.grow(result);
            return 2.0 + self.random.exponential(6.0);
        }
        let fresh = match self.rhythm {
            Rhythm::Burst => 1.0,
            Rhythm::Coding => 0.3,
            _ => 0.08,
        };
        let long = self.session.step > 25 || self.session.context > 120_000;
        if long || self.random.chance(fresh) {
            let words: Speech = catalogue.program(self.session.program).words;
            self.session.text = words.text(&mut self.random);
            self.open();
        } else {
            self.session.step += 1;
            self.session.loop_left = self.loops();
            self.grow(60);
        }
        match self.rhythm {
            Rhythm::Burst => self.random.exponential(2.5),
            Rhythm::Coding => self.think(18.0, 2_400.0),
            _ => self.think(12.0, 1_500.0),
        }
    }
    fn grow(&mut self, tokens: u32) {
        let context = self.session.context.saturating_add(tokens);
        self.session.context = context.min(MAX_CONTEXT);
    }
    /// Pareto with exponent 1.2 from `least` on, in seconds.
    fn think(&mut self, least: f64, most: f64) -> f64 {
        (least * (1.0 - self.random.unit()).powf(-1.0 / 1.2)).min(most)
    }
    /// When the next session begins.
    pub(super) fn next_session(&mut self, now: u64, calendars: &Calendars) -> u64 {
        let mean = 1.0 / f64::from(self.rate.max(1e-4));
        let days = match self.rhythm {
            Rhythm::Cron(period) => return now + period,
            _ if self.even => mean * (0.5 + self.random.unit()),
            _ => self.random.exponential(mean),
        };
        calendars.after(self.calendar, now, days) + 1
    }
    /// Counts against the daily cap; over it, the next exchange comes tomorrow.
    fn count(&mut self, now: u64, calendars: &Calendars) {
        if self.cap == 0 {
            return;
        }
        let day = (now / DAY) as u32;
        if day != self.today {
            (self.today, self.used_today) = (day, 0);
        }
        self.used_today += 1;
        if self.used_today >= self.cap {
            self.session.left = 0;
            let tomorrow = (u64::from(day) + 1) * DAY;
            let later = calendars.after(self.calendar, tomorrow, 0.15 * self.random.unit());
            self.next = self.next.max(later);
        }
    }
    /// The last exchange was refused: tries the same again after a little, and leaves when that has
    /// happened too often in a row. Returns whether it is still there.
    pub(super) fn refused(&mut self, now: u64) -> bool {
        self.refused = true;
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= self.patience {
            self.until = now;
            return false;
        }
        let seconds = 10.0 + self.random.exponential(90.0 * f64::from(self.refusals));
        self.session.left = self.session.left.max(1);
        self.next = now + (seconds * SECOND as f64) as u64;
        true
    }
}

/// 1, 2, 3, ... with this mean.
pub(super) fn geometric(random: &mut Random, mean: f64) -> f64 {
    if mean <= 1.0 {
        return 1.0;
    }
    let stop = 1.0 / mean;
    (((1.0 - random.unit()).ln() / (1.0 - stop).ln()).floor() + 1.0).min(4_000.0)
}

//! Unrolls a world: one queue of what comes next, in time order.
use super::campaign::Campaign;
use super::catalogue::Catalogue;
use super::envelope::Envelopes;
use super::hard_negatives;
use super::life::Life;
use super::person::Person;
use super::population::{Newcomer, Population};
use super::scenario::WorldScenario;
use super::schedule::{Calendars, DAY};
use super::setting::{Setting, days, streams};
use super::spec::ProgramSpec;
use super::turn::Turn;
use crate::simulate::random::{Random, mix};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use weir_engine::time::Timestamp;

/// What comes next. Ordered by time; ties by the order of the variants and their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The account's next exchange.
    Exchange(u32),
    /// Somebody's first exchange; index into those who wait.
    Join(u32),
    /// Somebody signs up.
    Arrival,
    /// A campaign fills a vacancy.
    Replace(u8),
}

/// A campaign's truth, for whoever keeps the score.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignFacts {
    /// Its name in the scenario.
    pub name: String,
    /// Its family, `A1` to `A6`, or `custom`; also its accounts' [`Person::kind`].
    pub family: &'static str,
    /// When it begins, apart from what contaminates the burn-in.
    pub start: Timestamp,
    /// Accounts that it works with at a time.
    pub accounts: u32,
    /// Exchanges of its own that each makes a day, real customers' not counted.
    pub per_day: f64,
}

/// A world from its first day to its last. The same scenario and seed give the same world, whatever
/// has been asked of it except [`World::refused`]. About 300 bytes per account that was ever there.
pub struct World {
    scenario: WorldScenario,
    setting: Setting,
    population: Population,
    campaigns: Vec<Campaign>,
    people: Vec<Person>,
    lives: Vec<Life>,
    waiting: Vec<Option<Newcomer>>,
    free: Vec<u32>,
    queue: BinaryHeap<Reverse<(u64, Event)>>,
}

impl World {
    /// The world of this scenario and seed. Takes time proportional to its accounts.
    pub fn new(scenario: &WorldScenario, seed: u64) -> Self {
        let seed = mix(seed, 0x0077_6f72_6c64);
        let mut random = Random::new(seed, streams::EVENTS);
        let start = scenario.start_time().as_unix_nanos();
        let burn_in_end = start + days(f64::from(scenario.burn_in_days));
        let accounts = scenario.scaled(scenario.accounts);
        let per_day = scenario.exchanges_per_day * scenario.scale;
        let mut setting = Setting {
            start,
            burn_in_end,
            end: burn_in_end + days(f64::from(scenario.days)),
            release: scenario
                .release_day
                .map(|day| burn_in_end + days(day + 4.0 * random.unit())),
            calendars: Calendars::new(),
            envelopes: Envelopes::new(seed, accounts),
            catalogue: Catalogue::new(seed),
        };
        let mut population =
            Population::new(Random::new(seed, streams::POPULATION), accounts, per_day);
        let strata = hard_negatives::all(
            scenario,
            &mut setting,
            &mut population,
            Random::new(seed, streams::STRATA),
        );
        let theirs: f64 = strata
            .iter()
            .filter(|newcomer| newcomer.life.next < start + DAY)
            .map(|newcomer| newcomer.life.per_day())
            .sum();
        let settled = population.settle(&mut setting, per_day - theirs);
        let mut world = Self {
            scenario: scenario.clone(),
            setting,
            population,
            campaigns: Vec::new(),
            people: Vec::new(),
            lives: Vec::new(),
            waiting: Vec::new(),
            free: Vec::new(),
            queue: BinaryHeap::new(),
        };
        for newcomer in settled.into_iter().chain(strata) {
            world.expect(newcomer);
        }
        for (index, spec) in scenario.campaigns.iter().enumerate() {
            let mut random = Random::new(seed, streams::CAMPAIGNS + index as u64);
            let early = per_day * scenario.contamination / scenario.campaigns.len() as f64;
            let mut campaign = Campaign::new(
                index as u8,
                spec,
                scenario.scale,
                early,
                &mut world.setting,
                &mut random,
            );
            for newcomer in campaign.recruit(&mut world.setting, &mut world.population) {
                world.expect(newcomer);
            }
            world.campaigns.push(campaign);
        }
        let first = world
            .population
            .next_arrival(start, &world.setting.calendars);
        world.queue.push(Reverse((first, Event::Arrival)));
        world
    }
    /// The account's exchange that is due now and the time of the one after it, unless the account is
    /// gone or has other plans by now.
    fn exchange(&mut self, account: u32, time: u64) -> Option<(Turn, u64)> {
        let life = self.lives.get_mut(account as usize)?;
        let person = self.people.get_mut(account as usize)?;
        if life.next != time || time >= life.until {
            return None;
        }
        let Setting {
            catalogue,
            calendars,
            ..
        } = &self.setting;
        if life.is_idle() {
            let assignment = match life
                .job
                .and_then(|job| Some((job, self.campaigns.get_mut(usize::from(job.campaign))?)))
            {
                Some((job, campaign)) => campaign.assign(job, catalogue, &mut life.random),
                None => life.choose(catalogue),
            };
            life.begin(assignment, time, person, &self.setting);
        }
        let turn = life.turn(account, time, catalogue, calendars);
        if let Some(campaign) = life
            .job
            .and_then(|job| self.campaigns.get(usize::from(job.campaign)))
            && life.is_idle()
        {
            life.next = campaign.paced(time, life.next, &self.setting);
        }
        Some((turn, life.next))
    }
    /// Somebody will have a first exchange.
    fn expect(&mut self, newcomer: Newcomer) {
        let time = newcomer.life.next;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.waiting.push(None);
                (self.waiting.len() - 1) as u32
            }
        };
        if let Some(place) = self.waiting.get_mut(slot as usize) {
            *place = Some(newcomer);
        }
        self.queue.push(Reverse((time, Event::Join(slot))));
    }
    /// Somebody becomes an account.
    fn join(&mut self, slot: u32) -> Option<u32> {
        let newcomer = self.waiting.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        if newcomer.takes_over {
            return self.take_over(newcomer);
        }
        self.people.push(newcomer.person);
        self.lives.push(newcomer.life);
        Some((self.people.len() - 1) as u32)
    }
    /// An occasional user's account is used by somebody else from now on: from another place, for other
    /// work; what its headers say otherwise stays.
    fn take_over(&mut self, mut thief: Newcomer) -> Option<u32> {
        let now = thief.life.next;
        let victim = (0..200).find_map(|_| {
            let victim = thief.life.random.below(self.lives.len());
            let life = self.lives.get(victim)?;
            let person = self.people.get(victim)?;
            let usual = person.kind == "chat" && person.hard_negative.is_none();
            (usual && life.job.is_none() && life.until > now).then_some(victim)
        })?;
        let person = self.people.get_mut(victim)?;
        person.campaign = thief.person.campaign;
        person.kind = thief.person.kind;
        person.asn = thief.person.asn;
        *self.lives.get_mut(victim)? = thief.life;
        Some(victim as u32)
    }
    fn replace(&mut self, campaign: u8, time: u64) {
        if let Some(campaign) = self.campaigns.get_mut(usize::from(campaign))
            && let Some(newcomer) =
                campaign.replacement(time, &mut self.setting, &mut self.population)
        {
            self.expect(newcomer);
        }
    }
    /// The request of `turn` was refused. People try again a little and then leave; a campaign abandons
    /// the account and replaces it within minutes. Call it before the next [`World::next`].
    pub fn refused(&mut self, turn: &Turn) {
        let now = turn.time.as_unix_nanos();
        let Some(life) = self.lives.get_mut(turn.account as usize) else {
            return;
        };
        if let Some(job) = life.job {
            if life.until > now {
                life.until = now;
                if let Some(campaign) = self.campaigns.get_mut(usize::from(job.campaign)) {
                    let at = campaign.lost(job, now);
                    self.queue.push(Reverse((at, Event::Replace(job.campaign))));
                }
            }
        } else if life.refused(now) {
            self.queue
                .push(Reverse((life.next, Event::Exchange(turn.account))));
        }
    }
    /// An account; an empty one for a number that no turn has had.
    pub fn person(&self, account: u32) -> &Person {
        static NOBODY: Person = Person {
            id: 0,
            organization: 0,
            created: Timestamp::from_unix_nanos(0),
            verification: None,
            plan: "free",
            payment: None,
            asn: 0,
            client_version: 0,
            campaign: None,
            kind: "nobody",
            hard_negative: None,
        };
        self.people.get(account as usize).unwrap_or(&NOBODY)
    }
    /// Accounts that have made an exchange so far; their numbers are below this.
    pub fn people(&self) -> usize {
        self.people.len()
    }
    /// A program; numbers come from [`Turn::program`].
    pub fn program(&self, program: u32) -> &ProgramSpec {
        &self.setting.catalogue.program(program).spec
    }
    /// Programs so far; their numbers are below this.
    pub fn programs(&self) -> usize {
        self.setting.catalogue.len()
    }
    /// What it was made of.
    pub fn scenario(&self) -> &WorldScenario {
        &self.scenario
    }
    /// When the first day begins.
    pub fn start(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.setting.start)
    }
    /// When the burn-in is over.
    pub fn burn_in_end(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.setting.burn_in_end)
    }
    /// When the newest model comes out, if it does.
    pub fn release(&self) -> Option<Timestamp> {
        self.setting.release.map(Timestamp::from_unix_nanos)
    }
    /// Days from the first to the last, burn-in included.
    pub fn days(&self) -> u32 {
        self.scenario.burn_in_days + self.scenario.days
    }
    /// The campaigns, in the order of [`Person::campaign`].
    pub fn campaigns(&self) -> impl Iterator<Item = CampaignFacts> {
        self.campaigns.iter().map(Campaign::facts)
    }
    /// About how many exchanges there will be, for a progress bar.
    pub fn exchanges_expected(&self) -> u64 {
        let organic =
            self.scenario.exchanges_per_day * self.scenario.scale * f64::from(self.days());
        let campaigns = self
            .campaigns
            .iter()
            .map(|campaign| campaign.expected(&self.setting));
        (organic + campaigns.sum::<f64>()) as u64
    }
    /// Bytes that it holds for its accounts and programs, capacity included.
    pub fn memory_bytes(&self) -> usize {
        self.people.capacity() * size_of::<Person>()
            + self.lives.capacity() * size_of::<Life>()
            + self.waiting.capacity() * size_of::<Option<Newcomer>>()
            + self.queue.capacity() * size_of::<Reverse<(u64, Event)>>()
            + self.setting.catalogue.memory_bytes()
    }
}

/// Exchanges in time order. Logarithmic in the accounts that are there.
impl Iterator for World {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        loop {
            let Reverse((time, event)) = self.queue.peek().copied()?;
            if time >= self.setting.end {
                self.queue.clear();
                return None;
            }
            if let Event::Exchange(account) = event {
                let turn = self.exchange(account, time);
                match (turn, self.queue.peek_mut()) {
                    // In its place: half the work of taking it out and putting another in.
                    (Some((_, next)), Some(mut first)) => *first = Reverse((next, event)),
                    (_, first) => drop(first.map(PeekMut::pop)),
                }
                if let Some((turn, _)) = turn {
                    return Some(turn);
                }
                continue;
            }
            self.queue.pop();
            match event {
                Event::Exchange(_) => {}
                Event::Join(slot) => {
                    if let Some(account) = self.join(slot)
                        && let Some((turn, next)) = self.exchange(account, time)
                    {
                        self.queue.push(Reverse((next, Event::Exchange(account))));
                        return Some(turn);
                    }
                }
                Event::Arrival => {
                    let newcomer = self.population.arrival(&mut self.setting, time);
                    self.expect(newcomer);
                    let next = self.population.next_arrival(time, &self.setting.calendars);
                    self.queue.push(Reverse((next, Event::Arrival)));
                }
                Event::Replace(campaign) => self.replace(campaign, time),
            }
        }
    }
}

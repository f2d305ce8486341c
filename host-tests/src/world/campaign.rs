//! A campaign: sub-operators, their templates and work, and the accounts that do it.
//!
//! What headers tell about its accounts comes from the generator that everybody's does; it only decides
//! what its accounts share (instruments, prefixes, days of signing up) and what they are used for.
mod crew;
mod knobs;
mod operator;

pub use knobs::{
    Age, CampaignSpec, Disguise, Family, Network, Quotas, Replacement, Schedule, Signup, System,
};

use super::catalogue::Catalogue;
use super::life::{Assignment, Job, geometric};
use super::population::{Newcomer, Population};
use super::run::CampaignFacts;
use super::schedule::{DAY, MINUTE};
use super::setting::{Setting, days, first_use_delay};
use super::turn::Text;
use crate::simulate::random::{Random, mix};
use crew::Recruiting;
use operator::Operator;
use weir_engine::time::Timestamp;

/// Mean exchanges of a real customer's conversation.
const CUSTOMER_TURNS: f64 = 2.4;

/// A campaign under way.
pub(super) struct Campaign {
    number: u8,
    spec: CampaignSpec,
    random: Random,
    seed: u64,
    start: u64,
    /// Accounts in use at a time.
    accounts: u32,
    /// Own exchanges of an account a day.
    per_day: f64,
    operators: Vec<Operator>,
    /// Programs of real customers, and of made-up ones.
    customers: Vec<u32>,
    /// Pieces of work handed out.
    work: u64,
    recruiting: Recruiting,
    /// Accounts that work in the burn-in, and how much faster than later.
    early: (u32, f64),
    vacancies: Vec<Job>,
}

impl Campaign {
    /// Draws its parameters. `early` is how many exchanges a day it makes during the burn-in.
    pub(super) fn new(
        number: u8,
        spec: &CampaignSpec,
        scale: f64,
        early: f64,
        setting: &mut Setting,
        random: &mut Random,
    ) -> Self {
        let between =
            |random: &mut Random, [from, to]: [f64; 2]| from + (to - from) * random.unit();
        let spread = 1.0 + spec.accounts_spread * (2.0 * random.unit() - 1.0);
        let accounts =
            ((f64::from(spec.accounts) * scale * spread).round() as u32).max(spec.accounts_least);
        let [least, most] = spec.per_day;
        let per_day = least * (most / least).powf(random.unit());
        let start = setting.burn_in_end + days(between(random, spec.start_day));
        let everything = per_day * (1.0 + spec.customers + spec.cover);
        let early_accounts = ((early / everything).ceil() as u32).min(accounts);
        let pace = if early_accounts > 0 {
            early / (f64::from(early_accounts) * everything)
        } else {
            1.0
        };
        let count = spec.operators.max(1) * spec.split.max(1);
        let operators = (0..count)
            .map(|index| Operator::new(spec, index, setting, random))
            .collect();
        let customers = (0..if spec.customers + spec.cover > 0.0 {
            accounts.max(20) * 2
        } else {
            0
        })
            .map(|_| super::population::chat_program(&mut setting.catalogue, random))
            .collect();
        Self {
            number,
            spec: spec.clone(),
            seed: random.next(),
            random: Random::new(random.next(), 0),
            start,
            accounts,
            per_day,
            operators,
            customers,
            work: 0,
            recruiting: Recruiting::new(spec, accounts),
            early: (early_accounts, pace),
            vacancies: Vec::new(),
        }
    }
    pub(super) fn facts(&self) -> CampaignFacts {
        CampaignFacts {
            name: self.spec.name.clone(),
            family: self.spec.family.name(),
            start: Timestamp::from_unix_nanos(self.start),
            accounts: self.accounts,
            per_day: self.per_day,
        }
    }
    /// About how many exchanges it makes, its customers' included.
    pub(super) fn expected(&self, setting: &Setting) -> f64 {
        let span = setting.end.saturating_sub(self.start) as f64 / DAY as f64;
        let full = (span - self.spec.ramp_days / 2.0).max(span / 2.0);
        f64::from(self.accounts)
            * self.per_day
            * (1.0 + self.spec.customers + self.spec.cover)
            * full
    }
    /// All accounts that it begins with, each with the time of its first exchange.
    pub(super) fn recruit(
        &mut self,
        setting: &mut Setting,
        population: &mut Population,
    ) -> Vec<Newcomer> {
        (0..self.accounts)
            .map(|index| {
                let share = f64::from(index) / f64::from(self.accounts);
                let split = (share * f64::from(self.spec.split.max(1))) as u32;
                let operator =
                    split * self.spec.operators.max(1) + index % self.spec.operators.max(1);
                let job = Job {
                    campaign: self.number,
                    operator: operator as u16,
                };
                let (created, first) = if index < self.early.0 {
                    // There before anybody looks.
                    let first = setting.start + days(self.random.unit());
                    (
                        first.saturating_sub(first_use_delay(&mut self.random)),
                        first,
                    )
                } else {
                    self.recruiting
                        .times(&self.spec, self.start, share, split, &mut self.random)
                };
                self.hire(job, created, first, setting, population)
            })
            .collect()
    }
    /// An account for this job.
    fn hire(
        &mut self,
        job: Job,
        created: u64,
        first: u64,
        setting: &mut Setting,
        population: &mut Population,
    ) -> Newcomer {
        let Some(operator) = self.operators.get(usize::from(job.operator)) else {
            return population.stranger(setting, created, first);
        };
        let mut newcomer = self.recruiting.account(
            &self.spec,
            job,
            operator,
            created,
            first,
            setting,
            &mut self.random,
        );
        let factor = match self.spec.quotas {
            Quotas::HeavyTailed { sigma } => {
                self.random.log_normal((-sigma * sigma / 2.0).exp(), sigma)
            }
            _ => 1.0,
        };
        newcomer.life.even = matches!(self.spec.quotas, Quotas::Even {});
        newcomer.life.rate = (self.sessions(operator) * factor) as f32;
        newcomer.person.kind = self.spec.family.name();
        newcomer.person.campaign = Some(self.number);
        newcomer
    }
    /// Sessions of an account a day.
    fn sessions(&self, operator: &Operator) -> f64 {
        let others = self.spec.customers + self.spec.cover;
        self.per_day * (1.0 / operator.turns_per_work() + others / CUSTOMER_TURNS)
    }
    /// What the next session of an account is about.
    pub(super) fn assign(
        &mut self,
        job: Job,
        catalogue: &Catalogue,
        random: &mut Random,
    ) -> Assignment {
        let Some(operator) = self.operators.get_mut(usize::from(job.operator)) else {
            return Assignment::none();
        };
        let own = 1.0 / operator.turns_per_work();
        let (customers, cover) = (
            self.spec.customers / CUSTOMER_TURNS,
            self.spec.cover / CUSTOMER_TURNS,
        );
        let which = random.unit() * (own + customers + cover);
        if which < own {
            let sample = self.work;
            // Repeats go to anybody: an old number is handed out again.
            let number = if random.chance(self.spec.repeats) {
                random.below(sample as usize + 1) as u64
            } else {
                self.work += 1;
                sample
            };
            let seed = mix(self.seed, number / u64::from(self.spec.samples.max(1)));
            return operator.work(seed, random);
        }
        let customer = self
            .customers
            .get(random.below(self.customers.len()))
            .copied()
            .unwrap_or_default();
        let program = catalogue.program(customer);
        let text: Text = program.words.text(random);
        Assignment {
            program: customer,
            text,
            turns: geometric(random, CUSTOMER_TURNS) as u16,
            tool_loop: if program.spec.tools.is_some() { 2 } else { 0 },
            scripted: false,
            customer: which < own + customers,
        }
    }
    /// The time of the next session where the campaign works at another pace, as it does in the burn-in.
    pub(super) fn paced(&self, now: u64, next: u64, setting: &Setting) -> u64 {
        if now < setting.burn_in_end && self.early.0 > 0 {
            now + 1 + ((next - now) as f64 / self.early.1.max(0.05)) as u64
        } else {
            next
        }
    }
    /// An account was lost; returns when there may be a replacement.
    pub(super) fn lost(&mut self, job: Job, now: u64) -> u64 {
        let minutes = self.spec.replacement.minutes;
        if minutes > 0.0 {
            self.vacancies.push(job);
        }
        now + (minutes * (0.2 + 0.8 * self.random.unit()) * MINUTE as f64) as u64
    }
    /// The account that fills the oldest vacancy.
    pub(super) fn replacement(
        &mut self,
        now: u64,
        setting: &mut Setting,
        population: &mut Population,
    ) -> Option<Newcomer> {
        if self.vacancies.is_empty() {
            return None;
        }
        let job = self.vacancies.remove(0);
        if self.random.chance(self.spec.replacement.change_template)
            && let Some(operator) = self.operators.get_mut(usize::from(job.operator))
        {
            operator.change(&self.spec, setting, &mut self.random);
        }
        let created = self.recruiting.ready(&self.spec, now, &mut self.random);
        Some(self.hire(job, created, now, setting, population))
    }
}

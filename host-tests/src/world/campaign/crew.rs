//! Where a campaign's accounts come from: when they sign up, what they share, from where they work.
use super::knobs::{Age, CampaignSpec, Network, Signup};
use super::operator::Operator;
use crate::simulate::random::Random;
use crate::world::life::{Job, Life, Rhythm};
use crate::world::network::{Access, Place};
use crate::world::population::Newcomer;
use crate::world::schedule::{MINUTE, region};
use crate::world::setting::{Setting, days, first_use_delay};

/// What is handed out to some accounts before the next one is drawn.
#[derive(Clone, Copy)]
struct Handout<T> {
    current: Option<T>,
    left: u32,
}

impl<T: Copy> Handout<T> {
    const fn nothing() -> Self {
        Self {
            current: None,
            left: 0,
        }
    }
    fn next(
        &mut self,
        [from, to]: [u32; 2],
        random: &mut Random,
        draw: impl Fn(&mut Random) -> T,
    ) -> T {
        match self.current {
            Some(current) if self.left > 0 => {
                self.left -= 1;
                current
            }
            _ => {
                let drawn = draw(random);
                self.current = Some(drawn);
                self.left = (from + random.below((to.saturating_sub(from) + 1) as usize) as u32)
                    .saturating_sub(1);
                drawn
            }
        }
    }
}

/// How a campaign gets its accounts.
pub(super) struct Recruiting {
    /// Per split: what its accounts share at the moment.
    instruments: Vec<Handout<u64>>,
    places: Vec<Handout<Place>>,
    /// Per split: where its bursts of sign-ups are, in days after its beginning.
    bursts: Vec<Vec<f64>>,
    /// Accounts that are kept ready.
    warm: u32,
}

impl Recruiting {
    pub(super) fn new(spec: &CampaignSpec, accounts: u32) -> Self {
        let splits = spec.split.max(1) as usize;
        Self {
            instruments: vec![Handout::nothing(); splits],
            places: vec![Handout::nothing(); splits],
            bursts: vec![Vec::new(); splits],
            warm: (f64::from(accounts) * spec.replacement.warm) as u32,
        }
    }
    /// When an account signs up and when it is first used. `share`: how many come before it.
    pub(super) fn times(
        &mut self,
        spec: &CampaignSpec,
        from: u64,
        share: f64,
        split: u32,
        random: &mut Random,
    ) -> (u64, u64) {
        let offset = match spec.signup {
            Signup::Burst { count, hours } => {
                let bursts = self.bursts.get_mut(split as usize);
                let begins = bursts.map_or(0.0, |bursts| {
                    while bursts.len() < count.max(1) as usize {
                        let gap = if bursts.is_empty() {
                            0.0
                        } else {
                            0.5 + 3.5 * random.unit()
                        };
                        bursts.push(bursts.last().copied().unwrap_or(0.0) + gap);
                    }
                    bursts
                        .get(random.below(bursts.len()))
                        .copied()
                        .unwrap_or(0.0)
                });
                begins + hours / 24.0 * random.unit()
            }
            Signup::Trickle { days } => days * random.unit(),
        };
        // On a ramp the sign-ups follow it.
        let offset = if spec.ramp_days > 0.0 {
            spec.ramp_days * share + 0.5 * random.unit()
        } else {
            offset
        };
        let signed_up = from + days(offset);
        match spec.age {
            Age::Fresh {} => (signed_up, signed_up + first_use_delay(random)),
            Age::Aged { days: mean } => {
                let age = mean * (0.7 + 0.6 * random.unit());
                (signed_up.saturating_sub(days(age)), signed_up)
            }
            Age::Bought {} | Age::Stolen {} => {
                let age = 20.0 + random.exponential(250.0).min(1_800.0);
                (signed_up.saturating_sub(days(age)), signed_up)
            }
        }
    }
    /// When the account that takes over at `now` signed up.
    pub(super) fn ready(&mut self, spec: &CampaignSpec, now: u64, random: &mut Random) -> u64 {
        match spec.age {
            Age::Fresh {} if self.warm > 0 => {
                self.warm -= 1;
                now.saturating_sub(days(0.5 + 9.5 * random.unit()))
            }
            Age::Fresh {} => now.saturating_sub((1.0 + 30.0 * random.unit()) as u64 * MINUTE),
            Age::Aged { days: mean } => {
                now.saturating_sub(days(mean * (0.7 + 0.6 * random.unit())))
            }
            Age::Bought {} | Age::Stolen {} => {
                now.saturating_sub(days(20.0 + random.exponential(250.0)))
            }
        }
    }
    /// An account as anybody's, with what the campaign's accounts share.
    #[expect(clippy::too_many_arguments, reason = "all that an account depends on")]
    pub(super) fn account(
        &mut self,
        spec: &CampaignSpec,
        job: Job,
        operator: &Operator,
        created: u64,
        first: u64,
        setting: &mut Setting,
        random: &mut Random,
    ) -> Newcomer {
        let split = usize::from(job.operator) / spec.operators.max(1) as usize;
        let place = match (spec.network, self.places.get_mut(split)) {
            (Network::Shared { from, to }, Some(places)) => {
                // Drawn as anybody's and then stayed at, so that the network itself tells nothing.
                let mut place = places.next([from, to], random, Place::draw);
                place.access = Access::Office;
                place.host = random.next() as u32;
                place
            }
            (Network::Residential {}, _) => {
                let mut place = Place::draw(random);
                place.access = Access::Proxy;
                place
            }
            _ => Place::draw(random),
        };
        let young = matches!(spec.age, Age::Fresh {});
        let version = setting.version(first, operator.image(random));
        let mut person = setting
            .envelopes
            .person(random, created, young, version, &place, "custom");
        // Nobody invites them into an organization.
        person.organization = random.next();
        let [from, to] = spec.accounts_per_instrument;
        if to > 0
            && let Some(instruments) = self.instruments.get_mut(split)
        {
            person.payment = person
                .payment
                .map(|_| instruments.next([from, to], random, |random| random.next()));
        }
        let region = region(random);
        let calendar = operator.calendar(spec.schedule, region);
        let mut life = Life::new(
            Random::new(random.next(), 0),
            place,
            Rhythm::Stream,
            calendar,
        );
        life.next = first;
        life.job = Some(job);
        life.model = Setting::model(random);
        life.pivot = setting.pivot(random, spec.pivot);
        Newcomer {
            person,
            life,
            takes_over: matches!(spec.age, Age::Stolen {}),
        }
    }
}

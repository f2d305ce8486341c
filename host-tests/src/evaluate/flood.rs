//! An eviction attack: so many accounts with one request each that the detector has to forget somebody.
//!
//! On the last day of a world the flood comes on top of everything else. Whoever was watched or worse when
//! it began must still be remembered when it is over, and be watched as closely, unless a detector that was
//! spared the flood lets go as well; and no table may grow.
use super::Exchanges;
use super::simulated::Simulated;
use crate::simulate::random::mix;
use crate::world::{Corpora, WorldScenario};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use weir_engine::detect::feed::SPAN;
use weir_engine::detect::{Detector, Observation, Plan, Profile, Settings, State, Verification};
use weir_engine::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// Where the flood's numbers come from.
const SEED: u64 = 0x0066_6c6f_6f64;
/// Networks that the flood comes from.
const NETWORKS: u64 = 1 << 16;

/// What is flooded.
pub struct Flooding<'a> {
    /// The world; its last day is flooded.
    pub scenario: &'a WorldScenario,
    /// Its prompts, as far as somebody else wrote them.
    pub corpora: &'a Corpora,
    /// The detector's weights.
    pub profile: &'a Profile,
    /// The detector's settings.
    pub settings: &'a Settings,
    /// Accounts of the flood.
    pub accounts: u64,
}

/// What the flood came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flood {
    /// The world's seed.
    pub seed: u64,
    /// Accounts of the flood, one exchange each, within a day.
    pub accounts: u64,
    /// Accounts that the detector has room for.
    pub room: u64,
    /// Accounts in `watch` or worse when it began, by state.
    pub before: Vec<(&'static str, u64)>,
    /// The same accounts by state when it was over.
    pub after: Vec<(&'static str, u64)>,
    /// Accounts among them that were forgotten, or are in a milder state than when it began, though a detector
    /// without the flood remembers them, and in no milder one; wanted: 0.
    pub lost: u64,
    /// Accounts among them that would be in a graver state without the flood: it blurs what others have in common.
    pub milder: u64,
    /// Accounts that ended restricted in the detector that was spared, and in the one that was not.
    pub restricted: [u64; 2],
    /// Bytes of the detector's tables when it began, and when it was over.
    pub memory: [u64; 2],
    /// Accounts that were forgotten.
    pub evicted: u64,
    /// Wall nanoseconds an exchange of the flooded day, passes included.
    pub ns: f64,
}

impl Flood {
    /// Whether nobody was lost, there was somebody to lose, and no table grew by more than a hundredth.
    pub fn holds(&self) -> bool {
        let [memory, then] = self.memory;
        let somebody = self.before.iter().any(|(_, accounts)| *accounts > 0);
        self.lost == 0 && somebody && then <= memory + memory / 100
    }
}

impl Flooding<'_> {
    /// Floods the world of `seed`. Takes two detectors' time and a fraction of a second for each million accounts.
    pub fn run(&self, seed: u64) -> Flood {
        let mut world = Simulated::new(self.scenario, seed, self.corpora.clone());
        let end = world.window().end;
        let begin =
            Timestamp::from_unix_nanos(end.as_unix_nanos().saturating_sub(DAY.as_nanos() as u64));
        let new = || Judged::new(Detector::new(self.profile.clone(), self.settings.clone()));
        let (mut spared, mut flooded) = (new(), new());
        let mut flood = Drops {
            begin,
            accounts: self.accounts,
            next: 0,
        };
        let mut observation = Observation::default();
        let mut before = None;
        let (mut took, mut drops) = (Duration::ZERO, 0_u64);
        while world.next(&mut observation).is_some() {
            spared.observe(&observation);
            if observation.time < begin {
                flooded.observe(&observation);
                continue;
            }
            before.get_or_insert_with(|| {
                flooded.advance(begin);
                (flooded.watched(), flooded.detector.memory_bytes())
            });
            let clock = Instant::now();
            while let Some(drop) = flood.until(observation.time) {
                flooded.observe(&drop);
                drops += 1;
            }
            flooded.observe(&observation);
            drops += 1;
            took += clock.elapsed();
        }
        while let Some(drop) = flood.until(end) {
            flooded.observe(&drop);
        }
        spared.advance(end);
        flooded.advance(end);
        let (before, memory) = before.unwrap_or_default();
        let of = |judged: &Judged, account: &u64| judged.detector.standing(*account).state;
        let after = before
            .keys()
            .map(|account| (*account, of(&flooded, account)));
        let after: BTreeMap<u64, State> = after.collect();
        let forgets = |judged: &Judged, account: &u64| judged.detector.measures(*account).is_none();
        let lost = before.iter().filter(|(account, then)| {
            let milder = of(&flooded, account) < (**then).min(of(&spared, account));
            milder || (forgets(&flooded, account) && !forgets(&spared, account))
        });
        let milder = after
            .iter()
            .filter(|(account, state)| **state < of(&spared, account));
        Flood {
            seed,
            accounts: flood.next,
            room: self.settings.max_accounts as u64,
            lost: lost.count() as u64,
            milder: milder.count() as u64,
            before: by_state(&before),
            after: by_state(&after),
            restricted: [&spared, &flooded].map(|judged| {
                let states = judged.states.values();
                states.filter(|state| **state >= State::Restrict).count() as u64
            }),
            memory: [memory as u64, flooded.detector.memory_bytes() as u64],
            evicted: flooded.detector.accounts().1,
            ns: took.as_nanos() as f64 / drops.max(1) as f64,
        }
    }
}

/// A detector and the states that it told.
struct Judged {
    detector: Detector,
    states: BTreeMap<u64, State>,
    span: u64,
}

impl Judged {
    const fn new(detector: Detector) -> Self {
        Self {
            detector,
            states: BTreeMap::new(),
            span: 0,
        }
    }

    fn observe(&mut self, observation: &Observation) {
        let span = observation.time.as_unix_seconds() / SPAN.as_secs();
        if span != self.span {
            self.span = span;
            self.advance(observation.time);
        }
        self.detector.observe(observation);
    }

    fn advance(&mut self, now: Timestamp) {
        while !self.detector.advance(now, usize::MAX) {}
        let mut changed = Vec::new();
        self.detector.take_changed(&mut changed, usize::MAX);
        for (account, standing) in changed {
            self.states.insert(account, standing.state);
        }
    }

    /// Accounts in `watch` or worse.
    fn watched(&self) -> BTreeMap<u64, State> {
        let states = self.states.iter();
        let watched = states.filter(|(_, state)| **state > State::Observe);
        watched.map(|(account, state)| (*account, *state)).collect()
    }
}

fn by_state(accounts: &BTreeMap<u64, State>) -> Vec<(&'static str, u64)> {
    let of = |state| accounts.values().filter(|other| **other == state).count() as u64;
    State::ALL.map(|state| (state.name(), of(state))).to_vec()
}

/// The flood: new accounts at even distances over a day, each with a text of its own.
struct Drops {
    begin: Timestamp,
    accounts: u64,
    next: u64,
}

impl Drops {
    /// The next one, if it comes before `time`.
    fn until(&mut self, time: Timestamp) -> Option<Observation> {
        if self.next >= self.accounts {
            return None;
        }
        let into = DAY.as_nanos() * u128::from(self.next) / u128::from(self.accounts.max(1));
        let at = self.begin.saturating_add(Duration::from_nanos(into as u64));
        (at < time).then(|| {
            self.next += 1;
            drop_of(self.next, at)
        })
    }
}

/// What a stranger's only request looks like: new, free, from anywhere, about anything.
fn drop_of(number: u64, time: Timestamp) -> Observation {
    let draw = |part: u64| mix(mix(SEED, number), part);
    let mut observation = Observation {
        time,
        account: draw(0).max(1),
        organization: draw(1),
        created: Some(time),
        verification: Verification::Email,
        plan: Plan::Free,
        network: (draw(2) % NETWORKS + 1) as u32,
        asn: (draw(3) % 64 + 1) as u32,
        client: (draw(4) % 64 + 1) as u32,
        shape: (draw(5) % 256 + 1) as u32,
        model: 1,
        user_turns: 1,
        input_tokens: 100,
        output_tokens: 100,
        ..Observation::default()
    };
    let user = &mut observation.prompt.user;
    user.exact = draw(6);
    for (part, shingle) in (7..).zip(&mut user.shingles) {
        *shingle = draw(part) as u32;
    }
    user.len = user.shingles.len() as u8;
    observation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_shot_accounts_loses_nobody_who_is_watched_and_takes_no_memory() {
        let mut scenario = WorldScenario::load("village").unwrap();
        (scenario.accounts, scenario.exchanges_per_day) = (400, 6_000.0);
        (scenario.burn_in_days, scenario.days) = (3, 5);
        let settings = Settings {
            max_accounts: 1 << 11,
            learn: Duration::from_secs(2 * 86_400),
            ..Settings::default()
        };
        let flooding = Flooding {
            scenario: &scenario,
            corpora: &Corpora::default(),
            profile: &Profile::shipped(),
            settings: &settings,
            accounts: 200_000,
        };

        let flood = flooding.run(1);

        assert!(flood.holds(), "{flood:?}");
        assert_eq!(flood.accounts, 200_000);
        assert!(flood.evicted > 190_000, "{flood:?}");
        let restricted = flood.before.iter().find(|(state, _)| *state == "restrict");
        assert!(
            restricted.is_some_and(|(_, accounts)| *accounts > 20),
            "{flood:?}"
        );
    }
}

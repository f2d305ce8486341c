//! The simulated world as exchanges: turns from the world, observations by the fast path.
use super::{Campaign, Exchanges, Lane, Setup, Window, ablations, truth};
use crate::world::{Corpora, Observer, Person, Sampling, Turn, World, WorldScenario};
use std::time::Duration;
use weir_engine::detect::{Detector, Observation, Profile, Settings};
use weir_engine::hash::HashKey;

const DAY_S: u64 = 86_400;

/// A world of one seed, put into observations.
pub struct Simulated {
    world: World,
    observer: Observer,
    campaigns: Vec<Campaign>,
    window: Window,
    sampling: Sampling,
}

impl Simulated {
    /// The world of `scenario` and `seed`; prompts come from `corpora` as far as it has them.
    pub fn new(scenario: &WorldScenario, seed: u64, corpora: Corpora) -> Self {
        let world = World::new(scenario, seed);
        let begin = world.start();
        let days = Duration::from_secs(DAY_S * u64::from(world.days()));
        let window = Window {
            begin,
            scored: world.burn_in_end(),
            end: begin.saturating_add(days),
        };
        Self {
            campaigns: scenario.campaigns.iter().map(truth::campaign).collect(),
            observer: Observer::new(seed, HashKey::new(key(seed)), corpora),
            window,
            world,
            sampling: Sampling::ALL,
        }
    }

    /// Only the turns of a sample.
    #[must_use]
    pub fn sampled(self, sampling: Sampling) -> Self {
        Self { sampling, ..self }
    }
}

/// The key that identities are hashed with; every deployment has its own, so every seed has.
pub(super) fn key(seed: u64) -> [u8; 16] {
    let mut bytes = [0x5a; 16];
    for (slot, byte) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *slot ^= byte;
    }
    bytes
}

impl Exchanges for Simulated {
    fn next(&mut self, observation: &mut Observation) -> Option<Turn> {
        let mut turn = self.world.next()?;
        while !self.sampling.takes(&turn, self.world.person(turn.account)) {
            turn = self.world.next()?;
        }
        let person = self.world.person(turn.account);
        let spec = self.world.program(turn.program);
        *observation = self.observer.observation(&turn, person, spec);
        Some(turn)
    }
    fn person(&self, account: u32) -> Option<&Person> {
        Some(self.world.person(account))
    }
    fn refused(&mut self, turn: &Turn) {
        self.world.refused(turn);
    }
    fn window(&self) -> Window {
        self.window
    }
    fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }
}

/// Simulated worlds judged by the detector.
pub struct SimulatedSetup {
    /// The scenario; its contamination is replaced by the plan's.
    pub scenario: WorldScenario,
    /// The detector's weights.
    pub profile: Profile,
    /// The detector's settings.
    pub settings: Settings,
    /// Whether ablations run.
    pub ablations: bool,
    /// Prompts that somebody else wrote.
    pub corpora: Corpora,
}

impl Setup for SimulatedSetup {
    type World = Simulated;

    fn world(&self, seed: u64, contamination: f64) -> Simulated {
        let scenario = WorldScenario {
            contamination,
            ..self.scenario.clone()
        };
        Simulated::new(&scenario, seed, self.corpora.clone())
    }

    fn lanes(&self, extras: bool) -> Vec<Lane> {
        let lane = |name: &str, profile: Profile| Lane {
            name: name.to_owned(),
            judge: Box::new(Detector::new(profile, self.settings.clone())),
        };
        let mut lanes = vec![lane("weir", self.profile.clone())];
        if extras && self.ablations {
            lanes.extend(
                ablations(&self.profile)
                    .into_iter()
                    .map(|(name, profile)| lane(name, profile)),
            );
        }
        lanes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{Loop, run};

    #[test]
    fn a_small_world_runs_through_the_detector_and_every_exchange_is_somebodys() {
        let mut scenario = WorldScenario::load("village").unwrap();
        scenario.accounts = 300;
        scenario.exchanges_per_day = 3000.0;
        let setup = SimulatedSetup {
            scenario,
            profile: Profile::shipped(),
            settings: Settings::default(),
            ablations: false,
            corpora: Corpora::default(),
        };

        let result = run(
            &mut setup.world(1, 0.0),
            setup.lanes(true),
            None,
            Loop::Open,
            |_| {},
        );

        let (_, score) = &result.lanes[0];
        let campaign = &score.campaigns[0];
        assert_eq!(result.lanes.len(), 1);
        assert!(score.organic.accounts > 100);
        assert!(campaign.accounts >= 80, "{}", campaign.accounts);
        assert_eq!(
            campaign.attack + campaign.customers + score.organic.requests,
            score.exchanges
        );
        assert_eq!(score.days.len(), 10);
    }
}

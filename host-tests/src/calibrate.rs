//! Refits the detector's profile on simulated worlds: weights of own evidence, of groups, and the
//! dispersion of benign groups.
//!
//! Three rounds over the same seeds, because each needs what the one before found: the weights of an
//! account's own evidence and the dispersion of benign groups; then the weights of groups, which count
//! members flagged by their own evidence; then the boundary, from what benign groups reach in worlds
//! of the same kind. Signs are held: a measure may only say what there is a reason for, and what an
//! operator of a campaign sets freely (volume, answer length, turns) says nothing by its level. The prior,
//! the drift and the caps stay as they are, and the boundary only rises.
pub mod fit;
pub mod thresholds;

use crate::evaluate::in_parallel;
use crate::world::{Corpora, Observer, World, WorldScenario};
use fit::{Fit, Sample, Sign, fit};
use std::time::Duration;
use weir_engine::detect::{Detector, Profile, Settings};
use weir_engine::hash::HashKey;

/// Hours between two surveys: coprime to 24, so that they come at every time of day.
const SURVEY_HOURS: u64 = 19;
/// One in so many benign accounts enters a survey; campaigns' accounts all do.
const BENIGN_SAMPLE: u64 = 8;
/// Share of campaign members from which a group counts as an attack, and below which as benign.
const ATTACK_SHARE: f64 = 0.5;
const BENIGN_SHARE: f64 = 0.05;
const OWN_RIDGE: f64 = 0.01;
const GROUP_RIDGE: f64 = 0.003;
/// How far the boundary stays above what benign groups reached.
const MARGIN: f32 = 1.25;

/// What an account's measures may say, in the order of the profile's weights.
const OWN_SIGNS: [Sign; 15] = [
    Sign::Negative, // age
    Sign::Nothing,  // volume
    Sign::Negative, // rhythm
    Sign::Positive, // sleepless
    Sign::Nothing,  // single turn
    Sign::Positive, // targets
    Sign::Positive, // elicitation
    Sign::Negative, // shared text
    Sign::Negative, // gaps
    Sign::Positive, // moves
    Sign::Positive, // payment
    Sign::Positive, // network
    Sign::Nothing,  // output
    Sign::Positive, // template
    Sign::Positive, // shape
];

/// What is calibrated on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The world.
    pub scenario: WorldScenario,
    /// Its seeds: development seeds, never those that results are reported on.
    pub seeds: Vec<u64>,
    /// Threads.
    pub jobs: usize,
    /// Detector settings.
    pub settings: Settings,
}

#[derive(Default)]
struct Gathered {
    own: Vec<Sample>,
    groups: Vec<Sample>,
    members: Vec<f64>,
    /// Largest sums of evidence that benign groups reached.
    peak: f32,
}

/// How well the refitted weights tell the classes apart on what they were fitted to.
#[derive(Clone, Debug)]
pub struct Refit {
    /// The new profile.
    pub profile: Profile,
    /// Accounts and groups it was fitted to: (attack, benign).
    pub accounts: (usize, usize),
    /// The same for groups.
    pub groups: (usize, usize),
    /// Largest sum of evidence that a benign group reached.
    pub benign_peak: f32,
}

/// Refits `base`. `progress` is told of every exchange, in thousands, over all three rounds.
pub fn calibrate(
    plan: &Plan,
    base: &Profile,
    version: &str,
    progress: &(impl Fn(u64) + Sync),
) -> Refit {
    let mut profile = base.clone();
    profile.version = version.to_owned();
    let first = gather(plan, &profile, progress);
    let accounts = classes(&first.own);
    let start = Fit {
        bias: profile.own_bias,
        weights: profile.own.to_vec(),
    };
    let own = fit(&first.own, &start, &OWN_SIGNS, OWN_RIDGE);
    profile.own_bias = own.bias;
    profile.own.copy_from_slice(&own.weights);
    disperse(&mut profile, &first);
    let second = gather(plan, &profile, progress);
    let groups = classes(&second.groups);
    let start = Fit {
        bias: profile.group_bias,
        weights: profile.group.to_vec(),
    };
    let found = fit(&second.groups, &start, &group_signs(), GROUP_RIDGE);
    profile.group_bias = found.bias;
    profile.group.copy_from_slice(&found.weights);
    let third = gather(plan, &profile, progress);
    profile.boundary = base.boundary.max(third.peak * MARGIN);
    Refit {
        profile,
        accounts,
        groups,
        benign_peak: third.peak,
    }
}

fn classes(samples: &[Sample]) -> (usize, usize) {
    let attack = samples.iter().filter(|sample| sample.attack).count();
    (attack, samples.len() - attack)
}

/// Signs of a group's features: shifts as for accounts, being alike only ever suspicious, then burst, side life, flags, trust.
fn group_signs() -> Vec<Sign> {
    let mut signs = OWN_SIGNS.to_vec();
    // Being alike where hardly anybody differs from anybody says nothing.
    let alike = [1, 2, 3, 4, 5, 8, 12];
    signs.extend((0..OWN_SIGNS.len()).map(|index| {
        if alike.contains(&index) {
            Sign::Positive
        } else {
            Sign::Nothing
        }
    }));
    signs.extend([
        Sign::Positive,
        Sign::Positive,
        Sign::Positive,
        Sign::Negative,
    ]);
    signs
}

/// Variance of benign groups' means beyond chance (method of moments).
fn disperse(profile: &mut Profile, gathered: &Gathered) {
    let benign = || {
        let pairs = gathered.groups.iter().zip(&gathered.members);
        pairs.filter(|(sample, _)| !sample.attack)
    };
    let count = benign().count().max(1) as f64;
    for (index, dispersion) in profile.dispersion.iter_mut().enumerate() {
        let before = f64::from(*dispersion);
        let excess: f64 = benign()
            .map(|(sample, members)| {
                let shift = f64::from(sample.features.get(index).copied().unwrap_or_default());
                shift * shift * (1.0 / members + before) - 1.0 / members
            })
            .sum();
        *dispersion = (excess / count).clamp(0.02, 1.0) as f32;
    }
}

fn gather(plan: &Plan, profile: &Profile, progress: &(impl Fn(u64) + Sync)) -> Gathered {
    let parts = in_parallel(&plan.seeds, plan.jobs, |seed| {
        survey(plan, *seed, profile, progress)
    });
    let mut all = Gathered::default();
    for part in parts {
        all.own.extend(part.own);
        all.groups.extend(part.groups);
        all.members.extend(part.members);
        all.peak = all.peak.max(part.peak);
    }
    all
}

/// Runs one world and looks at it now and then.
fn survey(plan: &Plan, seed: u64, profile: &Profile, progress: &impl Fn(u64)) -> Gathered {
    let mut world = World::new(&plan.scenario, seed);
    let mut observer = Observer::new(seed, HashKey::new([seed as u8; 16]), Corpora::default());
    let mut detector = Detector::new(profile.clone(), plan.settings.clone());
    let mut gathered = Gathered::default();
    let mut ids: Vec<u64> = Vec::new();
    let burnt_in = world.burn_in_end();
    let mut due = burnt_in;
    let mut untold = 0;
    while let Some(turn) = world.next() {
        let person = world.person(turn.account);
        let attack = person.campaign.is_some();
        let observation = observer.observation(&turn, person, world.program(turn.program));
        while !detector.advance(turn.time, usize::MAX) {}
        let account = turn.account as usize;
        if ids.len() <= account {
            ids.resize(account + 1, 0);
        }
        if let Some(id) = ids.get_mut(account).filter(|id| **id == 0) {
            *id = observation.account;
            if attack {
                detector.mark(observation.account);
            }
        }
        detector.observe(&observation);
        if turn.time >= due {
            look(
                &detector,
                &world,
                &ids,
                turn.time >= burnt_in.saturating_add(Duration::from_secs(2 * 86_400)),
                &mut gathered,
            );
            due = due.saturating_add(Duration::from_secs(SURVEY_HOURS * 3600));
        }
        untold += 1;
        if untold == 1_000 {
            progress(untold);
            untold = 0;
        }
    }
    gathered
}

fn look(detector: &Detector, world: &World, ids: &[u64], settled: bool, gathered: &mut Gathered) {
    for (account, id) in ids.iter().enumerate().filter(|(_, id)| **id != 0) {
        let Ok(account) = u32::try_from(account) else {
            return;
        };
        let attack = world.person(account).campaign.is_some();
        if !attack && id % BENIGN_SAMPLE != 0 {
            continue;
        }
        if let Some(measures) = detector.measures(*id) {
            let features = measures
                .iter()
                .map(|value| if value.is_nan() { 0.0 } else { *value })
                .collect();
            gathered.own.push(Sample {
                features,
                attack,
                weight: 1.0,
            });
        }
    }
    for group in detector.survey() {
        let attack = group.marked >= ATTACK_SHARE;
        // Only groups that can be the first key; origins never are.
        let first_key = ["text", "shape", "tools"]
            .iter()
            .any(|kind| group.kind.starts_with(kind));
        if group.marked < BENIGN_SHARE && first_key {
            gathered.peak = gathered.peak.max(group.sum);
        }
        if attack || (group.marked < BENIGN_SHARE && settled) {
            gathered.groups.push(Sample {
                features: group.features.to_vec(),
                attack,
                weight: 1.0,
            });
            gathered.members.push(group.members);
        }
    }
}

//! The leak probe: no single field of the envelope tells campaigns from people.
//!
//! For each field the best depth-1 tree (threshold or single value) is learned on some seeds and
//! scored on others, per account, on what its first exchange showed. All six families take part.
//!
//! The date of signing up cannot pass over all accounts: fresh campaign accounts are new, and most
//! organic ones are old. What must not tell is how long after signing up an account is first used,
//! among those first seen after the burn-in, since new users exist on both sides.
use super::{Seen, seen};
use crate::simulate::random::mix;
use crate::world::{CampaignSpec, World, WorldScenario};
use std::collections::BTreeMap;

const TRAIN: std::ops::Range<u64> = 100..105;
const TEST: std::ops::Range<u64> = 200..205;
const LIMIT: f64 = 0.6;

/// A field: its name, its value, and whether it is defined for this account.
type Field = (String, fn(&Seen, u32) -> u64, u32);

fn fields() -> Vec<Field> {
    let mut fields: Vec<Field> = vec![
        (
            "verification".into(),
            |seen, _| word(seen.person.verification.unwrap_or("")),
            0,
        ),
        ("plan".into(), |seen, _| word(seen.person.plan), 0),
        (
            "payment is there".into(),
            |seen, _| u64::from(seen.person.payment.is_some()),
            0,
        ),
        ("asn".into(), |seen, _| u64::from(seen.person.asn), 0),
        (
            "client version".into(),
            |seen, _| u64::from(seen.person.client_version),
            0,
        ),
        (
            "first model".into(),
            |seen, _| u64::from(seen.first.model),
            0,
        ),
        ("address".into(), |seen, _| seen.first.address >> 48, 0),
    ];
    for bit in 0..16 {
        fields.push((
            format!("payment bit {bit}"),
            |seen, bit| seen.person.payment.map_or(2, |seed| seed >> bit & 1),
            bit,
        ));
        fields.push((
            format!("id bit {bit}"),
            |seen, bit| seen.person.id >> bit & 1,
            bit,
        ));
        fields.push((
            format!("organization bit {bit}"),
            |seen, bit| seen.person.organization >> bit & 1,
            bit,
        ));
        fields.push((
            format!("shape bit {bit}"),
            |seen, bit| mix(seen.shape, 9) >> bit & 1,
            bit,
        ));
        fields.push((
            format!("prefix bit {bit}"),
            |seen, bit| seen.first.address >> (bit + 32) & 1,
            bit,
        ));
        fields.push((
            format!("host bit {bit}"),
            |seen, bit| seen.first.address >> bit & 1,
            bit,
        ));
    }
    fields
}

fn word(text: &str) -> u64 {
    text.bytes()
        .fold(text.len() as u64, |hash, byte| mix(hash, u64::from(byte)))
}

/// One side of a depth-1 tree.
#[derive(Clone, Copy, Debug)]
enum Split {
    Below(u64),
    Is(u64),
}

impl Split {
    fn holds(self, value: u64) -> bool {
        match self {
            Self::Below(limit) => value <= limit,
            Self::Is(only) => value == only,
        }
    }
}

/// How much more often it holds for campaigns than for people, -1 to 1.
fn gain(split: Split, values: &[(u64, bool)]) -> f64 {
    let share = |class: bool| {
        let of: Vec<_> = values
            .iter()
            .filter(|(_, campaign)| *campaign == class)
            .collect();
        of.iter().filter(|(value, _)| split.holds(*value)).count() as f64 / of.len() as f64
    };
    share(true) - share(false)
}

/// AUC on `test` of the best depth-1 tree on `train`.
fn auc(train: &[(u64, bool)], test: &[(u64, bool)]) -> f64 {
    let counts = |class: bool| {
        train
            .iter()
            .filter(|(_, campaign)| *campaign == class)
            .count() as f64
    };
    let (campaigns, people) = (counts(true), counts(false));
    let mut by_value = BTreeMap::<u64, f64>::new();
    for (value, campaign) in train {
        *by_value.entry(*value).or_default() += if *campaign {
            1.0 / campaigns
        } else {
            -1.0 / people
        };
    }
    let mut below = 0.0;
    let splits = by_value.iter().flat_map(|(value, excess)| {
        below += excess;
        [(Split::Is(*value), *excess), (Split::Below(*value), below)]
    });
    let (best, sign) = splits
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        .map_or((Split::Below(0), 0.0), |(split, gain)| {
            (split, gain.signum())
        });
    0.5 + 0.5 * sign * gain(best, test)
}

/// All six families in a smaller world.
fn worlds(seeds: std::ops::Range<u64>) -> Vec<Seen> {
    let mut scenario = WorldScenario::load("families").unwrap();
    scenario.scale = 0.15;
    scenario.days = 36;
    // Strata have least sizes; at their share of the full world they would be as many as people.
    scenario.hard_negatives = 0.0;
    for campaign in &mut scenario.campaigns {
        *campaign = CampaignSpec {
            accounts: 250,
            ..campaign.clone()
        };
    }
    seeds
        .flat_map(|seed| seen(&mut World::new(&scenario, seed)).0)
        .collect()
}

#[test]
fn no_single_field_of_the_envelope_separates_the_classes() {
    let (train, test) = (worlds(TRAIN), worlds(TEST));
    let of = |all: &[Seen], value: fn(&Seen, u32) -> u64, bit, only: fn(&Seen) -> bool| -> Vec<_> {
        all.iter()
            .filter(|seen| only(seen))
            .map(|seen| (value(seen, bit), seen.person.campaign.is_some()))
            .collect()
    };
    let mut found: Vec<(f64, String)> = fields()
        .into_iter()
        .map(|(name, value, bit)| {
            (
                auc(
                    &of(&train, value, bit, |_| true),
                    &of(&test, value, bit, |_| true),
                ),
                name,
            )
        })
        .collect();
    let age: fn(&Seen, u32) -> u64 = |seen, _| {
        seen.first
            .time
            .saturating_since(seen.person.created)
            .as_secs()
    };
    let late: fn(&Seen) -> bool = |seen| seen.after_burn_in;
    found.push((
        auc(&of(&train, age, 0, late), &of(&test, age, 0, late)),
        "age at first use".into(),
    ));
    let everybody = auc(&of(&train, age, 0, |_| true), &of(&test, age, 0, |_| true));
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!(
        "age at first use, everybody: {everybody:.3}; the most telling: {:.3?}",
        &found[..12]
    );

    for (auc, name) in found {
        assert!(auc < LIMIT, "{name}: {auc:.3}");
    }
}

#[test]
fn the_probe_finds_a_field_that_does_tell() {
    let told: Vec<_> = (0..1_000)
        .map(|number| (number % 10, number % 10 < 3))
        .collect();
    let not: Vec<_> = (0..1_000)
        .map(|number| (number % 10, number % 20 < 10))
        .collect();

    assert!(auc(&told, &told) > 0.99);
    assert!((auc(&not, &not) - 0.5).abs() < 0.01);
}

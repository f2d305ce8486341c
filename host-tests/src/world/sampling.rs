//! Which accounts of a world take part where a whole world is too much.
use super::person::Person;
use super::turn::Turn;
use crate::simulate::random::mix;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Decides who is drawn; apart from all other randomness.
const DRAW: u64 = 0x7361_6d70_6c65;

/// One in so many organic accounts, and every account that a campaign uses at the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling(NonZeroU32);

/// Not a share of the form `1/N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 1/N, N at least 1")]
pub struct NotASampling;

impl Sampling {
    /// Everybody.
    pub const ALL: Self = Self(NonZeroU32::MIN);

    /// Whether the turn is taken. The same turns for the same world, whoever asks.
    pub fn takes(self, turn: &Turn, person: &Person) -> bool {
        person.campaign.is_some()
            || mix(DRAW, u64::from(turn.account)).is_multiple_of(u64::from(self.0.get()))
    }

    /// About how many of `turns` are taken.
    pub fn of(self, turns: u64) -> u64 {
        turns / u64::from(self.0.get())
    }
}

impl FromStr for Sampling {
    type Err = NotASampling;

    fn from_str(text: &str) -> Result<Self, NotASampling> {
        let number = text.strip_prefix("1/").unwrap_or(text);
        number.parse().map(Self).map_err(|_| NotASampling)
    }
}

impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{World, WorldScenario};

    #[test]
    fn a_sample_takes_whole_accounts_and_every_campaign() {
        let mut scenario = WorldScenario::load("village").unwrap();
        (scenario.accounts, scenario.exchanges_per_day, scenario.days) = (500, 2_000.0, 3);
        let mut world = World::new(&scenario, 1);
        let sampling: Sampling = "1/5".parse().unwrap();
        let (mut all, mut taken, mut kinds) = (0_u32, 0_u32, std::collections::BTreeMap::new());
        while let Some(turn) = world.next() {
            let person = world.person(turn.account);
            let takes = sampling.takes(&turn, person);
            assert!(Sampling::ALL.takes(&turn, person));
            if person.campaign.is_some() {
                assert!(takes);
            } else {
                let before = *kinds.entry(turn.account).or_insert(takes);
                assert_eq!(before, takes);
                (all, taken) = (all + 1, taken + u32::from(takes));
            }
        }
        let share = f64::from(taken) / f64::from(all);

        assert!(all > 10_000 && (0.08..0.4).contains(&share), "{share}");
    }

    #[test]
    fn nonsense_is_no_sampling() {
        assert_eq!(
            "1/10"
                .parse::<Sampling>()
                .map(|sampling| sampling.to_string()),
            Ok("1/10".to_owned())
        );
        for nonsense in ["1/0", "", "2/3", "1/x", "-1"] {
            assert_eq!(
                nonsense.parse::<Sampling>(),
                Err(NotASampling),
                "{nonsense}"
            );
        }
    }
}

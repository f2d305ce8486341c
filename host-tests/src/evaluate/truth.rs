//! What a simulated campaign's knobs make true of it, for judging reasons.
use super::{Campaign, Properties};
use crate::world::{
    Age, CampaignSpec, Disguise, Family, Network, Quotas, Schedule, Signup, System,
};

/// Left alone for at most so many days, an account still is young.
const YOUNG_DAYS: f64 = 60.0;
/// Signed up within so many days, accounts are a cohort.
const COHORT_DAYS: f64 = 35.0;
/// With less than this for others, accounts do nothing else.
const SIDE_LIFE: f64 = 0.1;
/// With this share of words replaced, a text is another.
const ANOTHER_TEXT: f64 = 0.5;

/// The campaign as scoring sees it.
pub(super) fn campaign(spec: &CampaignSpec) -> Campaign {
    let all = [
        (text(spec), Properties::TEXT),
        // Its operators' programs are few by construction.
        (true, Properties::SHAPE),
        (young(spec.age), Properties::YOUNG),
        (cohort(spec), Properties::COHORT),
        (
            spec.accounts_per_instrument
                .last()
                .is_some_and(|most| *most > 1),
            Properties::PAYMENT,
        ),
        (
            matches!(spec.network, Network::Shared { .. }),
            Properties::NETWORK,
        ),
        (
            matches!(spec.network, Network::Residential {}),
            Properties::MOVING,
        ),
        (
            !matches!(spec.quotas, Quotas::HeavyTailed { .. }),
            Properties::EVEN,
        ),
        (spec.repeats <= 0.0, Properties::PARTITION),
        (schedule(spec), Properties::SCHEDULE),
        // Its targets are what is worth copying, whichever they are.
        (true, Properties::CAPABILITY),
        (
            spec.customers + spec.cover < SIDE_LIFE,
            Properties::SINGLE_PURPOSE,
        ),
    ];
    Campaign {
        name: spec.name.clone(),
        // Combinations of a scenario's own have nothing but their names in common.
        family: match spec.family {
            Family::Custom => spec.name.clone(),
            family => family.name().to_owned(),
        },
        properties: all
            .into_iter()
            .filter(|(holds, _)| *holds)
            .fold(Properties::default(), |all, (_, property)| {
                all.with(property)
            }),
    }
}

fn text(spec: &CampaignSpec) -> bool {
    let prompts = match spec.text {
        Disguise::Slot {} | Disguise::Verbatim { .. } => true,
        Disguise::Words { share } => share < ANOTHER_TEXT,
        Disguise::Rewritten {} => false,
    };
    prompts || matches!(spec.system, System::Fixed {} | System::Template {})
}

fn young(age: Age) -> bool {
    match age {
        Age::Fresh {} => true,
        Age::Aged { days } => days < YOUNG_DAYS,
        Age::Bought {} | Age::Stolen {} => false,
    }
}

fn cohort(spec: &CampaignSpec) -> bool {
    let ours = matches!(spec.age, Age::Fresh {} | Age::Aged { .. });
    let together = match spec.signup {
        Signup::Burst { .. } => true,
        Signup::Trickle { days } => days < COHORT_DAYS,
    };
    ours && together
}

fn schedule(spec: &CampaignSpec) -> bool {
    // Even or Poisson requests lack people's bursts, whatever the time of day.
    matches!(spec.schedule, Schedule::Flat {} | Schedule::Rota {})
        || !matches!(spec.quotas, Quotas::HeavyTailed { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::WorldScenario;

    #[test]
    fn rewriting_takes_the_text_away_and_proxies_the_network() {
        let of = |name: &str| {
            let scenario = WorldScenario::load(name).unwrap();
            campaign(&scenario.campaigns[0]).properties
        };

        assert!(of("a1").any(Properties::TEXT) && of("a1").any(Properties::NETWORK));
        assert!(!of("a4").any(Properties::TEXT));
        assert!(!of("a3").any(Properties::NETWORK) && of("a3").any(Properties::MOVING));
        assert!(of("a1").any(Properties::SINGLE_PURPOSE));
        assert!(!of("a2").any(Properties::SINGLE_PURPOSE));
    }
}

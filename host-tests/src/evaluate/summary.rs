//! Seeds pooled: numerators and denominators are added, and the worst seed stands beside the total.
use super::intervals::share;
use super::organic::STRATA;
use super::{
    Calibration, Cluster, Interval, Operating, Organic, Reasons, SeedScore, Sweep,
    cluster_bootstrap, wilson,
};
use serde::Serialize;

/// Bootstrap samples; enough for a 95 % interval.
const DRAWS: usize = 400;
/// Where the bootstrap's randomness comes from.
const BOOTSTRAP_SEED: u64 = 0x5eed;
/// Shares of campaign accounts among all accounts that precision is extrapolated to.
const PREVALENCES: [f64; 4] = [0.025, 0.01, 0.001, 0.0001];
/// False positive rates that recall is told at.
pub const RATES: [f64; 2] = [0.001, 0.0001];

/// A share of organic accounts with its uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OrganicRate {
    /// `all`, or the stratum.
    pub stratum: String,
    /// The counts, all seeds together.
    pub counts: Organic,
    /// Share of accounts ever acted on.
    pub acted: f64,
    /// Share of accounts ever asked to verify, or more.
    pub stepped_up: f64,
    /// Interval of `acted` if accounts were independent (Wilson).
    pub wilson: Interval,
    /// Interval by bootstrap of whole organizations; only for `all`.
    pub by_organization: Option<Interval>,
    /// Interval by bootstrap of all accounts of a program; only for `all`.
    pub by_program: Option<Interval>,
    /// The highest share in any seed.
    pub worst: f64,
    /// The seed that had it.
    pub worst_seed: u64,
}

/// One attack family.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Family {
    /// `A1`, ...
    pub family: String,
    /// Campaigns of it, over all seeds.
    pub campaigns: u64,
    /// Accounts that attacked.
    pub accounts: u64,
    /// Share ever restricted until the end, and the lowest in any seed.
    pub recall: f64,
    /// See `recall`.
    pub worst_recall: f64,
    /// Share restricted within 24 h of their own first attack, of those that had that long.
    pub recall_24h: f64,
    /// The same for 72 h.
    pub recall_72h: f64,
    /// Attack exchanges sent.
    pub attack: u64,
    /// Share of attack exchanges sent before their account's first restriction (S_pre), and the highest in any seed.
    pub s_pre: f64,
    /// See `s_pre`.
    pub worst_s_pre: f64,
    /// Share of attack exchanges sent while their account was not restricted; more than `s_pre` where restrictions lapsed.
    pub served: f64,
    /// In the closed loop, exchanges served as a share of what the same campaigns send where nobody stops
    /// them; `None` in the open loop, and where it did not run. There `s_pre` says little: who is refused goes away.
    pub served_of_open: Option<f64>,
    /// Hours from the campaign's first attack request to the first restriction: median campaign and slowest; `None` where it never came.
    pub first_h: Option<f64>,
    /// See `first_h`.
    pub slowest_first_h: Option<f64>,
    /// Hours until half and nine tenths of the then-active accounts were restricted, median campaign.
    pub half_h: Option<f64>,
    /// See `half_h`.
    pub ninety_h: Option<f64>,
    /// Attack exchanges served until then, median campaign.
    pub served_until_half: Option<f64>,
    /// See `served_until_half`.
    pub served_until_ninety: Option<f64>,
    /// Requests of real customers carried, and share of them refused.
    pub customers: u64,
    /// See `customers`.
    pub customers_refused: f64,
    /// Correctness of reasons.
    pub reasons: Reasons,
}

/// Precision at one share of campaign accounts among all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Precision {
    /// Share of campaign accounts among all accounts.
    pub prevalence: f64,
    /// Of accounts acted on, the share that is in a campaign.
    pub precision: f64,
    /// The same if the false positive rate were the upper end of its widest interval.
    pub pessimistic: f64,
}

/// A point of recall against false positives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// False positive rate aimed at.
    pub rate: f64,
    /// Share of accounts found there.
    pub recall: f64,
    /// Share of attack exchanges served before.
    pub served: f64,
}

/// All seeds of one judge in one kind of run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Seeds pooled.
    pub seeds: u64,
    /// Exchanges in their windows.
    pub exchanges: u64,
    /// All organic accounts.
    pub organic: OrganicRate,
    /// By stratum, those that have accounts.
    pub strata: Vec<OrganicRate>,
    /// By family, in the order of names.
    pub families: Vec<Family>,
    /// Accounts ever acted on that were in a campaign, and share of all that were acted on.
    pub precision_here: f64,
    /// At other shares of campaign accounts.
    pub precision: Vec<Precision>,
    /// Scores at the end against the truth.
    pub calibration: Calibration,
    /// Expected calibration error over all accounts, and over those with probability one half or more.
    pub calibration_error: f64,
    /// See `calibration_error`.
    pub calibration_error_above_half: f64,
    /// Correctness of reasons, all families.
    pub reasons: Reasons,
}

impl Summary {
    /// Pools `seeds`, each with its number. Bootstrapped intervals take a few seconds for many seeds, so
    /// they come only where `intervals` says so.
    pub fn of(seeds: &[(u64, &SeedScore)], intervals: bool) -> Self {
        let organizations: Vec<Cluster> = clusters(seeds, |score| &score.organizations);
        let programs: Vec<Cluster> = clusters(seeds, |score| &score.programs);
        let mut organic = rate("all", seeds, |score| score.organic);
        if intervals {
            organic.by_organization =
                Some(cluster_bootstrap(&organizations, DRAWS, BOOTSTRAP_SEED));
            organic.by_program = Some(cluster_bootstrap(&programs, DRAWS, BOOTSTRAP_SEED));
        }
        let strata = STRATA
            .iter()
            .enumerate()
            .map(|(index, name)| {
                rate(name, seeds, |score| {
                    score.strata.get(index).copied().unwrap_or_default()
                })
            })
            .filter(|stratum| stratum.counts.accounts > 0)
            .collect();
        let families = families(seeds);
        let mut calibration = Calibration::default();
        for (_, score) in seeds {
            calibration.merge(&score.calibration);
        }
        let found = campaigns(seeds).map(|campaign| campaign.restricted).sum();
        let accounts = campaigns(seeds).map(|campaign| campaign.accounts).sum();
        let reasons = families
            .iter()
            .fold(Reasons::default(), |all, family| all.plus(family.reasons));
        Self {
            seeds: seeds.len() as u64,
            exchanges: seeds.iter().map(|(_, score)| score.exchanges).sum(),
            precision_here: share(found, found + organic.counts.acted),
            precision: precision(share(found, accounts), &organic),
            organic,
            strata,
            families,
            calibration_error: calibration.error(),
            calibration_error_above_half: calibration.error_above_half(),
            calibration,
            reasons,
        }
    }
}

fn campaigns<'a>(
    seeds: &'a [(u64, &'a SeedScore)],
) -> impl Iterator<Item = &'a super::CampaignScore> {
    seeds.iter().flat_map(|(_, score)| &score.campaigns)
}

fn clusters(
    seeds: &[(u64, &SeedScore)],
    pick: impl Fn(&SeedScore) -> &Vec<Cluster>,
) -> Vec<Cluster> {
    seeds
        .iter()
        .flat_map(|(_, score)| pick(score).iter().copied())
        .collect()
}

fn rate(
    stratum: &str,
    seeds: &[(u64, &SeedScore)],
    pick: impl Fn(&SeedScore) -> Organic,
) -> OrganicRate {
    let counts = seeds
        .iter()
        .fold(Organic::default(), |all, (_, score)| all.plus(pick(score)));
    let (worst_seed, worst) = seeds
        .iter()
        .map(|(seed, score)| (*seed, pick(score).acted_share()))
        .max_by(|left, right| left.1.total_cmp(&right.1).then(right.0.cmp(&left.0)))
        .unwrap_or_default();
    OrganicRate {
        stratum: stratum.to_owned(),
        counts,
        acted: counts.acted_share(),
        stepped_up: share(counts.stepped_up, counts.accounts),
        wilson: wilson(counts.acted, counts.accounts),
        by_organization: None,
        by_program: None,
        worst,
        worst_seed,
    }
}

fn precision(recall: f64, organic: &OrganicRate) -> Vec<Precision> {
    let upper = [
        Some(organic.wilson),
        organic.by_organization,
        organic.by_program,
    ]
    .into_iter()
    .flatten()
    .map(|interval| interval.high)
    .fold(0.0, f64::max);
    let at = |prevalence: f64, false_positives: f64| {
        let right = prevalence * recall;
        let wrong = (1.0 - prevalence) * false_positives;
        if right + wrong > 0.0 {
            right / (right + wrong)
        } else {
            0.0
        }
    };
    PREVALENCES
        .iter()
        .map(|prevalence| Precision {
            prevalence: *prevalence,
            precision: at(*prevalence, organic.acted),
            pessimistic: at(*prevalence, upper),
        })
        .collect()
}

fn families(seeds: &[(u64, &SeedScore)]) -> Vec<Family> {
    // One that never began to attack has no figures.
    let mut names: Vec<&str> = campaigns(seeds)
        .filter(|campaign| campaign.accounts > 0)
        .map(|campaign| campaign.family.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| family(name, seeds)).collect()
}

fn family(name: &str, seeds: &[(u64, &SeedScore)]) -> Family {
    let all: Vec<&super::CampaignScore> = campaigns(seeds)
        .filter(|campaign| campaign.family == name && campaign.accounts > 0)
        .collect();
    let sum = |pick: &dyn Fn(&super::CampaignScore) -> u64| -> u64 {
        all.iter().map(|campaign| pick(campaign)).sum()
    };
    let by_seed = |part: &dyn Fn(&super::CampaignScore) -> u64,
                   whole: &dyn Fn(&super::CampaignScore) -> u64|
     -> Vec<f64> {
        seeds
            .iter()
            .filter_map(|(_, score)| {
                let mine = || score.campaigns.iter().filter(|one| one.family == name);
                let whole: u64 = mine().map(whole).sum();
                (whole > 0).then(|| share(mine().map(part).sum(), whole))
            })
            .collect()
    };
    let recalls = by_seed(&|one| one.restricted, &|one| one.accounts);
    let before = by_seed(&|one| one.before, &|one| one.attack);
    let attack = sum(&|one| one.attack);
    let customers = sum(&|one| one.customers);
    let first: Vec<Option<f64>> = all
        .iter()
        .map(|one| one.first.map(|point| point.hours))
        .collect();
    let half: Vec<Option<f64>> = all
        .iter()
        .map(|one| one.half.map(|point| point.hours))
        .collect();
    let ninety: Vec<Option<f64>> = all
        .iter()
        .map(|one| one.ninety.map(|point| point.hours))
        .collect();
    let until = |pick: &dyn Fn(&super::CampaignScore) -> Option<u64>| {
        median(
            all.iter()
                .map(|one| pick(one).map(|served| served as f64))
                .collect(),
        )
    };
    Family {
        family: name.to_owned(),
        campaigns: all.len() as u64,
        accounts: sum(&|one| one.accounts),
        recall: share(sum(&|one| one.restricted), sum(&|one| one.accounts)),
        worst_recall: recalls.iter().copied().reduce(f64::min).unwrap_or(0.0),
        recall_24h: share(sum(&|one| one.within_24h), sum(&|one| one.eligible_24h)),
        recall_72h: share(sum(&|one| one.within_72h), sum(&|one| one.eligible_72h)),
        attack,
        s_pre: share(sum(&|one| one.before), attack),
        worst_s_pre: before.iter().copied().fold(0.0, f64::max),
        served: share(sum(&|one| one.served), attack),
        served_of_open: None,
        slowest_first_h: if first.iter().all(Option::is_some) {
            first.iter().flatten().copied().reduce(f64::max)
        } else {
            None
        },
        first_h: median(first),
        half_h: median(half),
        ninety_h: median(ninety),
        served_until_half: until(&|one| one.half.map(|point| point.served)),
        served_until_ninety: until(&|one| one.ninety.map(|point| point.served)),
        customers,
        customers_refused: share(sum(&|one| one.customers_refused), customers),
        reasons: all
            .iter()
            .fold(Reasons::default(), |sum, one| sum.plus(one.reasons)),
    }
}

/// The median where what never came counts as later than everything; `None` when the median never came.
fn median(mut values: Vec<Option<f64>>) -> Option<f64> {
    values.sort_by(|left, right| {
        left.unwrap_or(f64::INFINITY)
            .total_cmp(&right.unwrap_or(f64::INFINITY))
    });
    values.get(values.len() / 2).copied().flatten()
}

/// Campaign indices of a family in a seed.
fn members<'a>(score: &'a SeedScore, family: Option<&'a str>) -> impl Fn(u8) -> bool + 'a {
    move |campaign| {
        family.is_none_or(|family| {
            score
                .campaigns
                .get(usize::from(campaign))
                .is_some_and(|one| one.family == family)
        })
    }
}

/// What `threshold` does in all seeds, for one family or all.
pub fn operate(seeds: &[(&SeedScore, &Sweep)], threshold: f32, family: Option<&str>) -> Operating {
    seeds
        .iter()
        .fold(Operating::default(), |sum, (score, sweep)| {
            sum.plus(sweep.at(threshold, members(score, family)))
        })
}

/// Recall and share served over false positive rates from 1 in 100,000 to all, on these seeds' own
/// organic accounts: what a threshold could do, not what a frozen one did.
pub fn curve(seeds: &[(&SeedScore, &Sweep)], family: Option<&str>) -> Vec<CurvePoint> {
    (0..=25_u32)
        .map(|step| {
            let rate = 10_f64.powf(-5.0 + f64::from(step) / 5.0);
            let threshold = Sweep::threshold(seeds.iter().map(|(_, sweep)| *sweep), rate);
            let result = operate(seeds, threshold, family);
            CurvePoint {
                rate,
                recall: result.recall(),
                served: result.served_share(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::CampaignScore;

    fn seed(restricted: u64, acted: u64) -> SeedScore {
        let organic = Organic {
            accounts: 1000,
            acted,
            ..Organic::default()
        };
        let mut strata = vec![Organic::default(); STRATA.len()];
        strata[0] = organic;
        SeedScore {
            organic,
            strata,
            campaigns: vec![CampaignScore {
                family: "A1".to_owned(),
                accounts: 100,
                restricted,
                attack: 1000,
                before: 1000 - restricted,
                ..CampaignScore::default()
            }],
            ..SeedScore::default()
        }
    }

    #[test]
    fn the_worst_seed_is_told_beside_the_total() {
        let (good, bad) = (seed(100, 0), seed(50, 8));

        let summary = Summary::of(&[(3, &good), (4, &bad)], true);

        assert!((summary.families[0].recall - 0.75).abs() < 1e-9);
        assert!((summary.families[0].worst_recall - 0.5).abs() < 1e-9);
        assert!((summary.families[0].s_pre - 0.925).abs() < 1e-9);
        assert!((summary.families[0].worst_s_pre - 0.95).abs() < 1e-9);
        assert!((summary.organic.acted - 0.004).abs() < 1e-9);
        assert_eq!(
            (summary.organic.worst_seed, summary.organic.worst),
            (4, 0.008)
        );
        assert_eq!(summary.strata.len(), 1);
    }

    #[test]
    fn a_campaign_that_never_began_is_neither_found_nor_missed() {
        let mut one = seed(100, 0);
        one.campaigns.push(CampaignScore {
            family: "A6".to_owned(),
            ..CampaignScore::default()
        });

        let summary = Summary::of(&[(0, &one)], false);

        assert_eq!(summary.families.len(), 1);
        assert!((summary.families[0].recall - 1.0).abs() < 1e-9);
    }

    #[test]
    fn precision_falls_with_the_share_of_campaign_accounts() {
        let one = seed(100, 1);

        let summary = Summary::of(&[(0, &one)], true);

        assert!((summary.precision_here - 100.0 / 101.0).abs() < 1e-9);
        let at = |prevalence: f64| {
            summary
                .precision
                .iter()
                .find(|point| point.prevalence == prevalence)
                .unwrap()
        };
        // 25,000 among a million at recall 1 and 0.1 %: 25,000 of 25,975 are right.
        assert!((at(0.025).precision - 0.9625).abs() < 1e-3);
        assert!((at(0.001).precision - 0.5).abs() < 1e-2);
        assert!(at(0.001).pessimistic < at(0.001).precision);
    }

    #[test]
    fn a_median_that_never_came_is_not_a_number() {
        assert_eq!(median(vec![Some(3.0), None, Some(1.0)]), Some(3.0));
        assert_eq!(median(vec![None, None, Some(1.0)]), None);
        assert_eq!(median(Vec::new()), None);
    }
}

//! B9: the ceiling, trees trained on labelled accounts of other seeds with unlimited memory, offline.
//!
//! Half of the organizations train it; the other half calibrates its threshold, since a model is too
//! sure of what it was trained on. Asked without a family, it was trained on all families (the most
//! that can be hoped for); asked for one, on all others (what it would know of a family that it never saw).
use super::{Boosted, FEATURES, Features, Settings, sweep};
use crate::evaluate::{Scoreboard, Sweep};
use std::collections::BTreeMap;

/// Organic rows used of each seed for training, at most; the campaigns' are all used.
const MOST_ORGANIC: usize = 8000;

/// One account as the oracle sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number.
    pub account: u32,
    /// Index of its campaign, where it attacked.
    pub campaign: Option<u8>,
    /// Whether it belongs to the half of organizations that trains.
    pub trains: bool,
    /// What is known of it.
    pub features: Box<[f32; FEATURES]>,
}

/// All accounts of a seed and what to score them against.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    /// Families of campaigns, by index.
    families: Vec<String>,
    /// Days of campaign accounts.
    truth: Sweep,
    numbers: Vec<u32>,
}

impl Rows {
    pub(super) fn new(features: &Features, board: &Scoreboard) -> Self {
        let rows = features
            .rows()
            .into_iter()
            .zip(0_u32..)
            .filter_map(|(features, account)| {
                let number = account as usize;
                let campaign = board.attacker(number);
                (campaign.is_some() || board.is_organic(number)).then(|| Row {
                    account,
                    campaign,
                    trains: board
                        .organization(number)
                        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                        >> 63
                        == 0,
                    features: Box::new(features),
                })
            })
            .collect();
        Self {
            rows,
            families: board.families(),
            truth: sweep(board, |_| 0.0, |_, _| Vec::new()),
            numbers: board.histories().keys().copied().collect(),
        }
    }

    fn family(&self, row: &Row) -> Option<&str> {
        let campaign = row.campaign?;
        self.families.get(usize::from(campaign)).map(String::as_str)
    }
}

/// A trained oracle and its frozen threshold.
pub struct Oracle {
    model: Boosted,
    /// Scores above it are found; lets the wanted share of organic accounts pass.
    pub threshold: f32,
}

impl Oracle {
    /// Trains on `seeds` without the campaigns of `unseen`; `rate` of organic accounts may pass.
    pub fn train(seeds: &[&Rows], unseen: Option<&str>, rate: f64) -> Self {
        let mut chosen: Vec<&[f32]> = Vec::new();
        let mut labels = Vec::new();
        for seed in seeds {
            let mut organic = 0;
            for row in seed.rows.iter().filter(|row| row.trains) {
                if row.campaign.is_none() {
                    organic += 1;
                    if organic > MOST_ORGANIC {
                        continue;
                    }
                } else if unseen.is_some() && seed.family(row) == unseen {
                    continue;
                }
                chosen.push(row.features.as_slice());
                labels.push(row.campaign.is_some());
            }
        }
        let model = Boosted::train(&chosen, &labels, Settings::default());
        let organic = Sweep {
            organic: seeds
                .iter()
                .flat_map(|seed| &seed.rows)
                .filter(|row| row.campaign.is_none() && !row.trains)
                .map(|row| model.score(row.features.as_slice()))
                .collect(),
            accounts: Vec::new(),
        };
        Self {
            threshold: Sweep::threshold([&organic], rate),
            model,
        }
    }

    /// Scores another seed, after the fact: nothing is found before the last day.
    pub fn judge(&self, rows: &Rows) -> Sweep {
        let mut sweep = Sweep {
            organic: Vec::with_capacity(rows.truth.organic.len()),
            accounts: rows.truth.accounts.clone(),
        };
        let mut found: BTreeMap<u32, f32> = BTreeMap::new();
        for row in &rows.rows {
            let score = self.model.score(row.features.as_slice());
            if row.campaign.is_some() {
                found.insert(row.account, score);
            } else {
                sweep.organic.push(score);
            }
        }
        for (history, number) in sweep.accounts.iter_mut().zip(&rows.numbers) {
            history.peak = vec![f32::NEG_INFINITY; history.attack.len()];
            if let (Some(last), Some(score)) = (history.peak.last_mut(), found.get(number)) {
                *last = *score;
            }
        }
        sweep
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::History;

    /// Campaign accounts are those with a large feature 3, in the family's own feature a little more.
    fn seed(shift: u32) -> Rows {
        let mut rows = Rows {
            families: vec!["A1".to_owned(), "A2".to_owned()],
            ..Rows::default()
        };
        for account in 0..600_u32 {
            let campaign = (account < 60).then_some((account % 2) as u8);
            let mut features = Box::new([0.0; FEATURES]);
            features[1] = ((account + shift) % 17) as f32;
            features[3] = campaign.map_or(0.0, |_| 5.0) + (account % 3) as f32;
            rows.rows.push(Row {
                account,
                campaign,
                trains: account / 2 % 2 == 0,
                features,
            });
            match campaign {
                Some(campaign) => {
                    rows.numbers.push(account);
                    rows.truth.accounts.push(History {
                        campaign,
                        attack: vec![4, 4],
                        peak: Vec::new(),
                    });
                }
                None => rows.truth.organic.push(0.0),
            }
        }
        rows
    }

    #[test]
    fn it_finds_the_campaigns_of_another_seed_but_only_at_the_end() {
        let (dev, test) = (seed(0), seed(5));

        let oracle = Oracle::train(&[&dev], None, 0.001);
        let result = oracle.judge(&test).at(oracle.threshold, |_| true);

        assert_eq!((result.found, result.accounts), (60, 60));
        assert_eq!(result.false_positives, 0);
        assert_eq!((result.served, result.attack), (480, 480));
    }

    #[test]
    fn a_family_that_it_never_saw_is_found_where_it_is_like_the_others() {
        let (dev, test) = (seed(0), seed(5));

        let oracle = Oracle::train(&[&dev], Some("A2"), 0.001);

        assert_eq!(
            oracle
                .judge(&test)
                .at(oracle.threshold, |campaign| campaign == 1)
                .found,
            30
        );
    }
}

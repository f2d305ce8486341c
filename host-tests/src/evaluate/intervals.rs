//! Intervals of shares: Wilson's for independent accounts, a bootstrap of whole groups for real ones.
//!
//! Accounts of one organization or one program flip together, so an interval that takes them for
//! independent is too narrow; both are reported.
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use serde::Serialize;

/// Two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// An interval of a share, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `part / whole`, 0 where the whole is 0.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Wilson's score interval at 95 % for `hits` of `trials` (Wilson 1927); 0 to 1 without trials.
pub fn wilson(hits: u64, trials: u64) -> Interval {
    if trials == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let n = trials as f64;
    let p = hits.min(trials) as f64 / n;
    let z2 = Z * Z;
    let centre = p + z2 / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // Exact at both ends, where the formula is so only up to rounding.
    Interval {
        low: if hits == 0 {
            0.0
        } else {
            ((centre - spread) / scale).max(0.0)
        },
        high: if hits >= trials {
            1.0
        } else {
            ((centre + spread) / scale).min(1.0)
        },
    }
}

/// Accounts that share a cause and flip together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Accounts in it.
    pub accounts: u32,
    /// Of these, with the property counted.
    pub hits: u32,
}

/// Percentile interval at 95 % of the share of hits, by `draws` bootstrap samples of whole clusters.
/// The same arguments give the same interval. O(draws x clusters).
///
/// Without a single hit every sample gives 0; then the upper end is the rule of three on the number
/// of clusters, not of accounts.
pub fn cluster_bootstrap(clusters: &[Cluster], draws: usize, seed: u64) -> Interval {
    let hits: u64 = clusters.iter().map(|cluster| u64::from(cluster.hits)).sum();
    if clusters.is_empty() || draws == 0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    if hits == 0 {
        return Interval {
            low: 0.0,
            high: (3.0 / clusters.len() as f64).min(1.0),
        };
    }
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut shares: Vec<f64> = (0..draws)
        .map(|_| {
            let (mut hits, mut accounts) = (0_u64, 0_u64);
            for _ in 0..clusters.len() {
                let drawn =
                    ((u128::from(random.next_u64()) * clusters.len() as u128) >> 64) as usize;
                if let Some(cluster) = clusters.get(drawn) {
                    hits += u64::from(cluster.hits);
                    accounts += u64::from(cluster.accounts);
                }
            }
            share(hits, accounts)
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let at = |q: f64| {
        let index = (q * (shares.len() - 1) as f64).round() as usize;
        shares.get(index).copied().unwrap_or_default()
    };
    Interval {
        low: at(0.025),
        high: at(0.975),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_the_published_example() {
        // 10 of 100: 0.0552 to 0.1744 (Newcombe 1998 gives the method; computed by hand).
        let interval = wilson(10, 100);

        assert!((interval.low - 0.0552).abs() < 1e-4, "{interval:?}");
        assert!((interval.high - 0.1744).abs() < 1e-4, "{interval:?}");
    }

    #[test]
    fn no_hit_does_not_mean_no_risk() {
        let interval = wilson(0, 3000);

        assert_eq!(interval.low, 0.0);
        assert_eq!((wilson(0, 77).low, wilson(77, 77).high), (0.0, 1.0));
        assert!(interval.high > 0.001 && interval.high < 0.0015);
        assert_eq!(
            wilson(0, 0),
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
    }

    #[test]
    fn the_bootstrap_is_the_same_each_time_and_wider_for_groups_than_for_single_accounts() {
        let single = vec![
            Cluster {
                accounts: 1,
                hits: 1
            };
            50
        ];
        let rest = vec![
            Cluster {
                accounts: 1,
                hits: 0
            };
            950
        ];
        let independent: Vec<Cluster> = single.iter().chain(&rest).copied().collect();
        let mut together = vec![
            Cluster {
                accounts: 50,
                hits: 0
            };
            19
        ];
        together.push(Cluster {
            accounts: 50,
            hits: 50,
        });

        let narrow = cluster_bootstrap(&independent, 400, 7);
        let wide = cluster_bootstrap(&together, 400, 7);

        assert_eq!(narrow, cluster_bootstrap(&independent, 400, 7));
        assert!(narrow.low <= 0.05 && narrow.high >= 0.05);
        assert!(wide.high - wide.low > 3.0 * (narrow.high - narrow.low));
    }

    #[test]
    fn without_hits_the_upper_end_counts_groups() {
        let clusters = vec![
            Cluster {
                accounts: 1000,
                hits: 0
            };
            30
        ];

        assert_eq!(
            cluster_bootstrap(&clusters, 100, 1),
            Interval {
                low: 0.0,
                high: 0.1
            }
        );
    }
}

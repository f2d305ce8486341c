//! Exact bounds of a share (Clopper and Pearson 1934), and how many hits a wanted share allows (Wilks 1941).
//!
//! O(hits) for each evaluation of the binomial distribution. Beyond 5,000 hits Wilson's interval
//! stands in, which by then is the same to three digits.
use crate::evaluate::{Interval, wilson};

/// How sure a proposal is.
pub const CONFIDENCE: f64 = 0.95;
/// Most hits for which the distribution is summed up.
const EXACT: u64 = 5_000;
/// Halvings of an interval of length 1: beyond what a double tells apart.
const HALVINGS: u32 = 60;

/// P(X <= `hits`) of a binomial X of `trials` with `share`.
pub fn at_most(hits: u64, trials: u64, share: f64) -> f64 {
    if hits >= trials || share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return 0.0;
    }
    let mut sum = Sum::new(trials, share);
    for _ in 0..hits {
        sum.step();
    }
    sum.total.exp().min(1.0)
}

/// The terms of a binomial distribution one after the other, in logarithms: the first may be far below what a
/// double can hold.
struct Sum {
    trials: u64,
    odds: f64,
    at: u64,
    term: f64,
    total: f64,
}

impl Sum {
    fn new(trials: u64, share: f64) -> Self {
        let none = trials as f64 * (-share).ln_1p();
        Self {
            trials,
            odds: share.ln() - (-share).ln_1p(),
            at: 0,
            term: none,
            total: none,
        }
    }
    fn step(&mut self) {
        let left = (self.trials - self.at) as f64;
        self.at += 1;
        self.term += (left / self.at as f64).ln() + self.odds;
        let (low, high) = if self.total < self.term {
            (self.total, self.term)
        } else {
            (self.term, self.total)
        };
        self.total = high + (low - high).exp().ln_1p();
    }
}

/// The share that is too large to be believed after `hits` of `trials`, at 95 % and on this side only.
pub fn upper(hits: u64, trials: u64) -> f64 {
    bound(hits, trials, 1.0 - CONFIDENCE)
}

/// Two-sided 95 % for `hits` of `trials`; 0 to 1 without trials.
pub fn interval(hits: u64, trials: u64) -> Interval {
    let hits = hits.min(trials);
    if trials == 0 || hits.min(trials - hits) > EXACT {
        return wilson(hits, trials);
    }
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Interval {
        // What is missing is a share as well.
        low: 1.0 - bound(trials - hits, trials, tail),
        high: bound(hits, trials, tail),
    }
}

/// The share under which no more than `hits` come with a chance of `tail`.
fn bound(hits: u64, trials: u64, tail: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    if hits == 0 {
        return 1.0 - tail.powf(1.0 / trials as f64);
    }
    // Few misses of many: the other tail is the shorter sum.
    let misses = trials - hits;
    let chance = |share: f64| match hits <= misses {
        true => at_most(hits, trials, share),
        false => 1.0 - at_most(misses - 1, trials, 1.0 - share),
    };
    let (mut low, mut high) = (hits as f64 / trials as f64, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if chance(middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Most hits of `trials` after which a share above `rate` is not believed any more; `None` where not even 0
/// hits would show that.
pub fn allowed(trials: u64, rate: f64) -> Option<u64> {
    let tail = 1.0 - CONFIDENCE;
    if rate >= 1.0 {
        return Some(trials);
    }
    if trials == 0 || rate <= 0.0 {
        return None;
    }
    let mut sum = Sum::new(trials, rate);
    let mut found = None;
    while sum.total.exp() <= tail {
        found = Some(sum.at);
        if sum.at >= trials {
            break;
        }
        sum.step();
    }
    found
}

/// Fewest trials that can show `rate`: about 3 / `rate`.
pub fn fewest(rate: f64) -> u64 {
    if rate <= 0.0 {
        return u64::MAX;
    }
    ((1.0 - CONFIDENCE).ln() / (-rate.min(1.0)).ln_1p())
        .ceil()
        .max(1.0) as u64
}

/// The smallest rate that `trials` can show, rounded up to something that is surely enough.
pub fn three_by(trials: u64) -> f64 {
    (3.0 / trials.max(3) as f64 * 1e4).ceil() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_agree_with_what_can_be_worked_out_by_hand() {
        // 0 of 100: 1 - 0.025^(1/100); 5 of 10 from published tables.
        let none = interval(0, 100);
        let half = interval(5, 10);

        assert_eq!(none.low, 0.0);
        assert!((none.high - 0.036_217).abs() < 1e-6, "{none:?}");
        assert!((half.low - 0.187_086).abs() < 1e-5, "{half:?}");
        assert!((half.high - 0.812_914).abs() < 1e-5, "{half:?}");
        assert!((interval(90, 100).low - 0.823_777).abs() < 1e-5);
    }

    #[test]
    fn three_by_n_is_the_smallest_share_that_n_show() {
        assert_eq!(fewest(0.001), 2_995);
        assert_eq!(allowed(2_995, 0.001), Some(0));
        assert_eq!(allowed(2_994, 0.001), None);
        assert_eq!((allowed(0, 0.5), allowed(7, 1.0)), (None, Some(7)));
    }

    #[test]
    fn a_million_trials_lose_nothing_to_rounding() {
        let allowed = allowed(1_000_000, 0.001).unwrap();

        // 1000 - 1.645 * sqrt(1000), and a little.
        assert!((945..=950).contains(&allowed), "{allowed}");
        assert!(upper(allowed, 1_000_000) <= 0.001);
        assert!(upper(allowed + 1, 1_000_000) > 0.001);
    }

    proptest! {
        #[test]
        fn what_is_allowed_is_what_the_bound_accepts(trials in 1_u64..5_000, rate in 0.0005_f64..0.5) {
            match allowed(trials, rate) {
                None => prop_assert!(upper(0, trials) > rate),
                Some(hits) => {
                    prop_assert!(upper(hits, trials) <= rate + 1e-9);
                    prop_assert!(hits + 1 >= trials || upper(hits + 1, trials) > rate - 1e-9);
                }
            }
        }

        #[test]
        fn an_interval_holds_what_was_seen(trials in 1_u64..20_000, part in 0.0_f64..=1.0) {
            let hits = (trials as f64 * part) as u64;
            let found = interval(hits, trials);
            let seen = hits as f64 / trials as f64;
            prop_assert!(found.low <= seen && seen <= found.high && found.low >= 0.0 && found.high <= 1.0);
        }
    }
}

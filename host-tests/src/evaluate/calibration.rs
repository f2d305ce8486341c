//! Whether scores mean what they say: of accounts with probability 0.8, eight in ten are in a campaign.
use serde::Serialize;

/// Bins of equal width over 0 to 1.
const BINS: usize = 20;

/// Accounts whose probability falls into one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bin {
    /// Accounts.
    pub accounts: u64,
    /// Of these, in a campaign.
    pub positives: u64,
    /// Sum of their probabilities.
    pub sum: f64,
}

/// Reliability of the sigmoid of scores, by account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Equal bins of probability, the lowest first.
    pub bins: Vec<Bin>,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            bins: vec![Bin::default(); BINS],
        }
    }
}

impl Calibration {
    /// Counts one account with this score in nats.
    pub fn add(&mut self, score: f32, positive: bool) {
        let probability = 1.0 / (1.0 + (-f64::from(score)).exp());
        let index = ((probability * BINS as f64) as usize).min(BINS - 1);
        if let Some(bin) = self.bins.get_mut(index) {
            bin.accounts += 1;
            bin.positives += u64::from(positive);
            bin.sum += probability;
        }
    }
    /// Adds another seed's.
    pub fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.accounts += more.accounts;
            bin.positives += more.positives;
            bin.sum += more.sum;
        }
    }
    /// Expected calibration error over all accounts, 0 to 1; 0 without accounts.
    pub fn error(&self) -> f64 {
        error(&self.bins)
    }
    /// The same over accounts with a probability of one half or more, those that one would act on.
    pub fn error_above_half(&self) -> f64 {
        error(self.bins.get(BINS / 2..).unwrap_or_default())
    }
}

fn error(bins: &[Bin]) -> f64 {
    let accounts: u64 = bins.iter().map(|bin| bin.accounts).sum();
    if accounts == 0 {
        return 0.0;
    }
    let gaps: f64 = bins
        .iter()
        .map(|bin| (bin.sum - bin.positives as f64).abs())
        .sum();
    gaps / accounts as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_that_says_one_half_is_calibrated_and_one_that_says_certain_is_not() {
        let mut honest = Calibration::default();
        let mut boastful = Calibration::default();
        for account in 0..100 {
            honest.add(0.0, account % 2 == 0);
            boastful.add(20.0, account % 2 == 0);
        }

        assert!(honest.error() < 1e-9);
        assert!((boastful.error() - 0.5).abs() < 1e-6);
        assert!((boastful.error_above_half() - 0.5).abs() < 1e-6);
    }

    #[test]
    fn merging_is_counting_together() {
        let (mut left, mut right, mut both) = (
            Calibration::default(),
            Calibration::default(),
            Calibration::default(),
        );
        for (score, positive) in [(-3.0, false), (2.0, true), (f32::INFINITY, true)] {
            left.add(score, positive);
            both.add(score, positive);
        }
        right.add(1.0, false);
        both.add(1.0, false);

        left.merge(&right);

        assert_eq!(left, both);
        assert_eq!(left.bins.iter().map(|bin| bin.accounts).sum::<u64>(), 4);
    }
}

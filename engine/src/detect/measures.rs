//! What is measured of one account, and how it compares with accounts of its stratum.
//!
//! Every measure is compared with the site's own population: a value means how many standard deviations
//! it lies from the mean of accounts that use tools as much and ask about as often. What an account
//! does not show (no creation time, no payment) is neither here nor there.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "finite floats and small indices"
)]
use super::account::Account;

/// What is measured of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub(super) enum Measure {
    /// Logarithm of its age in days.
    Age,
    /// Logarithm of requests a day.
    Volume,
    /// Logarithm of variance over mean of requests in four-hour bins: low is scripted.
    Rhythm,
    /// Entropy over parts of the day, 0 to 1: high never sleeps.
    Hours,
    /// Share of requests that open a conversation.
    SingleTurn,
    /// Share of requests for what data collections are after.
    Target,
    /// Share of requests that ask for reasoning or grades.
    Elicitation,
    /// Share of openings that others send word for word.
    SharedText,
    /// Spread of the logarithm of gaps: low is scripted.
    Gaps,
    /// Share of requests that come from another network than the one before.
    Moves,
    /// Logarithm of the accounts that use its payment instrument.
    Payment,
    /// Logarithm of the accounts in its network.
    Network,
    /// Logarithm of answers' tokens.
    Output,
    /// Share of requests in its most frequent emergent text.
    Template,
    /// Share of requests in its most frequent shape.
    Shape,
}

/// Number of measures.
pub(super) const MEASURES: usize = 15;

/// Requests, faded, from which an account can be measured.
const ENOUGH: f32 = 6.0;

/// Values of one account by measure; `NaN` where it shows nothing.
pub(super) type Values = [f32; MEASURES];

/// How many accounts share an account's payment instrument and its network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Company {
    pub(super) payment: u32,
    pub(super) network: u32,
}

/// Measures an account as of `now` (seconds); `None` where too little is known of it.
pub(super) fn measure(account: &Account, company: Company, now: u32) -> Option<Values> {
    if account.requests < ENOUGH {
        return None;
    }
    let share = |count: f32| count / account.requests;
    let mut values = [f32::NAN; MEASURES];
    let mut set = |measure: Measure, value: f32| {
        if let Some(slot) = values.get_mut(measure as usize) {
            *slot = value;
        }
    };
    if account.created != 0 {
        let days = (now / 3600).saturating_sub(account.created) as f32 / 24.0;
        set(Measure::Age, libm::logf(1.0 + days));
    }
    set(Measure::Volume, libm::logf(1.0 + account.daily()));
    if let Some(dispersion) = account.dispersion() {
        set(Measure::Rhythm, libm::logf(dispersion + 0.3));
    }
    // Whoever came this morning has not shown yet whether he sleeps at night.
    if now.saturating_sub(account.first.saturating_mul(3600)) >= 86_400 {
        set(Measure::Hours, evenness(&account.hours));
    }
    set(Measure::SingleTurn, share(account.openings));
    set(Measure::Target, share(account.target));
    set(Measure::Elicitation, share(account.elicit));
    if account.openings > 2.0 {
        set(Measure::SharedText, account.shared / account.openings);
    }
    let (mean, square, count) = account.gaps;
    if count >= 6 {
        set(Measure::Gaps, libm::sqrtf((square - mean * mean).max(0.0)));
    }
    set(Measure::Moves, share(account.moves));
    if account.payment != 0 {
        set(Measure::Payment, libm::logf(company.payment.max(1) as f32));
    }
    if account.networks.largest() > 0.0 {
        set(Measure::Network, libm::logf(company.network.max(1) as f32));
    }
    if account.output > 0.0 {
        set(Measure::Output, account.output);
    }
    set(Measure::Template, share(account.texts.largest()).min(1.0));
    set(Measure::Shape, share(account.shapes.largest()).min(1.0));
    Some(values)
}

/// Entropy of a histogram over its maximum, with Miller and Madow's correction for few counts.
fn evenness(parts: &[f32]) -> f32 {
    let total: f32 = parts.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    let mut entropy = 0.0;
    let mut taken = 0.0;
    for part in parts.iter().filter(|part| **part > 0.0) {
        let share = part / total;
        entropy -= share * libm::logf(share);
        taken += 1.0;
    }
    let corrected = entropy + (taken - 1.0) / (2.0 * total);
    (corrected / libm::logf(parts.len() as f32)).min(1.0)
}

/// Strata: with tools or without, by four bands of requests a day.
pub(super) const STRATA: usize = 8;

/// The stratum of an account.
pub(super) fn stratum(account: &Account) -> usize {
    let band = match account.daily() {
        rate if rate < 5.0 => 0,
        rate if rate < 20.0 => 1,
        rate if rate < 80.0 => 2,
        _ => 3,
    };
    band + if account.tools > account.requests * 0.5 {
        4
    } else {
        0
    }
}

/// Sums of one measure over accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) weight: f64,
    pub(super) sum: f64,
    pub(super) squares: f64,
}

impl Moments {
    /// Adds a value with a weight. Commutative up to rounding.
    pub(super) fn add(&mut self, value: f64, weight: f64) {
        self.weight += weight;
        self.sum += value * weight;
        self.squares += value * value * weight;
    }

    /// Adds what others summed.
    pub(super) fn merge(&mut self, other: &Self) {
        self.weight += other.weight;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    pub(super) fn mean(&self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        }
    }

    pub(super) fn variance(&self) -> f64 {
        if self.weight > 0.0 {
            (self.squares / self.weight - self.mean() * self.mean()).max(0.0)
        } else {
            0.0
        }
    }

    fn fade(&mut self, factor: f64) {
        self.weight *= factor;
        self.sum *= factor;
        self.squares *= factor;
    }
}

/// Accounts below which a stratum leans on the population as a whole.
const PRIOR_ACCOUNTS: f64 = 40.0;
/// What the population remembers from pass to pass.
const MEMORY: f64 = 0.95;

/// Mean and spread of every measure in every stratum, learned from the site's own accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Population {
    strata: [[Moments; MEASURES]; STRATA],
    all: [Moments; MEASURES],
    /// Mean and deviation as they are used until the next pass.
    scales: [[(f32, f32); MEASURES]; STRATA],
}

/// Sums over one pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Census {
    strata: [[Moments; MEASURES]; STRATA],
}

impl Census {
    /// Counts one account.
    pub(super) fn add(&mut self, stratum: usize, values: &Values, weight: f64) {
        for (moments, value) in self
            .strata
            .get_mut(stratum)
            .into_iter()
            .flatten()
            .zip(values)
        {
            if !value.is_nan() {
                moments.add(f64::from(*value), weight);
            }
        }
    }
}

impl Population {
    /// Takes the census of one pass in.
    pub(super) fn take(&mut self, census: &Census) {
        for (kept, new) in self
            .strata
            .iter_mut()
            .flatten()
            .zip(census.strata.iter().flatten())
        {
            kept.fade(MEMORY);
            kept.merge(new);
        }
        self.all = Default::default();
        for stratum in &self.strata {
            for (all, part) in self.all.iter_mut().zip(stratum) {
                all.merge(part);
            }
        }
        let prior_weight = PRIOR_ACCOUNTS / (1.0 - MEMORY);
        for (stratum, scales) in self.strata.iter().zip(&mut self.scales) {
            for ((part, all), scale) in stratum.iter().zip(&self.all).zip(scales) {
                let mut blend = *all;
                blend.fade(prior_weight / all.weight.max(1.0));
                blend.merge(part);
                let deviation = libm::sqrt(blend.variance()).max(0.02);
                *scale = (blend.mean() as f32, deviation as f32);
            }
        }
    }

    /// A value in standard deviations from its stratum's mean, at most three either way; `NaN` stays.
    pub(super) fn standardise(&self, stratum: usize, values: &Values) -> Values {
        let mut standard = *values;
        for (value, (mean, deviation)) in standard
            .iter_mut()
            .zip(self.scales.get(stratum).into_iter().flatten())
        {
            *value = ((*value - mean) / deviation).clamp(-3.0, 3.0);
        }
        standard
    }
}

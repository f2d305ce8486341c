//! Ridge-regularised logistic regression with signs: a weight may be held to say one thing only.
//!
//! Both classes count alike, whatever their numbers, so that the result is a log-likelihood ratio and
//! not an estimate of how many campaigns the simulator made. The ridge pulls towards weights that stand
//! for what we believe anyway, so that a feature in which the sample says little keeps them.

/// What a weight may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// At least 0: more of it speaks for a campaign.
    Positive,
    /// At most 0.
    Negative,
    /// 0: no evidence, whatever the sample says.
    Nothing,
}

/// One labelled sample: features, whether it is an attack, and its weight in its class.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Features.
    pub features: Vec<f32>,
    /// Class.
    pub attack: bool,
    /// Weight, above 0.
    pub weight: f32,
}

/// Bias and weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Log-likelihood ratio where all features are 0.
    pub bias: f32,
    /// Weight by feature.
    pub weights: Vec<f32>,
}

const ROUNDS: usize = 1_500;
const STEP: f64 = 0.03;

/// Fits `samples`. `start` is what the ridge pulls to with strength `ridge`; weights that `signs` forbids
/// become 0. Time: rounds x samples x features.
pub fn fit(samples: &[Sample], start: &Fit, signs: &[Sign], ridge: f64) -> Fit {
    let width = start.weights.len();
    let total = |attack: bool| -> f64 {
        let class = samples.iter().filter(|sample| sample.attack == attack);
        class.map(|sample| f64::from(sample.weight)).sum()
    };
    let (attack, benign) = (total(true).max(1e-9), total(false).max(1e-9));
    let mut weights: Vec<f64> = start
        .weights
        .iter()
        .map(|weight| f64::from(*weight))
        .collect();
    weights.push(f64::from(start.bias));
    let origin = weights.clone();
    // Adam (Kingma and Ba, 2015), full batch: deterministic.
    let (mut first, mut second) = (vec![0.0; width + 1], vec![0.0; width + 1]);
    for round in 1..=ROUNDS {
        let mut gradient = vec![0.0; width + 1];
        for sample in samples {
            let features = sample.features.iter().map(|value| f64::from(*value));
            let score: f64 = features
                .clone()
                .chain([1.0])
                .zip(&weights)
                .map(|(value, weight)| value * weight)
                .sum();
            let predicted = 1.0 / (1.0 + (-score).exp());
            let (wanted, class) = if sample.attack {
                (1.0, attack)
            } else {
                (0.0, benign)
            };
            let error = (predicted - wanted) * f64::from(sample.weight) / class;
            for (slope, value) in gradient.iter_mut().zip(features.chain([1.0])) {
                *slope += error * value;
            }
        }
        for (((slope, weight), origin), index) in
            gradient.iter_mut().zip(&weights).zip(&origin).zip(0..)
        {
            if index < width {
                *slope += ridge * (weight - origin);
            }
        }
        let decay = round as i32;
        for (((weight, slope), first), second) in weights
            .iter_mut()
            .zip(&gradient)
            .zip(&mut first)
            .zip(&mut second)
        {
            *first = 0.9 * *first + 0.1 * slope;
            *second = 0.999 * *second + 0.001 * slope * slope;
            let mean = *first / (1.0 - 0.9_f64.powi(decay));
            let spread = *second / (1.0 - 0.999_f64.powi(decay));
            *weight -= STEP * mean / (spread.sqrt() + 1e-8);
        }
        for (weight, sign) in weights.iter_mut().zip(signs) {
            *weight = match sign {
                Sign::Positive => weight.max(0.0),
                Sign::Negative => weight.min(0.0),
                Sign::Nothing => 0.0,
            };
        }
    }
    let bias = weights.pop().unwrap_or_default() as f32;
    let weights = weights.into_iter().map(|weight| weight as f32).collect();
    Fit { bias, weights }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(rule: impl Fn(f32, f32) -> bool) -> Vec<Sample> {
        let mut state = 7_u64;
        let mut unit = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1_u32 << 24) as f32 * 4.0 - 2.0
        };
        (0..2_000)
            .map(|_| {
                let (one, two, noise) = (unit(), unit(), unit());
                Sample {
                    features: vec![one, two],
                    attack: rule(one + 0.3 * noise, two),
                    weight: 1.0,
                }
            })
            .collect()
    }

    const START: Fit = Fit {
        bias: 0.0,
        weights: Vec::new(),
    };

    fn start() -> Fit {
        Fit {
            weights: vec![0.0, 0.0],
            ..START
        }
    }

    #[test]
    fn a_feature_that_tells_the_classes_apart_gets_the_weight() {
        let fit = fit(
            &samples(|one, _| one > 0.5),
            &start(),
            &[Sign::Positive; 2],
            1e-3,
        );

        assert!(fit.weights[0] > 2.0 && fit.weights[1] < 0.3, "{fit:?}");
        assert!(fit.bias < -0.5, "{fit:?}");
    }

    #[test]
    fn a_sign_that_the_data_contradict_leaves_nothing() {
        let signs = [Sign::Negative, Sign::Nothing];
        let fit = fit(&samples(|one, two| one + two > 0.0), &start(), &signs, 1e-3);

        assert_eq!(fit.weights, [0.0, 0.0]);
    }

    #[test]
    fn without_information_the_start_stays() {
        let start = Fit {
            bias: 0.0,
            weights: vec![0.4, -0.2],
        };
        let blank: Vec<_> = samples(|_, two| two > 0.0)
            .into_iter()
            .map(|sample| Sample {
                features: vec![0.0, 0.0],
                ..sample
            })
            .collect();
        let fit = fit(&blank, &start, &[Sign::Positive, Sign::Negative], 1e-3);

        assert!(
            (fit.weights[0] - 0.4).abs() < 0.01 && (fit.weights[1] + 0.2).abs() < 0.01,
            "{fit:?}"
        );
    }
}

//! The charts of the report.
use super::svg::{Axis, Chart, Mark};
use crate::evaluate::table::percent;
use crate::evaluate::{CurvePoint, HISTOGRAM, Loop, RunReport};

/// Recall by family over false positive rates.
pub(super) fn recall_by_family(run: &RunReport) -> Chart {
    let marks = run
        .curves
        .iter()
        .enumerate()
        .map(|(index, (family, points))| recall_line(family, index, points))
        .collect();
    recall(
        "family",
        "Recall by family, at any false positive rate",
        marks,
    )
}

/// The same for all methods.
pub(super) fn recall_by_method(run: &RunReport) -> Option<Chart> {
    let marks: Vec<Mark> = run
        .comparison
        .iter()
        .filter(|row| !row.curve.is_empty() && row.method != "Weir")
        .enumerate()
        .map(|(index, row)| recall_line(&row.method, index, &row.curve))
        .collect();
    (!marks.is_empty()).then(|| {
        recall(
            "method",
            "Recall of all families by method, at any false positive rate",
            marks,
        )
    })
}

fn recall_line(label: &str, style: usize, points: &[CurvePoint]) -> Mark {
    Mark::Line {
        label: label.to_owned(),
        style: style % 8,
        points: points
            .iter()
            .map(|point| (point.rate, point.recall))
            .collect(),
    }
}

fn recall(id: &str, title: &str, marks: Vec<Mark>) -> Chart {
    let told: Vec<String> = marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Line { label, points, .. } => {
                let (_, recall) = points.iter().find(|(rate, _)| *rate >= 0.000_999)?;
                Some(format!("{label} {}", percent(*recall)))
            }
            _ => None,
        })
        .collect();
    Chart {
        id: format!("recall-{id}"),
        title: title.to_owned(),
        description: format!(
            "Share of campaign accounts with a score above the threshold that lets the given share of organic accounts pass. At 0.1 %: {}.",
            told.join(", ")
        ),
        x: Axis::log("organic accounts above the threshold", 1e-5, 1.0).percent(),
        y: Axis::linear("campaign accounts above it", 0.0, 1.0).percent(),
        marks,
        names: Vec::new(),
    }
}

/// Attack exchanges sent and served since the beginning, for the runs of one contamination.
pub(super) fn served(runs: &[&RunReport]) -> Chart {
    let mut marks = Vec::new();
    let mut told = Vec::new();
    let mut most = 0.0_f64;
    let mut days = 0;
    for run in runs {
        let length = run
            .exchanges
            .iter()
            .map(|(_, days)| days.len())
            .max()
            .unwrap_or(0);
        days = days.max(length);
        let mut sums = [0_u64; 2];
        let mut lines: [Vec<(f64, f64)>; 2] = [vec![(0.0, 0.0)], vec![(0.0, 0.0)]];
        for day in 0..length {
            for (_, exchanges) in &run.exchanges {
                if let Some([sent, served]) = exchanges.get(day) {
                    sums = [sums[0] + sent, sums[1] + served];
                }
            }
            for (line, sum) in lines.iter_mut().zip(sums) {
                line.push((day as f64 + 1.0, sum as f64));
                most = most.max(sum as f64);
            }
        }
        let [sent, through] = lines;
        let (style, name) = match run.mode {
            Loop::Open => (0, "open loop"),
            Loop::Closed => (1, "closed loop"),
        };
        marks.push(Mark::Line {
            label: format!("sent, {name}"),
            style: style + 2,
            points: sent,
        });
        marks.push(Mark::Line {
            label: format!("served while not restricted, {name}"),
            style,
            points: through,
        });
        told.push(format!(
            "{name}: {} sent, {} served",
            sums.first().copied().unwrap_or(0),
            sums.last().copied().unwrap_or(0)
        ));
    }
    Chart {
        id: "served".to_owned(),
        title: "Attack exchanges since the campaigns began, all seeds".to_owned(),
        description: format!("{}.", told.join("; ")),
        x: Axis::linear("day after the burn-in", 0.0, days as f64),
        y: Axis::linear("exchanges", 0.0, most),
        marks,
        names: Vec::new(),
    }
}

/// The scores of one campaign's accounts over the days of the first seed.
pub(super) fn scores(run: &RunReport, campaign: usize) -> Option<Chart> {
    let name = run.campaigns.get(campaign)?;
    let by_day = || (1_u32..).zip(&run.days);
    let quantiles: Vec<(f64, [f32; 3])> = by_day()
        .filter_map(|(day, point)| {
            Some((
                f64::from(day),
                point.campaigns.get(campaign).copied().flatten()?,
            ))
        })
        .collect();
    let organic: Vec<(f64, f64)> = by_day()
        .filter(|(_, point)| point.highest_organic.is_finite())
        .map(|(day, point)| (f64::from(day), f64::from(point.highest_organic)))
        .collect();
    let (_, last) = quantiles.last()?;
    let all = quantiles
        .iter()
        .flat_map(|(_, values)| values.iter().copied().map(f64::from))
        .chain(organic.iter().map(|(_, score)| *score));
    let (low, high) = all.fold((-8.0_f64, 9.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    Some(Chart {
        id: format!("scores-{campaign}"),
        title: format!("Scores of campaign {name}, first seed"),
        description: format!(
            "Log odds of the campaign's active accounts at the end of each day: median with the span from the 10 % to the 90 % quantile, and the highest score of any organic account. On the last day the median is {:.1}.",
            last.get(1).copied().unwrap_or_default()
        ),
        x: Axis::linear("day after the burn-in", 0.0, run.days.len() as f64),
        y: Axis::linear("score, nats", low, high),
        marks: vec![
            Mark::Band {
                style: 0,
                points: quantiles
                    .iter()
                    .map(|(day, [low, _, high])| (*day, f64::from(*low), f64::from(*high)))
                    .collect(),
            },
            Mark::Line {
                label: "campaign, median (band: 10 to 90 %)".to_owned(),
                style: 0,
                points: quantiles
                    .iter()
                    .map(|(day, [_, median, _])| (*day, f64::from(*median)))
                    .collect(),
            },
            Mark::Line {
                label: "highest organic account".to_owned(),
                style: 1,
                points: organic,
            },
        ],
        names: Vec::new(),
    })
}

/// False positives of each stratum with Wilson intervals.
pub(super) fn strata(run: &RunReport) -> Chart {
    let dots: Vec<(f64, f64, f64, f64)> = (0_u32..)
        .zip(&run.weir.strata)
        .map(|(index, rate)| {
            (
                f64::from(index) + 0.5,
                rate.acted,
                rate.wilson.low,
                rate.wilson.high,
            )
        })
        .collect();
    let worst = run
        .weir
        .strata
        .iter()
        .max_by(|left, right| left.acted.total_cmp(&right.acted));
    Chart {
        id: "strata".to_owned(),
        title: "Organic accounts ever acted on, by stratum".to_owned(),
        description: worst.map_or_else(String::new, |rate| {
            format!(
                "Share of accounts with 95 % intervals as if accounts were independent. The highest is {} with {}.",
                rate.stratum,
                percent(rate.acted)
            )
        }),
        x: Axis::linear("stratum", 0.0, dots.len().max(1) as f64),
        y: Axis::log("accounts acted on", 1e-5, 1.0).percent(),
        marks: vec![
            Mark::Level {
                label: "1 %, the limit of a stratum".to_owned(),
                value: 0.01,
            },
            Mark::Dots {
                label: "share and interval".to_owned(),
                style: 0,
                dots,
            },
        ],
        names: (0_u32..)
            .zip(&run.weir.strata)
            .map(|(index, rate)| (f64::from(index) + 0.5, rate.stratum.clone()))
            .collect(),
    }
}

/// Highest scores of organic and campaign accounts.
pub(super) fn histogram(run: &RunReport) -> Chart {
    let [lowest, highest] = HISTOGRAM.map(f64::from);
    let width = (highest - lowest) / run.histogram.len().max(1) as f64;
    let bars = |side: usize| -> Vec<(f64, f64, f64)> {
        (0_u32..)
            .zip(&run.histogram)
            .map(|(index, bar)| {
                let from = lowest + f64::from(index) * width;
                let count = bar.get(side).copied().unwrap_or(0) as f64;
                (from, from + width, count)
            })
            .collect()
    };
    let most = run.histogram.iter().flatten().copied().max().unwrap_or(1);
    let total = |side: usize| -> u64 {
        run.histogram
            .iter()
            .filter_map(|bar| bar.get(side))
            .copied()
            .sum()
    };
    Chart {
        id: "histogram".to_owned(),
        title: "Highest score of each account".to_owned(),
        description: format!(
            "Counts on a logarithmic scale: {} organic and {} campaign accounts.",
            total(0),
            total(1)
        ),
        x: Axis::linear("highest score, nats", lowest, highest),
        // Below one, so that a single account is a bar.
        y: Axis::log("accounts", 0.5, most as f64),
        marks: vec![
            Mark::Bars {
                label: "organic".to_owned(),
                style: 0,
                bars: bars(0),
            },
            Mark::Bars {
                label: "campaign".to_owned(),
                style: 1,
                bars: bars(1),
            },
        ],
        names: Vec::new(),
    }
}

/// Observed against stated probability.
pub(super) fn reliability(run: &RunReport) -> Chart {
    let calibration = &run.weir.calibration;
    let dots: Vec<(f64, f64, f64, f64)> = calibration
        .bins
        .iter()
        .filter(|bin| bin.accounts > 0)
        .map(|bin| {
            let accounts = bin.accounts as f64;
            let interval = crate::evaluate::wilson(bin.positives, bin.accounts);
            (
                bin.sum / accounts,
                bin.positives as f64 / accounts,
                interval.low,
                interval.high,
            )
        })
        .collect();
    Chart {
        id: "reliability".to_owned(),
        title: "Reliability: of accounts with this probability, how many are in a campaign"
            .to_owned(),
        description: format!(
            "Scores at the end as probabilities. Expected calibration error {:.4} over all accounts, {:.3} above one half.",
            run.weir.calibration_error, run.weir.calibration_error_above_half
        ),
        x: Axis::linear("probability by score", 0.0, 1.0).percent(),
        y: Axis::linear("share in a campaign", 0.0, 1.0).percent(),
        marks: vec![
            Mark::Line {
                label: "ideal".to_owned(),
                style: 2,
                points: vec![(0.0, 0.0), (1.0, 1.0)],
            },
            Mark::Dots {
                label: "accounts, with 95 % interval".to_owned(),
                style: 0,
                dots,
            },
        ],
        names: Vec::new(),
    }
}

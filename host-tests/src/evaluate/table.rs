//! The report as text for people: a row for each family, stratum and method.
use super::{Comparison, OrganicRate, Report, RunReport, Summary, targets};
pub(super) use crate::columns::share as percent;
use std::fmt::Write;

mod cost;

/// The whole report.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let dev = report
        .dev_seeds
        .as_ref()
        .map(|dev| format!(", baselines calibrated on seeds {dev}"))
        .unwrap_or_default();
    line(
        &mut out,
        format_args!(
            "scenario {}, seeds {}{dev}, profile {}",
            report.scenario, report.seeds, report.profile
        ),
    );
    for run in &report.runs {
        section(&mut out, run);
    }
    cost::of_report(&mut out, report);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}"); // writing to a string cannot fail
}

fn section(out: &mut String, run: &RunReport) {
    let weir = &run.weir;
    line(
        out,
        format_args!(
            "\n== {} loop, {} contamination of the burn-in: {} seeds, {} exchanges",
            run.mode.name(),
            percent(run.contamination),
            weir.seeds,
            count(weir.exchanges)
        ),
    );
    families(out, weir);
    organic(out, weir);
    line(
        out,
        format_args!(
            "reasons right {} of {} ({}); calibration error {:.4}, above one half {:.3}",
            weir.reasons.right,
            weir.reasons.given,
            percent(super::intervals::share(
                weir.reasons.right,
                weir.reasons.given
            )),
            weir.calibration_error,
            weir.calibration_error_above_half
        ),
    );
    comparison(out, &run.comparison);
    ablations(out, run);
    cost::of_run(out, run);
    let missed: Vec<String> = targets(weir)
        .iter()
        .filter(|target| !target.is_met())
        .map(|target| {
            let reached = target
                .reached
                .map_or("never".to_owned(), |reached| format!("{reached:.4}"));
            let sign = if target.at_least { ">=" } else { "<=" };
            format!(
                "  {}: {reached}, wanted {sign} {}",
                target.what, target.limit
            )
        })
        .collect();
    if missed.is_empty() {
        line(out, format_args!("every target is met"));
    } else {
        line(out, format_args!("missed:\n{}", missed.join("\n")));
    }
}

fn families(out: &mut String, weir: &Summary) {
    line(
        out,
        format_args!(
            "{:<8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>11}",
            "family",
            "accounts",
            "recall",
            "worst",
            "+24 h",
            "+72 h",
            "S_pre",
            "worst",
            "served",
            "of open",
            "1st h",
            "50% h",
            "90% h",
            "reasons",
            "customers"
        ),
    );
    for family in &weir.families {
        line(
            out,
            format_args!(
                "{:<8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}{:>11}",
                family.family,
                family.accounts,
                percent(family.recall),
                percent(family.worst_recall),
                percent(family.recall_24h),
                percent(family.recall_72h),
                percent(family.s_pre),
                percent(family.worst_s_pre),
                percent(family.served),
                family.served_of_open.map_or("-".to_owned(), percent),
                hours(family.first_h),
                hours(family.half_h),
                hours(family.ninety_h),
                if family.reasons.given == 0 {
                    "-".to_owned()
                } else {
                    percent(super::intervals::share(
                        family.reasons.right,
                        family.reasons.given,
                    ))
                },
                if family.customers == 0 {
                    "-".to_owned()
                } else {
                    percent(family.customers_refused)
                },
            ),
        );
    }
    line(
        out,
        format_args!(
            "  worst: worst seed; S_pre: attack exchanges before their account's first restriction; served: while not restricted;\n  of open: served, as a share of what is sent where nobody is stopped; h: hours after the campaign's first attack request, median campaign; customers: refused requests of those carried"
        ),
    );
}

fn organic(out: &mut String, weir: &Summary) {
    line(
        out,
        format_args!(
            "{:<8}{:>9}{:>9}{:>10}{:>19}{:>10}{:>10}{:>11}{:>11}",
            "organic",
            "accounts",
            "acted",
            "share",
            "95 % Wilson",
            "worst",
            "step-up",
            "requests",
            "refused"
        ),
    );
    for rate in std::iter::once(&weir.organic).chain(&weir.strata) {
        line(out, format_args!("{}", organic_row(rate)));
    }
    for (what, interval) in [
        ("organization", weir.organic.by_organization),
        ("program", weir.organic.by_program),
    ] {
        if let Some(interval) = interval {
            line(
                out,
                format_args!(
                    "  95 % by bootstrap of whole {what}s: {} to {}",
                    percent(interval.low),
                    percent(interval.high)
                ),
            );
        }
    }
    let extrapolated: Vec<String> = weir
        .precision
        .iter()
        .map(|point| {
            format!(
                "{} ({} at worst) at {}",
                percent(point.precision),
                percent(point.pessimistic),
                percent(point.prevalence)
            )
        })
        .collect();
    line(
        out,
        format_args!(
            "  precision: {} here; by share of campaign accounts {}",
            percent(weir.precision_here),
            extrapolated.join(", ")
        ),
    );
}

fn organic_row(rate: &OrganicRate) -> String {
    format!(
        "{:<8}{:>9}{:>9}{:>10}{:>19}{:>10}{:>10}{:>11}{:>11}",
        rate.stratum,
        rate.counts.accounts,
        rate.counts.acted,
        percent(rate.acted),
        format!(
            "{}..{}",
            percent(rate.wilson.low),
            percent(rate.wilson.high)
        ),
        percent(rate.worst),
        percent(rate.stepped_up),
        count(rate.counts.requests),
        count(rate.counts.requests_refused),
    )
}

fn comparison(out: &mut String, rows: &[Comparison]) {
    let Some(first) = rows.first() else {
        return;
    };
    let mut head = format!("{:<34}{:>9}{:>9}{:>9}", "method", "FPR", "recall", "S_pre");
    for (family, _) in &first.families {
        let _ = write!(head, "{family:>16}");
    }
    line(out, format_args!("{head}"));
    for row in rows {
        // A method that is trained anew for each family has no rate of its own.
        let mut text = format!(
            "{:<34}{:>9}{:>9}{:>9}",
            row.method,
            percent(row.all.false_positive_rate()),
            percent(row.all.recall()),
            percent(row.all.served_share())
        );
        for (_, operating) in &row.families {
            let both = format!(
                "{} / {}",
                percent(operating.recall()),
                percent(operating.served_share())
            );
            let _ = write!(text, "{both:>16}");
        }
        line(out, format_args!("{text}"));
    }
    line(
        out,
        format_args!(
            "  thresholds let 0.1 % of the dev seeds' organic accounts pass, then frozen (Weir: its own states); by family recall / S_pre,\n  acting from the next day on; offline methods act after the fact, so their S_pre is 100 %"
        ),
    );
}

fn ablations(out: &mut String, run: &RunReport) {
    if run.ablations.is_empty() {
        return;
    }
    let row = |name: &str, summary: &Summary| {
        let mut text = format!("{name:<26}{:>9}", percent(summary.organic.acted));
        for family in &summary.families {
            let _ = write!(
                text,
                "{:>16}",
                format!("{} / {}", percent(family.recall), percent(family.s_pre))
            );
        }
        text
    };
    let mut head = format!("{:<26}{:>9}", "ablation", "FPR");
    for family in &run.weir.families {
        let _ = write!(head, "{:>16}", family.family);
    }
    line(out, format_args!("{head}"));
    line(out, format_args!("{}", row("(none)", &run.weir)));
    for (name, summary) in &run.ablations {
        line(out, format_args!("{}", row(name, summary)));
    }
}
/// Hours, or that they never came.
pub(super) fn hours(hours: Option<f64>) -> String {
    hours.map_or("never".to_owned(), |hours| format!("{hours:.1}"))
}

/// A count with thousands, millions or billions shortened.
pub(super) fn count(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..10_000_000 => format!("{:.0}k", count as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1}M", count as f64 / 1e6),
        _ => format!("{:.1}G", count as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::experiment::tests::{Toys, plan};
    use crate::evaluate::{Report, experiment};

    #[test]
    fn the_table_has_a_row_for_each_family_stratum_method_and_ablation() {
        let report = Report {
            version: 1,
            scenario: "toy".to_owned(),
            seeds: "10..13".to_owned(),
            dev_seeds: Some("0..2".to_owned()),
            profile: "1".to_owned(),
            runs: experiment(&plan(2), &Toys, |_| {}),
            reading: None,
            through: Vec::new(),
            flood: None,
        };

        let text = table(&report);

        for begin in [
            "scenario toy, seeds 10..13",
            "== open loop",
            "== closed loop",
            "A1 ",
            "H1 ",
            "other ",
            "B0 rate",
            "B9 oracle",
            "no text",
            "cost: ",
            "memory: ",
        ] {
            assert!(
                text.lines().any(|line| line.starts_with(begin)),
                "{begin}\n{text}"
            );
        }
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn shares_are_told_with_the_digits_that_they_need() {
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.00042), "0.042 %");
        assert_eq!(percent(0.9712), "97.1 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(
            (count(999), count(29_500_000)),
            ("999".into(), "29.5M".into())
        );
    }
}

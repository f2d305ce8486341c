//! The report as one HTML page: tables, and charts drawn by ourselves.
//!
//! It refers to nothing outside of itself and runs no script, so it can be kept and mailed. Light and
//! dark follow the reader's setting; on paper it is black on white.
mod charts;
mod cost;
mod svg;

use super::table::{count, hours, percent};
use super::{Loop, OrganicRate, Report, RunReport, targets};
use crate::page::{self, escape, push, rows};

/// Campaigns whose scores are drawn, at most.
const CAMPAIGNS: usize = 8;

const STYLE: &str = "
.missed{font-weight:600}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));gap:1rem}
figure{margin:0}figcaption{font-weight:600}svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:var(--ink)}svg .tick{fill:var(--soft)}
.grid{stroke:var(--rule);fill:none}.axis{stroke:var(--ink);fill:none}.whisker{stroke:var(--ink);stroke-width:1.5;fill:none}.level{stroke:var(--c1);stroke-dasharray:6 4;fill:none;stroke-width:1.5}
.s0,.s1,.s2,.s3,.s4,.s5,.s6,.s7{fill:none;stroke-width:2}.s0{stroke:var(--c0)}.s1{stroke:var(--c1);stroke-dasharray:8 3}.s2{stroke:var(--c2);stroke-dasharray:3 3}.s3{stroke:var(--c3);stroke-dasharray:10 3 2 3}.s4{stroke:var(--c4);stroke-dasharray:14 4}.s5{stroke:var(--c5);stroke-dasharray:2 2}.s6{stroke:var(--c6);stroke-dasharray:6 2 2 2 2 2}.s7{stroke:var(--c7);stroke-width:1}
.a0{fill:var(--c0);fill-opacity:.45}.a1{fill:var(--c1);fill-opacity:.6}.d0{fill:var(--c0)}.d1{fill:var(--c1)}
";

/// The page.
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    let title = format!("Weir, evaluated on {}", report.scenario);
    page::begin(&mut out, &title, STYLE);
    let dev = report.dev_seeds.as_ref().map_or_else(String::new, |dev| {
        format!(
            " Baselines were calibrated on seeds {}, which are not among them.",
            escape(dev)
        )
    });
    push(
        &mut out,
        format_args!(
            "<p>Seeds {}; detector profile {}.{dev} All traffic is simulated.</p>\n",
            escape(&report.seeds),
            escape(&report.profile)
        ),
    );
    if let Some(first) = report.runs.first() {
        overview(&mut out, report, first);
    }
    for run in &report.runs {
        details(&mut out, run);
    }
    cost::of_report(&mut out, report);
    page::end(&mut out);
    out
}

fn overview(out: &mut String, report: &Report, first: &RunReport) {
    out.push_str("<div class=\"charts\">\n");
    out.push_str(&charts::recall_by_family(first).draw());
    if let Some(chart) = report.runs.iter().find_map(charts::recall_by_method) {
        out.push_str(&chart.draw());
    }
    let alike: Vec<&RunReport> = report
        .runs
        .iter()
        .filter(|run| (run.contamination - first.contamination).abs() < f64::EPSILON)
        .collect();
    out.push_str(&charts::served(&alike).draw());
    out.push_str(&charts::strata(first).draw());
    for campaign in 0..first.campaigns.len().min(CAMPAIGNS) {
        if let Some(chart) = charts::scores(first, campaign) {
            out.push_str(&chart.draw());
        }
    }
    out.push_str(&charts::histogram(first).draw());
    out.push_str(&charts::reliability(first).draw());
    push(
        out,
        format_args!(
            "</div>\n<p>Charts but the one of exchanges show the {} loop with {} contamination of the burn-in.</p>\n",
            first.mode.name(),
            percent(first.contamination)
        ),
    );
}

fn details(out: &mut String, run: &RunReport) {
    let what = match run.mode {
        Loop::Open => "Open loop (everything is served, the detector watches)",
        Loop::Closed => "Closed loop (restricted accounts are refused, attackers react)",
    };
    push(
        out,
        format_args!(
            "<h2>{what}, {} contamination of the burn-in</h2><p>{} seeds, {} exchanges.</p>\n",
            percent(run.contamination),
            run.weir.seeds,
            count(run.weir.exchanges)
        ),
    );
    goals(out, run);
    families(out, run);
    organic(out, run);
    comparison(out, run);
    ablations(out, run);
    cost::of_run(out, run);
}

fn goals(out: &mut String, run: &RunReport) {
    let all = targets(&run.weir);
    let missed: Vec<_> = all.iter().filter(|target| !target.is_met()).collect();
    if missed.is_empty() {
        push(
            out,
            format_args!("<p>All {} targets are met.</p>\n", all.len()),
        );
        return;
    }
    push(
        out,
        format_args!(
            "<p>{} of {} targets are missed:</p><ul>",
            missed.len(),
            all.len()
        ),
    );
    for target in missed {
        let reached = target
            .reached
            .map_or("never".to_owned(), |reached| format!("{reached:.4}"));
        let sign = if target.at_least {
            "at least"
        } else {
            "at most"
        };
        push(
            out,
            format_args!(
                "<li class=\"missed\">{}: {reached}, wanted {sign} {}</li>",
                escape(&target.what),
                target.limit
            ),
        );
    }
    out.push_str("</ul>\n");
}

fn families(out: &mut String, run: &RunReport) {
    let body: Vec<Vec<String>> = run
        .weir
        .families
        .iter()
        .map(|family| {
            vec![
                family.family.clone(),
                family.accounts.to_string(),
                percent(family.recall),
                percent(family.worst_recall),
                percent(family.recall_24h),
                percent(family.recall_72h),
                count(family.attack),
                percent(family.s_pre),
                percent(family.worst_s_pre),
                percent(family.served),
                family.served_of_open.map_or("-".to_owned(), percent),
                hours(family.first_h),
                hours(family.half_h),
                hours(family.ninety_h),
                format!("{} of {}", family.reasons.right, family.reasons.given),
                percent(family.customers_refused),
            ]
        })
        .collect();
    rows(
        out,
        "Campaigns by family. S_pre: share of attack exchanges before their account's first restriction; served: while it was not restricted; served of open: served, as a share of what the same campaigns send where nobody is stopped; hours count from the campaign's first attack request.",
        &[
            "family",
            "accounts",
            "recall",
            "worst seed",
            "within 24 h",
            "within 72 h",
            "exchanges",
            "S_pre",
            "worst seed",
            "served",
            "served of open",
            "first, h",
            "50 %, h",
            "90 %, h",
            "reasons right",
            "customers refused",
        ],
        &body,
    );
}

fn organic(out: &mut String, run: &RunReport) {
    let row = |rate: &OrganicRate| {
        let interval = |interval: Option<super::Interval>| {
            interval.map_or_else(
                || "-".to_owned(),
                |interval| format!("{} to {}", percent(interval.low), percent(interval.high)),
            )
        };
        vec![
            rate.stratum.clone(),
            rate.counts.accounts.to_string(),
            rate.counts.acted.to_string(),
            percent(rate.acted),
            interval(Some(rate.wilson)),
            interval(rate.by_organization),
            interval(rate.by_program),
            format!("{} (seed {})", percent(rate.worst), rate.worst_seed),
            percent(rate.stepped_up),
            count(rate.counts.requests),
            count(rate.counts.requests_refused),
        ]
    };
    let body: Vec<Vec<String>> = std::iter::once(&run.weir.organic)
        .chain(&run.weir.strata)
        .map(row)
        .collect();
    rows(
        out,
        "Organic accounts ever acted on in the whole window. Intervals at 95 %: as if accounts were independent, and by bootstrap of whole organizations and programs.",
        &[
            "stratum",
            "accounts",
            "acted on",
            "share",
            "independent",
            "organizations",
            "programs",
            "worst seed",
            "asked to verify",
            "requests",
            "refused",
        ],
        &body,
    );
    let body: Vec<Vec<String>> = run
        .weir
        .precision
        .iter()
        .map(|point| {
            vec![
                percent(point.prevalence),
                percent(point.precision),
                percent(point.pessimistic),
            ]
        })
        .collect();
    rows(
        out,
        &format!(
            "Precision: {} here; by share of campaign accounts among all.",
            percent(run.weir.precision_here)
        ),
        &[
            "campaign accounts",
            "precision",
            "at the upper end of false positives",
        ],
        &body,
    );
}

fn comparison(out: &mut String, run: &RunReport) {
    let Some(first) = run.comparison.first() else {
        return;
    };
    let mut head = vec!["method", "online", "false positives", "recall", "S_pre"];
    head.extend(first.families.iter().map(|(family, _)| family.as_str()));
    let body: Vec<Vec<String>> = run
        .comparison
        .iter()
        .map(|row| {
            let mut cells = vec![
                row.method.clone(),
                if row.online { "yes" } else { "no" }.to_owned(),
                percent(row.all.false_positive_rate()),
                percent(row.all.recall()),
                percent(row.all.served_share()),
            ];
            cells.extend(row.families.iter().map(|(_, operating)| {
                format!(
                    "{} / {}",
                    percent(operating.recall()),
                    percent(operating.served_share())
                )
            }));
            cells
        })
        .collect();
    rows(
        out,
        "Methods on the same exchanges, thresholds frozen where one in a thousand organic accounts of other seeds passes (Weir: its own states). By family: recall / S_pre. Offline methods find after the fact.",
        &head,
        &body,
    );
}

fn ablations(out: &mut String, run: &RunReport) {
    if run.ablations.is_empty() {
        return;
    }
    let mut head = vec!["without", "acted on"];
    head.extend(
        run.weir
            .families
            .iter()
            .map(|family| family.family.as_str()),
    );
    let body: Vec<Vec<String>> =
        std::iter::once(("(nothing left out)", &run.weir))
            .chain(
                run.ablations
                    .iter()
                    .map(|(name, summary)| (name.as_str(), summary)),
            )
            .map(|(name, summary)| {
                let mut cells = vec![name.to_owned(), percent(summary.organic.acted)];
                cells.extend(summary.families.iter().map(|family| {
                    format!("{} / {}", percent(family.recall), percent(family.s_pre))
                }));
                cells
            })
            .collect();
    rows(
        out,
        "What each part is worth: recall / S_pre without it.",
        &head,
        &body,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::experiment;
    use crate::evaluate::experiment::tests::{Toys, plan};

    fn page(scenario: &str) -> String {
        html(&Report {
            version: 1,
            scenario: scenario.to_owned(),
            seeds: "10..13".to_owned(),
            dev_seeds: Some("0..2".to_owned()),
            profile: "1".to_owned(),
            runs: experiment(&plan(2), &Toys, |_| {}),
            reading: None,
            through: Vec::new(),
            flood: None,
        })
    }

    /// Every element that is opened is closed, in order; gives the elements' names.
    fn elements(page: &str) -> Vec<String> {
        let mut open: Vec<&str> = Vec::new();
        let mut all = Vec::new();
        for part in page.split('<').skip(1) {
            let (tag, _) = part.split_once('>').expect("a tag is closed");
            assert!(!tag.contains('<'));
            if tag.starts_with('!') {
                continue;
            }
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "closes what is open");
                continue;
            }
            let name = tag.split([' ', '/']).next().expect("a tag has a name");
            all.push(name.to_owned());
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        all
    }

    #[test]
    fn the_page_is_well_formed_and_refers_to_nothing_outside() {
        let page = page("toy");

        let elements = elements(&page);

        assert!(elements.iter().filter(|name| *name == "svg").count() >= 7);
        for forbidden in [
            "http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link", "NaN",
            "inf",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn every_chart_has_a_title_and_a_description_of_its_own() {
        let page = page("toy");

        let charts = page.matches("<svg ").count();

        assert_eq!(page.matches("<title id=").count(), charts);
        assert_eq!(page.matches("<desc id=").count(), charts);
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        let before = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), before);
    }

    #[test]
    fn a_scenario_name_is_text_whatever_it_says() {
        let page = page("<script>alert(1)</script>");

        elements(&page);
        assert!(!page.contains("<script"));
    }
}

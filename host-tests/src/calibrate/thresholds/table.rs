//! The proposal as text for people, and as YAML to paste.
use super::history::Cuts;
use super::report::{Assumption, Counted, Effect, Report};
use crate::columns::{Columns, share};
use crate::evaluate::Interval;
use std::fmt::{Arguments, Write};

/// What goes into the policy.
pub fn yaml(cuts: Cuts) -> String {
    format!(
        "detection:\n  thresholds:\n    watch: {}\n    stepUp: {}\n    restrict: {}\n",
        cuts.watch, cuts.step_up, cuts.restrict
    )
}

/// The whole report; the YAML comes last.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    period(&mut out, &report.period);
    proposal(&mut out, report);
    for effect in &report.effects {
        states(&mut out, effect);
    }
    assumptions(&mut out, &report.assumptions);
    campaigns(&mut out, report);
    if !report.notes.is_empty() {
        line(&mut out, format_args!("\nbefore you use it"));
        for note in &report.notes {
            line(&mut out, format_args!("  {}: {}", note.code, note.message));
        }
    }
    let _ = write!(out, "\n{}", report.proposal.yaml);
    out
}

fn line(out: &mut String, text: Arguments<'_>) {
    let _ = writeln!(out, "{text}"); // writing to a string cannot fail
}

fn period(out: &mut String, period: &Counted) {
    line(
        out,
        format_args!(
            "{} decisions, {} of them judged, of {} accounts over {:.1} days",
            period.exchanges, period.judged, period.accounts, period.days
        ),
    );
    for (count, what) in [
        (period.learning, "decisions were made while learning"),
        (period.undetected, "decisions were made without a detector"),
        (period.without_account, "decisions are of no account"),
        (
            period.pinned,
            "decisions are of accounts with a state that somebody fixed",
        ),
        (period.listed, "decisions were made by a list"),
        (period.skipped, "lines were no decisions and were skipped"),
    ] {
        if count > 0 {
            line(out, format_args!("  left out: {count} {what}"));
        }
    }
    line(
        out,
        format_args!(
            "{} accounts were found in campaigns, {} of them confirmed; of {} accounts nothing but the prior is known",
            period.in_campaigns, period.confirmed, period.never_weighed
        ),
    );
    line(
        out,
        format_args!(
            "states worked out at the present thresholds agree with those recorded for {} of the exchanges",
            share(period.agreement)
        ),
    );
}

fn proposal(out: &mut String, report: &Report) {
    line(
        out,
        format_args!(
            "\nproposal: the lowest scores that hold the wanted rates among {} accounts, with 95 % confidence",
            report.proposal.accounts
        ),
    );
    let mut columns = Columns::new(&[
        "<state", "wanted", "allowed", "now", "then", "accounts", "at most", "<",
    ]);
    for cut in &report.proposal.cuts {
        let why = match (cut.binds, cut.proposed > cut.present) {
            (false, false) => "kept: held at every score there is",
            (false, true) => "not below the one before",
            (true, _) => "",
        };
        columns.push([
            cut.state.to_owned(),
            share(cut.wanted),
            cut.allowed.to_string(),
            cut.present.to_string(),
            cut.proposed.to_string(),
            cut.accounts.to_string(),
            share(cut.at_most),
            why.to_owned(),
        ]);
    }
    let _ = write!(out, "{columns}");
}

fn states(out: &mut String, effect: &Effect) {
    let what = match effect.of {
        "in_no_campaign" => "in no campaign",
        "confirmed" => "in confirmed campaigns",
        _ => "found in campaigns that nobody confirmed",
    };
    line(
        out,
        format_args!(
            "\n{} accounts {what}, by their gravest state",
            effect.accounts
        ),
    );
    let mut columns = Columns::new(&[
        "<state",
        "accounts now",
        "then",
        "share then, 95 %",
        "exchanges now",
        "then",
    ]);
    for state in &effect.states {
        columns.push([
            state.state.to_owned(),
            state.accounts_now.to_string(),
            state.accounts_then.to_string(),
            between(state.share_then),
            state.exchanges_now.to_string(),
            state.exchanges_then.to_string(),
        ]);
    }
    let _ = write!(out, "{columns}");
    if let Some(interval) = effect.restricted_by_organization {
        line(
            out,
            format_args!(
                "  restricted or blocked then, whole organizations drawn: {}",
                between(interval)
            ),
        );
    }
}

fn between(interval: Interval) -> String {
    format!("{} to {}", share(interval.low), share(interval.high))
}

fn assumptions(out: &mut String, assumptions: &[Assumption]) {
    line(out, format_args!("\nif some accounts belong to campaigns"));
    let mut columns = Columns::new(&[
        "<share",
        "<which",
        "left",
        "watch",
        "step_up",
        "restrict",
        "found ones restricted",
    ]);
    for row in assumptions {
        let which = match row.which {
            "found" => "those found",
            _ if row.share == 0.0 => "nobody",
            _ => "highest scores",
        };
        let cell = |at: usize| {
            let cuts = row.thresholds.as_ref();
            let cut = cuts.and_then(|cuts| cuts.get(at));
            cut.map_or("too few".to_owned(), ToString::to_string)
        };
        columns.push([
            share(row.share),
            which.to_owned(),
            row.accounts.to_string(),
            cell(0),
            cell(1),
            cell(2),
            row.found_restricted
                .map_or("-".to_owned(), |count| count.to_string()),
        ]);
    }
    let _ = write!(out, "{columns}");
}

fn campaigns(out: &mut String, report: &Report) {
    if report.campaigns.is_empty() {
        return;
    }
    line(
        out,
        format_args!("\n{} campaigns found", report.campaigns_found),
    );
    let mut columns = Columns::new(&["<campaign", "accounts", "restricted", "largest score", "<"]);
    for found in &report.campaigns {
        columns.push([
            found.campaign.clone(),
            found.accounts.to_string(),
            found.restricted.to_string(),
            format!("{:.1}", found.largest),
            if found.confirmed { "confirmed" } else { "" }.to_owned(),
        ]);
    }
    let _ = write!(out, "{columns}");
    let rest = report.campaigns_found - report.campaigns.len();
    if rest > 0 {
        line(out, format_args!("  and {rest} more"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_yaml_is_what_a_policy_takes() {
        let cuts = Cuts {
            watch: 2.0,
            step_up: 5.5,
            restrict: 8.1,
        };

        assert_eq!(
            yaml(cuts),
            "detection:\n  thresholds:\n    watch: 2\n    stepUp: 5.5\n    restrict: 8.1\n"
        );
    }
}

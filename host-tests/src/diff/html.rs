//! The comparison as one HTML page that refers to nothing outside of itself.
use super::report::{AccountChange, Example, GroundChange, Group, Report, Reviewed};
use super::table::{ACCOUNT_HEAD, account_row, ground_row, group_rows, short};
use crate::columns::percent;
use crate::page::{self, escape, push, rows};

const STYLE: &str = "
.text td,.text th{text-align:left;white-space:normal}.same{font-weight:600}
";

/// The page.
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    let title = format!(
        "{} {} against {} {}",
        report.candidate.name, report.candidate.version, report.policy.name, report.policy.version
    );
    page::begin(&mut out, &title, STYLE);
    head(&mut out, report);
    accounts(
        &mut out,
        "Accounts that are refused what they are not refused now",
        report.newly_refused_accounts,
        &report.newly_refused,
    );
    accounts(
        &mut out,
        "Accounts that are no longer refused what they are refused now",
        report.no_longer_refused_accounts,
        &report.no_longer_refused,
    );
    groups(&mut out, "tier", &report.tiers);
    groups(&mut out, "capability", &report.capabilities);
    grounds(&mut out, "By basis and rule", &report.grounds);
    groups(&mut out, "reason", &report.reasons);
    grounds(
        &mut out,
        "Same action, for another reason",
        &report.same_action,
    );
    examples(&mut out, report);
    page::end(&mut out);
    out
}

fn head(out: &mut String, report: &Report) {
    let row = |who: &str, of: &Reviewed| {
        vec![
            who.to_owned(),
            of.name.clone(),
            of.version.clone(),
            of.mode.clone(),
            of.file.clone(),
            short(&of.digest),
        ]
    };
    rows(
        out,
        "Both were replayed as if they enforced.",
        &["", "name", "version", "mode", "file", "digest"],
        &[
            row("policy", &report.policy),
            row("candidate", &report.candidate),
        ],
    );
    push(
        out,
        format_args!(
            "<p>{} exchanges of {} accounts; {} of no account, {} of another account and {} of another tier under the candidate, {} records skipped. Engine: {}.</p>\n",
            report.exchanges,
            report.accounts,
            report.without_account,
            report.other_account,
            report.other_tier,
            report.skipped,
            escape(&report.engine)
        ),
    );
    if report.is_same() {
        out.push_str("<p class=\"same\">No exchange gets another action.</p>\n");
    } else {
        let body: Vec<Vec<String>> = report
            .changes
            .iter()
            .map(|change| {
                vec![
                    change.before.to_owned(),
                    change.after.to_owned(),
                    change.exchanges.to_string(),
                    percent(change.exchanges, report.exchanges),
                    change.accounts.to_string(),
                ]
            })
            .collect();
        let caption = format!(
            "{} exchanges ({}) of {} accounts get another action.",
            report.changed_exchanges,
            percent(report.changed_exchanges, report.exchanges),
            report.changed_accounts
        );
        let head = ["policy", "candidate", "exchanges", "share", "accounts"];
        rows(out, &caption, &head, &body);
    }
    let refused = report.accounts_refused;
    rows(
        out,
        "Accounts that are refused anything at all.",
        &["by both", "newly", "no longer", "never"],
        &[[
            refused.by_both,
            refused.newly,
            refused.no_longer,
            refused.never,
        ]
        .map(|count| count.to_string())
        .to_vec()],
    );
}

fn accounts(out: &mut String, what: &str, count: u64, listed: &[AccountChange]) {
    if count == 0 {
        return;
    }
    push(out, format_args!("<h2>{}</h2>\n", escape(what)));
    let caption = format!(
        "{} of {count}, those first that lose or regain the largest share of their exchanges.",
        listed.len()
    );
    let head = ACCOUNT_HEAD.map(|name| name.trim_start_matches('<'));
    let body: Vec<Vec<String>> = listed.iter().map(|of| account_row(of).to_vec()).collect();
    rows(out, &caption, &head, &body);
}

fn groups(out: &mut String, what: &str, groups: &[Group]) {
    let body: Vec<Vec<String>> = group_rows(groups).map(|row| row.to_vec()).collect();
    if body.is_empty() {
        return;
    }
    push(out, format_args!("<h2>By {}</h2>\n", escape(what)));
    let head = [
        what,
        "policy",
        "candidate",
        "exchanges",
        "of its",
        "accounts",
    ];
    rows(out, "", &head, &body);
}

fn grounds(out: &mut String, what: &str, grounds: &[GroundChange]) {
    if grounds.is_empty() {
        return;
    }
    push(out, format_args!("<h2>{}</h2>\n", escape(what)));
    let body: Vec<Vec<String>> = grounds.iter().map(|of| ground_row(of).to_vec()).collect();
    let head = ["policy", "for", "candidate", "for", "exchanges", "accounts"];
    rows(out, "", &head, &body);
}

fn examples(out: &mut String, report: &Report) {
    if report.is_same() {
        return;
    }
    out.push_str("<h2>Examples</h2>\n<div class=\"text\">\n");
    for change in &report.changes {
        let body: Vec<Vec<String>> = change.examples.iter().flat_map(example).collect();
        let caption = format!("{} to {}, one an account.", change.before, change.after);
        let head = [
            "line",
            "time",
            "account",
            "endpoint",
            "model",
            "decided by",
            "action",
            "for",
            "tier",
            "reasons",
        ];
        rows(out, &caption, &head, &body);
    }
    out.push_str("</div>\n");
}

/// Two rows: the policy's decision and the candidate's.
fn example(example: &Example) -> [Vec<String>; 2] {
    let row = |who: &str, told: bool, side: &super::Sided| {
        let text = |text: &str| {
            if told { text.to_owned() } else { String::new() }
        };
        vec![
            text(&example.line.to_string()),
            text(&example.time),
            text(example.account.as_deref().unwrap_or("none")),
            text(&example.endpoint),
            text(example.model.as_deref().unwrap_or("none")),
            who.to_owned(),
            side.action.clone(),
            side.ground(),
            side.tier.clone().unwrap_or_default(),
            side.reasons(),
        ]
    };
    [
        row("policy", true, &example.before),
        row("candidate", false, &example.after),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, pairing::Compare};
    use super::*;

    #[test]
    fn a_page_refers_to_nothing_and_takes_names_for_text() {
        let decision = |action: &str| {
            format!(
                r#"{{"line":7,"time":"2026-05-01T12:00:00Z","policy":{{"name":"p","version":"1","digest":"d"}},"mode":"enforce","account":"<script>alert(1)</script>","tier":"<b>","endpoint":"openai.chat","model":"\"><img src=http://x>","capabilities":["<i>"],"state":"observe","action":"allow","would_action":"{action}","basis":"<u>","score":null,"reasons":[{{"code":"<s>","value":1.0,"weight":0.0}}],"rule":"<q>"}}"#
            )
        };
        let mut comparison = Comparison::new(3);
        for (before, after) in [("allow", "deny"), ("deny", "allow")] {
            comparison
                .compare(decision(before).as_bytes(), decision(after).as_bytes())
                .unwrap();
        }
        let named = Reviewed {
            name: "</title>".to_owned(),
            file: "<f>".to_owned(),
            ..Reviewed::default()
        };

        let page = html(&comparison.report(named.clone(), named));

        for markup in [
            "<script", "<img", "<b>", "<i>", "<u>", "<s>", "<q>", "<f>", "<link", "url(", "@import",
        ] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert_eq!(page.matches("</title>").count(), 1);
        assert!(page.contains("&lt;script&gt;"));
    }
}

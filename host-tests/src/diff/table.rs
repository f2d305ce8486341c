//! The comparison as text for people.
use super::report::{AccountChange, ChangeReach, Example, GroundChange, Group, Report, Reviewed};
use crate::columns::{Columns, percent, printable, share};
use std::fmt::{Arguments, Write};

/// The whole report.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    if report.is_same() {
        line(&mut out, format_args!("no exchange gets another action"));
    } else {
        changes(&mut out, report);
        newly_refused(&mut out, report);
        no_longer_refused(&mut out, report);
    }
    let refused = report.accounts_refused;
    line(
        &mut out,
        format_args!(
            "\naccounts refused anything at all: {} by both, {} newly, {} no longer, {} never",
            refused.by_both, refused.newly, refused.no_longer, refused.never
        ),
    );
    if !report.is_same() {
        groups(&mut out, "tier", &report.tiers);
        groups(&mut out, "capability", &report.capabilities);
        grounds(&mut out, "by basis and rule", &report.grounds);
        groups(&mut out, "reason", &report.reasons);
    }
    grounds(
        &mut out,
        "same action, for another reason",
        &report.same_action,
    );
    if !report.is_same() {
        examples(&mut out, report);
    }
    out
}

fn line(out: &mut String, text: Arguments<'_>) {
    let _ = writeln!(out, "{text}"); // writing to a string cannot fail
}

fn head(out: &mut String, report: &Report) {
    let name = |of: &Reviewed| {
        format!(
            "{} {} ({}, {}, {})",
            printable(&of.name),
            printable(&of.version),
            of.file,
            of.mode,
            short(&of.digest)
        )
    };
    line(out, format_args!("policy:    {}", name(&report.policy)));
    line(out, format_args!("candidate: {}", name(&report.candidate)));
    line(
        out,
        format_args!(
            "{} exchanges of {} accounts, both as if enforced",
            report.exchanges, report.accounts
        ),
    );
    if report.workers > 1 {
        line(
            out,
            format_args!(
                "{} workers race for what is left of a budget, so some of what differs there is chance; --workers 1 has none",
                report.workers
            ),
        );
    }
    for (count, what) in [
        (report.skipped, "records were no exchange and were skipped"),
        (report.without_account, "exchanges are of no account"),
        (
            report.other_account,
            "exchanges belong to another account under the candidate; they stand under the policy's",
        ),
        (
            report.other_tier,
            "exchanges are of accounts in another tier under the candidate",
        ),
    ] {
        if count > 0 {
            line(out, format_args!("{count} {what}"));
        }
    }
}

/// Enough of a digest to tell two apart.
pub(super) fn short(digest: &str) -> String {
    let digits = digest.trim_start_matches("sha256:");
    digits.chars().take(12).collect()
}

fn changes(out: &mut String, report: &Report) {
    line(
        out,
        format_args!(
            "\n{} exchanges ({}) of {} accounts get another action",
            report.changed_exchanges,
            percent(report.changed_exchanges, report.exchanges),
            report.changed_accounts
        ),
    );
    let mut columns = Columns::new(&["<policy", "<candidate", "exchanges", "share", "accounts"]);
    for change in &report.changes {
        columns.push([
            change.before.to_owned(),
            change.after.to_owned(),
            change.exchanges.to_string(),
            percent(change.exchanges, report.exchanges),
            change.accounts.to_string(),
        ]);
    }
    let _ = write!(out, "{columns}");
}

fn newly_refused(out: &mut String, report: &Report) {
    let what = "accounts are refused what they are not refused now; largest share first";
    accounts(
        out,
        what,
        report.newly_refused_accounts,
        &report.newly_refused,
    );
}

fn no_longer_refused(out: &mut String, report: &Report) {
    let what = "accounts are no longer refused what they are refused now; largest share first";
    accounts(
        out,
        what,
        report.no_longer_refused_accounts,
        &report.no_longer_refused,
    );
}

fn accounts(out: &mut String, what: &str, count: u64, listed: &[AccountChange]) {
    if count == 0 {
        return;
    }
    line(out, format_args!("\n{count} {what}"));
    let mut columns = Columns::new(&ACCOUNT_HEAD);
    for account in listed {
        columns.push(account_row(account));
    }
    let _ = write!(out, "{columns}");
    more(out, count, listed.len());
}

fn more(out: &mut String, count: u64, listed: usize) {
    let rest = count.saturating_sub(listed as u64);
    if rest > 0 {
        line(out, format_args!("  and {rest} more (--examples N)"));
    }
}

/// What is told of an account.
pub(super) const ACCOUNT_HEAD: [&str; 8] = [
    "<account",
    "exchanges",
    "changed",
    "share",
    "refused now",
    "refused then",
    "first line",
    "<refused by",
];

pub(super) fn account_row(account: &AccountChange) -> [String; 8] {
    let rule = account.rule.as_deref().unwrap_or_default();
    [
        account.account.clone(),
        account.exchanges.to_string(),
        account.changed.to_string(),
        share(account.share),
        account.refused_before.to_string(),
        account.refused_after.to_string(),
        account.first_line.to_string(),
        format!("{} {rule}", account.basis),
    ]
}

/// Rows of a group's changes: name, from, to, exchanges, their share of the group, accounts.
pub(super) fn group_rows(groups: &[Group]) -> impl Iterator<Item = [String; 6]> {
    groups.iter().flat_map(|group| {
        group.changes.iter().map(|change: &ChangeReach| {
            [
                group.name.clone(),
                change.before.to_owned(),
                change.after.to_owned(),
                change.exchanges.to_string(),
                percent(change.exchanges, group.exchanges),
                change.accounts.to_string(),
            ]
        })
    })
}

fn groups(out: &mut String, what: &str, groups: &[Group]) {
    let name = format!("<{what}");
    let mut columns = Columns::new(&[
        &name,
        "<policy",
        "<candidate",
        "exchanges",
        "of its",
        "accounts",
    ]);
    group_rows(groups).for_each(|row| columns.push(row));
    if !columns.is_empty() {
        let _ = write!(out, "\nby {what}\n{columns}");
    }
}

pub(super) fn ground_row(change: &GroundChange) -> [String; 6] {
    [
        change.before.action.to_owned(),
        change.before.ground(),
        change.after.action.to_owned(),
        change.after.ground(),
        change.exchanges.to_string(),
        change.accounts.to_string(),
    ]
}

fn grounds(out: &mut String, what: &str, grounds: &[GroundChange]) {
    let mut columns = Columns::new(&[
        "<policy",
        "<for",
        "<candidate",
        "<for",
        "exchanges",
        "accounts",
    ]);
    for change in grounds {
        columns.push(ground_row(change));
    }
    if !columns.is_empty() {
        let _ = write!(out, "\n{what}\n{columns}");
    }
}

fn examples(out: &mut String, report: &Report) {
    line(out, format_args!("\nexamples"));
    for change in &report.changes {
        line(out, format_args!("  {} -> {}", change.before, change.after));
        for example in &change.examples {
            one(out, example);
        }
    }
}

fn one(out: &mut String, example: &Example) {
    line(
        out,
        format_args!(
            "    line {}, {}, {}, {}, {}",
            example.line,
            printable(&example.time),
            printable(example.account.as_deref().unwrap_or("no account")),
            example.endpoint,
            printable(example.model.as_deref().unwrap_or("no model"))
        ),
    );
    for (who, side) in [("policy", &example.before), ("candidate", &example.after)] {
        let score = side
            .score
            .map(|score| format!(", {} {score:.2}", side.state))
            .unwrap_or_default();
        line(
            out,
            format_args!(
                "      {who:<9}  {:<8}  {}  {}{score}",
                side.action,
                side.ground(),
                side.reasons()
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Comparison, pairing::Compare};
    use super::*;

    #[test]
    fn a_table_tells_everything_and_nothing_in_it_moves_a_cursor() {
        let decision = |action: &str| {
            format!(
                r#"{{"line":7,"time":"2026-05-01T12:00:00Z","policy":{{"name":"p","version":"1","digest":"d"}},"mode":"enforce","account":"\u001b[31mred","tier":"basic","endpoint":"openai.chat","model":"\u001b]0;title\u0007","capabilities":["logprobs"],"state":"observe","action":"allow","would_action":"{action}","basis":"capability","score":-6.9,"reasons":[{{"code":"CAPABILITY_NOT_GRANTED:logprobs","value":1.0,"weight":0.0}}],"rule":"tiers.basic"}}"#
            )
        };
        let mut comparison = Comparison::new(3);
        comparison
            .compare(decision("allow").as_bytes(), decision("deny").as_bytes())
            .unwrap();

        let text = table(&comparison.report(Reviewed::default(), Reviewed::default()));

        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
        for told in [
            "1 exchanges (100 %) of 1 accounts get another action",
            "1 accounts are refused what they are not refused now",
            "by tier",
            "by capability",
            "by basis and rule",
            "by reason",
            "line 7",
            "CAPABILITY_NOT_GRANTED:logprobs=1",
        ] {
            assert!(text.contains(told), "{told} in\n{text}");
        }
    }
}

//! Tables of costs, of the comparison with the plugin, and of the flood.
use super::super::table::count;
use super::rows;
use crate::evaluate::{Agreement, Report, RunReport};

/// What the detector cost in one kind of run.
pub(super) fn of_run(out: &mut String, run: &RunReport) {
    let body: Vec<Vec<String>> = run
        .cost
        .iter()
        .enumerate()
        .map(|(index, cost)| {
            let (accounts, bytes) = cost.memory.last().copied().unwrap_or_default();
            vec![
                (index + 1).to_string(),
                count(cost.exchanges),
                format!("{:.0}", cost.observe_ns),
                format!("{:.0}", cost.total_ns),
                format!("{:.1}", cost.longest_pass_s * 1e3),
                accounts.to_string(),
                format!("{:.1}", bytes as f64 / 1e6),
            ]
        })
        .collect();
    rows(
        out,
        "What the detector cost, by seed; native, one thread, on the machine that made this report.",
        &[
            "seed",
            "exchanges",
            "ns an observation",
            "ns an exchange with passes",
            "longest pass, ms",
            "accounts seen",
            "memory, MB",
        ],
        &body,
    );
}

/// What does not belong to one kind of run.
pub(super) fn of_report(out: &mut String, report: &Report) {
    if let Some(reading) = &report.reading {
        let names = ["up to 1 KiB", "up to 4 KiB", "up to 16 KiB", "above"];
        let classes = names.iter().zip(&reading.classes);
        let body: Vec<Vec<String>> = std::iter::once((&"all", &reading.all))
            .chain(classes)
            .map(|(name, class)| {
                vec![
                    (*name).to_owned(),
                    class.requests.to_string(),
                    format!("{:.1}", class.bytes / 1e3),
                    format!("{:.1}", class.read_ns / 1e3),
                    format!("{:.1}", class.prints_ns / 1e3),
                ]
            })
            .collect();
        rows(
            out,
            "What it takes to read a request natively, and to make the prints of its text, by the size of its body.",
            &[
                "body",
                "requests",
                "mean size, KB",
                "reading, \u{b5}s",
                "prints, \u{b5}s",
            ],
            &body,
        );
    }
    if !report.through.is_empty() {
        let body: Vec<Vec<String>> = report.through.iter().map(agreement).collect();
        rows(
            out,
            "The same worlds as rendered requests through the plugin (or the engine): its states against the evaluation's, and what detection adds.",
            &[
                "seed",
                "sample",
                "decisions",
                "accounts",
                "accounts that ever differed",
                "hostcalls an exchange",
                "of them detection's",
                "wasm fuel an exchange",
                "of it detection's",
            ],
            &body,
        );
    }
    if let Some(flood) = &report.flood {
        let body: Vec<Vec<String>> = flood
            .before
            .iter()
            .zip(&flood.after)
            .map(|((state, before), (_, after))| {
                vec![(*state).to_owned(), before.to_string(), after.to_string()]
            })
            .collect();
        let caption = format!(
            "A flood of {} one-shot accounts in a day, with room for {}: watched accounts by state before, and the same accounts after. Lost: {}.",
            flood.accounts, flood.room, flood.lost
        );
        rows(out, &caption, &["state", "before", "after"], &body);
    }
}

fn agreement(agreement: &Agreement) -> Vec<String> {
    let cost = |of: fn(&crate::evaluate::PluginCost) -> String| {
        agreement.cost.as_ref().map_or_else(|| "-".to_owned(), of)
    };
    vec![
        agreement.seed.to_string(),
        agreement.sample.clone(),
        agreement.decisions.to_string(),
        agreement.accounts.to_string(),
        agreement.differing_accounts.to_string(),
        cost(|cost| format!("{:.2}", cost.with.hostcalls)),
        cost(|cost| format!("{:.2}", cost.detection().hostcalls)),
        cost(|cost| count(cost.with.fuel as u64)),
        cost(|cost| count(cost.detection().fuel as u64)),
    ]
}

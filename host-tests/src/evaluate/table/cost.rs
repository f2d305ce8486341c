//! What it costs, what the plugin says to it, and what a flood does to it, in words.
use super::{count, line};
use crate::evaluate::{Agreement, Flood, Reading, Report, RunReport};

/// The detector's cost in one kind of run.
pub(super) fn of_run(out: &mut String, run: &RunReport) {
    let (observe, passes, longest) = run.cost_summary();
    let exchanges: u64 = run.cost.iter().map(|cost| cost.exchanges).sum();
    let seconds: f64 = run.cost.iter().map(|cost| cost.seconds).sum();
    line(
        out,
        format_args!(
            "cost: {:.0} ns an exchange in the detector, {observe:.0} ns of it to observe, {passes:.0} ns in passes; longest pass {:.1} ms; {:.2} us an exchange in all",
            observe + passes,
            longest * 1e3,
            seconds * 1e6 / exchanges.max(1) as f64
        ),
    );
    let Some(cost) = run.cost.first() else {
        return;
    };
    let points: Vec<String> = spread(&cost.memory)
        .map(|(accounts, bytes)| format!("{} MB at {accounts} accounts", bytes / 1_000_000))
        .collect();
    if !points.is_empty() {
        line(out, format_args!("memory: {}", points.join(", ")));
    }
}

/// What does not belong to one kind of run.
pub(super) fn of_report(out: &mut String, report: &Report) {
    if let Some(reading) = &report.reading {
        line(out, format_args!(""));
        of_reading(out, reading);
    }
    for agreement in &report.through {
        through(out, agreement);
    }
    if let Some(flood) = &report.flood {
        flooded(out, flood);
    }
}

fn of_reading(out: &mut String, reading: &Reading) {
    let all = &reading.all;
    line(
        out,
        format_args!(
            "a request natively: {:.1} us for prints of its text, {:.1} us to read it at all; {} requests of {:.1} KB",
            all.prints_ns / 1e3,
            all.read_ns / 1e3,
            all.requests,
            all.bytes / 1e3
        ),
    );
    let names = ["up to 1 KiB", "to 4 KiB", "to 16 KiB", "above"];
    let classes = names.iter().zip(&reading.classes);
    for (name, class) in classes.filter(|(_, class)| class.requests > 0) {
        line(
            out,
            format_args!(
                "  {name:<12}{:>6} requests of {:>6.1} KB{:>8.1} us prints{:>8.1} us reading",
                class.requests,
                class.bytes / 1e3,
                class.prints_ns / 1e3,
                class.read_ns / 1e3
            ),
        );
    }
}

fn through(out: &mut String, agreement: &Agreement) {
    let by_state = |states: &[(&'static str, u64)]| {
        let states = states.iter().map(|(state, many)| format!("{state} {many}"));
        states.collect::<Vec<_>>().join(", ")
    };
    line(
        out,
        format_args!(
            "through {}: seed {}, sample {}: {} exchanges of {} accounts, {} decisions; accounts whose state ever differed: {} ({} decisions)",
            if agreement.cost.is_some() {
                "the plugin"
            } else {
                "the engine"
            },
            agreement.seed,
            agreement.sample,
            agreement.exchanges,
            agreement.accounts,
            agreement.decisions,
            agreement.differing_accounts,
            agreement.differing_exchanges
        ),
    );
    line(
        out,
        format_args!(
            "  states in decisions: {}; accounts by gravest state: {}",
            by_state(&agreement.states),
            by_state(&agreement.gravest)
        ),
    );
    if let Some(first) = &agreement.first {
        line(
            out,
            format_args!(
                "  first difference: exchange {}, {} in the evaluation, {} in the decision",
                first.exchange, first.evaluation, first.decision
            ),
        );
    }
    let Some(cost) = &agreement.cost else {
        return;
    };
    let added = cost.detection();
    for (what, each) in [
        ("with detection", cost.with),
        ("without", cost.without),
        ("detection alone", added),
    ] {
        line(
            out,
            format_args!(
                "  {what:<16}{:>8.2} hostcalls{:>9} wasm fuel an exchange",
                each.hostcalls,
                count(each.fuel as u64)
            ),
        );
    }
    line(
        out,
        format_args!(
            "  leader of detection: {} wasm fuel and {:.0} hostcalls an hour of the trace, {:.1} MB of VM memory; workers {:.1} MB, {:.1} MB without detection",
            count(cost.leader_fuel_per_hour as u64),
            cost.leader_hostcalls_per_hour,
            cost.leader_bytes as f64 / 1e6,
            cost.worker_bytes as f64 / 1e6,
            cost.worker_bytes_without as f64 / 1e6
        ),
    );
}

fn flooded(out: &mut String, flood: &Flood) {
    let states = |states: &[(&'static str, u64)]| {
        let states = states.iter().filter(|(_, many)| *many > 0);
        let states = states.map(|(state, many)| format!("{state} {many}"));
        states.collect::<Vec<_>>().join(", ")
    };
    let [memory, then] = flood.memory;
    line(
        out,
        format_args!(
            "flood: {} one-shot accounts in a day, room for {}: {} watched accounts lost; before {}; the same after {}, {} of them milder than without the flood",
            flood.accounts,
            flood.room,
            flood.lost,
            states(&flood.before),
            states(&flood.after),
            flood.milder
        ),
    );
    let [spared, restricted] = flood.restricted;
    line(
        out,
        format_args!(
            "  restricted in the end {restricted}, {spared} without the flood; memory {:.1} MB, {:.1} MB after; {} records evicted; {:.0} ns an exchange",
            memory as f64 / 1e6,
            then as f64 / 1e6,
            count(flood.evicted),
            flood.ns
        ),
    );
}

/// The first, the middle and the last point.
fn spread(points: &[(u64, u64)]) -> impl Iterator<Item = &(u64, u64)> {
    let last = points.len().saturating_sub(1);
    let mut at = vec![0, last / 2, last];
    at.dedup();
    at.into_iter().filter_map(|index| points.get(index))
}

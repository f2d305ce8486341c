//! What our host adds to wasmtime: every kind of hostcall, and a stream's whole life.
//!
//! The same guest makes the same calls twice: in our host, and in a plain wasmtime `Linker` whose
//! functions are empty. Where a hostcall returns bytes it calls the guest's allocator, so the empty
//! function does too: that price is wasmtime's. Rounds of both sides alternate and medians are told, so
//! a busy machine hits both alike. Targets: 150 ns added by a hostcall, 5 us for a stream.
//!
//! `cargo bench -p weir-host --bench hostcalls -- --format json`
#[path = "hostcalls/calls.rs"]
mod calls;
#[path = "hostcalls/machine.rs"]
mod machine;
#[path = "hostcalls/plain.rs"]
mod plain;
#[path = "hostcalls/streams.rs"]
mod streams;

use std::time::Instant;

use clap::Parser;
use serde::Serialize;

/// What a hostcall may add to wasmtime's own call, in nanoseconds.
const HOSTCALL_TARGET_NS: f64 = 150.0;
/// What a stream with a no-op plugin may take, in nanoseconds.
const STREAM_TARGET_NS: f64 = 5_000.0;
/// Rounds of each side; the first ones warm up. Many short ones: on a busy machine most of them lie within one time
/// slice, so that the median is not one of the others.
const ROUNDS: usize = 220;
const WARM_UP: usize = 20;

/// Compares the host with plain wasmtime
#[derive(Parser)]
struct Arguments {
    /// How figures are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Medians of one thing that was measured.
#[derive(Serialize)]
struct Figure {
    name: String,
    /// Calls of the guest that are part of it, on both sides.
    guest_calls: u64,
    ours_ns: f64,
    wasmtime_ns: f64,
    added_ns: f64,
    ratio: f64,
    target_ns: f64,
    reached: bool,
}

#[derive(Serialize)]
struct Report {
    version: u32,
    machine: machine::Machine,
    rounds: usize,
    hostcalls: Vec<Figure>,
    streams: Vec<Figure>,
}

/// Medians of both sides in nanoseconds per operation, in rounds that alternate.
fn alternate(operations: u32, mut ours: impl FnMut(), mut plain: impl FnMut()) -> (f64, f64) {
    let mut figures: [Vec<f64>; 2] = Default::default();
    for round in 0..ROUNDS {
        let taken = [seconds(&mut ours), seconds(&mut plain)];
        if round >= WARM_UP {
            for (side, taken) in figures.iter_mut().zip(taken) {
                side.push(taken * 1e9 / f64::from(operations));
            }
        }
    }
    let [ours, plain] = figures.map(median);
    (ours, plain)
}

fn seconds(run: &mut impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(title: &str, figures: &[Figure]) {
    println!(
        "{title:<28} {:>10} {:>12} {:>10} {:>7}  target",
        "ours ns", "wasmtime ns", "added ns", "ratio"
    );
    for figure in figures {
        println!(
            "{:<28} {:>10.1} {:>12.1} {:>10.1} {:>7.2}  {} {:.0}",
            figure.name,
            figure.ours_ns,
            figure.wasmtime_ns,
            figure.added_ns,
            figure.ratio,
            if figure.reached { "within" } else { "ABOVE" },
            figure.target_ns,
        );
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let report = Report {
        version: 1,
        machine: machine::Machine::this(),
        rounds: ROUNDS - WARM_UP,
        hostcalls: calls::measure()?,
        streams: streams::measure()?,
    };
    if arguments.format == Format::Json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("{}; medians of {} rounds\n", report.machine, report.rounds);
    print("hostcall", &report.hostcalls);
    println!();
    print("stream", &report.streams);
    Ok(())
}

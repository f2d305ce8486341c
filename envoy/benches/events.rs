//! How long each event of a stream takes through Envoy: alone, with Weir, with Weir taking reasoning out.
//!
//! An event is sent only when the client has the one before, so an event that is held back until a later one would
//! stop the run: it ends with an error then, and passing says that none was. What is measured is the time from the
//! upstream's write of an event to its first byte at the client. One thread is both; streams of all ways are open
//! side by side and step in turn, so a busy machine hits all alike.
//!
//! `cargo xtask wasm && cargo bench -p weir-envoy --bench events -- --format json`
#[path = "events/machine.rs"]
mod machine;
#[path = "events/stream.rs"]
mod stream;
#[path = "events/way.rs"]
mod way;

use std::error::Error;
use std::time::Duration;

use serde_json::{Value, json};

use machine::Machine;
use stream::Stream;
use way::Way;

/// Streams of each way; the first ones warm up.
const STREAMS: usize = 22;
const WARM_UP: usize = 2;

/// One way's times in order, and whether reasoning came through.
struct Measured {
    name: &'static str,
    times: Vec<Duration>,
    shows_reasoning: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args().skip(1).any(|argument| argument == "json");
    let runtime = tokio::runtime::Runtime::new()?;
    let ways = runtime.block_on(way::all())?;
    let events = stream::events();
    let mut measured: Vec<Measured> = ways.iter().map(Measured::of).collect();
    for round in 0..STREAMS {
        let opened: Result<Vec<Stream>, _> = ways.iter().map(Way::open).collect();
        let mut streams = opened?;
        for (place, event) in events.iter().enumerate() {
            let turn = (round + place) % streams.len();
            let mut order: Vec<_> = streams.iter_mut().zip(&mut measured).collect();
            order.rotate_left(turn);
            for (stream, measured) in order {
                let step = stream
                    .step(event)
                    .map_err(|error| format!("{}: {error}", measured.name))?;
                if round >= WARM_UP {
                    measured.times.push(step.first_byte);
                }
                measured.shows_reasoning |= step.shows_reasoning;
            }
        }
    }
    for one in &mut measured {
        one.times.sort();
    }
    for one in &measured {
        let strips = one.name == way::STRIPPING;
        if one.shows_reasoning == strips {
            return Err(format!(
                "{}: reasoning {}",
                one.name,
                if strips { "came through" } else { "is gone" }
            )
            .into());
        }
    }
    let machine = Machine::this();
    if json {
        let ways: Vec<Value> = measured.iter().map(Measured::to_json).collect();
        println!(
            "{}",
            json!({"version": 1, "machine": machine.to_json(), "streams": STREAMS - WARM_UP,
            "events_per_stream": events.len(), "held_back": 0, "ways": ways})
        );
        return Ok(());
    }
    println!("{machine}");
    println!(
        "{} streams of {} events each way; from the upstream's write to the client's first byte\n",
        STREAMS - WARM_UP,
        events.len()
    );
    println!(
        "{:<34} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "", "events", "p50 us", "p90 us", "p99 us", "max us"
    );
    for one in &measured {
        let [p50, p90, p99, max] = one.quantiles();
        println!(
            "{:<34} {:>8} {p50:>9.1} {p90:>9.1} {p99:>9.1} {max:>9.1}",
            one.name,
            one.times.len()
        );
    }
    println!("\nno event waited for a later one");
    Ok(())
}

impl Measured {
    fn of(way: &Way) -> Self {
        Self {
            name: way.name,
            times: Vec::new(),
            shows_reasoning: false,
        }
    }

    /// Median, p90, p99 and the longest, in microseconds.
    fn quantiles(&self) -> [f64; 4] {
        [0.5, 0.9, 0.99, 1.0].map(|share: f64| {
            let last = self.times.len().saturating_sub(1);
            let place = (share * last as f64).round() as usize;
            self.times
                .get(place)
                .map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
        })
    }

    fn to_json(&self) -> Value {
        let [p50, p90, p99, max] = self.quantiles();
        json!({"way": self.name, "events": self.times.len(), "p50_us": p50, "p90_us": p90, "p99_us": p99, "max_us": max})
    }
}

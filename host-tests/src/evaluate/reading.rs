//! What it costs natively to read a request, and to make its prints: by size, on requests of the world.
use crate::trace::{Batch, TraceError, TraceReader};
use crate::world::{Corpora, Recording, Sampling, WorldScenario};
use serde::Serialize;
use std::hint::black_box;
use std::io::Read;
use std::time::Instant;
use weir_engine::detect::Printer;
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, RawText, Role, TextSink};

/// Upper ends of the classes of sizes, bytes of the body; the last has none.
const SIZES: [usize; 3] = [1 << 10, 4 << 10, 16 << 10];
/// The least of so many runs counts, so that interruptions do not.
const RUNS: usize = 3;
/// Bytes of the trace that are read at most.
const MOST_BYTES: u64 = 64 << 20;

/// Requests of one class of sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SizeClass {
    /// Requests measured.
    pub requests: u64,
    /// Mean bytes of their bodies.
    pub bytes: f64,
    /// Mean nanoseconds to read one, without prints.
    pub read_ns: f64,
    /// Mean nanoseconds that its prints take beside.
    pub prints_ns: f64,
}

/// What reading costs. Wall time: differs from run to run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// All requests.
    pub all: SizeClass,
    /// Up to 1 KiB, 4 KiB, 16 KiB, and above.
    pub classes: [SizeClass; 4],
}

/// Measures on about `requests` requests from the first days of the world of `seed`.
///
/// # Errors
/// None that a rendered world could cause.
pub fn reading(
    scenario: &WorldScenario,
    seed: u64,
    corpora: &Corpora,
    requests: usize,
) -> Result<Reading, TraceError> {
    let recording = Recording::new(scenario, seed, corpora.clone()).sampled(Sampling::ALL);
    let mut reader = TraceReader::new(recording.into_reader().take(MOST_BYTES))?;
    let (mut batch, mut bodies) = (Batch::new(), Vec::new());
    while bodies.len() < requests && reader.next_batch(&mut batch)? {
        for record in batch.records() {
            // The limit may cut the last line.
            if let Ok(line) = record.parse() {
                bodies.push((Endpoint::of(&line.method, &line.path), line.body.to_vec()));
            }
        }
    }
    bodies.truncate(requests);
    let (mut all, mut classes) = (Sum::default(), [Sum::default(); 4]);
    for (endpoint, body) in &bodies {
        let bare = least(|| {
            black_box(facts::read(*endpoint, black_box(body), false, &mut Nobody).is_ok());
        });
        let printed = least(|| {
            let mut printer = Printer::new();
            black_box(facts::read(*endpoint, black_box(body), false, &mut printer).is_ok());
            black_box(printer.finish());
        });
        all.add(body.len(), bare, printed);
        let class = SIZES.iter().filter(|size| body.len() > **size).count();
        if let Some(class) = classes.get_mut(class) {
            class.add(body.len(), bare, printed);
        }
    }
    Ok(Reading {
        all: all.mean(),
        classes: classes.map(Sum::mean),
    })
}

fn least(mut work: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_nanos() as f64
    });
    times.fold(f64::INFINITY, f64::min)
}

#[derive(Clone, Copy, Default)]
struct Sum {
    requests: u64,
    bytes: f64,
    bare: f64,
    printed: f64,
}

impl Sum {
    fn add(&mut self, bytes: usize, bare: f64, printed: f64) {
        self.requests += 1;
        self.bytes += bytes as f64;
        self.bare += bare;
        self.printed += printed;
    }

    fn mean(self) -> SizeClass {
        let requests = self.requests.max(1) as f64;
        SizeClass {
            requests: self.requests,
            bytes: self.bytes / requests,
            read_ns: self.bare / requests,
            prints_ns: (self.printed - self.bare).max(0.0) / requests,
        }
    }
}

/// Takes no text.
struct Nobody;

impl TextSink for Nobody {
    fn text(&mut self, _: Role, _: RawText<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_measured_in_one_class() {
        let scenario = WorldScenario::load("village").unwrap();

        let reading = reading(&scenario, 1, &Corpora::default(), 300).unwrap();

        assert_eq!(reading.all.requests, 300);
        let classes: u64 = reading.classes.iter().map(|class| class.requests).sum();
        assert_eq!(classes, 300);
        assert!(reading.all.read_ns > 0.0 && reading.all.prints_ns > 0.0);
        let filled = reading.classes.iter().filter(|class| class.requests > 0);
        assert!(filled.map(|class| class.bytes).is_sorted());
    }
}

//! Runs a recording past workers that decide it, in parallel, and logs their decisions in order.
//!
//! One thread reads and splits; `workers` threads parse and decide whole batches; the log puts the
//! batches back in order. Whatever decides (the plugin in our host, the engine itself) is a
//! [`Decider`], made inside its thread. Memory: the log's window of batches, whatever the length
//! of the recording.
pub mod counted;
pub mod native;
pub mod plugin;
mod recorded;
pub mod spans;

use crate::decision_log::{DecisionLog, DecisionLogError, Decisions, Ticket};
use crate::trace::{Batch, Record, TraceError, TraceLine, TraceReader};
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use weir_engine::time::Timestamp;

/// Decides exchanges. One per worker.
pub trait Decider {
    /// Why no decision can be made at all; ends the replay.
    type Error: Send;
    /// What a worker knows in the end: counts, state.
    type Report: Send;

    /// Appends the decision of one exchange to `out`, which is empty: one JSON object without line breaks.
    ///
    /// # Errors
    /// Where the decider itself is broken. A hostile exchange is not an error but a decision.
    fn decide(
        &mut self,
        line: u64,
        exchange: &TraceLine<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Self::Error>;
    /// Runs the decider's timer, which settles and tells what waits. True when nothing is left to do before
    /// the clock moves on. Only a [replay in spans](spans::run) calls it.
    ///
    /// # Errors
    /// Where the decider itself is broken.
    fn tick(&mut self, now: Timestamp) -> Result<bool, Self::Error> {
        let _ = now;
        Ok(true)
    }
    /// Called once, after the last exchange of a replay that went well.
    fn report(self) -> Self::Report;
}

/// What to do with a record that is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BadLines {
    /// End the replay; nothing is written.
    #[default]
    Stop,
    /// Count it and go on; it has no decision.
    Skip,
}

/// How a replay went.
#[derive(Debug)]
pub struct ReplaySummary<R> {
    /// Exchanges decided.
    pub exchanges: u64,
    /// Records skipped.
    pub skipped: u64,
    /// One per worker, in the order of the workers.
    pub reports: Vec<R>,
    /// Of the decider that led, in a [replay in spans](spans::run).
    pub leader: Option<R>,
}

/// Why a replay ended early. Where several lines fail, it is the first of them, however many workers there are.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    /// The recording is at fault.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Decisions cannot be written.
    #[error(transparent)]
    Log(#[from] DecisionLogError),
    /// The decider is at fault.
    #[error("the exchange of line {line} cannot be decided: {error}")]
    Decider {
        /// Line of the recording; 0 where a decider could not even be made.
        line: u64,
        /// What it said.
        error: E,
    },
}

/// Decides all of `reader` with `workers` (at least 1) deciders made by `make`, which is given the worker's number.
///
/// The caller finishes `log` afterwards, or drops it to leave no result.
///
/// # Errors
/// [`ReplayError`]; `log` has then been abandoned.
pub fn run<D: Decider, W: Write + Send>(
    reader: TraceReader,
    log: &DecisionLog<W>,
    workers: usize,
    bad_lines: BadLines,
    make: impl Fn(usize) -> Result<D, D::Error> + Sync,
) -> Result<ReplaySummary<D::Report>, ReplayError<D::Error>> {
    let shared = Shared {
        log,
        bad_lines,
        idle: Mutex::new(Vec::new()),
        failure: Mutex::new(None),
    };
    // Room for every ticket that can be out, so that sending never waits for a worker that is gone.
    let (sender, receiver) = sync_channel(log.window());
    let receiver = Mutex::new(receiver);
    let outcomes = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers.max(1))
            .map(|worker| {
                let (shared, receiver, make) = (&shared, &receiver, &make);
                scope.spawn(move || shared.work(worker, receiver, make))
            })
            .collect();
        shared.read(reader, sender);
        threads
            .into_iter()
            .map(|thread| thread.join())
            .collect::<Vec<_>>()
    });
    let mut summary = ReplaySummary {
        exchanges: 0,
        skipped: 0,
        reports: Vec::with_capacity(outcomes.len()),
        leader: None,
    };
    for outcome in outcomes {
        match outcome {
            Ok(Some((counts, report))) => {
                summary.exchanges += counts.exchanges;
                summary.skipped += counts.skipped;
                summary.reports.push(report);
            }
            Ok(None) => {}
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    match lock(&shared.failure).take() {
        Some(failure) => {
            log.abandon();
            Err(failure)
        }
        None => Ok(summary),
    }
}

#[derive(Default)]
struct Counts {
    exchanges: u64,
    skipped: u64,
}

/// Decides consecutive records.
fn decide_all<'b, D: Decider>(
    records: impl Iterator<Item = Record<'b>>,
    bad_lines: BadLines,
    decider: &mut D,
    counts: &mut Counts,
    decision: &mut Vec<u8>,
) -> Result<Decisions, ReplayError<D::Error>> {
    let mut decisions = Decisions::new();
    for record in records {
        match record.parse() {
            Ok(exchange) => {
                decision.clear();
                decider
                    .decide(record.line, &exchange, decision)
                    .map_err(|error| ReplayError::Decider {
                        line: record.line,
                        error,
                    })?;
                decisions.push(record.line, decision)?;
                counts.exchanges += 1;
            }
            Err(_) if bad_lines == BadLines::Skip => counts.skipped += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(decisions)
}

struct Shared<'a, W: Write, E> {
    log: &'a DecisionLog<W>,
    bad_lines: BadLines,
    /// Batches to use again.
    idle: Mutex<Vec<Batch>>,
    failure: Mutex<Option<ReplayError<E>>>,
}

impl<W: Write, E> Shared<'_, W, E> {
    fn read(&self, mut reader: TraceReader, sender: SyncSender<(Batch, Ticket<W>)>) {
        loop {
            let mut batch = lock(&self.idle).pop().unwrap_or_default();
            match reader.next_batch(&mut batch) {
                Ok(true) => {}
                Ok(false) => return,
                // The log stays usable until the batches before this have been looked at.
                Err(error) => return self.keep(error.into()),
            }
            match self.log.ticket() {
                Ok(ticket) => {
                    if sender.send((batch, ticket)).is_err() {
                        return;
                    }
                }
                Err(error) => return self.keep(error.into()),
            }
        }
    }
    fn work<D: Decider<Error = E>>(
        &self,
        worker: usize,
        receiver: &Mutex<Receiver<(Batch, Ticket<W>)>>,
        make: &impl Fn(usize) -> Result<D, E>,
    ) -> Option<(Counts, D::Report)> {
        // Also when deciding panics: the reader may be waiting for a ticket that would never come back.
        let leaving = AbandonOnDrop(self.log);
        let mut decider = match make(worker) {
            Ok(decider) => decider,
            Err(error) => {
                self.fail(ReplayError::Decider { line: 0, error });
                return None;
            }
        };
        let (mut counts, mut decision) = (Counts::default(), Vec::new());
        loop {
            let next = lock(receiver).recv();
            let Ok((batch, ticket)) = next else { break };
            let decided = decide_all(
                batch.records(),
                self.bad_lines,
                &mut decider,
                &mut counts,
                &mut decision,
            )
            .and_then(|decisions| Ok(ticket.submit(decisions)?));
            if let Err(error) = decided {
                self.fail(error);
                return None;
            }
            lock(&self.idle).push(batch);
        }
        std::mem::forget(leaving);
        Some((counts, decider.report()))
    }
    /// Keeps the failure of the lowest line. Batches are handed out in order and finished once
    /// begun, so every line before a failure has been looked at when the threads have ended.
    fn keep(&self, failure: ReplayError<E>) {
        let mut kept = lock(&self.failure);
        if kept.as_ref().is_none_or(|kept| rank(&failure) < rank(kept)) {
            *kept = Some(failure);
        }
    }
    fn fail(&self, failure: ReplayError<E>) {
        self.keep(failure);
        self.log.abandon();
    }
}

/// Failures in the order in which they are worth telling; that others gave up comes last.
fn rank<E>(failure: &ReplayError<E>) -> (u8, u64) {
    match failure {
        ReplayError::Trace(TraceError { line, .. })
        | ReplayError::Decider { line, .. }
        | ReplayError::Log(DecisionLogError::NotAnObject { line }) => (0, *line),
        ReplayError::Log(DecisionLogError::Write(_)) => (1, 0),
        ReplayError::Log(DecisionLogError::Abandoned) => (2, 0),
    }
}

struct AbandonOnDrop<'a, W: Write>(&'a DecisionLog<W>);

impl<W: Write> Drop for AbandonOnDrop<'_, W> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Locks, also after a panic elsewhere: every value behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Read};

    /// Answers with the request's path; refuses `/broken`.
    struct Echo(u64);

    impl Decider for Echo {
        type Error = &'static str;
        type Report = u64;
        fn decide(
            &mut self,
            _line: u64,
            exchange: &TraceLine<'_>,
            out: &mut Vec<u8>,
        ) -> Result<(), Self::Error> {
            assert_ne!(exchange.path, "/panic");
            if exchange.path == "/broken" {
                return Err("broken");
            }
            self.0 += 1;
            write!(out, "{{\"path\":\"{}\"}}", exchange.path).unwrap();
            Ok(())
        }
        fn report(self) -> u64 {
            self.0
        }
    }

    fn line(path: &str) -> String {
        format!(
            "{{\"time\":\"2026-04-22T08:00:00Z\",\"request\":{{\"method\":\"GET\",\"path\":\"{path}\"}}}}\n"
        )
    }

    fn replay(
        input: impl Read + Send + 'static,
        workers: usize,
        bad_lines: BadLines,
    ) -> Result<(ReplaySummary<u64>, String), ReplayError<&'static str>> {
        let log = DecisionLog::new(Vec::new(), workers * 2);
        let summary = run(
            TraceReader::new(input).unwrap(),
            &log,
            workers,
            bad_lines,
            |_| Ok(Echo(0)),
        )?;
        let (text, count) = log.into_sink().unwrap();
        assert_eq!(count, summary.exchanges);
        Ok((summary, String::from_utf8(text).unwrap()))
    }

    fn trace(lines: usize, strange: &[(usize, &str)]) -> Cursor<String> {
        Cursor::new(
            (1..=lines)
                .map(|number| {
                    strange.iter().find(|(at, _)| *at == number).map_or_else(
                        || line(&format!("/{number}")),
                        |(_, text)| (*text).to_owned(),
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn one_and_four_workers_give_the_same_decisions_in_the_order_of_the_trace() {
        let (one, with_one) = replay(trace(2_000, &[]), 1, BadLines::Stop).unwrap();
        let (four, with_four) = replay(trace(2_000, &[]), 4, BadLines::Stop).unwrap();

        assert_eq!(with_one, with_four);
        assert_eq!(
            with_one.lines().nth(1_233),
            Some("{\"line\":1234,\"path\":\"/1234\"}")
        );
        assert_eq!(
            (
                one.exchanges,
                four.exchanges,
                four.reports.iter().sum::<u64>(),
                four.reports.len()
            ),
            (2_000, 2_000, 2_000, 4)
        );
    }

    #[test]
    fn a_bad_line_ends_the_replay_at_the_first_one_or_is_skipped() {
        let bad = [(700, "{\n"), (300, "nonsense\n"), (1_900, "[]\n")];

        for workers in [1, 4] {
            let error = replay(trace(2_000, &bad), workers, BadLines::Stop).unwrap_err();
            assert!(
                matches!(error, ReplayError::Trace(TraceError { line: 300, .. })),
                "{error}"
            );
        }
        let (summary, text) = replay(trace(2_000, &bad), 4, BadLines::Skip).unwrap();
        assert_eq!(
            (summary.exchanges, summary.skipped, text.lines().count()),
            (1_997, 3, 1_997)
        );
    }

    #[test]
    fn a_decider_that_fails_ends_the_replay() {
        let broken = line("/broken");

        let error = replay(trace(5_000, &[(600, &broken)]), 3, BadLines::Skip).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the exchange of line 600 cannot be decided: broken"
        );
    }

    #[test]
    fn a_decider_that_cannot_be_made_ends_the_replay_however_long_the_trace() {
        let log = DecisionLog::new(Vec::new(), 4);

        let outcome = run(
            TraceReader::new(trace(20_000, &[])).unwrap(),
            &log,
            2,
            BadLines::Stop,
            |_| Err::<Echo, _>("no plugin"),
        );

        assert!(matches!(
            outcome,
            Err(ReplayError::Decider {
                line: 0,
                error: "no plugin"
            })
        ));
    }

    #[test]
    #[should_panic(expected = "/panic")]
    fn a_decider_that_panics_does_not_leave_the_replay_hanging() {
        let panics = line("/panic");

        let _ = replay(trace(20_000, &[(600, &panics)]), 2, BadLines::Stop);
    }

    #[test]
    fn an_input_that_fails_midway_is_told() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
        }

        let error = replay(trace(1_000, &[]).chain(Fails), 2, BadLines::Stop).unwrap_err();

        assert!(
            matches!(error, ReplayError::Trace(TraceError { line: 1_001, .. })),
            "{error}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_number_of_workers_never_shows(lines in 0_usize..1_500, workers in 2_usize..6) {
            prop_assert_eq!(replay(trace(lines, &[]), workers, BadLines::Stop).unwrap().1, replay(trace(lines, &[]), 1, BadLines::Stop).unwrap().1);
        }
    }
}

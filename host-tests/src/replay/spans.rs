//! A replay under a policy that looks for campaigns.
//!
//! What is thought of accounts changes with what was observed, so that decisions would depend on how far
//! other workers are. Therefore the recording is divided into spans (minutes of request time): workers decide
//! a span in parallel; then all of them stop, tell what they observed, and one decider more, which decides
//! nothing, as the VM on Envoy's main thread, works until it is idle. Every decision sees what was thought
//! at the begin of its span, whatever the number of workers.
use super::{BadLines, Counts, Decider, ReplayError, ReplaySummary, decide_all, lock, rank};
use crate::decision_log::{DecisionLog, Ticket};
use crate::trace::{Batch, TraceReader};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use weir_engine::detect::feed::SPAN;
use weir_engine::time::Timestamp;

/// Records of one piece of work: enough that handing it over costs nothing beside it.
const PIECE: usize = 32;
/// How long after the begin of a span the leader looks at what came before.
const GRACE: Duration = Duration::from_secs(2);
/// From one tick of a leader with work to the next.
const BUSY_TICK: Duration = Duration::from_millis(10);
/// From one tick of a leader without work to the next, at least.
const TICK: Duration = Duration::from_millis(100);

/// Decides all of `reader` with `workers` (at least 1) deciders made by `make`, which is given the worker's
/// number; the leader's is `workers`. `room` is how many exchanges one worker can tell of before the leader
/// has to look (at least 1). The caller finishes `log` afterwards, or drops it to leave no result.
///
/// # Errors
/// [`ReplayError`]; `log` has then been abandoned.
pub fn run<D: Decider, W: Write + Send>(
    reader: TraceReader,
    log: &DecisionLog<W>,
    workers: usize,
    bad_lines: BadLines,
    room: usize,
    make: impl Fn(usize) -> Result<D, D::Error> + Sync,
) -> Result<ReplaySummary<D::Report>, ReplayError<D::Error>> {
    let workers = workers.max(1);
    let crew = Crew {
        state: Mutex::new(State {
            pieces: VecDeque::new(),
            out: 0,
            tick: None,
            round: 0,
            ticked: 0,
            end: false,
            failure: None,
        }),
        work: Condvar::new(),
        rest: Condvar::new(),
        log,
        bad_lines,
    };
    let (leader, outcomes) = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let (crew, make) = (&crew, &make);
                scope.spawn(move || crew.serve(worker, make))
            })
            .collect();
        // Also when leading panics: the workers wait for work.
        let _dismissal = Dismiss(&crew);
        let leader = make(workers).map_err(|error| ReplayError::Decider { line: 0, error });
        let leader = leader.and_then(|leader| {
            let mut conductor = Conductor {
                crew: &crew,
                workers,
                leader,
                room: room.max(PIECE),
                since_look: 0,
                end: None,
                latest: Timestamp::default(),
                leader_at: Timestamp::default(),
            };
            conductor.conduct(reader)?;
            Ok(conductor.leader)
        });
        let leader = leader.map_err(|failure| crew.fail(failure)).ok();
        crew.dismiss();
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        (leader, outcomes)
    });
    let mut summary = ReplaySummary {
        exchanges: 0,
        skipped: 0,
        reports: Vec::with_capacity(workers),
        leader: leader.map(Decider::report),
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
    match crew.lock().failure.take() {
        Some(failure) => {
            log.abandon();
            Err(failure)
        }
        None => Ok(summary),
    }
}

/// Consecutive records of a batch, and where their decisions go.
struct Piece<W: Write> {
    batch: Arc<Batch>,
    from: usize,
    to: usize,
    ticket: Ticket<W>,
}

struct State<W: Write, E> {
    pieces: VecDeque<Piece<W>>,
    /// Pieces handed out or waiting.
    out: usize,
    /// What every worker's timer is to be told in this round.
    tick: Option<Timestamp>,
    round: u64,
    ticked: usize,
    end: bool,
    failure: Option<ReplayError<E>>,
}

/// The workers, and what they are told.
struct Crew<'a, W: Write, E> {
    state: Mutex<State<W, E>>,
    /// There is something to do.
    work: Condvar,
    /// Something was done.
    rest: Condvar,
    log: &'a DecisionLog<W>,
    bad_lines: BadLines,
}

enum Order<W: Write> {
    Decide(Piece<W>),
    Tick(Timestamp),
    Leave,
}

impl<W: Write, E> Crew<'_, W, E> {
    fn lock(&self) -> MutexGuard<'_, State<W, E>> {
        lock(&self.state)
    }

    fn serve<D: Decider<Error = E>>(
        &self,
        worker: usize,
        make: &impl Fn(usize) -> Result<D, E>,
    ) -> Option<(Counts, D::Report)> {
        let leaving = Abandon(self);
        let mut decider = match make(worker) {
            Ok(decider) => decider,
            Err(error) => {
                self.fail(ReplayError::Decider { line: 0, error });
                return None;
            }
        };
        let (mut counts, mut decision) = (Counts::default(), Vec::new());
        let mut round = 0;
        loop {
            let done = match self.order(&mut round) {
                Order::Leave => break,
                Order::Tick(now) => {
                    let ticked = decider.tick(now);
                    self.lock().ticked += 1;
                    ticked
                        .map(|_| ())
                        .map_err(|error| ReplayError::Decider { line: 0, error })
                }
                Order::Decide(piece) => {
                    let records = piece.batch.records();
                    let records = records.skip(piece.from).take(piece.to - piece.from);
                    let decided = decide_all(
                        records,
                        self.bad_lines,
                        &mut decider,
                        &mut counts,
                        &mut decision,
                    );
                    let done = decided.and_then(|decisions| Ok(piece.ticket.submit(decisions)?));
                    self.lock().out -= 1;
                    done
                }
            };
            if let Err(failure) = done {
                self.fail(failure);
                return None;
            }
            self.rest.notify_all();
        }
        std::mem::forget(leaving);
        self.lock()
            .failure
            .is_none()
            .then(|| (counts, decider.report()))
    }

    fn order(&self, round: &mut u64) -> Order<W> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() {
                return Order::Leave;
            }
            if let Some(piece) = state.pieces.pop_front() {
                return Order::Decide(piece);
            }
            if let Some(now) = state.tick.filter(|_| *round < state.round) {
                *round = state.round;
                return Order::Tick(now);
            }
            if state.end {
                return Order::Leave;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until `done` holds, or somebody failed; false then.
    fn wait(&self, done: impl Fn(&State<W, E>) -> bool) -> bool {
        let mut state = self.lock();
        while !done(&state) && state.failure.is_none() {
            state = self
                .rest
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.failure.is_none()
    }

    fn fail(&self, failure: ReplayError<E>) {
        {
            let mut state = self.lock();
            let kept = &mut state.failure;
            if kept.as_ref().is_none_or(|kept| rank(&failure) < rank(kept)) {
                *kept = Some(failure);
            }
        }
        self.log.abandon();
        self.work.notify_all();
        self.rest.notify_all();
    }

    fn dismiss(&self) {
        self.lock().end = true;
        self.work.notify_all();
    }
}

struct Dismiss<'a, 'b, W: Write, E>(&'a Crew<'b, W, E>);

impl<W: Write, E> Drop for Dismiss<'_, '_, W, E> {
    fn drop(&mut self) {
        self.0.dismiss();
    }
}

/// A worker that panics must not be waited for.
struct Abandon<'a, 'b, W: Write, E>(&'a Crew<'b, W, E>);

impl<W: Write, E> Drop for Abandon<'_, '_, W, E> {
    fn drop(&mut self) {
        if thread::panicking() {
            let abandoned = crate::decision_log::DecisionLogError::Abandoned;
            self.0.fail(ReplayError::Log(abandoned));
        }
    }
}

/// Reads, hands out, and keeps the spans apart.
struct Conductor<'a, 'b, W: Write, D: Decider> {
    crew: &'a Crew<'b, W, D::Error>,
    workers: usize,
    leader: D,
    room: usize,
    /// Records handed out since the leader looked.
    since_look: usize,
    /// When the span ends; `None` before the first record.
    end: Option<Timestamp>,
    /// The latest time in the recording so far.
    latest: Timestamp,
    leader_at: Timestamp,
}

impl<W: Write, D: Decider> Conductor<'_, '_, W, D> {
    fn conduct(&mut self, mut reader: TraceReader) -> Result<(), ReplayError<D::Error>> {
        loop {
            let mut batch = Batch::default();
            let more = match reader.next_batch(&mut batch) {
                Ok(more) => more,
                Err(error) => {
                    // Lines before it come first, as without spans.
                    self.crew.wait(|state| state.out == 0);
                    return Err(error.into());
                }
            };
            if !more {
                break;
            }
            let batch = Arc::new(batch);
            let mut from = 0;
            for (index, record) in batch.records().enumerate() {
                let now = record.time().unwrap_or(self.latest).max(self.latest);
                let begins = self.end.is_none_or(|end| now >= end);
                if begins || self.since_look >= self.room || index - from == PIECE {
                    self.hand_out(&batch, from, index)?;
                    from = index;
                }
                self.latest = now;
                if begins {
                    self.begin_span(now)?;
                } else if self.since_look >= self.room {
                    self.look()?;
                }
                self.since_look += 1;
            }
            self.hand_out(&batch, from, batch.len())?;
        }
        self.crew.wait(|state| state.out == 0);
        // The lease is the leader's until the workers have settled.
        self.lead(self.latest.max(after(self.leader_at, TICK)))?;
        Ok(())
    }

    fn hand_out(
        &self,
        batch: &Arc<Batch>,
        from: usize,
        to: usize,
    ) -> Result<(), ReplayError<D::Error>> {
        if from == to {
            return Ok(());
        }
        let ticket = self.crew.log.ticket()?;
        let piece = Piece {
            batch: Arc::clone(batch),
            from,
            to,
            ticket,
        };
        let mut state = self.crew.lock();
        state.out += 1;
        state.pieces.push_back(piece);
        drop(state);
        self.crew.work.notify_one();
        Ok(())
    }

    /// Ends the span before `now`: everybody stops and tells, then the leader works until it is idle.
    fn begin_span(&mut self, now: Timestamp) -> Result<(), ReplayError<D::Error>> {
        let before = self.end.replace(end_of_span(now));
        let Some(end) = before else {
            // So that the leader leads, and no worker.
            self.lead(now)?;
            return Ok(());
        };
        self.since_look = 0;
        if !self.crew.wait(|state| state.out == 0) {
            return Ok(());
        }
        self.lead(end.max(after(self.leader_at, TICK)))?;
        {
            let mut state = self.crew.lock();
            state.tick = Some(end);
            state.round += 1;
            state.ticked = 0;
        }
        self.crew.work.notify_all();
        let workers = self.workers;
        if self.crew.wait(|state| state.ticked == workers) {
            // Also after a pause of the recording it closes everything before the span that begins.
            let begin = begin_of_span(now);
            let mut at = now
                .max(after(begin, GRACE))
                .max(after(self.leader_at, TICK));
            while !self.lead(at)? {
                at = after(at, BUSY_TICK);
            }
        }
        Ok(())
    }

    /// Lets the leader read what workers have told before its room runs out. It does not end a span.
    fn look(&mut self) -> Result<(), ReplayError<D::Error>> {
        self.since_look = 0;
        let mut at = self.latest.max(after(self.leader_at, TICK));
        let end = self.end.map(|end| after(end, Duration::from_secs(1)));
        // A recording with so much in so little time runs ahead of the leader, and loses observations.
        if end.is_some_and(|end| at < end) && self.crew.wait(|state| state.out == 0) {
            while !self.lead(at)? {
                at = after(at, BUSY_TICK);
            }
        }
        Ok(())
    }

    fn lead(&mut self, now: Timestamp) -> Result<bool, ReplayError<D::Error>> {
        self.leader_at = now;
        let ticked = self.leader.tick(now);
        ticked.map_err(|error| ReplayError::Decider { line: 0, error })
    }
}

fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by)
}

fn begin_of_span(time: Timestamp) -> Timestamp {
    let span = SPAN.as_secs();
    let begin = time.as_unix_seconds() / span * span;
    Timestamp::from_unix_nanos(begin.saturating_mul(1_000_000_000))
}

fn end_of_span(time: Timestamp) -> Timestamp {
    after(begin_of_span(time), SPAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TraceLine;
    use std::io::Cursor;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A board, what was told of the span, and how often the leader worked.
    #[derive(Default)]
    struct World {
        board: AtomicU64,
        told: AtomicU64,
        /// When the leader looked last, nanoseconds.
        looked: AtomicU64,
    }

    /// Decides with what the board showed; the last one leads.
    struct Echo<'a> {
        world: &'a World,
        leads: bool,
        waiting: u64,
        rest: u8,
    }

    impl Decider for Echo<'_> {
        type Error = &'static str;
        type Report = u64;
        fn decide(
            &mut self,
            _: u64,
            exchange: &TraceLine<'_>,
            out: &mut Vec<u8>,
        ) -> Result<(), &'static str> {
            assert!(!self.leads && exchange.path != "/panic");
            let begun = begin_of_span(exchange.time);
            let looked = self.world.looked.load(Ordering::SeqCst);
            let first = exchange.time < Timestamp::from_unix_nanos(1_700_000_040_000_000_000);
            assert!(first || looked >= after(begun, GRACE).as_unix_nanos());
            if exchange.path == "/broken" {
                return Err("broken");
            }
            self.waiting += 1;
            let seen = self.world.board.load(Ordering::SeqCst);
            write!(out, "{{\"seen\":{seen}}}").unwrap();
            Ok(())
        }
        fn tick(&mut self, now: Timestamp) -> Result<bool, &'static str> {
            if self.leads {
                let looked = &self.world.looked;
                looked.store(now.as_unix_nanos(), Ordering::SeqCst);
                // Three ticks of work each time.
                self.rest = (self.rest + 1) % 3;
                if self.rest == 0 {
                    let told = self.world.told.load(Ordering::SeqCst);
                    self.world.board.store(told, Ordering::SeqCst);
                }
                return Ok(self.rest == 0);
            }
            let waiting = std::mem::take(&mut self.waiting);
            self.world.told.fetch_add(waiting, Ordering::SeqCst);
            Ok(true)
        }
        fn report(self) -> u64 {
            self.waiting
        }
    }

    fn trace(strange: Option<(u64, &str)>) -> Cursor<String> {
        // 1,500 exchanges, one a second, with an hour's gap in between.
        Cursor::new(
            (0..1_500_u64)
                .map(|index| {
                    let gap = if index > 700 { 3_600 } else { 0 };
                    let time = Timestamp::from_unix_nanos((1_700_000_000 + gap + index) * 1_000_000_000);
                    let path = strange.filter(|(at, _)| *at == index).map_or("/", |(_, path)| path);
                    format!("{{\"time\":\"{time}\",\"request\":{{\"method\":\"GET\",\"path\":\"{path}\"}}}}\n")
                })
                .collect(),
        )
    }

    fn replay(
        strange: Option<(u64, &str)>,
        workers: usize,
        room: usize,
    ) -> Result<(u64, String), ReplayError<&'static str>> {
        let world = World::default();
        let log = DecisionLog::new(Vec::new(), workers * 2);
        let reader = TraceReader::new(trace(strange)).unwrap();
        let summary = run(reader, &log, workers, BadLines::Stop, room, |worker| {
            Ok(Echo {
                world: &world,
                leads: worker == workers,
                waiting: 0,
                rest: 0,
            })
        })?;
        let (text, _) = log.into_sink().unwrap();
        Ok((summary.exchanges, String::from_utf8(text).unwrap()))
    }

    #[test]
    fn every_decision_sees_what_was_thought_at_the_begin_of_its_span() {
        let (count, text) = replay(None, 1, usize::MAX).unwrap();

        assert_eq!(count, 1_500);
        let mut expected = (0, 0, 0);
        for (index, line) in text.lines().enumerate() {
            let second = 1_700_000_000 + if index > 700 { 3_600 } else { 0 } + index as u64;
            if second / 60 != expected.0 {
                expected = (second / 60, index, expected.1);
            }
            assert!(
                line.ends_with(&format!("\"seen\":{}}}", expected.1)),
                "{index}: {line}"
            );
        }
    }

    #[test]
    fn the_number_of_workers_does_not_show() {
        let one = replay(None, 1, usize::MAX).unwrap();

        for workers in [2, 4] {
            assert_eq!(replay(None, workers, usize::MAX).unwrap(), one);
        }
    }

    #[test]
    fn a_decider_that_fails_ends_the_replay() {
        for workers in [1, 3] {
            let error = replay(Some((600, "/broken")), workers, 48).unwrap_err();

            assert_eq!(
                error.to_string(),
                "the exchange of line 601 cannot be decided: broken"
            );
        }
    }

    #[test]
    fn a_line_that_is_no_exchange_ends_the_replay() {
        let error = replay(Some((600, "\"")), 2, 48).unwrap_err();

        assert!(error.to_string().contains("line 601"), "{error}");
    }

    #[test]
    #[should_panic(expected = "/panic")]
    fn a_decider_that_panics_does_not_leave_the_replay_hanging() {
        let _ = replay(Some((600, "/panic")), 2, usize::MAX);
    }
}

//! Decisions of parallel workers, written in the order of the trace.
//!
//! The reader takes a [`Ticket`] for each batch, in order; whoever decides the batch redeems it
//! with [`Ticket::submit`], in any order. Only taking a ticket ever waits: until fewer than
//! `window` batches are on their way. So memory is bounded by `window` batches and no worker can
//! block another. A ticket that is dropped without being redeemed (a worker that failed) aborts
//! the log, and nothing is written half: [`DecisionLog::finish`] alone makes the file appear.
use crate::output::Output;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

const BUFFER_BYTES: usize = 256 << 10;

/// Why decisions cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DecisionLogError {
    /// The target failed.
    #[error("cannot write decisions")]
    Write(#[from] io::Error),
    /// A batch was dropped undecided.
    #[error("a worker gave up before it had decided its batch")]
    Abandoned,
    /// A decision was not one JSON object on one line.
    #[error("the decision of line {line} is not one JSON object without line breaks")]
    NotAnObject {
        /// Line of the trace.
        line: u64,
    },
}

/// The decisions of one batch, one line each.
#[derive(Debug, Default)]
pub struct Decisions {
    text: Vec<u8>,
    count: u64,
}

impl Decisions {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds the decision of the trace's line `line`: a JSON object without line breaks, as the
    /// plugin gives it; `"line":N` becomes its first member.
    ///
    /// # Errors
    /// [`DecisionLogError::NotAnObject`]; the plugin is at fault.
    pub fn push(&mut self, line: u64, decision: &[u8]) -> Result<(), DecisionLogError> {
        let decision = decision.trim_ascii();
        let members = decision
            .strip_prefix(b"{")
            .filter(|members| members.ends_with(b"}") && !decision.contains(&b'\n'))
            .ok_or(DecisionLogError::NotAnObject { line })?;
        write!(self.text, "{{\"line\":{line}")?;
        if members.trim_ascii() != b"}" {
            self.text.push(b',');
        }
        self.text.extend_from_slice(members);
        self.text.push(b'\n');
        self.count += 1;
        Ok(())
    }
    /// Number of decisions.
    pub fn len(&self) -> u64 {
        self.count
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// The lines.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

/// An ordered log of decisions.
pub struct DecisionLog<W: Write = Output> {
    shared: Arc<Shared<W>>,
}

struct Shared<W: Write> {
    state: Mutex<State<W>>,
    room: Condvar,
    window: u64,
}

struct State<W: Write> {
    /// Taken by the end.
    sink: Option<io::BufWriter<W>>,
    /// Tickets given out.
    issued: u64,
    /// Batches written: every ticket below is done.
    written: u64,
    /// Batches decided ahead of their turn; fewer than `window`.
    waiting: BTreeMap<u64, Decisions>,
    decisions: u64,
    failure: Option<Failure>,
}

/// The first failure; told as an error once, then as its kind.
enum Failure {
    Write(io::Error),
    Abandoned,
}

impl Failure {
    fn to_error(&self) -> DecisionLogError {
        match self {
            Self::Write(error) => {
                DecisionLogError::Write(io::Error::new(error.kind(), error.to_string()))
            }
            Self::Abandoned => DecisionLogError::Abandoned,
        }
    }
}

impl DecisionLog<Output> {
    /// Writes to the file `target` (`-` is standard output) with at most `window` batches on their way.
    ///
    /// # Errors
    /// Where `target` cannot be written.
    pub fn create(target: &Path, window: usize) -> io::Result<Self> {
        Ok(Self::new(Output::create(target)?, window))
    }
    /// Writes what is buffered and makes the file appear under its name. Gives the number of decisions.
    ///
    /// # Errors
    /// [`DecisionLogError`] of the first failure; the file is then as it was before.
    pub fn finish(self) -> Result<u64, DecisionLogError> {
        let (output, decisions) = self.into_sink()?;
        output.commit()?;
        Ok(decisions)
    }
}

impl<W: Write> DecisionLog<W> {
    /// Writes to `sink` with at most `window` batches (at least 1) on their way.
    pub fn new(sink: W, window: usize) -> Self {
        let state = State {
            sink: Some(io::BufWriter::with_capacity(BUFFER_BYTES, sink)),
            issued: 0,
            written: 0,
            waiting: BTreeMap::new(),
            decisions: 0,
            failure: None,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                room: Condvar::new(),
                window: window.max(1) as u64,
            }),
        }
    }
    /// The place of the next batch. Waits while `window` batches are on their way.
    ///
    /// # Errors
    /// [`DecisionLogError`] as soon as the log has failed: stop reading then.
    pub fn ticket(&self) -> Result<Ticket<W>, DecisionLogError> {
        let mut state = self.shared.lock();
        while state.failure.is_none() && state.issued - state.written >= self.shared.window {
            state = self
                .shared
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(failure) = &state.failure {
            return Err(failure.to_error());
        }
        let place = state.issued;
        state.issued += 1;
        Ok(Ticket {
            shared: Arc::clone(&self.shared),
            place,
            redeemed: false,
        })
    }
    /// Ends the log without a result, for a reason that the caller knows: every ticket taken or
    /// redeemed from now on fails with [`DecisionLogError::Abandoned`].
    pub fn abandon(&self) {
        self.shared.abandon();
    }
    /// Most batches on their way.
    pub fn window(&self) -> usize {
        self.shared.window as usize
    }
    /// The sink with everything written to it, and the number of decisions. Waits for tickets still out.
    ///
    /// # Errors
    /// [`DecisionLogError`] of the first failure.
    pub fn into_sink(self) -> Result<(W, u64), DecisionLogError> {
        let mut state = self.shared.lock();
        while state.failure.is_none() && state.written < state.issued {
            state = self
                .shared
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(failure) = &state.failure {
            return Err(failure.to_error());
        }
        let sink = state.sink.take().ok_or(DecisionLogError::Abandoned)?;
        let sink = sink.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok((sink, state.decisions))
    }
}

impl<W: Write> Shared<W> {
    /// The state, also after a panic elsewhere: its ticket's drop has marked the failure.
    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn abandon(&self) {
        self.lock().failure.get_or_insert(Failure::Abandoned);
        self.room.notify_all();
    }
}

/// The right, and the duty, to hand in one batch of decisions.
pub struct Ticket<W: Write = Output> {
    shared: Arc<Shared<W>>,
    place: u64,
    redeemed: bool,
}

impl<W: Write> Ticket<W> {
    /// Hands in the batch's decisions; written as soon as every earlier batch is. Never waits for
    /// another batch.
    ///
    /// # Errors
    /// [`DecisionLogError`] of the log's first failure.
    pub fn submit(mut self, decisions: Decisions) -> Result<(), DecisionLogError> {
        self.redeemed = true;
        let mut guard = self.shared.lock();
        let state = &mut *guard;
        state.waiting.insert(self.place, decisions);
        while state.failure.is_none()
            && let Some(decisions) = state.waiting.remove(&state.written)
            && let Some(sink) = &mut state.sink
        {
            match sink.write_all(&decisions.text) {
                Ok(()) => {
                    state.written += 1;
                    state.decisions += decisions.count;
                }
                Err(error) => state.failure = Some(Failure::Write(error)),
            }
        }
        self.shared.room.notify_all();
        match &state.failure {
            Some(failure) => Err(failure.to_error()),
            None => Ok(()),
        }
    }
}

impl<W: Write> Drop for Ticket<W> {
    fn drop(&mut self) {
        if !self.redeemed {
            self.shared.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::mpsc;
    use std::thread;

    fn batch(lines: impl IntoIterator<Item = u64>) -> Decisions {
        let mut decisions = Decisions::new();
        for line in lines {
            decisions
                .push(line, format!("{{\"score\":{line}}}").as_bytes())
                .unwrap();
        }
        decisions
    }

    #[test]
    fn the_line_is_the_first_member_of_its_decision() {
        let mut decisions = Decisions::new();

        decisions.push(7, b" {\"time\":1} ").unwrap();
        decisions.push(8, b"{}").unwrap();

        assert_eq!(
            decisions.as_bytes(),
            b"{\"line\":7,\"time\":1}\n{\"line\":8}\n"
        );
        assert_eq!(decisions.len(), 2);
    }

    #[test]
    fn what_would_break_one_line_per_decision_is_refused() {
        for bad in [&b""[..], b"null", b"{", b"}", b"{\n}"] {
            let refused = Decisions::new().push(3, bad);

            assert!(
                matches!(refused, Err(DecisionLogError::NotAnObject { line: 3 })),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_ticket_is_not_given_before_there_is_room() {
        let log = DecisionLog::new(Vec::new(), 2);
        let (first, second) = (log.ticket().unwrap(), log.ticket().unwrap());
        let (sender, receiver) = mpsc::channel();

        thread::scope(|scope| {
            scope.spawn(|| {
                let third = log.ticket().unwrap();
                sender.send("third").unwrap();
                third.submit(batch([3])).unwrap();
            });
            second.submit(batch([2])).unwrap();
            assert!(
                receiver.try_recv().is_err(),
                "two batches are still on their way"
            );
            first.submit(batch([1])).unwrap();
            assert_eq!(receiver.recv(), Ok("third"));
        });

        assert_eq!(log.into_sink().unwrap().1, 3);
    }

    #[test]
    fn an_abandoned_batch_fails_everyone_and_leaves_the_former_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("decisions.jsonl");
        std::fs::write(&target, "former").unwrap();
        let log = DecisionLog::create(&target, 4).unwrap();
        let (first, second) = (log.ticket().unwrap(), log.ticket().unwrap());

        drop(first);

        assert!(matches!(
            second.submit(batch([2])),
            Err(DecisionLogError::Abandoned)
        ));
        assert!(matches!(
            log.ticket().map(|_| ()),
            Err(DecisionLogError::Abandoned)
        ));
        assert!(matches!(log.finish(), Err(DecisionLogError::Abandoned)));
        assert_eq!(std::fs::read(&target).unwrap(), b"former");
    }

    #[test]
    fn a_sink_that_fails_is_told_to_whoever_comes_next() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = DecisionLog::new(Full, 4);

        log.ticket().unwrap().submit(batch([1])).unwrap(); // still in the buffer
        let end = log.into_sink().map(|_| ());

        assert!(
            matches!(end, Err(DecisionLogError::Write(error)) if error.kind() == io::ErrorKind::StorageFull)
        );
    }

    proptest! {
        #[test]
        fn any_order_of_completion_gives_the_order_of_the_trace(order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let log = DecisionLog::new(Vec::new(), order.len());
            let mut tickets: Vec<_> = order.iter().map(|_| log.ticket().ok()).collect();

            for place in order {
                let ticket = tickets[place].take().unwrap();
                ticket.submit(batch([place as u64 * 2 + 1, place as u64 * 2 + 2])).unwrap();
            }

            let (text, count) = log.into_sink().unwrap();
            let expected = batch(1..=24);
            prop_assert_eq!(count, 24);
            prop_assert_eq!(text, expected.as_bytes());
        }

        #[test]
        fn many_threads_with_little_room_give_the_order_of_the_trace(workers in 1_usize..5, window in 1_usize..4, batches in 0_u64..40) {
            let log = DecisionLog::new(Vec::new(), window);
            let (sender, receiver) = mpsc::sync_channel(1);
            let receiver = Mutex::new(receiver);

            thread::scope(|scope| {
                for _ in 0..workers {
                    scope.spawn(|| {
                        loop {
                            let Ok((ticket, line)): Result<(Ticket<Vec<u8>>, u64), _> = receiver.lock().unwrap().recv() else { break };
                            ticket.submit(batch([line])).unwrap();
                        }
                    });
                }
                for line in 1..=batches {
                    sender.send((log.ticket().unwrap(), line)).unwrap();
                }
                drop(sender);
            });

            let expected = batch(1..=batches);
            prop_assert_eq!(log.into_sink().unwrap().0, expected.as_bytes());
        }
    }
}

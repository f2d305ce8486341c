//! Brings the two decisions of each exchange together as they are written, and forgets them.
//!
//! Each replay writes its log into a [`Side`], in the order of the trace; what one side has and the other
//! has not yet waits here. Nobody waits for anybody: how far one replay can be ahead is bounded by
//! [`super::feed`], so this is as well.
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Compares two decisions of one exchange.
pub trait Compare {
    /// Takes in both, one JSON object each.
    ///
    /// # Errors
    /// Where they are no decisions, or not of one exchange; ends both replays.
    fn compare(&mut self, before: &[u8], after: &[u8]) -> Result<(), PairingError>;
}

/// Why decisions cannot be compared: a defect of ours or of the plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// Something in a log is no decision.
    #[error("what was written for line {line} is {error}")]
    NoDecision {
        /// Line of the trace, as far as known.
        line: u64,
        /// What it is instead.
        error: crate::decision::NoDecision,
    },
    /// An action that this command does not know: the plugin is newer than it.
    #[error("line {line} was decided with an action that is not known here")]
    UnknownAction {
        /// Line of the trace.
        line: u64,
    },
    /// The decisions are of different exchanges.
    #[error("the policy decided line {before} where the candidate decided line {after}")]
    Apart {
        /// Line of the policy's.
        before: u64,
        /// Line of the candidate's.
        after: u64,
    },
    /// One of them decided more exchanges than the other.
    #[error("the policy and the candidate did not decide the same number of exchanges")]
    Unpaired,
}

/// Where two logs meet.
pub struct Pairing<C> {
    meeting: Mutex<Meeting<C>>,
}

struct Meeting<C> {
    before: Lines,
    after: Lines,
    compare: C,
    failure: Option<PairingError>,
}

impl<C: Compare> Pairing<C> {
    /// Nothing yet.
    pub fn new(compare: C) -> Arc<Self> {
        Arc::new(Self {
            meeting: Mutex::new(Meeting {
                before: Lines::default(),
                after: Lines::default(),
                compare,
                failure: None,
            }),
        })
    }
    /// The sinks of both logs: the policy's and the candidate's.
    pub fn sides(self: &Arc<Self>) -> [Side<C>; 2] {
        [false, true].map(|is_after| Side {
            pairing: Arc::clone(self),
            is_after,
        })
    }
    /// What failed, if something did.
    pub fn failure(&self) -> Option<PairingError> {
        self.lock().failure.clone()
    }
    /// The comparison, after both logs have ended.
    ///
    /// # Errors
    /// [`PairingError`]: its first, or that something is left over.
    pub fn finish(self: Arc<Self>) -> Result<C, PairingError> {
        let pairing = Arc::into_inner(self).ok_or(PairingError::Unpaired)?;
        let meeting = pairing
            .meeting
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match meeting.failure {
            Some(failure) => Err(failure),
            None if meeting.before.is_empty() && meeting.after.is_empty() => Ok(meeting.compare),
            None => Err(PairingError::Unpaired),
        }
    }
    fn lock(&self) -> MutexGuard<'_, Meeting<C>> {
        self.meeting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One replay's sink.
pub struct Side<C> {
    pairing: Arc<Pairing<C>>,
    is_after: bool,
}

impl<C: Compare> Write for Side<C> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut meeting = self.pairing.lock();
        let meeting = &mut *meeting;
        let lines = match self.is_after {
            false => &mut meeting.before,
            true => &mut meeting.after,
        };
        lines.bytes.extend_from_slice(bytes);
        while meeting.failure.is_none()
            && let (Some(before), Some(after)) = (meeting.before.first(), meeting.after.first())
        {
            match meeting.compare.compare(before, after) {
                Ok(()) => {
                    meeting.before.pop();
                    meeting.after.pop();
                }
                Err(failure) => meeting.failure = Some(failure),
            }
        }
        meeting.before.compact();
        meeting.after.compact();
        match &meeting.failure {
            Some(failure) => Err(io::Error::other(failure.clone())),
            None => Ok(bytes.len()),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines that wait.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Where the first line begins.
    begin: usize,
    /// Where it ends, its line feed excluded, once that was looked for.
    end: Option<usize>,
    /// How far no line feed was found.
    searched: usize,
}

impl Lines {
    fn first(&mut self) -> Option<&[u8]> {
        if self.end.is_none() {
            let from = self.searched.max(self.begin);
            let found = memchr::memchr(b'\n', self.bytes.get(from..)?);
            self.end = found.map(|at| from + at);
            self.searched = self.bytes.len();
        }
        self.bytes.get(self.begin..self.end?)
    }
    fn pop(&mut self) {
        if let Some(end) = self.end.take() {
            self.begin = end + 1;
            self.searched = self.begin;
        }
    }
    fn is_empty(&self) -> bool {
        self.begin >= self.bytes.len()
    }
    /// Gives back what was compared, as soon as that is most of it.
    fn compact(&mut self) {
        if self.begin > self.bytes.len() / 2 {
            self.bytes.drain(..self.begin);
            self.end = self.end.map(|end| end - self.begin);
            self.searched = self.searched.saturating_sub(self.begin);
            self.begin = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Pairs(Vec<(String, String)>);

    impl Compare for Pairs {
        fn compare(&mut self, before: &[u8], after: &[u8]) -> Result<(), PairingError> {
            if before == b"bad" {
                return Err(PairingError::Unpaired);
            }
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            self.0.push((text(before), text(after)));
            Ok(())
        }
    }

    #[test]
    fn what_fails_is_told_to_both_sides_and_in_the_end() {
        let pairing = Pairing::new(Pairs::default());
        let [mut before, mut after] = pairing.sides();

        before.write_all(b"bad\n").unwrap();
        assert!(after.write_all(b"1\n").is_err());
        assert!(before.write_all(b"2\n").is_err());
        drop((before, after));

        assert_eq!(pairing.finish().err(), Some(PairingError::Unpaired));
    }

    #[test]
    fn a_decision_without_its_counterpart_is_an_error() {
        let pairing = Pairing::new(Pairs::default());
        let [mut before, after] = pairing.sides();

        before.write_all(b"1\n").unwrap();
        drop((before, after));

        assert_eq!(pairing.finish().err(), Some(PairingError::Unpaired));
    }

    proptest! {
        #[test]
        fn lines_meet_their_counterparts_however_the_logs_are_cut(
            lines in 0_usize..60,
            cuts in prop::collection::vec((any::<bool>(), 1_usize..40), 0..200),
        ) {
            let pairing = Pairing::new(Pairs::default());
            let mut sides = pairing.sides();
            let mut texts = ["a", "b"].map(|side| (0..lines).map(|line| format!("{side}{line}\n")).collect::<String>());

            for (is_after, length) in cuts {
                let side = usize::from(is_after);
                let rest = texts[side].split_off(length.min(texts[side].len()));
                sides[side].write_all(texts[side].as_bytes()).unwrap();
                texts[side] = rest;
            }
            for side in [1, 0] {
                sides[side].write_all(texts[side].as_bytes()).unwrap();
            }
            drop(sides);

            let pairs = pairing.finish().unwrap().0;
            let expected: Vec<_> = (0..lines).map(|line| (format!("a{line}"), format!("b{line}"))).collect();
            prop_assert_eq!(pairs, expected);
        }
    }
}

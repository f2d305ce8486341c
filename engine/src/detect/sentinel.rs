//! One VM's part in detection: tells what it sees, asks what is thought, and leads when it is its turn.
//!
//! Ties feed, lease, board and [`Judge`] together. Observations reach the leader within about a second; it keeps
//! them until their span (a minute) is over, sorts them, so that the number of workers does not show, and
//! feeds its judge. All work is counted, so that one tick stays about a millisecond; time comes as an argument.
mod leader;

use super::{
    Detector,
    board::BoardReader,
    feed::FeedWriter,
    lease::Lease,
    observation::Observation,
    room::{self, Room},
    standing::Standing,
};
use crate::{
    policy::Detection,
    store::{CounterStore, StoreError},
    time::Timestamp,
};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use leader::Leader;

/// Whoever judges accounts by what was observed: the [`Detector`].
pub trait Judge {
    /// Takes an observation; they come in time order.
    fn observe(&mut self, observation: &Observation);
    /// Does about `work` units of what is due until `now`; true when nothing is left.
    fn advance(&mut self, now: Timestamp, work: usize) -> bool;
    /// What it thinks of an account, also of one that it does not know.
    fn standing(&self, account: u64) -> Standing;
    /// Moves accounts whose standing changed since they were last asked for to `out`, at most `max`.
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>, max: usize);
}

impl Judge for Detector {
    fn observe(&mut self, observation: &Observation) {
        Self::observe(self, observation);
    }
    fn advance(&mut self, now: Timestamp, work: usize) -> bool {
        Self::advance(self, now, work)
    }
    fn standing(&self, account: u64) -> Standing {
        Self::standing(self, account)
    }
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>, max: usize) {
        Self::take_changed(self, out, max);
    }
}

/// What happened since the VM started; the leader's figures are 0 elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentinelStats {
    /// Observations of this VM's own exchanges.
    pub observed: u64,
    /// Observations that never reached a leader, as far as this VM knows.
    pub lost: u64,
    /// Observations beyond what the leader keeps of open spans.
    pub shed: u64,
    /// Observations that came after their span was closed; they count for the next one.
    pub late: u64,
    /// Observations that the judge was given.
    pub judged: u64,
    /// Ticks in which this VM led.
    pub passes: u64,
    /// Changes of standings written to the board.
    pub published: u64,
    /// Standings that had no room on the board.
    pub evicted: u64,
    /// Values in shared data that were damaged.
    pub corrupt: u64,
    /// Times that shared data could not be reached.
    pub failures: u64,
}

/// One VM's part in detection.
pub struct Sentinel {
    room: Room,
    max_open: usize,
    writer: FeedWriter,
    board: BoardReader,
    lease: Lease,
    leader: Option<Leader>,
    judge: Box<dyn Fn() -> Box<dyn Judge>>,
    /// It gave the lease back once, for it serves streams.
    yielded: bool,
    failures: u64,
}

impl fmt::Debug for Sentinel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinel")
            .field("room", &self.room)
            .field("leads", &self.leads())
            .finish_non_exhaustive()
    }
}

impl Sentinel {
    /// A VM's part under `detection`; `owner` names the VM (random, not 0).
    ///
    /// # Errors
    /// The store's own, when the division of memory could not be agreed.
    pub fn start(
        detection: &Detection,
        owner: u64,
        store: &mut impl CounterStore,
    ) -> Result<Self, StoreError> {
        let own = detection.clone();
        let judge =
            move || -> Box<dyn Judge> { Box::new(Detector::new(own.profile(), own.settings())) };
        Self::with_judge(detection.memory(), owner, Box::new(judge), store)
    }

    /// A VM's part with another judge, made when the VM is to lead for the first time.
    ///
    /// # Errors
    /// The store's own, when the division of memory could not be agreed.
    pub fn with_judge(
        memory: u64,
        owner: u64,
        judge: Box<dyn Fn() -> Box<dyn Judge>>,
        store: &mut impl CounterStore,
    ) -> Result<Self, StoreError> {
        let room = Room::within(memory).agree(store)?;
        Ok(Self {
            room,
            max_open: room::open_within(memory),
            writer: FeedWriter::new(owner, room.ring),
            board: BoardReader::new(room.buckets),
            lease: Lease::new(owner),
            leader: None,
            judge,
            yielded: false,
            failures: 0,
        })
    }

    /// Takes what one exchange left. No call; every 48th makes four.
    pub fn observe(
        &mut self,
        observation: &Observation,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) {
        self.writer.push(observation, now, store);
    }

    /// What is thought of an account; mostly without a call ([`BoardReader::standing`]).
    pub fn standing(
        &mut self,
        account: u64,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Standing {
        self.board.standing(account, now, store)
    }

    /// Writes what waits, and leads if it is this VM's turn. True when nothing is left to do before the clock
    /// moves on; a leader with more to do is best ticked again soon.
    pub fn tick(
        &mut self,
        now: Timestamp,
        serves_streams: bool,
        store: &mut impl CounterStore,
    ) -> bool {
        self.writer.tick(now, store);
        self.board.tick();
        if !self.lease.keep(now, serves_streams, store) {
            return true;
        }
        let leader = self
            .leader
            .get_or_insert_with(|| Leader::new((self.judge)(), self.room, self.max_open));
        if serves_streams && !self.yielded && leader.is_new() {
            // Streams came to this VM after all; the one without may take over, as nothing is learned yet.
            self.yielded = true;
            self.lease.release(now, store);
            return true;
        }
        leader.tick(now, store).unwrap_or_else(|_| {
            self.failures = self.failures.saturating_add(1);
            true
        })
    }

    /// Writes everything that waits: the VM may be about to end.
    pub fn flush(&mut self, now: Timestamp, store: &mut impl CounterStore) {
        self.writer.flush(now, store);
    }

    /// Whether observations wait in this VM, so that a tick has to know the time.
    pub fn is_waiting(&self) -> bool {
        self.writer.is_waiting()
    }

    /// Whether this VM led when it last looked.
    pub fn leads(&self) -> bool {
        self.lease.leads()
    }

    /// Accounts on the board by state from `watch` on, where this VM leads.
    pub fn accounts(&self) -> Option<[u64; 4]> {
        let leader = self.leader.as_ref().filter(|_| self.leads())?;
        Some(leader.accounts())
    }

    /// What happened since the VM started.
    pub fn stats(&self) -> SentinelStats {
        let (feed, board) = (self.writer.stats(), self.board.corrupt());
        let mut stats = SentinelStats {
            observed: feed.observations,
            lost: feed.lost,
            corrupt: feed.corrupt.saturating_add(board),
            failures: self.failures,
            ..SentinelStats::default()
        };
        if let Some(leader) = &self.leader {
            leader.add_to(&mut stats);
        }
        stats
    }
}

#[cfg(test)]
mod tests;

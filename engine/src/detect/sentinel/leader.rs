//! What the leading VM does on its ticks.
use super::{Judge, SentinelStats};
use crate::{
    detect::{
        Observation, Standing,
        board::BoardWriter,
        feed::{FeedReader, SPAN},
        room::Room,
    },
    store::{CounterStore, StoreError},
    time::Timestamp,
};
use alloc::{boxed::Box, vec::Vec};
use core::{cmp::Ordering, time::Duration};

/// A span is closed so long after its end: pages of every worker have arrived by then.
const GRACE: Duration = Duration::from_secs(2);
/// Units of work that one tick does; about a millisecond.
const WORK: usize = 2_000;
/// What feeding one observation is worth.
const OBSERVE_WORK: usize = 4;
/// What publishing one standing is worth.
const PUBLISH_WORK: usize = 16;
/// Pages that one tick reads.
const PAGES: usize = 32;

/// The leader's part.
pub(super) struct Leader {
    judge: Box<dyn Judge>,
    reader: FeedReader,
    board: BoardWriter,
    max_open: usize,
    /// Observations of spans that are not closed.
    open: Vec<Observation>,
    /// Observations of closed spans in the order in which they are judged, and the next of them.
    closed: Vec<Observation>,
    next: usize,
    /// Every span before this point is closed.
    boundary: Timestamp,
    /// The judge was brought to this point.
    advanced: Timestamp,
    changed: Vec<(u64, Standing)>,
    confirmed: u64,
    stats: SentinelStats,
}

impl Leader {
    pub(super) fn new(judge: Box<dyn Judge>, room: Room, max_open: usize) -> Self {
        Self {
            judge,
            reader: FeedReader::new(room.ring),
            board: BoardWriter::new(room.buckets),
            max_open,
            open: Vec::new(),
            closed: Vec::new(),
            next: 0,
            boundary: Timestamp::default(),
            advanced: Timestamp::default(),
            changed: Vec::new(),
            confirmed: 0,
            stats: SentinelStats::default(),
        }
    }

    /// Whether it was told nothing yet.
    pub(super) fn is_new(&self) -> bool {
        self.reader.stats().observations == 0
    }

    pub(super) fn accounts(&self) -> [u64; 4] {
        self.board.counts()
    }

    pub(super) fn add_to(&self, stats: &mut SentinelStats) {
        let feed = self.reader.stats();
        stats.lost = stats.lost.saturating_add(feed.lost);
        stats.corrupt = stats.corrupt.saturating_add(feed.corrupt);
        stats.shed = self.stats.shed;
        stats.late = self.stats.late;
        stats.judged = self.stats.judged;
        stats.passes = self.stats.passes;
        stats.published = self.stats.published;
        stats.evicted = self.board.evicted();
    }

    /// One slice of work; true when nothing is left to do before the clock moves on.
    pub(super) fn tick(
        &mut self,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<bool, StoreError> {
        self.stats.passes = self.stats.passes.saturating_add(1);
        if !self.read(store)? {
            return Ok(false);
        }
        if self.next >= self.closed.len() {
            self.close(now);
        }
        let mut work = WORK;
        let judged = self.judge(&mut work);
        let published = self.publish(now, &mut work, store)?;
        Ok(judged && published)
    }

    /// Reads new pages; true when nothing is left.
    fn read(&mut self, store: &mut impl CounterStore) -> Result<bool, StoreError> {
        let before = self.open.len();
        let all = self.reader.collect(PAGES, store, &mut self.open);
        for observation in self.open.get_mut(before..).unwrap_or_default() {
            if observation.time < self.boundary {
                observation.time = self.boundary;
                self.stats.late = self.stats.late.saturating_add(1);
            }
        }
        let judging = self.closed.len().saturating_sub(self.next);
        let room = self.max_open.saturating_sub(judging);
        let shed = self.open.len().saturating_sub(room);
        let shed = u64::try_from(shed).unwrap_or(u64::MAX);
        self.stats.shed = self.stats.shed.saturating_add(shed);
        self.open.truncate(room);
        all
    }

    /// Closes the spans that are over.
    fn close(&mut self, now: Timestamp) {
        let grace = u64::try_from(GRACE.as_nanos()).unwrap_or_default();
        let settled = now.as_unix_nanos().saturating_sub(grace);
        let boundary = begin_of_span(Timestamp::from_unix_nanos(settled));
        if boundary <= self.boundary {
            return;
        }
        self.boundary = boundary;
        self.closed.clear();
        self.next = 0;
        let closed = &mut self.closed;
        self.open.retain(|observation| {
            let over = observation.time < boundary;
            if over {
                closed.push(*observation);
            }
            !over
        });
        // Stable, so nothing but the content counts; all fields, so that equals are the same.
        self.closed.sort_by(canonical);
    }

    /// Feeds the judge; true when it has been told everything of the closed spans and has nothing left to do.
    fn judge(&mut self, work: &mut usize) -> bool {
        while let Some(observation) = self.closed.get(self.next) {
            let begin = begin_of_span(observation.time);
            if *work == 0 || !advance(&mut *self.judge, &mut self.advanced, begin, work) {
                return false;
            }
            self.judge.observe(observation);
            self.stats.judged = self.stats.judged.saturating_add(1);
            self.next = self.next.saturating_add(1);
            *work = work.saturating_sub(OBSERVE_WORK);
        }
        advance(&mut *self.judge, &mut self.advanced, self.boundary, work)
    }

    /// Writes standings that changed, and those that have to be confirmed; true when none is left.
    fn publish(
        &mut self,
        now: Timestamp,
        work: &mut usize,
        store: &mut impl CounterStore,
    ) -> Result<bool, StoreError> {
        let hour = now.as_unix_seconds() / 3600;
        if self.confirmed != hour {
            let most = WORK / PUBLISH_WORK;
            let unconfirmed = self.board.unconfirmed(now, most);
            if unconfirmed.len() < most {
                self.confirmed = hour;
            }
            let judge = &self.judge;
            let standings = unconfirmed.iter().map(|id| (*id, judge.standing(*id)));
            self.changed.extend(standings);
        }
        let mut all = false;
        // At least one, so that a busy judge does not hold standings back for ever.
        while !all {
            if self.changed.is_empty() {
                self.judge
                    .take_changed(&mut self.changed, WORK / PUBLISH_WORK);
            }
            let Some((account, standing)) = self.changed.last() else {
                all = true;
                break;
            };
            self.board.publish(*account, standing, now, store)?;
            self.changed.pop();
            self.stats.published = self.stats.published.saturating_add(1);
            *work = work.saturating_sub(PUBLISH_WORK);
            if *work == 0 {
                break;
            }
        }
        self.board.announce(&self.judge.standing(0), store)?;
        Ok(all)
    }
}

/// Brings the judge to `until`; true when it is there.
fn advance(
    judge: &mut dyn Judge,
    advanced: &mut Timestamp,
    until: Timestamp,
    work: &mut usize,
) -> bool {
    if until <= *advanced {
        return true;
    }
    if !judge.advance(until, *work) {
        *work = 0;
        return false;
    }
    *advanced = until;
    true
}

fn begin_of_span(time: Timestamp) -> Timestamp {
    let span = u64::try_from(SPAN.as_nanos()).unwrap_or(u64::MAX);
    let nanos = time.as_unix_nanos();
    let into = nanos.checked_rem(span).unwrap_or_default();
    Timestamp::from_unix_nanos(nanos.saturating_sub(into))
}

/// Time, account, prompt, then everything else.
fn canonical(left: &Observation, right: &Observation) -> Ordering {
    let key = |of: &Observation| {
        (
            of.time,
            of.account,
            of.prompt.user.exact,
            of.prompt.system.exact,
        )
    };
    key(left).cmp(&key(right)).then_with(|| {
        let wire = |of: &Observation| {
            let mut bytes = Vec::new();
            of.write(&mut bytes);
            bytes
        };
        wire(left).cmp(&wire(right))
    })
}

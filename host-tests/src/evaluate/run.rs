//! One seed: exchanges through judges, with scores and baselines beside.
//!
//! Several judges (a profile and its ablations) may look at one world, which is made only once. In the
//! closed loop the first judge's restrictions refuse requests and the world reacts; the others then
//! see a world that somebody else guards, so ablations belong into the open loop.
use super::baselines::{BaselineScores, Baselines};
use super::{Exchanges, Judge, Scoreboard, SeedScore, Window};
use serde::Serialize;
use std::time::{Duration, Instant};
use weir_engine::detect::feed::SPAN;
use weir_engine::detect::{Observation, Standing, State};
use weir_engine::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// One observation in this many is timed, so that the clock does not show in the total.
const TIMED_EVERY: u64 = 256;
/// Progress is told this often.
const TOLD_EVERY: u64 = 1 << 14;

/// Whether restrictions bite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loop {
    /// Everything is served; the judge only watches.
    Open,
    /// Restricted accounts are refused, and attackers react.
    Closed,
}

impl Loop {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A judge and what it is called.
pub struct Lane {
    /// `weir`, or the ablation's name.
    pub name: String,
    /// The judge.
    pub judge: Box<dyn Judge>,
}

/// What the first judge cost. Wall time: differs from run to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Exchanges, those of the burn-in included.
    pub exchanges: u64,
    /// Mean nanoseconds to take one observation, sampled.
    pub observe_ns: f64,
    /// Seconds in everything that was due between observations (passes over all accounts).
    pub pass_s: f64,
    /// The longest of these, in seconds.
    pub longest_pass_s: f64,
    /// Nanoseconds an exchange, observation and passes together.
    pub total_ns: f64,
    /// Bytes held by number of accounts seen, at the end of each day.
    pub memory: Vec<(u64, u64)>,
    /// Wall seconds of the whole run, world and baselines included.
    pub seconds: f64,
}

/// What one seed came to.
pub struct SeedRun {
    /// By lane, in the order given.
    pub lanes: Vec<(String, SeedScore)>,
    /// The baselines, where they were asked for.
    pub baselines: Option<BaselineScores>,
    /// What the first judge cost.
    pub cost: Cost,
}

/// Runs `exchanges` to their end. `progress` is told of exchanges done since it was told last.
pub fn run<E: Exchanges + ?Sized>(
    exchanges: &mut E,
    lanes: Vec<Lane>,
    mut baselines: Option<Baselines>,
    mode: Loop,
    mut progress: impl FnMut(u64),
) -> SeedRun {
    let begun = Instant::now();
    let window = exchanges.window();
    let mut seats: Vec<Seat> = lanes
        .into_iter()
        .map(|lane| Seat {
            board: Scoreboard::new(window, exchanges.campaigns()),
            lane,
        })
        .collect();
    let mut meter = Meter::default();
    let mut changed = Vec::new();
    let mut observation = Observation::default();
    let mut step = window.begin;
    let mut days = Days::new(window);
    while let Some(turn) = exchanges.next(&mut observation) {
        if turn.time >= step {
            for (index, seat) in seats.iter_mut().enumerate() {
                let passing = Instant::now();
                seat.lane.judge.advance(turn.time);
                if index == 0 {
                    meter.passed(passing.elapsed());
                }
                seat.settle(turn.time, &mut changed);
            }
            step = end_of_span(turn.time);
            while let Some(scored) = days.ended(turn.time) {
                end_day(scored, &mut seats, baselines.as_mut(), &mut meter);
            }
        }
        let mut refused = false;
        for (index, seat) in seats.iter_mut().enumerate() {
            let person = exchanges.person(turn.account);
            let state = seat.board.exchange(&turn, observation.account, person);
            refused |= index == 0 && mode == Loop::Closed && state >= State::Restrict;
        }
        if refused {
            // Nothing was served, so nothing was used: as the plugin tells it.
            observation.refused = true;
            (observation.input_tokens, observation.output_tokens) = (0, 0);
            exchanges.refused(&turn);
        }
        for (index, seat) in seats.iter_mut().enumerate() {
            if index == 0 && meter.cost.exchanges.is_multiple_of(TIMED_EVERY) {
                let observing = Instant::now();
                seat.lane.judge.observe(&observation);
                meter.observed(observing.elapsed());
            } else {
                seat.lane.judge.observe(&observation);
            }
        }
        if let Some(baselines) = &mut baselines {
            baselines.observe(turn.account, &observation);
        }
        meter.cost.exchanges += 1;
        if meter.cost.exchanges.is_multiple_of(TOLD_EVERY) {
            progress(TOLD_EVERY);
        }
    }
    progress(meter.cost.exchanges % TOLD_EVERY);
    for seat in &mut seats {
        seat.lane.judge.advance(window.end);
        seat.settle(window.end, &mut changed);
    }
    while let Some(scored) = days.ended(window.end) {
        end_day(scored, &mut seats, baselines.as_mut(), &mut meter);
    }
    if days.is_open(window.end) {
        end_day(true, &mut seats, baselines.as_mut(), &mut meter);
    }
    let baselines = baselines
        .zip(seats.first())
        .map(|(baselines, seat)| baselines.finish(&seat.board));
    SeedRun {
        lanes: seats
            .into_iter()
            .map(|seat| (seat.lane.name, seat.board.finish()))
            .collect(),
        baselines,
        cost: meter.finish(begun.elapsed()),
    }
}

struct Seat {
    lane: Lane,
    board: Scoreboard,
}

impl Seat {
    fn settle(&mut self, now: Timestamp, changed: &mut Vec<(u64, Standing)>) {
        changed.clear();
        self.lane.judge.take_changed(changed);
        for (account, standing) in changed.iter() {
            self.board.standing(*account, now, standing);
        }
    }
}

fn end_day(scored: bool, seats: &mut [Seat], baselines: Option<&mut Baselines>, meter: &mut Meter) {
    if scored {
        for seat in seats.iter_mut() {
            seat.board.end_day();
        }
    }
    let Some(first) = seats.first() else {
        return;
    };
    if let Some(baselines) = baselines {
        baselines.end_day(scored.then_some(&first.board));
    }
    meter
        .cost
        .memory
        .push((first.board.known(), first.lane.judge.memory_bytes() as u64));
}

/// When the span of `time` ends. What is due is done between two spans, as in a proxy, so that verdicts come
/// as soon and rest on the same exchanges.
fn end_of_span(time: Timestamp) -> Timestamp {
    let span = SPAN.as_nanos() as u64;
    let nanos = time.as_unix_nanos();
    Timestamp::from_unix_nanos(nanos - nanos % span).saturating_add(SPAN)
}

/// Ends of days, counted so that one day begins where scoring does.
struct Days {
    next: Timestamp,
    scored: Timestamp,
}

impl Days {
    fn new(window: Window) -> Self {
        let day = DAY.as_nanos() as u64;
        let burn_in = window.scored.saturating_since(window.begin).as_nanos() as u64;
        let first = match burn_in % day {
            0 => day,
            odd => odd,
        };
        Self {
            next: window.begin.saturating_add(Duration::from_nanos(first)),
            scored: window.scored,
        }
    }
    /// Whether a day ended by `now` that was not told yet, and whether it counts.
    fn ended(&mut self, now: Timestamp) -> Option<bool> {
        let end = self.next;
        (end <= now).then(|| {
            self.next = end.saturating_add(DAY);
            end > self.scored
        })
    }
    /// Whether a part of a day that counts is left at `end`.
    fn is_open(&self, end: Timestamp) -> bool {
        self.next.saturating_since(end) < DAY && end > self.scored
    }
}

#[derive(Default)]
struct Meter {
    cost: Cost,
    timed: u64,
    observing: Duration,
    passing: Duration,
    longest: Duration,
}

impl Meter {
    fn observed(&mut self, took: Duration) {
        self.timed += 1;
        self.observing += took;
    }
    fn passed(&mut self, took: Duration) {
        self.passing += took;
        self.longest = self.longest.max(took);
    }
    fn finish(mut self, took: Duration) -> Cost {
        let exchanges = self.cost.exchanges.max(1) as f64;
        self.cost.observe_ns = self.observing.as_nanos() as f64 / self.timed.max(1) as f64;
        self.cost.pass_s = self.passing.as_secs_f64();
        self.cost.longest_pass_s = self.longest.as_secs_f64();
        self.cost.total_ns = self.cost.observe_ns + self.passing.as_nanos() as f64 / exchanges;
        self.cost.seconds = took.as_secs_f64();
        self.cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::fixture::{Hundred, Toy};

    fn lanes() -> Vec<Lane> {
        vec![Lane {
            name: "weir".to_owned(),
            judge: Box::<Hundred>::default(),
        }]
    }

    #[test]
    fn the_open_loop_refuses_nobody_and_still_tells_what_was_served() {
        let mut toy = Toy::new(0, 10);

        let run = run(&mut toy, lanes(), None, Loop::Open, |_| {});

        let (_, score) = &run.lanes[0];
        let campaign = &score.campaigns[0];
        assert_eq!(toy.refused, 0);
        assert_eq!((campaign.accounts, campaign.restricted), (10, 10));
        assert_eq!(campaign.attack, 10 * 24 * 9);
        assert_eq!(campaign.served, 10 * 100);
        assert_eq!(score.organic.acted, 20);
        assert_eq!(score.strata[1].accounts, 1);
        assert_eq!(score.days.len(), 9);
    }

    #[test]
    fn the_closed_loop_tells_the_world_of_each_refusal() {
        let mut toy = Toy::new(0, 10);

        let run = run(&mut toy, lanes(), None, Loop::Closed, |_| {});

        let (_, score) = &run.lanes[0];
        let refused =
            score.campaigns[0].attack - score.campaigns[0].served + score.organic.requests_refused;
        assert!(refused > 0);
        assert_eq!(toy.refused as u64, refused);
    }

    #[test]
    fn progress_adds_up_to_all_exchanges_and_cost_knows_the_accounts() {
        let mut done = 0;

        let run = run(&mut Toy::new(0, 10), lanes(), None, Loop::Open, |more| {
            done += more;
        });

        assert_eq!(done, run.cost.exchanges);
        assert_eq!(run.cost.memory.last(), Some(&(30, 30 * 16)));
        assert_eq!(run.cost.memory.len(), 10);
    }
}

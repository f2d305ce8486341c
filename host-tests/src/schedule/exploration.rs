//! Running a model in one order after the other.
use std::fmt;
use std::thread;

use super::baton::Played;
use super::search::Walk;
use super::{Order, Schedule, Step};
use crate::worker::Worker;

/// Which orders are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// How orders are chosen.
    pub search: Search,
    /// Orders at most; an exhaustive search that meets it is not [`Explored::complete`].
    pub max_orders: u64,
    /// Steps after which an order is no longer chosen but continued fairly; twice as many are a livelock.
    pub max_steps: usize,
}

/// How orders are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// All of them, depth first. Their number grows with the factorial of the steps: for small models.
    Exhaustive {
        /// How often a worker that could go on may be interrupted; `None` is no bound. Most races need two.
        preemptions: Option<u32>,
    },
    /// Random walks: at each step any worker that can move is as likely.
    Random {
        /// Seed of the walks.
        seed: u64,
    },
    /// One order, which goes on by itself where it ends early.
    Replay(Order),
}

impl Exploration {
    /// Every order.
    pub const fn exhaustive() -> Self {
        Self::with(Search::Exhaustive { preemptions: None }, u64::MAX)
    }
    /// `orders` random ones.
    pub const fn random(seed: u64, orders: u64) -> Self {
        Self::with(Search::Random { seed }, orders)
    }
    /// The one that a failure printed.
    pub const fn replay(order: Order) -> Self {
        Self::with(Search::Replay(order), 1)
    }
    const fn with(search: Search, max_orders: u64) -> Self {
        Self {
            search,
            max_orders,
            max_steps: 1_000,
        }
    }
}

type Body<'a> = Box<dyn FnOnce(&mut Worker) + Send + 'a>;
type Check<'a> = Box<dyn FnOnce() -> Result<(), String> + 'a>;

/// A model in its initial state. It has to be the same each time: the same workers, a fresh process
/// ([`crate::Plugin::in_new_process`]), no clock and no randomness of its own.
#[derive(Default)]
pub struct Run<'a> {
    workers: Vec<(Worker, Body<'a>)>,
    check: Option<Check<'a>>,
}

impl<'a> Run<'a> {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }
    /// One more worker, which does this on a thread of its own. It lives until the check is over.
    #[must_use]
    pub fn worker(mut self, worker: Worker, body: impl FnOnce(&mut Worker) + Send + 'a) -> Self {
        self.workers.push((worker, Box::new(body)));
        self
    }
    /// What has to hold when all have ended; an error says what does not.
    #[must_use]
    pub fn then(mut self, check: impl FnOnce() -> Result<(), String> + 'a) -> Self {
        self.check = Some(Box::new(check));
        self
    }
}

/// What an exploration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Orders that were run.
    pub orders: u64,
    /// Orders among them that were longer than [`Exploration::max_steps`].
    pub cut: u64,
    /// Steps of the longest one.
    pub longest: usize,
    /// Whether there are no others (within the bound on preemptions), and none was cut.
    pub complete: bool,
    /// The first order that failed; the exploration ends there.
    pub failure: Option<Failing>,
}

/// An order that failed. `Display` prints it step by step, with the line that replays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// What went wrong.
    pub failure: Failure,
    /// For [`Exploration::replay`].
    pub order: Order,
    /// The same with hostcalls.
    pub steps: Vec<Step>,
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The check said so.
    Broken(String),
    /// Even when everybody moves in turn, nobody comes to an end within this many steps.
    Livelock {
        /// Steps.
        steps: usize,
    },
    /// A worker's body panicked.
    Panicked {
        /// Which.
        worker: usize,
    },
    /// The same choices led elsewhere: the model is not the same each time.
    Unrepeatable,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(what) => f.write_str(what),
            Self::Livelock { steps } => {
                write!(f, "livelock: nobody comes to an end within {steps} steps")
            }
            Self::Panicked { worker } => write!(f, "worker {worker} panicked"),
            Self::Unrepeatable => f.write_str(
                "the same order went another way than before; give each run a fresh process and no clock or randomness of its own",
            ),
        }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.failure)?;
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>4}. {step}", at + 1)?;
        }
        write!(f, "replay with the order \"{}\"", self.order)
    }
}

impl Schedule {
    /// Runs `model` in one order after the other until one fails or none is left.
    ///
    /// `model` is called before each; the processes of its workers must have this schedule, which serves
    /// one exploration at a time.
    ///
    /// # Errors
    /// What `model` answers; an order that fails is no error.
    pub fn explore<'a>(
        &self,
        exploration: &Exploration,
        mut model: impl FnMut() -> Result<Run<'a>, Box<dyn std::error::Error>>,
    ) -> Result<Explored, Box<dyn std::error::Error>> {
        let mut explored = Explored {
            orders: 0,
            cut: 0,
            longest: 0,
            complete: false,
            failure: None,
        };
        let mut walk = Walk::new(&exploration.search);
        while explored.orders < exploration.max_orders {
            let run = model()?;
            let (played, failure) = self.play(run, exploration.max_steps, walk);
            explored.orders += 1;
            explored.cut += u64::from(played.steps.len() > exploration.max_steps);
            explored.longest = explored.longest.max(played.steps.len());
            if let Some(failure) = failure {
                explored.failure = Some(Failing {
                    failure,
                    order: Order(played.steps.iter().map(|step| step.worker).collect()),
                    steps: played.steps,
                });
                break;
            }
            let Some(next) = played.walk else { break };
            walk = next;
            if !walk.advance() {
                explored.complete = walk.is_exhaustive() && explored.cut == 0;
                break;
            }
        }
        Ok(explored)
    }

    /// Runs one order; a failure is what went wrong in it.
    fn play(&self, run: Run<'_>, max_steps: usize, walk: Walk) -> (Played, Option<Failure>) {
        let baton = &*self.0;
        baton.begin(run.workers.len(), max_steps, walk);
        let workers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = run
                .workers
                .into_iter()
                .enumerate()
                .map(|(number, (mut worker, body))| {
                    scope.spawn(move || {
                        let _turn = baton.join(number);
                        body(&mut worker);
                        worker
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().ok())
                .collect()
        });
        let panicked = workers.iter().position(Option::is_none);
        let played = baton.end();
        let failure = if let Some(worker) = panicked {
            Some(Failure::Panicked { worker })
        } else if played.given_up {
            Some(Failure::Livelock {
                steps: played.steps.len(),
            })
        } else if played.walk.as_ref().is_some_and(Walk::diverged) {
            Some(Failure::Unrepeatable)
        } else {
            run.check
                .and_then(|check| check().err())
                .map(Failure::Broken)
        };
        (played, failure)
    }
}

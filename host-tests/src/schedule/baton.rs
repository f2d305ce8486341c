//! The baton: threads of which only one moves, and the choices of whom to hand it to.
use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::search::Walk;
use super::{GivenUp, Step};
use crate::hostcall::Hostcall;

thread_local! {
    /// Which worker of the running exploration this thread is.
    static WORKER: Cell<Option<usize>> = const { Cell::new(None) };
}

#[derive(Default)]
pub(super) struct Baton {
    game: Mutex<Game>,
    turn_came: Condvar,
}

#[derive(Default)]
struct Game {
    workers: Vec<Place>,
    turn: Option<usize>,
    walk: Option<Walk>,
    steps: Vec<Step>,
    max_steps: usize,
    /// Nobody got out: hostcalls fail now, so that threads end.
    given_up: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Its thread waits to begin.
    Begins,
    /// It moves alone now.
    Moves,
    /// It waits before this call.
    Waits(Hostcall),
    Ended,
}

/// How a game went.
pub(super) struct Played {
    pub(super) steps: Vec<Step>,
    pub(super) given_up: bool,
    pub(super) walk: Option<Walk>,
}

impl Game {
    /// Who moves next: everybody begins first, then the walk says.
    fn hand_on(&mut self, moved: Option<usize>) {
        let place = |wanted: fn(&Place) -> bool| {
            let workers = self.workers.iter().enumerate();
            workers
                .filter(|(_, place)| wanted(place))
                .map(|(worker, _)| worker)
                .collect::<Vec<_>>()
        };
        if let Some(first) = place(|place| *place == Place::Begins).first() {
            self.turn = Some(*first);
            return;
        }
        let able = place(|place| matches!(place, Place::Waits(_)));
        // Who only began has not moved yet.
        let moved = moved.filter(|worker| {
            able.contains(worker) && self.steps.last().is_some_and(|step| step.worker == *worker)
        });
        self.turn = match able.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.choose(&able, moved)),
        };
    }
    fn choose(&mut self, able: &[usize], moved: Option<usize>) -> usize {
        let first = able.first().copied().unwrap_or_default();
        if self.steps.len() >= self.max_steps {
            // Fairly: the next in the circle.
            let last = self.steps.last().map_or(0, |step| step.worker);
            return able
                .iter()
                .copied()
                .find(|able| *able > last)
                .unwrap_or(first);
        }
        let step = self.steps.len();
        self.walk
            .as_mut()
            .map_or(first, |walk| walk.choose(step, able, moved))
    }
    fn set(&mut self, worker: usize, place: Place) {
        if let Some(own) = self.workers.get_mut(worker) {
            *own = place;
        }
    }
}

impl Baton {
    fn lock(&self) -> MutexGuard<'_, Game> {
        self.game.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Sets a game for `workers` up.
    pub(super) fn begin(&self, workers: usize, max_steps: usize, walk: Walk) {
        *self.lock() = Game {
            workers: vec![Place::Begins; workers],
            turn: (workers > 0).then_some(0),
            walk: Some(walk),
            steps: Vec::new(),
            max_steps,
            given_up: false,
        };
    }
    pub(super) fn end(&self) -> Played {
        let game = std::mem::take(&mut *self.lock());
        Played {
            steps: game.steps,
            given_up: game.given_up,
            walk: game.walk,
        }
    }
    /// Makes this thread `worker` and waits until it may begin. Its turn ends with the guard.
    pub(super) fn join(&self, worker: usize) -> Turn<'_> {
        WORKER.set(Some(worker));
        let game = self.wait_for(self.lock(), worker);
        drop(game);
        Turn {
            baton: self,
            worker,
        }
    }
    fn wait_for<'a>(&'a self, game: MutexGuard<'a, Game>, worker: usize) -> MutexGuard<'a, Game> {
        let mut game = self
            .turn_came
            .wait_while(game, |game| game.turn != Some(worker))
            .unwrap_or_else(PoisonError::into_inner);
        game.set(worker, Place::Moves);
        game
    }
    pub(super) fn pass_on(&self, call: Hostcall) -> Result<(), GivenUp> {
        let Some(worker) = WORKER.get() else {
            return Ok(());
        };
        let mut game = self.lock();
        if game.given_up {
            return Err(GivenUp);
        }
        game.set(worker, Place::Waits(call));
        game.hand_on(Some(worker));
        if game.turn != Some(worker) {
            self.turn_came.notify_all();
        }
        let mut game = self.wait_for(game, worker);
        if game.given_up {
            return Err(GivenUp);
        }
        game.steps.push(Step { worker, call });
        if game.steps.len() > game.max_steps.saturating_mul(2) {
            game.given_up = true;
            return Err(GivenUp);
        }
        Ok(())
    }
}

/// A worker's part in the game; its end, by a panic too, hands the baton on.
pub(super) struct Turn<'a> {
    baton: &'a Baton,
    worker: usize,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        WORKER.set(None);
        let mut game = self.baton.lock();
        game.set(self.worker, Place::Ended);
        game.hand_on(None);
        self.baton.turn_came.notify_all();
    }
}

//! What a world promises.
mod campaigns;
mod leak;
mod life;
mod reactions;
mod scenarios;
mod strata;

use super::*;

/// What an account showed at first, and the truth about it.
struct Seen {
    person: Person,
    first: Turn,
    /// Of the program that it used first.
    shape: u64,
    after_burn_in: bool,
    /// Exchanges, own and customers'.
    turns: u32,
}

/// Lets a world go by; every account that had an exchange, in order of the first, and all exchanges.
fn seen(world: &mut World) -> (Vec<Seen>, u64) {
    let mut all: Vec<Option<Seen>> = Vec::new();
    let mut total = 0;
    while let Some(turn) = world.next() {
        total += 1;
        let index = turn.account as usize;
        if index >= all.len() {
            all.resize_with(index + 1, || None);
        }
        match &mut all[index] {
            Some(seen) => seen.turns += 1,
            none => {
                *none = Some(Seen {
                    person: world.person(turn.account).clone(),
                    first: turn,
                    shape: world.program(turn.program).shape,
                    after_burn_in: turn.time >= world.burn_in_end(),
                    turns: 1,
                });
            }
        }
    }
    // As the last exchange left it: client versions go on.
    for (index, seen) in all.iter_mut().enumerate() {
        if let Some(seen) = seen {
            seen.person = world.person(index as u32).clone();
        }
    }
    (all.into_iter().flatten().collect(), total)
}

/// A shipped world, changed.
fn world(name: &str, seed: u64, change: impl FnOnce(&mut WorldScenario)) -> World {
    let mut scenario = WorldScenario::load(name).unwrap();
    change(&mut scenario);
    World::new(&scenario, seed)
}

/// A world of few other people, for looking at strata and campaigns.
fn hamlet(seed: u64, change: impl FnOnce(&mut WorldScenario)) -> World {
    world("families", seed, |scenario| {
        scenario.accounts = 400;
        scenario.exchanges_per_day = 10_000.0;
        scenario.hard_negatives = 0.0;
        change(scenario);
    })
}

/// Whole days since the world began.
fn day(world: &World, turn: &Turn) -> usize {
    (turn.time.saturating_since(world.start()).as_secs() / 86_400) as usize
}

//! Ordinary people: how many, how much, how they react.
use super::{day, seen, world};
use crate::world::catalogue::Catalogue;
use crate::world::{Source, Turn, World};
use std::collections::{HashMap, HashSet};

const SECONDS_PER_DAY: u64 = 86_400;

/// Nobody but ordinary people, ten days of them.
fn people(seed: u64) -> World {
    world("village", seed, |scenario| {
        scenario.campaigns.clear();
        scenario.hard_negatives = 0.0;
    })
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let turns = |seed| {
        world("village", seed, |_| {})
            .take(60_000)
            .collect::<Vec<_>>()
    };

    let first = turns(1);

    assert_eq!(first, turns(1));
    let same = first
        .iter()
        .zip(turns(2))
        .filter(|(a, b)| a.text.seed == b.text.seed)
        .count();
    assert_eq!(same, 0);
}

#[test]
fn exchanges_come_in_time_order_until_the_last_day_and_never_before_the_account() {
    let mut world = world("village", 3, |_| {});
    let mut last = world.start();
    let end = u64::from(world.days()) * SECONDS_PER_DAY;

    while let Some(turn) = world.next() {
        assert!(turn.time >= last);
        assert!(turn.time >= world.person(turn.account).created);
        last = turn.time;
    }

    let lasted = last.saturating_since(world.start()).as_secs();
    assert!(lasted < end && lasted > end - 600, "{lasted} of {end}");
    assert_eq!(world.next(), None);
}

#[test]
fn as_many_exchanges_come_as_are_promised_fewer_at_weekends() {
    let mut world = world("incident", 1, |scenario| {
        scenario.campaigns.clear();
        scenario.scale = 0.25;
        (scenario.burn_in_days, scenario.days) = (7, 14);
    });
    let promised = 125_000.0;
    let mut days = vec![0.0; world.days() as usize];
    while let Some(turn) = world.next() {
        days[day(&world, &turn)] += 1.0;
    }

    for week in days.chunks(7) {
        let mean = week.iter().sum::<f64>() / 7.0;
        assert!((mean / promised - 1.0).abs() < 0.1, "{mean}");
    }
    // The world begins on a Wednesday.
    assert!(
        days[3] < 0.8 * days[2] && days[10] < 0.8 * days[9],
        "{days:?}"
    );
    let expected = world.exchanges_expected() as f64;
    assert!((days.iter().sum::<f64>() / expected - 1.0).abs() < 0.1);
}

#[test]
fn three_in_ten_active_accounts_are_younger_than_a_month_on_every_day() {
    let mut world = people(5);
    let mut active: HashMap<usize, HashMap<u32, bool>> = HashMap::new();
    while let Some(turn) = world.next() {
        let age = turn
            .time
            .saturating_since(world.person(turn.account).created)
            .as_secs();
        let day = day(&world, &turn);
        active
            .entry(day)
            .or_default()
            .insert(turn.account, age < 30 * SECONDS_PER_DAY);
    }

    for (day, accounts) in active {
        let young =
            accounts.values().filter(|young| **young).count() as f64 / accounts.len() as f64;
        assert!((0.24..0.37).contains(&young), "day {day}: {young:.3}");
    }
}

#[test]
fn two_in_five_requests_come_through_shared_tools_and_the_first_tool_is_the_most_used() {
    let mut world = people(6);
    let mut tools = vec![0_u32; crate::world::catalogue::TOOLS];
    let (mut total, mut private) = (0, 0);
    while let Some(turn) = world.next() {
        total += 1;
        if Catalogue::is_tool(turn.program) {
            tools[turn.program as usize] += 1;
        }
        private += u32::from(matches!(world.person(turn.account).kind, "app" | "batch"));
    }

    let share = f64::from(tools.iter().sum::<u32>()) / f64::from(total);
    assert!((0.32..0.48).contains(&share), "{share:.3}");
    let private = f64::from(private) / f64::from(total);
    assert!((0.15..0.45).contains(&private), "{private:.3}");
    let head: u32 = tools[..20].iter().sum();
    let tail: u32 = tools[100..120].iter().sum();
    assert!(head > 8 * tail, "{head} {tail}");
}

#[test]
fn a_fifth_of_the_accounts_sit_behind_prefixes_that_strangers_share() {
    let (all, _) = seen(&mut people(7));
    let mut prefixes: HashMap<u32, HashSet<u64>> = HashMap::new();
    for seen in &all {
        prefixes
            .entry((seen.first.address >> 32) as u32)
            .or_default()
            .insert(seen.person.organization);
    }

    let shared = all
        .iter()
        .filter(|seen| prefixes[&((seen.first.address >> 32) as u32)].len() >= 3);
    let share = shared.count() as f64 / all.len() as f64;
    assert!((0.12..0.4).contains(&share), "{share:.3}");
    let missing = all
        .iter()
        .filter(|seen| seen.person.verification.is_none())
        .count() as f64;
    assert!((0.04..0.1).contains(&(missing / all.len() as f64)));
}

#[test]
fn volume_is_heavy_tailed_over_accounts() {
    let (all, total) = seen(&mut people(8));
    let squares: f64 = all.iter().map(|seen| f64::from(seen.turns).powi(2)).sum();

    let effective = (total as f64).powi(2) / squares / all.len() as f64;

    assert!(effective < 0.25, "{effective:.3}");
}

#[test]
fn a_coding_session_grows_and_a_new_conversation_begins_from_nothing() {
    let mut last: HashMap<u32, Turn> = HashMap::new();
    let (mut loops, mut opened) = (0_u32, 0_u32);
    let mut world = people(9);
    while let Some(turn) = world.next() {
        if world.person(turn.account).kind != "ide" {
            continue;
        }
        if let Some(before) = last.insert(turn.account, turn)
            && before.text == turn.text
            && turn.step + turn.tool_results > 0
        {
            assert!(turn.input_tokens >= before.input_tokens);
            assert!(turn.step + turn.tool_results == before.step + before.tool_results + 1);
            loops += u32::from(turn.tool_results > before.tool_results);
        } else if turn.step == 0 {
            assert_eq!(turn.tool_results, 0);
            opened += 1;
        }
    }

    assert!(loops > 10_000 && opened > 10_000, "{loops} {opened}");
}

#[test]
fn whoever_is_refused_tries_a_little_and_leaves_and_nobody_else_notices() {
    let unlucky = |turn: &Turn| turn.account % 10 == 3;
    let day_two = 2 * SECONDS_PER_DAY;
    let mut undisturbed: HashMap<u32, Vec<Turn>> = HashMap::new();
    for turn in people(10) {
        undisturbed.entry(turn.account).or_default().push(turn);
    }

    let mut world = people(10);
    let mut refused: HashMap<u32, Vec<Turn>> = HashMap::new();
    let mut others: HashMap<u32, Vec<Turn>> = HashMap::new();
    while let Some(turn) = world.next() {
        let late = turn.time.saturating_since(world.start()).as_secs() >= day_two;
        if unlucky(&turn) && late {
            world.refused(&turn);
            refused.entry(turn.account).or_default().push(turn);
        } else if !unlucky(&turn) {
            others.entry(turn.account).or_default().push(turn);
        }
    }

    assert!(refused.len() > 100);
    for turns in refused.values() {
        assert!(turns.len() <= 8, "{}", turns.len());
        // The first retry is the same request.
        assert!(turns.len() < 2 || turns[1].program == turns[0].program);
    }
    undisturbed.retain(|account, _| account % 10 != 3);
    assert!(others == undisturbed);
}

#[test]
fn half_of_the_people_move_to_a_new_model_within_a_day() {
    let world = people(11);
    let release = world.release().unwrap();
    let mut before = HashSet::new();
    let mut after: HashMap<u32, bool> = HashMap::new();
    for turn in world {
        let new = turn.model == 3;
        let hours = turn.time.saturating_since(release).as_secs() / 3_600;
        if turn.time < release {
            assert!(!new, "before its release");
            before.insert(turn.account);
        } else if (24..72).contains(&hours) && before.contains(&turn.account) {
            *after.entry(turn.account).or_default() |= new;
        }
    }

    let share = after.values().filter(|new| **new).count() as f64 / after.len() as f64;
    assert!((0.42..0.62).contains(&share), "{share:.3}");
}

#[test]
fn what_is_said_through_an_app_repeats_and_what_people_type_does_not() {
    let mut templates: HashSet<(u32, u64)> = HashSet::new();
    let (mut slots, mut free, mut seeds) = (0_u32, 0_u32, HashSet::new());
    for turn in people(12).filter(|turn| turn.step == 0 && turn.tool_results == 0) {
        match turn.text.source {
            Source::Template(frame, _) => {
                slots += 1;
                templates.insert((frame, turn.text.seed));
            }
            _ => {
                free += 1;
                seeds.insert(turn.text.seed);
            }
        }
    }

    let repeated = 1.0 - templates.len() as f64 / f64::from(slots);
    assert!((0.15..0.8).contains(&repeated), "{repeated:.3}");
    assert!(seeds.len() as f64 > 0.9 * f64::from(free));
}

//! What a world promises.
use super::*;
use std::collections::HashMap;
use std::time::Instant;

#[test]
#[ignore = "prints figures"]
fn figures() {
    let name = std::env::var("WORLD").unwrap_or("incident".to_owned());
    let scenario = WorldScenario::load(&name).unwrap();
    let began = Instant::now();
    let mut world = World::new(&scenario, 1);
    println!(
        "new {:?}; expected {}",
        began.elapsed(),
        world.exchanges_expected()
    );
    let began = Instant::now();
    let mut days = HashMap::<u64, (u32, u32, u32, u32, u32)>::new();
    let mut total = 0_u64;
    let start = world.start();
    let mut seen: HashMap<u64, HashMap<u32, bool>> = HashMap::new();
    let mut kinds: HashMap<&'static str, u64> = HashMap::new();
    let profile = std::env::var("PROFILE").is_ok();
    while let Some(turn) = world.next() {
        total += 1;
        if profile {
            continue;
        }
        let day = turn.time.saturating_since(start).as_secs() / 86_400;
        let row = days.entry(day).or_default();
        let person = world.person(turn.account);
        *kinds
            .entry(person.hard_negative.unwrap_or(person.kind))
            .or_default() += 1;
        if person.campaign.is_some() {
            row.1 += 1;
            continue;
        }
        row.0 += 1;
        if catalogue::Catalogue::is_tool(turn.program) {
            row.2 += 1;
        }
        if matches!(world.program(turn.program).system, SystemText::Own(_))
            || (matches!(
                world.program(turn.program).kind,
                ProgramKind::App | ProgramKind::Batch
            ) && turn.program >= 260)
        {
            row.3 += 1;
        }
        let young = turn.time.saturating_since(person.created).as_secs() < 30 * 86_400;
        seen.entry(day).or_default().insert(turn.account, young);
    }
    let took = began.elapsed();
    println!(
        "{total} turns, {} ns each; {} people, {} bytes ({} each), {} programs",
        took.as_nanos() / u128::from(total),
        world.people(),
        world.memory_bytes(),
        world.memory_bytes() / world.people(),
        world.programs()
    );
    let mut all: Vec<_> = days.into_iter().collect();
    all.sort();
    for (day, (organic, campaign, tool, private, _)) in all {
        let active = &seen[&day];
        println!(
            "day {day}: organic {organic} campaign {campaign} tool {:.2} private {:.2} active {} young {:.2}",
            f64::from(tool) / f64::from(organic),
            f64::from(private) / f64::from(organic),
            active.len(),
            active.values().filter(|young| **young).count() as f64 / active.len() as f64
        );
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort();
    println!("{kinds:?}");
    println!("{:?}", world.campaigns().collect::<Vec<_>>());
}

//! Every hard negative is there, with what makes it hard.
use super::world;
use crate::world::{Person, Rewrite, Source, SystemText, TOPICS, Turn, World};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::OnceLock;

/// An account of a stratum and its exchanges.
struct Member {
    person: Person,
    turns: Vec<Turn>,
}

/// The strata of one world with few other people in it.
struct Strata {
    world: World,
    members: HashMap<&'static str, Vec<Member>>,
}

fn strata() -> &'static Strata {
    static STRATA: OnceLock<Strata> = OnceLock::new();
    STRATA.get_or_init(|| {
        let mut world = world("organic", 4, |scenario| {
            scenario.accounts = 400;
            scenario.exchanges_per_day = 40_000.0;
        });
        let mut turns: HashMap<u32, Vec<Turn>> = HashMap::new();
        while let Some(turn) = world.next() {
            if world.person(turn.account).hard_negative.is_some() {
                turns.entry(turn.account).or_default().push(turn);
            }
        }
        let mut members: HashMap<_, Vec<_>> = HashMap::new();
        for (account, turns) in turns {
            let person = world.person(account).clone();
            let stratum = person.hard_negative.unwrap_or_default();
            members
                .entry(stratum)
                .or_default()
                .push(Member { person, turns });
        }
        Strata { world, members }
    })
}

fn stratum(name: &str) -> &'static [Member] {
    &strata().members[name]
}

/// How often the most frequent of them occurs, as a share.
fn mode<T: Hash + Eq>(items: impl Iterator<Item = T>) -> f64 {
    let mut counts: HashMap<T, u32> = HashMap::new();
    items.for_each(|item| *counts.entry(item).or_default() += 1);
    let total: u32 = counts.values().sum();
    f64::from(counts.into_values().max().unwrap_or(0)) / f64::from(total)
}

fn all_turns(members: &'static [Member]) -> impl Iterator<Item = &'static Turn> {
    members.iter().flat_map(|member| &member.turns)
}

/// Shortest span in days in which this share of the members signed up.
fn signed_up_within(members: &[Member], share: f64) -> f64 {
    let mut created: Vec<_> = members
        .iter()
        .map(|member| member.person.created.as_unix_seconds())
        .collect();
    created.sort_unstable();
    let count = (members.len() as f64 * share) as usize;
    let spans = created
        .windows(count)
        .map(|window| window[count - 1] - window[0]);
    spans.min().unwrap_or(u64::MAX) as f64 / 86_400.0
}

#[test]
fn no_stratum_is_missing_or_too_small() {
    for (name, least) in [
        ("H1", 150),
        ("H2", 50),
        ("H3", 55),
        ("H4", 20),
        ("H5", 50),
        ("H6", 50),
        ("H7", 3),
        ("H8", 4),
        ("H9", 5),
        ("H10", 80),
        ("H11", 100),
        ("H12", 100),
        ("H13", 38),
    ] {
        let count = stratum(name).len();
        assert!(count >= least, "{name}: {count}");
    }
    assert_eq!(strata().members.len(), 13);
}

#[test]
fn h1_is_one_tool_with_one_system_prompt_and_many_kinds_of_users() {
    let members = stratum("H1");
    assert!(mode(all_turns(members).map(|turn| turn.program)) > 0.6);
    let program = all_turns(members)
        .next()
        .map(|turn| strata().world.program(turn.program).system);
    assert!(matches!(
        program,
        Some(SystemText::Fixed(_) | SystemText::None)
    ));
    assert!(signed_up_within(members, 0.5) > 20.0);
    assert!(mode(members.iter().map(|member| member.person.organization)) < 0.2);
}

#[test]
fn h2_brings_most_of_its_users_within_three_days() {
    let members = stratum("H2");
    let span = signed_up_within(members, 0.55);
    assert!(span < 3.1, "{span}");
    assert!(mode(all_turns(members).map(|turn| turn.program)) == 1.0);
    let begins = members.iter().map(|member| member.turns[0].time).min();
    assert!(begins >= Some(strata().world.burn_in_end()));
}

#[test]
fn h3_is_a_class_behind_one_nat_with_the_same_assignments() {
    let members = stratum("H3");
    assert!(signed_up_within(members, 1.0) < 7.0);
    assert!(mode(members.iter().map(|member| member.person.asn)) == 1.0);
    assert!(mode(all_turns(members).map(|turn| turn.address >> 32)) > 0.85);
    let mut items: HashMap<u32, HashSet<u64>> = HashMap::new();
    for member in members {
        for turn in &member.turns {
            if let Source::Verbatim(item, _) = turn.text.source {
                items.entry(item).or_default().insert(member.person.id);
            }
        }
    }
    assert!(items.len() <= 6 && items.values().all(|accounts| accounts.len() >= 20));
}

#[test]
fn h4_sends_the_same_tasks_from_twenty_accounts_in_long_loops() {
    let members = stratum("H4");
    assert_eq!(members.len(), 20);
    let mut tasks: HashMap<u32, HashSet<u64>> = HashMap::new();
    for member in members {
        for turn in &member.turns {
            if let Source::Verbatim(item, _) = turn.text.source {
                tasks.entry(item).or_default().insert(member.person.id);
            }
        }
    }
    let shared = tasks
        .values()
        .filter(|accounts| accounts.len() >= 4)
        .count();
    assert!(
        tasks.len() <= 500 && shared > 100,
        "{shared} of {}",
        tasks.len()
    );
    let in_loop = all_turns(members)
        .filter(|turn| turn.tool_results > 0)
        .count();
    assert!(in_loop * 2 > all_turns(members).count());
}

#[test]
fn h5_and_h6_are_one_organization_each_with_one_contract() {
    for name in ["H5", "H6"] {
        let members = stratum(name);
        assert!(mode(members.iter().map(|member| member.person.organization)) == 1.0);
        assert!(mode(members.iter().map(|member| member.person.payment)) == 1.0);
    }
    assert!(signed_up_within(stratum("H5"), 0.4) < 1.0);
    let programs: HashSet<_> = all_turns(stratum("H6")).map(|turn| turn.program).collect();
    assert!(programs.len() > 20, "{}", programs.len());
}

#[test]
fn h7_has_a_perfect_period_and_a_high_volume() {
    for member in stratum("H7") {
        let gaps = member
            .turns
            .windows(2)
            .map(|pair| pair[1].time.saturating_since(pair[0].time).as_nanos());
        assert_eq!(gaps.collect::<HashSet<_>>().len(), 1);
        assert!(member.turns.len() > 50_000, "{}", member.turns.len());
    }
}

#[test]
fn h8_asks_for_reasoning_and_grading_and_never_twice_for_the_same() {
    let mut work = HashSet::new();
    for turn in all_turns(stratum("H8")) {
        assert!(work.insert(turn.text.seed));
        let Source::Template(_, topic) = turn.text.source else {
            panic!("{turn:?}")
        };
        assert!(["grading", "reasoning"].contains(&TOPICS[usize::from(topic)]));
    }
    assert!(work.len() > 50_000);
}

#[test]
fn h9_says_its_instructions_anew_each_time() {
    for turn in all_turns(stratum("H9")) {
        assert!(turn.text.rewrite != Rewrite::Not);
        assert!(matches!(
            strata().world.program(turn.program).system,
            SystemText::Rewritten(_)
        ));
    }
}

#[test]
fn h10_looks_even_since_its_users_reach_their_cap() {
    let members = stratum("H10");
    let mut days: HashMap<(u64, u64), u32> = HashMap::new();
    for member in members {
        for turn in &member.turns {
            *days
                .entry((member.person.id, turn.time.as_unix_seconds() / 86_400))
                .or_default() += 1;
        }
    }
    let cap = *days.values().max().unwrap();
    assert!(cap < 30);
    let full = days.values().filter(|count| **count == cap).count() as f64 / days.len() as f64;
    assert!(full > 0.4, "{full:.2} of days reach {cap}");
    let company = mode(members.iter().map(|member| member.person.organization));
    assert!((0.4..0.6).contains(&company), "{company}");
}

#[test]
fn h11_goes_over_to_the_new_model_within_hours() {
    let release = strata().world.release().unwrap();
    for member in stratum("H11") {
        for turn in &member.turns {
            let hours = turn.time.saturating_since(release).as_secs_f64() / 3_600.0;
            // A session that goes on keeps its model.
            assert!(turn.model == 3 || hours < 36.0, "{hours} hours after");
        }
    }
}

#[test]
fn h12_is_a_hundred_new_accounts_in_48_hours_with_one_payment() {
    let members = stratum("H12");
    assert!(signed_up_within(members, 1.0) <= 2.0);
    assert!(mode(members.iter().map(|member| member.person.payment)) == 1.0);
}

#[test]
fn h13_is_one_card_and_many_organizations() {
    let members = stratum("H13");
    assert!(mode(members.iter().map(|member| member.person.payment)) == 1.0);
    assert!(members[0].person.payment.is_some());
    let organizations: HashSet<_> = members
        .iter()
        .map(|member| member.person.organization)
        .collect();
    assert!(organizations.len() > 25, "{}", organizations.len());
}

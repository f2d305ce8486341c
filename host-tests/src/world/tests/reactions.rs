//! What campaigns do when they are refused.
use super::hamlet;
use crate::world::{Replacement, Source, Turn, World};
use std::collections::{HashMap, HashSet};

/// Refuses everything that a campaign sends from some day on, at most `most` times; when it was done
/// and what came.
fn refuse(mut world: World, after_days: u64, most: usize) -> (World, Vec<Turn>, Vec<Turn>) {
    let begins = world.burn_in_end().as_unix_seconds() + after_days * 86_400;
    let (mut refused, mut later) = (Vec::new(), Vec::new());
    while let Some(turn) = world.next() {
        if world.person(turn.account).campaign.is_none() || turn.time.as_unix_seconds() < begins {
            continue;
        }
        if refused.len() < most {
            world.refused(&turn);
            refused.push(turn);
        } else {
            later.push(turn);
        }
    }
    (world, refused, later)
}

#[test]
fn a_refused_account_is_abandoned_and_replaced_within_minutes() {
    let (world, refused, later) = refuse(
        hamlet(42, |scenario| {
            scenario.campaigns.truncate(1);
            scenario.campaigns[0].replacement = Replacement {
                minutes: 8.0,
                warm: 0.1,
                change_template: 0.0,
            };
        }),
        12,
        120,
    );
    let lost: HashSet<_> = refused.iter().map(|turn| turn.account).collect();

    assert_eq!(lost.len(), refused.len(), "an abandoned account came again");
    let at_work: HashSet<_> = later.iter().map(|turn| turn.account).collect();
    assert!(at_work.is_disjoint(&lost));
    let facts = world.campaigns().next().unwrap();
    assert!(
        at_work.len() as f64 > 0.95 * f64::from(facts.accounts),
        "{} at work",
        at_work.len()
    );
    // Those that came after the first loss came within eight minutes of one, some from the warm pool.
    let fresh: HashMap<_, _> = later
        .iter()
        .rev()
        .map(|turn| (turn.account, turn.time))
        .collect();
    let oldest_loss = refused.first().unwrap().account;
    let (mut warm, mut cold) = (0, 0);
    for (account, first) in fresh.iter().filter(|(account, _)| **account > oldest_loss) {
        let person = world.person(*account);
        if person.campaign.is_none() || person.created < world.burn_in_end() {
            continue;
        }
        match first.saturating_since(person.created).as_secs() {
            ..3_600 => cold += 1,
            _ => warm += 1,
        }
    }
    assert!(warm > 0 && cold > 0, "{warm} warm, {cold} cold");
    let last = refused.last().unwrap().time;
    let back = later
        .iter()
        .filter(|turn| turn.time.saturating_since(last).as_secs() < 3_600)
        .count();
    assert!(back > 50, "{back} exchanges in the hour after");
}

#[test]
fn templates_change_after_a_ban_only_where_the_knob_says_so() {
    let frames = |change_template| {
        let (_, refused, later) = refuse(
            hamlet(43, |scenario| {
                scenario.campaigns.truncate(1);
                scenario.campaigns[0].replacement.change_template = change_template;
            }),
            12,
            150,
        );
        let frame = |turn: &Turn| match turn.text.source {
            Source::Template(frame, _) => frame,
            Source::Verbatim(..) | Source::Free(_) => 0,
        };
        let of = |turns: &[Turn]| -> HashSet<u32> { turns.iter().map(frame).collect() };
        // Loops that had begun go on with the old one.
        let last = refused.last().unwrap().time;
        let hours = |turn: &Turn| turn.time.saturating_since(last).as_secs() / 3_600;
        let afterwards: Vec<_> = later.into_iter().filter(|turn| hours(turn) >= 1).collect();
        let (before, after) = (of(&refused), of(&afterwards));
        (before.intersection(&after).count(), after.len())
    };

    assert_eq!(frames(1.0).0, 0);
    let (kept, all) = frames(0.0);
    assert!(kept + 2 >= all.min(3), "{kept} of {all}");
}

#[test]
fn a_campaign_that_does_not_replace_dies_out() {
    let (_, refused, later) = refuse(
        hamlet(44, |scenario| {
            scenario.campaigns.truncate(1);
            scenario.campaigns[0].replacement.minutes = 0.0;
        }),
        12,
        usize::MAX,
    );

    assert!(
        later.is_empty() && (180..=310).contains(&refused.len()),
        "{}",
        refused.len()
    );
}

use super::*;
use proptest::prelude::*;
use std::{vec, vec::Vec};

fn kept(words: &[u64]) -> Vec<u32> {
    let mut shingles = Shingles::default();
    for &word in words {
        shingles.word(mix(word), false);
    }
    let (kept, len) = shingles.finish();
    kept[..usize::from(len)].to_vec()
}

/// Words so few that none of the shingles taken has to go.
fn text(words: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(1..2000_u64, words)
}

proptest! {
    #[test]
    fn texts_that_share_a_run_of_window_and_two_words_share_a_shingle(
        run in text(WINDOW + 2..WINDOW + 3), a in text(0..4), b in text(0..4), c in text(0..4), d in text(0..4),
    ) {
        let one = kept(&[a, run.clone(), b].concat());
        let other = kept(&[c, run, d].concat());

        prop_assert!(one.iter().any(|shingle| other.contains(shingle)), "{:?} {:?}", one, other);
    }

    #[test]
    fn shingles_are_distinct_and_no_more_than_a_field_keeps(words in prop::collection::vec(1..30_u64, 0..400)) {
        let kept = kept(&words);

        prop_assert!(kept.len() <= SHINGLES);
        prop_assert_eq!(kept.is_empty(), words.len() < 3);
        for (at, shingle) in kept.iter().enumerate() {
            prop_assert!(!kept[..at].contains(shingle));
        }
    }

    #[test]
    fn a_template_around_a_slot_of_any_length_keeps_its_ends(slot in text(0..600), other in text(0..600)) {
        let template: Vec<u64> = (5000..5024).collect();
        let around = |slot: Vec<u64>| kept(&[&template[..12], &slot, &template[12..]].concat());
        let (one, other) = (around(slot), around(other));

        let shared = one.iter().filter(|shingle| other.contains(shingle)).count();
        prop_assert!(shared >= 4, "{shared}");
    }
}

#[test]
fn a_choice_by_content_keeps_half_of_what_is_half_shared() {
    let shingles = |own: u64, common: u64| {
        let mut kept = Kept::default();
        // Ends of their own, then a middle of which the second half is common.
        for nth in 0..400 {
            let from = if nth < 200 { own } else { common };
            kept.take(mix(nth + from * 1000) as u32 & !COMMON);
        }
        kept.middle.map(|(_, shingle)| shingle)
    };

    let (mut shared, mut all) = (0, 0);
    for pair in 0..200 {
        let (one, other) = (
            shingles(pair * 3, pair * 3 + 2),
            shingles(pair * 3 + 1, pair * 3 + 2),
        );
        shared += one.iter().filter(|shingle| other.contains(shingle)).count();
        all += MIDDLE;
    }

    let share = shared as f64 / all as f64;
    assert!((0.35..0.6).contains(&share), "{share}");
}

#[test]
fn words_on_both_sides_of_a_break_make_no_shingle() {
    let mut shingles = Shingles::default();
    for word in [1, 2] {
        shingles.word(mix(word), false);
    }
    shingles.end_run();
    for word in [3, 4] {
        shingles.word(mix(word), false);
    }

    assert_eq!(shingles.finish().1, 0);
}

#[test]
fn four_characters_make_a_shingle_where_words_have_no_spaces() {
    let mut shingles = Shingles::default();
    for character in 1..4 {
        shingles.character(mix(character));
    }
    assert_eq!(shingles.clone().finish().1, 0);

    shingles.character(mix(4));
    assert_eq!(shingles.finish().1, 1);
}

#[test]
fn a_shingle_of_stop_words_alone_gives_way_to_any_other() {
    let shingle = |stops: [bool; 3]| {
        let mut shingles = Shingles::default();
        for (word, is_stop) in (1..).zip(stops) {
            shingles.word(mix(word), is_stop);
        }
        vec![shingles.finish().0[0]]
    };

    assert!(shingle([true; 3])[0] >= COMMON);
    assert!(shingle([true, false, true])[0] < COMMON);
}

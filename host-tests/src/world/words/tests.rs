use super::*;
use crate::world::ProgramKind;
use std::collections::HashSet;
use weir_engine::detect::{SystemPrint, UserPrint};

const PLAIN: Text = Text {
    source: Source::Free(0),
    seed: 1,
    rewrite: Rewrite::Not,
};

fn words() -> Words {
    Words::new(7, Corpora::default())
}

fn said(words: &mut Words, source: Source, seed: u64, rewrite: Rewrite) -> String {
    let mut out = String::new();
    let text = Text {
        source,
        seed,
        rewrite,
    };
    words.user(&text, false, &mut out);
    out
}

fn instructed(words: &mut Words, system: SystemText, seed: u64) -> String {
    let spec = ProgramSpec {
        seed: 1,
        kind: ProgramKind::App,
        topic: 7,
        system,
        tools: None,
        shape: 1,
    };
    let mut out = String::new();
    words.system(&spec, &Text { seed, ..PLAIN }, &mut out);
    out
}

/// Runs of three words, as anybody would compare two texts.
fn runs(text: &str) -> HashSet<String> {
    let text = text.to_lowercase();
    let words: Vec<_> = text.split_whitespace().collect();
    words.windows(3).map(|run| run.join(" ")).collect()
}

/// Share of the smaller text's runs that the other has too.
fn shared(one: &str, other: &str) -> f64 {
    let (one, other) = (runs(one), runs(other));
    one.intersection(&other).count() as f64 / one.len().min(other.len()).max(1) as f64
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

#[test]
fn texts_follow_from_their_numbers_alone() {
    let (mut cold, mut warm) = (words(), words());
    for seed in 0..300 {
        let source = Source::Template(seed as u32 % 20, (seed % 12) as u8);
        said(&mut warm, source, seed + 1, Rewrite::Whole);
        instructed(&mut warm, SystemText::Template(seed as u32 % 9), seed + 1);
    }
    for seed in 0..100 {
        let number = seed as u32 % 20;
        for source in [
            Source::Free(3),
            Source::Template(number, 2),
            Source::Verbatim(number, 5),
        ] {
            for rewrite in [Rewrite::Not, Rewrite::Words(0.4), Rewrite::Whole] {
                let one = said(&mut cold, source, seed, rewrite);

                assert!(!one.is_empty());
                assert_eq!(one, said(&mut warm, source, seed, rewrite));
            }
        }
        for system in [
            SystemText::Fixed(number),
            SystemText::Template(number),
            SystemText::Own(seed),
            SystemText::Rewritten(number),
        ] {
            let one = instructed(&mut cold, system, seed);

            assert_eq!(one, instructed(&mut warm, system, seed));
        }
    }
    assert_ne!(
        said(
            &mut Words::new(8, Corpora::default()),
            Source::Free(3),
            1,
            Rewrite::Not
        ),
        said(&mut cold, Source::Free(3), 1, Rewrite::Not)
    );
}

#[test]
fn a_system_prompt_has_sixty_to_four_hundred_words_mostly() {
    let mut words = words();
    let lengths: Vec<_> = (0..500)
        .map(|number| {
            let text = instructed(&mut words, SystemText::Fixed(number), 0);
            text.split_whitespace().count()
        })
        .collect();

    let inside = lengths
        .iter()
        .filter(|length| (60..=400).contains(*length))
        .count();
    assert!(inside > 450, "{inside}: {lengths:?}");
}

#[test]
fn prompts_of_two_products_share_hardly_any_shingle() {
    let mut words = words();
    let prints: Vec<_> = (0..300)
        .map(|number| SystemPrint::of(&instructed(&mut words, SystemText::Fixed(number), 0)))
        .map(|print| print.field.shingles[..usize::from(print.field.len)].to_vec())
        .collect();
    let mut pairs = [0_u32; 3];
    for (number, one) in prints.iter().enumerate() {
        for other in &prints[..number] {
            let common = one.iter().filter(|shingle| other.contains(shingle)).count();
            pairs[common.min(2)] += 1;
        }
    }

    let pairs = pairs.map(f64::from);
    let total: f64 = pairs.iter().sum();
    assert!(pairs[2] / total < 0.05, "{pairs:?}");
    assert!(pairs[1] / total < 0.2, "{pairs:?}");
}

#[test]
fn many_products_begin_as_helpful_assistants_and_most_do_not() {
    let mut words = words();
    let helpful = (0..400)
        .filter(|number| {
            instructed(&mut words, SystemText::Fixed(*number), 0)
                .starts_with("You are a helpful assistant")
        })
        .count();

    assert!((60..200).contains(&helpful), "{helpful}");
}

#[test]
fn templates_keep_their_frame_and_change_their_slots() {
    let mut words = words();
    let frames = mean((0..60).map(|number| {
        let source = Source::Template(number, (number % 12) as u8);
        let one = said(&mut words, source, 1, Rewrite::Not);
        let other = said(&mut words, source, 2, Rewrite::Not);
        assert_ne!(one, other);
        shared(&one, &other)
    }));
    let systems = mean((0..60).map(|number| {
        let system = SystemText::Template(number);
        let (one, other) = (
            instructed(&mut words, system, 1),
            instructed(&mut words, system, 2),
        );
        assert_ne!(one, other);
        shared(&one, &other)
    }));
    let strangers = mean((0..60).map(|number| {
        let mut of = |number| {
            let source = Source::Template(number, (number % 12) as u8);
            said(&mut words, source, 1, Rewrite::Not)
        };
        shared(&of(number), &of(number + 60))
    }));

    assert!(frames > 0.4, "{frames}");
    assert!(systems > 0.75, "{systems}");
    assert!(strangers < 0.12, "{strangers}");
}

#[test]
fn what_is_said_anew_shares_little_of_its_words() {
    let mut words = words();
    let frames = mean((0..80).map(|number| {
        let source = Source::Template(number, (number % 12) as u8);
        let one = said(&mut words, source, 1, Rewrite::Whole);
        shared(&one, &said(&mut words, source, 2, Rewrite::Whole))
    }));
    let systems = mean((0..80).map(|number| {
        let system = SystemText::Rewritten(number);
        let one = instructed(&mut words, system, 1);
        shared(&one, &instructed(&mut words, system, 2))
    }));

    assert!(frames < 0.2, "{frames}");
    assert!(systems < 0.2, "{systems}");
}

#[test]
fn the_more_words_are_replaced_the_less_is_left() {
    let mut words = words();
    let mut left = |share| {
        mean((0..80).map(|number| {
            let source = Source::Template(number, (number % 12) as u8);
            let plain = said(&mut words, source, 1, Rewrite::Not);
            shared(&plain, &said(&mut words, source, 1, Rewrite::Words(share)))
        }))
    };

    let (none, some, many) = (left(0.0), left(0.15), left(0.4));

    assert!(none > 0.999, "{none}");
    assert!((0.5..0.75).contains(&some), "{some}"); // 0.85 cubed is 0.61
    assert!((0.1..0.35).contains(&many), "{many}"); // 0.6 cubed is 0.22
}

#[test]
fn people_rarely_say_the_same_and_no_run_of_words_is_everybodys() {
    const PEOPLE: usize = 20_000;
    let mut words = words();
    let (mut prints, mut sayers) = (HashSet::new(), HashMap::new());
    for seed in 0..PEOPLE {
        let text = said(
            &mut words,
            Source::Free((seed % 12) as u8),
            seed as u64,
            Rewrite::Not,
        );
        prints.insert(UserPrint::of(&text).field.exact);
        for run in runs(&text) {
            *sayers.entry(run).or_insert(0_usize) += 1;
        }
    }
    let most = sayers.iter().max_by_key(|(_, sayers)| **sayers).unwrap();

    assert!(prints.len() > PEOPLE * 995 / 1_000, "{}", prints.len());
    assert!(*most.1 < PEOPLE * 5 / 100, "{most:?}");
}

#[test]
fn people_write_many_languages_short_and_long_with_code_and_without() {
    let mut words = words();
    let texts: Vec<_> = (0..2_000)
        .map(|seed| said(&mut words, Source::Free(0), seed, Rewrite::Not))
        .collect();
    let share = |of: fn(&&String) -> bool| texts.iter().filter(of).count();

    assert!(share(|text| text.contains("```")) > 100);
    assert!(share(|text| text.split_whitespace().count() < 12) > 300);
    assert!(share(|text| text.split_whitespace().count() > 60) > 200);
    assert!(share(|text| text.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c))) > 20);
    assert!(share(|text| text.contains('¿')) > 10);
    assert!(share(|text| **text == text.to_lowercase()) > 300);
}

#[test]
fn an_assignment_is_the_same_whoever_sends_it() {
    let mut words = words();
    for number in 0..50 {
        let source = Source::Verbatim(number, 4);
        let one = said(&mut words, source, 1, Rewrite::Not);

        assert_eq!(one, said(&mut words, source, 2, Rewrite::Not));
        assert_ne!(
            one,
            said(
                &mut words,
                Source::Verbatim(number + 50, 4),
                1,
                Rewrite::Not
            )
        );
    }
}

#[test]
fn given_prompts_take_the_place_of_made_up_ones() {
    let corpora = Corpora {
        organic: Some(vec!["what people say".to_owned()]),
        extraction: Some(vec!["what collectors say".to_owned()]),
    };
    let mut words = Words::new(7, corpora);
    let mut of = |source, extraction| {
        let mut out = String::new();
        words.user(&Text { source, ..PLAIN }, extraction, &mut out);
        out
    };

    assert_eq!(of(Source::Free(2), false), "what people say");
    assert_eq!(of(Source::Free(2), true), "what collectors say");
    assert_eq!(of(Source::Template(1, 2), true), "what collectors say");
    assert_ne!(of(Source::Template(1, 2), false), "what people say");
}

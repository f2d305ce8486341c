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
fn samples() {
    let mut words = words();
    for n in 0..4 {
        println!(
            "--- FIXED {n}\n{}",
            instructed(&mut words, SystemText::Fixed(n), 0)
        );
    }
    for n in 0..2 {
        println!(
            "--- TEMPLATE\n{}",
            instructed(&mut words, SystemText::Template(1), n)
        );
        println!(
            "--- REWRITTEN\n{}",
            instructed(&mut words, SystemText::Rewritten(1), n)
        );
    }
    for topic in 0..12 {
        for seed in 0..4 {
            println!(
                "--- FREE {topic}\n{}",
                said(
                    &mut words,
                    Source::Free(topic),
                    seed * 77 + u64::from(topic),
                    Rewrite::Not
                )
            );
        }
        for seed in 0..2 {
            println!(
                "--- FRAME {topic}\n{}",
                said(&mut words, Source::Template(9, topic), seed, Rewrite::Not)
            );
        }
        println!(
            "--- FRAME WORDS {topic}\n{}",
            said(
                &mut words,
                Source::Template(9, topic),
                1,
                Rewrite::Words(0.3)
            )
        );
        println!(
            "--- FRAME WHOLE {topic}\n{}",
            said(&mut words, Source::Template(9, topic), 1, Rewrite::Whole)
        );
    }
}

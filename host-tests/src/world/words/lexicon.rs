//! The vocabulary: lists of words by class, and names made of syllables and of other words.
//!
//! A few thousand words go far: names, identifiers and noun phrases are combinations of them. Lists are
//! ordered by how often a word is used; `Lexicon::word` draws the first ones most.
use super::languages::Language;
use super::vocabulary as data;
use crate::simulate::random::{Random, mix};
use std::fmt::Write;

/// A class of words that a pattern may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Index into the lists of [`data::LISTS`].
    List(usize),
    /// A noun of the text's topic.
    Noun,
    /// An activity of the text's topic, as a base form.
    Verb,
    /// A noun phrase of the topic: adjective, noun, perhaps of another noun.
    Phrase,
    /// A name of two to four syllables, as products and companies have.
    Name,
    /// A number between 2 and 9,999, small ones the likeliest.
    Number,
    /// An identifier as in source code.
    Identifier,
    /// A line of code.
    Code,
    /// A sentence about the topic.
    Sentence,
    /// What a person asks about the topic.
    Ask,
    /// Why something is as it is.
    Reason,
    /// What something does that it should not.
    Flaw,
}

impl Class {
    /// The class of this name in patterns.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "noun" => Self::Noun,
            "verb" => Self::Verb,
            "np" => Self::Phrase,
            "name" => Self::Name,
            "n" => Self::Number,
            "ident" => Self::Identifier,
            "code" => Self::Code,
            "sentence" => Self::Sentence,
            "ask" => Self::Ask,
            "why" => Self::Reason,
            "flaw" => Self::Flaw,
            _ => Self::List(data::LISTS.iter().position(|(list, _)| *list == name)?),
        })
    }
}

/// All word lists, split once.
pub(super) struct Lexicon {
    lists: Vec<Vec<&'static str>>,
    nouns: Vec<Vec<&'static str>>,
    verbs: Vec<Vec<&'static str>>,
}

fn split(list: &'static str) -> Vec<&'static str> {
    list.split(", ").collect()
}

impl Lexicon {
    pub(super) fn new() -> Self {
        Self {
            lists: data::LISTS.iter().map(|(_, list)| split(list)).collect(),
            nouns: data::NOUNS.iter().map(|list| split(list)).collect(),
            verbs: data::VERBS.iter().map(|list| split(list)).collect(),
        }
    }

    /// The lists of another language where it has them, ours elsewhere (places, names of things).
    pub(super) fn of_language(language: &Language) -> Self {
        let mut lexicon = Self::new();
        for (list, words) in data::LISTS.iter().zip(&mut lexicon.lists) {
            match list.0 {
                "adj" => *words = split(language.adjectives),
                "when" => *words = split(language.when),
                _ => {}
            }
        }
        lexicon.nouns.fill(split(language.nouns));
        lexicon.verbs.fill(split(language.verbs));
        lexicon
    }

    /// One word of list `index`, the first ones the likeliest.
    pub(super) fn listed(&self, index: usize, random: &mut Random) -> &'static str {
        self.lists
            .get(index)
            .map_or("", |list| skewed(list, random))
    }

    /// A noun: of the topic mostly, of any topic at times.
    pub(super) fn noun(&self, topic: u8, random: &mut Random) -> &'static str {
        of_topic(&self.nouns, topic, random)
    }

    /// A base form: of the topic mostly, of any topic at times.
    pub(super) fn verb(&self, topic: u8, random: &mut Random) -> &'static str {
        of_topic(&self.verbs, topic, random)
    }

    /// Appends a noun phrase without article.
    pub(super) fn phrase(&self, topic: u8, random: &mut Random, out: &mut String) {
        let shape = random.below(10);
        if shape < 7 {
            out.push_str(self.listed(data::ADJECTIVES, random));
            out.push(' ');
        }
        out.push_str(self.noun(topic, random));
        if shape.is_multiple_of(3) {
            out.push(' ');
            out.push_str(self.noun(topic, random));
        } else if shape == 8 {
            out.push_str(" of the ");
            out.push_str(self.noun(topic, random));
        }
    }

    /// Appends an identifier in one of three styles.
    pub(super) fn identifier(&self, topic: u8, random: &mut Random, out: &mut String) {
        let style = random.below(3);
        let start = out.len();
        word_of(self.verb(topic, random), out);
        for _ in 0..1 + random.below(2) {
            match style {
                0 => out.push('_'),
                1 => {}
                _ => out.push('.'),
            }
            let at = out.len();
            word_of(self.noun(topic, random), out);
            if style == 1
                && let Some(first) = out.get_mut(at..at + 1)
            {
                first.make_ascii_uppercase();
            }
        }
        if let Some(made) = out.get_mut(start..start + 1) {
            made.make_ascii_lowercase();
        }
    }
}

/// Appends a name that belongs to `seed`, first letter large.
pub(super) fn name(seed: u64, out: &mut String) {
    let mut random = Random::new(seed, 0);
    let at = out.len();
    for _ in 0..2 + random.below(3).min(random.below(3)) {
        out.push_str(random.pick(data::ONSETS).unwrap_or("b"));
        out.push_str(random.pick(data::RHYMES).unwrap_or("a"));
    }
    if let Some(first) = out.get_mut(at..at + 1) {
        first.make_ascii_uppercase();
    }
}

/// Appends a number, small ones the likeliest.
pub(super) fn number(random: &mut Random, out: &mut String) {
    let digits = 1 + random.below(4).min(random.below(4)).min(random.below(4));
    let bound = [9, 90, 900, 9_000].get(digits - 1).copied().unwrap_or(9);
    let _ = write!(out, "{}", bound / 9 + 1 + random.below(bound - 2)); // a String takes everything
}

/// The first word of an entry, letters only.
fn word_of(entry: &str, out: &mut String) {
    out.extend(
        entry
            .split(' ')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric),
    );
}

fn of_topic(lists: &[Vec<&'static str>], topic: u8, random: &mut Random) -> &'static str {
    let number = if random.below(6) == 0 {
        random.below(lists.len())
    } else {
        usize::from(topic)
    };
    lists.get(number).map_or("", |list| skewed(list, random))
}

/// Zipf-like: the density falls with the square root of the rank.
fn skewed(list: &[&'static str], random: &mut Random) -> &'static str {
    let unit = random.unit();
    let at = (unit * unit * list.len() as f64) as usize;
    list.get(at).copied().unwrap_or_default()
}

/// A generator for what `seed` and `place` decide together.
pub(super) fn at(seed: u64, place: u64) -> Random {
    Random::new(mix(seed, place), WORDS)
}

/// Stream of randomness of everything in words.
const WORDS: u64 = 0x776f_7264;

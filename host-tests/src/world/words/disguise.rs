//! Disguises of a text: words replaced one by one.
use super::lexicon::{Lexicon, at};
use super::vocabulary::ADJECTIVES;
use std::collections::HashMap;

/// Words that one may say for another; each group is interchangeable.
const SYNONYMS: &[&str] = &[
    "write, draft, compose, produce, author, prepare",
    "give, provide, supply, offer, present, hand over",
    "explain, clarify, describe, illustrate, lay out, spell out",
    "show, display, reveal, exhibit, demonstrate",
    "solve, resolve, work out, crack, tackle",
    "generate, create, make, build, come up with, devise",
    "evaluate, assess, judge, appraise, weigh up",
    "grade, score, rate, mark",
    "compare, contrast, set side by side",
    "list, enumerate, itemise, name",
    "answer, reply, response, respond",
    "question, query, problem, issue",
    "expert, specialist, professional, authority",
    "senior, experienced, seasoned, veteran",
    "step, stage, phase, move",
    "reasoning, thinking, logic, thought process",
    "final, last, closing, concluding",
    "first, initially, to begin with, at the outset",
    "then, next, afterwards, after that",
    "must, has to, needs to, is to",
    "should, ought to, is expected to",
    "use, employ, apply, utilise, work with",
    "include, contain, cover, incorporate",
    "each, every, any single",
    "all, the whole of, every bit of",
    "before, prior to, ahead of",
    "below, underneath, that follows, hereafter",
    "text, passage, excerpt, piece",
    "complete, full, entire, thorough",
    "following, subsequent, ensuing",
    "task, job, assignment, exercise",
    "given, provided, supplied",
    "constraint, restriction, limit, condition",
    "example, instance, sample, illustration",
    "the, this, that, our",
    "a, one, some, any",
    "in, within, inside",
    "for, on behalf of, aimed at",
    "with, using, along with, by means of",
    "and, plus, as well as, along with",
    "of, from, belonging to",
    "is, remains, counts as, happens to be",
    "not, never, by no means",
    "you, the reader, one",
    "your, one's own, the",
    "that, which, what",
    "to, in order to, so as to",
    "be, act as, become",
    "as, like, in the role of",
    "please, kindly, if you would",
    "return, output, emit, deliver",
    "only, solely, exclusively, nothing but",
    "rewrite, rephrase, reword, recast",
    "summarise, condense, digest, boil down",
    "review, inspect, go over, examine",
    "implement, realise, code, put into practice",
    "plan, outline, blueprint, scheme",
    "check, verify, confirm, make sure of",
    "imagine, picture, suppose, envision",
    "assume, suppose, presume, take it",
];

/// Replaces words.
pub(super) struct Disguise {
    synonyms: HashMap<&'static str, Vec<&'static str>>,
}

impl Disguise {
    pub(super) fn new() -> Self {
        let mut synonyms: HashMap<&str, Vec<&str>> = HashMap::new();
        for group in SYNONYMS {
            let words: Vec<&str> = group.split(", ").collect();
            for word in words.iter().filter(|word| !word.contains(' ')) {
                let others = words.iter().filter(|other| *other != word);
                synonyms.entry(word).or_default().extend(others);
            }
        }
        Self { synonyms }
    }

    /// Appends `text` with about this share of its words replaced: by a synonym where one is known, else by
    /// any word of `lexicon`; without one only synonyms come in.
    pub(super) fn words(
        &self,
        text: &str,
        share: f64,
        seed: u64,
        lexicon: Option<&Lexicon>,
        out: &mut String,
    ) {
        let mut random = at(seed, 6);
        for piece in text.split_inclusive([' ', '\n']) {
            let word = piece.trim_end_matches([' ', '\n']);
            let core = word.trim_matches(|c: char| !c.is_alphanumeric());
            if core.is_empty() || !random.chance(share) {
                out.push_str(piece);
                continue;
            }
            let (head, tail) = piece.split_once(core).unwrap_or_default();
            out.push_str(head);
            let lower = core.to_ascii_lowercase();
            match (self.synonyms.get(lower.as_str()), lexicon) {
                (Some(others), _) => out.push_str(random.pick(others).unwrap_or_default()),
                (None, None) => out.push_str(core),
                (None, Some(lexicon)) if random.below(3) == 0 => {
                    out.push_str(lexicon.listed(ADJECTIVES, &mut random));
                }
                (None, Some(lexicon)) => {
                    let topic = random.below(12) as u8;
                    out.push_str(lexicon.noun(topic, &mut random));
                }
            }
            out.push_str(tail);
        }
    }
}

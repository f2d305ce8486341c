//! Patterns with choices and slots, and the drafts that they are said into.
//!
//! `[a|b]` is a choice of wording, `{np}` a slot whose filling belongs to the meaning, `{+np}` a slot
//! that stays open until a text is made of the draft. Saying a pattern again with the same meaning and
//! another wording is a paraphrase; filling a draft again is the same template with other slots.
use super::lexicon::{self, Class, Lexicon, at};
use super::patterns;
use crate::simulate::random::{Random, mix};

/// A compiled pattern.
pub(super) struct Pattern(Box<[Piece]>);

enum Piece {
    Text(&'static str),
    Slot {
        class: Class,
        /// Counts the slots of one pattern, so that equal classes are filled differently.
        place: u8,
        open: bool,
    },
    Choice(Box<[Pattern]>),
}

/// One thing to say, and the patterns that say it.
pub(super) type Concept = Vec<Pattern>;

impl Pattern {
    /// Compiles `text`; a slot that no class knows stands as it is.
    pub(super) fn new(text: &'static str) -> Self {
        let mut places = 0;
        Self(pieces(text, &mut places))
    }
}

fn pieces(mut text: &'static str, places: &mut u8) -> Box<[Piece]> {
    let mut pieces = Vec::new();
    while let Some(at) = text.find(['[', '{']) {
        let (before, from) = text.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (piece, rest) = special(from, places);
        pieces.push(piece);
        text = rest;
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    pieces.into_boxed_slice()
}

/// The choice or slot that `text` begins with, and what follows it.
fn special(text: &'static str, places: &mut u8) -> (Piece, &'static str) {
    if let Some(inside) = text.strip_prefix('{') {
        if let Some((name, rest)) = inside.split_once('}') {
            let (open, name) = name
                .strip_prefix('+')
                .map_or((false, name), |name| (true, name));
            if let Some(class) = Class::named(name) {
                *places = places.saturating_add(1);
                let place = *places;
                return (Piece::Slot { class, place, open }, rest);
            }
        }
    } else if let Some((end, inside)) = closing(text) {
        let choice = alternatives(inside)
            .into_iter()
            .map(|alternative| Pattern(pieces(alternative, places)))
            .collect();
        return (Piece::Choice(choice), end);
    }
    let (first, rest) = text.split_at(1); // both brackets are ASCII
    (Piece::Text(first), rest)
}

/// What follows the bracket that `text` opens with, and what it encloses.
fn closing(text: &'static str) -> Option<(&'static str, &'static str)> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(at + 1..)?, text.get(1..at)?));
        }
    }
    None
}

fn alternatives(inside: &'static str) -> Vec<&'static str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for (at, character) in inside.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                found.extend(inside.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.extend(inside.get(start..));
    found
}

/// A text whose open slots are not filled yet.
#[derive(Default)]
pub(super) struct Draft {
    /// What is said whatever the slots hold.
    pub(super) text: String,
    /// Byte offsets into `text`, ascending, and what goes there.
    open: Vec<(usize, Class)>,
}

impl Draft {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.open.clear();
    }

    /// Leaves a slot open at the end.
    pub(super) fn leave(&mut self, class: Class) {
        self.open.push((self.text.len(), class));
    }
}

/// Who speaks: what is meant, how it is said, and what about.
pub(super) struct Voice {
    /// Seed of what fills the slots.
    pub(super) meaning: u64,
    /// Seed of names, which stay the same through a text.
    pub(super) names: u64,
    /// Draws the wording.
    pub(super) wording: Random,
    /// Index into [`TOPICS`](crate::world::TOPICS).
    pub(super) topic: u8,
}

/// Says patterns.
pub(super) struct Grammar {
    pub(super) lexicon: Lexicon,
    code: Concept,
    sentences: Concept,
    asks: Vec<Concept>,
    reasons: Concept,
    flaws: Concept,
}

impl Grammar {
    pub(super) fn new() -> Self {
        Self {
            lexicon: Lexicon::new(),
            code: compiled(patterns::CODE),
            sentences: compiled(patterns::SENTENCES),
            reasons: compiled(patterns::REASONS),
            flaws: compiled(patterns::FLAWS),
            asks: patterns::ASKS.iter().map(|asks| compiled(asks)).collect(),
        }
    }

    /// Appends one of the concept's patterns to the draft.
    pub(super) fn say(&self, concept: &[Pattern], voice: &mut Voice, draft: &mut Draft) {
        let number = if concept.len() > 1 {
            voice.wording.below(concept.len())
        } else {
            0
        };
        if let Some(pattern) = concept.get(number) {
            self.pattern(pattern, voice, draft);
        }
    }

    /// Appends a pattern to the draft; slots of the meaning are filled, open ones are left.
    pub(super) fn pattern(&self, pattern: &Pattern, voice: &mut Voice, draft: &mut Draft) {
        for piece in &pattern.0 {
            match piece {
                Piece::Text(text) => draft.text.push_str(text),
                Piece::Choice(choice) => {
                    let number = voice.wording.below(choice.len());
                    if let Some(chosen) = choice.get(number) {
                        self.pattern(chosen, voice, draft);
                    }
                }
                Piece::Slot {
                    class, open: true, ..
                } => draft.leave(*class),
                Piece::Slot {
                    class: Class::Name, ..
                } => lexicon::name(voice.names, &mut draft.text),
                Piece::Slot { class, place, .. } => {
                    let mut random = at(voice.meaning, u64::from(*place));
                    self.fill(*class, voice.topic, &mut random, &mut draft.text);
                }
            }
        }
    }

    /// Appends the draft with its open slots filled.
    pub(super) fn finish(&self, draft: &Draft, topic: u8, random: &mut Random, out: &mut String) {
        let mut from = 0;
        for (place, class) in &draft.open {
            out.push_str(draft.text.get(from..*place).unwrap_or_default());
            self.fill(*class, topic, random, out);
            from = *place;
        }
        out.push_str(draft.text.get(from..).unwrap_or_default());
    }

    /// Appends a pattern all of whose slots are drawn from one source, as it comes.
    pub(super) fn speak(
        &self,
        pattern: &Pattern,
        topic: u8,
        random: &mut Random,
        out: &mut String,
    ) {
        for piece in &pattern.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Choice(choice) => {
                    if let Some(chosen) = choice.get(random.below(choice.len())) {
                        self.speak(chosen, topic, random, out);
                    }
                }
                Piece::Slot { class, .. } => self.fill(*class, topic, random, out),
            }
        }
    }

    /// Appends one of the patterns as [`speak`](Self::speak) does.
    pub(super) fn speak_one(
        &self,
        concept: &[Pattern],
        topic: u8,
        random: &mut Random,
        out: &mut String,
    ) {
        if let Some(pattern) = concept.get(random.below(concept.len())) {
            self.speak(pattern, topic, random, out);
        }
    }

    /// Appends a question or request about the topic.
    pub(super) fn ask(&self, topic: u8, random: &mut Random, out: &mut String) {
        if let Some(asks) = self.asks.get(usize::from(topic)) {
            self.speak_one(asks, topic, random, out);
        }
    }

    /// Appends `count` sentences about the topic.
    pub(super) fn prose(&self, count: usize, topic: u8, random: &mut Random, out: &mut String) {
        for index in 0..count {
            if index > 0 {
                out.push(' ');
            }
            let start = out.len();
            self.speak_one(&self.sentences, topic, random, out);
            capitalise(out, start);
        }
    }

    /// Appends `count` lines of code.
    pub(super) fn lines(&self, count: usize, topic: u8, random: &mut Random, out: &mut String) {
        for index in 0..count {
            if index > 0 {
                out.push('\n');
            }
            self.speak_one(&self.code, topic, random, out);
        }
    }

    fn fill(&self, class: Class, topic: u8, random: &mut Random, out: &mut String) {
        match class {
            Class::List(list) => out.push_str(self.lexicon.listed(list, random)),
            Class::Noun => out.push_str(self.lexicon.noun(topic, random)),
            Class::Verb => out.push_str(self.lexicon.verb(topic, random)),
            Class::Phrase => self.lexicon.phrase(topic, random, out),
            Class::Name => lexicon::name(random.next(), out),
            Class::Number => lexicon::number(random, out),
            Class::Identifier => self.lexicon.identifier(topic, random, out),
            Class::Code => self.lines(2 + random.below(9), topic, random, out),
            Class::Sentence => self.prose(1 + random.below(4), topic, random, out),
            Class::Ask => self.ask(topic, random, out),
            Class::Reason => self.speak_one(&self.reasons, topic, random, out),
            Class::Flaw => self.speak_one(&self.flaws, topic, random, out),
        }
    }
}

/// Makes the first letter at or after `start` large.
pub(super) fn capitalise(text: &mut str, start: usize) {
    if let Some(first) = text.get_mut(start..start + 1) {
        first.make_ascii_uppercase();
    }
}

/// Compiles a concept.
pub(super) fn compiled(patterns: &[&'static str]) -> Concept {
    patterns
        .iter()
        .map(|pattern| Pattern::new(pattern))
        .collect()
}

/// A voice that means `number` and says it in the wording of `wording`.
pub(super) fn voice(number: u64, wording: u64, topic: u8) -> Voice {
    Voice {
        meaning: number,
        names: mix(number, 1),
        wording: at(wording, 2),
        topic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pattern: &'static str, meaning: u64, wording: u64) -> String {
        let (grammar, mut draft, mut out) = (Grammar::new(), Draft::default(), String::new());
        grammar.pattern(
            &Pattern::new(pattern),
            &mut voice(meaning, wording, 0),
            &mut draft,
        );
        grammar.finish(&draft, 0, &mut at(9, 9), &mut out);
        out
    }

    #[test]
    fn choices_nest_and_brackets_without_partner_stand_for_themselves() {
        let said: std::collections::BTreeSet<_> = (0..64)
            .map(|wording| said("a [b|c [d|e]] [f {x", 1, wording))
            .collect();

        assert_eq!(
            said.into_iter().collect::<Vec<_>>(),
            ["a b [f {x", "a c d [f {x", "a c e [f {x"]
        );
    }

    #[test]
    fn the_meaning_stays_when_the_wording_changes() {
        let pattern = "[Use|Prefer] {lang} for {np}";

        let fillings: std::collections::BTreeSet<_> = (0..32)
            .map(|wording| {
                said(pattern, 5, wording)
                    .split_once(' ')
                    .unwrap()
                    .1
                    .to_owned()
            })
            .collect();

        assert_eq!(fillings.len(), 1, "{fillings:?}");
        assert_ne!(said(pattern, 5, 1), said(pattern, 6, 1));
    }

    #[test]
    fn every_slot_of_every_pattern_is_known() {
        for pattern in patterns::all() {
            for (number, slot) in pattern.split('{').enumerate().skip(1) {
                let name = slot.split('}').next().unwrap();
                let braces =
                    patterns::CODE.contains(&pattern) || name.is_empty() || name.contains('"');

                let known = Class::named(name.trim_start_matches('+')).is_some();
                assert!(known || braces, "{pattern}: slot {number}");
            }
        }
    }
}

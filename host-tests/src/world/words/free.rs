//! What people type: short and long, with code and without, with typos, in several languages.
use super::grammar::{Concept, Grammar, capitalise, compiled};
use super::languages::{LANGUAGES, Language};
use super::lexicon::{Lexicon, at};
use super::patterns::{CLOSERS, CONTEXT_SENTENCES, OPENERS};
use crate::simulate::random::Random;

/// Compiled patterns of free text.
pub(super) struct Free {
    openers: Concept,
    context: Concept,
    closers: Concept,
    foreign: Vec<(Grammar, Concept)>,
}

/// Topics whose people paste code.
const CODED: u8 = 3;

impl Free {
    pub(super) fn new() -> Self {
        Self {
            openers: compiled(OPENERS),
            context: compiled(CONTEXT_SENTENCES),
            closers: compiled(CLOSERS),
            foreign: LANGUAGES.iter().map(foreign).collect(),
        }
    }

    /// Appends what somebody types about the topic.
    pub(super) fn write(&self, grammar: &Grammar, topic: u8, seed: u64, out: &mut String) {
        let mut random = at(seed, 5);
        let random = &mut random;
        let start = out.len();
        if random.below(100) < 9 {
            self.abroad(grammar, topic, random, out);
            return;
        }
        match random.below(100) {
            0..30 => grammar.ask(topic, random, out),
            30..58 => self.explained(grammar, topic, random, out),
            58..70 => self.pasted(grammar, topic, random, out),
            70..82 => self.rambling(grammar, topic, random, out),
            82..91 => {
                grammar.ask(topic, random, out);
                let between = random.pick(&["\n", " ", " Also: ", "\n2) ", " and "]);
                out.push_str(between.unwrap_or(" "));
                grammar.ask(topic, random, out);
            }
            _ => {
                grammar.lexicon.phrase(topic, random, out);
                for _ in 0..1 + random.below(3) {
                    out.push(' ');
                    out.push_str(grammar.lexicon.noun(topic, random));
                }
            }
        }
        noise(out, start, random);
    }

    /// A question and what one has to know for it, in either order.
    fn explained(&self, grammar: &Grammar, topic: u8, random: &mut Random, out: &mut String) {
        if random.below(3) == 0 {
            grammar.speak_one(&self.openers, topic, random, out);
            out.push(' ');
        }
        let first = random.below(2) == 0;
        if first {
            grammar.ask(topic, random, out);
        }
        for index in 0..1 + random.below(3) {
            if first || index > 0 {
                out.push_str(if random.below(4) == 0 { "\n" } else { " " });
            }
            let start = out.len();
            grammar.speak_one(&self.context, topic, random, out);
            capitalise(out, start);
        }
        if !first {
            out.push(' ');
            grammar.ask(topic, random, out);
        }
        if random.below(3) == 0 {
            out.push(' ');
            grammar.speak_one(&self.closers, topic, random, out);
        }
    }

    /// A question and the code or text it is about.
    fn pasted(&self, grammar: &Grammar, topic: u8, random: &mut Random, out: &mut String) {
        let below = random.below(3) > 0;
        if below {
            grammar.ask(topic, random, out);
            out.push_str("\n\n");
        }
        if topic < CODED {
            let fenced = random.below(3) > 0;
            if fenced {
                out.push_str("```\n");
            }
            grammar.lines(3 + random.below(14), topic, random, out);
            if fenced {
                out.push_str("\n```");
            }
        } else {
            grammar.prose(3 + random.below(9), topic, random, out);
        }
        if !below {
            out.push_str("\n\n");
            grammar.ask(topic, random, out);
        }
    }

    fn rambling(&self, grammar: &Grammar, topic: u8, random: &mut Random, out: &mut String) {
        grammar.speak_one(&self.openers, topic, random, out);
        for _ in 0..3 + random.below(8) {
            out.push_str(if random.below(6) == 0 { "\n\n" } else { " " });
            let start = out.len();
            match random.below(6) {
                0 => grammar.ask(topic, random, out),
                1 => grammar.prose(1, topic, random, out),
                _ => grammar.speak_one(&self.context, topic, random, out),
            }
            capitalise(out, start);
        }
        out.push(' ');
        grammar.speak_one(&self.closers, topic, random, out);
    }

    /// Another language, with some English now and then.
    fn abroad(&self, english: &Grammar, topic: u8, random: &mut Random, out: &mut String) {
        let number = random.below(self.foreign.len());
        let Some((grammar, sentences)) = self.foreign.get(number) else {
            return;
        };
        for index in 0..1 + random.below(4) {
            if index > 0 {
                out.push(' ');
            }
            grammar.speak_one(sentences, topic, random, out);
        }
        if random.below(5) == 0 {
            out.push('\n');
            english.ask(topic, random, out);
        }
    }
}

fn foreign(language: &Language) -> (Grammar, Concept) {
    let mut grammar = Grammar::new();
    grammar.lexicon = Lexicon::of_language(language);
    (grammar, compiled(language.sentences))
}

/// What hurry does to a text from `start` on: no capitals, no full stop, swapped and lost letters.
fn noise(out: &mut String, start: usize, random: &mut Random) {
    let habit = random.below(100);
    if habit < 35 {
        if let Some(text) = out.get_mut(start..) {
            text.make_ascii_lowercase();
        }
    } else {
        capitalise(out, start);
    }
    if habit.is_multiple_of(3) && out.ends_with(['.', '?']) {
        out.pop();
    }
    if !(28..43).contains(&habit) {
        return;
    }
    let mut at = start;
    loop {
        at += 8 + random.below(70);
        let pair = out.as_bytes().get(at..at + 2);
        let Some(pair) = pair else { break };
        if !pair.iter().all(u8::is_ascii_alphabetic) {
            continue;
        }
        if random.below(2) == 0 {
            out.remove(at);
        } else {
            let letter = out.remove(at);
            out.insert(at + 1, letter);
        }
    }
}

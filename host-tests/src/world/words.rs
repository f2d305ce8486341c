//! Texts of the world, made of numbers: what people type, what programs put before it.
//!
//! Everything follows from the world's seed, the number of a text and the seed of its free parts, so a
//! turn says the same wherever and whenever it is put into words. Grammars of our own; corpora that
//! somebody else wrote may take their place.
mod corpora;
mod disguise;
mod frame;
mod frame_patterns;
mod free;
mod grammar;
mod languages;
mod lexicon;
mod patterns;
mod system;
mod system_patterns;
mod vocabulary;

pub use corpora::Corpora;

use super::{ProgramSpec, Rewrite, Source, SystemText, Text};
use crate::simulate::random::{Random, mix};
use disguise::Disguise;
use frame::Frames;
use free::Free;
use grammar::{Draft, Grammar};
use lexicon::at;
use std::collections::HashMap;
use system::Systems;
pub(super) use system::shuffle;

/// Drafts kept; a world has a few thousand frames, so this only bounds the memory of a strange one.
const MAX_DRAFTS: usize = 1 << 16;

/// Share of words with synonyms that a paraphrase replaces.
const SYNONYMS: f64 = 0.5;

const SYSTEM: u64 = 1;
const SYSTEM_TEMPLATE: u64 = 2;
const SYSTEM_OWN: u64 = 3;
const SYSTEM_REWRITTEN: u64 = 4;
const FRAME: u64 = 5;
const VERBATIM: u64 = 6;
const FREE: u64 = 7;
const CODE: u64 = 8;

/// Says texts. Keeps the drafts of the frames that it has said, at most 65,536 of each kind.
pub struct Words {
    seed: u64,
    grammar: Grammar,
    systems: Systems,
    frames: Frames,
    free: Free,
    disguise: Disguise,
    corpora: Corpora,
    framed: HashMap<(u64, u8), Draft>,
    instructed: HashMap<(u64, u8), Draft>,
    draft: Draft,
    plain: String,
}

impl Words {
    /// The texts of the world with this seed, drawn from `corpora` where they are given.
    pub fn new(seed: u64, corpora: Corpora) -> Self {
        Self {
            seed,
            grammar: Grammar::new(),
            systems: Systems::new(),
            frames: Frames::new(),
            free: Free::new(),
            disguise: Disguise::new(),
            corpora,
            framed: HashMap::new(),
            instructed: HashMap::new(),
            draft: Draft::default(),
            plain: String::new(),
        }
    }

    /// Appends the first user turn of a conversation. `extraction` says that a campaign sends it for itself.
    ///
    /// Time: about a microsecond for a hundred words, ten where it is said anew.
    pub fn user(&mut self, text: &Text, extraction: bool, out: &mut String) {
        match text.rewrite {
            Rewrite::Not => self.undisguised(text, extraction, None, out),
            Rewrite::Words(share) => self.disguised(text, extraction, f64::from(share), out),
            Rewrite::Whole => self.said_anew(text, extraction, out),
        }
    }

    /// Appends the system prompt and gives true, or false where the program has none. `text` is the conversation's.
    pub fn system(&mut self, spec: &ProgramSpec, text: &Text, out: &mut String) -> bool {
        let filling = Self::filling(spec, text);
        let (number, wording, slots) = match spec.system {
            SystemText::None => return false,
            SystemText::Fixed(number) => (self.number(SYSTEM, u64::from(number)), None, false),
            SystemText::Own(seed) => (self.number(SYSTEM_OWN, seed), None, false),
            SystemText::Template(number) => {
                (self.number(SYSTEM_TEMPLATE, u64::from(number)), None, true)
            }
            SystemText::Rewritten(number) => {
                let number = self.number(SYSTEM_REWRITTEN, u64::from(number));
                (number, Some(mix(filling, 2)), false)
            }
        };
        let topic = spec.topic;
        if let Some(wording) = wording {
            self.draft.clear();
            let means = (number, wording);
            self.systems
                .compose(&self.grammar, means, topic, slots, &mut self.draft);
            self.plain.clear();
            std::mem::swap(&mut self.plain, &mut self.draft.text);
            self.disguise
                .words(&self.plain, SYNONYMS, wording, None, out);
            return true;
        }
        if self.instructed.len() > MAX_DRAFTS {
            self.instructed.clear();
        }
        let (systems, grammar) = (&self.systems, &self.grammar);
        let draft = self.instructed.entry((number, topic)).or_insert_with(|| {
            let mut draft = Draft::default();
            systems.compose(grammar, (number, number), topic, slots, &mut draft);
            draft
        });
        let mut random = at(mix(number, filling), 7);
        grammar.finish(draft, topic, &mut random, out);
        true
    }

    /// What of a conversation its system prompt depends on: equal fillings give equal prompts of a program.
    ///
    /// The slots of a template hold what a program knows of its user or of the day, so they repeat: it has
    /// 512 fillings. What is said anew never repeats.
    pub(super) fn filling(spec: &ProgramSpec, text: &Text) -> u64 {
        match spec.system {
            SystemText::None | SystemText::Fixed(_) | SystemText::Own(_) => 0,
            SystemText::Template(_) => mix(text.seed, 4) % 512,
            SystemText::Rewritten(_) => text.seed,
        }
    }

    /// Appends about `bytes` of prose, as answers and follow-ups have it.
    pub(super) fn prose(&self, topic: u8, bytes: usize, random: &mut Random, out: &mut String) {
        let end = out.len() + bytes;
        while out.len() < end {
            self.grammar.prose(1, topic, random, out);
            out.push(' ');
        }
        out.pop();
    }

    /// Appends about `bytes` of code, as tools return it.
    pub(super) fn code(&self, topic: u8, bytes: usize, random: &mut Random, out: &mut String) {
        let end = out.len() + bytes;
        while out.len() < end {
            self.grammar.lines(1, topic, random, out);
            out.push('\n');
        }
    }

    /// Appends what somebody asks next.
    pub(super) fn follow_up(&self, topic: u8, random: &mut Random, out: &mut String) {
        self.grammar.ask(topic, random, out);
    }

    /// Appends a name of a tool, `style` 0 to 2: `verb_noun`, `verbNoun`, `noun.verb`.
    pub(super) fn tool_name(&self, set: u32, place: u64, out: &mut String) {
        let mut random = at(mix(mix(self.seed, CODE), u64::from(set)), place);
        let topic = (set % u32::from(TOPIC_COUNT)) as u8;
        self.grammar.lexicon.identifier(topic, &mut random, out);
    }

    /// Appends a noun phrase.
    pub(super) fn phrase(&self, topic: u8, random: &mut Random, out: &mut String) {
        self.grammar.lexicon.phrase(topic, random, out);
    }

    fn number(&self, domain: u64, number: u64) -> u64 {
        mix(mix(self.seed, domain), number)
    }

    /// The text with this share of its words replaced.
    fn disguised(&mut self, text: &Text, extraction: bool, share: f64, out: &mut String) {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        self.undisguised(text, extraction, None, &mut plain);
        let (seed, lexicon) = (mix(text.seed, 3), Some(&self.grammar.lexicon));
        self.disguise.words(&plain, share, seed, lexicon, out);
        self.plain = plain;
    }

    /// The text in a wording of its own, and with synonyms where patterns have no alternatives. A given
    /// prompt has no pattern, so its sentences change places and words are replaced.
    fn said_anew(&mut self, text: &Text, extraction: bool, out: &mut String) {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        let seed = mix(text.seed, 1);
        if let Some(prompt) = self.given(text, extraction) {
            let mut sentences: Vec<&str> = prompt.split_inclusive(". ").collect();
            shuffle(&mut sentences, &mut at(seed, 10));
            plain.extend(sentences);
            let lexicon = Some(&self.grammar.lexicon);
            self.disguise.words(&plain, 0.35, seed, lexicon, out);
        } else {
            self.undisguised(text, extraction, Some(seed), &mut plain);
            self.disguise.words(&plain, SYNONYMS, seed, None, out);
        }
        self.plain = plain;
    }

    fn undisguised(
        &mut self,
        text: &Text,
        extraction: bool,
        wording: Option<u64>,
        out: &mut String,
    ) {
        if let Some(prompt) = self.given(text, extraction) {
            out.push_str(prompt);
            return;
        }
        match text.source {
            Source::Free(topic) => {
                let seed = mix(mix(self.seed, FREE), text.seed);
                self.free.write(&self.grammar, topic, seed, out);
            }
            Source::Template(number, topic) => {
                let number = self.number(FRAME, u64::from(number));
                self.framed(number, topic, wording, text.seed, out);
            }
            Source::Verbatim(number, topic) => {
                let number = self.number(VERBATIM, u64::from(number));
                if number.is_multiple_of(3) {
                    self.free.write(&self.grammar, topic, number, out);
                } else {
                    self.framed(number, topic, wording, 0, out);
                }
            }
        }
    }

    /// The corpus's prompt that stands for this text.
    fn given(&self, text: &Text, extraction: bool) -> Option<&str> {
        let (corpus, seed) = match text.source {
            Source::Verbatim(number, _) if extraction => {
                (&self.corpora.extraction, u64::from(number))
            }
            _ if extraction => (&self.corpora.extraction, text.seed),
            Source::Free(_) => (&self.corpora.organic, text.seed),
            Source::Template(..) | Source::Verbatim(..) => return None,
        };
        let prompts = corpus.as_ref()?;
        let number = at(mix(self.seed, seed), 8).below(prompts.len());
        prompts.get(number).map(String::as_str)
    }

    /// The frame with its slots filled from `seed`, said anew where there is a wording.
    fn framed(
        &mut self,
        number: u64,
        topic: u8,
        wording: Option<u64>,
        seed: u64,
        out: &mut String,
    ) {
        let mut random = at(mix(number, seed), 9);
        if let Some(wording) = wording {
            self.draft.clear();
            let means = (number, wording);
            self.frames
                .compose(&self.grammar, means, topic, &mut self.draft);
            self.grammar.finish(&self.draft, topic, &mut random, out);
            return;
        }
        if self.framed.len() > MAX_DRAFTS {
            self.framed.clear();
        }
        let (frames, grammar) = (&self.frames, &self.grammar);
        let draft = self.framed.entry((number, topic)).or_insert_with(|| {
            let mut draft = Draft::default();
            frames.compose(grammar, (number, number), topic, &mut draft);
            draft
        });
        grammar.finish(draft, topic, &mut random, out);
    }
}

/// How many topics there are.
const TOPIC_COUNT: u8 = super::TOPICS.len() as u8;

#[cfg(test)]
mod tests;

//! System prompts: a role, guidelines, formats, and what a program tells of the moment.
//!
//! What a prompt means follows from its number, how it is said from the wording. A product's prompt has
//! its number for both; one that is said anew has the meaning of its number and another wording each time.
use super::grammar::{Concept, Draft, Grammar, Voice, capitalise, compiled, voice};
use super::lexicon::at;
use super::patterns::{CONTEXT, GUIDELINES, OPENINGS};
use super::system_patterns::TITLES;
use crate::simulate::random::{Random, mix};
use std::fmt::Write;

/// Compiled patterns of system prompts.
pub(super) struct Systems {
    openings: Concept,
    context: Concept,
    guidelines: Vec<Concept>,
}

/// How guidelines are set.
#[derive(Clone, Copy)]
enum Layout {
    Prose,
    Lines,
    Dashes,
    Stars,
    Numbers,
    Sections,
    Tags,
}

const LAYOUTS: [Layout; 7] = [
    Layout::Prose,
    Layout::Dashes,
    Layout::Sections,
    Layout::Lines,
    Layout::Numbers,
    Layout::Tags,
    Layout::Stars,
];

impl Systems {
    pub(super) fn new() -> Self {
        Self {
            openings: compiled(OPENINGS),
            context: compiled(CONTEXT),
            guidelines: GUIDELINES.iter().map(|ways| compiled(ways)).collect(),
        }
    }

    /// Puts the prompt that means `number` into the draft, 60 to 400 words mostly; with open slots where `slots`.
    pub(super) fn compose(
        &self,
        grammar: &Grammar,
        (number, wording): (u64, u64),
        topic: u8,
        slots: bool,
        draft: &mut Draft,
    ) {
        let mut plan = at(number, 3);
        let mut voice = voice(number, wording, topic);
        let said_anew = number != wording;
        self.open(grammar, &mut plan, &mut voice, said_anew, draft);
        let mut chosen = self.choose(&mut plan);
        if said_anew {
            shuffle(&mut chosen, &mut voice.wording);
        }
        let layout = LAYOUTS
            .get(voice.wording.below(LAYOUTS.len()))
            .copied()
            .unwrap_or(Layout::Prose);
        self.guide(grammar, &chosen, layout, &mut voice, draft);
        if slots {
            for place in 0..2 + plan.below(2) as u64 {
                draft.text.push_str("\n\n");
                voice.meaning = mix(number, 900 + place);
                if let Some(pattern) = self.context.get(plan.below(self.context.len())) {
                    grammar.pattern(pattern, &mut voice, draft);
                }
            }
        }
    }

    /// Who the model is to be; a quarter of all products begin alike.
    fn open(
        &self,
        grammar: &Grammar,
        plan: &mut Random,
        voice: &mut Voice,
        said_anew: bool,
        draft: &mut Draft,
    ) {
        let (alike, own) = (plan.below(4) == 0, plan.below(8) > 0);
        let number = plan.below(self.openings.len() - 1) + 1;
        let number = if said_anew {
            voice.wording.below(self.openings.len() - 1) + 1
        } else {
            number
        };
        let meaning = voice.meaning;
        if alike
            && !said_anew
            && let Some(pattern) = self.openings.first()
        {
            grammar.pattern(pattern, voice, draft);
            draft.text.push(' ');
        }
        if own || !alike || said_anew {
            voice.meaning = mix(meaning, 50);
            let start = draft.text.len();
            if let Some(pattern) = self.openings.get(number) {
                grammar.pattern(pattern, voice, draft);
            }
            capitalise(&mut draft.text, start);
        }
        voice.meaning = meaning;
    }

    /// Numbers of the guidelines that the prompt has.
    fn choose(&self, plan: &mut Random) -> Vec<usize> {
        let count = 6 + plan.below(13).min(plan.below(13)) + plan.below(3) * plan.below(6);
        let mut all: Vec<usize> = (0..self.guidelines.len()).collect();
        shuffle(&mut all, plan);
        all.truncate(count);
        all
    }

    fn guide(
        &self,
        grammar: &Grammar,
        chosen: &[usize],
        layout: Layout,
        voice: &mut Voice,
        draft: &mut Draft,
    ) {
        let number = voice.meaning;
        let title = voice.wording.pick(TITLES).unwrap_or("Rules");
        let every = 2 + voice.wording.below(5);
        match layout {
            Layout::Dashes | Layout::Stars | Layout::Numbers => {
                let _ = write!(draft.text, "\n\n{title}:"); // a String takes everything
            }
            Layout::Tags => {
                let _ = write!(draft.text, "\n\n<{}>", title.to_lowercase()); // the same
            }
            Layout::Prose | Layout::Lines | Layout::Sections => {}
        }
        for (index, id) in chosen.iter().enumerate() {
            let Some(ways) = self.guidelines.get(*id) else {
                continue;
            };
            match layout {
                Layout::Prose if index % every == 0 => draft.text.push_str("\n\n"),
                Layout::Prose => draft.text.push(' '),
                Layout::Lines | Layout::Tags => draft.text.push('\n'),
                Layout::Dashes => draft.text.push_str("\n- "),
                Layout::Stars => draft.text.push_str("\n* "),
                Layout::Numbers => {
                    let _ = write!(draft.text, "\n{}. ", index + 1); // a String takes everything
                }
                Layout::Sections if index % every == 0 => {
                    let title = voice.wording.pick(TITLES).unwrap_or("Rules");
                    let _ = write!(draft.text, "\n\n## {title}\n"); // the same
                }
                Layout::Sections => draft.text.push('\n'),
            }
            voice.meaning = mix(number, 100 + *id as u64);
            let start = draft.text.len();
            grammar.say(ways, voice, draft);
            capitalise(&mut draft.text, start);
        }
        if matches!(layout, Layout::Tags) {
            let _ = write!(draft.text, "\n</{}>", title.to_lowercase()); // the same
        }
        voice.meaning = number;
    }
}

/// Fisher and Yates.
pub(in crate::world) fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
}

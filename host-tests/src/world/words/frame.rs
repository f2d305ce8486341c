//! Instruction frames: a task with slots, as pipelines of every kind send them.
//!
//! One generator for everybody: which frame it is says nothing about who uses it.
use super::grammar::{Concept, Draft, Grammar, Pattern, capitalise, compiled, voice};
use super::lexicon::at;
use super::patterns::{CONSTRAINTS, INPUTS, OUTPUTS, PERSONAS, TASKS};
use super::system::shuffle;
use crate::simulate::random::mix;

/// Compiled patterns of frames.
pub(super) struct Frames {
    personas: Concept,
    tasks: Vec<Concept>,
    constraints: Vec<Concept>,
    outputs: Concept,
    inputs: Concept,
}

const BREAKS: [&str; 5] = ["\n\n", " ", "\n", " ", "\n- "];

impl Frames {
    pub(super) fn new() -> Self {
        Self {
            personas: compiled(PERSONAS),
            tasks: TASKS.iter().map(|tasks| compiled(tasks)).collect(),
            constraints: CONSTRAINTS.iter().map(|ways| compiled(ways)).collect(),
            outputs: compiled(OUTPUTS),
            inputs: compiled(INPUTS),
        }
    }

    /// Puts the frame that means `number` into the draft, slots open. A wording other than the number is a paraphrase.
    pub(super) fn compose(
        &self,
        grammar: &Grammar,
        (number, wording): (u64, u64),
        topic: u8,
        draft: &mut Draft,
    ) {
        let mut plan = at(number, 4);
        let mut voice = voice(number, wording, topic);
        let said_anew = number != wording;
        let persona = (plan.below(10) < 6).then(|| plan.below(self.personas.len()));
        let task = plan.next();
        let mut limits: Vec<usize> = (0..self.constraints.len()).collect();
        shuffle(&mut limits, &mut plan);
        limits.truncate(1 + plan.below(5));
        let output = (plan.below(10) < 6).then(|| plan.below(self.outputs.len()));
        let input = (plan.below(4) > 0).then(|| plan.below(self.inputs.len()));
        if said_anew {
            shuffle(&mut limits, &mut voice.wording);
        }
        let persona = persona.map(|persona| {
            if said_anew {
                voice.wording.below(self.personas.len())
            } else {
                persona
            }
        });
        let pause = BREAKS
            .get(voice.wording.below(BREAKS.len()))
            .copied()
            .unwrap_or(" ");
        let mut parts: Vec<(u64, &[Pattern], usize)> = Vec::with_capacity(8);
        if let Some(persona) = persona {
            parts.push((1, &self.personas, persona));
        }
        if let Some(tasks) = self.tasks.get(usize::from(topic)) {
            parts.push((2, tasks, (task % tasks.len().max(1) as u64) as usize));
        }
        for limit in limits {
            if let Some(ways) = self.constraints.get(limit) {
                let way = voice.wording.below(ways.len());
                parts.push((10 + limit as u64, ways, way));
            }
        }
        if let Some(output) = output {
            parts.push((3, &self.outputs, output));
        }
        if said_anew && parts.len() > 2 {
            // The persona stays in front more often than not, the rest comes in any order.
            let from = usize::from(voice.wording.below(4) > 0);
            if let Some(rest) = parts.get_mut(from..) {
                shuffle(rest, &mut voice.wording);
            }
        }
        for (index, (place, patterns, way)) in parts.into_iter().enumerate() {
            if index > 0 {
                draft.text.push_str(pause);
            }
            voice.meaning = mix(number, place);
            let start = draft.text.len();
            if let Some(pattern) = patterns.get(way) {
                grammar.pattern(pattern, &mut voice, draft);
            }
            capitalise(&mut draft.text, start);
        }
        if let Some(pattern) = input.and_then(|input| self.inputs.get(input)) {
            draft.text.push_str("\n\n");
            voice.meaning = mix(number, 5);
            grammar.pattern(pattern, &mut voice, draft);
        }
    }
}

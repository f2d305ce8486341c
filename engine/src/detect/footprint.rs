//! What a request's body tells the detector: hashes, counts and classes, never text.
use super::prompt::PromptPrint;
use crate::{facts::RequestFacts, hash::HashKey, origin};

/// What one body tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Footprint {
    /// What the prompt looks like.
    pub prompt: PromptPrint,
    /// Shape of the body.
    pub shape: u32,
    /// Model asked for.
    pub model: u32,
    /// User turns in the history, this one included.
    pub user_turns: u16,
    /// Tool results in the history.
    pub tool_results: u16,
    /// Tools are offered.
    pub tools: bool,
    /// Reasoning or log-probabilities are to be shown.
    pub reasoning: bool,
    /// More than one answer is asked for.
    pub samples: bool,
}

impl Footprint {
    /// The footprint of a body that was read into `facts` and whose prompt left `prompt`.
    pub fn of(key: &HashKey, facts: &RequestFacts<'_>, prompt: PromptPrint) -> Self {
        let model = facts.model.as_deref().unwrap_or_default();
        let count = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        Self {
            prompt,
            shape: facts.shape,
            model: origin::tag(key, "model", model.as_bytes()),
            user_turns: count(facts.user_turns),
            tool_results: count(facts.tool_results),
            tools: facts.tools > 0,
            reasoning: facts.reasoning.visible || facts.logprobs,
            samples: facts.samples > 1,
        }
    }
}

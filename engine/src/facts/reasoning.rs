//! Reasoning that a request asks for.
use super::values::{count, enter_object, word};
use crate::json::{Fault, Reader};

/// How much reasoning a request asks for, as providers name it, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// `none`.
    None,
    /// `minimal`.
    Minimal,
    /// `low`.
    Low,
    /// `medium`: what models do unasked.
    Medium,
    /// `high`.
    High,
    /// `max`, `xhigh`.
    Max,
}

impl Effort {
    /// The effort of this name, in lower case; `None` for a word that is no effort.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "max" | "xhigh" => Self::Max,
            _ => return None,
        })
    }

    /// Its name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Max => "max",
        }
    }
}

/// The reasoning that a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Reasoning or thinking was switched on, by effort or by budget.
    ///
    /// An effort of `none` or `minimal` does not count: both ask for less than a model does unasked.
    pub requested: bool,
    /// The request asks to see it (Anthropic thinking that is not omitted; OpenAI `reasoning` that is
    /// not excluded, `reasoning.summary`, `include_reasoning`).
    pub visible: bool,
    /// `thinking.budget_tokens` or `reasoning.max_tokens`, the larger one where both stand; saturating.
    pub budget_tokens: Option<u32>,
    /// `reasoning_effort`, `reasoning.effort`, `output_config.effort` or `thinkingLevel`; the highest where several stand.
    pub effort: Option<Effort>,
}

/// What one word of effort asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Level {
    /// Reasoning beyond what a model does unasked; so does a word that nobody knows.
    pub(super) asks: bool,
    /// The effort, where the word is one.
    pub(super) effort: Option<Effort>,
}

impl Level {
    /// The word that comes next.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(word(reader)?.map_or(Self::default(), |word| Self::of(&word)))
    }

    pub(super) fn of(word: &str) -> Self {
        Self {
            asks: !matches!(word, "" | "none" | "minimal"),
            effort: Effort::parse(word),
        }
    }
}

/// `thinking` of a request: `{"type": "enabled" | "adaptive" | "disabled", "budget_tokens", "display"}`.
pub(super) fn thinking(reader: &mut Reader<'_>) -> Result<Reasoning, Fault> {
    let mut budget_tokens = None;
    let mut on = false;
    let mut omitted = false;
    if enter_object(reader)? {
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"type" => {
                    on = word(reader)?
                        .is_some_and(|kind| matches!(kind.as_ref(), "enabled" | "adaptive"))
                }
                b"budget_tokens" => budget_tokens = count(reader)?,
                b"display" => omitted = word(reader)?.is_some_and(|display| display == "omitted"),
                _ => reader.skip()?,
            }
        }
    }
    Ok(if on {
        Reasoning {
            requested: true,
            visible: !omitted,
            budget_tokens,
            effort: None,
        }
    } else {
        Reasoning::default()
    })
}

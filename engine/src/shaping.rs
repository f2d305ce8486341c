//! What an exchange is given less of: first what is asked for, then what is returned.
//!
//! A shaped request asks for less than its client did, and its answer is true; a stripped response
//! keeps its structure, its ids and whatever a later request has to bring back (signatures, encrypted
//! reasoning), so that every client can read it.
mod cursor;
mod document;
mod events;
mod extent;
mod held;
mod place;
mod request;
mod response;

use crate::facts::{Effort, RequestFacts};
pub use request::rewritten;
pub use response::ResponseShaper;

/// The most that a request may ask for; `None` and false leave it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestLimits {
    /// Token probabilities are not asked for.
    pub drop_logprobs: bool,
    /// Answers at once.
    pub samples: Option<u32>,
    /// Output tokens, also where the request names no maximum.
    pub output_tokens: Option<u32>,
    /// Reasoning effort, where the request names one.
    pub effort: Option<Effort>,
    /// Tokens to think with, where the request names them.
    pub thinking_tokens: Option<u32>,
    /// Reasoning is not shown.
    pub hide_reasoning: bool,
}

/// What is taken out of responses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strip {
    /// Token probabilities.
    pub logprobs: bool,
    /// The text of visible reasoning.
    pub reasoning: bool,
}

impl RequestLimits {
    /// The stricter of both, limit by limit.
    pub fn and(self, other: Self) -> Self {
        fn stricter<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            }
        }
        Self {
            drop_logprobs: self.drop_logprobs || other.drop_logprobs,
            samples: stricter(self.samples, other.samples),
            output_tokens: stricter(self.output_tokens, other.output_tokens),
            effort: stricter(self.effort, other.effort),
            thinking_tokens: stricter(self.thinking_tokens, other.thinking_tokens),
            hide_reasoning: self.hide_reasoning || other.hide_reasoning,
        }
    }

    /// The facts of the request once it is shaped: what its capabilities and reservations are judged by.
    pub fn apply(&self, facts: &mut RequestFacts<'_>) {
        let most = |asked: u32, limit: Option<u32>| limit.map_or(asked, |limit| asked.min(limit));
        facts.logprobs &= !self.drop_logprobs;
        facts.samples = most(facts.samples, self.samples);
        if let Some(limit) = self.output_tokens {
            facts.max_output_tokens = Some(facts.max_output_tokens.unwrap_or(limit).min(limit));
        }
        let reasoning = &mut facts.reasoning;
        reasoning.visible &= !self.hide_reasoning;
        reasoning.budget_tokens = reasoning
            .budget_tokens
            .map(|asked| most(asked, self.thinking_tokens));
        reasoning.effort = match (reasoning.effort, self.effort) {
            (Some(asked), Some(limit)) => Some(asked.min(limit)),
            (asked, _) => asked,
        };
    }
}

impl Strip {
    /// Everything that either takes out.
    pub const fn and(self, other: Self) -> Self {
        Self {
            logprobs: self.logprobs || other.logprobs,
            reasoning: self.reasoning || other.reasoning,
        }
    }

    /// Whether nothing is taken out.
    pub const fn is_nothing(self) -> bool {
        !self.logprobs && !self.reasoning
    }
}

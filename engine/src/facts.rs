//! What one request says of itself, borrowed from its body.
//!
//! Read as the most forgiving upstream reads it, because what an upstream honours and we overlook
//! passes every gate: `"logprobs": "true"` is true, `"n": 2.0` is two, an unknown role speaks as the
//! user, the last of several equal keys counts while text and history of all of them add up. A value
//! of another type is one the upstream refuses; it leaves its fact at the default and hides no other.
//! Keys must match letter for letter: a server that also takes `"Model"` has to be told not to.
mod anthropic_messages;
mod gemini;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod prompt;
mod reasoning;
mod sampling;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod tools;
mod values;

use crate::endpoint::Endpoint;
use crate::json::{Fault, MAX_DEPTH, Reader};
use alloc::borrow::Cow;
pub use reasoning::{Effort, Reasoning};
pub use sampling::{Sampling, StructuredOutput};
pub use text::{RawText, Role, TextSink};
pub(crate) use values::{
    asks_for_logprobs, asks_for_summary, count, counted_logprobs, flag, includes_logprobs,
    is_logprobs, word,
};

/// What one request says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts<'a> {
    /// `model`, unescaped. Gemini's stands in the path ([`Endpoint::model_in`]) and never here.
    pub model: Option<Cow<'a, str>>,
    /// `stream` is true; for Gemini, the endpoint streams.
    pub stream: bool,
    /// The larger of `max_completion_tokens` and `max_tokens`, whichever the server heeds; `max_output_tokens`,
    /// `maxOutputTokens`. Saturating.
    pub max_output_tokens: Option<u32>,
    /// `n`, `best_of` where it is larger, `candidateCount`; 1 when absent. Saturating, at least 1.
    pub samples: u32,
    /// Log probabilities are asked for: `logprobs` is true or `top_logprobs` above zero; any number as
    /// `logprobs` of legacy completions; `include` of Responses names them; Gemini's `responseLogprobs`
    /// is true or `logprobs` above zero.
    pub logprobs: bool,
    /// Tools and legacy functions offered, built-in ones too.
    pub tools: u32,
    /// Tool calls by the model in the history.
    pub tool_calls: u32,
    /// Tool results in the history.
    pub tool_results: u32,
    /// User messages with text of their own (a message of tool results alone is not one), prompts of
    /// completions, inputs of embeddings.
    pub user_turns: u32,
    /// Assistant messages.
    pub assistant_turns: u32,
    /// Reasoning asked for.
    pub reasoning: Reasoning,
    /// Parameters of sampling.
    pub sampling: Sampling,
    /// Stop sequences given.
    pub stop_sequences: u32,
    /// Whether the answer must be JSON.
    pub structured_output: StructuredOutput,
    /// Tokens of prompts that are given as numbers instead of text; saturating.
    pub prompt_tokens: u32,
    /// Bytes of prompt text (raw, all roles), saturating.
    pub text_bytes: u32,
    /// Images, files and audio parts.
    pub attachments: u32,
    /// Hash of how the body is written: its keys and their order, values of sampling parameters, layout of
    /// content, number of tools by its order of magnitude. No text, no model, no name, nothing that names
    /// a caller. 0 for a body without keys.
    pub shape: u32,
    /// The body ended before its JSON did (cut at the policy's cap); facts are those of the prefix.
    pub truncated: bool,
}

/// Why a body gives no facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Not JSON, or not the JSON of this endpoint.
    #[error("body is not valid at byte {at}: expected {what}")]
    Malformed {
        /// Byte offset.
        at: usize,
        /// What was expected there.
        what: &'static str,
    },
    /// Nested deeper than the limit.
    #[error("body nests deeper than {limit} levels")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
}

/// Reads a request body in one pass. `cut` says that the body goes on beyond `body`.
///
/// `sink` takes the text of system prompts, messages and tool results and the names of tools, not tool call
/// arguments and not replayed thinking. Text whose role follows it in the body is handed out when the role is known. A
/// body of [`Endpoint::Unknown`] is not looked at. Linear in the body; allocates for escaped keys and an
/// escaped model name only. Where the result is an error, `sink` may have seen the text before it.
///
/// # Errors
/// The client is at fault: [`FactsError::Malformed`] for what no server of this endpoint would read,
/// [`FactsError::TooDeep`] beyond 64 levels, which a server may well read.
pub fn read<'a>(
    endpoint: Endpoint,
    body: &'a [u8],
    cut: bool,
    sink: &mut dyn TextSink,
) -> Result<RequestFacts<'a>, FactsError> {
    let mut facts = RequestFacts {
        samples: 1,
        ..RequestFacts::default()
    };
    let mut reader = Reader::new(body);
    let outcome = match endpoint {
        Endpoint::OpenAiChat => openai_chat::read(&mut reader, &mut facts, sink),
        Endpoint::OpenAiCompletions | Endpoint::OpenAiEmbeddings => {
            openai_completions::read(&mut reader, &mut facts, sink)
        }
        Endpoint::OpenAiResponses => openai_responses::read(&mut reader, &mut facts, sink),
        Endpoint::AnthropicMessages | Endpoint::AnthropicCountTokens => {
            anthropic_messages::read(&mut reader, &mut facts, sink)
        }
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => {
            facts.stream = endpoint == Endpoint::GeminiStream;
            gemini::read(&mut reader, &mut facts, sink)
        }
        Endpoint::Unknown => return Ok(facts),
    };
    match outcome.and_then(|()| reader.finish()) {
        Ok(()) => Ok(facts),
        Err(Fault::Ended) if cut => {
            facts.truncated = true;
            Ok(facts)
        }
        Err(Fault::Ended) => Err(FactsError::Malformed {
            at: body.len(),
            what: "the rest of a value",
        }),
        Err(Fault::Malformed { at, what }) => Err(FactsError::Malformed { at, what }),
        Err(Fault::TooDeep) => Err(FactsError::TooDeep {
            limit: usize::try_from(MAX_DEPTH).unwrap_or(usize::MAX),
        }),
    }
}

/// Tokens that the prompt will cost, as far as its length tells: a token per four bytes of text, rounded
/// up, and those that it gives as numbers.
///
/// An estimate to reserve with; the response's usage trues it up. Attachments, tool schemas and other
/// scripts than Latin cost more than it says, escapes less.
pub const fn estimated_input_tokens(facts: &RequestFacts<'_>) -> u32 {
    facts
        .text_bytes
        .div_ceil(4)
        .saturating_add(facts.prompt_tokens)
}

//! What one request says of itself, borrowed from its body.
use crate::endpoint::Endpoint;
use alloc::borrow::Cow;

/// Who speaks a piece of prompt text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// System or developer prompt.
    System,
    /// The user.
    User,
    /// The model, replayed as history.
    Assistant,
    /// A tool's result.
    Tool,
}

/// A JSON string as it stands in the body, quotes excluded, escapes not yet resolved.
#[derive(Clone, Copy, Debug)]
pub struct RawText<'a> {
    /// The bytes between the quotes; valid UTF-8.
    pub raw: &'a str,
    /// Whether `raw` holds a backslash.
    pub escaped: bool,
}

/// Takes the prompt text of a request, piece by piece, in body order.
pub trait TextSink {
    /// One string of prompt text.
    fn text(&mut self, role: Role, text: RawText<'_>);
}

/// The reasoning that a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Reasoning or thinking was switched on, by effort or by budget.
    pub requested: bool,
    /// The request asks to see it (Anthropic thinking that is not omitted; OpenAI `reasoning.summary`, `include_reasoning`).
    pub visible: bool,
    /// `thinking.budget_tokens`.
    pub budget_tokens: Option<u32>,
}

/// What one request says of itself.
#[derive(Clone, Debug, Default)]
pub struct RequestFacts<'a> {
    /// `model`, unescaped.
    pub model: Option<Cow<'a, str>>,
    /// `stream` is true.
    pub stream: bool,
    /// `max_completion_tokens` or `max_tokens`.
    pub max_output_tokens: Option<u32>,
    /// `n`, 1 when absent.
    pub samples: u32,
    /// `logprobs` is true or `top_logprobs` is above zero.
    pub logprobs: bool,
    /// Tools and legacy functions offered.
    pub tools: u32,
    /// Tool calls by the model in the history.
    pub tool_calls: u32,
    /// Tool results in the history.
    pub tool_results: u32,
    /// User messages with text of their own (a message of tool results alone is not one).
    pub user_turns: u32,
    /// Assistant messages.
    pub assistant_turns: u32,
    /// Reasoning asked for.
    pub reasoning: Reasoning,
    /// Bytes of prompt text (raw, all roles), saturating.
    pub text_bytes: u32,
    /// Images, files and audio parts.
    pub attachments: u32,
    /// The body ended before its JSON did (cut at the policy's cap); facts are those of the prefix.
    pub truncated: bool,
}

/// Why a body gives no facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    /// Not JSON, or not the JSON of this endpoint.
    #[error("body is not valid at byte {at}: {what}")]
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
pub fn read<'a>(
    _endpoint: Endpoint,
    _body: &'a [u8],
    _cut: bool,
    _sink: &mut dyn TextSink,
) -> Result<RequestFacts<'a>, FactsError> {
    Ok(RequestFacts::default())
}

impl RawText<'_> {
    /// stub
    pub fn unescape_into(&self, out: &mut alloc::vec::Vec<u8>, max: usize) {
        let _ = max;
        out.extend_from_slice(self.raw.as_bytes());
    }
}
/// stub
pub fn estimated_input_tokens(facts: &RequestFacts<'_>) -> u32 {
    facts.text_bytes / 4
}

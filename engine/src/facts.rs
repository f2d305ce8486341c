//! What one request says of itself, borrowed from its body.
//!
//! Read as the most forgiving upstream reads it, because what an upstream honours and we overlook
//! passes every gate: `"logprobs": "true"` is true, `"n": 2.0` is two, an unknown role speaks as the
//! user, the last of several equal keys counts while text and history of all of them add up. A value
//! of another type is one the upstream refuses; it leaves its fact at the default and hides no other.
//! Keys must match letter for letter: a server that also takes `"Model"` has to be told not to.
mod anthropic_messages;
mod openai_chat;
mod prompt;
mod shape;
#[cfg(test)]
mod tests;
mod text;

use crate::endpoint::Endpoint;
use crate::json::{Fault, Kind, MAX_DEPTH, Reader};
use alloc::borrow::Cow;
pub use text::{RawText, Role, TextSink};

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
    /// `thinking.budget_tokens` or `reasoning.max_tokens`, saturating.
    pub budget_tokens: Option<u32>,
    /// `reasoning_effort`, `reasoning.effort`, `output_config.effort` or `thinkingLevel`; the highest where several stand.
    pub effort: Option<Effort>,
}

/// What one request says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts<'a> {
    /// `model`, unescaped.
    pub model: Option<Cow<'a, str>>,
    /// `stream` is true.
    pub stream: bool,
    /// The larger of `max_completion_tokens` and `max_tokens`, whichever the server heeds; saturating.
    pub max_output_tokens: Option<u32>,
    /// `n`, 1 when absent; saturating, at least 1.
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
/// `sink` takes the text of system prompts, messages and tool results and the names of tools, not tool call arguments and not
/// replayed thinking. Text whose role follows it in the body is handed out when the role is known. A
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
        Endpoint::AnthropicMessages => anthropic_messages::read(&mut reader, &mut facts, sink),
        _ => return Ok(facts),
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

/// Tokens that the prompt will cost, as far as its length tells: a token per four bytes, rounded up.
///
/// An estimate to reserve with; the response's usage trues it up. Attachments, tool schemas and other
/// scripts than Latin cost more than it says, escapes less.
pub const fn estimated_input_tokens(facts: &RequestFacts<'_>) -> u32 {
    facts.text_bytes.div_ceil(4)
}

/// A value that says yes: `true`, a number above zero, or a word that forgiving servers take for true.
fn flag(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    Ok(match reader.kind()? {
        Kind::Number => reader.unsigned()? > Some(0),
        Kind::String => word(reader)?.is_some_and(|word| {
            ["true", "1", "t", "yes", "y", "on"]
                .iter()
                .any(|yes| word.eq_ignore_ascii_case(yes))
        }),
        kind => reader.skip().map(|()| kind == Kind::True)?,
    })
}

/// A count: a number, or a string that holds one.
fn count(reader: &mut Reader<'_>) -> Result<Option<u32>, Fault> {
    match reader.kind()? {
        Kind::Number => reader.unsigned(),
        _ => Ok(word(reader)?.and_then(|word| {
            let mut quoted = Reader::new(word.as_bytes());
            let value = quoted.unsigned();
            quoted.finish().and(value).ok().flatten()
        })),
    }
}

/// A string with its escapes resolved; `None` for anything else.
fn word<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Fault> {
    match reader.kind()? {
        Kind::String => Ok(Some(text::unescaped(reader.string()?))),
        _ => reader.skip().map(|()| None),
    }
}

/// Adds the items of an array to `items`, those before a cut too; anything else has none.
fn count_items(reader: &mut Reader<'_>, items: &mut u32) -> Result<(), Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip();
    }
    reader.enter()?;
    while reader.item()? {
        *items = items.saturating_add(1);
        reader.skip()?;
    }
    Ok(())
}

/// Adds the tools of an array to `items` as [`count_items`] does, and hands out their names, which stand in
/// the tool or in its `function`.
fn tools(reader: &mut Reader<'_>, items: &mut u32, sink: &mut dyn TextSink) -> Result<(), Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip();
    }
    reader.enter()?;
    while reader.item()? {
        *items = items.saturating_add(1);
        if !enter_object(reader)? {
            continue;
        }
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"name" => tool_name(reader, sink)?,
                b"function" => {
                    if enter_object(reader)? {
                        while let Some(key) = reader.field()? {
                            match key.as_ref() {
                                b"name" => tool_name(reader, sink)?,
                                _ => reader.skip()?,
                            }
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
    }
    Ok(())
}

fn tool_name(reader: &mut Reader<'_>, sink: &mut dyn TextSink) -> Result<(), Fault> {
    if reader.kind()? != Kind::String {
        return reader.skip();
    }
    text::hand_out_name(reader.string()?, sink);
    Ok(())
}

/// Opens an object and gives true, or passes over anything else and gives false.
fn enter_object(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    match reader.kind()? {
        Kind::Object => reader.enter().map(|()| true),
        _ => reader.skip().map(|()| false),
    }
}

/// Whether an effort level asks for reasoning beyond what a model does unasked.
fn is_effort(level: &str) -> bool {
    !matches!(level, "" | "none" | "minimal")
}

/// `thinking` of a request: `{"type": "enabled" | "adaptive" | "disabled", "budget_tokens", "display"}`.
fn thinking(reader: &mut Reader<'_>) -> Result<Reasoning, Fault> {
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

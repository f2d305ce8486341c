//! What the mock answers, before it is worded for one API or the other.
use hyper::body::Bytes;
use serde_json::Value;

use super::asked::{Asked, Reasoning};
use super::directives::Directives;
use super::ledger::Tokens;
use super::text;

/// Bytes of a request per input token; a common rule of thumb.
const BYTES_PER_TOKEN: usize = 4;
/// Output where nothing says how much.
const OUTPUT_TOKENS: u32 = 24;
/// Content events of a stream where nothing says how many.
const EVENTS: usize = 8;
/// What a request counts as, in bytes, where `x-mock-answer` makes the answer independent of it.
const FIXED_BYTES: usize = 400;
/// How far the reasoning begins after the answer in the text that both are taken from.
const REASONING_OFFSET: u64 = 11;
/// Characters of arguments in one event.
const ARGUMENT_PIECE: usize = 9;

/// One write of an answer, with the usage that it tells.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) usage: Tokens,
}

impl Part {
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self::with_usage(bytes, Tokens::default())
    }

    pub(super) fn with_usage(bytes: impl Into<Bytes>, usage: Tokens) -> Self {
        Self {
            bytes: bytes.into(),
            usage,
        }
    }
}

/// The content of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// Unique in one mock unless the request chooses it.
    pub(super) id: u64,
    /// As the request named it.
    pub(super) model: Value,
    /// Text in as many pieces as a stream has content events, for each choice the same.
    pub(super) pieces: Vec<String>,
    /// Alternatives, at least one.
    pub(super) choices: usize,
    /// None where the mock was told to keep it to itself.
    pub(super) usage: Option<Tokens>,
    /// The part of the output that was spent on reasoning.
    pub(super) reasoning_tokens: u64,
    /// Whether the text ends because the limit of the request was reached.
    pub(super) cut_short: bool,
    pub(super) calls: Vec<Call>,
    pub(super) thought: Option<Thought>,
    /// Alternatives for each token; none where no log probabilities are asked for.
    pub(super) top_logprobs: Option<usize>,
}

/// One call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    /// Unique in the answer's conversation.
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) arguments: Value,
}

impl Call {
    /// The arguments as JSON text in pieces that cut anywhere.
    pub(super) fn pieces(&self) -> Vec<String> {
        let text: Vec<char> = self.arguments.to_string().chars().collect();
        text.chunks(ARGUMENT_PIECE)
            .map(|piece| piece.iter().collect())
            .collect()
    }
}

/// The reasoning before an answer.
#[derive(Debug)]
pub(super) struct Thought {
    pub(super) pieces: Vec<String>,
    pub(super) shown: Reasoning,
    /// `x-mock-reasoning-text`: in its own words as well, not only summed up.
    pub(super) verbatim: bool,
}

impl Thought {
    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }
}

impl Answer {
    pub(super) fn to(
        asked: &Asked,
        request_bytes: usize,
        directives: &Directives,
        id: u64,
    ) -> Self {
        let (id, request_bytes) = match directives.answer {
            Some(chosen) => (chosen, FIXED_BYTES),
            None => (id, request_bytes),
        };
        let seed = directives.answer.unwrap_or(request_bytes as u64);
        let output = directives
            .output_tokens
            .unwrap_or_else(|| asked.limit.unwrap_or(OUTPUT_TOKENS).min(OUTPUT_TOKENS));
        let choices = asked.choices.clamp(1, 16);
        let events = directives.events.unwrap_or(EVENTS);
        let usage = Tokens {
            input: (request_bytes / BYTES_PER_TOKEN) as u64,
            output: u64::from(output).saturating_mul(choices.into()),
        };
        let cut_short = asked.limit.is_some_and(|limit| limit <= output);
        let call = asked.call.as_ref().filter(|_| !cut_short);
        let calls = call.into_iter().flat_map(|tool| {
            (0..directives.tool_calls.unwrap_or(1) as u64).map(move |index| Call {
                number: id.wrapping_mul(100).wrapping_add(index),
                name: tool.name.clone(),
                arguments: tool.arguments(),
            })
        });
        let thought = asked.reasoning.map(|shown| Thought {
            pieces: text::pieces(
                seed.wrapping_add(REASONING_OFFSET),
                (output / 2).max(2),
                events,
            ),
            shown,
            verbatim: directives.reasoning_text,
        });
        Self {
            id,
            model: asked.model.clone(),
            pieces: text::pieces(seed, output, events),
            choices: usize::try_from(choices).unwrap_or(1),
            usage: (!directives.no_usage).then_some(usage),
            reasoning_tokens: thought.as_ref().map_or(0, |_| usage.output / 3),
            cut_short,
            calls: calls.collect(),
            thought,
            top_logprobs: asked.top_logprobs,
        }
    }

    /// The usage as the mock's ledger books it.
    pub(super) fn told(&self) -> Tokens {
        self.usage.unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }
}

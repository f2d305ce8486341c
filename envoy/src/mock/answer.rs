//! What the mock answers, before it is worded for one API or the other.
use hyper::body::Bytes;
use serde_json::{Map, Value};

use super::directives::Directives;
use super::ledger::Tokens;
use super::text;

/// Bytes of a request per input token; a common rule of thumb.
const BYTES_PER_TOKEN: usize = 4;
/// Output where nothing says how much.
const OUTPUT_TOKENS: u32 = 24;
/// Content events of a stream where nothing says how many.
const EVENTS: usize = 8;

/// One write of an answer, with the usage that it tells.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) usage: Tokens,
}

impl Part {
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self {
            bytes: bytes.into(),
            usage: Tokens::default(),
        }
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
    /// Unique in one mock.
    pub(super) id: u64,
    /// As the request named it.
    pub(super) model: Value,
    /// Text in as many pieces as a stream has content events, for each choice the same.
    pub(super) pieces: Vec<String>,
    /// OpenAI's `n`.
    pub(super) choices: usize,
    /// None where the mock was told to keep it to itself.
    pub(super) usage: Option<Tokens>,
    /// Whether the text ends because the limit of the request was reached.
    pub(super) cut_short: bool,
}

impl Answer {
    pub(super) fn to(
        asked: &Map<String, Value>,
        request_bytes: usize,
        directives: &Directives,
        id: u64,
    ) -> Self {
        let number = |name: &str| {
            asked
                .get(name)
                .and_then(Value::as_u64)
                .and_then(|n| u32::try_from(n).ok())
        };
        let limit = number("max_completion_tokens").or_else(|| number("max_tokens"));
        let output = directives
            .output_tokens
            .unwrap_or_else(|| limit.unwrap_or(OUTPUT_TOKENS).min(OUTPUT_TOKENS));
        let choices = number("n").unwrap_or(1).clamp(1, 16);
        let usage = Tokens {
            input: (request_bytes / BYTES_PER_TOKEN) as u64,
            output: u64::from(output).saturating_mul(choices.into()),
        };
        Self {
            id,
            model: asked.get("model").cloned().unwrap_or(Value::Null),
            pieces: text::pieces(
                request_bytes as u64,
                output,
                directives.events.unwrap_or(EVENTS),
            ),
            choices: usize::try_from(choices).unwrap_or(1),
            usage: (!directives.no_usage).then_some(usage),
            cut_short: limit.is_some_and(|limit| limit <= output),
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

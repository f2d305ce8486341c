//! One exchange of the world before it is put into words: who, when, with which program, about what.
use weir_engine::time::Timestamp;

/// One exchange. Everything that it says follows from these numbers and the world's seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// When the request comes.
    pub time: Timestamp,
    /// Whose it is: index into the world's people.
    pub account: u32,
    /// The client program that sends it: index into the world's programs.
    pub program: u32,
    /// The conversation's text.
    pub text: Text,
    /// User turns before this one in the conversation.
    pub step: u16,
    /// Tool results in the history.
    pub tool_results: u16,
    /// Index into [`MODELS`].
    pub model: u8,
    /// Seed of the address it comes from; equal /48 (or /24) for equal upper 32 bits.
    pub address: u64,
    /// Tokens of prompt and answer as the provider bills them.
    pub input_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// A campaign account serves a real customer with it: organic, whoever's account it is.
    pub customer: bool,
}

/// What the first user turn of a conversation says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Text {
    /// Where it comes from.
    pub source: Source,
    /// Seed of its free parts (slots, words).
    pub seed: u64,
    /// How it was disguised.
    pub rewrite: Rewrite,
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What a person types, about a topic: index into [`TOPICS`].
    Free(u8),
    /// Slots filled into a fixed frame; the frame follows from the number, its topic from the second.
    Template(u32, u8),
    /// The same text word for word, whoever sends it (an assignment, a benchmark's item).
    Verbatim(u32, u8),
}

/// How a text was disguised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rewrite {
    /// Not at all.
    Not,
    /// This share of its words replaced.
    Words(f32),
    /// Said anew in other words and another order, for each request.
    Whole,
}

/// Models that the provider offers, best first.
pub const MODELS: [&str; 4] = ["m-large", "m-medium", "m-small", "m-large-2"];

/// What texts are about.
pub const TOPICS: [&str; 12] = [
    "software",
    "agents",
    "planning",
    "math",
    "reasoning",
    "grading",
    "rewriting",
    "documents",
    "summary",
    "translation",
    "advice",
    "stories",
];

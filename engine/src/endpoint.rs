//! Which provider endpoint a request asks for.

/// A provider endpoint whose bodies the engine can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST …/v1/chat/completions`.
    OpenAiChat,
    /// `POST …/v1/messages`.
    AnthropicMessages,
    /// Anything else.
    Unknown,
}

impl Endpoint {
    /// The endpoint of a request line; query and a route prefix before `/v1/` do not matter.
    pub fn of(_method: &str, _path: &str) -> Self {
        Self::Unknown
    }
    /// Stable name, `openai.chat` style.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai.chat",
            Self::AnthropicMessages => "anthropic.messages",
            Self::Unknown => "unknown",
        }
    }
}

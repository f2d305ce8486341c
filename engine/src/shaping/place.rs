//! Where in a response there is anything to take out.
//!
//! Paths and not names: a tool's arguments, an answer's own text and an error may hold any key, so that
//! a value counts only where the provider's format puts it. What no path leads to is not looked at.
use super::Strip;
use crate::endpoint::Endpoint;

/// An object or array on the way to something that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A list of bodies.
    Roots,
    /// Body or chunk of chat completions and completions.
    Chat,
    Choices,
    Choice,
    /// `message` or `delta` of a choice, and what gateways add to it under `provider_specific_fields`.
    ChatMessage,
    ProviderFields,
    /// `reasoning_details` of OpenRouter.
    ReasoningDetails,
    ReasoningDetail,
    /// `thinking_blocks` of LiteLLM, content in parts of Mistral, `content` of Anthropic.
    ThinkingBlocks,
    ThinkingBlock,
    /// Body or event of Responses.
    Responses,
    /// `response` of an event.
    Response,
    Output,
    OutputItem,
    Summary,
    SummaryPart,
    OutputParts,
    OutputPart,
    /// Body or event of Anthropic.
    Anthropic,
    AnthropicMessage,
    /// Body or chunk of Gemini.
    Gemini,
    Candidates,
    Candidate,
    GeminiContent,
    GeminiParts,
    GeminiPart,
}

/// What is done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Passes.
    Pass,
    /// Is looked into, where it is such an object or array.
    Enter(Place),
    /// `null` takes its place.
    Null,
    /// Nothing stays between its quotes, brackets or braces; numbers and words pass.
    Empty,
    /// The same for a string, where its object's [`Step::Condition`] says so.
    EmptyIf,
    /// Passes, and says what becomes of [`Step::EmptyIf`].
    Condition,
}

impl Place {
    /// The outermost object of a response; `None` where there is nothing to take out.
    pub(super) fn root(endpoint: Endpoint, strip: Strip) -> Option<Self> {
        if strip.is_nothing() {
            return None;
        }
        match endpoint {
            Endpoint::OpenAiChat | Endpoint::OpenAiCompletions => Some(Self::Chat),
            Endpoint::OpenAiResponses => Some(Self::Responses),
            // Anthropic tells no token probabilities.
            Endpoint::AnthropicMessages => strip.reasoning.then_some(Self::Anthropic),
            Endpoint::GeminiGenerate | Endpoint::GeminiStream => Some(Self::Gemini),
            Endpoint::OpenAiEmbeddings | Endpoint::AnthropicCountTokens | Endpoint::Unknown => None,
        }
    }

    /// Whether it is an array, and if so what is done with its items.
    pub(super) const fn items(self) -> Option<Step> {
        Some(Step::Enter(match self {
            Self::Choices => Self::Choice,
            Self::ReasoningDetails => Self::ReasoningDetail,
            Self::ThinkingBlocks => Self::ThinkingBlock,
            Self::Output => Self::OutputItem,
            Self::Summary => Self::SummaryPart,
            Self::OutputParts => Self::OutputPart,
            Self::Candidates => Self::Candidate,
            Self::GeminiParts => Self::GeminiPart,
            _ => return None,
        }))
    }

    /// What is done with the member `key` of the object.
    pub(super) fn member(self, key: &[u8], strip: Strip) -> Step {
        // Empty values are of the type that SDKs want there: a list of Responses is never null, the
        // probabilities of chat completions are an object or null, those of Gemini optional.
        let logprobs = |step| if strip.logprobs { step } else { Step::Pass };
        let reasoning = |step| if strip.reasoning { step } else { Step::Pass };
        match (self, key) {
            (Self::Chat, b"choices") => Step::Enter(Self::Choices),
            // vLLM tells those of the prompt, of the whole request or choice by choice.
            (Self::Chat | Self::Choice, b"prompt_logprobs") | (Self::Choice, b"logprobs") => {
                logprobs(Step::Null)
            }
            (Self::Choice, b"message" | b"delta") => reasoning(Step::Enter(Self::ChatMessage)),
            // A choice of completions has no message.
            (
                Self::Choice | Self::ChatMessage | Self::ProviderFields,
                b"reasoning" | b"reasoning_content",
            ) => reasoning(Step::Empty),
            (Self::ChatMessage | Self::ProviderFields, b"reasoning_details") => {
                Step::Enter(Self::ReasoningDetails)
            }
            (Self::ChatMessage | Self::ProviderFields, b"thinking_blocks")
            | (Self::ChatMessage, b"content") => Step::Enter(Self::ThinkingBlocks),
            (Self::ChatMessage, b"provider_specific_fields") => Step::Enter(Self::ProviderFields),
            (Self::ReasoningDetail, b"text" | b"summary") | (Self::ThinkingBlock, b"thinking") => {
                Step::Empty
            }

            (Self::Responses, b"type") | (Self::OutputPart | Self::SummaryPart, b"type") => {
                reasoning(Step::Condition)
            }
            (Self::Responses, b"delta" | b"text") => reasoning(Step::EmptyIf),
            (Self::OutputPart | Self::SummaryPart, b"text") => reasoning(Step::EmptyIf),
            (Self::Responses, b"response") => Step::Enter(Self::Response),
            (Self::Responses, b"item") => Step::Enter(Self::OutputItem),
            (Self::Responses, b"part") => Step::Enter(Self::OutputPart),
            (Self::Responses | Self::Response, b"output") => Step::Enter(Self::Output),
            (Self::OutputItem, b"summary") => reasoning(Step::Enter(Self::Summary)),
            (Self::OutputItem, b"content") => Step::Enter(Self::OutputParts),
            (Self::Responses | Self::OutputPart, b"logprobs") => logprobs(Step::Empty),

            (Self::Anthropic, b"message") => Step::Enter(Self::AnthropicMessage),
            (Self::Anthropic | Self::AnthropicMessage, b"content") => {
                Step::Enter(Self::ThinkingBlocks)
            }
            (Self::Anthropic, b"content_block" | b"delta") => Step::Enter(Self::ThinkingBlock),

            (Self::Gemini, b"candidates") => Step::Enter(Self::Candidates),
            // The mean is a probability of the whole answer, and it comes unasked.
            (
                Self::Candidate,
                b"logprobsResult" | b"logprobs_result" | b"avgLogprobs" | b"avg_logprobs",
            ) => logprobs(Step::Null),
            (Self::Candidate, b"content") => reasoning(Step::Enter(Self::GeminiContent)),
            (Self::GeminiContent, b"parts") => Step::Enter(Self::GeminiParts),
            (Self::GeminiPart, b"thought") => Step::Condition,
            (Self::GeminiPart, b"text") => Step::EmptyIf,
            _ => Step::Pass,
        }
    }

    /// Whether the value of [`Step::Condition`], without its quotes, says that the text is reasoning.
    pub(super) fn is_reasoning(self, value: &[u8]) -> bool {
        match self {
            Self::Responses => value.starts_with(b"response.reasoning"),
            Self::GeminiPart => value == b"true",
            _ => matches!(value, b"reasoning_text" | b"summary_text"),
        }
    }

    /// The same where the object has no such member.
    pub(super) fn is_reasoning_unsaid(self) -> bool {
        self == Self::SummaryPart
    }
}

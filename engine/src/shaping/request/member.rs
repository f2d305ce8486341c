//! What the keys of a request mean to its limits.
use crate::endpoint::Endpoint;

/// An object of a request that holds something limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Root,
    /// `reasoning` of chat completions, as servers beyond OpenAI's own take it.
    ChatReasoning,
    /// `reasoning` of Responses.
    ResponsesReasoning,
    /// `thinking` of Anthropic.
    Thinking,
    OutputConfig,
    GenerationConfig,
    ThinkingConfig,
}

/// What a member of such an object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// It is an object that holds something limited.
    Object(Level),
    /// Log probabilities, where it is true or above zero.
    Logprobs,
    /// Log probabilities, where it is any number: 0 asks for those of each token drawn.
    CountedLogprobs,
    /// A list that may name log probabilities.
    Include,
    /// Answers at once.
    Samples,
    /// Output tokens, under the first or the second of two names.
    OutputTokens(usize),
    Effort,
    /// Tokens to think with.
    Budget,
    /// Reasoning is shown, where it is true.
    Shows,
    /// Reasoning is not shown, where it is true.
    Excludes,
    /// Reasoning is shown as a summary, where it is a word.
    Summary,
    /// How thinking is shown.
    Display,
    /// Whether there is thinking.
    Type,
    /// Whether there is reasoning.
    Enabled,
}

/// What `key` says at `level` of a request; `None` for what no limit is about.
pub(super) fn member(endpoint: Endpoint, level: Level, key: &[u8]) -> Option<Member> {
    use Endpoint as E;
    use Level as L;
    Some(match (endpoint, level, key) {
        (E::OpenAiChat, L::Root, b"logprobs" | b"top_logprobs") => Member::Logprobs,
        (E::OpenAiCompletions, L::Root, b"logprobs") => Member::CountedLogprobs,
        // vLLM's, of the tokens of the prompt.
        (E::OpenAiChat | E::OpenAiCompletions, L::Root, b"prompt_logprobs") => {
            Member::CountedLogprobs
        }
        (E::OpenAiChat | E::OpenAiCompletions, L::Root, b"n")
        | (E::OpenAiCompletions, L::Root, b"best_of") => Member::Samples,
        (E::OpenAiChat, L::Root, b"max_completion_tokens") => Member::OutputTokens(0),
        (E::OpenAiChat, L::Root, b"max_tokens") => Member::OutputTokens(1),
        (E::OpenAiCompletions, L::Root, b"max_tokens") => Member::OutputTokens(0),
        (E::OpenAiCompletions, L::Root, b"max_completion_tokens") => Member::OutputTokens(1),
        (E::OpenAiChat, L::Root, b"reasoning_effort") => Member::Effort,
        (E::OpenAiChat, L::Root, b"include_reasoning") => Member::Shows,
        (E::OpenAiChat, L::Root, b"reasoning") => Member::Object(L::ChatReasoning),
        (E::OpenAiChat | E::AnthropicMessages, L::Root, b"thinking") => Member::Object(L::Thinking),
        (E::OpenAiResponses, L::Root, b"top_logprobs") => Member::Logprobs,
        (E::OpenAiResponses, L::Root, b"include") => Member::Include,
        (E::OpenAiResponses, L::Root, b"max_output_tokens") => Member::OutputTokens(0),
        (E::OpenAiResponses, L::Root, b"reasoning") => Member::Object(L::ResponsesReasoning),
        (E::AnthropicMessages, L::Root, b"max_tokens") => Member::OutputTokens(0),
        (E::AnthropicMessages, L::Root, b"output_config") => Member::Object(L::OutputConfig),
        (
            E::GeminiGenerate | E::GeminiStream,
            L::Root,
            b"generationConfig" | b"generation_config",
        ) => Member::Object(L::GenerationConfig),
        (_, L::ChatReasoning | L::ResponsesReasoning | L::OutputConfig, b"effort") => {
            Member::Effort
        }
        (_, L::ChatReasoning | L::ResponsesReasoning, b"max_tokens") => Member::Budget,
        (_, L::ChatReasoning | L::ResponsesReasoning, b"enabled") => Member::Enabled,
        (_, L::ChatReasoning, b"exclude") => Member::Excludes,
        (_, L::ChatReasoning, b"summary")
        | (_, L::ResponsesReasoning, b"summary" | b"generate_summary") => Member::Summary,
        (_, L::Thinking, b"type") => Member::Type,
        (_, L::Thinking, b"budget_tokens") => Member::Budget,
        (_, L::Thinking, b"display") => Member::Display,
        (_, L::GenerationConfig, b"candidateCount" | b"candidate_count") => Member::Samples,
        (_, L::GenerationConfig, b"maxOutputTokens" | b"max_output_tokens") => {
            Member::OutputTokens(0)
        }
        (_, L::GenerationConfig, b"responseLogprobs" | b"response_logprobs" | b"logprobs") => {
            Member::Logprobs
        }
        (_, L::GenerationConfig, b"thinkingConfig" | b"thinking_config") => {
            Member::Object(L::ThinkingConfig)
        }
        (_, L::ThinkingConfig, b"includeThoughts" | b"include_thoughts") => Member::Shows,
        (_, L::ThinkingConfig, b"thinkingBudget" | b"thinking_budget") => Member::Budget,
        (_, L::ThinkingConfig, b"thinkingLevel" | b"thinking_level") => Member::Effort,
        _ => return None,
    })
}

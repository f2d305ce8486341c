use super::*;

fn asked(
    requested: bool,
    visible: bool,
    budget_tokens: Option<u32>,
    effort: Option<Effort>,
) -> Reasoning {
    Reasoning {
        requested,
        visible,
        budget_tokens,
        effort,
    }
}

fn check(endpoint: Endpoint, cases: &[(&str, Reasoning)]) {
    for &(fields, wanted) in cases {
        let body = std::format!("{{{fields}}}");
        assert_eq!(read_as(endpoint, &body).0.reasoning, wanted, "{fields}");
    }
}

const NONE: Option<Effort> = Some(Effort::None);
const MINIMAL: Option<Effort> = Some(Effort::Minimal);
const LOW: Option<Effort> = Some(Effort::Low);
const HIGH: Option<Effort> = Some(Effort::High);
const MAX: Option<Effort> = Some(Effort::Max);

#[test]
fn chat_asks_for_reasoning_beyond_the_default_in_any_of_its_dialects() {
    check(
        Endpoint::OpenAiChat,
        &[
            (
                r#""reasoning_effort":"none""#,
                asked(false, false, None, NONE),
            ),
            (
                r#""reasoning_effort":"minimal""#,
                asked(false, false, None, MINIMAL),
            ),
            (r#""reasoning_effort":"low""#, asked(true, false, None, LOW)),
            (
                r#""reasoning_effort":"xhigh""#,
                asked(true, false, None, MAX),
            ),
            (
                r#""reasoning_effort":"beyond""#,
                asked(true, false, None, None),
            ),
            (
                r#""reasoning_effort":"low","reasoning":{"effort":"high"}"#,
                asked(true, true, None, HIGH),
            ),
            (
                r#""reasoning":{"effort":"high","exclude":true}"#,
                asked(true, false, None, HIGH),
            ),
            (
                r#""reasoning":{"max_tokens":500}"#,
                asked(true, true, Some(500), None),
            ),
            (
                r#""reasoning":{"enabled":true}"#,
                asked(true, true, None, None),
            ),
            (
                r#""reasoning":{"summary":"auto"}"#,
                asked(false, true, None, None),
            ),
            (r#""reasoning":{}"#, asked(false, false, None, None)),
            (r#""include_reasoning":true"#, asked(true, true, None, None)),
            (
                r#""include_reasoning":false"#,
                asked(false, false, None, None),
            ),
            (
                r#""thinking":{"type":"enabled"}"#,
                asked(true, true, None, None),
            ),
        ],
    );
}

#[test]
fn messages_ask_for_reasoning_by_thinking_or_by_effort() {
    check(
        Endpoint::AnthropicMessages,
        &[
            (
                r#""thinking":{"type":"enabled","budget_tokens":2048}"#,
                asked(true, true, Some(2048), None),
            ),
            (
                r#""thinking":{"type":"adaptive"}"#,
                asked(true, true, None, None),
            ),
            (
                r#""thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"max"}"#,
                asked(true, false, None, MAX),
            ),
            (
                r#""thinking":{"display":"summarized","type":"adaptive"}"#,
                asked(true, true, None, None),
            ),
            (
                r#""thinking":{"type":"disabled","budget_tokens":2048}"#,
                asked(false, false, None, None),
            ),
            (
                r#""output_config":{"effort":"high"}"#,
                asked(true, false, None, HIGH),
            ),
            (
                r#""output_config":{"format":{}}"#,
                asked(false, false, None, None),
            ),
        ],
    );
}

#[test]
fn responses_show_a_summary_of_reasoning_only_where_one_is_asked_for() {
    check(
        Endpoint::OpenAiResponses,
        &[
            (
                r#""reasoning":{"effort":"high"}"#,
                asked(true, false, None, HIGH),
            ),
            (
                r#""reasoning":{"effort":"none","summary":"detailed"}"#,
                asked(false, true, None, NONE),
            ),
            (
                r#""reasoning":{"generate_summary":"concise"}"#,
                asked(false, true, None, None),
            ),
            (
                r#""reasoning":{"summary":null},"include":["reasoning.encrypted_content"]"#,
                asked(false, false, None, None),
            ),
            (
                r#""reasoning":{"max_tokens":9,"enabled":true}"#,
                asked(true, false, Some(9), None),
            ),
            (
                r#""reasoning":{"effort":"low"},"reasoning":{"effort":"minimal"}"#,
                asked(false, false, None, MINIMAL),
            ),
            (r#""reasoning":"high""#, asked(false, false, None, None)),
        ],
    );
}

#[test]
fn gemini_thinks_by_budget_or_level_under_either_spelling() {
    for endpoint in [Endpoint::GeminiGenerate, Endpoint::GeminiStream] {
        check(
            endpoint,
            &[
                (
                    r#""generationConfig":{"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1024}}"#,
                    asked(true, true, Some(1024), None),
                ),
                (
                    r#""generation_config":{"thinking_config":{"include_thoughts":true,"thinking_budget":"-1"}}"#,
                    asked(true, true, None, None),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}"#,
                    asked(true, false, None, None),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingBudget":0}}"#,
                    asked(false, false, Some(0), None),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}}"#,
                    asked(true, false, None, HIGH),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinking_level":"low"}}"#,
                    asked(true, false, None, LOW),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"MINIMAL"}}"#,
                    asked(false, false, None, MINIMAL),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingLevel":2}}"#,
                    asked(true, false, None, HIGH),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED","includeThoughts":false}}"#,
                    asked(false, false, None, None),
                ),
                (
                    r#""generationConfig":{"thinkingConfig":{"includeThoughts":true}},"generation_config":{"thinkingConfig":{"thinkingBudget":5}}"#,
                    asked(true, true, Some(5), None),
                ),
            ],
        );
    }
}

#[test]
fn a_small_budget_in_one_dialect_hides_no_large_one_in_another() {
    let large = asked(true, true, Some(32_000), None);

    check(
        Endpoint::OpenAiChat,
        &[
            (
                r#""reasoning":{"max_tokens":1},"thinking":{"type":"enabled","budget_tokens":32000}"#,
                large,
            ),
            (
                r#""thinking":{"type":"enabled","budget_tokens":1},"reasoning":{"max_tokens":32000}"#,
                large,
            ),
        ],
    );
}

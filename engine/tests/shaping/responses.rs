//! What is taken out of the providers' responses, one case each.
use super::shaped::{EVERYTHING, shaped};
use weir_engine::endpoint::Endpoint::{self, *};
use weir_engine::shaping::Strip;

const LOGPROBS: Strip = Strip {
    logprobs: true,
    reasoning: false,
};
const REASONING: Strip = Strip {
    logprobs: false,
    reasoning: true,
};

fn becomes(endpoint: Endpoint, strip: Strip, body: &str, wanted: &str) {
    let got = shaped(endpoint, strip, body.as_bytes());

    assert_eq!(got.text(), wanted);
    assert_eq!(got.changed, body != wanted, "{body}");
    assert!(!got.lost, "{body}");
}

#[test]
fn each_kind_is_taken_out_where_it_is_asked_for_and_only_then() {
    let body =
        r#"{"choices":[{"message":{"reasoning":"r","content":"c"},"logprobs":{"content":[]}}]}"#;

    becomes(
        OpenAiChat,
        LOGPROBS,
        body,
        r#"{"choices":[{"message":{"reasoning":"r","content":"c"},"logprobs":null}]}"#,
    );
    becomes(
        OpenAiChat,
        REASONING,
        body,
        r#"{"choices":[{"message":{"reasoning":"","content":"c"},"logprobs":{"content":[]}}]}"#,
    );
    becomes(OpenAiChat, Strip::default(), body, body);
}

#[test]
fn reasoning_of_chat_keeps_what_has_to_come_back() {
    becomes(
        OpenAiChat,
        EVERYTHING,
        r#"{"choices":[{"message":{"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"s","id":"i","format":"f","index":0},{"type":"reasoning.summary","summary":"u"},{"type":"reasoning.encrypted","data":"d"}],"thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"d"}],"reasoning_content":null}}]}"#,
        r#"{"choices":[{"message":{"reasoning_details":[{"type":"reasoning.text","text":"","signature":"s","id":"i","format":"f","index":0},{"type":"reasoning.summary","summary":""},{"type":"reasoning.encrypted","data":"d"}],"thinking_blocks":[{"type":"thinking","thinking":"","signature":"s"},{"type":"redacted_thinking","data":"d"}],"reasoning_content":null}}]}"#,
    );
    becomes(
        OpenAiChat,
        EVERYTHING,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"a"}]}}]}"#,
    );
}

#[test]
fn completions_lose_their_probabilities() {
    becomes(
        OpenAiCompletions,
        EVERYTHING,
        r#"{"choices":[{"text":"a","logprobs":{"tokens":["a"],"token_logprobs":[-0.1]},"prompt_logprobs":[null,{"1":{}}]}],"prompt_logprobs":7}"#,
        r#"{"choices":[{"text":"a","logprobs":null,"prompt_logprobs":null}],"prompt_logprobs":null}"#,
    );
}

#[test]
fn responses_lose_lists_of_probabilities_and_the_text_of_reasoning() {
    becomes(
        OpenAiResponses,
        EVERYTHING,
        r#"{"id":"resp_1","output":[{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"content":[{"type":"reasoning_text","text":"r"}],"encrypted_content":"e"},{"type":"message","content":[{"type":"output_text","text":"a","logprobs":[{"token":"a"}],"annotations":[]}]}],"reasoning":{"effort":"high","summary":"auto"},"text":{"format":{"type":"text"}}}"#,
        r#"{"id":"resp_1","output":[{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":""}],"content":[{"type":"reasoning_text","text":""}],"encrypted_content":"e"},{"type":"message","content":[{"type":"output_text","text":"a","logprobs":[],"annotations":[]}]}],"reasoning":{"effort":"high","summary":"auto"},"text":{"format":{"type":"text"}}}"#,
    );
}

#[test]
fn every_event_of_responses_that_carries_either_is_stripped() {
    for (body, wanted) in [
        (
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","delta":"s","obfuscation":"x"}"#,
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","delta":"","obfuscation":"x"}"#,
        ),
        (
            r#"{"text":"s","type":"response.reasoning_summary_text.done"}"#,
            r#"{"text":"","type":"response.reasoning_summary_text.done"}"#,
        ),
        (
            r#"{"type":"response.reasoning_text.done","text":"s"}"#,
            r#"{"type":"response.reasoning_text.done","text":""}"#,
        ),
        (
            r#"{"type":"response.reasoning_summary_part.done","part":{"text":"s","type":"summary_text"}}"#,
            r#"{"type":"response.reasoning_summary_part.done","part":{"text":"","type":"summary_text"}}"#,
        ),
        (
            r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"s","logprobs":[1]}}"#,
            r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"s","logprobs":[]}}"#,
        ),
        (
            r#"{"type":"response.output_text.delta","delta":"a","logprobs":[{"token":"a","top_logprobs":[]}]}"#,
            r#"{"type":"response.output_text.delta","delta":"a","logprobs":[]}"#,
        ),
        (
            r#"{"type":"response.output_item.done","item":{"type":"reasoning","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"e"}}"#,
            r#"{"type":"response.output_item.done","item":{"type":"reasoning","summary":[{"type":"summary_text","text":""}],"encrypted_content":"e"}}"#,
        ),
        (
            r#"{"type":"response.completed","response":{"output":[{"summary":[{"type":"summary_text","text":"s"}]}]}}"#,
            r#"{"type":"response.completed","response":{"output":[{"summary":[{"type":"summary_text","text":""}]}]}}"#,
        ),
    ] {
        becomes(OpenAiResponses, EVERYTHING, body, wanted);
    }
}

#[test]
fn thinking_of_anthropic_keeps_its_signature() {
    becomes(
        AnthropicMessages,
        EVERYTHING,
        r#"{"type":"message","content":[{"type":"thinking","thinking":"a \"b\" \\","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"t"}]}"#,
        r#"{"type":"message","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"text","text":"t"}]}"#,
    );
    becomes(
        AnthropicMessages,
        EVERYTHING,
        "event: a\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"}}\n\nevent: b\ndata: {\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"t\"}}\n\nevent: c\ndata: {\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}}\n\n",
        "event: a\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\nevent: b\ndata: {\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"\"}}\n\nevent: c\ndata: {\"delta\":{\"type\":\"signature_delta\",\"signature\":\"s\"}}\n\n",
    );
}

#[test]
fn thoughts_of_gemini_keep_their_signature_whichever_comes_first() {
    becomes(
        GeminiGenerate,
        EVERYTHING,
        r#"{"candidates":[{"content":{"parts":[{"text":"t","thought":true,"thoughtSignature":"s"},{"thought":true,"text":"t"},{"text":"a"},{"text":"a","thought":false}]},"avgLogprobs":-0.1,"logprobsResult":{"chosenCandidates":[]}}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"","thought":true,"thoughtSignature":"s"},{"thought":true,"text":""},{"text":"a"},{"text":"a","thought":false}]},"avgLogprobs":null,"logprobsResult":null}]}"#,
    );
    becomes(
        GeminiStream,
        EVERYTHING,
        "[{\"candidates\":[{\"avgLogprobs\":-1}]}\n,\r\n{\"candidates\":[{\"avgLogprobs\":-2 }]}]",
        "[{\"candidates\":[{\"avgLogprobs\":null}]}\n,\r\n{\"candidates\":[{\"avgLogprobs\":null }]}]",
    );
}

#[test]
fn an_escaped_key_is_the_key_and_equal_keys_are_all_meant() {
    becomes(
        AnthropicMessages,
        EVERYTHING,
        r#"{"c\u006fntent":[{"thin\u006bing":"a","thinking":"b","thinking":"c"}],"content":[{"thinking":"d"}]}"#,
        r#"{"c\u006fntent":[{"thin\u006bing":"","thinking":"","thinking":""}],"content":[{"thinking":""}]}"#,
    );
}

#[test]
fn data_over_several_lines_is_one_document() {
    becomes(
        OpenAiChat,
        EVERYTHING,
        "data: {\"choices\":\r\ndata:[{\"logprobs\":{\r\ndata: \"content\":[1,\r\ndata: 2]}}]\r\ndata\r\ndata:}\r\n\r\ndata: [DONE]\r\n\r\n",
        "data: {\"choices\":\r\ndata:[{\"logprobs\":null\r\ndata: \r\ndata: }]\r\ndata\r\ndata:}\r\n\r\ndata: [DONE]\r\n\r\n",
    );
}

#[test]
fn a_last_event_without_a_blank_line_is_stripped_too() {
    becomes(
        AnthropicMessages,
        EVERYTHING,
        "\u{feff}data: {\"delta\":{\"thinking\":\"t\"}}",
        "\u{feff}data: {\"delta\":{\"thinking\":\"\"}}",
    );
}

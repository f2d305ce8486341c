//! What is never touched: answers, tool calls, errors, and what only looks like something else.
use super::shaped::{EVERYTHING, shaped};
use weir_engine::endpoint::Endpoint::{self, *};

fn stays(endpoint: Endpoint, body: &str) {
    let got = shaped(endpoint, EVERYTHING, body.as_bytes());

    assert_eq!(got.text(), body);
    assert!(!got.changed && !got.lost, "{body}");
}

#[test]
fn tool_calls_keep_arguments_of_any_name() {
    stays(
        AnthropicMessages,
        r#"{"content":[{"type":"tool_use","id":"t","name":"f","input":{"thinking":"x","content":[{"thinking":"y"}],"content_block":{"thinking":"z"},"delta":{"thinking":"w"}}}]}"#,
    );
    stays(
        AnthropicMessages,
        r#"{"content":[{"type":"web_search_tool_result","content":[{"type":"x","thinking":"y"}]}]}"#,
    );
    stays(
        OpenAiChat,
        r#"{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\"reasoning\":\"x\",\"logprobs\":1}"}}],"function_call":{"arguments":{"reasoning":"x"}}}}]}"#,
    );
    stays(
        OpenAiResponses,
        r#"{"output":[{"type":"function_call","arguments":"{\"text\":\"x\"}"},{"type":"mcp_call","output":"[{\"type\":\"reasoning_text\",\"text\":\"x\"}]"},{"type":"custom_tool_call","input":{"summary":[{"text":"x"}]}}]}"#,
    );
    stays(
        GeminiGenerate,
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"thought":true,"text":"x","parts":[{"text":"y","thought":true}]}}}]}}]}"#,
    );
}

#[test]
fn answers_keep_text_that_looks_like_json() {
    stays(
        OpenAiChat,
        r#"{"choices":[{"message":{"content":"{\"choices\":[{\"logprobs\":1,\"message\":{\"reasoning\":\"x\"}}]}","refusal":"\\","audio":{"reasoning":"x"}}}]}"#,
    );
    stays(
        OpenAiResponses,
        r#"{"output":[{"type":"message","content":[{"type":"output_text","text":"{\"type\":\"reasoning_text\",\"text\":\"x\"}"},{"text":"first","type":"output_text"},{"text":"without a type"},{"type":"refusal","refusal":"no"}]}]}"#,
    );
    stays(
        AnthropicMessages,
        "data: {\"delta\":{\"type\":\"text_delta\",\"text\":\"\\\"thinking\\\":\\\"x\\\"\"}}\n\ndata: {\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"thinking\\\": \\\"x\\\"}\"}}\n\n",
    );
}

#[test]
fn events_of_answers_keep_their_deltas() {
    for kind in [
        "response.output_text.delta",
        "response.function_call_arguments.delta",
        "response.refusal.delta",
        "response.mcp_call_arguments.delta",
        "response.code_interpreter_call_code.delta",
        "response.audio.transcript.delta",
    ] {
        stays(
            OpenAiResponses,
            &format!(r#"{{"type":"{kind}","delta":"reasoning","text":"summary"}}"#),
        );
        stays(
            OpenAiResponses,
            &format!(r#"{{"delta":"reasoning","text":"summary","type":"{kind}"}}"#),
        );
    }
}

#[test]
fn what_a_response_repeats_of_its_request_stays() {
    stays(
        OpenAiResponses,
        r#"{"instructions":[{"content":[{"type":"reasoning_text","text":"x"}]}],"metadata":{"logprobs":"x"},"tools":[{"logprobs":1}],"reasoning":{"summary":"auto"},"top_logprobs":5,"text":{"format":{"type":"json_schema","schema":{"text":"x"}}}}"#,
    );
}

#[test]
fn errors_stay() {
    stays(
        OpenAiChat,
        r#"{"error":{"message":"logprobs","choices":[{"logprobs":1}],"code":null}}"#,
    );
    stays(
        AnthropicMessages,
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\",\"thinking\":\"x\"}}\n\n",
    );
    stays(
        OpenAiResponses,
        "event: error\ndata: {\"type\":\"error\",\"code\":\"c\",\"message\":\"m\",\"param\":null}\n\n",
    );
    stays(
        GeminiStream,
        r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"text":"x","thought":true}]}}]"#,
    );
}

#[test]
fn empty_values_stay_as_they_are() {
    stays(
        OpenAiChat,
        r#"{"choices":[{"logprobs": null ,"message":{"reasoning":null,"reasoning_content":"","reasoning_details":[],"thinking_blocks":null}}]}"#,
    );
    stays(OpenAiResponses, r#"{"type":"x","logprobs":[]}"#);
    stays(OpenAiChat, "");
    stays(OpenAiChat, " \n");
}

#[test]
fn usage_is_left_alone() {
    stays(
        GeminiGenerate,
        r#"{"usageMetadata":{"thoughtsTokenCount":5,"text":"x","thought":true}}"#,
    );
    stays(
        OpenAiChat,
        r#"{"usage":{"completion_tokens_details":{"reasoning":5,"logprobs":[]}}}"#,
    );
}

#[test]
fn endpoints_without_either_are_not_looked_at() {
    for endpoint in [OpenAiEmbeddings, AnthropicCountTokens, Unknown] {
        stays(
            endpoint,
            r#"{"choices":[{"logprobs":{}}],"content":[{"thinking":"x"}]}"#,
        );
        stays(endpoint, "\u{1f}\u{8b}");
    }
}

#[test]
fn data_that_is_no_json_stays_and_is_no_loss() {
    stays(
        OpenAiChat,
        "data: [DONE]\n\ndata: hello\n\ndata:\n\ndata\n\n: comment\nid: 1\nretry: 5\n\n",
    );
}

#[test]
fn what_cannot_be_read_goes_on_and_is_told() {
    for body in [
        "\u{1f}\u{8b}\u{8}",
        "<html>",
        r#"{"choices":[{"logprobs""#,
        r#"{"choices":[}]"#,
        r#"{"a" "b"}"#,
        r#"{"choices" 1"#,
        "data: {\"choices\":[\n\n",
        "data: {\"choices\"]}\n\ndata: [DONE]\n\n",
    ] {
        let got = shaped(OpenAiChat, EVERYTHING, body.as_bytes());

        assert_eq!(got.text(), body);
        assert!(got.lost && !got.changed, "{body}");
    }
}

#[test]
fn brackets_that_match_nothing_do_not_matter_where_nothing_is_looked_for() {
    stays(OpenAiChat, r#"{"x":{"y":[}},"choices":[]}"#);
}

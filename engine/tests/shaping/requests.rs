//! Request bodies within limits, one case each.
use weir_engine::endpoint::Endpoint::{self, *};
use weir_engine::facts::Effort;
use weir_engine::shaping::{RequestLimits, rewritten};

fn becomes(endpoint: Endpoint, limits: RequestLimits, body: &str, wanted: &str) {
    let got = rewritten(endpoint, body.as_bytes(), &limits);

    assert_eq!(got.is_some(), body != wanted, "{body}");
    let got = got.unwrap_or_else(|| body.as_bytes().to_vec());
    assert_eq!(String::from_utf8(got).unwrap(), wanted);
    assert_eq!(
        rewritten(endpoint, wanted.as_bytes(), &limits),
        None,
        "within its limits it stays: {wanted}"
    );
}

fn stays(endpoint: Endpoint, limits: RequestLimits, body: &str) {
    becomes(endpoint, limits, body, body);
}

const NONE: RequestLimits = RequestLimits {
    drop_logprobs: false,
    samples: None,
    output_tokens: None,
    effort: None,
    thinking_tokens: None,
    hide_reasoning: false,
};
const NO_LOGPROBS: RequestLimits = RequestLimits {
    drop_logprobs: true,
    ..NONE
};
const HIDDEN: RequestLimits = RequestLimits {
    hide_reasoning: true,
    ..NONE
};

const fn samples(most: u32) -> RequestLimits {
    RequestLimits {
        samples: Some(most),
        ..NONE
    }
}

const fn output(most: u32) -> RequestLimits {
    RequestLimits {
        output_tokens: Some(most),
        ..NONE
    }
}

const fn effort(most: Effort) -> RequestLimits {
    RequestLimits {
        effort: Some(most),
        ..NONE
    }
}

const fn thinking(most: u32) -> RequestLimits {
    RequestLimits {
        thinking_tokens: Some(most),
        ..NONE
    }
}

#[test]
fn probabilities_are_not_asked_for_wherever_they_stand() {
    for (body, wanted) in [
        (
            r#"{"logprobs": true, "model": "m", "top_logprobs": 5}"#,
            r#"{"model": "m"}"#,
        ),
        (
            r#"{"model":"m","logprobs":"true","top_logprobs":0,"n":1}"#,
            r#"{"model":"m","n":1}"#,
        ),
        (r#"{ "logprobs" : 1 , "top_logprobs" : 2 }"#, "{  }"),
        (r#"{"log\u0070robs":true,"logprobs":false}"#, "{}"),
        (r#"{"model":"m","prompt_logprobs":0}"#, r#"{"model":"m"}"#),
        // Asks for none.
        (
            r#"{"logprobs":false,"top_logprobs":null}"#,
            r#"{"logprobs":false,"top_logprobs":null}"#,
        ),
        (
            r#"{"metadata":{"logprobs":true}}"#,
            r#"{"metadata":{"logprobs":true}}"#,
        ),
    ] {
        becomes(OpenAiChat, NO_LOGPROBS, body, wanted);
    }
    becomes(
        OpenAiCompletions,
        NO_LOGPROBS,
        r#"{"prompt":"p","logprobs":0}"#,
        r#"{"prompt":"p"}"#,
    );
    for endpoint in [GeminiGenerate, GeminiStream] {
        becomes(
            endpoint,
            NO_LOGPROBS,
            r#"{"generationConfig":{"responseLogprobs":true,"logprobs":3,"topK":1},"generation_config":{"response_logprobs":1}}"#,
            r#"{"generationConfig":{"topK":1},"generation_config":{}}"#,
        );
    }
}

#[test]
fn a_list_of_what_to_include_loses_that_one_name() {
    for (body, wanted) in [
        (
            r#"{"include":["message.output_text.logprobs"],"top_logprobs":3,"input":"i"}"#,
            r#"{"include":[],"input":"i"}"#,
        ),
        (
            r#"{"include": [ "reasoning.encrypted_content" , "message.output_text.logprobs" ]}"#,
            r#"{"include": [ "reasoning.encrypted_content" ]}"#,
        ),
        (
            r#"{"include":["message.output\u005ftext.logprobs", "a","message.output_text.logprobs","b"]}"#,
            r#"{"include":["a","b"]}"#,
        ),
    ] {
        becomes(OpenAiResponses, NO_LOGPROBS, body, wanted);
    }
}

#[test]
fn samples_are_as_many_as_may_be() {
    for (endpoint, body, wanted) in [
        (OpenAiChat, r#"{"n":8}"#, r#"{"n":2}"#),
        (OpenAiChat, r#"{"n": "8" ,"n":3.0}"#, r#"{"n": 2 ,"n":2}"#),
        (OpenAiChat, r#"{"n":1}"#, r#"{"n":1}"#),
        (OpenAiChat, r#"{"n":null}"#, r#"{"n":null}"#),
        (
            OpenAiCompletions,
            r#"{"n":1,"best_of":1e3}"#,
            r#"{"n":1,"best_of":2}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generationConfig":{"candidateCount":8,"candidate_count":2}}"#,
            r#"{"generationConfig":{"candidateCount":2,"candidate_count":2}}"#,
        ),
    ] {
        becomes(endpoint, samples(2), body, wanted);
    }
}

#[test]
fn output_tokens_are_as_many_as_may_be_and_named_where_they_were_not() {
    for (endpoint, body, wanted) in [
        (OpenAiChat, "{}", r#"{"max_completion_tokens":100}"#),
        (
            OpenAiChat,
            r#"{"model":"m"}"#,
            r#"{"max_completion_tokens":100,"model":"m"}"#,
        ),
        (
            OpenAiChat,
            r#"{"max_tokens":500,"model":"m"}"#,
            r#"{"max_tokens":100,"model":"m"}"#,
        ),
        (
            OpenAiChat,
            r#"{"max_tokens":"500","max_completion_tokens":50}"#,
            r#"{"max_tokens":100,"max_completion_tokens":50}"#,
        ),
        (OpenAiChat, r#"{"max_tokens":5}"#, r#"{"max_tokens":5}"#),
        (
            OpenAiChat,
            r#"{"max_tokens":5,"max_completion_tokens":null}"#,
            r#"{"max_tokens":5,"max_completion_tokens":null}"#,
        ),
        (
            OpenAiChat,
            r#"{"max_tokens":null,"max_completion_tokens":null}"#,
            r#"{"max_tokens":null,"max_completion_tokens":100}"#,
        ),
        (
            OpenAiChat,
            r#"{"max_tokens":7,"max_tokens":"many"}"#,
            r#"{"max_tokens":7,"max_tokens":100}"#,
        ),
        (
            OpenAiCompletions,
            r#"{"prompt":"p"}"#,
            r#"{"max_tokens":100,"prompt":"p"}"#,
        ),
        (
            OpenAiResponses,
            r#"{ "input":"i"}"#,
            r#"{ "max_output_tokens":100,"input":"i"}"#,
        ),
        (
            AnthropicMessages,
            r#"{"max_tokens":99999999999}"#,
            r#"{"max_tokens":100}"#,
        ),
        (
            GeminiGenerate,
            r#"{"contents":[]}"#,
            r#"{"generationConfig":{"maxOutputTokens":100},"contents":[]}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generation_config":{"topK":1}}"#,
            r#"{"generation_config":{"maxOutputTokens":100,"topK":1}}"#,
        ),
        (
            GeminiStream,
            r#"{"generationConfig":null}"#,
            r#"{"generationConfig":{"maxOutputTokens":100}}"#,
        ),
        (
            GeminiStream,
            r#"{"generationConfig":{"max_output_tokens":101}}"#,
            r#"{"generationConfig":{"max_output_tokens":100}}"#,
        ),
    ] {
        becomes(endpoint, output(100), body, wanted);
    }
}

#[test]
fn effort_is_lowered_where_it_is_named() {
    for (endpoint, body, wanted) in [
        (
            OpenAiChat,
            r#"{"reasoning_effort":"xhigh","reasoning":{"effort":"high"}}"#,
            r#"{"reasoning_effort":"low","reasoning":{"effort":"low"}}"#,
        ),
        (
            OpenAiChat,
            r#"{"reasoning_effort":"minimal"}"#,
            r#"{"reasoning_effort":"minimal"}"#,
        ),
        (
            OpenAiChat,
            r#"{"reasoning_effort":"ultra","model":"m"}"#,
            r#"{"reasoning_effort":"ultra","model":"m"}"#,
        ),
        (
            OpenAiResponses,
            r#"{"reasoning":{"effort":"m\u0065dium"}}"#,
            r#"{"reasoning":{"effort":"low"}}"#,
        ),
        (
            AnthropicMessages,
            r#"{"output_config":{"effort":"max"}}"#,
            r#"{"output_config":{"effort":"low"}}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"HIGH"}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generationConfig":{"thinking_config":{"thinking_level":"high"}}}"#,
            r#"{"generationConfig":{"thinking_config":{"thinking_level":"low"}}}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":2}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"LOW"}}}"#,
        ),
    ] {
        becomes(endpoint, effort(Effort::Low), body, wanted);
    }
}

#[test]
fn no_effort_is_written_that_the_provider_has_no_word_for() {
    becomes(
        AnthropicMessages,
        effort(Effort::None),
        r#"{"output_config":{"effort":"high"}}"#,
        r#"{"output_config":{"effort":"low"}}"#,
    );
    becomes(
        GeminiGenerate,
        effort(Effort::None),
        r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"low"}}}"#,
        r#"{"generationConfig":{"thinkingConfig":{"thinkingLevel":"minimal"}}}"#,
    );
    becomes(
        OpenAiChat,
        effort(Effort::None),
        r#"{"reasoning_effort":"high"}"#,
        r#"{"reasoning_effort":"none"}"#,
    );
}

#[test]
fn tokens_to_think_with_are_as_many_as_may_be() {
    for (endpoint, body, wanted) in [
        (
            AnthropicMessages,
            r#"{"max_tokens":50000,"thinking":{"type":"enabled","budget_tokens":32000}}"#,
            r#"{"max_tokens":50000,"thinking":{"type":"enabled","budget_tokens":2048}}"#,
        ),
        (
            OpenAiChat,
            r#"{"reasoning":{"max_tokens":9000},"thinking":{"type":"enabled","budget_tokens":2000}}"#,
            r#"{"reasoning":{"max_tokens":2048},"thinking":{"type":"enabled","budget_tokens":2000}}"#,
        ),
        (
            GeminiGenerate,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":24576}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":2048}}}"#,
        ),
        // As the model sees fit, as if nothing was said.
        (
            GeminiGenerate,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"thinkingBudget":-1}}}"#,
        ),
    ] {
        becomes(endpoint, thinking(2048), body, wanted);
    }
}

#[test]
fn a_budget_that_no_longer_fits_becomes_half_of_the_output() {
    for (most, wanted) in [
        (
            20_000,
            r#"{"max_tokens":20000,"thinking":{"type":"enabled","budget_tokens":16000}}"#,
        ),
        (
            16_000,
            r#"{"max_tokens":16000,"thinking":{"type":"enabled","budget_tokens":8000}}"#,
        ),
        (
            1500,
            r#"{"max_tokens":1500,"thinking":{"type":"enabled","budget_tokens":1024}}"#,
        ),
        (
            1024,
            r#"{"max_tokens":1024,"thinking":{"type":"disabled"}}"#,
        ),
    ] {
        becomes(
            AnthropicMessages,
            output(most),
            r#"{"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":16000}}"#,
            wanted,
        );
    }
    becomes(
        OpenAiChat,
        output(1000),
        r#"{"reasoning":{"max_tokens":2000}}"#,
        r#"{"max_completion_tokens":1000,"reasoning":{"enabled":false}}"#,
    );
    // Fitted nowhere before: thinking between tool calls may be longer than an answer.
    becomes(
        AnthropicMessages,
        output(8000),
        r#"{"thinking":{"type":"enabled","budget_tokens":16000},"max_tokens":16000}"#,
        r#"{"thinking":{"type":"enabled","budget_tokens":16000},"max_tokens":8000}"#,
    );
}

#[test]
fn reasoning_is_not_shown_where_it_would_be() {
    for (endpoint, body, wanted) in [
        (
            AnthropicMessages,
            r#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#,
            r#"{"thinking":{"display":"omitted","type":"enabled","budget_tokens":2000}}"#,
        ),
        (
            AnthropicMessages,
            r#"{"thinking":{"type":"adaptive","display":"summarized"}}"#,
            r#"{"thinking":{"type":"adaptive","display":"omitted"}}"#,
        ),
        (
            AnthropicMessages,
            r#"{"thinking":{"type":"disabled"}}"#,
            r#"{"thinking":{"type":"disabled"}}"#,
        ),
        (
            OpenAiChat,
            r#"{"include_reasoning":true,"reasoning":{"effort":"high"}}"#,
            r#"{"include_reasoning":false,"reasoning":{"exclude":true,"effort":"high"}}"#,
        ),
        (
            OpenAiChat,
            r#"{"reasoning":{"enabled":true,"exclude":false}}"#,
            r#"{"reasoning":{"enabled":true,"exclude":true}}"#,
        ),
        (
            OpenAiChat,
            r#"{"reasoning":{"effort":"none"},"reasoning_effort":"high"}"#,
            r#"{"reasoning":{"effort":"none"},"reasoning_effort":"high"}"#,
        ),
        (
            OpenAiResponses,
            r#"{"reasoning":{"effort":"high","summary":"auto","generate_summary":"detailed"},"include":["reasoning.encrypted_content"]}"#,
            r#"{"reasoning":{"effort":"high"},"include":["reasoning.encrypted_content"]}"#,
        ),
        (
            GeminiStream,
            r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}"#,
            r#"{"generationConfig":{"thinkingConfig":{"includeThoughts":false}}}"#,
        ),
    ] {
        becomes(endpoint, HIDDEN, body, wanted);
    }
}

#[test]
fn the_prompt_goes_on_byte_by_byte() {
    let messages = "[ {\"role\":\"user\",\n \"content\":\"\\u00e9 é \\\"n\\\":9 \u{2028}\",\"n\":9,\"logprobs\":true} ]";
    let body = format!("\u{feff}\n{{ \"messages\" : {messages} ,\"n\":9}}\n");
    let wanted = format!("\u{feff}\n{{ \"messages\" : {messages} ,\"n\":1}}\n");

    becomes(OpenAiChat, samples(1), &body, &wanted);
}

#[test]
fn without_limits_and_beyond_the_endpoints_that_draw_nothing_changes() {
    let body = r#"{"n":9,"logprobs":true,"max_tokens":9,"thinking":{"type":"enabled"}}"#;
    let limits = RequestLimits {
        drop_logprobs: true,
        samples: Some(1),
        output_tokens: Some(16),
        effort: Some(Effort::Low),
        thinking_tokens: Some(1024),
        hide_reasoning: true,
    };

    stays(OpenAiChat, NONE, body);
    for endpoint in [OpenAiEmbeddings, AnthropicCountTokens, Unknown] {
        stays(endpoint, limits, body);
    }
    for body in ["", "[]", "7", "\u{1f}\u{8b}", "null"] {
        stays(OpenAiChat, limits, body);
    }
}

#[test]
fn the_beginning_of_a_body_is_rewritten_as_far_as_it_reaches() {
    let limits = RequestLimits {
        samples: Some(1),
        drop_logprobs: true,
        output_tokens: Some(100),
        ..NONE
    };
    for (body, wanted) in [
        (
            r#"{"n":9,"logprobs":true,"messages":[{"content":"a"#,
            r#"{"max_completion_tokens":100,"n":1,"messages":[{"content":"a"#,
        ),
        (r#"{"n":9"#, r#"{"max_completion_tokens":100,"n":9"#),
        (r#"{"logprobs":true"#, r#"{"logprobs":null"#),
        (r#"{"logprobs":true,"top"#, r#"{"logprobs":null,"top"#),
        (
            r#"{"logprobs":true,"top_logprobs":5,"x"#,
            r#"{"logprobs":null,"x"#,
        ),
        ("{", "{"),
    ] {
        let got = rewritten(OpenAiChat, body.as_bytes(), &limits);
        let got = got.unwrap_or_else(|| body.as_bytes().to_vec());

        assert_eq!(String::from_utf8(got).unwrap(), wanted);
    }
}

#[test]
fn a_body_of_nothing_but_limits_is_rewritten_in_linear_time_and_room() {
    let body = format!("{{{}\"n\":9}}", "\"n\":9,\"logprobs\":1,".repeat(100_000));
    let limits = RequestLimits {
        samples: Some(1),
        ..NO_LOGPROBS
    };

    let got = rewritten(OpenAiChat, body.as_bytes(), &limits).unwrap();

    assert_eq!(got.len(), "{\"n\":1}".len() + 100_000 * "\"n\":1,".len());
}

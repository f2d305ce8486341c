use super::*;

#[test]
fn sampling_parameters_stops_and_format_are_told_under_the_names_of_each_endpoint() {
    let wanted = RequestFacts {
        samples: 1,
        sampling: Sampling {
            temperature: Some(700),
            top_p: Some(125),
            top_k: Some(40),
            seeded: true,
        },
        stop_sequences: 2,
        structured_output: StructuredOutput::Schema,
        ..RequestFacts::default()
    };
    for (endpoint, body) in [
        (
            Endpoint::OpenAiChat,
            r#"{"temperature":0.7,"top_p":0.1259,"top_k":40,"seed":-7,"stop":["a","b"],"response_format":{"json_schema":{},"type":"json_schema"}}"#,
        ),
        (
            Endpoint::OpenAiCompletions,
            r#"{"temperature":"0.7","top_p":1.25e-1,"top_k":4e1,"seed":0,"stop":["a","b"],"response_format":{"type":"json_schema"}}"#,
        ),
        (
            Endpoint::OpenAiResponses,
            r#"{"temperature":0.70,"top_p":0.125,"top_k":40,"seed":1,"stop":["a","b"],"text":{"verbosity":"low","format":{"type":"json_schema","name":"n"}}}"#,
        ),
        (
            Endpoint::AnthropicMessages,
            r#"{"temperature":0.7,"top_p":0.125,"top_k":40,"seed":1,"stop_sequences":["a","b"],"output_config":{"format":{"type":"json_schema"}}}"#,
        ),
        (
            Endpoint::AnthropicCountTokens,
            r#"{"temperature":0.7,"top_p":0.125,"top_k":40,"seed":1,"stop_sequences":["a","b"],"output_format":{"type":"json_schema"}}"#,
        ),
        (
            Endpoint::GeminiGenerate,
            r#"{"generationConfig":{"temperature":0.7,"topP":0.125,"topK":40,"seed":3,"stopSequences":["a","b"],"responseMimeType":"application/json","responseSchema":{}}}"#,
        ),
        (
            Endpoint::GeminiGenerate,
            r#"{"generation_config":{"temperature":0.7,"top_p":0.125,"top_k":40,"seed":3,"stop_sequences":["a","b"],"response_json_schema":{}}}"#,
        ),
    ] {
        assert_eq!(read_as(endpoint, body).0, wanted, "{body}");
    }
}

#[test]
fn a_parameter_counts_in_any_notation_and_saturates() {
    for (number, wanted) in [
        ("0", Some(0)),
        ("1", Some(1000)),
        ("0.0009", Some(0)),
        ("1e-3", Some(1)),
        ("2.5e2", Some(250_000)),
        ("1e99", Some(u32::MAX)),
        ("\"0.5\"", Some(500)),
        ("-0.0", Some(0)),
        ("-1", None),
        ("NaN", None),
        ("-Infinity", None),
        ("null", None),
        ("\"warm\"", None),
        ("[1]", None),
    ] {
        let body = std::format!(r#"{{"temperature":{number}}}"#);
        assert_eq!(chat(&body).0.sampling.temperature, wanted, "{number}");
    }
}

#[test]
fn what_names_no_stop_seed_or_format_leaves_them_out() {
    for (fields, stops, seeded, format) in [
        (r#""stop":"x""#, 1, false, StructuredOutput::Free),
        (r#""stop":"""#, 0, false, StructuredOutput::Free),
        (
            r#""stop":null,"seed":null"#,
            0,
            false,
            StructuredOutput::Free,
        ),
        (
            r#""seed":"7","response_format":{"type":"json_object"}"#,
            0,
            true,
            StructuredOutput::Json,
        ),
        (
            r#""response_format":{"type":"text"}"#,
            0,
            false,
            StructuredOutput::Free,
        ),
        (
            r#""response_format":"json_object""#,
            0,
            false,
            StructuredOutput::Free,
        ),
    ] {
        let body = std::format!("{{{fields}}}");
        let (facts, _) = chat(&body);
        assert_eq!(
            (
                facts.stop_sequences,
                facts.sampling.seeded,
                facts.structured_output
            ),
            (stops, seeded, format),
            "{fields}"
        );
    }
}

#[test]
fn probabilities_are_asked_for_by_whatever_a_forgiving_server_takes_for_yes() {
    for (endpoint, before, after) in [
        (Endpoint::OpenAiChat, r#"{"logprobs":"#, "}"),
        (Endpoint::OpenAiChat, r#"{"top_logprobs":"#, "}"),
        (Endpoint::OpenAiResponses, r#"{"top_logprobs":"#, "}"),
        (
            Endpoint::GeminiGenerate,
            r#"{"generationConfig":{"logprobs":"#,
            "}}",
        ),
        (
            Endpoint::GeminiStream,
            r#"{"generationConfig":{"responseLogprobs":"#,
            "}}",
        ),
    ] {
        for (value, wanted) in [
            ("true", true),
            ("\"true\"", true),
            ("2", true),
            ("\"2\"", true),
            ("1e0", true),
            ("0", false),
            ("\"0\"", false),
            ("false", false),
            ("null", false),
            ("[5]", false),
        ] {
            let body = std::format!("{before}{value}{after}");
            assert_eq!(read_as(endpoint, &body).0.logprobs, wanted, "{body}");
        }
    }
}

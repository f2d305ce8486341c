use super::*;

fn gemini(body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    read_as(Endpoint::GeminiGenerate, body)
}

#[test]
fn an_agentic_request_gives_all_of_its_facts() {
    let (facts, heard) = gemini(
        r#"{"systemInstruction":{"parts":[{"text":"be brief"}],"role":"user"},
          "tools":[{"functionDeclarations":[{"name":"f"},{"name":"g"}]},{"googleSearch":{}},{"codeExecution":{},"urlContext":null}],
          "contents":[
            {"parts":[{"text":"look"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"fileUri":"gs://x"}}],"role":"user"},
            {"role":"model","parts":[{"text":"no prompt","thought":true},{"thoughtSignature":"x","functionCall":{"name":"f","args":{"text":"no prompt"}}},{"text":"calling"},{"executableCode":{"code":"1"}},{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"2"}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"f","id":"no prompt","response":{"result":["r1",{"more":"r2"}]},"parts":[{"inlineData":{}}]}}]},
            {"parts":[{"text":"thanks"}]}],
          "generationConfig":{"candidateCount":2,"maxOutputTokens":77,"responseLogprobs":true,"logprobs":3}}"#,
    );

    let wanted = RequestFacts {
        max_output_tokens: Some(77),
        samples: 2,
        logprobs: true,
        tools: 4,
        tool_calls: 2,
        tool_results: 2,
        user_turns: 2,
        assistant_turns: 1,
        text_bytes: 8 + 4 + 7 + 1 + 2 + 2 + 6,
        attachments: 3,
        ..RequestFacts::default()
    };
    assert_eq!(facts, wanted);
    let (s, u, a, t) = (Role::System, Role::User, Role::Assistant, Role::Tool);
    let texts = [
        (s, "be brief"),
        (u, "look"),
        (a, "calling"),
        (t, "2"),
        (t, "r1"),
        (t, "r2"),
        (u, "thanks"),
    ];
    assert_eq!(heard, said(&texts));
}

#[test]
fn keys_with_underscores_say_the_same() {
    let camel = r#"{"systemInstruction":{"parts":{"text":"s"}},"contents":{"role":"user","parts":[{"fileData":{}},{"functionCall":{}},{"functionResponse":{"response":{"x":"t"}}}]},"tools":{"functionDeclarations":[{"name":"f"}]},"generationConfig":{"candidateCount":3,"maxOutputTokens":5,"responseLogprobs":true}}"#;
    let snake = r#"{"system_instruction":{"parts":{"text":"s"}},"contents":{"role":"user","parts":[{"file_data":{}},{"function_call":{}},{"function_response":{"response":{"x":"t"}}}]},"tools":{"function_declarations":[{"name":"f"}]},"generation_config":{"candidate_count":3,"max_output_tokens":5,"response_logprobs":true}}"#;

    let (facts, heard) = gemini(camel);

    assert_eq!(gemini(snake), (facts.clone(), heard.clone()));
    assert_eq!(heard, said(&[(Role::System, "s"), (Role::Tool, "t")]));
    assert_eq!((facts.samples, facts.tools, facts.attachments), (3, 1, 1));
}

#[test]
fn a_stream_is_one_by_its_path_and_the_model_never_stands_in_the_body() {
    let (facts, _) = read_as(
        Endpoint::GeminiStream,
        r#"{"model":"models/x","stream":false}"#,
    );

    assert!(facts.stream);
    assert_eq!(facts.model, None);
    assert!(!gemini(r#"{"stream":true}"#).0.stream);
}

#[test]
fn a_role_or_a_thought_may_follow_what_it_governs() {
    let (facts, heard) = gemini(
        r#"{"contents":[{"parts":[{"text":"hidden","thought":true},{"thought":false,"text":"shown"}],"role":"model"}]}"#,
    );

    assert_eq!(heard, said(&[(Role::Assistant, "shown")]));
    assert_eq!((facts.assistant_turns, facts.user_turns), (1, 0));
}

#[test]
fn a_value_of_a_wrong_type_hides_no_other_fact() {
    for value in ["null", "7", "\"x\"", "[[{}],3]", "{\"a\":[{}]}", "true"] {
        let body = std::format!(
            r#"{{"systemInstruction":{value},"tools":{value},"contents":[{value},{{"role":{value},"parts":{value}}},{{"parts":[{value},{{"text":{value},"thought":{value},"functionResponse":{value},"inlineData":null}}]}},{{"role":"model"}}],"generationConfig":{value},"generation_config":{{"thinkingConfig":{value},"stopSequences":{value},"candidateCount":4}}}}"#
        );
        let (facts, _) = gemini(&body);
        assert_eq!((facts.samples, facts.attachments), (4, 0), "{body}");
        assert!(facts.assistant_turns >= 1, "{body}");
    }
}

#[test]
fn text_whose_role_was_cut_off_is_handed_out_as_the_users() {
    let (facts, heard) = facts_of(
        Endpoint::GeminiStream,
        br#"{"contents":[{"parts":[{"text":"long pro"#,
        true,
    );

    assert_eq!(heard, said(&[(Role::User, "long pro")]));
    assert_eq!((facts.user_turns, facts.truncated), (1, true));
}

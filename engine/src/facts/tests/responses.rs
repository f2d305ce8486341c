use super::*;

fn responses(body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    read_as(Endpoint::OpenAiResponses, body)
}

#[test]
fn an_agentic_request_gives_all_of_its_facts() {
    let (facts, heard) = responses(
        r#"{"model":"m","instructions":"be brief","stream":true,"max_output_tokens":99,"include":["reasoning.encrypted_content","message.output_text.logprobs"],
          "tools":[{"type":"function","name":"f","parameters":{"name":"no tool"}},{"type":"web_search"},{"type":"mcp","server_label":"s"}],
          "input":[
            {"role":"developer","content":"rules"},
            {"content":[{"text":"look","type":"input_text"},{"type":"input_image","image_url":"https://example/x.png"},{"type":"input_file","file_id":"file-1"}],"role":"user","type":"message"},
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"no prompt"}],"content":[{"type":"reasoning_text","text":"no prompt"}],"encrypted_content":"x"},
            {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"text\":\"no prompt\"}"},
            {"call_id":"c1","output":"result","type":"function_call_output"},
            {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"rich"},{"type":"input_image","file_id":"f"}]},
            {"type":"web_search_call","id":"ws_1","status":"completed"},
            {"type":"message","role":"assistant","id":"msg_1","content":[{"type":"output_text","text":"done","annotations":[]}]},
            {"type":"item_reference","id":"msg_0"},
            {"role":"user","content":"thanks"}]}"#,
    );

    let wanted = RequestFacts {
        model: Some("m".into()),
        stream: true,
        max_output_tokens: Some(99),
        samples: 1,
        logprobs: true,
        tools: 3,
        tool_calls: 2,
        tool_results: 2,
        user_turns: 2,
        assistant_turns: 1,
        text_bytes: 8 + 5 + 4 + 6 + 4 + 4 + 6,
        attachments: 3,
        ..RequestFacts::default()
    };
    assert_eq!(facts, wanted);
    let (s, u, a, t) = (Role::System, Role::User, Role::Assistant, Role::Tool);
    let texts = [
        (s, "be brief"),
        (s, "rules"),
        (u, "look"),
        (t, "result"),
        (t, "rich"),
        (a, "done"),
        (u, "thanks"),
    ];
    assert_eq!(heard, said(&texts));
}

#[test]
fn input_may_be_a_text_and_a_template_may_hold_more() {
    let (facts, heard) = responses(
        r#"{"input":"hello","prompt":{"id":"pmpt_1","variables":{"city":"Oslo","note":{"type":"input_text","text":"cold"},"photo":{"type":"input_image","file_id":"f"}}}}"#,
    );

    assert_eq!(
        heard,
        said(&[
            (Role::User, "hello"),
            (Role::User, "Oslo"),
            (Role::User, "cold")
        ])
    );
    assert_eq!((facts.user_turns, facts.attachments), (2, 1));
}

#[test]
fn tools_that_the_server_brings_go_by_their_type() {
    #[derive(Default)]
    struct Names(Vec<String>);
    impl TextSink for Names {
        fn text(&mut self, _role: Role, _text: RawText<'_>) {}
        fn tool(&mut self, name: RawText<'_>) {
            self.0.push(name.raw.into());
        }
    }
    let mut names = Names::default();

    let facts = read(
        Endpoint::OpenAiResponses,
        br#"{"tools":[{"name":"f","type":"function"},{"type":"code_interpreter"},{},7]}"#,
        false,
        &mut names,
    );

    assert_eq!(names.0, ["f", "code_interpreter"]);
    assert_eq!(facts.unwrap().tools, 4);
}

#[test]
fn log_probabilities_are_asked_for_by_include_or_by_number() {
    for (fields, wanted) in [
        (r#""include":["message.output_text.logprobs"]"#, true),
        (r#""include":["file_search_call.results"]"#, false),
        (r#""include":"message.output_text.logprobs""#, false),
        (r#""top_logprobs":1"#, true),
        (r#""top_logprobs":0"#, false),
    ] {
        let body = std::format!("{{{fields}}}");
        assert_eq!(responses(&body).0.logprobs, wanted, "{fields}");
    }
}

#[test]
fn a_value_of_a_wrong_type_hides_no_other_fact() {
    for value in ["null", "7", "\"x\"", "[[{}],3]", "{\"a\":[{}]}", "true"] {
        for key in [
            "instructions",
            "prompt",
            "include",
            "reasoning",
            "text",
            "tools",
            "conversation",
        ] {
            let body = std::format!(
                r#"{{"{key}":{value},"input":[{value},{{"type":{value},"role":{value},"content":{value},"output":{value}}},{{"role":"assistant","content":"a"}}],"max_output_tokens":4}}"#
            );
            let (facts, _) = responses(&body);
            assert_eq!(
                (facts.max_output_tokens, facts.assistant_turns),
                (Some(4), 1),
                "{body}"
            );
        }
    }
}

#[test]
fn text_whose_role_was_cut_off_is_handed_out_as_the_users() {
    let (facts, heard) = facts_of(
        Endpoint::OpenAiResponses,
        br#"{"input":[{"content":[{"type":"input_text","text":"long pro"#,
        true,
    );

    assert_eq!(heard, said(&[(Role::User, "long pro")]));
    assert_eq!((facts.user_turns, facts.truncated), (1, true));
}

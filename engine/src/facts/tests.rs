use super::*;
use alloc::string::String;
use std::vec;
use std::vec::Vec;

mod completions;
mod gemini;
mod reasoning;
mod responses;
mod sampling;
mod shape;

#[derive(Default)]
struct Heard(Vec<(Role, String)>);

impl TextSink for Heard {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        assert_eq!(text.escaped, text.raw.contains('\\'));
        let mut bytes = vec![];
        text.unescape_into(&mut bytes, usize::MAX);
        self.0.push((role, String::from_utf8(bytes).unwrap()));
    }
}

fn facts_of(endpoint: Endpoint, body: &[u8], cut: bool) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    let mut heard = Heard::default();
    let mut facts = read(endpoint, body, cut, &mut heard).unwrap();
    // A hash: what goes into it is tested beside it.
    facts.shape = 0;
    (facts, heard.0)
}

fn chat(body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    facts_of(Endpoint::OpenAiChat, body.as_bytes(), false)
}

fn messages(body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    facts_of(Endpoint::AnthropicMessages, body.as_bytes(), false)
}

fn read_as(endpoint: Endpoint, body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    facts_of(endpoint, body.as_bytes(), false)
}

fn said(texts: &[(Role, &str)]) -> Vec<(Role, String)> {
    texts
        .iter()
        .map(|&(role, text)| (role, text.into()))
        .collect()
}

fn error(body: &str) -> FactsError {
    read(
        Endpoint::OpenAiChat,
        body.as_bytes(),
        false,
        &mut Heard::default(),
    )
    .unwrap_err()
}

#[test]
fn an_empty_request_has_one_sample_and_nothing_else() {
    let (facts, heard) = chat("{}");

    assert_eq!(
        facts,
        RequestFacts {
            samples: 1,
            ..RequestFacts::default()
        }
    );
    assert!(heard.is_empty());
}

#[test]
fn an_agentic_chat_gives_all_of_its_facts() {
    let (facts, heard) = chat(
        r#"{"messages":[
            {"role":"developer","content":"be\nbrief"},
            {"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:x"}},{"type":"input_audio","input_audio":{}},{"type":"file","file":{}}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"text\":\"no prompt\"}"}},{"id":"2"}]},
            {"role":"tool","tool_call_id":"1","content":"result"},
            {"role":"assistant","content":"","function_call":{"name":"g","arguments":"{}"}},
            {"role":"function","name":"g","content":"old result"},
            {"role":"assistant","content":"done"},
            {"role":"user","content":"thanks"}],
          "model":"m-large","stream":true,"n":3,"max_tokens":5,"max_completion_tokens":9,"logprobs":false,"top_logprobs":2,
          "tools":[{},{}],"functions":[{}],"reasoning_effort":"high","response_format":{"type":"json_object"}}"#,
    );

    let wanted = RequestFacts {
        model: Some("m-large".into()),
        stream: true,
        max_output_tokens: Some(9),
        samples: 3,
        logprobs: true,
        tools: 3,
        tool_calls: 3,
        tool_results: 2,
        user_turns: 2,
        assistant_turns: 3,
        reasoning: Reasoning {
            requested: true,
            visible: false,
            budget_tokens: None,
            effort: Some(Effort::High),
        },
        structured_output: StructuredOutput::Json,
        text_bytes: 9 + 4 + 6 + 10 + 4 + 6,
        attachments: 3,
        ..RequestFacts::default()
    };
    assert_eq!(facts, wanted);
    let (s, u, a, t) = (Role::System, Role::User, Role::Assistant, Role::Tool);
    let texts = [
        (s, "be\nbrief"),
        (u, "look"),
        (t, "result"),
        (t, "old result"),
        (a, "done"),
        (u, "thanks"),
    ];
    assert_eq!(heard, said(&texts));
}

#[test]
fn an_agentic_conversation_gives_all_of_its_facts() {
    let (facts, heard) = messages(
        r#"{"model":"m","max_tokens":1024,"system":[{"type":"text","text":"sys","cache_control":{"type":"ephemeral"}}],
          "thinking":{"type":"enabled","budget_tokens":4096},"tools":[{"name":"a"},{"name":"b"}],
          "messages":[
            {"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"no prompt","signature":"x"},{"type":"redacted_thinking","data":"y"},
               {"type":"text","text":"calling"},{"type":"tool_use","id":"1","name":"a","input":{"text":"no prompt"}},{"type":"server_tool_use","id":"2"}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r1"},{"type":"image","source":{"type":"base64","data":"AAAA"}}]},
               {"type":"tool_result","tool_use_id":"2","content":"r2"}]},
            {"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"doc"}},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"block"}]}},
               {"type":"search_result","source":"url","title":"no prompt","content":[{"type":"text","text":"found"}]}]}]}"#,
    );

    let wanted = RequestFacts {
        model: Some("m".into()),
        max_output_tokens: Some(1024),
        samples: 1,
        tools: 2,
        tool_calls: 2,
        tool_results: 2,
        user_turns: 2,
        assistant_turns: 1,
        reasoning: Reasoning {
            requested: true,
            visible: true,
            budget_tokens: Some(4096),
            effort: None,
        },
        text_bytes: 3 + 2 + 7 + 2 + 2 + 3 + 5 + 5,
        attachments: 3,
        ..RequestFacts::default()
    };
    assert_eq!(facts, wanted);
    let (s, u, a, t) = (Role::System, Role::User, Role::Assistant, Role::Tool);
    let texts = [
        (s, "sys"),
        (u, "hi"),
        (a, "calling"),
        (t, "r1"),
        (t, "r2"),
        (u, "doc"),
        (u, "block"),
        (u, "found"),
    ];
    assert_eq!(heard, said(&texts));
}

#[test]
fn a_role_or_type_may_follow_what_it_governs() {
    let (facts, heard) = messages(
        r#"{"messages":[
            {"content":[{"content":[{"text":"result","type":"text"}],"tool_use_id":"1","type":"tool_result"},{"text":"own","type":"text"}],"role":"user"},
            {"content":"answer","role":"assistant"},
            {"content":[{"source":{"data":"doc","type":"text"},"type":"document"},{"source":{"data":"AAAA","type":"base64"},"type":"image"}],"role":"user"}],
          "system":"sys"}"#,
    );

    let (s, u, a, t) = (Role::System, Role::User, Role::Assistant, Role::Tool);
    assert_eq!(
        heard,
        said(&[
            (t, "result"),
            (u, "own"),
            (a, "answer"),
            (u, "doc"),
            (s, "sys")
        ])
    );
    assert_eq!(
        (
            facts.user_turns,
            facts.assistant_turns,
            facts.tool_results,
            facts.attachments
        ),
        (2, 1, 1, 2)
    );
}

#[test]
fn a_message_of_tool_results_alone_is_no_turn_of_the_user() {
    let (facts, _) = messages(
        r#"{"messages":[{"role":"user","content":[{"type":"tool_result","content":"x"}]},{"role":"user","content":""}]}"#,
    );

    assert_eq!((facts.user_turns, facts.tool_results), (0, 1));
}

#[test]
fn of_equal_keys_the_last_counts_and_the_text_and_history_of_all() {
    let (facts, heard) = chat(
        r#"{"model":"a","model":"b","n":5,"n":2,"messages":[{"role":"user","content":"x"}],
          "messages":[{"role":"user","content":"y","content":"z"},{"role":"assistant","content":"w","role":"user"},{"content":"p","content":"q","role":"tool"}]}"#,
    );

    assert_eq!((facts.model.as_deref(), facts.samples), (Some("b"), 2));
    assert_eq!(
        (facts.user_turns, facts.assistant_turns, facts.tool_results),
        (3, 0, 1)
    );
    let (u, a, t) = (Role::User, Role::Assistant, Role::Tool);
    assert_eq!(
        heard,
        said(&[
            (u, "x"),
            (u, "y"),
            (u, "z"),
            (a, "w"),
            (u, "w"),
            (u, "p"),
            (t, "q")
        ])
    );
}

#[test]
fn keys_and_values_written_with_escapes_are_what_they_spell() {
    let (facts, heard) = chat(
        r#"{"mod\u0065l":"m\u002dlarge","\u006dessages":[{"r\u006fle":"\u0075ser","c\u006Fntent":"h\u0069"}],"\u006e":2}"#,
    );

    assert_eq!(
        (facts.model.as_deref(), facts.samples, facts.user_turns),
        (Some("m-large"), 2, 1)
    );
    assert_eq!(heard, said(&[(Role::User, "hi")]));
}

#[test]
fn numbers_count_in_any_notation_and_saturate() {
    for (number, wanted) in [
        ("1000", Some(1000)),
        ("1e3", Some(1000)),
        ("1E+3", Some(1000)),
        ("1000.0", Some(1000)),
        ("0.001e6", Some(1000)),
        ("10000000000000000000000000e-22", Some(1000)),
        ("0.0000000000000000000000001e28", Some(1000)),
        ("1000.99", Some(1000)),
        ("\"1000\"", Some(1000)),
        ("\"10\\u00300\"", Some(1000)),
        ("4294967296", Some(u32::MAX)),
        ("1e999999999999", Some(u32::MAX)),
        ("1e-999999999999", Some(0)),
        ("0e999999999999", Some(0)),
        ("-0", Some(0)),
        ("-1", None),
        ("-0.5", None),
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("null", None),
        ("true", None),
        ("\"many\"", None),
        ("\"1 2\"", None),
        ("\"\"", None),
        ("[1000]", None),
        ("{\"n\":1}", None),
    ] {
        let body = std::format!(r#"{{"max_tokens":{number}}}"#);
        assert_eq!(chat(&body).0.max_output_tokens, wanted, "{number}");
    }
}

#[test]
fn what_a_forgiving_server_takes_for_true_is_true() {
    for (value, wanted) in [
        ("true", true),
        ("1", true),
        ("\"true\"", true),
        ("\"YES\"", true),
        ("\"on\"", true),
        ("false", false),
        ("0", false),
        ("null", false),
        ("\"no\"", false),
        ("[true]", false),
    ] {
        let body = std::format!(r#"{{"stream":{value},"logprobs":{value}}}"#);
        let (facts, _) = chat(&body);
        assert_eq!((facts.stream, facts.logprobs), (wanted, wanted), "{value}");
    }
}

#[test]
fn a_value_of_a_wrong_type_hides_no_other_fact() {
    let wrong = ["null", "7", "\"x\"", "[[{}],3]", "{\"a\":[{}]}", "true"];
    let keys = [
        "model",
        "stream",
        "tools",
        "functions",
        "max_tokens",
        "logprobs",
        "top_logprobs",
        "reasoning",
        "reasoning_effort",
        "thinking",
        "system",
        "output_config",
        "user",
    ];
    for value in wrong {
        for key in keys {
            let body = std::format!(
                r#"{{"{key}":{value},"n":4,"messages":[{value},{{"role":{value},"content":{value},"tool_calls":{value}}},{{"role":"user","content":[{value},{{"type":{value},"text":{value},"content":{value},"source":{value},"image_url":null}}]}},{{"role":"assistant","content":"a"}}]}}"#
            );
            assert_eq!(
                (chat(&body).0.samples, chat(&body).0.assistant_turns),
                (4, 1),
                "{body}"
            );
            assert_eq!(messages(&body).0.assistant_turns, 1, "{body}");
        }
    }
}

#[test]
fn a_cut_body_gives_the_facts_of_its_prefix() {
    let body = r#"{"model":"m","tools":[{},{}],"messages":[{"role":"user","content":"one"},{"role":"user","content":"two caf\u00e9"#;

    for (end, heard, turns) in [
        (body.len(), "two café", 2),
        (body.len() - 1, "two caf", 2),
        (body.len() - 6, "two caf", 2),
        (body.len() - 13, "", 1),
    ] {
        let (facts, texts) = facts_of(Endpoint::OpenAiChat, &body.as_bytes()[..end], true);

        assert!(facts.truncated);
        assert_eq!((facts.tools, facts.user_turns), (2, turns), "{end}");
        assert_eq!(texts.get(1).map_or("", |(_, text)| text), heard, "{end}");
    }
}

#[test]
fn text_whose_role_was_cut_off_is_handed_out_as_the_users() {
    let (facts, heard) = facts_of(
        Endpoint::OpenAiChat,
        br#"{"messages":[{"content":[{"type":"text","text":"long pro"#,
        true,
    );

    assert_eq!(heard, said(&[(Role::User, "long pro")]));
    assert_eq!((facts.user_turns, facts.text_bytes), (1, 8));
}

#[test]
fn a_character_that_the_cut_split_is_left_out() {
    let (facts, heard) = facts_of(
        Endpoint::OpenAiChat,
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"caf\xC3",
        true,
    );

    assert_eq!((facts.text_bytes, heard), (3, said(&[(Role::User, "caf")])));
}

#[test]
fn a_number_at_the_cut_may_lack_digits_and_does_not_count() {
    let (facts, _) = facts_of(Endpoint::OpenAiChat, br#"{"n":2,"max_tokens":10"#, true);

    assert_eq!((facts.samples, facts.max_output_tokens), (2, None));
}

#[test]
fn a_body_that_is_whole_before_the_cut_is_not_truncated() {
    assert!(
        !facts_of(Endpoint::OpenAiChat, b"{\"n\":2}  ", true)
            .0
            .truncated
    );
}

#[test]
fn errors_say_where_and_what() {
    let malformed = |at, what| FactsError::Malformed { at, what };
    for (body, wanted) in [
        ("", malformed(0, "the rest of a value")),
        ("[]", malformed(0, "an object")),
        ("{\"n\":2", malformed(6, "the rest of a value")),
        ("{\"n\":2}}", malformed(7, "the end of the body")),
        ("{\"n\":2,}", malformed(7, "a key")),
        ("{\"n\" 2}", malformed(5, "`:`")),
        ("{\"n\":2 \"m\":3}", malformed(7, "`,` or `}`")),
        ("{\"x\":[1 2]}", malformed(8, "`,` or `]`")),
        ("{\"x\":01}", malformed(6, "no digit after a leading zero")),
        ("{\"x\":1.}", malformed(7, "a digit")),
        ("{\"x\":tru}", malformed(5, "a value")),
        (
            "{\"x\":\"a\nb\"}",
            malformed(7, "no control character in a string"),
        ),
        ("{\"x\":\"a\\qb\"}", malformed(8, "a known escape")),
        ("{\"x\":\"\\u00g0\"}", malformed(10, "four hex digits")),
        ("{\"x\":[}", malformed(6, "a value")),
    ] {
        assert_eq!(error(body), wanted, "{body}");
    }
    assert_eq!(
        std::format!("{}", error("[]")),
        "body is not valid at byte 0: expected an object"
    );
}

#[test]
fn nesting_is_bounded_whether_a_value_is_read_or_passed_over() {
    let nested = |key: &str, levels: usize| {
        std::format!(
            r#"{{"{key}":{}{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    for key in ["x", "tools", "messages", "model"] {
        assert!(
            read(
                Endpoint::OpenAiChat,
                nested(key, 63).as_bytes(),
                false,
                &mut Heard::default()
            )
            .is_ok(),
            "{key}"
        );
        assert_eq!(
            error(&nested(key, 64)),
            FactsError::TooDeep { limit: 64 },
            "{key}"
        );
        assert_eq!(
            error(&nested(key, 100_000)),
            FactsError::TooDeep { limit: 64 },
            "{key}"
        );
    }
}

#[test]
fn bytes_that_are_not_utf8_split_a_text_and_do_not_hide_it() {
    let (facts, heard) = facts_of(
        Endpoint::OpenAiChat,
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"a\xFFb\xED\xA0\x80\\n\xF0\x9F\"}]}",
        false,
    );

    assert_eq!(
        heard,
        said(&[(Role::User, "a"), (Role::User, "b"), (Role::User, "\n")])
    );
    assert_eq!(facts.user_turns, 1);
}

#[test]
fn a_byte_order_mark_and_white_space_do_not_matter() {
    let (facts, _) = chat("\u{feff} \r\n\t{ \"n\" : 2 , \"stop\" : [ ] , \"x\" : { } } \n");

    assert_eq!(facts.samples, 2);
}

#[test]
fn unescaping_gives_characters_whole_and_no_more_than_asked() {
    let text = RawText {
        raw: r#"a\"\\\/\b\f\n\r\té\u00e9\uD83D\uDE00\ud83d\udc"#,
        escaped: true,
    };
    let said = "a\"\\/\u{8}\u{c}\n\r\téé😀";
    let cases = [
        ("\\ud83dx", "\u{fffd}x"),
        ("\\udc00", "\u{fffd}"),
        ("\\ud83d\\u0041", "\u{fffd}A"),
        ("\\u0000", "\0"),
        ("日本", "日本"),
        ("", ""),
    ];

    for max in 0..=said.len() {
        let mut out = vec![b'>'];
        text.unescape_into(&mut out, max);
        let got = String::from_utf8(out).unwrap();
        let got = got.strip_prefix('>').unwrap();
        assert!(
            said.starts_with(got) && got.len() <= max && got.len() + 4 > max,
            "{max}: {got}"
        );
    }
    for (raw, wanted) in cases {
        let mut out = vec![];
        RawText { raw, escaped: true }.unescape_into(&mut out, usize::MAX);
        assert_eq!(String::from_utf8(out).unwrap(), wanted, "{raw}");
    }
}

#[test]
fn debug_output_never_shows_text() {
    let text = RawText {
        raw: "secret",
        escaped: false,
    };

    assert_eq!(
        std::format!("{text:?}"),
        "RawText { bytes: 6, escaped: false }"
    );
}

#[test]
fn input_is_estimated_as_a_token_per_four_bytes_rounded_up() {
    let estimate = |(text_bytes, prompt_tokens)| {
        estimated_input_tokens(&RequestFacts {
            text_bytes,
            prompt_tokens,
            ..RequestFacts::default()
        })
    };

    assert_eq!(
        [(0, 0), (1, 0), (4, 0), (5, 7), (u32::MAX, 0), (4, u32::MAX)].map(estimate),
        [0, 1, 1, 9, 1 << 30, u32::MAX]
    );
}

#[test]
fn a_body_of_an_unknown_endpoint_is_not_looked_at() {
    let (facts, heard) = facts_of(Endpoint::Unknown, b"\x1f\x8b", false);

    assert_eq!(
        facts,
        RequestFacts {
            samples: 1,
            ..RequestFacts::default()
        }
    );
    assert!(heard.is_empty());
}

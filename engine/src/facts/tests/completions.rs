use super::*;

fn completions(body: &str) -> (RequestFacts<'_>, Vec<(Role, String)>) {
    read_as(Endpoint::OpenAiCompletions, body)
}

#[test]
fn a_completion_gives_all_of_its_facts() {
    let (facts, heard) = completions(
        r#"{"model":"davinci","prompt":"Once upon","suffix":"the end","max_tokens":64,"n":2,"best_of":5,"stream":true,"logprobs":0,"echo":true}"#,
    );

    let wanted = RequestFacts {
        model: Some("davinci".into()),
        stream: true,
        max_output_tokens: Some(64),
        samples: 5,
        logprobs: true,
        user_turns: 2,
        text_bytes: 9 + 7,
        ..RequestFacts::default()
    };
    assert_eq!(facts, wanted);
    assert_eq!(
        heard,
        said(&[(Role::User, "Once upon"), (Role::User, "the end")])
    );
}

#[test]
fn prompts_come_one_by_one_as_texts_or_as_tokens() {
    for (prompt, texts, tokens, turns) in [
        (r#""a""#, &["a"][..], 0, 1),
        (r#"["a","b",""]"#, &["a", "b"], 0, 2),
        ("[1,2,3]", &[], 3, 1),
        ("[[1,2],[3],[]]", &[], 3, 2),
        (r#"["a",[4,5]]"#, &["a"], 2, 2),
        ("[[[1]]]", &[], 0, 0),
        (
            r#"[{"type":"text","text":"a"},{"content":[{"type":"image_url","image_url":{}},{"text":"b"}]}]"#,
            &["a", "b"],
            0,
            2,
        ),
        ("null", &[], 0, 0),
        ("7", &[], 0, 0),
    ] {
        for (endpoint, key) in [
            (Endpoint::OpenAiCompletions, "prompt"),
            (Endpoint::OpenAiEmbeddings, "input"),
        ] {
            let body = std::format!(r#"{{"{key}":{prompt}}}"#);
            let (facts, heard) = read_as(endpoint, &body);

            let heard: Vec<&str> = heard.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(heard, texts, "{body}");
            assert_eq!(
                (facts.prompt_tokens, facts.user_turns),
                (tokens, turns),
                "{body}"
            );
        }
    }
}

#[test]
fn each_prompt_is_a_message_of_its_own() {
    struct Messages(u32);
    impl TextSink for Messages {
        fn text(&mut self, _role: Role, _text: RawText<'_>) {}
        fn message(&mut self) {
            self.0 += 1;
        }
    }
    let mut sink = Messages(0);

    let _ = read(
        Endpoint::OpenAiEmbeddings,
        br#"{"input":["a","b","c"]}"#,
        false,
        &mut sink,
    );

    assert_eq!(sink.0, 3);
}

#[test]
fn any_number_of_logprobs_asks_for_them() {
    for (value, wanted) in [
        ("0", true),
        ("5", true),
        ("\"2\"", true),
        ("true", true),
        ("null", false),
        ("false", false),
        ("-1", false),
    ] {
        let body = std::format!(r#"{{"logprobs":{value}}}"#);
        assert_eq!(completions(&body).0.logprobs, wanted, "{value}");
    }
}

#[test]
fn a_cut_prompt_counts_as_far_as_it_came() {
    let (facts, heard) = facts_of(
        Endpoint::OpenAiCompletions,
        br#"{"n":3,"prompt":["one","tw"#,
        true,
    );

    assert_eq!(heard, said(&[(Role::User, "one"), (Role::User, "tw")]));
    assert_eq!((facts.user_turns, facts.samples), (2, 3));
    assert!(facts.truncated);

    let (facts, _) = facts_of(Endpoint::OpenAiEmbeddings, br#"{"input":[10,20,3"#, true);
    assert_eq!((facts.user_turns, facts.prompt_tokens), (1, 3));
}

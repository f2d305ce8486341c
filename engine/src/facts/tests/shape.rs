use super::*;
use std::format;

#[derive(Default)]
struct Names(Vec<String>, u32);

impl TextSink for Names {
    fn text(&mut self, _role: Role, _text: RawText<'_>) {}

    fn message(&mut self) {
        self.1 += 1;
    }

    fn tool(&mut self, name: RawText<'_>) {
        let mut bytes = vec![];
        name.unescape_into(&mut bytes, usize::MAX);
        self.0.push(String::from_utf8(bytes).unwrap());
    }
}

fn shape(body: &str) -> u32 {
    read(
        Endpoint::OpenAiChat,
        body.as_bytes(),
        false,
        &mut Names::default(),
    )
    .unwrap()
    .shape
}

fn claude_shape(body: &str) -> u32 {
    read(
        Endpoint::AnthropicMessages,
        body.as_bytes(),
        false,
        &mut Names::default(),
    )
    .unwrap()
    .shape
}

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.7,"stream":true,"seed":5,"user":"u-1","stop":["a","b"],"tools":[{"function":{"name":"f"}}]}"#;

/// The shape of `BODY` with `from` replaced.
fn with(from: &str, to: &str) -> u32 {
    assert!(BODY.contains(from), "{from}");
    shape(&BODY.replace(from, to))
}

#[test]
fn a_body_without_keys_has_no_shape() {
    assert_eq!(shape("{}"), 0);
    assert_ne!(shape(r#"{"model":"m"}"#), 0);
}

#[test]
fn text_model_names_and_what_names_a_caller_are_not_in_a_shape() {
    let unchanged = [
        (r#""m""#, r#""another-model""#),
        (r#""hi""#, r#""a longer text with \"temperature\": 2""#),
        (r#""seed":5"#, r#""seed":99"#),
        (r#""u-1""#, r#"{"any":["thing"]}"#),
        (r#"["a","b"]"#, r#"["other","stops"]"#),
        (r#""f""#, r#""another_tool","parameters":{"temperature":1}"#),
        ("0.7", "7e-1"),
        ("0.7", "0.70"),
        (r#""stream":"#, r#" "str\u0065am" : "#),
    ];
    for (from, to) in unchanged {
        assert_eq!(with(from, to), shape(BODY), "{to}");
    }
}

#[test]
fn order_parameters_counts_and_layout_are_in_a_shape() {
    let changed = [
        (r#""seed":5,"user":"u-1""#, r#""user":"u-1","seed":5"#),
        (r#""seed":5,"#, ""),
        ("0.7", "0.8"),
        ("0.7", "-0.7"),
        ("0.7", "7"),
        ("0.7", "null"),
        ("true", "false"),
        (r#"["a","b"]"#, r#"["a","b","c"]"#),
        (r#""hi""#, r#"[{"type":"text","text":"hi"}]"#),
        (
            r#""role":"user","content":"hi""#,
            r#""content":"hi","role":"user""#,
        ),
        (r#"{"function":{"name":"f"}}"#, r#"{},{}"#),
        (r#""temperature""#, r#""top_p""#),
    ];
    for (from, to) in changed {
        assert_ne!(with(from, to), shape(BODY), "{to}");
    }
}

#[test]
fn numbers_of_tools_count_by_their_order_of_magnitude() {
    let tools = |count: usize| shape(&format!(r#"{{"tools":[{}]}}"#, vec!["{}"; count].join(",")));

    assert_eq!(tools(4), tools(7));
    assert_ne!(tools(7), tools(8));
    assert_ne!(tools(0), tools(1));
}

#[test]
fn a_key_that_nobody_knows_does_not_make_a_shape_unique() {
    assert_eq!(shape(r#"{"x1":1}"#), shape(r#"{"y2":"another"}"#));
    assert_ne!(shape(r#"{"x1":1}"#), shape(r#"{"x1":1,"x2":1}"#));
}

#[test]
fn kinds_of_choices_are_in_a_shape_and_their_names_and_schemas_are_not() {
    let choice = |value: &str| shape(&format!(r#"{{"tool_choice":{value}}}"#));
    let format = |value: &str| shape(&format!(r#"{{"response_format":{value}}}"#));

    assert_ne!(choice(r#""auto""#), choice(r#""required""#));
    assert_eq!(
        choice(r#"{"type":"function","function":{"name":"a"}}"#),
        choice(r#"{"type":"function","function":{"name":"b"}}"#)
    );
    assert_eq!(
        format(r#"{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}}"#),
        format(r#"{"type":"json_schema","json_schema":{}}"#)
    );
    assert_ne!(
        format(r#"{"type":"json_schema"}"#),
        format(r#"{"type":"text"}"#)
    );
    assert_ne!(
        claude_shape(r#"{"thinking":{"type":"enabled","budget_tokens":1024}}"#),
        claude_shape(r#"{"thinking":{"type":"enabled","budget_tokens":2048}}"#)
    );
}

#[test]
fn tools_are_named_in_both_dialects_and_messages_announced() {
    let body = r#"{"system":"s","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],
        "tools":[{"name":"re\u0061d","input_schema":{"name":"no"}},{"type":"function","function":{"parameters":{"name":"no"},"name":"write"}},{"name":""},{"name":5},7],
        "functions":[{"name":"old"}]}"#;
    let (mut claude, mut chat) = (Names::default(), Names::default());

    let facts = read(
        Endpoint::AnthropicMessages,
        body.as_bytes(),
        false,
        &mut claude,
    )
    .unwrap();
    assert_eq!(
        (claude.0, claude.1, facts.tools),
        (vec!["read".into(), "write".into()], 3, 5)
    );
    let facts = read(Endpoint::OpenAiChat, body.as_bytes(), false, &mut chat).unwrap();
    assert_eq!(
        (chat.0, chat.1, facts.tools),
        (vec!["read".into(), "write".into(), "old".into()], 2, 6)
    );
}

#[test]
fn two_sinks_may_share_one_reading() {
    let (mut one, mut other) = (Heard::default(), Names::default());

    read(
        Endpoint::OpenAiChat,
        BODY.as_bytes(),
        false,
        &mut (&mut one, &mut other),
    )
    .unwrap();

    assert_eq!(one.0, said(&[(Role::User, "hi")]));
    assert_eq!((other.0, other.1), (vec![String::from("f")], 1));
}

//! Request facts against an oracle: the same question asked of a `serde_json` tree.
//!
//! Documents are requests with plausible keys and often the wrong values, printed with random key order,
//! white space and escapes, then damaged. Differences on purpose: the reader takes `NaN`, `Infinity` and
//! a byte order mark, and stops at 64 levels.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, FactsError, RawText, Reasoning, RequestFacts, Role, TextSink};

const ENDPOINTS: [Endpoint; 2] = [Endpoint::OpenAiChat, Endpoint::AnthropicMessages];

type Texts = Vec<(&'static str, String)>;

#[derive(Default)]
struct Heard {
    texts: Texts,
    raw_bytes: usize,
}

impl TextSink for Heard {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        let mut bytes = Vec::new();
        text.unescape_into(&mut bytes, usize::MAX);
        self.raw_bytes += text.raw.len();
        self.texts
            .push((name(role), String::from_utf8(bytes).unwrap()));
    }
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

fn read(
    endpoint: Endpoint,
    body: &[u8],
    cut: bool,
) -> (Result<RequestFacts<'_>, FactsError>, Heard) {
    let mut heard = Heard::default();
    (facts::read(endpoint, body, cut, &mut heard), heard)
}

// === The oracle ===

fn count(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse::<serde_json::Number>().ok()?.as_f64()?,
        _ => return None,
    };
    (number >= 0.0).then_some(number as u32)
}

fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(_) => count(value) > Some(0),
        Value::String(text) => {
            ["true", "1", "t", "yes", "y", "on"].contains(&text.to_ascii_lowercase().as_str())
        }
        _ => false,
    }
}

fn items(value: &Value) -> u32 {
    value.as_array().map_or(0, |items| items.len() as u32)
}

fn effort(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|level| !["", "none", "minimal"].contains(&level))
}

fn thinking(value: &Value) -> Reasoning {
    match value["type"].as_str() {
        Some("enabled" | "adaptive") => Reasoning {
            requested: true,
            visible: value["display"] != "omitted",
            budget_tokens: count(&value["budget_tokens"]),
            effort: None,
        },
        _ => Reasoning::default(),
    }
}

#[derive(Default)]
struct Oracle {
    facts: RequestFacts<'static>,
    texts: Texts,
}

impl Oracle {
    fn of(endpoint: Endpoint, body: &Value) -> Self {
        let mut oracle = Self::default();
        let facts = &mut oracle.facts;
        facts.samples = 1;
        facts.model = body["model"].as_str().map(|model| model.to_owned().into());
        facts.stream = flag(&body["stream"]);
        facts.tools = items(&body["tools"]);
        match endpoint {
            Endpoint::OpenAiChat => {
                facts.max_output_tokens =
                    count(&body["max_completion_tokens"]).max(count(&body["max_tokens"]));
                facts.samples = count(&body["n"]).unwrap_or(1).max(1);
                facts.logprobs = flag(&body["logprobs"]) || count(&body["top_logprobs"]) > Some(0);
                facts.tools += items(&body["functions"]);
                let reasoning = &body["reasoning"];
                let asked = effort(&reasoning["effort"])
                    || flag(&reasoning["enabled"])
                    || count(&reasoning["max_tokens"]) > Some(0);
                let summary = reasoning["summary"]
                    .as_str()
                    .is_some_and(|summary| !["", "none"].contains(&summary));
                let thinking = thinking(&body["thinking"]);
                let include = flag(&body["include_reasoning"]);
                facts.reasoning = Reasoning {
                    requested: asked
                        || include
                        || effort(&body["reasoning_effort"])
                        || thinking.requested,
                    visible: include
                        || thinking.visible
                        || (asked || summary) && !flag(&reasoning["exclude"]),
                    budget_tokens: count(&reasoning["max_tokens"]).or(thinking.budget_tokens),
                    effort: None,
                };
            }
            _ => {
                facts.max_output_tokens = count(&body["max_tokens"]);
                facts.reasoning = thinking(&body["thinking"]);
                facts.reasoning.requested |= effort(&body["output_config"]["effort"]);
                oracle.content(&body["system"], "system", 0);
            }
        }
        for message in body["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|message| message.is_object())
        {
            oracle.message(message);
        }
        oracle
    }

    fn message(&mut self, message: &Value) {
        let role = match message["role"].as_str() {
            Some("system" | "developer") => "system",
            Some("assistant") => "assistant",
            Some("tool" | "function") => "tool",
            _ => "user",
        };
        let before = self.texts.len();
        self.content(&message["content"], role, 0);
        let spoke = self.texts[before..].iter().any(|(role, _)| *role == "user");
        self.facts.user_turns += u32::from(role == "user" && spoke);
        self.facts.assistant_turns += u32::from(role == "assistant");
        self.facts.tool_results += u32::from(role == "tool");
        self.facts.tool_calls +=
            items(&message["tool_calls"]) + u32::from(message["function_call"].is_object());
    }

    fn content(&mut self, content: &Value, role: &'static str, level: u32) {
        if let Some(text) = content.as_str() {
            self.texts
                .extend((!text.is_empty()).then(|| (role, text.to_owned())));
        }
        for part in content
            .as_array()
            .filter(|_| level < 4)
            .into_iter()
            .flatten()
        {
            match part {
                Value::String(_) => self.content(part, role, level),
                Value::Object(_) => self.part(part, role, level + 1),
                _ => {}
            }
        }
    }

    fn part(&mut self, part: &Value, role: &'static str, level: u32) {
        const ATTACHMENTS: [&str; 5] =
            ["image_url", "input_audio", "audio_url", "video_url", "file"];
        let kind = part["type"].as_str().unwrap_or("");
        self.facts.tool_calls += u32::from(kind.ends_with("tool_use"));
        self.facts.tool_results += u32::from(kind.ends_with("tool_result"));
        let attached = ATTACHMENTS.iter().any(|key| !part[key].is_null())
            || ATTACHMENTS.contains(&kind)
            || ["image", "document", "container_upload"].contains(&kind);
        self.facts.attachments += u32::from(attached);
        if part["text"].is_string() {
            self.content(&part["text"], role, level);
        }
        let source = &part["source"];
        if source["type"] == "text" && source["data"].is_string() {
            self.content(&source["data"], role, level);
        }
        self.content(&source["content"], role, level);
        self.content(
            &part["content"],
            if kind.ends_with("tool_result") {
                "tool"
            } else {
                role
            },
            level,
        );
    }
}

// === Documents ===

/// JSON with the order and the spelling of its keys and numbers.
#[derive(Clone, Debug)]
enum Doc {
    Bare(&'static str),
    Text(String),
    List(Vec<Doc>),
    Object(Vec<(&'static str, Doc)>),
}

fn text() -> impl Strategy<Value = Doc> {
    prop_oneof![
        "[a-z \"\\\\/\n\t\u{1}é日😀]{0,12}".prop_map(Doc::Text),
        // Longer than the blocks that strings are scanned in, with escapes at every distance.
        prop::collection::vec(prop_oneof![9 => "[a-zé ]{1,20}", 3 => Just("\n".to_owned()), 2 => Just("\"".to_owned()), 1 => "\\\\{1,5}", 1 => Just("\r".to_owned())], 0..40).prop_map(|pieces| Doc::Text(pieces.concat())),
    ]
}

fn wrong() -> impl Strategy<Value = Doc> {
    prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-0",
            "-1",
            "7",
            "1e3",
            "2.0",
            "2.5",
            "1E-2",
            "4294967295",
            "4294967296",
            "1e40",
            "[]",
            "{}",
            "[[[]],{\"a\":{}}]"
        ])
        .prop_map(Doc::Bare),
        prop::sample::select(vec![
            "", "5", "true", "No", "text", "1.5e1", "none", "minimal", "high"
        ])
        .prop_map(|word| Doc::Text(word.to_owned())),
        text(),
    ]
}

/// An object that has each of `fields` or not, in any order.
fn object(fields: Vec<(&'static str, BoxedStrategy<Doc>)>) -> BoxedStrategy<Doc> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(key, value)| {
            prop::option::weighted(
                0.6,
                prop_oneof![6 => value, 1 => wrong()].prop_map(move |value| (key, value)),
            )
        })
        .collect();
    fields
        .prop_map(|fields| fields.into_iter().flatten().collect::<Vec<_>>())
        .prop_shuffle()
        .prop_map(Doc::Object)
        .boxed()
}

fn list(item: BoxedStrategy<Doc>, most: usize) -> BoxedStrategy<Doc> {
    prop::collection::vec(prop_oneof![8 => item, 1 => wrong()], 0..=most)
        .prop_map(Doc::List)
        .boxed()
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Doc> {
    prop::sample::select(words)
        .prop_map(|word| Doc::Text(word.to_owned()))
        .boxed()
}

fn content(level: u32) -> BoxedStrategy<Doc> {
    if level == 0 {
        return text().boxed();
    }
    let source = object(vec![
        ("type", words(&["text", "base64", "content"])),
        ("data", text().boxed()),
        ("content", content(level - 1)),
    ]);
    let part = object(vec![
        (
            "type",
            words(&[
                "text",
                "image",
                "image_url",
                "file",
                "document",
                "tool_use",
                "server_tool_use",
                "tool_result",
                "thinking",
                "search_result",
            ]),
        ),
        ("text", text().boxed()),
        ("content", content(level - 1)),
        ("source", source),
        ("input", wrong().boxed()),
        ("thinking", text().boxed()),
        ("image_url", wrong().boxed()),
    ]);
    prop_oneof![text(), list(part, 3)].boxed()
}

fn request() -> BoxedStrategy<Doc> {
    let message = object(vec![
        (
            "role",
            words(&[
                "system",
                "developer",
                "user",
                "user",
                "assistant",
                "tool",
                "function",
                "critic",
            ]),
        ),
        ("content", content(2)),
        ("tool_calls", list(wrong().boxed(), 3)),
        ("function_call", wrong().boxed()),
        ("name", wrong().boxed()),
    ]);
    let effort = || words(&["none", "minimal", "low", "high"]);
    object(vec![
        ("messages", list(message, 4)),
        ("system", content(1)),
        ("model", text().boxed()),
        ("stream", wrong().boxed()),
        ("n", wrong().boxed()),
        ("max_tokens", wrong().boxed()),
        ("max_completion_tokens", wrong().boxed()),
        ("logprobs", wrong().boxed()),
        ("top_logprobs", wrong().boxed()),
        ("tools", list(wrong().boxed(), 3)),
        ("functions", list(wrong().boxed(), 3)),
        ("reasoning_effort", effort()),
        ("include_reasoning", wrong().boxed()),
        (
            "reasoning",
            object(vec![
                ("effort", effort()),
                ("enabled", wrong().boxed()),
                ("exclude", wrong().boxed()),
                ("summary", words(&["auto", "none"])),
                ("max_tokens", wrong().boxed()),
            ]),
        ),
        (
            "thinking",
            object(vec![
                ("type", words(&["enabled", "adaptive", "disabled"])),
                ("budget_tokens", wrong().boxed()),
                ("display", words(&["omitted", "summarized"])),
            ]),
        ),
        ("output_config", object(vec![("effort", effort())])),
        ("metadata", wrong().boxed()),
    ])
}

/// Prints with white space and escapes where `style` says so.
struct Printer {
    out: String,
    style: u64,
}

impl Printer {
    fn print(doc: &Doc, style: u64) -> String {
        let mut printer = Self {
            out: String::new(),
            style: style | 1,
        };
        printer.value(doc);
        printer.out
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.style = self
            .style
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.style >> 33) % one_in == 0
    }

    fn space(&mut self) {
        if self.chance(6) {
            let space = if self.chance(2) { " " } else { "\r\n\t" };
            self.out.push_str(space);
        }
    }

    fn value(&mut self, doc: &Doc) {
        self.space();
        match doc {
            Doc::Bare(bare) => self.out.push_str(bare),
            Doc::Text(text) => self.text(text, 40),
            Doc::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.out.push_str(if index > 0 { "," } else { "" });
                    self.value(item);
                }
                self.space();
                self.out.push(']');
            }
            Doc::Object(fields) => {
                self.out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    self.out.push_str(if index > 0 { "," } else { "" });
                    self.space();
                    self.text(key, 60);
                    self.space();
                    self.out.push(':');
                    self.value(value);
                }
                self.space();
                self.out.push('}');
            }
        }
        self.space();
    }

    fn text(&mut self, text: &str, escape_one_in: u64) {
        self.out.push('"');
        for character in text.chars() {
            let mut units = [0; 2];
            match character {
                _ if self.chance(escape_one_in) => {
                    for unit in character.encode_utf16(&mut units) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\t' => self.out.push_str("\\t"),
                '\r' => self.out.push_str("\\r"),
                '\u{1}' => self.out.push_str("\\u0001"),
                '/' if self.chance(2) => self.out.push_str("\\/"),
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
    }
}

fn body() -> impl Strategy<Value = String> {
    (request(), any::<u64>()).prop_map(|(doc, style)| Printer::print(&doc, style))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn facts_are_those_of_the_oracle(body in body()) {
        let value: Value = serde_json::from_str(&body).unwrap();
        for endpoint in ENDPOINTS {
            let (facts, mut heard) = read(endpoint, body.as_bytes(), false);
            let mut oracle = Oracle::of(endpoint, &value);

            let mut facts = facts.unwrap();
            prop_assert_eq!(facts.text_bytes as usize, heard.raw_bytes);
            facts.text_bytes = 0;
            // A hash, and the tree has lost the order of keys that is in it.
            facts.shape = 0;
            // The tree has lost the order of keys, and with it that of texts.
            heard.texts.sort();
            oracle.texts.sort();
            prop_assert_eq!(heard.texts, oracle.texts);
            prop_assert_eq!(facts, oracle.facts);
        }
    }

    #[test]
    fn damaged_bodies_are_refused_exactly_when_they_are_no_json(
        body in body(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"{}[]\",:\\ntu0eE+-.1\n\x01x".to_vec()), 0..3_u8), 1..3),
    ) {
        let mut body = body.into_bytes();
        for (at, byte, how) in damage {
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.insert(at, byte),
                _ => { body.remove(at); body.push(b' '); }
            }
        }
        let is_json = serde_json::from_slice::<IgnoredAny>(&body).is_ok() && body.trim_ascii_start().starts_with(b"{");
        for endpoint in ENDPOINTS {
            let (facts, _) = read(endpoint, &body, false);

            prop_assert_eq!(facts.is_ok(), is_json, "{:?}: {}", facts, String::from_utf8_lossy(&body));
        }
    }

    #[test]
    fn a_cut_body_gives_no_more_than_the_whole_one(body in body(), cut in any::<prop::sample::Index>()) {
        let body = body.trim_end().as_bytes();
        let cut = cut.index(body.len());
        for endpoint in ENDPOINTS {
            let (whole, _) = read(endpoint, body, false);
            let (facts, heard) = read(endpoint, &body[..cut], true);

            let (whole, facts) = (whole.unwrap(), facts.unwrap());
            prop_assert!(facts.truncated);
            prop_assert!(facts.text_bytes <= whole.text_bytes && facts.tools <= whole.tools && facts.attachments <= whole.attachments);
            prop_assert_eq!(facts.text_bytes as usize, heard.raw_bytes);
            let (uncut, _) = read(endpoint, &body[..cut], false);
            let refused = matches!(uncut, Err(FactsError::Malformed { .. }));
            prop_assert!(refused);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_trap(bytes in prop::collection::vec(any::<u8>(), 0..200), start in prop::sample::select(vec!["", "{", "{\"messages\":[{\"content\":\"", "{\"x\":"]), cut in any::<bool>()) {
        let body = [start.as_bytes(), &bytes].concat();
        for endpoint in ENDPOINTS {
            let (_, heard) = read(endpoint, &body, cut);
            prop_assert!(heard.raw_bytes <= body.len());
        }
    }
}

#[test]
fn a_hostile_order_of_keys_costs_a_pass_per_level_and_no_more() {
    // Roles and types follow their content at every level that content can nest.
    let mut content = format!("\"{}\"", "x".repeat(1000));
    for _ in 0..12 {
        content = format!("[{{\"content\":{content},\"type\":\"tool_result\"}}]");
    }
    let body = format!("{{\"messages\":[{{\"content\":{content},\"role\":\"user\"}}]}}");

    let (facts, heard) = read(Endpoint::AnthropicMessages, body.as_bytes(), false);

    assert_eq!((facts.unwrap().tool_results, heard.texts.len()), (4, 0));
}

//! Requests with plausible keys and often the wrong values, printed in any style.
use proptest::prelude::*;
use weir_engine::endpoint::Endpoint;

/// JSON with the order and the spelling of its keys and numbers.
#[derive(Clone, Debug)]
pub(crate) enum Doc {
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

/// A request of `endpoint`.
pub(crate) fn request(endpoint: Endpoint) -> BoxedStrategy<Doc> {
    match endpoint {
        Endpoint::OpenAiCompletions | Endpoint::OpenAiEmbeddings => prompts(),
        Endpoint::OpenAiResponses => items(),
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => contents(),
        _ => messages(),
    }
}

fn format() -> BoxedStrategy<Doc> {
    object(vec![
        ("type", words(&["text", "json_object", "json_schema"])),
        ("json_schema", wrong().boxed()),
    ])
}

fn prompts() -> BoxedStrategy<Doc> {
    let tokens = || prop::sample::select(vec!["1", "20", "300"]).prop_map(Doc::Bare);
    let part = object(vec![
        ("type", words(&["text", "image_url", "tool_result"])),
        ("text", text().boxed()),
        ("content", content(1)),
    ]);
    let one = prop_oneof![text(), tokens(), list(tokens().boxed(), 4), part].boxed();
    let prompt = || prop_oneof![text().boxed(), list(one.clone(), 3)].boxed();
    object(vec![
        // Of the two, each endpoint has its own; servers read either.
        ("prompt", prompt()),
        ("input", prompt()),
        ("suffix", text().boxed()),
        ("model", text().boxed()),
        ("stream", wrong().boxed()),
        ("n", wrong().boxed()),
        ("best_of", wrong().boxed()),
        ("max_tokens", wrong().boxed()),
        ("logprobs", wrong().boxed()),
        ("prompt_logprobs", wrong().boxed()),
        ("temperature", wrong().boxed()),
        ("top_p", wrong().boxed()),
        ("seed", wrong().boxed()),
        ("stop", list(text().boxed(), 3)),
        ("response_format", format()),
    ])
}

fn items() -> BoxedStrategy<Doc> {
    let item = object(vec![
        (
            "type",
            words(&[
                "message",
                "reasoning",
                "function_call",
                "function_call_output",
                "web_search_call",
                "input_image",
                "item_reference",
            ]),
        ),
        ("role", words(&["user", "assistant", "developer", "tool"])),
        ("content", content(2)),
        ("text", text().boxed()),
        ("output", prop_oneof![content(2), format()].boxed()),
        ("arguments", text().boxed()),
    ]);
    let variable = prop_oneof![
        text().boxed(),
        object(vec![
            ("type", words(&["input_text", "input_image"])),
            ("text", text().boxed())
        ])
    ];
    object(vec![
        ("input", prop_oneof![text().boxed(), list(item, 4)].boxed()),
        ("instructions", content(1)),
        (
            "prompt",
            object(vec![
                ("id", text().boxed()),
                ("variables", object(vec![("x", variable.boxed())])),
            ]),
        ),
        ("model", text().boxed()),
        ("stream", wrong().boxed()),
        ("max_output_tokens", wrong().boxed()),
        ("top_logprobs", wrong().boxed()),
        (
            "include",
            list(
                words(&[
                    "message.output_text.logprobs",
                    "reasoning.encrypted_content",
                ]),
                3,
            ),
        ),
        ("tools", list(wrong().boxed(), 3)),
        (
            "reasoning",
            object(vec![
                ("effort", words(&["none", "minimal", "low", "high"])),
                ("summary", words(&["auto", "none"])),
                ("generate_summary", words(&["concise", ""])),
                ("enabled", wrong().boxed()),
                ("max_tokens", wrong().boxed()),
            ]),
        ),
        ("text", object(vec![("format", format())])),
        ("temperature", wrong().boxed()),
        ("top_p", wrong().boxed()),
        ("seed", wrong().boxed()),
    ])
}

fn contents() -> BoxedStrategy<Doc> {
    prop_oneof![spelled(|camel, _| camel), spelled(|_, snake| snake)].boxed()
}

/// A request whose keys `pick` takes from their two spellings.
fn spelled(pick: fn(&'static str, &'static str) -> &'static str) -> BoxedStrategy<Doc> {
    let result = object(vec![
        (
            "response",
            prop_oneof![
                text().boxed(),
                object(vec![("a", list(text().boxed(), 2)), ("b", wrong().boxed())])
            ]
            .boxed(),
        ),
        ("output", text().boxed()),
        ("parts", list(object(vec![("text", text().boxed())]), 2)),
        ("name", text().boxed()),
    ]);
    let part = object(vec![
        ("text", text().boxed()),
        ("thought", wrong().boxed()),
        (pick("inlineData", "inline_data"), wrong().boxed()),
        (pick("fileData", "file_data"), wrong().boxed()),
        (pick("functionCall", "function_call"), wrong().boxed()),
        (pick("functionResponse", "function_response"), result),
    ]);
    let parts = || prop_oneof![list(part.clone(), 3), part.clone()].boxed();
    let content = object(vec![
        ("role", words(&["user", "model", "function", "system"])),
        ("parts", parts()),
    ]);
    object(vec![
        ("contents", list(content.clone(), 3)),
        (pick("systemInstruction", "system_instruction"), content),
        (
            "tools",
            list(
                object(vec![
                    (
                        pick("functionDeclarations", "function_declarations"),
                        list(wrong().boxed(), 3),
                    ),
                    (pick("googleSearch", "google_search"), wrong().boxed()),
                ]),
                2,
            ),
        ),
        (
            pick("generationConfig", "generation_config"),
            object(vec![
                (pick("candidateCount", "candidate_count"), wrong().boxed()),
                (
                    pick("maxOutputTokens", "max_output_tokens"),
                    wrong().boxed(),
                ),
                (
                    pick("stopSequences", "stop_sequences"),
                    list(text().boxed(), 3),
                ),
                (
                    pick("responseLogprobs", "response_logprobs"),
                    wrong().boxed(),
                ),
                ("logprobs", wrong().boxed()),
                (
                    pick("responseMimeType", "response_mime_type"),
                    words(&["application/json", "text/plain"]),
                ),
                (pick("responseSchema", "response_schema"), wrong().boxed()),
                ("temperature", wrong().boxed()),
                (pick("topP", "top_p"), wrong().boxed()),
                (pick("topK", "top_k"), wrong().boxed()),
                ("seed", wrong().boxed()),
                (
                    pick("thinkingConfig", "thinking_config"),
                    object(vec![
                        (pick("includeThoughts", "include_thoughts"), wrong().boxed()),
                        (pick("thinkingBudget", "thinking_budget"), wrong().boxed()),
                        (
                            pick("thinkingLevel", "thinking_level"),
                            words(&["LOW", "high", "MINIMAL", "THINKING_LEVEL_UNSPECIFIED"]),
                        ),
                    ]),
                ),
            ]),
        ),
    ])
}

fn messages() -> BoxedStrategy<Doc> {
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
    let effort = || words(&["none", "minimal", "low", "high", "xhigh"]);
    object(vec![
        ("messages", list(message, 4)),
        ("system", content(1)),
        ("model", text().boxed()),
        ("stream", wrong().boxed()),
        ("n", wrong().boxed()),
        ("max_tokens", wrong().boxed()),
        ("max_completion_tokens", wrong().boxed()),
        ("logprobs", wrong().boxed()),
        ("prompt_logprobs", wrong().boxed()),
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
        (
            "output_config",
            object(vec![("effort", effort()), ("format", format())]),
        ),
        ("metadata", wrong().boxed()),
        ("temperature", wrong().boxed()),
        ("top_p", wrong().boxed()),
        ("top_k", wrong().boxed()),
        ("seed", wrong().boxed()),
        (
            "stop",
            prop_oneof![wrong(), list(text().boxed(), 3)].boxed(),
        ),
        ("stop_sequences", list(text().boxed(), 3)),
        ("response_format", format()),
        ("output_format", format()),
    ])
}

/// `doc` as JSON, in a style of its own.
pub(crate) fn print(doc: &Doc, style: u64) -> String {
    Printer::print(doc, style)
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

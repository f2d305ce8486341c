//! What reading bodies costs: `cargo bench -p weir-engine --bench formats [-- NAME]`.
//!
//! Request facts against the parse that one would write otherwise, `serde_json` into borrowed typed
//! structs, in the same run on the same bodies; usage of responses in chunks of 1 KB, and shaping them. Bodies are chats
//! with 28 backslashes, one of them escaped, and 14 bytes beyond ASCII per KB. Figures are the best of
//! 300 slices of 2 ms.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench has no API and no hostile input"
)]

use serde::Deserialize;
use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, RawText, Role, TextSink};
use weir_engine::shaping::{ResponseShaper, Strip};
use weir_engine::usage::UsageMeter;

fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    let is_wanted = |name: &str| name.contains(&wanted);
    println!(
        "{:<28} {:>9} {:>12} {:>9} {:>12} {:>7}",
        "request", "bytes", "facts ns", "ns/byte", "serde ns", "ratio"
    );
    for kilobytes in [2, 16, 128] {
        for (name, body) in [
            ("chat, one prompt", chat(kilobytes, 1)),
            ("chat, many turns", chat(kilobytes, kilobytes)),
            ("chat, \\u escapes", ascii(&chat(kilobytes, 1))),
        ]
        .into_iter()
        .filter(|(name, _)| is_wanted(name))
        {
            let ours = nanos(|| {
                let facts = facts::read(
                    Endpoint::OpenAiChat,
                    black_box(body.as_bytes()),
                    false,
                    &mut Count(0),
                )
                .unwrap();
                black_box(facts.text_bytes);
            });
            let serde = nanos(|| {
                let request: Request<'_> =
                    serde_json::from_slice(black_box(body.as_bytes())).unwrap();
                black_box(
                    request
                        .messages
                        .iter()
                        .map(|message| message.role.len() + message.content.len())
                        .sum::<usize>(),
                );
                black_box((request.model, request.stream, request.max_tokens));
            });
            let per_byte = ours / body.len() as f64;
            println!(
                "{name:<28} {:>9} {ours:>12.0} {per_byte:>9.3} {serde:>12.0} {:>7.2}",
                body.len(),
                serde / ours
            );
        }
    }
    println!(
        "\n{:<28} {:>9} {:>12} {:>9} {:>12} {:>9}",
        "response", "bytes", "usage ns", "ns/byte", "shape ns", "ns/byte"
    );
    for (name, endpoint, body) in [
        ("openai JSON", Endpoint::OpenAiChat, openai_json()),
        (
            "openai JSON, logprobs",
            Endpoint::OpenAiChat,
            openai_logprobs(),
        ),
        ("openai SSE", Endpoint::OpenAiChat, openai_sse()),
        (
            "anthropic SSE",
            Endpoint::AnthropicMessages,
            anthropic_sse(),
        ),
        (
            "anthropic SSE, thinking",
            Endpoint::AnthropicMessages,
            anthropic_sse().replace("text_delta\",\"text", "thinking_delta\",\"thinking"),
        ),
        (
            "openai SSE, logprobs",
            Endpoint::OpenAiChat,
            openai_sse_logprobs(),
        ),
        ("gemini SSE, thoughts", Endpoint::GeminiStream, gemini_sse()),
    ]
    .into_iter()
    .filter(|(name, _, _)| is_wanted(name))
    {
        let ours = nanos(|| {
            let mut meter = UsageMeter::new(endpoint);
            for chunk in black_box(body.as_bytes()).chunks(1024) {
                meter.feed(chunk);
            }
            assert!(matches!(
                black_box(meter.usage(true)),
                weir_engine::usage::Usage::Known(_)
            ));
        });
        let shaping = nanos(|| {
            let strip = Strip {
                logprobs: true,
                reasoning: true,
            };
            let mut shaper = ResponseShaper::new(endpoint, strip);
            let mut out = Vec::with_capacity(2048);
            for chunk in black_box(body.as_bytes()).chunks(1024) {
                out.clear();
                shaper.feed(chunk, false, &mut out);
                black_box(&out);
            }
            assert!(!shaper.lost());
        });
        let bytes = body.len() as f64;
        println!(
            "{name:<28} {bytes:>9} {ours:>12.0} {:>9.3} {shaping:>12.0} {:>9.3}",
            ours / bytes,
            shaping / bytes
        );
    }
}

struct Count(usize);

impl TextSink for Count {
    fn text(&mut self, _role: Role, text: RawText<'_>) {
        self.0 += text.raw.len();
        black_box(self.0);
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    stream: bool,
    max_tokens: u32,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// Nanoseconds per call.
fn nanos(mut call: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    // `cargo test --benches` only asks whether it runs.
    let slices = if std::env::args().any(|argument| argument == "--bench") {
        300
    } else {
        1
    };
    for _ in 0..slices {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(2) {
            for _ in 0..8 {
                call();
            }
            calls += 8;
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}

/// `bytes` of text as it stands between quotes.
fn text(seed: u64, bytes: usize) -> String {
    const ESCAPES: [&str; 6] = ["\\n", "\\n", "\\n    ", "\\\"", "\\\"", "\\t"];
    const BEYOND_ASCII: [&str; 4] = ["é", "—", "日本", "“"];
    let (mut text, mut state) = (String::new(), seed | 1);
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    while text.len() < bytes {
        match below(1000) {
            0..5 => text.push_str("\\\\"),
            5..150 => text.push_str(ESCAPES[below(6)]),
            150..170 => text.push_str(BEYOND_ASCII[below(4)]),
            _ => {
                text.push_str(&"abcdefghijklmn"[..1 + below(9)]);
                text.push(' ');
            }
        }
    }
    text
}

fn chat(kilobytes: usize, turns: usize) -> String {
    let each = kilobytes * 1024 / turns - 40;
    let messages: Vec<String> = (0..turns)
        .map(|turn| {
            format!(
                r#"{{"role":"{}","content":"{}"}}"#,
                ["user", "assistant"][turn % 2],
                text(turn as u64, each)
            )
        })
        .collect();
    format!(
        r#"{{"model":"m-large","messages":[{}],"stream":true,"max_tokens":1024,"temperature":0.7}}"#,
        messages.join(",")
    )
}

/// The same with every character beyond ASCII and every tenth word escaped, as Python's `json` writes the former.
fn ascii(body: &str) -> String {
    let mut escaped = String::new();
    for character in body.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    escaped
}

fn openai_json() -> String {
    format!(
        r#"{{"id":"c-1","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":10,"completion_tokens":200,"total_tokens":210}}}}"#,
        text(1, 16 * 1024)
    )
}

fn openai_logprobs() -> String {
    let tokens =
        r#"{"token":"abc","logprob":-0.2718,"bytes":[97,98,99],"top_logprobs":[]},"#.repeat(1000);
    format!(
        r#"{{"choices":[{{"logprobs":{{"content":[{}]}}}}],"usage":{{"prompt_tokens":10,"completion_tokens":200}}}}"#,
        tokens.trim_end_matches(',')
    )
}

fn openai_sse() -> String {
    let event = "data: {\"id\":\"chatcmpl-123\",\"object\":\"chat.completion.chunk\",\"created\":1694268190,\"model\":\"m-large\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n";
    format!(
        "{}data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":200}}}}\n\ndata: [DONE]\n\n",
        event.repeat(200)
    )
}

fn openai_sse_logprobs() -> String {
    let token = r#"{"token":" word","logprob":-0.2718,"bytes":[32,119,111,114,100]}"#;
    let logprobs = format!(
        r#""logprobs":{{"content":[{{"token":" word","logprob":-0.2718,"bytes":[32,119,111,114,100],"top_logprobs":[{}]}}]}}"#,
        [token; 5].join(",")
    );
    openai_sse().replace("\"logprobs\":null", &logprobs)
}

fn gemini_sse() -> String {
    let event = |text: &str, thought: &str, usage: &str| {
        format!(
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{text}\"{thought}}}],\"role\": \"model\"}},\"index\": 0}}],\"usageMetadata\": {{{usage}}},\"modelVersion\": \"m\"}}\r\n\r\n"
        )
    };
    let counts = "\"promptTokenCount\": 10,\"candidatesTokenCount\": 200,\"totalTokenCount\": 210";
    format!(
        "{}{}{}",
        event(&text(3, 300), ",\"thought\": true", counts).repeat(20),
        event(&text(4, 300), "", counts).repeat(20),
        event("end", "", counts).replace("\"index\": 0", "\"finishReason\": \"STOP\",\"index\": 0")
    )
}

fn anthropic_sse() -> String {
    let event = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word\"}}\n\n";
    format!(
        "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_1\",\"content\":[],\"usage\":{{\"input_tokens\":10,\"output_tokens\":1}}}}}}\n\n{}event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\"usage\":{{\"output_tokens\":200}}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n",
        event.repeat(200)
    )
}

//! What the print of a prompt costs: `cargo bench -p weir-engine --bench prints`.
//!
//! One request with half of its text in the system prompt and half in the first user turn; the printer
//! alone, then reading the body with nobody listening and with the printer. From 5 KB on a print costs
//! the same, since it reads no more than that. Figures are the best of 300 slices of 2 ms.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench has no API and no hostile input"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};
use weir_engine::detect::{HEAD_BYTES, Printer, TAIL_BYTES};
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, RawText, Role, TextSink};

fn main() {
    println!(
        "{:<28} {:>7} {:>10} {:>13} {:>10} {:>12} {:>12}",
        "request", "bytes", "print ns", "ns/byte read", "words", "body ns", "with print"
    );
    for kilobytes in [1, 4, 16] {
        let half = kilobytes * 512;
        for (name, text) in [
            ("plain words", plain(half)),
            ("words, numbers, paths", mixed(half)),
            ("with letters beyond ASCII", accented(half)),
        ] {
            let body = format!(
                r#"{{"model":"m","messages":[{{"role":"system","content":"{text}"}},{{"role":"user","content":"{text}"}}],"temperature":0.7,"max_tokens":1024}}"#,
            );
            let mut printer = Printer::new();
            let words = {
                hear(&mut printer, &text);
                let print = printer.finish();
                print.system.words + print.user.words
            };
            let print = nanos(|| {
                hear(&mut printer, black_box(&text));
                black_box(printer.finish());
            });
            let reading = nanos(|| read(&body, &mut Nobody));
            let both = nanos(|| {
                read(&body, &mut printer);
                black_box(printer.finish());
            });
            let bytes = text.len().min(HEAD_BYTES) + text.len().min(HEAD_BYTES + TAIL_BYTES);
            println!(
                "{name:<28} {:>7} {print:>10.0} {:>13.2} {words:>10} {reading:>12.0} {both:>12.0}",
                body.len(),
                print / bytes as f64,
            );
        }
    }
}

fn hear(printer: &mut Printer, raw: &str) {
    let text = RawText {
        raw,
        escaped: raw.contains('\\'),
    };
    printer.text(Role::System, text);
    printer.text(Role::User, text);
}

fn read(body: &str, sink: &mut dyn TextSink) {
    let facts = facts::read(
        Endpoint::OpenAiChat,
        black_box(body.as_bytes()),
        false,
        sink,
    );
    black_box(facts.unwrap().shape);
}

struct Nobody;

impl TextSink for Nobody {
    fn text(&mut self, _role: Role, _text: RawText<'_>) {}
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

const WORDS: [&str; 24] = [
    "the",
    "of",
    "answer",
    "and",
    "write",
    "reasoning",
    "a",
    "to",
    "function",
    "in",
    "that",
    "solution",
    "is",
    "carefully",
    "plan",
    "for",
    "steps",
    "with",
    "Please",
    "explain",
    "it",
    "database",
    "you",
    "migration",
];

/// `bytes` of words from `extra` (one in eight) and [`WORDS`].
fn text(bytes: usize, extra: &[&str]) -> String {
    let (mut text, mut state) = (String::new(), 7_u64);
    while text.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let pick = (state >> 33) as usize;
        if !extra.is_empty() && pick % 8 == 0 {
            text.push_str(extra[(pick >> 8) % extra.len()]);
        } else {
            text.push_str(WORDS[(pick >> 8) % WORDS.len()]);
        }
        text.push_str(match pick % 13 {
            0 => ".\\n",
            1 => ", ",
            _ => " ",
        });
    }
    text
}

fn plain(bytes: usize) -> String {
    text(bytes, &[])
}

fn mixed(bytes: usize) -> String {
    text(
        bytes,
        &[
            "42",
            "3.14",
            "src/main.rs",
            "https://example.org/a?b=1",
            "GPT4",
            "\\\"quoted\\\"",
            "step-by-step",
            "don't",
            "(see",
            "x_1)",
        ],
    )
}

fn accented(bytes: usize) -> String {
    text(bytes, &["café", "—", "naïve", "日本語", "“x”", "größe"])
}

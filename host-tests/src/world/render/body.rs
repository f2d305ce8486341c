//! The body of a request: members in the program's order, and a history as long as the conversation is.
//!
//! A conversation grows: what one request says, the next of the same conversation begins with. Texts of
//! the history are short and their sum is bounded; once it is reached, what remains says next to nothing.
use super::super::program::{Key, Program};
use super::super::words::Words;
use super::super::{MODELS, ProgramSpec, Turn};
use crate::simulate::random::{Random, mix};
use crate::simulate::text::escape;
use std::io::Write;

/// User turns that a history has at most.
pub(in crate::world) const MAX_USER_TURNS: u16 = 64;
/// Tool results that a history has at most.
pub(in crate::world) const MAX_TOOL_RESULTS: u16 = 192;
/// Where the texts of a history end, in bytes of the body.
const HISTORY_BYTES: usize = 24 * 1024;

/// Writes request bodies; keeps its buffers.
#[derive(Default)]
pub(in crate::world) struct BodyWriter {
    text: String,
    system: String,
}

/// One request to be written.
#[derive(Clone, Copy)]
pub(in crate::world) struct Request<'a> {
    pub(in crate::world) turn: &'a Turn,
    pub(in crate::world) spec: &'a ProgramSpec,
    pub(in crate::world) program: &'a Program,
    /// A campaign sends it for itself.
    pub(in crate::world) extraction: bool,
}

impl BodyWriter {
    /// Appends the body.
    pub(in crate::world) fn write(
        &mut self,
        request: Request<'_>,
        words: &mut Words,
        out: &mut Vec<u8>,
    ) {
        let Request {
            turn,
            spec,
            program,
            ..
        } = request;
        self.system.clear();
        let instructed = words.system(spec, &turn.text, &mut self.system);
        let mut first = true;
        let mut member = |out: &mut Vec<u8>| {
            out.push(if first { b'{' } else { b',' });
            first = false;
        };
        for key in &program.keys {
            match key {
                Key::Model => {
                    member(out);
                    let model = MODELS.get(usize::from(turn.model)).copied();
                    let _ = write!(out, "\"model\":\"{}\"", model.unwrap_or(MODELS[0])); // a Vec takes everything
                }
                Key::System if instructed => {
                    member(out);
                    out.extend_from_slice(b"\"system\":");
                    content(program.parts, &self.system, out);
                }
                Key::Messages => {
                    member(out);
                    self.messages(request, instructed, words, out);
                }
                Key::Tools if !program.tools.is_empty() => {
                    member(out);
                    out.extend_from_slice(b"\"tools\":");
                    out.extend_from_slice(program.tools.as_bytes());
                }
                Key::MaxTokens => {
                    if let Some((name, value)) = program.limit {
                        member(out);
                        let _ = write!(out, "\"{name}\":{value}"); // a Vec takes everything
                    }
                }
                Key::Stream if program.stream => {
                    member(out);
                    out.extend_from_slice(b"\"stream\":true");
                    if program.stream_usage && !program.anthropic {
                        out.extend_from_slice(b",\"stream_options\":{\"include_usage\":true}");
                    }
                }
                Key::Parameter(index) => {
                    if let Some(parameter) = program.parameters.get(*index) {
                        member(out);
                        out.extend_from_slice(parameter.as_bytes());
                    }
                }
                Key::System | Key::Tools | Key::Stream => {}
            }
        }
        out.push(b'}');
    }

    fn messages(
        &mut self,
        request: Request<'_>,
        instructed: bool,
        words: &mut Words,
        out: &mut Vec<u8>,
    ) {
        let Request {
            turn,
            spec,
            program,
            extraction,
        } = request;
        out.extend_from_slice(b"\"messages\":[");
        if instructed && !program.anthropic {
            role(program.system_role, out);
            content(program.parts, &self.system, out);
            out.extend_from_slice(b"},");
        }
        self.text.clear();
        words.user(&turn.text, extraction, &mut self.text);
        role("user", out);
        content(program.parts, &self.text, out);
        out.push(b'}');
        let end = out.len() + HISTORY_BYTES;
        let mut history = History {
            words,
            program,
            seed: mix(turn.text.seed, 11),
            piece: 0,
            topic: spec.topic,
            text: &mut self.text,
            end,
        };
        let (turns, results) = (user_turns(turn), tool_results(turn));
        for number in 1..=turns {
            // The first turns have as many results as the later ones, or one more.
            let share = results / turns + u16::from(number <= results % turns);
            for _ in 0..share {
                history.call_and_result(out);
            }
            if number < turns {
                history.answer(out);
                history.question(out);
            }
        }
        out.push(b']');
    }
}

/// User turns of the request's history, this one included.
pub(in crate::world) fn user_turns(turn: &Turn) -> u16 {
    turn.step.saturating_add(1).min(MAX_USER_TURNS)
}

/// Tool results of the request's history.
pub(in crate::world) fn tool_results(turn: &Turn) -> u16 {
    turn.tool_results.min(MAX_TOOL_RESULTS)
}

/// What follows the first user turn.
struct History<'a> {
    words: &'a Words,
    program: &'a Program,
    seed: u64,
    /// Pieces written: each has randomness of its own, so that a longer history begins with a shorter one.
    piece: u64,
    topic: u8,
    text: &'a mut String,
    end: usize,
}

impl History<'_> {
    fn random(&mut self) -> Random {
        self.piece += 1;
        Random::new(self.seed, self.piece)
    }

    fn question(&mut self, out: &mut Vec<u8>) {
        let mut random = self.random();
        self.text.clear();
        if out.len() < self.end {
            self.words.follow_up(self.topic, &mut random, self.text);
        } else {
            self.text.push_str("go on");
        }
        out.push(b',');
        role("user", out);
        content(self.program.parts, self.text, out);
        out.push(b'}');
    }

    fn answer(&mut self, out: &mut Vec<u8>) {
        let mut random = self.random();
        self.text.clear();
        if out.len() < self.end {
            let bytes = 40 + random.below(600);
            self.words.prose(self.topic, bytes, &mut random, self.text);
        } else {
            self.text.push_str("Done.");
        }
        out.push(b',');
        role("assistant", out);
        content(false, self.text, out);
        out.push(b'}');
    }

    fn call_and_result(&mut self, out: &mut Vec<u8>) {
        let mut random = self.random();
        self.text.clear();
        if out.len() < self.end {
            let bytes = 40 + random.below(700);
            self.words.code(self.topic, bytes, &mut random, self.text);
        } else {
            self.text.push_str("ok");
        }
        let names = &self.program.tool_names;
        let name = names
            .get(random.below(names.len()))
            .map_or("run", String::as_str);
        let id = random.next() >> 32;
        // A Vec takes everything.
        let _ = if self.program.anthropic {
            write!(
                out,
                ",{{\"role\":\"assistant\",\"content\":[{{\"type\":\"tool_use\",\"id\":\"toolu_{id:08x}\",\"name\":\"{name}\",\"input\":{{}}}}]}},{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_{id:08x}\",\"content\":"
            )
        } else {
            write!(
                out,
                ",{{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{{\"id\":\"call_{id:08x}\",\"type\":\"function\",\"function\":{{\"name\":\"{name}\",\"arguments\":\"{{}}\"}}}}]}},{{\"role\":\"tool\",\"tool_call_id\":\"call_{id:08x}\",\"content\":"
            )
        };
        content(false, self.text, out);
        out.extend_from_slice(if self.program.anthropic { b"}]}" } else { b"}" });
    }
}

fn role(name: &str, out: &mut Vec<u8>) {
    let _ = write!(out, "{{\"role\":\"{name}\",\"content\":"); // a Vec takes everything
}

/// A string, or an array with one part that holds it.
fn content(parts: bool, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(if parts {
        b"[{\"type\":\"text\",\"text\":\"".as_slice()
    } else {
        b"\""
    });
    escape(text, out);
    out.extend_from_slice(if parts { b"\"}]".as_slice() } else { b"\"" });
}

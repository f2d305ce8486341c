//! The answer of a simulated exchange: JSON or server-sent events of either provider, an upstream
//! error, or a stream that breaks off before its usage.
use super::arrivals::Arrival;
use super::exchange::{Asked, pick, write_parts};
use super::random::Random;
use super::scenario::Faults;
use super::text::{Texts, escape};
use std::io::Write as _;

/// Longest answer text; the usage says what was generated, the text need not be all of it.
const MAX_TEXT_BYTES: usize = 2_048;
const EVENT_TEXT_BYTES: usize = 160;

/// Writes answers; keeps the buffer in which events are put together before they are escaped.
#[derive(Default)]
pub(crate) struct Writer {
    events: Vec<u8>,
}

/// How an answer ends.
struct Answer<'a> {
    asked: &'a Asked,
    output_tokens: u32,
    text_bytes: usize,
    created: u64,
    id: u64,
}

impl Writer {
    pub(crate) fn write(
        &mut self,
        asked: &Asked,
        arrival: Arrival,
        faults: &Faults,
        texts: &Texts,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        if random.chance(faults.upstream_errors) {
            return write_error(asked.anthropic, random, out);
        }
        let output_tokens = arrival.output_tokens.max(1);
        let answer = Answer {
            asked,
            output_tokens,
            text_bytes: (output_tokens as usize * 4).min(MAX_TEXT_BYTES),
            created: arrival.time.as_unix_nanos() / 1_000_000_000,
            id: random.next(),
        };
        if !asked.stream {
            out.extend_from_slice(
                b"{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":",
            );
            answer.write_json(texts, random, out);
            out.push(b'}');
            return;
        }
        let cut = random.chance(faults.cut_streams);
        self.events.clear();
        if asked.anthropic {
            answer.write_anthropic_events(cut, texts, random, &mut self.events)
        } else {
            answer.write_openai_events(cut, texts, random, &mut self.events)
        }
        out.extend_from_slice(
            b"{\"status\":200,\"headers\":{\"content-type\":\"text/event-stream\"},\"body\":\"",
        );
        escape(str::from_utf8(&self.events).unwrap_or_default(), out);
        out.extend_from_slice(b"\"}");
    }
}

fn write_error(anthropic: bool, random: &mut Random, out: &mut Vec<u8>) {
    let (status, kind) = [
        (500, "api_error"),
        (503, "overloaded_error"),
        (429, "rate_limit_error"),
    ]
    .get(random.below(3))
    .copied()
    .unwrap_or((500, "api_error"));
    let outer = if anthropic { "\"type\":\"error\"," } else { "" };
    let _ = write!(
        out,
        "{{\"status\":{status},\"headers\":{{\"content-type\":\"application/json\"}},\"body\":{{{outer}\"error\":{{\"type\":\"{kind}\",\"message\":\"The upstream could not answer.\"}}}}}}"
    );
}

impl Answer<'_> {
    fn write_json(&self, texts: &Texts, random: &mut Random, out: &mut Vec<u8>) {
        let Self {
            asked:
                Asked {
                    model,
                    input_tokens,
                    samples,
                    ..
                },
            output_tokens,
            created,
            id,
            ..
        } = self;
        if self.asked.anthropic {
            let _ = write!(
                out,
                "{{\"id\":\"msg_{id:016x}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{model}\",\"content\":["
            );
            if self.asked.reasoning {
                write_parts(
                    out,
                    &[
                        "{\"type\":\"thinking\",\"thinking\":\"",
                        pick(&texts.sentences, random),
                        "\",\"signature\":\"c2lt\"},",
                    ],
                );
            }
            if self.asked.tools {
                write_parts(
                    out,
                    &[
                        "{\"type\":\"tool_use\",\"id\":\"toolu_next\",\"name\":\"read_file\",\"input\":{\"path\":\"",
                        pick(&texts.files, random),
                        "\"}}",
                    ],
                );
            } else {
                out.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
                write_text(self.text_bytes, texts, random, out);
                out.extend_from_slice(b"\"}");
            }
            let stop = if self.asked.tools {
                "tool_use"
            } else {
                "end_turn"
            };
            let _ = write!(
                out,
                "],\"stop_reason\":\"{stop}\",\"stop_sequence\":null,\"usage\":{{\"input_tokens\":{input_tokens},\"output_tokens\":{output_tokens}}}}}"
            );
            return;
        }
        let _ = write!(
            out,
            "{{\"id\":\"chatcmpl-{id:016x}\",\"object\":\"chat.completion\",\"created\":{created},\"model\":\"{model}\",\"choices\":["
        );
        for index in 0..*samples {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(
                out,
                "{comma}{{\"index\":{index},\"message\":{{\"role\":\"assistant\",\"content\":\""
            );
            write_text(self.text_bytes / samples, texts, random, out);
            out.extend_from_slice(b"\"},\"logprobs\":");
            out.extend_from_slice(if self.asked.logprobs { b"{\"content\":[{\"token\":\"The\",\"logprob\":-0.1,\"bytes\":[84,104,101],\"top_logprobs\":[]}]}" } else { b"null" });
            out.extend_from_slice(b",\"finish_reason\":\"stop\"}");
        }
        let _ = write!(
            out,
            "],\"usage\":{{\"prompt_tokens\":{input_tokens},\"completion_tokens\":{output_tokens},\"total_tokens\":{}}}}}",
            input_tokens + *output_tokens as usize
        );
    }
    fn write_openai_events(
        &self,
        cut: bool,
        texts: &Texts,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let Self {
            asked:
                Asked {
                    model,
                    input_tokens,
                    ..
                },
            output_tokens,
            created,
            id,
            ..
        } = self;
        let mut written = 0;
        while written < self.text_bytes {
            let _ = write!(
                out,
                "data: {{\"id\":\"chatcmpl-{id:016x}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":\"{model}\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\""
            );
            written += write_text(EVENT_TEXT_BYTES.min(self.text_bytes), texts, random, out);
            out.extend_from_slice(b"\"},\"finish_reason\":null}]}\n\n");
        }
        if cut {
            return;
        }
        if self.asked.stream_usage {
            let _ = write!(
                out,
                "data: {{\"id\":\"chatcmpl-{id:016x}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":\"{model}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":{input_tokens},\"completion_tokens\":{output_tokens},\"total_tokens\":{}}}}}\n\n",
                input_tokens + *output_tokens as usize
            );
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
    fn write_anthropic_events(
        &self,
        cut: bool,
        texts: &Texts,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let Self {
            asked:
                Asked {
                    model,
                    input_tokens,
                    ..
                },
            output_tokens,
            id,
            ..
        } = self;
        let _ = write!(
            out,
            "event: message_start\ndata: {{\"type\":\"message_start\",\"message\":{{\"id\":\"msg_{id:016x}\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"{model}\",\"content\":[],\"stop_reason\":null,\"usage\":{{\"input_tokens\":{input_tokens},\"output_tokens\":1}}}}}}\n\n"
        );
        out.extend_from_slice(b"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
        let mut written = 0;
        while written < self.text_bytes {
            out.extend_from_slice(b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"");
            written += write_text(EVENT_TEXT_BYTES.min(self.text_bytes), texts, random, out);
            out.extend_from_slice(b"\"}}\n\n");
        }
        if cut {
            return;
        }
        out.extend_from_slice(
            b"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        );
        let _ = write!(
            out,
            "event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\",\"stop_sequence\":null}},\"usage\":{{\"output_tokens\":{output_tokens}}}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n"
        );
    }
}

/// Appends whole sentences of about `bytes`; gives how many were written, at least 1.
fn write_text(bytes: usize, texts: &Texts, random: &mut Random, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    loop {
        write_parts(out, &[pick(&texts.sentences, random)]);
        let written = out.len() - start;
        if written + 40 >= bytes {
            return written.max(1);
        }
        out.push(b' ');
    }
}

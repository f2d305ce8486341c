//! One exchange as a line of a trace: envelope, request of either provider, answer, truth.
//!
//! A request is a conversation that grew: an account has a few conversations an hour, and a larger
//! request of the same conversation begins with the same turns.
use super::account::Account;
use super::arrivals::Arrival;
use super::population::Member;
use super::random::{Random, SESSIONS, mix};
use super::response;
use super::scenario::{Kind, Prompts, Scenario};
use super::text::Texts;
use std::io::Write;
use weir_engine::time::Timestamp;

const NANOS_PER_HOUR: u64 = 3_600_000_000_000;
const SESSIONS_PER_HOUR: usize = 3;
const TOOL_NAMES: [&str; 5] = [
    "read_file",
    "write_file",
    "run_command",
    "search_code",
    "list_files",
];

/// Writes exchanges of one scenario.
pub(super) struct Writer {
    scenario: Scenario,
    start: Timestamp,
    seed: u64,
    texts: Texts,
    response: response::Writer,
    truths: Vec<String>,
}

/// What one request asks for.
pub(crate) struct Asked {
    pub(crate) anthropic: bool,
    pub(crate) model: &'static str,
    pub(crate) stream: bool,
    /// The stream is asked to end with usage (OpenAI; Anthropic always does).
    pub(crate) stream_usage: bool,
    pub(crate) tools: bool,
    pub(crate) reasoning: bool,
    pub(crate) logprobs: bool,
    pub(crate) samples: usize,
    /// About, from the text's bytes.
    pub(crate) input_tokens: usize,
}

impl Writer {
    pub(super) fn new(scenario: Scenario, seed: u64, texts: Texts) -> Self {
        let truths = scenario.kinds.iter().map(truth).collect();
        Self {
            start: scenario.start_time(),
            scenario,
            seed,
            texts,
            response: response::Writer::default(),
            truths,
        }
    }
    pub(super) fn write(
        &mut self,
        arrival: Arrival,
        member: Member,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let (Some(kind), Some(truth)) = (
            self.scenario.kinds.get(member.kind),
            self.truths.get(member.kind),
        ) else {
            return;
        };
        let account = Account::new(
            self.seed,
            member.account,
            self.scenario.organizations,
            self.scenario.anthropic,
            self.start,
        );
        let mut asked = asked(kind, &account, random);
        out.extend_from_slice(b"{\"time\":\"");
        let _ = write!(out, "{}", arrival.time); // a Vec takes everything
        out.extend_from_slice(b"\",\"request\":{\"method\":\"POST\",\"path\":\"");
        out.extend_from_slice(if asked.anthropic {
            b"/v1/messages"
        } else {
            b"/v1/chat/completions"
        });
        out.extend_from_slice(b"\",\"headers\":{");
        account.write_headers(random, out);
        out.extend_from_slice(b"},\"body\":");
        let start = out.len();
        let wanted = (arrival.body_bytes as f64 * kind.size) as usize;
        let conversation = Conversation {
            texts: &self.texts,
            prompts: kind.prompts,
            end: start + wanted.min(self.scenario.body.max_bytes),
        };
        let session = mix(
            account.voice,
            arrival.time.as_unix_nanos() / NANOS_PER_HOUR * 8
                + random.below(SESSIONS_PER_HOUR) as u64,
        );
        let system = random.chance(kind.system);
        conversation.write_request(&asked, system, session, random, out);
        asked.input_tokens = (out.len() - start).div_ceil(4);
        out.extend_from_slice(b"},\"response\":");
        self.response.write(
            &asked,
            arrival,
            &self.scenario.faults,
            &self.texts,
            random,
            out,
        );
        out.extend_from_slice(truth.as_bytes());
    }
}

fn truth(kind: &Kind) -> String {
    let class = if kind.campaign.is_some() {
        "campaign"
    } else {
        "organic"
    };
    let truth = serde_json::json!({ "campaign": kind.campaign, "kind": format!("{class}:{}", kind.name), "hard_negative": null });
    format!(",\"truth\":{truth}}}\n")
}

fn asked(kind: &Kind, account: &Account, random: &mut Random) -> Asked {
    let anthropic = account.anthropic;
    let stream = random.chance(kind.stream);
    Asked {
        anthropic,
        model: random
            .pick(&["m-large", "m-large", "m-medium", "m-small"])
            .unwrap_or("m-large"),
        stream,
        stream_usage: anthropic || random.chance(0.7),
        tools: random.chance(kind.tools),
        reasoning: random.chance(kind.reasoning),
        logprobs: !anthropic && random.chance(kind.logprobs),
        samples: if !anthropic && random.chance(kind.samples) {
            2 + random.below(7)
        } else {
            1
        },
        input_tokens: 0,
    }
}

/// Writes the conversation of one request up to the output's length `end`, as near as whole turns allow.
struct Conversation<'a> {
    texts: &'a Texts,
    prompts: Prompts,
    end: usize,
}

impl Conversation<'_> {
    fn write_request(
        &self,
        asked: &Asked,
        system: bool,
        session: u64,
        random: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let mut voice = Random::new(session, SESSIONS);
        write_settings(asked, &mut voice, out);
        let instruction = system.then(|| pick(&self.texts.system, &mut voice));
        if asked.anthropic
            && let Some(instruction) = instruction
        {
            write_parts(out, &[",\"system\":\"", instruction, "\""]);
        }
        out.extend_from_slice(b",\"messages\":[");
        if !asked.anthropic
            && let Some(instruction) = instruction
        {
            write_parts(
                out,
                &["{\"role\":\"system\",\"content\":\"", instruction, "\"},"],
            );
        }
        let last = self.last_prompt(random, out.len());
        let end = self.end.saturating_sub(last.len() + 48);
        if asked.tools {
            self.write_tool_history(asked.anthropic, end, &mut voice, out);
        } else {
            self.write_chat_history(end, &mut voice, out);
        }
        write_parts(out, &["{\"role\":\"user\",\"content\":\"", last, "\"}]}"]);
    }
    /// The prompt asked now; of a few, one that fits.
    fn last_prompt(&self, random: &mut Random, used: usize) -> &str {
        let room = self.end.saturating_sub(used);
        let pool = match self.prompts {
            Prompts::Organic => &self.texts.organic,
            Prompts::Extraction => &self.texts.extraction,
        };
        let mut prompt = pick(pool, random);
        for _ in 0..4 {
            if prompt.len() <= room {
                break;
            }
            let other = pick(pool, random);
            prompt = if other.len() < prompt.len() {
                other
            } else {
                prompt
            };
        }
        prompt
    }
    fn write_chat_history(&self, end: usize, voice: &mut Random, out: &mut Vec<u8>) {
        while out.len() + 300 < end {
            let question = self.last_prompt(voice, out.len());
            if out.len() + question.len() + 80 > end {
                break;
            }
            write_parts(
                out,
                &[
                    "{\"role\":\"user\",\"content\":\"",
                    question,
                    "\"},{\"role\":\"assistant\",\"content\":\"",
                ],
            );
            self.write_sentences((out.len() + 100 + voice.below(1_200)).min(end), voice, out);
            out.extend_from_slice(b"\"},");
        }
    }
    /// One question, then calls and results, as an agent's loop leaves them.
    fn write_tool_history(
        &self,
        anthropic: bool,
        end: usize,
        voice: &mut Random,
        out: &mut Vec<u8>,
    ) {
        let question = self.last_prompt(voice, out.len());
        if out.len() + question.len() + 400 > end {
            return;
        }
        write_parts(
            out,
            &["{\"role\":\"user\",\"content\":\"", question, "\"},"],
        );
        while out.len() + 300 < end {
            let mut call = Vec::with_capacity(16);
            let _ = write!(call, "{:08x}", voice.next() >> 32);
            let call = str::from_utf8(&call).unwrap_or_default();
            let tool = voice.pick(&TOOL_NAMES).unwrap_or("read_file");
            let file = pick(&self.texts.files, voice);
            if anthropic {
                write_parts(
                    out,
                    &[
                        "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"toolu_",
                        call,
                        "\",\"name\":\"",
                        tool,
                        "\",\"input\":{\"path\":\"",
                        file,
                        "\"}}]},{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_",
                        call,
                        "\",\"content\":\"",
                    ],
                );
            } else {
                write_parts(
                    out,
                    &[
                        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_",
                        call,
                        "\",\"type\":\"function\",\"function\":{\"name\":\"",
                        tool,
                        "\",\"arguments\":\"{\\\"path\\\":\\\"",
                        file,
                        "\\\"}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_",
                        call,
                        "\",\"content\":\"",
                    ],
                );
            }
            self.write_code((out.len() + 200 + voice.below(4_000)).min(end), voice, out);
            out.extend_from_slice(if anthropic { b"\"}]}," } else { b"\"}," });
        }
        if anthropic {
            out.extend_from_slice(b"{\"role\":\"assistant\",\"content\":\"Done so far.\"},"); // roles alternate
        }
    }
    fn write_sentences(&self, end: usize, voice: &mut Random, out: &mut Vec<u8>) {
        write_until(end, " ", &self.texts.sentences, voice, out);
    }
    fn write_code(&self, end: usize, voice: &mut Random, out: &mut Vec<u8>) {
        write_until(end, "\\n", &self.texts.code, voice, out);
    }
}

/// Appends pieces of `pool` as long as they fit before `end`; at least a word.
fn write_until(
    end: usize,
    between: &str,
    pool: &[Box<str>],
    voice: &mut Random,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    loop {
        let piece = pick(pool, voice);
        if out.len() + between.len() + piece.len() > end {
            break;
        }
        if out.len() > start {
            out.extend_from_slice(between.as_bytes());
        }
        out.extend_from_slice(piece.as_bytes());
    }
    if out.len() == start {
        out.extend_from_slice(b"OK");
    }
}

/// Appends the request up to its messages.
fn write_settings(asked: &Asked, voice: &mut Random, out: &mut Vec<u8>) {
    let max_tokens = [256, 512, 1_024, 2_048, 4_096]
        .get(voice.below(5))
        .copied()
        .unwrap_or(1_024);
    let _ = write!(
        out,
        "{{\"model\":\"{}\",\"max_tokens\":{}",
        asked.model,
        if asked.reasoning {
            max_tokens + 4_096
        } else {
            max_tokens
        }
    );
    if asked.stream {
        out.extend_from_slice(b",\"stream\":true");
        if !asked.anthropic && asked.stream_usage {
            out.extend_from_slice(b",\"stream_options\":{\"include_usage\":true}");
        }
    }
    if asked.reasoning {
        out.extend_from_slice(if asked.anthropic {
            b",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4096}"
        } else {
            b",\"reasoning_effort\":\"high\""
        });
    }
    if asked.logprobs {
        out.extend_from_slice(b",\"logprobs\":true,\"top_logprobs\":5");
    }
    if asked.samples > 1 {
        let _ = write!(out, ",\"n\":{}", asked.samples);
    }
    if asked.tools {
        out.extend_from_slice(b",\"tools\":[");
        for (index, name) in TOOL_NAMES.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if asked.anthropic {
                write_parts(
                    out,
                    &[
                        "{\"name\":\"",
                        name,
                        "\",\"input_schema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}}}}",
                    ],
                );
            } else {
                write_parts(
                    out,
                    &[
                        "{\"type\":\"function\",\"function\":{\"name\":\"",
                        name,
                        "\",\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}}}}}",
                    ],
                );
            }
        }
        out.push(b']');
    }
}

/// One of `pool`.
pub(crate) fn pick<'a>(pool: &'a [Box<str>], random: &mut Random) -> &'a str {
    pool.get(random.below(pool.len())).map_or("", |text| text)
}

/// Appends all parts.
pub(crate) fn write_parts(out: &mut Vec<u8>, parts: &[&str]) {
    parts
        .iter()
        .for_each(|part| out.extend_from_slice(part.as_bytes()));
}

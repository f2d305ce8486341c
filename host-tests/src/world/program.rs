//! A client program made concrete: dialect, SDK, headers, order of keys, parameters, tools.
//!
//! All of it follows from the number of the shape, and that from one generator for everybody: nothing
//! here knows whose program it is or what it is for. Many programs have the same shape, as many use the
//! same SDK with its defaults.
use super::ProgramSpec;
use super::clients::{ANTHROPIC_CLIENTS, Client, EXTRA_HEADERS, OPENAI_CLIENTS};
use super::words::Words;
use crate::simulate::random::Random;
use std::fmt::Write;

/// Stream of randomness of shapes.
const SHAPES: u64 = 0x7368_6170;

/// A member of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Model,
    /// Where the system prompt is a member of its own.
    System,
    Messages,
    Tools,
    MaxTokens,
    Stream,
    /// Any other parameter: index into [`Program::parameters`].
    Parameter(usize),
}

/// A client program as its requests show it.
#[derive(Debug)]
pub(super) struct Program {
    /// Speaks Anthropic's Messages API; OpenAI's chat completions otherwise.
    pub(super) anthropic: bool,
    /// Its SDK.
    pub(super) client: &'static Client,
    /// Headers of the client's own, in order; `user-agent` has the version put in where it says `{}`.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Members of the body, in order.
    pub(super) keys: Vec<Key>,
    /// Members with fixed values, as JSON: `"temperature":0.2`.
    pub(super) parameters: Vec<&'static str>,
    /// Name and value of the token limit; `None` where it sets none.
    pub(super) limit: Option<(&'static str, u32)>,
    /// Asks for server-sent events.
    pub(super) stream: bool,
    /// Events end with usage.
    pub(super) stream_usage: bool,
    /// Texts are arrays of parts, of the messages and of the system prompt.
    pub(super) parts: bool,
    /// Reasoning is to be shown.
    pub(super) reasoning: bool,
    /// Log-probabilities are to be shown.
    pub(super) logprobs: bool,
    /// Answers asked for.
    pub(super) samples: u32,
    /// `role` of system prompts.
    pub(super) system_role: &'static str,
    /// The `tools` member's value; empty where it offers none.
    pub(super) tools: String,
    /// Names of the tools.
    pub(super) tool_names: Vec<String>,
}

/// Parameters of both APIs, or of one: name, values as JSON, share of shapes that set it.
const PARAMETERS: [(&str, Api, f64, &[&str]); 14] = [
    (
        "temperature",
        Api::Both,
        0.55,
        &[
            "\"temperature\":0",
            "\"temperature\":0.7",
            "\"temperature\":0.2",
            "\"temperature\":1",
            "\"temperature\":0.0",
            "\"temperature\":0.1",
            "\"temperature\":0.3",
            "\"temperature\":0.5",
            "\"temperature\":0.8",
            "\"temperature\":1.0",
            "\"temperature\":0.6",
            "\"temperature\":0.9",
        ],
    ),
    (
        "top_p",
        Api::Both,
        0.22,
        &[
            "\"top_p\":1",
            "\"top_p\":0.95",
            "\"top_p\":0.9",
            "\"top_p\":0.8",
            "\"top_p\":0.99",
        ],
    ),
    (
        "top_k",
        Api::Anthropic,
        0.08,
        &["\"top_k\":40", "\"top_k\":50", "\"top_k\":250"],
    ),
    (
        "frequency_penalty",
        Api::OpenAi,
        0.15,
        &[
            "\"frequency_penalty\":0",
            "\"frequency_penalty\":0.5",
            "\"frequency_penalty\":0.2",
        ],
    ),
    (
        "presence_penalty",
        Api::OpenAi,
        0.13,
        &[
            "\"presence_penalty\":0",
            "\"presence_penalty\":0.6",
            "\"presence_penalty\":0.3",
        ],
    ),
    (
        "stop",
        Api::OpenAi,
        0.1,
        &[
            "\"stop\":[\"\\n\\n\"]",
            "\"stop\":null",
            "\"stop\":[\"###\"]",
            "\"stop\":\"END\"",
            "\"stop\":[\"User:\",\"\\n\"]",
        ],
    ),
    (
        "stop_sequences",
        Api::Anthropic,
        0.1,
        &[
            "\"stop_sequences\":[\"\\n\\nHuman:\"]",
            "\"stop_sequences\":[]",
            "\"stop_sequences\":[\"</answer>\"]",
        ],
    ),
    (
        "seed",
        Api::OpenAi,
        0.07,
        &["\"seed\":42", "\"seed\":0", "\"seed\":1234"],
    ),
    (
        "response_format",
        Api::OpenAi,
        0.13,
        &[
            "\"response_format\":{\"type\":\"json_object\"}",
            "\"response_format\":{\"type\":\"text\"}",
        ],
    ),
    (
        "metadata",
        Api::Anthropic,
        0.1,
        &[
            "\"metadata\":{\"user_id\":\"default\"}",
            "\"metadata\":{\"user_id\":\"service\"}",
        ],
    ),
    (
        "reasoning_effort",
        Api::OpenAi,
        0.09,
        &[
            "\"reasoning_effort\":\"medium\"",
            "\"reasoning_effort\":\"high\"",
            "\"reasoning_effort\":\"low\"",
        ],
    ),
    (
        "thinking",
        Api::Anthropic,
        0.12,
        &[
            "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4000}",
            "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":10000}",
            "\"thinking\":{\"type\":\"disabled\"}",
            "\"thinking\":{\"budget_tokens\":1024,\"type\":\"enabled\"}",
        ],
    ),
    (
        "n",
        Api::OpenAi,
        0.06,
        &["\"n\":1", "\"n\":1", "\"n\":2", "\"n\":4"],
    ),
    (
        "logprobs",
        Api::OpenAi,
        0.03,
        &[
            "\"logprobs\":true",
            "\"logprobs\":false",
            "\"logprobs\":true,\"top_logprobs\":5",
        ],
    ),
];

const LIMITS: [u32; 16] = [
    1024, 4096, 2048, 512, 1000, 2000, 8192, 256, 500, 4000, 3000, 16000, 300, 800, 1500, 8000,
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    Both,
    OpenAi,
    Anthropic,
}

impl Program {
    /// The program that `spec` numbers.
    pub(super) fn new(spec: &ProgramSpec, words: &Words) -> Self {
        let mut random = Random::new(spec.shape, SHAPES);
        let random = &mut random;
        let anthropic = random.chance(0.4);
        let clients: &'static [Client] = if anthropic {
            &ANTHROPIC_CLIENTS
        } else {
            &OPENAI_CLIENTS
        };
        let number = random
            .below(clients.len())
            .min(random.below(clients.len()))
            .min(random.below(clients.len()));
        let client = clients.get(number).unwrap_or(&OPENAI_CLIENTS[0]);
        let mut headers = client.headers.to_vec();
        for extra in EXTRA_HEADERS {
            if random.chance(0.05) {
                headers.insert(random.below(headers.len() + 1), *extra);
            }
        }
        let (mut parameters, mut said) = (Vec::new(), Vec::new());
        for (name, api, share, values) in PARAMETERS {
            let takes = match api {
                Api::Both => true,
                Api::OpenAi => !anthropic,
                Api::Anthropic => anthropic,
            };
            if random.chance(share) && takes {
                let value = values
                    .get(random.below(values.len()).min(random.below(values.len())))
                    .copied()
                    .unwrap_or_default();
                parameters.push(value);
                said.push((name, value));
            }
        }
        let says = |name: &str, part: &str| {
            said.iter()
                .any(|(said, value)| *said == name && value.contains(part))
        };
        let newer = random.chance(0.3);
        let limit = (anthropic || random.chance(0.65)).then(|| {
            let value = LIMITS
                .get(random.below(16).min(random.below(16)))
                .copied()
                .unwrap_or(1024);
            if newer && !anthropic {
                ("max_completion_tokens", value)
            } else {
                ("max_tokens", value)
            }
        });
        let stream = random.chance(0.45);
        let stream_usage = anthropic || random.chance(0.7);
        let parts = random.chance(0.2);
        let system_role = if random.chance(0.12) {
            "developer"
        } else {
            "system"
        };
        let keys = keys(anthropic, parameters.len(), random);
        let mut program = Self {
            anthropic,
            client,
            headers,
            keys,
            limit,
            stream,
            stream_usage,
            parts,
            reasoning: says("reasoning_effort", "") || says("thinking", "enabled"),
            logprobs: says("logprobs", "true"),
            samples: match said.iter().find(|(name, _)| *name == "n") {
                Some((_, "\"n\":2")) => 2,
                Some((_, "\"n\":4")) => 4,
                _ => 1,
            },
            parameters,
            system_role,
            tools: String::new(),
            tool_names: Vec::new(),
        };
        if let Some(set) = spec.tools {
            program.offer(set, words);
        }
        program
    }

    /// What `user-agent` says in version `version`.
    pub(super) fn user_agent(&self, version: u8, out: &mut String) {
        out.clear();
        let versions = self.client.versions;
        let number = usize::from(version) % versions.len().max(1);
        let version = versions.get(number).copied().unwrap_or_default();
        let (before, after) = self
            .client
            .agent
            .split_once("{}")
            .unwrap_or((self.client.agent, ""));
        out.push_str(before);
        out.push_str(version);
        out.push_str(after);
    }

    /// Its endpoint.
    pub(super) const fn path(&self) -> &'static str {
        if self.anthropic {
            "/v1/messages"
        } else {
            "/v1/chat/completions"
        }
    }

    /// Offers the tools of set `set`: 3 to 20 with names and arguments of their own.
    fn offer(&mut self, set: u32, words: &Words) {
        let mut random = Random::new(u64::from(set), SHAPES);
        let count = 3 + random.below(18).min(random.below(18));
        let topic = (random.next() % 12) as u8;
        self.tools.push('[');
        for place in 0..count as u64 {
            let mut name = String::new();
            words.tool_name(set, place, &mut name);
            let mut about = String::new();
            words.phrase(topic, &mut random, &mut about);
            let (mut first, mut second) = (String::new(), String::new());
            words.tool_name(set, 100 + 2 * place, &mut first);
            words.tool_name(set, 101 + 2 * place, &mut second);
            let (before, schema, after) = if self.anthropic {
                ("", "input_schema", "")
            } else {
                ("\"type\":\"function\",\"function\":{", "parameters", "}")
            };
            let comma = if place > 0 { "," } else { "" };
            // A String takes everything.
            let _ = write!(
                self.tools,
                "{comma}{{{before}\"name\":\"{name}\",\"description\":\"{about}\",\"{schema}\":{{\"type\":\"object\",\"properties\":{{\"{first}\":{{\"type\":\"string\"}},\"{second}\":{{\"type\":\"integer\"}}}},\"required\":[\"{first}\"]}}{after}}}"
            );
            self.tool_names.push(name);
        }
        self.tools.push(']');
    }
}

/// The order of the body's members: one of what SDKs and tutorials do, or the author's own.
fn keys(anthropic: bool, parameters: usize, random: &mut Random) -> Vec<Key> {
    use Key::{MaxTokens, Messages, Model, Stream, System, Tools};
    let usual: [&[Key]; 5] = [
        &[Model, Messages, MaxTokens, Stream, System, Tools],
        &[Messages, Model, MaxTokens, System, Stream, Tools],
        &[Model, MaxTokens, System, Messages, Tools, Stream],
        &[MaxTokens, Messages, Model, Stream, System, Tools],
        &[Model, Stream, System, Messages, Tools, MaxTokens],
    ];
    let order = random.below(5).min(random.below(5));
    let mut keys = usual.get(order).copied().unwrap_or_default().to_vec();
    if !anthropic {
        keys.retain(|key| *key != System);
    }
    let last = random.chance(0.6);
    for parameter in 0..parameters {
        let place = if last {
            keys.len()
        } else {
            random.below(keys.len() + 1)
        };
        keys.insert(place, Key::Parameter(parameter));
    }
    if random.chance(0.15) {
        super::words::shuffle(&mut keys, random);
    }
    keys
}

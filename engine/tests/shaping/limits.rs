//! What is read of a rewritten request is what its limits make of the facts.
use super::rules::Tree;
use super::shaped::Random;
use proptest::prelude::*;
use weir_engine::endpoint::Endpoint::{self, *};
use weir_engine::facts::{self, Effort, RawText, RequestFacts, Role, TextSink};
use weir_engine::shaping::{RequestLimits, rewritten};

const ENDPOINTS: &[Endpoint] = &[
    OpenAiChat,
    OpenAiCompletions,
    OpenAiResponses,
    AnthropicMessages,
    GeminiGenerate,
    GeminiStream,
];

#[rustfmt::skip]
const ROOT: &[&str] = &[
    "logprobs", "top_logprobs", "prompt_logprobs", "include", "n", "best_of", "max_tokens", "max_completion_tokens",
    "max_output_tokens", "reasoning_effort", "include_reasoning", "reasoning", "thinking", "output_config",
    "generationConfig", "generation_config", "model", "messages", "stream", "metadata", "",
];

#[rustfmt::skip]
const NESTED: &[&str] = &[
    "effort", "max_tokens", "enabled", "exclude", "summary", "generate_summary", "type", "budget_tokens", "display",
    "candidateCount", "candidate_count", "maxOutputTokens", "max_output_tokens", "responseLogprobs", "response_logprobs",
    "logprobs", "thinkingConfig", "thinking_config", "includeThoughts", "include_thoughts", "thinkingBudget",
    "thinking_budget", "thinkingLevel", "thinking_level", "topK",
];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "", "none", "minimal", "low", "medium", "high", "xhigh", "max", "HIGH", "Low", "ultra", "enabled", "adaptive",
    "disabled", "omitted", "summarized", "auto", "true", "12", "70000", "message.output_text.logprobs", "a \\\" b",
    "h\\u0069gh",
];

#[rustfmt::skip]
const SCALARS: &[&str] = &[
    "null", "true", "false", "0", "1", "2", "8", "1500", "3000.0", "2e4", "-1", "-0", "99999999999", "0.5",
];

struct Maker(Random);

impl Maker {
    fn body(&mut self) -> Tree {
        self.object(ROOT, 6, 3)
    }

    fn object(&mut self, keys: &[&str], most: usize, depth: usize) -> Tree {
        let count = self.0.below(most + 1);
        let members = (0..count).map(|_| {
            let key = self.0.pick(keys);
            let value = self.value(key, depth);
            let value = if self.0.one_in(6) {
                Tree::Spaced(Box::new(value), self.0.pick(&[" ", "\n\t"]))
            } else {
                value
            };
            let key = if self.0.one_in(8) && !key.is_empty() {
                let (first, rest) = key.split_at(1);
                format!("\\u{:04x}{rest}", first.as_bytes()[0])
            } else {
                key.to_owned()
            };
            (key, value)
        });
        Tree::Object(members.collect())
    }

    fn value(&mut self, key: &str, depth: usize) -> Tree {
        let nests = ["reasoning", "thinking", "output_config"].contains(&key)
            || key.to_ascii_lowercase().ends_with("config");
        match self.0.below(12) {
            _ if depth == 0 => self.scalar(),
            0 => Tree::Array(vec![self.scalar(), self.scalar()]),
            1 => self.object(NESTED, 4, depth - 1),
            _ if nests => {
                let keys = self.keys_of(key);
                self.object(keys, 5, depth - 1)
            }
            _ if key == "type" => Tree::text(self.0.pick(&["enabled", "adaptive", "disabled"])),
            _ if key == "display" => Tree::text(self.0.pick(&["omitted", "summarized"])),
            _ if key.to_ascii_lowercase().ends_with("effort") || key == "summary" => {
                Tree::text(self.0.pick(WORDS))
            }
            _ if key == "include" => {
                let count = self.0.below(4);
                Tree::Array(
                    (0..count)
                        .map(|_| match self.0.one_in(2) {
                            true => Tree::text("message.output_text.logprobs"),
                            false => self.scalar(),
                        })
                        .collect(),
                )
            }
            _ => self.scalar(),
        }
    }

    /// Mostly the keys that mean something in an object of this name.
    fn keys_of(&mut self, name: &str) -> &'static [&'static str] {
        match name {
            _ if self.0.one_in(5) => NESTED,
            "thinking" => &["type", "type", "budget_tokens", "display"],
            "output_config" => &["effort"],
            "thinkingConfig" | "thinking_config" => &NESTED[18..24],
            "generationConfig" | "generation_config" => &NESTED[9..],
            _ => &NESTED[..6],
        }
    }

    fn scalar(&mut self) -> Tree {
        if self.0.one_in(3) {
            Tree::text(self.0.pick(WORDS))
        } else {
            Tree::Word(self.0.pick(SCALARS).to_owned())
        }
    }
}

fn limits() -> impl Strategy<Value = RequestLimits> {
    let efforts = [
        Effort::None,
        Effort::Minimal,
        Effort::Low,
        Effort::Medium,
        Effort::High,
    ];
    (
        any::<bool>(),
        prop::option::of(1_u32..4),
        prop::option::of(prop::sample::select(vec![
            16_u32, 1024, 1025, 1400, 4000, 30_000,
        ])),
        prop::option::of(prop::sample::select(efforts.to_vec())),
        prop::option::of(prop::sample::select(vec![1024_u32, 2000, 16_000])),
        any::<bool>(),
    )
        .prop_map(
            |(drop_logprobs, samples, output_tokens, effort, thinking_tokens, hide_reasoning)| {
                RequestLimits {
                    drop_logprobs,
                    samples,
                    output_tokens,
                    effort,
                    thinking_tokens,
                    hide_reasoning,
                }
            },
        )
}

#[derive(Default, PartialEq, Debug)]
struct Heard(Vec<(Role, String)>);

impl TextSink for Heard {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        self.0.push((role, text.raw.to_owned()));
    }
}

fn read(endpoint: Endpoint, body: &[u8]) -> Option<(RequestFacts<'_>, Heard)> {
    let mut heard = Heard::default();
    let facts = facts::read(endpoint, body, false, &mut heard).ok()?;
    Some((facts, heard))
}

/// Compares what a rewritten body says with what its limits make of the facts.
fn assert_within(endpoint: Endpoint, limits: &RequestLimits, before: &str, after: &str) {
    let (mut wanted, heard_before) = read(endpoint, before.as_bytes()).unwrap();
    let (got, heard_after) = read(endpoint, after.as_bytes()).unwrap();
    limits.apply(&mut wanted);
    let (asked, given) = (wanted.reasoning, got.reasoning);
    // A request has to stay valid, so that more of its reasoning may go than was to.
    assert!(asked.requested || !given.requested, "{before}\n{after}");
    assert!(asked.visible || !given.visible, "{before}\n{after}");
    assert!(
        given.budget_tokens <= asked.budget_tokens,
        "{before}\n{after}"
    );
    if limits.output_tokens.is_none() {
        assert_eq!(
            given.budget_tokens, asked.budget_tokens,
            "{before}\n{after}"
        );
    }
    let least = match endpoint {
        AnthropicMessages => Effort::Low,
        GeminiGenerate | GeminiStream => Effort::Minimal,
        _ => Effort::None,
    };
    assert!(
        given.effort <= asked.effort.map(|effort| effort.max(least)),
        "{before}\n{after}"
    );
    if limits.output_tokens.is_none() && limits.effort >= Some(least) {
        assert_eq!(given.effort, asked.effort, "{before}\n{after}");
    }
    wanted.reasoning = given;
    // Other keys are another shape.
    wanted.shape = got.shape;
    assert_eq!(got, wanted, "{before}\n{after}");
    assert_eq!(heard_after, heard_before, "{before}\n{after}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(30_000)
    })]

    #[test]
    fn the_facts_of_a_rewritten_body_are_those_that_the_limits_make(
        seed: u64,
        endpoint in prop::sample::select(ENDPOINTS),
        limits in limits(),
    ) {
        let mut body = String::new();
        Maker(Random(seed)).body().write(&mut body);

        let got = rewritten(endpoint, body.as_bytes(), &limits);

        let after = got.as_deref().unwrap_or(body.as_bytes());
        let after = std::str::from_utf8(after).unwrap();
        prop_assert!(serde_json::from_str::<serde_json::Value>(after).is_ok(), "{}\n{}", body, after);
        assert_within(endpoint, &limits, &body, after);
        let again = rewritten(endpoint, after.as_bytes(), &limits);
        prop_assert!(again.is_none(), "{}\n{}\n{}", body, after, String::from_utf8_lossy(&again.unwrap_or_default()));
        prop_assert!(got.as_deref() != Some(body.as_bytes()));
    }

    #[test]
    fn a_rewritten_beginning_and_the_rest_of_the_body_are_one_json(
        seed: u64,
        endpoint in prop::sample::select(ENDPOINTS),
        limits in limits(),
    ) {
        let mut body = String::new();
        Maker(Random(seed)).body().write(&mut body);
        let cut = Random(seed).below(body.len() + 1);
        let (beginning, rest) = body.split_at(cut);

        let got = rewritten(endpoint, beginning.as_bytes(), &limits);

        let got = got.unwrap_or_else(|| beginning.as_bytes().to_vec());
        let whole = [&got, rest.as_bytes()].concat();
        prop_assert!(
            serde_json::from_slice::<serde_json::Value>(&whole).is_ok(),
            "{} | {}\n{}", beginning, rest, String::from_utf8_lossy(&whole)
        );
    }

    #[test]
    fn no_bytes_whatsoever_break_rewriting(
        body in prop::collection::vec(any::<u8>(), 0..100),
        beginning in prop::sample::select(&["{", "{\"n\":9,", "{\"logprobs\":true,", ""][..]),
        endpoint in prop::sample::select(ENDPOINTS),
        limits in limits(),
    ) {
        let body = [beginning.as_bytes(), &body].concat();

        let got = rewritten(endpoint, &body, &limits);

        prop_assert!(got.is_none_or(|got| got.len() <= body.len() + 200));
    }
}

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

mod documents;
mod oracle;

use oracle::{Oracle, Texts};
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{self, FactsError, RawText, RequestFacts, Role, TextSink};

const ENDPOINTS: [Endpoint; 7] = [
    Endpoint::OpenAiChat,
    Endpoint::OpenAiCompletions,
    Endpoint::OpenAiResponses,
    Endpoint::OpenAiEmbeddings,
    Endpoint::AnthropicMessages,
    Endpoint::GeminiGenerate,
    Endpoint::GeminiStream,
];

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

/// An endpoint and a body with the keys that it reads.
fn request() -> impl Strategy<Value = (Endpoint, String)> {
    prop::sample::select(&ENDPOINTS[..]).prop_flat_map(|endpoint| {
        (documents::request(endpoint), any::<u64>())
            .prop_map(move |(doc, style)| (endpoint, documents::print(&doc, style)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1200))]

    #[test]
    fn facts_are_those_of_the_oracle((endpoint, body) in request()) {
        let value: Value = serde_json::from_str(&body).unwrap();
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
        prop_assert_eq!(heard.texts, oracle.texts, "{:?} {}", endpoint, body);
        prop_assert_eq!(facts, oracle.facts, "{:?} {}", endpoint, body);
    }

    #[test]
    fn damaged_bodies_are_refused_exactly_when_they_are_no_json(
        (_, body) in request(),
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
    fn a_cut_body_gives_no_more_than_the_whole_one((endpoint, body) in request(), cut in any::<prop::sample::Index>()) {
        let body = body.trim_end().as_bytes();
        let cut = cut.index(body.len());
        let (whole, _) = read(endpoint, body, false);
        let (facts, heard) = read(endpoint, &body[..cut], true);

        let (whole, facts) = (whole.unwrap(), facts.unwrap());
        prop_assert!(facts.truncated);
        prop_assert!(facts.tools <= whole.tools && facts.prompt_tokens <= whole.prompt_tokens);
        // That an item or a part is reasoning, which is not read, may stand behind the cut.
        let may_hide = matches!(endpoint, Endpoint::OpenAiResponses | Endpoint::GeminiGenerate | Endpoint::GeminiStream);
        prop_assert!(may_hide || facts.text_bytes <= whole.text_bytes);
        prop_assert!(may_hide || facts.attachments <= whole.attachments);
        prop_assert_eq!(facts.text_bytes as usize, heard.raw_bytes);
        let (uncut, _) = read(endpoint, &body[..cut], false);
        let refused = matches!(uncut, Err(FactsError::Malformed { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn arbitrary_bytes_do_not_trap(bytes in prop::collection::vec(any::<u8>(), 0..200), start in prop::sample::select(vec!["", "{", "{\"messages\":[{\"content\":\"", "{\"input\":[{\"content\":", "{\"contents\":[{\"parts\":[{\"text\":", "{\"prompt\":[[", "{\"x\":"]), cut in any::<bool>()) {
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

//! Bodies made up around the places where something is taken out, and beside them.
use super::rules::{Tree, paths, stripped};
use super::shaped::{Random, pieces, shaped, shaped_in};
use proptest::prelude::*;
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::Strip;

const ENDPOINTS: &[Endpoint] = &[
    Endpoint::OpenAiChat,
    Endpoint::OpenAiCompletions,
    Endpoint::OpenAiResponses,
    Endpoint::AnthropicMessages,
    Endpoint::GeminiGenerate,
    Endpoint::GeminiStream,
];

/// Keys that mean something somewhere, and others.
const KEYS: &[&str] = &[
    "choices",
    "message",
    "delta",
    "logprobs",
    "reasoning",
    "reasoning_content",
    "text",
    "type",
    "thought",
    "thinking",
    "content",
    "parts",
    "summary",
    "output",
    "input",
    "args",
    "arguments",
    "signature",
    "id",
    "tool_calls",
    "error",
    "",
    "a b",
    "é\\\"\\\\",
];

/// What decides.
const WORDS: &[&str] = &[
    "reasoning_text",
    "summary_text",
    "output_text",
    "response.reasoning_text.delta",
    "response.reasoning_summary_text.done",
    "response.output_text.delta",
    "thinking",
    "text",
    "reasoning",
    "response.\\u0072easoning_text.done",
    "true",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "{\\\"thinking\\\":\\\"x\\\"}",
    "\\\\",
    "\\\"",
    "Grüße, 世界 🙂",
    "\\ud83d\\ude42 \\n",
    "]}",
    "\\\\\\\"",
    "logprobs\\\":null",
    "data: x",
];

const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-1.5e-3",
    "12345678901234567890",
    "NaN",
];

const SPACES: &[&str] = &[" ", "\n", "\t \r\n"];

struct Maker {
    random: Random,
    paths: Vec<String>,
}

impl Maker {
    fn new(endpoint: Endpoint, seed: u64) -> Self {
        let paths = paths(endpoint).flat_map(|path| {
            let other = path.replace("choices[].message", "choices[].delta");
            [path.to_owned(), other]
        });
        Self {
            random: Random(seed),
            paths: paths.collect(),
        }
    }

    fn body(&mut self) -> Tree {
        let body = if self.random.one_in(5) {
            Tree::Array((0..self.random.below(4)).map(|_| self.at("")).collect())
        } else {
            self.at("")
        };
        if matches!(body.bare(), Tree::Object(_) | Tree::Array(_)) {
            body
        } else {
            Tree::Object(vec![])
        }
    }

    /// A value that stands at `path`: on the way to something, something, or anything.
    fn at(&mut self, path: &str) -> Tree {
        let next: Vec<String> = self
            .paths
            .iter()
            .filter_map(|known| known.strip_prefix(path))
            .map(str::to_owned)
            .collect();
        let tree = if next.is_empty() || self.random.one_in(12) {
            self.anything(3)
        } else if next.iter().any(|rest| rest.starts_with("[]")) {
            let count = self.random.below(4);
            Tree::Array((0..count).map(|_| self.at(&format!("{path}[]"))).collect())
        } else if next.iter().any(String::is_empty) {
            match self.random.below(4) {
                0 => self.anything(3),
                _ => Tree::text(self.random.pick(TEXTS)),
            }
        } else {
            self.object(path, &next)
        };
        self.spaced(tree)
    }

    fn object(&mut self, path: &str, next: &[String]) -> Tree {
        let mut members: Vec<(String, Tree)> = Vec::new();
        let mut keys: Vec<String> = next
            .iter()
            .map(|rest| {
                let rest = rest.strip_prefix('.').unwrap_or(rest);
                rest.split(['.', '[']).next().unwrap_or_default().to_owned()
            })
            .collect();
        for _ in 0..self.random.below(3) {
            keys.push(self.random.pick(KEYS).to_owned());
        }
        keys.push("type".to_owned());
        keys.push("thought".to_owned());
        keys.sort();
        keys.dedup();
        while !keys.is_empty() {
            let key = keys.swap_remove(self.random.below(keys.len()));
            if self.random.one_in(3) {
                continue;
            }
            let at = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let is_known = !key.is_empty() && self.paths.iter().any(|known| known.starts_with(&at));
            let value = match key.as_str() {
                "type" => Tree::text(self.random.pick(WORDS)),
                "thought" => Tree::Word(self.random.pick(SCALARS).to_owned()),
                _ if is_known => self.at(&at),
                _ => self.anything(3),
            };
            let value = self.spaced(value);
            members.push((self.spelt(&key), value));
        }
        Tree::Object(members)
    }

    fn anything(&mut self, depth: usize) -> Tree {
        let kind = self.random.below(if depth == 0 { 2 } else { 5 });
        let tree = match kind {
            0 => Tree::Word(self.random.pick(SCALARS).to_owned()),
            1 => Tree::text(self.random.pick(TEXTS)),
            2 => {
                let count = self.random.below(4);
                Tree::Array((0..count).map(|_| self.anything(depth - 1)).collect())
            }
            _ => {
                let mut keys = KEYS.to_vec();
                let members = (0..self.random.below(4)).map(|_| {
                    let key = keys.swap_remove(self.random.below(keys.len()));
                    (self.spelt(key), self.anything(depth - 1))
                });
                Tree::Object(members.collect())
            }
        };
        self.spaced(tree)
    }

    fn spaced(&mut self, tree: Tree) -> Tree {
        if self.random.one_in(6) {
            Tree::Spaced(Box::new(tree), self.random.pick(SPACES))
        } else {
            tree
        }
    }

    /// A key, rarely with a character written as an escape.
    fn spelt(&mut self, key: &str) -> String {
        if !self.random.one_in(6) || key.is_empty() || key.contains('\\') {
            return key.to_owned();
        }
        let escaped = self.random.below(key.len());
        key.chars()
            .enumerate()
            .map(|(index, character)| match index == escaped {
                true => format!("\\u{:04x}", u32::from(character)),
                false => character.to_string(),
            })
            .collect()
    }
}

fn written(tree: &Tree) -> String {
    let mut text = String::new();
    tree.write(&mut text);
    text
}

/// The body as the data of an event, cut over lines at white space of the given kind.
fn event(body: &str) -> String {
    let data = body.replace("\r\n", " ").replace('\n', "\ndata: ");
    format!("event: x\ndata: {data}\n\n")
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4000)
    })]

    #[test]
    fn the_shaper_takes_out_what_the_paths_say_and_nothing_else(
        seed: u64,
        endpoint in prop::sample::select(ENDPOINTS),
        logprobs: bool,
        reasoning: bool,
    ) {
        let strip = Strip { logprobs, reasoning };
        let tree = Maker::new(endpoint, seed).body();
        let (body, wanted) = (written(&tree), written(&stripped(endpoint, strip, &tree)));

        let got = shaped(endpoint, strip, body.as_bytes());
        let again = shaped(endpoint, strip, got.text().as_bytes());
        let in_pieces = shaped_in(endpoint, strip, pieces(body.as_bytes(), seed));

        prop_assert_eq!(got.text(), &wanted, "of {}", body);
        prop_assert_eq!(got.changed, body != wanted);
        prop_assert!(!got.lost);
        prop_assert_eq!(again.text(), wanted);
        prop_assert!(!again.changed);
        prop_assert_eq!(got, in_pieces);
    }

    #[test]
    fn the_data_of_an_event_is_stripped_as_a_body_is(
        seed: u64,
        endpoint in prop::sample::select(ENDPOINTS),
    ) {
        let strip = Strip { logprobs: true, reasoning: true };
        let tree = Maker::new(endpoint, seed).body();
        let wanted = event(&written(&stripped(endpoint, strip, &tree)));
        // White space inside of what is taken out takes no line with it.
        let body = written(&tree);
        prop_assume!(!body.contains('\n') || wanted.matches('\n').count() == event(&body).matches('\n').count());
        let body = event(&body);

        let got = shaped_in(endpoint, strip, pieces(body.as_bytes(), seed));

        prop_assert_eq!(got.text(), &wanted, "of {}", body);
        prop_assert!(!got.lost);
    }

    #[test]
    fn no_bytes_whatsoever_break_the_shaper(
        body in prop::collection::vec(any::<u8>(), 0..200),
        beginning in prop::sample::select(&["{", "[", "data: {", "data:", "{\"choices\":[{\"logprobs\":", ""][..]),
        endpoint in prop::sample::select(ENDPOINTS),
        seed: u64,
    ) {
        let strip = Strip { logprobs: true, reasoning: true };
        let body = [beginning.as_bytes(), &body].concat();

        let whole = shaped(endpoint, strip, &body);
        let in_pieces = shaped_in(endpoint, strip, pieces(&body, seed));

        prop_assert_eq!(&whole, &in_pieces);
        if !whole.changed {
            prop_assert_eq!(whole.bytes, body);
        }
    }

    #[test]
    fn a_body_with_bytes_changed_breaks_the_same_way_however_it_is_cut(
        seed: u64,
        endpoint in prop::sample::select(ENDPOINTS),
        is_event: bool,
    ) {
        let strip = Strip { logprobs: true, reasoning: true };
        let tree = Maker::new(endpoint, seed).body();
        let mut body = if is_event { event(&written(&tree)) } else { written(&tree) }.into_bytes();
        let mut random = Random(seed);
        for _ in 0..3 {
            let at = random.below(body.len());
            body[at] = random.pick(b"{}[]\",:\\ \n\rx1");
        }

        let whole = shaped(endpoint, strip, &body);
        let in_pieces = shaped_in(endpoint, strip, pieces(&body, seed));

        prop_assert_eq!(whole, in_pieces);
    }
}

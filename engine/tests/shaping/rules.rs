//! What is taken out, written down as paths: the shaper follows bytes, these walk a tree.
//!
//! A tree keeps how it was written, so that a body that was walked can be compared byte by byte.
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::Strip;

/// JSON as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    /// Keys and strings without their quotes, as spelt.
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    Text(String),
    /// A number or a word.
    Word(String),
    /// White space around it.
    Spaced(Box<Tree>, &'static str),
}

impl Tree {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "\"" } else { ",\"" });
                    out.push_str(key);
                    out.push_str("\":");
                    value.write(out);
                }
                out.push('}');
            }
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Text(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Self::Word(word) => out.push_str(word),
            Self::Spaced(tree, space) => {
                out.push_str(space);
                tree.write(out);
                out.push_str(space);
            }
        }
    }

    pub(crate) fn bare(&self) -> &Self {
        match self {
            Self::Spaced(tree, _) => tree.bare(),
            tree => tree,
        }
    }

    fn emptied(&self) -> Self {
        match self {
            Self::Object(_) => Self::Object(vec![]),
            Self::Array(_) => Self::Array(vec![]),
            Self::Text(_) => Self::text(""),
            Self::Word(_) => self.clone(),
            Self::Spaced(tree, space) => Self::Spaced(Box::new(tree.emptied()), space),
        }
    }

    fn nulled(&self) -> Self {
        match self {
            Self::Spaced(tree, space) => Self::Spaced(Box::new(tree.nulled()), space),
            _ => Self::Word("null".to_owned()),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Logprobs,
    Reasoning,
}

#[derive(Clone, Copy, PartialEq)]
enum Becomes {
    Null,
    Empty,
    /// Empty where it is a string, and the object's member of this name begins so.
    EmptyWhere(&'static str, &'static [&'static str]),
}

type Rule = (&'static str, What, Becomes);

const PARTS: Becomes = Becomes::EmptyWhere("type", &["reasoning_text", "summary_text"]);
const SUMMARY: Becomes = Becomes::EmptyWhere("type", &["reasoning_text", "summary_text", "?"]);
const EVENTS: Becomes = Becomes::EmptyWhere("type", &["response.reasoning*"]);

#[rustfmt::skip]
const CHAT: &[Rule] = &[
    ("prompt_logprobs", What::Logprobs, Becomes::Null),
    ("choices[].logprobs", What::Logprobs, Becomes::Null),
    ("choices[].prompt_logprobs", What::Logprobs, Becomes::Null),
    ("choices[].reasoning", What::Reasoning, Becomes::Empty),
    ("choices[].reasoning_content", What::Reasoning, Becomes::Empty),
    ("choices[].message.reasoning", What::Reasoning, Becomes::Empty),
    ("choices[].message.reasoning_content", What::Reasoning, Becomes::Empty),
    ("choices[].message.reasoning_details[].text", What::Reasoning, Becomes::Empty),
    ("choices[].message.reasoning_details[].summary", What::Reasoning, Becomes::Empty),
    ("choices[].message.thinking_blocks[].thinking", What::Reasoning, Becomes::Empty),
    ("choices[].message.content[].thinking", What::Reasoning, Becomes::Empty),
    ("choices[].message.provider_specific_fields.reasoning", What::Reasoning, Becomes::Empty),
    ("choices[].message.provider_specific_fields.reasoning_content", What::Reasoning, Becomes::Empty),
    ("choices[].message.provider_specific_fields.reasoning_details[].text", What::Reasoning, Becomes::Empty),
    ("choices[].message.provider_specific_fields.reasoning_details[].summary", What::Reasoning, Becomes::Empty),
    ("choices[].message.provider_specific_fields.thinking_blocks[].thinking", What::Reasoning, Becomes::Empty),
];

#[rustfmt::skip]
const RESPONSES: &[Rule] = &[
    ("delta", What::Reasoning, EVENTS),
    ("text", What::Reasoning, EVENTS),
    ("logprobs", What::Logprobs, Becomes::Empty),
    ("part.text", What::Reasoning, PARTS),
    ("part.logprobs", What::Logprobs, Becomes::Empty),
    ("item.summary[].text", What::Reasoning, SUMMARY),
    ("item.content[].text", What::Reasoning, PARTS),
    ("item.content[].logprobs", What::Logprobs, Becomes::Empty),
    ("output[].summary[].text", What::Reasoning, SUMMARY),
    ("output[].content[].text", What::Reasoning, PARTS),
    ("output[].content[].logprobs", What::Logprobs, Becomes::Empty),
    ("response.output[].summary[].text", What::Reasoning, SUMMARY),
    ("response.output[].content[].text", What::Reasoning, PARTS),
    ("response.output[].content[].logprobs", What::Logprobs, Becomes::Empty),
];

const ANTHROPIC: &[Rule] = &[
    ("content[].thinking", What::Reasoning, Becomes::Empty),
    (
        "message.content[].thinking",
        What::Reasoning,
        Becomes::Empty,
    ),
    ("content_block.thinking", What::Reasoning, Becomes::Empty),
    ("delta.thinking", What::Reasoning, Becomes::Empty),
];

#[rustfmt::skip]
const GEMINI: &[Rule] = &[
    ("candidates[].logprobsResult", What::Logprobs, Becomes::Null),
    ("candidates[].avgLogprobs", What::Logprobs, Becomes::Null),
    ("candidates[].logprobs_result", What::Logprobs, Becomes::Null),
    ("candidates[].avg_logprobs", What::Logprobs, Becomes::Null),
    ("candidates[].content.parts[].text", What::Reasoning, Becomes::EmptyWhere("thought", &["true"])),
];

const fn rules_of(endpoint: Endpoint) -> &'static [Rule] {
    match endpoint {
        Endpoint::OpenAiChat | Endpoint::OpenAiCompletions => CHAT,
        Endpoint::OpenAiResponses => RESPONSES,
        Endpoint::AnthropicMessages => ANTHROPIC,
        Endpoint::GeminiGenerate | Endpoint::GeminiStream => GEMINI,
        _ => &[],
    }
}

/// Where something is taken out.
pub(crate) fn paths(endpoint: Endpoint) -> impl Iterator<Item = &'static str> {
    rules_of(endpoint).iter().map(|&(path, ..)| path)
}

/// The body as it should go on.
pub(crate) fn stripped(endpoint: Endpoint, strip: Strip, body: &Tree) -> Tree {
    let wanted = |what| match what {
        What::Logprobs => strip.logprobs,
        What::Reasoning => strip.reasoning,
    };
    let rules: Vec<Rule> = rules_of(endpoint)
        .iter()
        .copied()
        .filter(|&(_, what, _)| wanted(what))
        .collect();
    match body {
        // A list of bodies.
        Tree::Array(bodies) => {
            Tree::Array(bodies.iter().map(|body| walk(body, "", &rules)).collect())
        }
        Tree::Spaced(tree, space) => Tree::Spaced(Box::new(stripped(endpoint, strip, tree)), space),
        body => walk(body, "", &rules),
    }
}

fn walk(tree: &Tree, path: &str, rules: &[Rule]) -> Tree {
    match tree {
        Tree::Object(members) => Tree::Object(
            members
                .iter()
                .map(|(spelt, value)| {
                    let key = match spelling(spelt) {
                        key if key.is_empty() => "(empty)".to_owned(),
                        key => key,
                    };
                    let path = if path.is_empty() {
                        key
                    } else {
                        format!("{path}.{key}")
                    };
                    // A message is one whether it comes whole or in pieces.
                    let looked_up = path.replace("choices[].delta", "choices[].message");
                    let rule = rules.iter().find(|&&(at, ..)| at == looked_up);
                    let value = match rule {
                        Some((_, _, Becomes::Null)) => value.nulled(),
                        Some((_, _, Becomes::Empty)) => value.emptied(),
                        Some((_, _, Becomes::EmptyWhere(member, says)))
                            if matches!(value.bare(), Tree::Text(_))
                                && says_so(members, member, says) =>
                        {
                            value.emptied()
                        }
                        _ => walk(value, &path, rules),
                    };
                    (spelt.clone(), value)
                })
                .collect(),
        ),
        Tree::Array(items) => {
            let path = format!("{path}[]");
            Tree::Array(items.iter().map(|item| walk(item, &path, rules)).collect())
        }
        Tree::Spaced(tree, space) => Tree::Spaced(Box::new(walk(tree, path, rules)), space),
        Tree::Text(_) | Tree::Word(_) => tree.clone(),
    }
}

fn says_so(members: &[(String, Tree)], member: &str, says: &[&str]) -> bool {
    let value = members
        .iter()
        .find(|(spelt, _)| spelling(spelt) == member)
        .map(|(_, value)| value.bare());
    let said = match value {
        None => "?".to_owned(),
        Some(Tree::Text(text) | Tree::Word(text)) => spelling(text),
        Some(_) => return says.contains(&"?"),
    };
    says.iter().any(|&wanted| match wanted.strip_suffix('*') {
        Some(beginning) => said.starts_with(beginning),
        None => said == wanted,
    })
}

/// What a string as spelt says.
pub(crate) fn spelling(spelt: &str) -> String {
    serde_json::from_str(&format!("\"{spelt}\"")).unwrap()
}

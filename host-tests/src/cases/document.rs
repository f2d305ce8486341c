//! A file of cases as it is written. `docs/policy-tests.md` explains every key.
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The head of a file; cases are read one by one, so that each can tell its own mistakes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileDocument {
    /// The policy under test: a path relative to the file, or the document itself.
    pub policy: Value,
    /// What all cases of the file have different in it.
    pub patch: Option<Value>,
    /// What every request of the file has, unless it says otherwise.
    #[serde(default)]
    pub defaults: RequestDocument,
    /// The cases.
    pub cases: Vec<Value>,
}

/// One case, its phases still unread.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseDocument {
    /// The promise that it shows.
    pub name: String,
    /// When it begins, RFC 3339; hosts with a clock of their own cannot run it then.
    pub start: Option<String>,
    /// Another policy, or what this case has different in the file's policy.
    pub policy: Option<Value>,
    /// What happens, in order.
    pub phases: Vec<Value>,
}

/// One phase: traffic, time that passes, or another policy; and what is expected of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseDocument {
    /// A request.
    pub send: Option<RequestDocument>,
    /// What the upstream answers if it is reached.
    pub answer: Option<AnswerDocument>,
    /// How often it is sent; once when absent.
    pub repeat: Option<u32>,
    /// How long after one request the next follows; at once when absent.
    pub every: Option<String>,
    /// Time passes.
    pub wait: Option<String>,
    /// From here on another policy: a path, a whole document, or what is different.
    pub policy: Option<Value>,
    /// What must be seen.
    pub expect: Option<ExpectDocument>,
}

/// A request, or what is different in it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestDocument {
    /// POST with a body, GET without one, when absent.
    pub method: Option<String>,
    /// Path with query.
    pub path: Option<String>,
    /// A text, a point in time (`{ago: 30d}`, `{in: 1h}`), or null for none.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// JSON, merged into the default; null for no body.
    #[serde(default, deserialize_with = "given")]
    pub body: Option<Value>,
    /// The body's text as it is, in the place of `body`.
    pub text: Option<String>,
    /// White space is added to the body until it has this size, `70KiB` style.
    pub size: Option<String>,
}

/// What the upstream answers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerDocument {
    /// 200 when absent.
    pub status: Option<u16>,
    /// Beside the content type.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON.
    pub body: Option<Value>,
    /// It does not answer while the case lasts: the request stays under way.
    #[serde(default)]
    pub never: bool,
    /// A stream of server-sent events: each a JSON value, or a text as it is.
    pub events: Option<Vec<Value>>,
}

/// What must be seen; what is absent is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectDocument {
    /// What was done.
    pub action: Option<String>,
    /// What would have been done if the policy acted.
    pub would_action: Option<String>,
    /// What it rests on.
    pub basis: Option<String>,
    /// The rule that decided; null for none.
    #[serde(default, deserialize_with = "given")]
    pub rule: Option<Value>,
    /// The tier; null for none.
    #[serde(default, deserialize_with = "given")]
    pub tier: Option<Value>,
    /// The account's state.
    pub state: Option<String>,
    /// The policy's mode.
    pub mode: Option<String>,
    /// Of two policies the one that acted: `current` or `candidate`.
    pub arm: Option<String>,
    /// A part of what the decision tells of the other policy; null where both agree.
    #[serde(default, deserialize_with = "given")]
    pub other: Option<Value>,
    /// The account as the log tells it; null for none.
    #[serde(default, deserialize_with = "given")]
    pub account: Option<Value>,
    /// The organization as the log tells it; null for none.
    #[serde(default, deserialize_with = "given")]
    pub organization: Option<Value>,
    /// The endpoint.
    pub endpoint: Option<String>,
    /// The model as the log tells it; null for none.
    #[serde(default, deserialize_with = "given")]
    pub model: Option<Value>,
    /// Exactly these capabilities were asked for, in any order.
    pub capabilities: Option<Vec<String>>,
    /// Reasons that must be among those told, by code.
    pub reasons: Option<Vec<String>>,
    /// Tokens told in the decision; null for none.
    #[serde(default, deserialize_with = "given")]
    pub tokens: Option<Value>,
    /// What the client got: status.
    pub status: Option<u16>,
    /// Headers.
    pub headers: Option<Map<String, Value>>,
    /// JSON that must be part of the body, or JSON pointers and their values.
    pub body: Option<Value>,
    /// Texts in the body.
    pub text: Option<TextDocument>,
    /// What the upstream got: `not_reached`, or headers, body and texts.
    pub upstream: Option<UpstreamDocument>,
    /// How long the request was held, at least; up to a second more is the ticks'.
    pub delayed: Option<String>,
    /// Counters of the plugin since the case began, `weir_exchanges{action=deny}` style.
    pub metrics: Option<BTreeMap<String, u64>>,
}

/// Texts that must be in a body, and that must not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextDocument {
    /// All of these are there.
    #[serde(default)]
    pub contains: Vec<String>,
    /// None of these is there.
    #[serde(default)]
    pub lacks: Vec<String>,
}

/// What the upstream got.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) enum UpstreamDocument {
    /// Nothing.
    NotReached,
    /// This.
    Reached {
        /// Headers.
        headers: Map<String, Value>,
        /// JSON that must be part of the body.
        body: Option<Value>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReachedDocument {
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Value>,
}

impl TryFrom<Value> for UpstreamDocument {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match &value {
            Value::String(text) if text == "not_reached" => Ok(Self::NotReached),
            Value::String(text) if text == "reached" => Ok(Self::Reached {
                headers: Map::new(),
                body: None,
            }),
            Value::Object(_) => {
                let read: ReachedDocument =
                    serde_json::from_value(value).map_err(|error| error.to_string())?;
                Ok(Self::Reached {
                    headers: read.headers,
                    body: read.body,
                })
            }
            other => Err(format!(
                "{other} is neither `reached`, `not_reached` nor a mapping with `headers` or `body`"
            )),
        }
    }
}

/// Tells a null that is given from one that is not.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

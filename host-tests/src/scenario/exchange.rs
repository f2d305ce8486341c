//! One request of a scenario and what the world around the proxy does with it.
use serde::{Deserialize, Serialize};

use super::Script;

/// A request and everything that happens to it outside of the filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeSpec {
    /// Name of the plugin whose listener takes it; the first one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// What the client sends.
    pub request: MessageSpec,
    /// What the upstream does once it has the whole request.
    pub upstream: UpstreamSpec,
    /// What the client does.
    pub client: ClientSpec,
}

impl ExchangeSpec {
    /// The request's header `x-id`, by which the probe names the stream.
    pub fn id(&self) -> Option<&str> {
        let mut headers = self.request.headers.iter();
        headers
            .find(|(name, _)| name.eq_ignore_ascii_case("x-id"))
            .map(|(_, value)| value.as_str())
    }
}

/// Headers, body and trailers. Pseudo headers not given are `GET` or `POST` (with a body) of `/` at
/// `api.example` over `http` in a request, `:status` 200 in a response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageSpec {
    /// In order; pseudo headers may be among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// In a request: what the probe does in this stream; sent as the header `x-script`.
    #[serde(skip_serializing_if = "Script::is_empty")]
    pub script: Script,
    /// The body in pieces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<String>,
    /// More pieces after `body`, by their lengths: letters from a to z in turn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub body_bytes: Vec<usize>,
    /// How the end comes.
    pub ends: Ending,
    /// Sent after the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<(String, String)>,
}

/// How a message without trailers ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With its last piece, or with its headers where it has no body.
    #[default]
    WithLast,
    /// With an empty piece of its own.
    Separately,
}

impl MessageSpec {
    /// The body in pieces.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        let filler = |bytes: usize| (b'a'..=b'z').cycle().take(bytes).collect();
        self.body
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .chain(self.body_bytes.iter().map(|bytes| filler(*bytes)))
            .collect()
    }
    /// Whether the headers are all there is.
    pub fn ends_with_headers(&self) -> bool {
        self.body.is_empty()
            && self.body_bytes.is_empty()
            && self.trailers.is_empty()
            && self.ends == Ending::WithLast
    }
    /// Request headers as the client sends them, in order, with defaults and the script.
    pub fn request_headers(&self) -> Vec<(String, String)> {
        let method = if self.ends_with_headers() {
            "GET"
        } else {
            "POST"
        };
        let defaults = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "api.example"),
            (":path", "/"),
        ];
        let mut headers = self.with_defaults(&defaults);
        if !self.script.is_empty() {
            headers.push(("x-script".into(), self.script.to_json()));
        }
        headers
    }
    /// Response headers as the upstream sends them, in order, with the default status.
    pub fn response_headers(&self) -> Vec<(String, String)> {
        self.with_defaults(&[(":status", "200")])
    }
    fn with_defaults(&self, defaults: &[(&str, &str)]) -> Vec<(String, String)> {
        let given = |name: &str| self.headers.iter().find(|(own, _)| own == name);
        let mut headers: Vec<(String, String)> = defaults
            .iter()
            .map(|(name, value)| match given(name) {
                Some(pair) => pair.clone(),
                None => ((*name).to_owned(), (*value).to_owned()),
            })
            .collect();
        let others = self
            .headers
            .iter()
            .filter(|(name, _)| !name.starts_with(':'));
        headers.extend(others.cloned());
        headers
    }
}

/// What the upstream does once it has the whole request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UpstreamSpec {
    /// Answers.
    Answers(MessageSpec),
    /// Resets the stream (HTTP/2) or closes the connection (HTTP/1.1) before it answers.
    Resets {},
    /// Does so after headers and body of the answer, instead of ending it.
    BreaksOff(MessageSpec),
    /// Never answers.
    Hangs {},
}

impl Default for UpstreamSpec {
    fn default() -> Self {
        Self::Answers(MessageSpec::default())
    }
}

/// What the client does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientSpec {
    /// Sends everything and waits for the end; leaves when nothing moves any more.
    #[default]
    Stays,
    /// Sends headers and pieces but never the end, and leaves when nothing moves any more.
    LeavesBeforeEnd,
}

//! A case's request and the upstream's answer, made ready for any host.
use super::document::{AnswerDocument, RequestDocument};
use super::merge::merge;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use weir_engine::endpoint::{Endpoint, Provider};
use weir_engine::size::parse_bytes;
use weir_engine::time::{Timestamp, parse_duration};

/// A request; its headers may tell the time, so it becomes bytes when it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, HeaderValue)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// A text.
    Text(String),
    /// The point in time so long ago, RFC 3339.
    Ago(Duration),
    /// The point in time so far ahead, RFC 3339.
    In(Duration),
}

/// What the upstream answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// The largest body that a case sends.
const MOST_BYTES: u64 = 64 << 20;

/// A place in a document and what is wrong there.
pub(super) type Wrong = (String, String);

impl Request {
    /// The defaults with what `given` has different.
    pub(super) fn new(defaults: &RequestDocument, given: &RequestDocument) -> Result<Self, Wrong> {
        let mut headers = BTreeMap::new();
        for (name, value) in defaults.headers.iter().chain(&given.headers) {
            headers.insert(name.to_ascii_lowercase(), value.clone());
        }
        let body = body(defaults, given)?;
        if !body.is_empty() {
            let json = || Value::from("application/json");
            headers
                .entry("content-type".to_owned())
                .or_insert_with(json);
        }
        let mut read = Vec::new();
        for (name, value) in headers {
            let wrong = |problem| (format!("headers.{name}"), problem);
            if let Some(value) = HeaderValue::read(&value).map_err(wrong)? {
                read.push((name, value));
            }
        }
        let method = given.method.as_ref().or(defaults.method.as_ref());
        let path = given.path.as_ref().or(defaults.path.as_ref());
        let usual = if body.is_empty() { "GET" } else { "POST" };
        Ok(Self {
            method: method.map_or(usual, String::as_str).to_owned(),
            path: path
                .map_or("/v1/chat/completions", String::as_str)
                .to_owned(),
            headers: read,
            body,
        })
    }

    /// Headers as Envoy hands them over, pseudo headers first; `number` tells this request from all others.
    pub(super) fn header_lines(&self, now: Timestamp, number: u64) -> Vec<(String, String)> {
        let mut lines: Vec<(String, String)> = [
            (":authority", "api.example.com"),
            (":path", &self.path),
            (":method", &self.method),
            (":scheme", "http"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in &self.headers {
            lines.push((name.clone(), value.text(now)));
        }
        if !self.body.is_empty() {
            lines.push(("content-length".to_owned(), self.body.len().to_string()));
        }
        // Envoy adds the first, and its router asks for it; the second names the decision.
        for (name, value) in [
            ("x-forwarded-proto", "http".to_owned()),
            ("x-request-id", format!("case-{number}")),
        ] {
            if !lines.iter().any(|(own, _)| own == name) {
                lines.push((name.to_owned(), value));
            }
        }
        lines
    }
}

fn body(defaults: &RequestDocument, given: &RequestDocument) -> Result<Vec<u8>, Wrong> {
    let mut bytes = match (&given.text, &given.body) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(Value::Null)) => Vec::new(),
        (None, patch) => {
            let mut body = defaults.body.clone().unwrap_or_default();
            if let Some(patch) = patch {
                merge(&mut body, patch);
            }
            match body {
                Value::Null => Vec::new(),
                body => body.to_string().into_bytes(),
            }
        }
    };
    if let Some(size) = given.size.as_ref().or(defaults.size.as_ref()) {
        let wrong = || {
            let problem = format!("`{size}` is no size; write a number and B, KiB or MiB");
            ("size".to_owned(), problem)
        };
        let size = parse_bytes(size).filter(|size| *size <= MOST_BYTES);
        let size = size.and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(wrong)?;
        bytes.resize(size.max(bytes.len()), b' ');
    }
    Ok(bytes)
}

impl HeaderValue {
    fn read(value: &Value) -> Result<Option<Self>, String> {
        let length = |value: &Value| value.as_str().and_then(parse_duration);
        match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(Self::Text(text.clone()))),
            Value::Number(number) => Ok(Some(Self::Text(number.to_string()))),
            Value::Object(members) => {
                let mut members = members.iter();
                let read = match (members.next(), members.next()) {
                    (Some((name, value)), None) if name == "ago" => length(value).map(Self::Ago),
                    (Some((name, value)), None) if name == "in" => length(value).map(Self::In),
                    _ => None,
                };
                read.map(Some).ok_or_else(|| {
                    format!("{value} is no point in time; write {{ago: 30d}} or {{in: 1h}}")
                })
            }
            other => Err(format!("{other} is no header; write a text")),
        }
    }

    fn text(&self, now: Timestamp) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::In(ahead) => now.saturating_add(*ahead).to_string(),
            Self::Ago(past) => {
                let past = u64::try_from(past.as_nanos()).unwrap_or(u64::MAX);
                let then = now.as_unix_nanos().saturating_sub(past);
                Timestamp::from_unix_nanos(then).to_string()
            }
        }
    }
}

impl Answer {
    /// What `given` says, or an ordinary answer to `request` that tells its usage.
    pub(super) fn new(given: Option<&AnswerDocument>, request: &Request) -> Result<Self, Wrong> {
        let usual = AnswerDocument::default();
        let given = given.unwrap_or(&usual);
        if given.never
            && *given
                != (AnswerDocument {
                    never: true,
                    ..usual.clone()
                })
        {
            let problem = "an upstream that never answers says nothing else".to_owned();
            return Err(("never".to_owned(), problem));
        }
        if given.body.is_some() && given.events.is_some() {
            let problem = "an answer has `body` or `events`, not both".to_owned();
            return Err(("events".to_owned(), problem));
        }
        let status = given.status.unwrap_or(200);
        let (kind, body) = match (&given.body, &given.events) {
            (Some(body), _) => ("application/json", body.to_string()),
            (None, Some(events)) => ("text/event-stream", event_stream(events)),
            (None, None) if status == 200 => usual_answer(request),
            (None, None) => ("application/json", error(status)),
        };
        let mut headers: Vec<(String, String)> = given
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        for (name, value) in [
            ("content-type", kind.to_owned()),
            ("content-length", body.len().to_string()),
        ] {
            if !headers.iter().any(|(own, _)| own == name) {
                headers.push((name.to_owned(), value));
            }
        }
        Ok(Self {
            status,
            headers,
            body: body.into_bytes(),
        })
    }

    /// Headers with the pseudo header.
    pub(super) fn header_lines(&self) -> Vec<(String, String)> {
        let status = (":status".to_owned(), self.status.to_string());
        std::iter::once(status)
            .chain(self.headers.clone())
            .collect()
    }
}

/// Events as providers write them: Anthropic's are named after their type, OpenAI's have no name.
fn event_stream(events: &[Value]) -> String {
    let mut text = String::new();
    for event in events {
        let (name, data) = match event {
            Value::String(data) => (None, data.clone()),
            other => (other.get("type").and_then(Value::as_str), other.to_string()),
        };
        if let Some(name) = name {
            text.push_str(&format!("event: {name}\n"));
        }
        text.push_str(&format!("data: {data}\n\n"));
    }
    text
}

fn error(status: u16) -> String {
    json!({"error": {"type": "upstream_error", "message": format!("status {status}")}}).to_string()
}

/// Ten tokens in, five out, in the format and the form that was asked for.
fn usual_answer(request: &Request) -> (&'static str, String) {
    let endpoint = Endpoint::of(&request.method, &request.path);
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let streams = asked.get("stream") == Some(&Value::Bool(true));
    let chat_usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    let usage = json!({"input_tokens": 10, "output_tokens": 5});
    match (endpoint, endpoint.provider()) {
        (Endpoint::OpenAiChat, _) if streams => {
            let choice = json!([{"index": 0, "delta": {"role": "assistant", "content": "Hello."}, "finish_reason": null}]);
            let events = [
                json!({"id": "c", "object": "chat.completion.chunk", "choices": choice}),
                json!({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": chat_usage}),
                json!("[DONE]"),
            ];
            ("text/event-stream", event_stream(&events))
        }
        (Endpoint::AnthropicMessages, _) if streams => {
            let events = [
                json!({"type": "message_start", "message": {"type": "message", "role": "assistant", "content": [], "usage": {"input_tokens": 10, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello."}}),
                json!({"type": "content_block_stop", "index": 0}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
                json!({"type": "message_stop"}),
            ];
            ("text/event-stream", event_stream(&events))
        }
        (Endpoint::AnthropicMessages, _) => {
            let content = json!([{"type": "text", "text": "Hello."}]);
            let body =
                json!({"type": "message", "role": "assistant", "content": content, "usage": usage});
            ("application/json", body.to_string())
        }
        (Endpoint::OpenAiResponses, _) => {
            let body =
                json!({"object": "response", "status": "completed", "output": [], "usage": usage});
            ("application/json", body.to_string())
        }
        (_, Provider::Gemini) => {
            let candidates = json!([{"content": {"role": "model", "parts": [{"text": "Hello."}]}}]);
            let usage =
                json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15});
            let body = json!({"candidates": candidates, "usageMetadata": usage});
            ("application/json", body.to_string())
        }
        _ => {
            let message = json!({"role": "assistant", "content": "Hello."});
            let choices = json!([{"index": 0, "message": message, "finish_reason": "stop"}]);
            let body =
                json!({"object": "chat.completion", "choices": choices, "usage": chat_usage});
            ("application/json", body.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(value: Value) -> RequestDocument {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_request_is_the_defaults_with_what_is_different() {
        let defaults = document(
            json!({"headers": {"X-Account-Id": "a", "x-plan": "payg"}, "body": {"model": "m", "n": 1}}),
        );
        let given = document(
            json!({"headers": {"x-plan": null, "x-account-created": {"ago": "1h"}}, "body": {"n": null, "user": "u"}, "size": "64B"}),
        );

        let request = Request::new(&defaults, &given).unwrap();

        let now = Timestamp::parse_rfc3339("2026-11-01T08:00:00Z").unwrap();
        let lines = request.header_lines(now, 7);
        let value = |name: &str| {
            let line = lines.iter().find(|(own, _)| own == name);
            line.map(|(_, value)| value.as_str())
        };
        assert_eq!(value(":method"), Some("POST"));
        assert_eq!(value("x-account-id"), Some("a"));
        assert_eq!(value("x-plan"), None);
        assert_eq!(value("x-account-created"), Some("2026-11-01T07:00:00.000Z"));
        assert_eq!(value("x-request-id"), Some("case-7"));
        assert_eq!(value("content-length"), Some("64"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, json!({"model": "m", "user": "u"}));
    }

    #[test]
    fn no_body_is_a_get() {
        let defaults = document(json!({"body": {"model": "m"}}));

        let request = Request::new(&defaults, &document(json!({"body": null}))).unwrap();

        assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0));
    }

    #[test]
    fn what_is_no_header_and_no_size_is_told_with_its_place() {
        let wrong =
            |value| Request::new(&RequestDocument::default(), &document(value)).unwrap_err();

        assert_eq!(
            wrong(json!({"headers": {"x-a": {"since": "1h"}}})).0,
            "headers.x-a"
        );
        assert_eq!(wrong(json!({"headers": {"x-a": ["1"]}})).0, "headers.x-a");
        assert_eq!(wrong(json!({"body": {}, "size": "7 KB"})).0, "size");
        assert_eq!(
            wrong(json!({"body": {}, "size": "9999999999MiB"})).0,
            "size"
        );
    }

    #[test]
    fn every_endpoint_is_answered_with_its_usage() {
        for (path, stream) in [
            ("/v1/chat/completions", false),
            ("/v1/chat/completions", true),
            ("/v1/messages", false),
            ("/v1/messages", true),
            ("/v1/responses", false),
            ("/v1beta/models/g:generateContent", false),
        ] {
            let given = document(json!({"path": path, "body": {"stream": stream}}));
            let request = Request::new(&RequestDocument::default(), &given).unwrap();

            let answer = Answer::new(None, &request).unwrap();

            let mut meter = weir_engine::usage::UsageMeter::new(Endpoint::of("POST", path));
            meter.feed(&answer.body);
            let weir_engine::usage::Usage::Known(tokens) = meter.usage(true) else {
                panic!("{path} {stream}");
            };
            assert_eq!((tokens.input, tokens.output), (10, 5), "{path} {stream}");
        }
    }
}

//! Answers in the words of `POST /v1/completions`, the older API: one text for one prompt.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Part};
use super::asked::{Asked, is_true, number};
use super::logprobs;
use super::openai_chat::usage;

/// Output where the request names none, as in this API.
const DEFAULT_LIMIT: u32 = 16;

/// What the request asks for.
pub(super) fn asked(request: &Map<String, Value>) -> Asked {
    Asked {
        model: request.get("model").cloned().unwrap_or_default(),
        streaming: is_true(request, "stream"),
        limit: Some(number(request, "max_tokens").unwrap_or(DEFAULT_LIMIT)),
        choices: number(request, "n").unwrap_or(1),
        top_logprobs: number(request, "logprobs").map(|top| usize::try_from(top).unwrap_or(0)),
        ..Asked::default()
    }
}

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let mut body = body(
        answer,
        &answer.text(),
        0,
        Value::from(finish_reason(answer)),
    );
    if let Some(tokens) = answer.usage {
        body.insert("usage".to_owned(), usage(answer, tokens));
    }
    Part::with_usage(Value::from(body).to_string(), answer.told())
}

/// The stream: text, a finish, usage where `stream_options.include_usage` asks, `[DONE]`.
pub(super) fn events(answer: &Answer, request: &Map<String, Value>) -> Vec<Part> {
    let options = request.get("stream_options").and_then(Value::as_object);
    let include_usage = options.is_some_and(|options| is_true(options, "include_usage"));
    let data = |body: Map<String, Value>| format!("data: {}\n\n", Value::from(body));
    let mut offset: usize = 0;
    let mut parts = Vec::new();
    for piece in &answer.pieces {
        parts.push(Part::new(data(body(answer, piece, offset, Value::Null))));
        offset = offset.saturating_add(piece.chars().count());
    }
    let finish = Value::from(finish_reason(answer));
    parts.push(Part::new(data(body(answer, "", offset, finish))));
    if let (true, Some(tokens)) = (include_usage, answer.usage) {
        let mut last = body(answer, "", offset, Value::Null);
        last.insert("choices".to_owned(), json!([]));
        last.insert("usage".to_owned(), usage(answer, tokens));
        parts.push(Part::with_usage(data(last), tokens));
    }
    parts.push(Part::new("data: [DONE]\n\n"));
    parts
}

fn body(answer: &Answer, text: &str, offset: usize, finish: Value) -> Map<String, Value> {
    let logprobs = told_logprobs(answer, text, offset);
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| json!({"text": text, "index": index, "logprobs": logprobs, "finish_reason": finish}))
        .collect();
    let id = format!("cmpl-mock{:08}", answer.id);
    let body = json!({"id": id, "object": "text_completion", "created": 1_777_000_000_u64,
        "model": answer.model, "choices": choices});
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// Parallel lists; offsets count characters from the beginning of the answer.
fn told_logprobs(answer: &Answer, text: &str, mut offset: usize) -> Value {
    let Some(top) = answer.top_logprobs else {
        return Value::Null;
    };
    let mut told =
        json!({"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []});
    let mut push = |list: &str, value: Value| {
        if let Some(list) = told.get_mut(list).and_then(Value::as_array_mut) {
            list.push(value);
        }
    };
    for token in logprobs::tokens(text, top) {
        push("text_offset", Value::from(offset));
        offset = offset.saturating_add(token.text.chars().count());
        push(
            "top_logprobs",
            token
                .top
                .into_iter()
                .map(|(text, logprob)| (text, Value::from(logprob)))
                .collect(),
        );
        push("token_logprobs", Value::from(token.logprob));
        push("tokens", Value::from(token.text));
    }
    told
}

const fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut_short { "length" } else { "stop" }
}

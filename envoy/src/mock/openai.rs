//! Answers in the words of `POST /v1/chat/completions`.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Part};
use super::ledger::Tokens;

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let text = answer.text();
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| {
            json!({"index": index, "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": null, "finish_reason": finish_reason(answer)})
        })
        .collect();
    let mut body = envelope(answer, "chat.completion");
    body.insert("choices".to_owned(), Value::from(choices));
    if let Some(tokens) = answer.usage {
        body.insert("usage".to_owned(), usage(tokens));
    }
    Part::with_usage(Value::from(body).to_string(), answer.told())
}

/// The stream: a role, content, a finish per choice, usage where `stream_options.include_usage` asks, `[DONE]`.
pub(super) fn events(answer: &Answer, asked: &Map<String, Value>) -> Vec<Part> {
    let include_usage = asked
        .get("stream_options")
        .and_then(|options| options.get("include_usage"))
        .and_then(Value::as_bool)
        == Some(true)
        && answer.usage.is_some();
    let chunk = |index: usize, delta: Value, finish: Value| {
        let choices =
            json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        data(&with_choices(
            answer,
            choices,
            include_usage.then_some(Value::Null),
        ))
    };

    let mut parts = Vec::new();
    for index in 0..answer.choices {
        let role = json!({"role": "assistant", "content": "", "refusal": null});
        parts.push(Part::new(chunk(index, role, Value::Null)));
    }
    for piece in &answer.pieces {
        for index in 0..answer.choices {
            parts.push(Part::new(chunk(
                index,
                json!({"content": piece}),
                Value::Null,
            )));
        }
    }
    for index in 0..answer.choices {
        parts.push(Part::new(chunk(
            index,
            json!({}),
            Value::from(finish_reason(answer)),
        )));
    }
    if include_usage {
        let last = with_choices(answer, json!([]), Some(usage(answer.told())));
        parts.push(Part::with_usage(data(&last), answer.told()));
    }
    parts.push(Part::new("data: [DONE]\n\n"));
    parts
}

fn envelope(answer: &Answer, object: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert(
        "id".to_owned(),
        Value::from(format!("chatcmpl-mock{:08}", answer.id)),
    );
    body.insert("object".to_owned(), Value::from(object));
    body.insert("created".to_owned(), Value::from(1_777_000_000_u64));
    body.insert("model".to_owned(), answer.model.clone());
    body.insert("system_fingerprint".to_owned(), Value::from("fp_mock"));
    body
}

fn with_choices(answer: &Answer, choices: Value, usage: Option<Value>) -> Value {
    let mut body = envelope(answer, "chat.completion.chunk");
    body.insert("choices".to_owned(), choices);
    if let Some(usage) = usage {
        body.insert("usage".to_owned(), usage);
    }
    Value::from(body)
}

fn usage(tokens: Tokens) -> Value {
    json!({"prompt_tokens": tokens.input, "completion_tokens": tokens.output,
        "total_tokens": tokens.input.saturating_add(tokens.output),
        "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}})
}

const fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut_short { "length" } else { "stop" }
}

fn data(body: &Value) -> String {
    format!("data: {body}\n\n")
}

//! Answers in the words of `POST /v1/messages`.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Part};
use super::ledger::Tokens;

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let mut message = envelope(answer);
    message.insert(
        "content".to_owned(),
        json!([{"type": "text", "text": answer.text()}]),
    );
    message.insert("stop_reason".to_owned(), Value::from(stop_reason(answer)));
    if let Some(tokens) = answer.usage {
        message.insert("usage".to_owned(), usage(tokens));
    }
    Part::with_usage(Value::from(message).to_string(), answer.told())
}

/// The stream. Input tokens are told by the first event, output tokens by the one before the last; the first also
/// says one output token, as the API does, which the later count replaces.
pub(super) fn events(answer: &Answer) -> Vec<Part> {
    let told = answer.told();
    let mut message = envelope(answer);
    message.insert("content".to_owned(), json!([]));
    message.insert("stop_reason".to_owned(), Value::Null);
    if answer.usage.is_some() {
        message.insert(
            "usage".to_owned(),
            usage(Tokens {
                input: told.input,
                output: 1,
            }),
        );
    }
    let start = json!({"type": "message_start", "message": message});

    let mut delta = json!({"type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null}});
    if let (Some(tokens), Some(delta)) = (answer.usage, delta.as_object_mut()) {
        delta.insert("usage".to_owned(), json!({"output_tokens": tokens.output}));
    }

    let mut parts = vec![
        Part::with_usage(
            event(&start),
            Tokens {
                input: told.input,
                output: 0,
            },
        ),
        Part::new(event(&json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}))),
        Part::new(event(&json!({"type": "ping"}))),
    ];
    parts.extend(answer.pieces.iter().map(|piece| {
        Part::new(event(&json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "text_delta", "text": piece}})))
    }));
    parts.push(Part::new(event(
        &json!({"type": "content_block_stop", "index": 0}),
    )));
    parts.push(Part::with_usage(
        event(&delta),
        Tokens {
            input: 0,
            output: told.output,
        },
    ));
    parts.push(Part::new(event(&json!({"type": "message_stop"}))));
    parts
}

fn envelope(answer: &Answer) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert(
        "id".to_owned(),
        Value::from(format!("msg_mock{:08}", answer.id)),
    );
    message.insert("type".to_owned(), Value::from("message"));
    message.insert("role".to_owned(), Value::from("assistant"));
    message.insert("model".to_owned(), answer.model.clone());
    message.insert("stop_sequence".to_owned(), Value::Null);
    message
}

fn usage(tokens: Tokens) -> Value {
    json!({"input_tokens": tokens.input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": tokens.output})
}

const fn stop_reason(answer: &Answer) -> &'static str {
    if answer.cut_short {
        "max_tokens"
    } else {
        "end_turn"
    }
}

fn event(body: &Value) -> String {
    let name = body.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {body}\n\n")
}

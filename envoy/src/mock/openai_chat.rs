//! Answers in the words of `POST /v1/chat/completions`.
//!
//! Reasoning is told as `reasoning_content`, the way open models behind this API do; OpenAI's own keep it.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Part};
use super::asked::{Asked, Reasoning, Tool, ToolChoice, is_true, list, number, set, text};
use super::ledger::Tokens;
use super::logprobs;

/// What the request asks for.
pub(super) fn asked(request: &Map<String, Value>) -> Asked {
    let tools = list(request, "tools").iter().filter_map(|tool| {
        Tool::new(
            tool.pointer("/function/name")?,
            tool.pointer("/function/parameters"),
        )
    });
    let last = list(request, "messages").last();
    let answered = last.is_some_and(|last| text(last, "/role") == "tool");
    let effort = request.get("reasoning_effort").and_then(Value::as_str);
    Asked {
        model: request.get("model").cloned().unwrap_or_default(),
        streaming: is_true(request, "stream"),
        limit: number(request, "max_completion_tokens").or_else(|| number(request, "max_tokens")),
        choices: number(request, "n").unwrap_or(1),
        call: Tool::called(
            tools.collect(),
            &tool_choice(request.get("tool_choice")),
            answered,
        ),
        reasoning: effort
            .filter(|effort| *effort != "none")
            .map(|_| Reasoning::Visible),
        top_logprobs: is_true(request, "logprobs").then(|| top(request)),
    }
}

/// `"auto"`, `"none"`, `"required"` or a function by name.
fn tool_choice(given: Option<&Value>) -> ToolChoice {
    match given {
        Some(Value::String(word)) if word == "none" => ToolChoice::Never,
        Some(Value::String(word)) if word == "required" => ToolChoice::Forced(None),
        Some(named) if named.is_object() => {
            ToolChoice::Forced(Some(text(named, "/function/name").to_owned()))
        }
        _ => ToolChoice::Free,
    }
}

fn top(request: &Map<String, Value>) -> usize {
    number(request, "top_logprobs").map_or(0, |top| usize::try_from(top).unwrap_or(0))
}

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let content = answer.text();
    let mut message =
        json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if let Some(thought) = &answer.thought {
        set(
            &mut message,
            "/reasoning_content",
            Value::from(thought.text()),
        );
    }
    if !answer.calls.is_empty() {
        set(
            &mut message,
            "/tool_calls",
            answer.calls.iter().map(call).collect(),
        );
    }
    let choices: Vec<Value> = (0..answer.choices)
        .map(|index| {
            json!({"index": index, "message": message, "logprobs": told_logprobs(answer, &content),
                "finish_reason": finish_reason(answer)})
        })
        .collect();
    let mut body = envelope(answer, "chat.completion");
    body.insert("choices".to_owned(), Value::from(choices));
    if let Some(tokens) = answer.usage {
        body.insert("usage".to_owned(), usage(answer, tokens));
    }
    Part::with_usage(Value::from(body).to_string(), answer.told())
}

/// The stream: a role, reasoning, content, tool calls, a finish per choice, usage where
/// `stream_options.include_usage` asks, `[DONE]`.
pub(super) fn events(answer: &Answer, request: &Map<String, Value>) -> Vec<Part> {
    let include_usage = request
        .get("stream_options")
        .and_then(|options| options.get("include_usage"))
        .and_then(Value::as_bool)
        == Some(true)
        && answer.usage.is_some();
    let mut parts = Vec::new();
    let mut choices = |delta: Value, logprobs: Value, finish: Value| {
        for index in 0..answer.choices {
            let choice = json!([{"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}]);
            let usage = include_usage.then_some(Value::Null);
            parts.push(Part::new(data(&with_choices(answer, choice, usage))));
        }
    };
    let role = json!({"role": "assistant", "content": "", "refusal": null});
    choices(role, Value::Null, Value::Null);
    for piece in answer.thought.iter().flat_map(|thought| &thought.pieces) {
        choices(
            json!({"reasoning_content": piece}),
            Value::Null,
            Value::Null,
        );
    }
    for piece in &answer.pieces {
        let logprobs = told_logprobs(answer, piece);
        choices(json!({"content": piece}), logprobs, Value::Null);
    }
    for (index, one) in answer.calls.iter().enumerate() {
        let mut first = call(one);
        set(&mut first, "/index", Value::from(index));
        set(&mut first, "/function/arguments", Value::from(""));
        choices(json!({"tool_calls": [first]}), Value::Null, Value::Null);
        for piece in one.pieces() {
            let next = json!({"index": index, "function": {"arguments": piece}});
            choices(json!({"tool_calls": [next]}), Value::Null, Value::Null);
        }
    }
    choices(json!({}), Value::Null, Value::from(finish_reason(answer)));
    if include_usage {
        let last = with_choices(answer, json!([]), Some(usage(answer, answer.told())));
        parts.push(Part::with_usage(data(&last), answer.told()));
    }
    parts.push(Part::new("data: [DONE]\n\n"));
    parts
}

fn call(call: &Call) -> Value {
    json!({"id": format!("call_mock{:010}", call.number), "type": "function",
        "function": {"name": call.name, "arguments": call.arguments.to_string()}})
}

fn told_logprobs(answer: &Answer, text: &str) -> Value {
    match answer.top_logprobs {
        Some(top) => json!({"content": logprobs::openai(text, top), "refusal": null}),
        None => Value::Null,
    }
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

/// As this API and the older completions tell it.
pub(super) fn usage(answer: &Answer, tokens: Tokens) -> Value {
    json!({"prompt_tokens": tokens.input, "completion_tokens": tokens.output,
        "total_tokens": tokens.input.saturating_add(tokens.output),
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens}})
}

const fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut_short {
        "length"
    } else if answer.calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    }
}

fn data(body: &Value) -> String {
    format!("data: {body}\n\n")
}

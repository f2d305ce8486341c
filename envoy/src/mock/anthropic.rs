//! Answers in the words of `POST /v1/messages` and `POST /v1/messages/count_tokens`.
//!
//! Thinking is signed, and checked when it comes back: a proxy that changes what is signed breaks the next
//! request of an agent, here as there.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Part, Thought};
use super::asked::{Asked, Reasoning, Tool, ToolChoice, is_true, list, number, set, text};
use super::ledger::Tokens;
use super::signature;

/// What the request asks for.
pub(super) fn asked(request: &Map<String, Value>) -> Asked {
    let tools = list(request, "tools").iter();
    let tools = tools.filter_map(|tool| Tool::new(tool.get("name")?, tool.get("input_schema")));
    let last = list(request, "messages").last();
    let answered = last.is_some_and(|last| {
        blocks(last)
            .iter()
            .any(|block| text(block, "/type") == "tool_result")
    });
    Asked {
        model: request.get("model").cloned().unwrap_or_default(),
        streaming: is_true(request, "stream"),
        limit: number(request, "max_tokens"),
        choices: 1,
        call: Tool::called(
            tools.collect(),
            &tool_choice(request.get("tool_choice")),
            answered,
        ),
        reasoning: thinking(request),
        top_logprobs: None,
    }
}

fn tool_choice(given: Option<&Value>) -> ToolChoice {
    let given = given.unwrap_or(&Value::Null);
    match text(given, "/type") {
        "none" => ToolChoice::Never,
        "any" => ToolChoice::Forced(None),
        "tool" => ToolChoice::Forced(Some(text(given, "/name").to_owned())),
        _ => ToolChoice::Free,
    }
}

fn thinking(request: &Map<String, Value>) -> Option<Reasoning> {
    let thinking = request.get("thinking")?;
    let shown = match text(thinking, "/display") {
        "omitted" => Reasoning::Hidden,
        _ => Reasoning::Visible,
    };
    matches!(text(thinking, "/type"), "enabled" | "adaptive").then_some(shown)
}

fn blocks(message: &Value) -> &[Value] {
    let content = message.get("content").and_then(Value::as_array);
    content.map_or(&[], Vec::as_slice)
}

/// Why the conversation cannot be continued, in the API's words for it; none where it can.
pub(super) fn objection(request: &Map<String, Value>) -> Option<String> {
    let messages = list(request, "messages");
    for (place, message) in messages.iter().enumerate() {
        for (index, block) in blocks(message).iter().enumerate() {
            if text(block, "/type") == "thinking"
                && !signature::holds(text(block, "/signature"), text(block, "/thinking"))
            {
                let said = "Invalid `signature` in `thinking` block";
                return Some(format!("messages.{place}.content.{index}: {said}"));
            }
        }
    }
    // While a tool's result is given back, the turn that called it must begin as it began.
    let calling = messages
        .iter()
        .rposition(|message| text(message, "/role") == "assistant")?;
    let turn = blocks(messages.get(calling)?);
    let calls = turn.iter().any(|block| text(block, "/type") == "tool_use");
    let begins = turn
        .first()
        .is_some_and(|first| matches!(text(first, "/type"), "thinking" | "redacted_thinking"));
    (calls && !begins && thinking(request).is_some()).then(|| {
        format!("messages.{calling}.content.0.type: Expected `thinking` or `redacted_thinking`")
    })
}

/// The answer of `count_tokens`.
pub(super) fn count(input_tokens: u64) -> Part {
    Part::new(json!({"input_tokens": input_tokens}).to_string())
}

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let mut content = Vec::new();
    if let Some(thought) = &answer.thought {
        let (shown, signature) = shown(thought);
        content
            .push(json!({"type": "thinking", "thinking": shown.concat(), "signature": signature}));
    }
    content.push(json!({"type": "text", "text": answer.text()}));
    for call in &answer.calls {
        let mut block = tool_use(call);
        set(&mut block, "/input", call.arguments.clone());
        content.push(block);
    }
    let mut message = envelope(answer);
    message.insert("content".to_owned(), Value::from(content));
    message.insert("stop_reason".to_owned(), Value::from(stop_reason(answer)));
    if let Some(tokens) = answer.usage {
        message.insert("usage".to_owned(), usage(answer, tokens));
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
        let first = Tokens {
            input: told.input,
            output: 1,
        };
        message.insert("usage".to_owned(), usage(answer, first));
    }
    let start = json!({"type": "message_start", "message": message});
    let mut delta = json!({"type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null}});
    if let Some(tokens) = answer.usage {
        set(
            &mut delta,
            "/usage",
            json!({"output_tokens": tokens.output}),
        );
        if answer.thought.is_some() {
            set(
                &mut delta,
                "/usage/output_tokens_details",
                json!({"thinking_tokens": answer.reasoning_tokens}),
            );
        }
    }

    let of_start = Tokens {
        input: told.input,
        output: 0,
    };
    let of_delta = Tokens {
        input: 0,
        output: told.output,
    };
    let mut parts = vec![Part::with_usage(event(&start), of_start)];
    for (index, (block, deltas)) in streamed(answer).into_iter().enumerate() {
        let start = json!({"type": "content_block_start", "index": index, "content_block": block});
        parts.push(Part::new(event(&start)));
        if index == 0 {
            parts.push(Part::new(event(&json!({"type": "ping"}))));
        }
        for delta in deltas {
            let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
            parts.push(Part::new(event(&delta)));
        }
        let stop = json!({"type": "content_block_stop", "index": index});
        parts.push(Part::new(event(&stop)));
    }
    parts.push(Part::with_usage(event(&delta), of_delta));
    parts.push(Part::new(event(&json!({"type": "message_stop"}))));
    parts
}

/// Each block as it begins, and what is added to it.
fn streamed(answer: &Answer) -> Vec<(Value, Vec<Value>)> {
    let mut blocks = Vec::new();
    if let Some(thought) = &answer.thought {
        let (shown, signature) = shown(thought);
        let shown = shown
            .iter()
            .map(|piece| json!({"type": "thinking_delta", "thinking": piece}));
        let signed = json!({"type": "signature_delta", "signature": signature});
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        blocks.push((block, shown.chain([signed]).collect()));
    }
    let pieces = answer
        .pieces
        .iter()
        .map(|piece| json!({"type": "text_delta", "text": piece}));
    blocks.push((json!({"type": "text", "text": ""}), pieces.collect()));
    for call in &answer.calls {
        let pieces = call.pieces().into_iter();
        let pieces = pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        blocks.push((tool_use(call), pieces.collect()));
    }
    blocks
}

/// What is shown of it, and the signature on all of it.
fn shown(thought: &Thought) -> (&[String], String) {
    let omitted = thought.shown == Reasoning::Hidden;
    let shown = if omitted {
        &[]
    } else {
        thought.pieces.as_slice()
    };
    (shown, signature::sign(&thought.text(), omitted))
}

fn tool_use(call: &Call) -> Value {
    let id = format!("toolu_mock{:010}", call.number);
    json!({"type": "tool_use", "id": id, "name": call.name, "input": {}})
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

fn usage(answer: &Answer, tokens: Tokens) -> Value {
    let mut usage = json!({"input_tokens": tokens.input, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0, "output_tokens": tokens.output});
    if answer.thought.is_some() {
        set(
            &mut usage,
            "/output_tokens_details",
            json!({"thinking_tokens": answer.reasoning_tokens.min(tokens.output)}),
        );
    }
    usage
}

const fn stop_reason(answer: &Answer) -> &'static str {
    if answer.cut_short {
        "max_tokens"
    } else if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    }
}

fn event(body: &Value) -> String {
    let name = body.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {body}\n\n")
}

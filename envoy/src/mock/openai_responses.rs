//! Answers in the words of `POST /v1/responses`: items instead of messages, and an event for everything that
//! happens to one.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Part, Thought};
use super::asked::{Asked, Reasoning, Tool, ToolChoice, is_true, list, number, set, text};
use super::ledger::Tokens;
use super::logprobs;
use super::signature;

/// What the request asks for.
pub(super) fn asked(request: &Map<String, Value>) -> Asked {
    let tools = list(request, "tools").iter();
    let tools = tools.filter_map(|tool| Tool::new(tool.get("name")?, tool.get("parameters")));
    let last = list(request, "input").last();
    let answered = last.is_some_and(|last| text(last, "/type") == "function_call_output");
    let reasoning = request.get("reasoning").filter(|given| given.is_object());
    let wanted = match reasoning {
        Some(reasoning) => text(reasoning, "/effort") != "none",
        None => includes(request, "reasoning.encrypted_content"),
    };
    let summed_up = reasoning.is_some_and(|reasoning| !text(reasoning, "/summary").is_empty());
    let logprobs = includes(request, "message.output_text.logprobs");
    Asked {
        model: request.get("model").cloned().unwrap_or_default(),
        streaming: is_true(request, "stream"),
        limit: number(request, "max_output_tokens"),
        choices: 1,
        call: Tool::called(
            tools.collect(),
            &tool_choice(request.get("tool_choice")),
            answered,
        ),
        reasoning: wanted.then_some(if summed_up {
            Reasoning::Visible
        } else {
            Reasoning::Hidden
        }),
        top_logprobs: logprobs.then(|| {
            number(request, "top_logprobs").map_or(0, |top| usize::try_from(top).unwrap_or(0))
        }),
    }
}

/// `"auto"`, `"none"`, `"required"` or a function by name.
fn tool_choice(given: Option<&Value>) -> ToolChoice {
    match given {
        Some(Value::String(word)) if word == "none" => ToolChoice::Never,
        Some(Value::String(word)) if word == "required" => ToolChoice::Forced(None),
        Some(named) if named.is_object() => {
            ToolChoice::Forced(Some(text(named, "/name").to_owned()))
        }
        _ => ToolChoice::Free,
    }
}

fn includes(request: &Map<String, Value>, what: &str) -> bool {
    list(request, "include")
        .iter()
        .any(|included| included == what)
}

/// Why the conversation cannot be continued, in the API's words for it; none where it can.
pub(super) fn objection(request: &Map<String, Value>) -> Option<String> {
    let broken = list(request, "input").iter().find(|item| {
        let sealed = item.get("encrypted_content").and_then(Value::as_str);
        text(item, "/type") == "reasoning"
            && sealed.is_some_and(|sealed| !signature::is_sealed(text(item, "/id"), sealed))
    })?;
    let id = text(broken, "/id");
    Some(format!(
        "The encrypted content for item {id} could not be verified."
    ))
}

/// The JSON answer.
pub(super) fn whole(answer: &Answer, request: &Map<String, Value>) -> Part {
    let items = items(answer, request);
    let output = items.into_iter().map(|item| item.done).collect();
    let body = response(answer, request, status(answer), output, answer.usage);
    Part::with_usage(body.to_string(), answer.told())
}

/// The stream; the last event repeats the whole answer.
pub(super) fn events(answer: &Answer, request: &Map<String, Value>) -> Vec<Part> {
    let mut stream = Stream::default();
    for name in ["response.created", "response.in_progress"] {
        let begun = response(answer, request, "in_progress", Vec::new(), None);
        stream.push(name, json!({"response": begun}));
    }
    let mut output = Vec::new();
    for (index, item) in items(answer, request).into_iter().enumerate() {
        let begun = json!({"output_index": index, "item": item.begun});
        stream.push("response.output_item.added", begun);
        for (name, mut event) in item.events {
            set(&mut event, "/output_index", Value::from(index));
            set(
                &mut event,
                "/item_id",
                item.done.get("id").cloned().unwrap_or_default(),
            );
            stream.push(name, event);
        }
        let done = json!({"output_index": index, "item": item.done});
        stream.push("response.output_item.done", done);
        output.push(item.done);
    }
    let last = if answer.cut_short {
        "response.incomplete"
    } else {
        "response.completed"
    };
    let whole = response(answer, request, status(answer), output, answer.usage);
    stream.push(last, json!({"response": whole}));
    if let Some(part) = stream.0.last_mut() {
        part.usage = answer.told();
    }
    stream.0
}

/// Events, each with its name and its number.
#[derive(Default)]
struct Stream(Vec<Part>);

impl Stream {
    fn push(&mut self, name: &str, mut event: Value) {
        set(&mut event, "/type", Value::from(name));
        set(&mut event, "/sequence_number", Value::from(self.0.len()));
        self.0
            .push(Part::new(format!("event: {name}\ndata: {event}\n\n")));
    }
}

/// An item as it begins and ends, and the events between.
struct Item {
    begun: Value,
    events: Vec<(&'static str, Value)>,
    done: Value,
}

fn items(answer: &Answer, request: &Map<String, Value>) -> Vec<Item> {
    let mut items = Vec::new();
    if let Some(thought) = &answer.thought {
        items.push(reasoning(
            answer.id,
            thought,
            includes(request, "reasoning.encrypted_content"),
        ));
    }
    items.push(message(answer));
    items.extend(answer.calls.iter().map(function_call));
    items
}

fn reasoning(id: u64, thought: &Thought, sealed: bool) -> Item {
    let id = format!("rs_mock{id:08}");
    let mut events = Vec::new();
    let mut begun = json!({"id": id, "type": "reasoning", "summary": []});
    if sealed {
        set(
            &mut begun,
            "/encrypted_content",
            Value::from(signature::seal(&id)),
        );
    }
    let mut done = begun.clone();
    if thought.verbatim {
        set(
            &mut done,
            "/content",
            json!([{"type": "reasoning_text", "text": thought.text()}]),
        );
        for piece in &thought.pieces {
            let delta = json!({"content_index": 0, "delta": piece});
            events.push(("response.reasoning_text.delta", delta));
        }
        let whole = json!({"content_index": 0, "text": thought.text()});
        events.push(("response.reasoning_text.done", whole));
    }
    if thought.shown == Reasoning::Visible {
        let part = |text: &str| json!({"type": "summary_text", "text": text});
        let text = thought.text();
        set(&mut done, "/summary", json!([part(&text)]));
        let added = json!({"summary_index": 0, "part": part("")});
        events.push(("response.reasoning_summary_part.added", added));
        for piece in &thought.pieces {
            let delta = json!({"summary_index": 0, "delta": piece});
            events.push(("response.reasoning_summary_text.delta", delta));
        }
        let whole = json!({"summary_index": 0, "text": text});
        events.push(("response.reasoning_summary_text.done", whole));
        let ended = json!({"summary_index": 0, "part": part(&text)});
        events.push(("response.reasoning_summary_part.done", ended));
    }
    Item {
        begun,
        events,
        done,
    }
}

fn message(answer: &Answer) -> Item {
    let item = |status: &str, content: Value| {
        json!({"id": format!("msg_mock{:08}", answer.id), "type": "message", "status": status,
            "role": "assistant", "content": content})
    };
    let part = |text: &str, logprobs: Value| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs});
    let told = |text: &str| match answer.top_logprobs {
        Some(top) => logprobs::openai(text, top),
        None => json!([]),
    };
    let text = answer.text();
    let whole = part(&text, told(&text));
    let added = json!({"content_index": 0, "part": part("", json!([]))});
    let mut events = vec![("response.content_part.added", added)];
    for piece in &answer.pieces {
        let delta = json!({"content_index": 0, "delta": piece, "logprobs": told(piece)});
        events.push(("response.output_text.delta", delta));
    }
    let done = json!({"content_index": 0, "text": text, "logprobs": told(&text)});
    events.push(("response.output_text.done", done));
    let ended = json!({"content_index": 0, "part": whole});
    events.push(("response.content_part.done", ended));
    Item {
        begun: item("in_progress", json!([])),
        events,
        done: item(status(answer), json!([whole])),
    }
}

fn function_call(call: &Call) -> Item {
    let arguments = call.arguments.to_string();
    let item = |status: &str, arguments: &str| {
        json!({"id": format!("fc_mock{:010}", call.number), "type": "function_call", "status": status,
            "call_id": format!("call_mock{:010}", call.number), "name": call.name, "arguments": arguments})
    };
    let mut events = Vec::new();
    for piece in call.pieces() {
        let delta = json!({"delta": piece});
        events.push(("response.function_call_arguments.delta", delta));
    }
    let done = json!({"name": call.name, "arguments": arguments});
    events.push(("response.function_call_arguments.done", done));
    Item {
        begun: item("in_progress", ""),
        events,
        done: item("completed", &arguments),
    }
}

const fn status(answer: &Answer) -> &'static str {
    if answer.cut_short {
        "incomplete"
    } else {
        "completed"
    }
}

fn response(
    answer: &Answer,
    request: &Map<String, Value>,
    status: &str,
    output: Vec<Value>,
    usage: Option<Tokens>,
) -> Value {
    let given = |name: &str, absent: Value| request.get(name).cloned().unwrap_or(absent);
    let incomplete = (status == "incomplete").then(|| json!({"reason": "max_output_tokens"}));
    let usage = usage.map(|tokens| {
        json!({"input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
            "total_tokens": tokens.input.saturating_add(tokens.output)})
    });
    json!({"id": format!("resp_mock{:08}", answer.id), "object": "response", "created_at": 1_777_000_000_u64,
        "status": status, "background": false, "error": null, "incomplete_details": incomplete,
        "instructions": given("instructions", Value::Null),
        "max_output_tokens": given("max_output_tokens", Value::Null), "model": answer.model,
        "output": output, "parallel_tool_calls": true, "previous_response_id": null,
        "reasoning": given("reasoning", json!({"effort": null, "summary": null})),
        "store": given("store", json!(true)), "temperature": 1.0,
        "text": given("text", json!({"format": {"type": "text"}})),
        "tool_choice": given("tool_choice", json!("auto")), "tools": given("tools", json!([])),
        "top_logprobs": given("top_logprobs", json!(0)), "top_p": 1.0, "truncation": "disabled",
        "usage": usage, "user": null, "metadata": {}})
}

//! Answers in the words of `models/MODEL:generateContent` and `:streamGenerateContent`: one JSON object, or several,
//! as events where the query says `alt=sse` and as one JSON array otherwise.
use serde_json::{Map, Value, json};

use super::answer::{Answer, Call, Part, Thought};
use super::asked::{Asked, Reasoning, Tool, ToolChoice, is_true, list, number, set, text};
use super::ledger::Tokens;
use super::logprobs;
use super::signature;

/// What the request asks for of the model that its path names.
pub(super) fn asked(request: &Map<String, Value>, model: &str, streaming: bool) -> Asked {
    let none = Map::new();
    let config = request.get("generationConfig").and_then(Value::as_object);
    let config = config.unwrap_or(&none);
    let functions = list(request, "tools").iter().filter_map(Value::as_object);
    let functions = functions.flat_map(|tool| list(tool, "functionDeclarations"));
    let tools = functions.filter_map(|one| Tool::new(one.get("name")?, one.get("parameters")));
    let last = list(request, "contents").last();
    let answered = last.is_some_and(|last| {
        let parts = last.get("parts").and_then(Value::as_array);
        parts.is_some_and(|parts| {
            parts
                .iter()
                .any(|part| part.get("functionResponse").is_some())
        })
    });
    Asked {
        model: Value::from(model),
        streaming,
        limit: number(config, "maxOutputTokens"),
        choices: number(config, "candidateCount").unwrap_or(1),
        call: Tool::called(
            tools.collect(),
            &tool_choice(request.get("toolConfig")),
            answered,
        ),
        reasoning: config
            .get("thinkingConfig")
            .and_then(Value::as_object)
            .and_then(thinking),
        top_logprobs: is_true(config, "responseLogprobs")
            .then(|| number(config, "logprobs").map_or(0, |top| usize::try_from(top).unwrap_or(0))),
    }
}

fn tool_choice(given: Option<&Value>) -> ToolChoice {
    let given = given.unwrap_or(&Value::Null);
    match text(given, "/functionCallingConfig/mode") {
        "NONE" => ToolChoice::Never,
        "ANY" => {
            let name = text(given, "/functionCallingConfig/allowedFunctionNames/0");
            ToolChoice::Forced((!name.is_empty()).then(|| name.to_owned()))
        }
        _ => ToolChoice::Free,
    }
}

fn thinking(config: &Map<String, Value>) -> Option<Reasoning> {
    let shown = if is_true(config, "includeThoughts") {
        Reasoning::Visible
    } else {
        Reasoning::Hidden
    };
    (number(config, "thinkingBudget") != Some(0)).then_some(shown)
}

/// The JSON answer.
pub(super) fn whole(answer: &Answer) -> Part {
    let mut parts = Vec::new();
    if let Some(thought) = visible(answer) {
        parts.push(json!({"text": thought.text(), "thought": true}));
    }
    parts.push(json!({"text": answer.text()}));
    parts.extend(calls(answer));
    let body = body(answer, &parts, &answer.text(), true);
    Part::with_usage(body.to_string(), answer.told())
}

/// The stream as events.
pub(super) fn events(answer: &Answer) -> Vec<Part> {
    let mut parts = chunks(answer);
    for part in &mut parts {
        part.bytes = [b"data: ".as_slice(), &part.bytes, b"\r\n\r\n"]
            .concat()
            .into();
    }
    parts
}

/// The stream as an array that is never whole before its end.
pub(super) fn array(answer: &Answer) -> Vec<Part> {
    let mut parts = chunks(answer);
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter_mut().enumerate() {
        let before: &[u8] = if index == 0 { b"[" } else { b",\r\n" };
        let after: &[u8] = if index == last { b"]" } else { b"" };
        part.bytes = [before, &part.bytes, after].concat().into();
    }
    parts
}

/// An object for each piece; the usage is told by the last.
fn chunks(answer: &Answer) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in visible(answer).iter().flat_map(|thought| &thought.pieces) {
        let thought = json!({"text": piece, "thought": true});
        parts.push(Part::new(body(answer, &[thought], "", false).to_string()));
    }
    for piece in &answer.pieces {
        let text = json!({"text": piece});
        parts.push(Part::new(body(answer, &[text], piece, false).to_string()));
    }
    let last: Vec<Value> = calls(answer).chain([json!({"text": ""})]).collect();
    let last = body(answer, &last, "", true);
    parts.push(Part::with_usage(last.to_string(), answer.told()));
    parts
}

fn visible(answer: &Answer) -> Option<&Thought> {
    answer
        .thought
        .as_ref()
        .filter(|thought| thought.shown == Reasoning::Visible)
}

/// The first call carries the signature on the reasoning before it.
fn calls(answer: &Answer) -> impl Iterator<Item = Value> {
    answer.calls.iter().enumerate().map(|(index, call)| {
        let mut part = function_call(call);
        if let (0, Some(thought)) = (index, &answer.thought) {
            set(
                &mut part,
                "/thoughtSignature",
                Value::from(signature::sign(&thought.text(), true)),
            );
        }
        part
    })
}

fn function_call(call: &Call) -> Value {
    json!({"functionCall": {"name": call.name, "args": call.arguments}})
}

fn body(answer: &Answer, parts: &[Value], text: &str, is_last: bool) -> Value {
    let candidates: Vec<Value> = (0..answer.choices)
        .map(|index| {
            let mut candidate =
                json!({"content": {"role": "model", "parts": parts}, "index": index});
            if is_last {
                set(
                    &mut candidate,
                    "/finishReason",
                    Value::from(if answer.cut_short {
                        "MAX_TOKENS"
                    } else {
                        "STOP"
                    }),
                );
            }
            if let (Some(top), false) = (answer.top_logprobs, text.is_empty()) {
                set(&mut candidate, "/avgLogprobs", Value::from(-0.5));
                set(&mut candidate, "/logprobsResult", told_logprobs(text, top));
            }
            candidate
        })
        .collect();
    let mut body = json!({"candidates": candidates, "modelVersion": answer.model,
        "responseId": format!("mock{:08}", answer.id)});
    if let (true, Some(tokens)) = (is_last, answer.usage) {
        set(&mut body, "/usageMetadata", usage(answer, tokens));
    }
    body
}

/// Unlike elsewhere, thoughts are counted beside the output, not in it.
fn usage(answer: &Answer, tokens: Tokens) -> Value {
    let mut usage = json!({"promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.output.saturating_sub(answer.reasoning_tokens),
        "totalTokenCount": tokens.input.saturating_add(tokens.output)});
    if answer.reasoning_tokens > 0 {
        set(
            &mut usage,
            "/thoughtsTokenCount",
            Value::from(answer.reasoning_tokens),
        );
    }
    usage
}

fn told_logprobs(text: &str, top: usize) -> Value {
    let tokens = logprobs::tokens(text, top);
    let entry = |text: &str, logprob: f64| json!({"token": text, "tokenId": text.len(), "logProbability": logprob});
    let chosen: Vec<Value> = tokens
        .iter()
        .map(|token| entry(&token.text, token.logprob))
        .collect();
    let alternatives = |token: &logprobs::Token| {
        let all: Vec<Value> = token
            .top
            .iter()
            .map(|(text, logprob)| entry(text, *logprob))
            .collect();
        json!({"candidates": all})
    };
    let top: Vec<Value> = tokens.iter().map(alternatives).collect();
    json!({"chosenCandidates": chosen, "topCandidates": top})
}

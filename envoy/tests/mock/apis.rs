//! Every API of the mock: streams that add up to the whole answer, usage, and reasoning that has to come back.
use serde_json::{Value, json};
use weir_envoy::client::{Client, Request};
use weir_envoy::mock::{Mock, Tokens};

use crate::data;

const CHAT: &str = "/v1/chat/completions";
const COMPLETIONS: &str = "/v1/completions";
const RESPONSES: &str = "/v1/responses";
const MESSAGES: &str = "/v1/messages";
const GEMINI: &str = "/v1beta/models/g-large:generateContent";
const GEMINI_STREAM: &str = "/v1beta/models/g-large:streamGenerateContent";

fn schema() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}})
}

/// A question with everything that its API can be asked for.
fn question(path: &str) -> Value {
    let user = json!([{"role": "user", "content": "Hi 水"}]);
    match path {
        CHAT => {
            json!({"model": "m", "messages": user, "reasoning_effort": "high", "logprobs": true,
            "top_logprobs": 2, "stream_options": {"include_usage": true},
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": schema()}}]})
        }
        COMPLETIONS => json!({"model": "m", "prompt": "Hi", "logprobs": 2, "max_tokens": 40,
            "stream_options": {"include_usage": true}}),
        RESPONSES => json!({"model": "m", "input": user, "reasoning": {"summary": "auto"},
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "top_logprobs": 2,
            "tools": [{"type": "function", "name": "weather", "parameters": schema()}]}),
        MESSAGES => json!({"model": "m", "max_tokens": 4096, "messages": user,
            "thinking": {"type": "enabled", "budget_tokens": 2048},
            "tools": [{"name": "weather", "input_schema": schema()}]}),
        _ => json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "weather", "parameters": schema()}]}],
            "generationConfig": {"thinkingConfig": {"includeThoughts": true}, "responseLogprobs": true, "logprobs": 2}}),
    }
}

/// The same answer to every request, whatever it asks besides.
fn post(path: &str, body: &Value) -> Request {
    Request::post_json(path, body).header("x-mock-answer", "7")
}

async fn json_of(client: &mut Client, request: Request) -> (u16, Value) {
    let response = client.send(request).await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// All texts at these pointers, one after the other.
fn joined(values: &[Value], pointers: &[&str]) -> String {
    let at = |value: &Value| -> String {
        let texts = pointers
            .iter()
            .filter_map(|pointer| value.pointer(pointer)?.as_str());
        texts.collect()
    };
    values.iter().map(at).collect()
}

/// Events with this `type`.
fn of_type(events: &[Value], kind: &str) -> Vec<Value> {
    events
        .iter()
        .filter(|event| event["type"] == kind)
        .cloned()
        .collect()
}

async fn streamed(client: &mut Client, path: &str) -> Vec<Value> {
    let mut body = question(path);
    body["stream"] = json!(true);
    data(
        &client
            .send(post(path, &body))
            .await
            .unwrap()
            .events()
            .await
            .unwrap(),
    )
}

#[tokio::test]
async fn chat_streams_add_up_to_the_whole_answer() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());

    let (_, whole) = json_of(&mut client, post(CHAT, &question(CHAT))).await;
    let chunks = streamed(&mut client, CHAT).await;

    let message = &whole["choices"][0]["message"];
    let delta = "/choices/0/delta";
    assert_eq!(
        joined(&chunks, &[&format!("{delta}/content")]),
        message["content"]
    );
    assert_eq!(
        joined(&chunks, &[&format!("{delta}/reasoning_content")]),
        message["reasoning_content"]
    );
    let call = &message["tool_calls"][0];
    assert_eq!(
        joined(
            &chunks,
            &[&format!("{delta}/tool_calls/0/function/arguments")]
        ),
        call["function"]["arguments"]
    );
    assert_eq!(
        joined(&chunks, &[&format!("{delta}/tool_calls/0/id")]),
        call["id"]
    );
    let told: usize = chunks
        .iter()
        .filter_map(|chunk| {
            Some(
                chunk
                    .pointer("/choices/0/logprobs/content")?
                    .as_array()?
                    .len(),
            )
        })
        .sum();
    assert!(
        told >= whole["choices"][0]["logprobs"]["content"]
            .as_array()
            .unwrap()
            .len()
    );
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(chunks.last().unwrap()["usage"], whole["usage"]);
    assert!(whole["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
}

#[tokio::test]
async fn the_last_event_of_responses_is_the_whole_answer_and_every_item_is_told_before() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http2(mock.addr());

    let (_, whole) = json_of(&mut client, post(RESPONSES, &question(RESPONSES))).await;
    let events = streamed(&mut client, RESPONSES).await;

    let last = &events.last().unwrap();
    assert_eq!(
        (&last["type"], &last["response"]),
        (&json!("response.completed"), &whole)
    );
    let numbers: Vec<_> = events
        .iter()
        .map(|event| event["sequence_number"].as_u64().unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64));
    let items: Vec<_> = of_type(&events, "response.output_item.done")
        .iter()
        .map(|event| event["item"].clone())
        .collect();
    assert_eq!(json!(items), whole["output"]);
    let [reasoning, message, call] = items.as_slice() else {
        panic!("{items:?}");
    };
    let text = |kind| joined(&of_type(&events, kind), &["/delta"]);
    assert_eq!(
        text("response.reasoning_summary_text.delta"),
        reasoning["summary"][0]["text"]
    );
    assert_eq!(
        text("response.output_text.delta"),
        message["content"][0]["text"]
    );
    assert_eq!(
        text("response.function_call_arguments.delta"),
        call["arguments"]
    );
    assert!(
        !message["content"][0]["logprobs"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn messages_streams_add_up_to_the_whole_answer() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());

    let (_, whole) = json_of(&mut client, post(MESSAGES, &question(MESSAGES))).await;
    let events = streamed(&mut client, MESSAGES).await;

    let [thinking, text, call] = whole["content"].as_array().unwrap().as_slice() else {
        panic!("{whole}");
    };
    assert_eq!(joined(&events, &["/delta/thinking"]), thinking["thinking"]);
    assert_eq!(
        joined(&events, &["/delta/signature"]),
        thinking["signature"]
    );
    assert_eq!(joined(&events, &["/delta/text"]), text["text"]);
    let input: Value = serde_json::from_str(&joined(&events, &["/delta/partial_json"])).unwrap();
    assert_eq!(input, call["input"]);
    assert_eq!(whole["stop_reason"], "tool_use");
}

#[tokio::test]
async fn gemini_streams_are_events_or_one_array_and_add_up_to_the_whole_answer() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http2(mock.addr());

    let (_, whole) = json_of(&mut client, post(GEMINI, &question(GEMINI))).await;
    let (_, array) = json_of(&mut client, post(GEMINI_STREAM, &question(GEMINI))).await;
    let sse = post(&format!("{GEMINI_STREAM}?alt=sse"), &question(GEMINI));
    let events = client.send(sse).await.unwrap().bytes().await.unwrap();

    let chunks = array.as_array().unwrap();
    let parts = whole["candidates"][0]["content"]["parts"]
        .as_array()
        .unwrap();
    let first = "/candidates/0/content/parts/0";
    let (thoughts, texts): (Vec<Value>, Vec<Value>) = chunks
        .iter()
        .cloned()
        .partition(|chunk| chunk.pointer(&format!("{first}/thought")).is_some());
    assert_eq!(
        joined(&thoughts, &[&format!("{first}/text")]),
        parts[0]["text"]
    );
    assert_eq!(
        joined(&texts, &[&format!("{first}/text")]),
        parts[1]["text"]
    );
    assert_eq!(chunks.last().unwrap().pointer(first), Some(&parts[2]));
    assert!(parts[2]["thoughtSignature"].is_string());
    let events: Vec<Value> = String::from_utf8_lossy(&events)
        .split("\r\n\r\n")
        .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(&events, chunks);
    let usage = &whole["usageMetadata"];
    let count = |name: &str| usage[name].as_u64().unwrap();
    assert_eq!(
        count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount"),
        count("totalTokenCount")
    );
}

#[tokio::test]
async fn the_ledger_books_what_each_api_tells() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());

    for path in [CHAT, COMPLETIONS, RESPONSES, MESSAGES, GEMINI] {
        json_of(&mut client, post(path, &question(path))).await;
        let whole = mock.served().pop().unwrap();
        assert_ne!(whole.usage, Tokens::default(), "{path}");
        let path = if path == GEMINI { GEMINI_STREAM } else { path };
        let mut body = question(path);
        body["stream"] = json!(true);
        client
            .send(post(path, &body))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let stream = mock.served().pop().unwrap();
        assert_eq!(
            (stream.usage, stream.complete),
            (whole.usage, true),
            "{path}"
        );
    }
    let texts = json!({"model": "m", "input": ["a", "b"], "encoding_format": "float"});
    let (_, embeddings) = json_of(&mut client, post("/v1/embeddings", &texts)).await;
    let (_, count) = json_of(
        &mut client,
        post("/v1/messages/count_tokens", &question(MESSAGES)),
    )
    .await;
    assert_eq!(embeddings["data"].as_array().unwrap().len(), 2);
    let served = mock.served();
    assert_eq!(
        embeddings["usage"]["total_tokens"],
        served[served.len() - 2].usage.input
    );
    assert!(count["input_tokens"].as_u64() > Some(0));
}

/// The second request of a tool loop whose first answer is `answer`.
fn continued(answer: &Value) -> Value {
    let mut body = question(MESSAGES);
    let id = &answer["content"].as_array().unwrap().last().unwrap()["id"];
    let result = json!([{"type": "tool_result", "tool_use_id": id, "content": "12"}]);
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": answer["content"]}));
    messages.push(json!({"role": "user", "content": result}));
    body
}

#[tokio::test]
async fn thinking_must_come_back_as_it_was_signed() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());
    let (_, answer) = json_of(&mut client, post(MESSAGES, &question(MESSAGES))).await;
    let changed = |change: fn(&mut Value)| {
        let mut answer = answer.clone();
        change(&mut answer["content"]);
        continued(&answer)
    };

    let (status, last) = json_of(&mut client, post(MESSAGES, &continued(&answer))).await;
    assert_eq!((status, &last["stop_reason"]), (200, &json!("end_turn")));
    for wrong in [
        changed(|content| content[0]["thinking"] = json!("other")),
        changed(|content| content[0]["thinking"] = json!("")),
        changed(|content| content[0]["signature"] = json!("")),
        changed(|content| drop(content.as_array_mut().unwrap().remove(0))),
    ] {
        let (status, error) = json_of(&mut client, post(MESSAGES, &wrong)).await;
        assert_eq!(
            (status, &error["error"]["type"]),
            (400, &json!("invalid_request_error")),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn omitted_thinking_comes_back_empty() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http2(mock.addr());
    let mut body = question(MESSAGES);
    body["thinking"]["display"] = json!("omitted");

    let (_, answer) = json_of(&mut client, post(MESSAGES, &body)).await;
    let (status, _) = json_of(&mut client, post(MESSAGES, &continued(&answer))).await;

    assert_eq!(
        (status, &answer["content"][0]["thinking"]),
        (200, &json!(""))
    );
    assert!(
        !answer["content"][0]["signature"]
            .as_str()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn encrypted_reasoning_is_of_one_item() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());
    let (_, answer) = json_of(&mut client, post(RESPONSES, &question(RESPONSES))).await;
    let mut body = question(RESPONSES);
    let call = answer["output"][2]["call_id"].clone();
    body["input"] = answer["output"].clone();
    body["input"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "function_call_output", "call_id": call, "output": "12"}));

    let (status, last) = json_of(&mut client, post(RESPONSES, &body)).await;
    body["input"][0]["id"] = json!("rs_other");
    let (refused, _) = json_of(&mut client, post(RESPONSES, &body)).await;

    assert_eq!((status, refused), (200, 400));
    assert_eq!(
        last["output"].as_array().unwrap().len(),
        2,
        "reasoning and a text, no call"
    );
}

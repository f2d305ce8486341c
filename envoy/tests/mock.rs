//! The mock and the client against one another, without an Envoy between: what later tests take for given.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what tests are built of fails as they do, by panicking"
)]

#[path = "mock/apis.rs"]
mod apis;

use std::net::SocketAddr;

use serde_json::{Value, json};
use weir_envoy::client::{Client, Request, SseEvent};
use weir_envoy::mock::{Mock, Tokens};

fn both(addr: SocketAddr) -> [Client; 2] {
    [Client::http1(addr), Client::http2(addr)]
}

fn openai(stream: bool, include_usage: bool) -> Request {
    let mut body = json!({"model": "m-large", "stream": stream, "messages": [{"role": "user", "content": "Hi 水"}]});
    if let (true, Some(body)) = (include_usage, body.as_object_mut()) {
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    Request::post_json("/v1/chat/completions", &body).header("x-account-id", "a-1")
}

fn anthropic(stream: bool) -> Request {
    let body = json!({"model": "m-large", "stream": stream, "max_tokens": 9, "messages": []});
    Request::post_json("/v1/messages", &body).header("x-account-id", "a-1")
}

/// JSON of the events that have it; OpenAI's `[DONE]` has none.
fn data(events: &[SseEvent]) -> Vec<Value> {
    events
        .iter()
        .filter_map(|event| serde_json::from_str(&event.data).ok())
        .collect()
}

#[tokio::test]
async fn every_form_of_an_answer_tells_the_usage_that_the_ledger_books() {
    let mock = Mock::start().await.unwrap();
    for mut client in both(mock.addr()) {
        let whole = client
            .send(openai(false, false))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let events = client
            .send(openai(true, true))
            .await
            .unwrap()
            .events()
            .await
            .unwrap();

        let text: String = data(&events)
            .iter()
            .filter_map(|chunk| {
                chunk
                    .pointer("/choices/0/delta/content")?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        assert_eq!(whole["usage"]["completion_tokens"], 24);
        assert!(
            text.contains('🌊')
                && whole["choices"][0]["message"]["content"]
                    .as_str()
                    .unwrap()
                    .contains('🌊')
        );
        assert_eq!(whole["model"], "m-large");
        let last = data(&events).pop().unwrap();
        assert_eq!(last["choices"], json!([]));
        let served = mock.served().pop().unwrap();
        assert_eq!(last["usage"]["prompt_tokens"], served.usage.input);
        assert_eq!(last["usage"]["completion_tokens"], served.usage.output);
        assert!(served.complete);
    }
    assert_eq!((mock.count(), mock.tokens_of("a-1")), (4, mock.tokens()));
    assert_eq!(mock.tokens_of("nobody"), Tokens::default());
}

#[tokio::test]
async fn a_stream_whose_usage_nobody_asked_for_tells_none() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http1(mock.addr());

    let events = client
        .send(openai(true, false))
        .await
        .unwrap()
        .events()
        .await
        .unwrap();
    let silent = anthropic(true).header("x-mock-no-usage", "1");
    let silent = client.send(silent).await.unwrap().events().await.unwrap();

    assert!(
        data(&events)
            .iter()
            .all(|chunk| chunk.get("usage").is_none())
    );
    assert_eq!(events.last().unwrap().data, "[DONE]");
    assert!(silent.iter().all(|event| !event.data.contains("usage")));
    assert_eq!(mock.tokens(), Tokens::default());
}

#[tokio::test]
async fn an_anthropic_stream_has_its_events_in_order_however_it_is_cut() {
    let mock = Mock::start().await.unwrap();
    for (mut client, bytes) in both(mock.addr()).into_iter().zip(["1", "5"]) {
        let request = anthropic(true)
            .header("x-mock-split-bytes", bytes)
            .header("x-mock-events", "2");
        let events = client.send(request).await.unwrap().events().await.unwrap();

        let names: Vec<_> = events
            .iter()
            .filter_map(|event| event.name.as_deref())
            .collect();
        assert_eq!(
            names,
            [
                "message_start",
                "content_block_start",
                "ping",
                "content_block_delta",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop"
            ]
        );
        let delta = &data(&events)[6];
        assert_eq!(delta["usage"]["output_tokens"], 9);
        assert_eq!(delta["delta"]["stop_reason"], "max_tokens");
    }
}

#[tokio::test]
async fn errors_are_worded_as_the_provider_asked_words_them() {
    let mock = Mock::start().await.unwrap();
    let mut client = Client::http2(mock.addr());

    let openai = client
        .send(openai(true, true).header("x-mock-status", "500"))
        .await
        .unwrap();
    let anthropic = client
        .send(anthropic(true).header("x-mock-status", "429"))
        .await
        .unwrap();
    let broken = client
        .send(Request::post("/v1/messages", "{"))
        .await
        .unwrap();

    assert_eq!(
        (openai.status(), anthropic.status(), broken.status()),
        (500, 429, 400)
    );
    assert_eq!(openai.json().await.unwrap()["error"]["type"], "api_error");
    assert_eq!(anthropic.json().await.unwrap()["type"], "error");
    assert_eq!(mock.tokens(), Tokens::default());
    assert_eq!(mock.served()[0].status, Some(500));
}

#[tokio::test]
async fn a_body_arrives_whole_however_the_client_cuts_it() {
    let mock = Mock::start().await.unwrap();
    let body = json!({"model": "m", "text": "水🌊".repeat(50)}).to_string();
    let post = || Request::post("/v1/messages", body.clone());

    for mut client in both(mock.addr()) {
        for request in [
            post(),
            post().in_pieces_of(1),
            post().cut_at(&[1, 0, 26, 26, 30, 9_999]),
        ] {
            let answer = client.send(request).await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.bytes().await.unwrap();
        }
        assert_eq!(client.connections(), 1, "kept alive");
    }
    assert!(
        mock.served()
            .iter()
            .all(|served| served.body == body.as_bytes())
    );
}

use super::*;
use crate::denial::format::INTERRUPTED;
use crate::denial::tests::{ID, head};
use alloc::string::ToString;
use serde_json::Value;

/// Names and data of the events of a stream, as WHATWG HTML has a client read them.
fn events(stream: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(stream)
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut data) = (String::new(), Vec::new());
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    for line in whole.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (line, field) {
            ("", _) => {
                if !data.is_empty() {
                    events.push((core::mem::take(&mut name), data.join("\n")));
                }
                (name, data) = (String::new(), Vec::new());
            }
            (_, "event") => name = value.to_string(),
            (_, "data") => data.push(value.to_string()),
            _ => {}
        }
    }
    events
}

#[test]
fn a_stream_of_unnamed_events_ends_in_an_error_wherever_it_is_broken_off() {
    for (endpoint, newline) in [
        (Endpoint::OpenAiChat, "\n"),
        (Endpoint::OpenAiCompletions, "\r\n"),
        (Endpoint::OpenAiResponses, "\n"),
        (Endpoint::GeminiStream, "\r\n"),
    ] {
        let stream = ": ping\n\ndata: {\"a\": 1}\n\nevent: x\ndata: {\"b\": \"ä\"}\n\n";
        let stream = stream.replace('\n', newline);
        for cut in 0..=stream.len() {
            let (sent, _) = stream.as_bytes().split_at(cut);
            let mut broken = sent.to_vec();
            broken.extend(event(&head(endpoint), 7));

            let read = events(&broken);

            let whole = events(sent);
            assert_eq!(read[..whole.len()], whole, "what was complete stays");
            let (name, data) = read.last().unwrap();
            let error: Value = serde_json::from_str(data).unwrap();
            if endpoint == Endpoint::OpenAiResponses {
                let message = format!("{} (decision {ID})", INTERRUPTED);
                let expected = json!({"type": "error", "code": "response_interrupted",
                    "message": message, "param": null, "sequence_number": 7});
                assert_eq!((name.as_str(), error), ("error", expected), "at {cut}");
            } else {
                let message = error["error"]["message"].as_str().unwrap();
                assert!(message.contains("interrupted") && message.contains(ID));
            }
        }
    }
}

#[test]
fn a_stream_of_named_events_ends_in_an_event_named_error_wherever_it_is_broken_off() {
    for newline in ["\n", "\r\n"] {
        let stream =
            "event: ping\ndata: {\"type\": \"ping\"}\n\nevent: delta\ndata: {\"type\": \"ä\"}\n\n";
        let stream = stream.replace('\n', newline);
        for cut in 0..=stream.len() {
            let (sent, _) = stream.as_bytes().split_at(cut);
            let mut broken = sent.to_vec();
            broken.extend(event(&head(Endpoint::AnthropicMessages), 0));

            let read = events(&broken);

            let (name, data) = read.last().unwrap();
            assert_eq!(name, "error", "at {cut}");
            let last = data.lines().last().unwrap();
            let error: Value = serde_json::from_str(last).unwrap();
            assert_eq!(
                (&error["type"], &error["error"]["type"]),
                (&json!("error"), &json!("api_error"))
            );
            if events(sent) != events(&[sent, newline.as_bytes(), newline.as_bytes()].concat()) {
                continue; // Something of an event stands there already.
            }
            assert_eq!(
                data, last,
                "between events nothing stands before the error, at {cut}"
            );
        }
    }
}

#[test]
fn endpoints_without_streams_get_no_event() {
    assert_eq!(event(&head(Endpoint::Unknown), 0), b"");
}

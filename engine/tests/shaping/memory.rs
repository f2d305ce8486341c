//! What waits, and how much of it at most.
use super::shaped::{EVERYTHING, shaped, shaped_in};
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::ResponseShaper;

fn part(bytes: usize, rest: &str) -> String {
    let text = "x".repeat(bytes);
    format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"{rest}}}]}}}}]}}"#)
}

#[test]
fn a_thought_is_taken_out_as_long_as_its_text_fits() {
    let body = part(60 * 1024, r#","thought":true"#);

    let got = shaped_in(
        Endpoint::GeminiStream,
        EVERYTHING,
        body.as_bytes().chunks(1000),
    );

    assert_eq!(got.text(), part(0, r#","thought":true"#));
    assert!(got.changed && !got.lost);
}

#[test]
fn a_longer_thought_goes_on_and_is_told() {
    let body = part(70 * 1024, r#","thought":true"#);

    let got = shaped_in(
        Endpoint::GeminiStream,
        EVERYTHING,
        body.as_bytes().chunks(1000),
    );

    assert_eq!(got.text(), body);
    assert!(got.lost && !got.changed);
}

#[test]
fn an_answer_of_any_length_is_no_loss() {
    let body = part(700 * 1024, "");

    let got = shaped_in(
        Endpoint::GeminiStream,
        EVERYTHING,
        body.as_bytes().chunks(1000),
    );

    assert_eq!(got.text(), body);
    assert!(!got.lost && !got.changed);
}

#[test]
fn an_event_of_any_size_is_stripped_where_nothing_has_to_wait() {
    let token = r#"{"token":"a","logprob":-0.1,"bytes":[97],"top_logprobs":[]}"#;
    let tokens = [token; 10_000].join(",");
    let event = |logprobs: &str| format!("data: {{\"choices\":[{{\"logprobs\":{logprobs}}}]}}\n\n");
    let body = event(&format!(r#"{{"content":[{tokens}]}}"#));

    let mut shaper = ResponseShaper::new(Endpoint::OpenAiChat, EVERYTHING);
    let mut out = Vec::new();
    for chunk in body.as_bytes().chunks(1000) {
        shaper.feed(chunk, false, &mut out);
        assert_eq!(shaper.buffered(), 0);
    }

    assert_eq!(String::from_utf8(out).unwrap(), event("null"));
}

#[test]
fn many_small_texts_that_wait_are_bounded_too() {
    // Equal keys: each may be what the last of them says.
    let texts = r#""text":"x","#.repeat(50_000);
    let body =
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{{texts}"thought":true}}]}}}}]}}"#);

    let got = shaped_in(
        Endpoint::GeminiGenerate,
        EVERYTHING,
        body.as_bytes().chunks(777),
    );

    assert_eq!(got.text(), body);
    assert!(got.lost);
}

#[test]
fn one_object_that_waits_inside_of_another_is_decided_by_its_own_member() {
    let body = r#"{"delta":"a","part":{"text":"b","type":"reasoning_text"},"item":{"content":[{"text":"c","type":"output_text"},{"text":"d"}],"summary":[{"text":"e"}]},"text":"f","type":"response.reasoning_text.delta"}"#;

    let got = shaped_in(
        Endpoint::OpenAiResponses,
        EVERYTHING,
        body.as_bytes().chunks(1),
    );

    assert_eq!(
        got.text(),
        r#"{"delta":"","part":{"text":"","type":"reasoning_text"},"item":{"content":[{"text":"c","type":"output_text"},{"text":"d"}],"summary":[{"text":""}]},"text":"","type":"response.reasoning_text.delta"}"#
    );
}

#[test]
fn many_decided_objects_inside_of_one_that_waits_take_linear_time() {
    let part = r#"{"text":"b","type":"reasoning_text"},"#.repeat(1000);
    let parts = format!(r#"{{"delta":"a","item":{{"content":[{part}0]}},"x":["#);
    let body = format!("{parts}{}]}}", "0,".repeat(1_000_000));

    let got = shaped(Endpoint::OpenAiResponses, EVERYTHING, body.as_bytes());

    assert!(got.changed);
}

#[test]
fn every_byte_goes_on_with_its_chunk_where_nothing_is_to_be_decided() {
    let body = concat!(
        "event: content_block_delta\r\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\r\n\r\n",
        ": ping\r\n\r\n",
    );
    let mut shaper = ResponseShaper::new(Endpoint::AnthropicMessages, EVERYTHING);
    let mut out = Vec::new();

    for (index, chunk) in body.as_bytes().chunks(1).enumerate() {
        shaper.feed(chunk, false, &mut out);

        assert_eq!(out.len(), index + 1);
    }
    assert_eq!(out, body.as_bytes());
}

#[test]
fn an_event_that_breaks_off_holds_nothing_back_from_the_next_one() {
    let broken = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"\n\n";
    let whole = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true}]}}]}\n\n";
    let mut shaper = ResponseShaper::new(Endpoint::GeminiStream, EVERYTHING);
    let mut out = Vec::new();

    shaper.feed(broken.as_bytes(), false, &mut out);
    let after_broken = (out.len(), shaper.buffered(), shaper.lost());
    shaper.feed(whole.as_bytes(), true, &mut out);

    assert_eq!(after_broken, (broken.len(), 0, true));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out, format!("{broken}{}", whole.replace("\"a\"", "\"\"")));
}

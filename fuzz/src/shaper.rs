//! Stripped responses: the same however they are cut, still JSON, and different in what was stripped alone.
use crate::{Numbers, endpoint_of};
use serde_json::Value;
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::{ResponseShaper, Strip};
use weir_engine::usage::UsageMeter;

/// Bytes that may be held back.
const MOST_HELD: usize = 64 * 1024;

/// Members that may be blanked, wherever they stand.
const BLANKED: [&str; 12] = [
    "logprobs",
    "prompt_logprobs",
    "logprobsResult",
    "logprobs_result",
    "avgLogprobs",
    "avg_logprobs",
    "reasoning",
    "reasoning_content",
    "thinking",
    "summary",
    "text",
    "delta",
];

/// Endpoint from the first byte, what is stripped from the second, cuts from the third, response.
pub fn run(data: &[u8]) {
    let Some((&[endpoint, strip, cuts], response)) = data.split_first_chunk() else {
        return;
    };
    let endpoint = endpoint_of(endpoint);
    let strip = Strip {
        logprobs: strip & 1 != 0,
        reasoning: strip & 2 != 0,
    };
    let (whole, changed) = shaped(endpoint, strip, &[response]);
    let pieces = cut(response, u64::from(cuts));
    assert_eq!(
        shaped(endpoint, strip, &pieces),
        (whole.clone(), changed),
        "cuts changed the response"
    );
    assert!(whole.len() <= response.len().saturating_mul(2).saturating_add(8));
    assert!(changed || whole == response, "changed without saying so");
    let first = response
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(response)
        .trim_ascii_start()
        .first();
    match first {
        Some(b'{' | b'[') => {
            if let Ok(before) = serde_json::from_slice::<Value>(response) {
                let after: Value =
                    serde_json::from_slice(&whole).expect("what was JSON is JSON no more");
                same_but_blanked(None, &before, &after);
                assert_eq!(usage(endpoint, response), usage(endpoint, &whole));
            }
        }
        Some(b'd' | b'e' | b'i' | b'r' | b':') => events(response, &whole),
        _ => {}
    }
}

fn shaped(endpoint: Endpoint, strip: Strip, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut shaper = ResponseShaper::new(endpoint, strip);
    let mut out = Vec::new();
    for piece in pieces {
        shaper.feed(piece, false, &mut out);
        assert!(shaper.buffered() <= MOST_HELD);
    }
    shaper.feed(&[], true, &mut out);
    assert_eq!(shaper.buffered(), 0, "something was kept for good");
    (out, shaper.changed())
}

/// `response` in pieces, of a byte each or as a seed decides.
fn cut(response: &[u8], seed: u64) -> Vec<&[u8]> {
    let longest = [1, 2, 7, 64, 1000][usize::try_from(seed % 5).unwrap_or_default()];
    let mut numbers = Numbers(seed);
    let mut pieces = Vec::new();
    let mut rest = response;
    while !rest.is_empty() {
        let length = numbers.below(longest).saturating_add(1).min(rest.len());
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn usage(endpoint: Endpoint, response: &[u8]) -> weir_engine::usage::Usage {
    let mut meter = UsageMeter::new(endpoint);
    meter.feed(response);
    assert!(meter.buffered() <= MOST_HELD);
    meter.usage(true)
}

/// Events keep their lines, and those of one line what was not stripped.
fn events(before: &[u8], after: &[u8]) {
    let (before, after) = (lines(before), lines(after));
    assert_eq!(before.len(), after.len(), "lines were added or dropped");
    let mut rest = before.iter().zip(&after).peekable();
    while rest.peek().is_some() {
        let event: Vec<_> = rest
            .by_ref()
            .take_while(|(before, _)| !before.is_empty())
            .collect();
        let data = |line: &[u8]| line.strip_prefix(b"data:").map(<[u8]>::to_vec);
        let mut whole = event
            .iter()
            .filter(|(before, _)| before.starts_with(b"data"));
        let is_one_line = whole.by_ref().count() == 1;
        for (before, after) in event.iter().filter(|(before, after)| before != after) {
            let (Some(before), Some(after)) = (data(before), data(after)) else {
                panic!("a line changed that is no data");
            };
            // A line of several is no value of its own, even where it looks like one.
            if let (true, Ok(before)) = (is_one_line, serde_json::from_slice::<Value>(&before)) {
                let after: Value =
                    serde_json::from_slice(&after).expect("data that was JSON is JSON no more");
                same_but_blanked(None, &before, &after);
            }
        }
    }
}

/// The lines of a stream without their ends, which are a line feed, a carriage return or both.
fn lines(stream: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = stream;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let (line, after) = rest.split_at(end);
        lines.push(line);
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.get(1..))
            .unwrap_or_default();
    }
    lines.push(rest);
    lines
}

/// `key` is that of the member which holds the values.
fn same_but_blanked(key: Option<&str>, before: &Value, after: &Value) {
    if before == after {
        return;
    }
    let is_blank = match after {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if is_blank && key.is_some_and(|key| BLANKED.contains(&key)) {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            assert!(before.keys().eq(after.keys()), "members changed");
            for ((key, before), after) in before.iter().zip(after.values()) {
                same_but_blanked(Some(key), before, after);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "items changed");
            for (before, after) in before.iter().zip(after) {
                same_but_blanked(None, before, after);
            }
        }
        _ => panic!("a value changed that is not stripped, under {key:?}"),
    }
}

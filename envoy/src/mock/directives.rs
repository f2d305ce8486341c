//! How a request steers the mock.
use std::str::FromStr;
use std::time::Duration;

use hyper::{HeaderMap, StatusCode};

/// What the `x-mock-*` headers of a request ask for. Absent or unreadable ones ask for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `x-mock-status`: answer with this status and the provider's error body instead.
    pub status: Option<StatusCode>,
    /// `x-mock-answer`: give the answer of this number, with its ids, texts and usage, whatever the bytes of the
    /// request are, so that answers to a shaped and to an unshaped request can be compared.
    pub answer: Option<u64>,
    /// `x-mock-abort-after-events`: break the connection off after so many events of a stream (0 for JSON: at once).
    pub abort_after_events: Option<usize>,
    /// `x-mock-delay-ms`: wait before each event of a stream, or once before a JSON answer.
    pub delay: Duration,
    /// `x-mock-output-tokens`: use so many output tokens, up to 1,000,000.
    pub output_tokens: Option<u32>,
    /// `x-mock-events`: spread the text of a stream over so many content events, up to 10,000.
    pub events: Option<usize>,
    /// `x-mock-split-bytes`: write a stream in pieces of so many bytes, whatever they cut.
    pub split_bytes: Option<usize>,
    /// `x-mock-tool-calls`: call the tool so many times in one answer, 1 to 100, where one is called.
    pub tool_calls: Option<usize>,
    /// `x-mock-reasoning-text` (any value): show reasoning in its own words besides a summary, as open models do.
    pub reasoning_text: bool,
    /// `x-mock-no-usage` (any value): leave usage out.
    pub no_usage: bool,
}

impl Directives {
    /// What `headers` ask for.
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            status: number(headers, "x-mock-status")
                .and_then(|code: u16| StatusCode::from_u16(code).ok()),
            answer: number(headers, "x-mock-answer"),
            abort_after_events: number(headers, "x-mock-abort-after-events"),
            delay: Duration::from_millis(number(headers, "x-mock-delay-ms").unwrap_or(0)),
            output_tokens: number(headers, "x-mock-output-tokens").map(|n: u32| n.min(1_000_000)),
            events: number(headers, "x-mock-events").map(|n: usize| n.min(10_000)),
            split_bytes: number(headers, "x-mock-split-bytes").filter(|n| *n > 0),
            tool_calls: number(headers, "x-mock-tool-calls").map(|n: usize| n.clamp(1, 100)),
            reasoning_text: headers.contains_key("x-mock-reasoning-text"),
            no_usage: headers.contains_key("x-mock-no-usage"),
        }
    }
}

fn number<N: FromStr>(headers: &HeaderMap, name: &str) -> Option<N> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

//! What both deciders make of a recorded exchange, so that they are asked the same.
use crate::trace::TraceLine;
use std::borrow::Cow;

/// Name under which the host announces each exchange.
const REQUEST_ID: &str = "x-request-id";

/// The request's headers as Envoy would hand them over: pseudo headers first, and an `x-request-id`,
/// which Envoy makes up where there is none; here it is the line's number, so that a replay repeats.
pub(super) fn request_headers<'a>(
    line: u64,
    exchange: &'a TraceLine<'_>,
) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut headers = Vec::with_capacity(exchange.headers.len() + 5);
    headers.push((":method", Cow::Borrowed(&*exchange.method)));
    headers.push((":path", Cow::Borrowed(&*exchange.path)));
    headers.push((":scheme", Cow::Borrowed("http")));
    if !exchange.headers.iter().any(|(name, _)| name == "host") {
        headers.push((":authority", Cow::Borrowed("replay")));
    }
    for (name, value) in &exchange.headers {
        let name = if name == "host" {
            ":authority"
        } else {
            &**name
        };
        headers.push((name, Cow::Borrowed(&**value)));
    }
    if !exchange.headers.iter().any(|(name, _)| name == REQUEST_ID) {
        headers.push((REQUEST_ID, Cow::Owned(line.to_string())));
    }
    headers
}

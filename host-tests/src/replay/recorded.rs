//! What both deciders make of a recorded exchange, so that they are asked the same.
use crate::trace::TraceLine;
use std::borrow::Cow;

/// Name under which the host announces each exchange.
const REQUEST_ID: &str = "x-request-id";

/// Which Envoy adds where there is none, and without which its router answers 404.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The request's headers as Envoy would hand them over: pseudo headers first, and `x-forwarded-proto` and
/// `x-request-id`, which Envoy makes up where there is none; here the latter is the line's number, so that a
/// replay repeats.
pub(super) fn request_headers<'a>(
    line: u64,
    exchange: &'a TraceLine<'_>,
) -> Vec<(&'a str, Cow<'a, str>)> {
    let mut headers = Vec::with_capacity(exchange.headers.len() + 6);
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
    let has = |header| exchange.headers.iter().any(|(name, _)| name == header);
    if !has(FORWARDED_PROTO) {
        headers.push((FORWARDED_PROTO, Cow::Borrowed("http")));
    }
    if !has(REQUEST_ID) {
        headers.push((REQUEST_ID, Cow::Owned(line.to_string())));
    }
    headers
}

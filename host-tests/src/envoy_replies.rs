//! What Envoy itself says in place of a cluster that says nothing.
use crate::exchange::Message;
use crate::header_map::HeaderMap;

/// To a call whose connection was refused.
pub(crate) const CONNECTION_REFUSED: &str = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: Connection refused";
/// To a call whose connection broke before the answer.
pub(crate) const CONNECTION_CLOSED: &str = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
/// To a call that took too long.
pub(crate) const TIMEOUT: &str = "upstream request timeout";

/// A local reply as a callout gets it.
pub(crate) fn local_reply(status: u16, text: &str) -> Message {
    let headers = HeaderMap::from([
        (":status", status.to_string()),
        ("content-length", text.len().to_string()),
        ("content-type", "text/plain".to_owned()),
    ]);
    Message::new(headers, text)
}

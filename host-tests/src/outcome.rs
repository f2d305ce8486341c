//! What became of a stream, as its client, its upstream and its logs tell it.
use crate::header_map::HeaderMap;
use crate::log::LogLine;
use crate::stream_state::StreamState;

/// How a stream ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The whole response reached the client.
    Complete,
    /// The client saw the connection (HTTP/1) or stream (HTTP/2) break, maybe after part of a response.
    Reset,
    /// Nothing would ever have happened again: in Envoy only a timeout ends such a stream.
    Stranded(Stranding),
    /// The client went away first.
    Left,
}

/// Why a stream is stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranding {
    /// The filter paused the request and nobody continued it.
    Request,
    /// The filter paused the response and nobody continued it.
    Response,
    /// `content-length` promises the upstream more bytes than it got.
    RequestTooShort,
    /// `content-length` promises the client more bytes than it got.
    ResponseTooShort,
    /// A call of the guest never returned: Envoy's worker stands still, with all of its streams.
    WorkerHangs,
}

/// What one side received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Empty when nothing was sent.
    pub headers: HeaderMap,
    /// The body, or the part of it that was sent.
    pub body: Vec<u8>,
    /// Trailers, if any were sent.
    pub trailers: Option<HeaderMap>,
    /// Whether the end was sent.
    pub complete: bool,
}

/// One stream from the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What the client got.
    pub downstream: Sent,
    /// What the upstream got.
    pub upstream: Sent,
    /// Envoy's response code: the client's status, or the one that arrived from the upstream and was held back.
    pub code: Option<u16>,
    /// Envoy's response code details: who ended the stream and why. Empty for an ordinary response.
    pub details: String,
    /// Whether there are details, if only empty ones.
    pub details_told: bool,
    /// What `set_property` left, as Envoy names it: `wasm.` + path; in the order of the first write.
    pub filter_state: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the guest logged in this stream's callbacks.
    pub log: Vec<LogLine>,
}

impl Outcome {
    /// The status that the client got.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.downstream.headers.get(":status")?)
            .ok()?
            .parse()
            .ok()
    }
    /// The filter state under `key`, e.g. `wasm.weir.decision`.
    pub fn filter_state(&self, key: &str) -> Option<&[u8]> {
        self.filter_state
            .iter()
            .find(|(own, _)| own == key.as_bytes())
            .map(|(_, value)| value.as_slice())
    }
    pub(crate) fn of(mut stream: Box<StreamState>) -> Self {
        let end = stream.end.unwrap_or(End::Left);
        let code = stream.status();
        let downstream = match stream.direct_reply.take() {
            Some((headers, body)) => Sent {
                headers,
                body,
                trailers: None,
                complete: true,
            },
            None => sent(&mut stream.response),
        };
        Self {
            end,
            code,
            downstream,
            upstream: sent(&mut stream.request),
            details: std::mem::take(&mut stream.details),
            details_told: stream.details_told,
            filter_state: std::mem::take(&mut stream.filter_state),
            log: std::mem::take(&mut stream.log),
        }
    }
}

fn sent(path: &mut crate::stream_state::Path) -> Sent {
    if !path.headers_forwarded {
        return Sent::default();
    }
    Sent {
        headers: path.take_forwarded_headers(),
        body: std::mem::take(&mut path.body_forwarded),
        trailers: path.trailers_forwarded.take(),
        complete: path.complete,
    }
}

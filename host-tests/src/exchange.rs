//! Whole exchanges: a request in, what became of it out.
use std::num::NonZeroUsize;

use crate::attributes::Attributes;
use crate::handle::HandleId;
use crate::header_map::HeaderMap;
use crate::outcome::{End, Outcome, Stranding};
use crate::stream::Stream;
use crate::worker::Worker;

/// Headers, body and trailers of a request or a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// With pseudo headers.
    pub headers: HeaderMap,
    /// May be empty; then headers (or trailers) end the message.
    pub body: Vec<u8>,
    /// Sent after the body.
    pub trailers: Option<HeaderMap>,
}

impl Message {
    /// A message without trailers.
    pub fn new(headers: HeaderMap, body: impl Into<Vec<u8>>) -> Self {
        Self {
            headers,
            body: body.into(),
            trailers: None,
        }
    }
    /// A response with `status` and a `content-length`.
    pub fn response(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = [
            (":status", status.to_string()),
            ("content-length", body.len().to_string()),
        ];
        Self::new(HeaderMap::from(headers), body)
    }
}

/// What the upstream does once it has the whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// Answers.
    Answers(Message),
    /// Breaks the connection before it answers: Envoy makes a 503 of it.
    Resets,
    /// Breaks the connection after `sent` bytes of the answer's body.
    BreaksOff {
        /// The answer it began.
        answer: Message,
        /// Bytes of its body that arrive; fewer if it is shorter.
        sent: usize,
    },
}

/// What the client does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Client {
    /// Waits for the end.
    #[default]
    Stays,
    /// Leaves after having sent this many bytes of its body (or all of it).
    LeavesAfterSending(usize),
    /// Leaves once it has got this many bytes of the response's body (or all of it).
    LeavesAfterReceiving(usize),
}

/// How bodies are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunking {
    /// Bytes of a piece at most.
    pub bytes: NonZeroUsize,
    /// Whether the end comes as an empty piece of its own, as with HTTP/1, or with the last one.
    pub separate_end: bool,
}

impl Default for Chunking {
    /// Envoy's HTTP/1 reads: 16 KiB and a separate end.
    fn default() -> Self {
        Self {
            bytes: NonZeroUsize::MIN.saturating_add((16 << 10) - 1),
            separate_end: true,
        }
    }
}

/// A request with everything that happens to it outside of the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the client sends.
    pub request: Message,
    /// What the upstream does, if it is asked.
    pub upstream: Upstream,
    /// What the client does.
    pub client: Client,
    /// How the request's body is cut.
    pub request_chunks: Chunking,
    /// How the response's body is cut.
    pub response_chunks: Chunking,
    /// What properties tell.
    pub attributes: Attributes,
    /// A request that the filter holds when all of it has come goes on as if its time had come: what a
    /// replay needs, in which no time passes during an exchange.
    pub holds_no_request: bool,
}

impl Exchange {
    /// `request`, answered by `upstream`, everything else as usual.
    pub fn new(request: Message, upstream: Upstream) -> Self {
        Self {
            request,
            upstream,
            client: Client::default(),
            request_chunks: Chunking::default(),
            response_chunks: Chunking::default(),
            attributes: Attributes::default(),
            holds_no_request: false,
        }
    }
    /// A `GET` without body, answered by an empty 200.
    pub fn get(path: &str) -> Self {
        Self::new(
            Message::new(request_headers("GET", path), Vec::new()),
            Upstream::Answers(Message::response(200, "")),
        )
    }
    /// A `POST` of JSON, answered by an empty 200.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut headers = request_headers("POST", path);
        headers.append("content-type", "application/json");
        headers.append("content-length", body.len().to_string());
        Self::new(
            Message::new(headers, body),
            Upstream::Answers(Message::response(200, "")),
        )
    }
    /// The same with another answer.
    #[must_use]
    pub fn answered_by(mut self, response: Message) -> Self {
        self.upstream = Upstream::Answers(response);
        self
    }
    /// The same with another header in the request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.append(name, value);
        self
    }
}

fn request_headers(method: &str, path: &str) -> HeaderMap {
    HeaderMap::from([
        (":authority", "api.example"),
        (":path", path),
        (":method", method),
        (":scheme", "http"),
        ("x-forwarded-proto", "http"),
    ])
}

impl Worker {
    /// Runs a whole exchange. The upstream acts once it has the whole request. Where the stream stands still
    /// and callouts are under way, time passes to their answers, and timers run meanwhile; otherwise no time
    /// passes, so a stream that is still paused at the end is [`End::Stranded`].
    pub fn exchange(&mut self, exchange: &Exchange) -> Outcome {
        self.exchange_of(self.current, exchange)
    }
    /// [`Worker::exchange`] with one of the worker's plugins.
    pub(crate) fn exchange_of(&mut self, plugin: HandleId, exchange: &Exchange) -> Outcome {
        let stream = self.stream_of(plugin, exchange.attributes.clone());
        let outcome = stream.run_exchange(exchange);
        self.settle();
        outcome
    }
}

impl Stream<'_> {
    fn run_exchange(self, exchange: &Exchange) -> Outcome {
        let mut stream = self;
        let sent = stream.send_request(exchange);
        stream.wait_while(Stream::request_stands_still);
        if stream.has_ended() {
            return stream.close();
        }
        if let Sent::ClientLeft = sent {
            return stream.close();
        }
        if exchange.holds_no_request && stream.request_stands_still() {
            stream.let_request_go();
        }
        if !stream.is_answered_locally() {
            if !stream.request_is_complete() {
                return stream.close_stranded(Stranding::Request);
            }
            match stream.promised_request_excess() {
                Some(Excess::Short) => return stream.close_stranded(Stranding::RequestTooShort),
                Some(Excess::Long) => stream.upstream_reset(),
                None => stream.receive_response(exchange),
            }
        }
        if stream.has_ended() {
            return stream.close().checked(exchange);
        }
        if let Client::LeavesAfterReceiving(_) = exchange.client {
            return stream.close();
        }
        stream.wait();
        if stream.has_ended() {
            return stream.close().checked(exchange);
        }
        stream.close_stranded(Stranding::Response)
    }
}

enum Sent {
    All,
    ClientLeft,
}

/// A body does not have the length that its headers promise.
enum Excess {
    Short,
    Long,
}

impl Stream<'_> {
    fn request_stands_still(&self) -> bool {
        !self.has_ended() && !self.is_answered_locally() && !self.request_is_complete()
    }
    fn send_request(&mut self, exchange: &Exchange) -> Sent {
        let Message {
            headers,
            body,
            trailers,
        } = &exchange.request;
        let (body, leaves) = match exchange.client {
            Client::LeavesAfterSending(bytes) => (body.get(..bytes).unwrap_or(body), true),
            _ => (body.as_slice(), false),
        };
        self.request_headers(headers, body.is_empty() && trailers.is_none() && !leaves);
        for (chunk, ends) in pieces(body, exchange.request_chunks, trailers.is_none() && !leaves) {
            if self.has_ended() || self.is_answered_locally() {
                return Sent::All;
            }
            self.request_body(chunk, ends);
        }
        if leaves {
            return Sent::ClientLeft;
        }
        if let Some(trailers) = trailers {
            self.request_trailers(trailers);
        }
        Sent::All
    }

    fn receive_response(&mut self, exchange: &Exchange) {
        let (answer, cut) = match &exchange.upstream {
            Upstream::Answers(answer) => (answer, None),
            Upstream::Resets => return self.upstream_reset(),
            Upstream::BreaksOff { answer, sent } => (answer, Some(*sent)),
        };
        let Message {
            headers,
            body,
            trailers,
        } = answer;
        let body = cut.and_then(|sent| body.get(..sent)).unwrap_or(body);
        self.response_headers(
            headers,
            body.is_empty() && trailers.is_none() && cut.is_none(),
        );
        for (chunk, ends) in pieces(
            body,
            exchange.response_chunks,
            trailers.is_none() && cut.is_none(),
        ) {
            if let Client::LeavesAfterReceiving(bytes) = exchange.client
                && self.response_body_sent() >= bytes
            {
                return;
            }
            self.response_body(chunk, ends);
        }
        if cut.is_some() {
            self.upstream_reset();
        } else if let Some(trailers) = trailers {
            self.response_trailers(trailers);
        }
    }

    /// Whether the upstream has the request, as long as its headers promise.
    pub(crate) fn upstream_has_request(&self) -> bool {
        self.request_is_complete() && !matches!(self.promised_request_excess(), Some(Excess::Short))
    }
    fn promised_request_excess(&self) -> Option<Excess> {
        let request = &self.state()?.request;
        let headers = request
            .headers_as_forwarded
            .as_ref()
            .unwrap_or(&request.headers);
        excess(headers, request.body_forwarded.len())
    }
}

fn excess(headers: &HeaderMap, sent: usize) -> Option<Excess> {
    let promised: usize = std::str::from_utf8(headers.get("content-length")?)
        .ok()?
        .parse()
        .ok()?;
    match promised.cmp(&sent) {
        std::cmp::Ordering::Less => Some(Excess::Long),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Excess::Short),
    }
}

impl Outcome {
    /// A client that was promised more than it got still waits; one that got more sees a broken stream.
    fn checked(mut self, exchange: &Exchange) -> Self {
        let bodiless =
            exchange.request.headers.get(":method") == Some(b"HEAD") || self.status() == Some(304);
        if self.end == End::Complete && !bodiless {
            self.end = match excess(&self.downstream.headers, self.downstream.body.len()) {
                None => End::Complete,
                Some(Excess::Short) => End::Stranded(Stranding::ResponseTooShort),
                Some(Excess::Long) => End::Reset,
            };
        }
        self
    }
}

/// The pieces of a body with whether each ends the message; nothing for an empty body.
fn pieces(body: &[u8], chunking: Chunking, ends: bool) -> impl Iterator<Item = (&[u8], bool)> {
    let count = body.len().div_ceil(chunking.bytes.get());
    let with_last = ends && !chunking.separate_end;
    let end = (ends && chunking.separate_end && !body.is_empty()).then_some((&[][..], true));
    body.chunks(chunking.bytes.get())
        .enumerate()
        .map(move |(at, chunk)| (chunk, with_last && at + 1 == count))
        .chain(end)
}

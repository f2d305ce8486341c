//! A request under construction.
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::http;
use serde_json::Value;

use super::body::Pieces;

/// One request: method, path, headers and the pieces of its body.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    pieces: Vec<Bytes>,
    pause: Duration,
}

impl Request {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path, Vec::new())
    }

    /// A POST of JSON, in one piece with its length.
    pub fn post_json(path: impl Into<String>, body: &Value) -> Self {
        Self::post(path, body.to_string()).header("content-type", "application/json")
    }

    /// A POST of any bytes, without a content type.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new("POST", path, vec![body.into()])
    }

    /// Any method, without a body.
    pub fn method(method: &'static str, path: impl Into<String>) -> Self {
        Self::new(method, path, Vec::new())
    }

    fn new(method: &'static str, path: impl Into<String>, pieces: Vec<Bytes>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            pieces,
            pause: Duration::ZERO,
        }
    }

    /// One more header; a name may come more than once.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body in pieces of `bytes`, each a write of its own and without a content length; characters may be cut.
    #[must_use]
    pub fn in_pieces_of(mut self, bytes: usize) -> Self {
        let whole = self.pieces.concat();
        self.pieces = whole
            .chunks(bytes.max(1))
            .map(Bytes::copy_from_slice)
            .collect();
        self
    }

    /// The body cut before each of these offsets, in order; offsets past the end cut nothing.
    #[must_use]
    pub fn cut_at(mut self, offsets: &[usize]) -> Self {
        let mut rest = Bytes::from(self.pieces.concat());
        let mut pieces = Vec::new();
        let mut done = 0;
        for offset in offsets {
            let length = offset.saturating_sub(done);
            if length > 0 && length < rest.len() {
                pieces.push(rest.split_to(length));
                done = *offset;
            }
        }
        pieces.push(rest);
        self.pieces = pieces;
        self
    }

    /// Waits this long before every piece but the first.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    pub(super) fn into_http(
        self,
        addr: SocketAddr,
        http2: bool,
    ) -> Result<http::Request<Pieces>, http::Error> {
        let mut builder = http::Request::builder().method(self.method);
        // HTTP/2 takes scheme and authority from the URI, HTTP/1.1 a path and the host header.
        builder = if http2 {
            builder
                .uri(format!("http://{addr}{}", self.path))
                .version(http::Version::HTTP_2)
        } else {
            builder.uri(self.path).header("host", addr.to_string())
        };
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        builder.body(Pieces::new(self.pieces, self.pause))
    }
}

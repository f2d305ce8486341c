//! HTTP as it stands on the wire: clients and servers that say exactly what they are told to, and write down
//! exactly what they get.
//!
//! It exists because libraries decide too much: which headers may be sent and in which order, whether two pieces
//! become one, when a message ends, what is too malformed to be shown. What differs there is what a comparison of
//! two proxies is about. It is no HTTP implementation for anything else: no TLS, no priorities, no push.
mod client;
mod http1;
mod http2;
mod message;
mod server;
mod tape;

pub use client::RawClient;
pub use message::{Close, End, Fields, Incoming, Outgoing};
pub use server::{Reaction, Responder, Served, Server, Service, Talk};
pub use tape::{Tape, Watch};

/// An HTTP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

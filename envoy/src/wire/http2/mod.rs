//! HTTP/2 by hand: frames, header compression, flow control of what is sent.
//!
//! Receiving has windows that never close: everything is written down at once.
mod assembly;
mod frame;
mod hpack;
mod huffman;
mod link;

pub(crate) use assembly::{Assembly, Event};
pub(crate) use frame::read_frame;
pub(crate) use link::Link;

/// What a client says first.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

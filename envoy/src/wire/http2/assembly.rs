//! Events of streams out of frames.
use super::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, RST_STREAM,
    SETTINGS, WINDOW_UPDATE,
};
use super::hpack::Decoder;
use crate::wire::message::Fields;

/// What a frame, or a run of them, means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Headers or trailers.
    Headers {
        stream: u32,
        fields: Fields,
        ends: bool,
    },
    /// A piece of a body.
    Data {
        stream: u32,
        bytes: Vec<u8>,
        ends: bool,
    },
    /// The peer gave a stream up.
    Reset { stream: u32 },
    /// The peer's settings, by number.
    Settings(Vec<(u16, u32)>),
    /// To be sent back.
    Ping(Vec<u8>),
    /// More may be sent.
    Window { stream: u32, by: u32 },
    /// The connection is about to end.
    GoAway,
    /// Nothing that anybody has to act on, or only a part of something.
    Nothing,
    /// No HTTP/2; the connection is of no use.
    Broken,
}

/// Header blocks under way, and the state that decodes them.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    decoder: Decoder,
    block: Vec<u8>,
    ends: bool,
}

impl Assembly {
    pub(crate) fn take(&mut self, frame: Frame) -> Event {
        let stream = frame.stream;
        match frame.kind {
            HEADERS => {
                self.block = frame.content().to_vec();
                self.ends = frame.has(END_STREAM);
                self.close_block(&frame)
            }
            CONTINUATION => {
                self.block.extend_from_slice(&frame.payload);
                self.close_block(&frame)
            }
            DATA => Event::Data {
                stream,
                bytes: frame.content().to_vec(),
                ends: frame.has(END_STREAM),
            },
            RST_STREAM => Event::Reset { stream },
            SETTINGS if !frame.has(ACK) => Event::Settings(settings(&frame.payload)),
            PING if !frame.has(ACK) => Event::Ping(frame.payload),
            WINDOW_UPDATE => match <[u8; 4]>::try_from(frame.payload.as_slice()) {
                Ok(by) => Event::Window {
                    stream,
                    by: u32::from_be_bytes(by),
                },
                Err(_) => Event::Broken,
            },
            GOAWAY => Event::GoAway,
            _ => Event::Nothing,
        }
    }

    fn close_block(&mut self, frame: &Frame) -> Event {
        if !frame.has(END_HEADERS) {
            return Event::Nothing;
        }
        match self.decoder.decode(&std::mem::take(&mut self.block)) {
            Some(fields) => Event::Headers {
                stream: frame.stream,
                fields,
                ends: self.ends,
            },
            None => Event::Broken,
        }
    }
}

fn settings(payload: &[u8]) -> Vec<(u16, u32)> {
    payload
        .chunks_exact(6)
        .filter_map(|setting| {
            let [a, b, c, d, e, f] = <[u8; 6]>::try_from(setting).ok()?;
            Some((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
        })
        .collect()
}

//! The sending half of a connection: frames in order, data as windows allow.
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};

use super::assembly::Event;
use super::frame::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, PING, RST_STREAM,
    SETTING_INITIAL_WINDOW, SETTING_MAX_FRAME, SETTINGS, WINDOW_UPDATE,
};
use super::hpack;
use crate::wire::message::{Close, Fields, Outgoing};

/// RFC 9113, 6.5.2 and 6.9.2: what holds until the peer says otherwise.
const FIRST_WINDOW: i64 = 65_535;
const FIRST_MAX_FRAME: usize = 16_384;
/// The widest window there is.
const WIDEST: u32 = 0x7fff_ffff;
/// INTERNAL_ERROR: of a stream that a server gives up. REFUSED_STREAM would invite retries.
const INTERNAL_ERROR: u32 = 2;

/// What may be sent.
#[derive(Debug)]
struct Windows {
    connection: i64,
    initial: i64,
    streams: BTreeMap<u32, i64>,
    max_frame: usize,
}

/// Sends frames on one connection; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    out: mpsc::UnboundedSender<Frame>,
    windows: Arc<watch::Sender<Windows>>,
}

impl Link {
    /// The link, and what must run for it to send: the preface, the settings, and then everything. The settings
    /// are in line from the start: an acknowledgement that overtakes them ends the connection.
    pub(crate) fn new(
        to: OwnedWriteHalf,
        preface: &'static [u8],
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (out, frames) = mpsc::unbounded_channel();
        let windows = Windows {
            connection: FIRST_WINDOW,
            initial: FIRST_WINDOW,
            streams: BTreeMap::new(),
            max_frame: FIRST_MAX_FRAME,
        };
        let link = Self {
            out,
            windows: Arc::new(watch::Sender::new(windows)),
        };
        link.open();
        (link, write(to, preface, frames))
    }

    /// A failed connection shows on its reading half.
    fn send(&self, frame: Frame) {
        let _ = self.out.send(frame);
    }

    /// The first frames of either side: windows that never close.
    fn open(&self) {
        let mut settings = SETTING_INITIAL_WINDOW.to_be_bytes().to_vec();
        settings.extend(WIDEST.to_be_bytes());
        self.send(Frame::new(SETTINGS, 0, 0, settings));
        let more = WIDEST - 65_535; // to what the connection has at first
        self.send(Frame::new(WINDOW_UPDATE, 0, 0, more.to_be_bytes()));
    }

    /// Answers what belongs to the connection as a whole.
    pub(crate) fn react(&self, event: &Event) {
        match event {
            Event::Settings(settings) => {
                self.windows.send_modify(|windows| {
                    for (setting, value) in settings {
                        windows.set(*setting, *value);
                    }
                });
                self.send(Frame::new(SETTINGS, ACK, 0, []));
            }
            Event::Ping(payload) => self.send(Frame::new(PING, ACK, 0, payload.clone())),
            Event::Window { stream, by } => self.windows.send_modify(|windows| {
                let initial = windows.initial;
                let window = match stream {
                    0 => &mut windows.connection,
                    stream => windows.streams.entry(*stream).or_insert(initial),
                };
                *window = window.saturating_add(i64::from(*by));
            }),
            // The stream's own window is as wide as a stream of tests ever needs.
            Event::Data { bytes, .. } if !bytes.is_empty() => {
                let by = u32::try_from(bytes.len()).unwrap_or(WIDEST);
                self.send(Frame::new(WINDOW_UPDATE, 0, 0, by.to_be_bytes()));
            }
            _ => {}
        }
    }

    pub(crate) fn headers(&self, stream: u32, fields: &Fields, ends: bool) {
        let block = hpack::encode(fields);
        let mut kind = HEADERS;
        let mut flags = if ends { END_STREAM } else { 0 };
        let mut parts = block.chunks(FIRST_MAX_FRAME).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                flags |= END_HEADERS;
            }
            self.send(Frame::new(kind, flags, stream, part));
            (kind, flags) = (CONTINUATION, 0);
        }
    }

    /// One frame for the piece, where windows and the peer's frame size allow; several, as they allow, where not.
    pub(crate) async fn data(&self, stream: u32, piece: &[u8], ends: bool) {
        let mut left = piece;
        loop {
            let granted = self.grant(stream, left.len()).await;
            let (now, later) = left.split_at_checked(granted).unwrap_or((left, &[]));
            let last = later.is_empty();
            let flags = if last && ends { END_STREAM } else { 0 };
            self.send(Frame::new(DATA, flags, stream, now));
            if last {
                return;
            }
            left = later;
        }
    }

    /// Takes up to `bytes` out of the windows, at least one as soon as there is one; nothing needs nothing.
    async fn grant(&self, stream: u32, bytes: usize) -> usize {
        let mut seen = self.windows.subscribe();
        loop {
            let mut granted = None;
            self.windows.send_if_modified(|windows| {
                granted = windows.take(stream, bytes);
                false // less to send is no news for anybody
            });
            if let Some(granted) = granted {
                return granted;
            }
            if seen.changed().await.is_err() {
                return 0;
            }
        }
    }

    pub(crate) fn reset(&self, stream: u32) {
        self.send(Frame::new(
            RST_STREAM,
            0,
            stream,
            INTERNAL_ERROR.to_be_bytes(),
        ));
    }

    /// A whole message.
    pub(crate) async fn message(&self, stream: u32, message: &Outgoing) {
        self.headers(stream, &message.headers, message.ends_with_headers());
        let ends_with_data = !message.has_trailers() && message.close == Close::WithLast;
        let mut pieces = message.pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            let ends = ends_with_data && pieces.peek().is_none();
            self.data(stream, piece, ends).await;
        }
        if message.has_trailers() {
            self.headers(stream, &message.trailers, true);
            return;
        }
        match message.close {
            Close::Separately => self.data(stream, &[], true).await,
            Close::Reset => self.reset(stream),
            Close::WithLast | Close::Never => {}
        }
    }
}

impl Windows {
    fn set(&mut self, setting: u16, value: u32) {
        match setting {
            SETTING_INITIAL_WINDOW => {
                let change = i64::from(value).saturating_sub(self.initial);
                self.initial = i64::from(value);
                for window in self.streams.values_mut() {
                    *window = window.saturating_add(change);
                }
            }
            SETTING_MAX_FRAME => self.max_frame = usize::try_from(value).unwrap_or(FIRST_MAX_FRAME),
            _ => {}
        }
    }

    fn take(&mut self, stream: u32, bytes: usize) -> Option<usize> {
        if bytes == 0 {
            return Some(0);
        }
        let initial = self.initial;
        let own = self.streams.entry(stream).or_insert(initial);
        let open = usize::try_from((*own).min(self.connection)).unwrap_or(0);
        let granted = bytes.min(open).min(self.max_frame);
        if granted == 0 {
            return None;
        }
        let taken = i64::try_from(granted).unwrap_or_default();
        *own = own.saturating_sub(taken);
        self.connection = self.connection.saturating_sub(taken);
        Some(granted)
    }
}

async fn write(
    mut to: OwnedWriteHalf,
    preface: &'static [u8],
    mut frames: mpsc::UnboundedReceiver<Frame>,
) {
    if to.write_all(preface).await.is_err() {
        return;
    }
    while let Some(frame) = frames.recv().await {
        let mut bytes = frame.to_bytes();
        while let Ok(more) = frames.try_recv() {
            bytes.extend(more.to_bytes());
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::wire::http2::read_frame;

    #[tokio::test]
    async fn settings_come_before_an_acknowledgement_however_fast_the_peer_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let (_from, to) = near.into_split();
        let (link, writing) = Link::new(to, &[]);

        link.react(&Event::Settings(Vec::new()));
        drop(link);
        writing.await;

        let mut settings = Vec::new();
        while let Ok(frame) = read_frame(&mut far).await {
            if frame.kind == SETTINGS {
                settings.push(frame.flags);
            }
        }
        assert_eq!(settings, [0, ACK]);
    }
}

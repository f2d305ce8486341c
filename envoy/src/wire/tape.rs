//! An incoming message that others watch while it arrives.
use std::sync::Arc;

use tokio::sync::watch;

use super::message::{End, Fields, Incoming};

/// Watches a message arrive.
pub type Watch = watch::Receiver<Incoming>;

/// What one message is written down on.
#[derive(Clone, Debug)]
pub struct Tape(Arc<watch::Sender<Incoming>>);

impl Default for Tape {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Incoming::default())))
    }
}

impl Tape {
    /// To see it grow.
    pub fn watch(&self) -> Watch {
        self.0.subscribe()
    }
    /// What is there by now.
    pub fn now(&self) -> Incoming {
        self.0.borrow().clone()
    }
    pub(crate) fn has_headers(&self) -> bool {
        !self.0.borrow().headers.is_empty()
    }
    pub(crate) fn headers(&self, fields: Fields) {
        self.0.send_modify(|message| message.headers = fields);
    }
    pub(crate) fn data(&self, bytes: &[u8]) {
        self.0
            .send_modify(|message| message.body.extend_from_slice(bytes));
    }
    pub(crate) fn trailers(&self, fields: Fields) {
        self.0
            .send_modify(|message| message.trailers = Some(fields));
    }
    /// The first end counts: a stream that is reset after it was complete stays complete.
    pub(crate) fn end(&self, end: End) {
        self.0.send_if_modified(|message| {
            let open = message.end == End::Open;
            if open {
                message.end = end;
            }
            open
        });
    }
}

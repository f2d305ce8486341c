//! A request body that leaves in the pieces that the caller chose.
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The pieces still to send. One piece has a length and is sent at once; several are sent each in a write of its
/// own (a chunk in HTTP/1.1, a DATA frame in HTTP/2), with `pause` before every one but the first.
pub(crate) struct Pieces {
    left: VecDeque<Bytes>,
    whole: bool,
    pause: Duration,
    /// Some while the pause before the next piece runs.
    pausing: Option<Pin<Box<Sleep>>>,
    first: bool,
}

impl Pieces {
    pub(crate) fn new(pieces: Vec<Bytes>, pause: Duration) -> Self {
        let whole = pieces.len() <= 1;
        Self {
            left: pieces.into(),
            whole,
            pause,
            pausing: None,
            first: true,
        }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if !self.first {
            // Even no pause ends one poll: that is what makes hyper write the piece before.
            let pause = self.pause;
            let pausing = self.pausing.get_or_insert_with(|| Box::pin(sleep(pause)));
            if pausing.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.pausing = None;
        }
        self.first = false;
        Poll::Ready(self.left.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.whole {
            SizeHint::with_exact(self.left.front().map_or(0, |piece| piece.len() as u64))
        } else {
            SizeHint::default()
        }
    }
}

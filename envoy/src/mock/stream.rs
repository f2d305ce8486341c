//! A response body that is written part by part, with pauses, cuts and an early end where asked for.
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::answer::Part;
use super::directives::Directives;
use super::ledger::{Ledger, Receipt, Tokens};

/// The receiving half, which hyper writes out.
#[derive(Debug)]
pub(super) struct Paced {
    /// The next write; an error breaks the connection off.
    writes: mpsc::Receiver<io::Result<Bytes>>,
    length: Option<usize>,
}

impl Paced {
    /// One complete body.
    pub(super) fn of(body: Bytes) -> Self {
        let length = Some(body.len());
        let (sender, writes) = mpsc::channel(1);
        let _ = sender.try_send(Ok(body)); // an empty channel takes one
        Self { writes, length }
    }

    /// Begins to produce `parts` beside the connection, and books in the ledger what was handed over.
    pub(super) fn start(
        parts: Vec<Part>,
        length: Option<usize>,
        directives: &Directives,
        ledger: &Arc<Ledger>,
        receipt: Receipt,
    ) -> Self {
        let (sender, writes) = mpsc::channel(1);
        tokio::spawn(produce(
            parts,
            sender,
            *directives,
            length.is_none(),
            Arc::clone(ledger),
            receipt,
        ));
        Self { writes, length }
    }
}

async fn produce(
    parts: Vec<Part>,
    sender: mpsc::Sender<io::Result<Bytes>>,
    directives: Directives,
    streaming: bool,
    ledger: Arc<Ledger>,
    receipt: Receipt,
) {
    let account = ledger.account(receipt);
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.into_iter().enumerate() {
        if directives.abort_after_events == Some(index) {
            let _ = sender
                .send(Err(io::Error::other("the mock was told to break off")))
                .await;
            return;
        }
        if streaming && !directives.delay.is_zero() {
            sleep(directives.delay).await;
        }
        let mut rest = part.bytes;
        while !rest.is_empty() {
            let chunk = rest.split_to(directives.split_bytes.unwrap_or(usize::MAX).min(rest.len()));
            // A closed channel is a client that left.
            let Ok(permit) = sender.reserve().await else {
                return;
            };
            // Booked before the last byte leaves: who has read the answer finds it in the ledger.
            if rest.is_empty() {
                if part.usage != Tokens::default() {
                    ledger.usage(receipt, account.as_deref(), part.usage);
                }
                if index == last {
                    ledger.complete(receipt);
                }
            }
            permit.send(Ok(chunk));
            yield_now().await; // so that each is a write of its own
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.writes
            .poll_recv(context)
            .map(|write| write.map(|write| write.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, |length| {
            SizeHint::with_exact(length as u64)
        })
    }
}

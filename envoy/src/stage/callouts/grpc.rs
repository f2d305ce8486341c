//! The gRPC service `test.Probe`, by hand: messages are bytes, whatever they mean.
use std::time::Duration;

use crate::wire::{End, Fields, Outgoing, Reaction, Responder, Served, Service, Talk, Tape, Watch};

/// Flag and length in front of each message.
const PREFIX: usize = 5;

/// Methods `Unary`, `Stream`, `Headers` and `Fail`; others are unimplemented.
pub(super) struct Probe;

impl Service for Probe {
    fn begin(&self, head: &Fields) -> Served {
        let path = super::of_head(head, ":path");
        let reaction = match path.strip_prefix("/test.Probe/") {
            Some("Unary" | "Stream") => {
                Reaction::Converse(|request, to| echo(request, to, &[], &[]))
            }
            Some("Headers") => Reaction::Converse(|request, to| {
                echo(request, to, &[("x-initial", "1")], &[("x-trailing", "1")])
            }),
            Some("Fail") => refusal("7", "no"),
            _ => refusal("12", "no such method"),
        };
        Served {
            tape: Tape::default(),
            reaction,
            pause: Duration::ZERO,
        }
    }
}

/// Headers that are the end at once, as gRPC says no.
fn refusal(status: &str, message: &str) -> Reaction {
    Reaction::Answer(Outgoing::head(&[
        (":status", "200"),
        ("content-type", "application/grpc"),
        ("grpc-status", status),
        ("grpc-message", message),
    ]))
}

type Pairs = &'static [(&'static str, &'static str)];

fn owned(pairs: &[&[(&str, &str)]]) -> Fields {
    pairs
        .concat()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Sends back each message as soon as it is there, and ends when the client does.
fn echo(mut request: Watch, to: Responder, initial: Pairs, trailing: Pairs) -> Talk {
    Box::pin(async move {
        let head: Pairs = &[(":status", "200"), ("content-type", "application/grpc")];
        to.headers(&owned(&[head, initial]), false);
        let mut done = 0;
        loop {
            let (messages, end) = {
                let now = request.borrow_and_update();
                let new = now.body.get(done..).unwrap_or_default();
                (complete(new).to_vec(), now.end)
            };
            if !messages.is_empty() {
                to.data(&messages).await;
                done = done.saturating_add(messages.len());
            }
            match end {
                End::Open if request.changed().await.is_ok() => {}
                End::Complete => {
                    to.headers(&owned(&[&[("grpc-status", "0")], trailing]), true);
                    return;
                }
                End::Open | End::Reset => return,
            }
        }
    })
}

/// The complete messages that `bytes` begin with.
fn complete(bytes: &[u8]) -> &[u8] {
    let mut end = 0_usize;
    while let Some([_, a, b, c, d]) = bytes.get(end..end.saturating_add(PREFIX)) {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        let next = end.saturating_add(PREFIX).saturating_add(length);
        if next > bytes.len() {
            break;
        }
        end = next;
    }
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_it_is_complete() {
        assert_eq!(complete(b"\0\0\0\0\x02hi\0\0\0\0\x01"), b"\0\0\0\0\x02hi");
        assert_eq!(complete(b"\0\0"), b"");
    }
}

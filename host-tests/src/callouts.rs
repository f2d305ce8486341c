//! The calls of one VM that wait for their answers, and the answer that its callback may look at.
//!
//! Every call belongs to a root context, as in Envoy: the stream that made it may be long gone when
//! the answer comes. Tokens are numbered by kind in their two low bits and are never used again.
use std::collections::BTreeMap;
use std::time::Duration;

use weir_engine::time::Timestamp;

use crate::exchange::Message;
use crate::flow::lifecycle::after;
use crate::grpc_calls::GrpcCalls;
use crate::header_map::HeaderMap;

/// The kinds of calls; the number is what the two low bits of a token say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http = 0,
    GrpcCall = 1,
    GrpcStream = 2,
}

const KIND_MASK: u32 = 0b11;
const TOKEN_STEP: u32 = 4;

impl Kind {
    /// What `token` says; 3 is nothing.
    pub(crate) const fn of(token: u32) -> Option<Self> {
        match token & KIND_MASK {
            0 => Some(Self::Http),
            1 => Some(Self::GrpcCall),
            2 => Some(Self::GrpcStream),
            _ => None,
        }
    }
}

/// What reaches the guest.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A response, or what Envoy answered in its place.
    Http(Message),
    /// Initial metadata of a gRPC stream; empty where none came.
    GrpcInitial(HeaderMap),
    /// A gRPC message.
    GrpcMessage(Vec<u8>),
    /// Trailing metadata of a gRPC stream.
    GrpcTrailing(HeaderMap),
    /// The end of a gRPC stream, or of a call that failed.
    GrpcClose { status: u32, message: String },
}

/// A callback that is to be made.
pub(crate) struct Due {
    pub(crate) token: u32,
    pub(crate) root: u32,
    /// `None`: it will never happen.
    at: Option<Timestamp>,
    /// Whether a stream that stands still waits for it.
    awaited: bool,
    pub(crate) event: Event,
}

/// What a root context can read while its callback runs.
#[derive(Default)]
enum Shown {
    #[default]
    Nothing,
    Http(Message),
    Initial(HeaderMap),
    Body(Vec<u8>),
    Trailing(HeaderMap),
}

/// All of a VM's calls.
#[derive(Default)]
pub(crate) struct Callouts {
    last_token: [u32; 3],
    /// In the order in which they were made.
    waiting: Vec<Due>,
    pub(crate) grpc: GrpcCalls,
    /// The root whose callback runs, and what it sees.
    shown: (u32, Shown),
    /// Calls made now follow from an answer that a stream waits for.
    answering: bool,
    /// By root context: the code and the message of the last failure.
    status: BTreeMap<u32, (u32, String)>,
}

impl Callouts {
    /// A token is spent even when the call then fails.
    pub(crate) fn next_token(&mut self, kind: Kind) -> u32 {
        let Some(last) = self.last_token.get_mut(kind as usize) else {
            return 0;
        };
        *last = last.wrapping_add(TOKEN_STEP);
        *last | kind as u32
    }
    /// Plans `event` for `token`; at its due time those that were planned first come first.
    pub(crate) fn plan(&mut self, root: u32, token: u32, at: Option<Timestamp>, event: Event) {
        self.waiting.push(Due {
            token,
            root,
            at,
            awaited: self.answering,
            event,
        });
    }
    /// Nothing more comes for `token`.
    pub(crate) fn forget(&mut self, token: u32) {
        self.waiting.retain(|due| due.token != token);
    }
    /// When the next answer comes.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.iter().filter_map(|due| due.at).min()
    }
    /// Takes what is due first at `now`.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let (at, _) = self
            .waiting
            .iter()
            .enumerate()
            .filter_map(|(at, due)| Some((at, due.at?)))
            .filter(|(_, due)| *due <= now)
            .min_by_key(|(at, due)| (*due, *at))?;
        Some(self.waiting.remove(at))
    }
    /// A stream stands still: whatever is on its way now may move it.
    pub(crate) fn await_all(&mut self) {
        for due in &mut self.waiting {
            due.awaited = true;
        }
    }
    /// Whether something that is awaited will come.
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting
            .iter()
            .any(|due| due.awaited && due.at.is_some())
    }
    /// Forgets all calls of a root context that ends.
    pub(crate) fn cancel_root(&mut self, root: u32) {
        self.waiting.retain(|due| due.root != root);
        self.grpc.cancel_root(root);
        self.status.remove(&root);
    }

    /// A callback begins in which `event` can be read; a failure is what `proxy_get_status` tells from now on.
    pub(crate) fn show(&mut self, root: u32, event: Event) {
        self.answering = true;
        let shown = match event {
            Event::Http(message) => Shown::Http(message),
            Event::GrpcInitial(headers) => Shown::Initial(headers),
            Event::GrpcMessage(message) => Shown::Body(message),
            Event::GrpcTrailing(headers) => Shown::Trailing(headers),
            Event::GrpcClose { status, message } => {
                self.status.insert(root, (status, message));
                Shown::Nothing
            }
        };
        self.shown = (root, shown);
    }
    /// The callback is over: nothing can be read any more, and of a failure only its code.
    pub(crate) fn hide(&mut self) {
        let (root, _) = std::mem::take(&mut self.shown);
        if let Some((_, message)) = self.status.get_mut(&root) {
            message.clear();
        }
    }
    /// What the callback asked for has been done.
    pub(crate) fn end_answer(&mut self) {
        self.answering = false;
    }
    fn shown(&self, root: u32) -> &Shown {
        match &self.shown {
            (own, shown) if *own == root => shown,
            _ => &Shown::Nothing,
        }
    }
    pub(crate) fn http_headers(&self, root: u32) -> Option<&HeaderMap> {
        match self.shown(root) {
            Shown::Http(message) => Some(&message.headers),
            _ => None,
        }
    }
    pub(crate) fn http_trailers(&self, root: u32) -> Option<&HeaderMap> {
        match self.shown(root) {
            Shown::Http(message) => message.trailers.as_ref(),
            _ => None,
        }
    }
    pub(crate) fn http_body(&self, root: u32) -> Option<&[u8]> {
        match self.shown(root) {
            Shown::Http(message) => Some(&message.body),
            _ => None,
        }
    }
    pub(crate) fn grpc_initial(&self, root: u32) -> Option<&HeaderMap> {
        match self.shown(root) {
            Shown::Initial(headers) => Some(headers),
            _ => None,
        }
    }
    pub(crate) fn grpc_trailing(&self, root: u32) -> Option<&HeaderMap> {
        match self.shown(root) {
            Shown::Trailing(headers) => Some(headers),
            _ => None,
        }
    }
    pub(crate) fn grpc_message(&self, root: u32) -> Option<&Vec<u8>> {
        match self.shown(root) {
            Shown::Body(message) => Some(message),
            _ => None,
        }
    }
    pub(crate) fn grpc_message_mut(&mut self, root: u32) -> Option<&mut Vec<u8>> {
        match &mut self.shown {
            (own, Shown::Body(message)) if *own == root => Some(message),
            _ => None,
        }
    }
    /// Code and message of `proxy_get_status`.
    pub(crate) fn status(&self, root: u32) -> (u32, &str) {
        self.status
            .get(&root)
            .map_or((0, ""), |(code, message)| (*code, message))
    }
}

/// The earlier of an answer that takes `latency` and a timeout; whether it is the timeout.
pub(crate) fn due(
    now: Timestamp,
    latency: Option<Duration>,
    timeout: Option<Duration>,
) -> (Option<Timestamp>, bool) {
    match (latency, timeout) {
        (Some(latency), Some(timeout)) if timeout < latency => (Some(after(now, timeout)), true),
        (Some(latency), _) => (Some(after(now, latency)), false),
        (None, Some(timeout)) => (Some(after(now, timeout)), true),
        (None, None) => (None, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event::Http(Message::default())
    }

    #[test]
    fn tokens_count_in_fours_and_tell_their_kind() {
        let mut callouts = Callouts::default();

        let mut next = |kind| callouts.next_token(kind);
        let http = [next(Kind::Http), next(Kind::Http), next(Kind::Http)];
        let grpc = [next(Kind::GrpcCall), next(Kind::GrpcStream)];

        assert_eq!((http, grpc), ([4, 8, 12], [5, 6]));
        assert_eq!(Kind::of(402), Some(Kind::GrpcStream));
        assert_eq!(Kind::of(3), None);
    }

    #[test]
    fn what_is_due_first_comes_first_and_what_was_planned_first_among_equals() {
        let at = |ns| Some(Timestamp::from_unix_nanos(ns));
        let mut callouts = Callouts::default();
        for (token, due) in [(4, at(5)), (8, at(3)), (12, at(3)), (16, None)] {
            callouts.plan(1, token, due, event());
        }

        assert_eq!(callouts.next_due(), at(3));
        let now = Timestamp::from_unix_nanos(5);
        let order: Vec<_> = std::iter::from_fn(|| callouts.take_due(now))
            .map(|due| due.token)
            .collect();
        assert_eq!(order, [8, 12, 4]);
    }

    #[test]
    fn a_timeout_wins_only_when_it_is_earlier() {
        let now = Timestamp::from_unix_nanos(10);
        let ns = |ns| Some(Duration::from_nanos(ns));
        let at = |ns| Some(Timestamp::from_unix_nanos(ns));

        assert_eq!(due(now, ns(2), ns(1)), (at(11), true));
        assert_eq!(due(now, ns(1), ns(2)), (at(11), false));
        assert_eq!(due(now, None, ns(2)), (at(12), true));
        assert_eq!(due(now, None, None), (None, true));
    }
}

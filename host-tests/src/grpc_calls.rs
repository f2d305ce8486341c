//! gRPC calls and streams that a guest has open, and what the guest may still do with them.
//!
//! As observed on Envoy 1.40: a stream whose server has ended stays known until the guest closes it, and takes
//! messages that go nowhere; one that the guest closed is known until the server ends; cancelling forgets at once.
use std::collections::BTreeMap;
use std::time::Duration;

use crate::callouts::Kind;
use crate::clusters::Answer;
use crate::grpc_service::GrpcMethod;
use crate::status::Status;
use std::sync::Arc;

/// Who is at the other end.
#[derive(Clone)]
pub(crate) enum Peer {
    /// Reacts to each message.
    Server(GrpcMethod),
    /// Answers once the whole request is there, as a plain HTTP server.
    Http(Arc<Answer>),
    /// Takes everything and says nothing.
    Mute,
}

/// An open call or stream.
#[derive(Clone)]
pub(crate) struct Open {
    root: u32,
    pub(crate) peer: Peer,
    pub(crate) latency: Duration,
    /// `/service/method`.
    pub(crate) path: String,
    /// The messages sent so far, as they go over the wire; kept for [`Peer::Http`].
    pub(crate) sent: Vec<u8>,
    /// The guest's direction has ended: nothing it sends is heard.
    ended: bool,
    /// `proxy_grpc_close` was called.
    local_closed: bool,
    remote_closed: bool,
}

impl Open {
    pub(crate) fn new(root: u32, peer: Peer, latency: Duration, path: String) -> Self {
        Self {
            root,
            peer,
            latency,
            path,
            sent: Vec::new(),
            ended: false,
            local_closed: false,
            remote_closed: false,
        }
    }
}

/// By token.
#[derive(Default)]
pub(crate) struct GrpcCalls(BTreeMap<u32, Open>);

impl GrpcCalls {
    pub(crate) fn open(&mut self, token: u32, open: Open) {
        self.0.insert(token, open);
    }
    pub(crate) fn cancel_root(&mut self, root: u32) {
        self.0.retain(|_, open| open.root != root);
    }
    /// Forgets a call or stream of `root`.
    pub(crate) fn cancel(&mut self, root: u32, token: u32) -> Result<(), Status> {
        if !matches!(Kind::of(token), Some(Kind::GrpcCall | Kind::GrpcStream)) {
            return Err(Status::BadArgument);
        }
        self.find(root, token)?;
        self.0.remove(&token);
        Ok(())
    }
    /// The guest sends no more: a call is forgotten, a stream once its server has ended too. Gives the stream when
    /// its server hears the end by this.
    pub(crate) fn close(&mut self, root: u32, token: u32) -> Result<Option<Open>, Status> {
        if Kind::of(token) != Some(Kind::GrpcStream) {
            return self.cancel(root, token).map(|()| None);
        }
        let open = self.find(root, token)?;
        open.local_closed = true;
        let heard = !open.ended && !open.remote_closed;
        open.ended = true;
        let heard = heard.then(|| open.clone());
        if open.remote_closed {
            self.0.remove(&token);
        }
        Ok(heard)
    }
    /// A message of the guest; gives the stream when its server hears it.
    pub(crate) fn send(
        &mut self,
        root: u32,
        token: u32,
        frame: &[u8],
        ends: bool,
    ) -> Result<Option<Open>, Status> {
        if Kind::of(token) != Some(Kind::GrpcStream) {
            return Err(Status::BadArgument);
        }
        let open = self.find(root, token)?;
        if open.ended || open.remote_closed {
            return Ok(None);
        }
        open.ended = ends;
        if matches!(open.peer, Peer::Http(_)) {
            open.sent.extend_from_slice(frame);
        }
        Ok(Some(open.clone()))
    }
    /// The server has ended.
    pub(crate) fn remote_ends(&mut self, token: u32) {
        if let Some(open) = self.0.get_mut(&token) {
            open.remote_closed = true;
        }
    }
    /// After the callback of an end, or of a call's only message.
    pub(crate) fn settle(&mut self, token: u32) {
        let over = Kind::of(token) == Some(Kind::GrpcCall)
            || self.0.get(&token).is_some_and(|open| open.local_closed);
        if over {
            self.0.remove(&token);
        }
    }
    fn find(&mut self, root: u32, token: u32) -> Result<&mut Open, Status> {
        self.0
            .get_mut(&token)
            .filter(|open| open.root == root)
            .ok_or(Status::NotFound)
    }
}

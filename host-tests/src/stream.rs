//! Driving one stream callback by callback.
//!
//! [`Worker::exchange`] is enough for most uses; this is for what lies between callbacks: ticks,
//! interleaved streams, a client that leaves.
use crate::flow::Direction;
use crate::header_map::HeaderMap;
use crate::local_reply::LocalReply;
use crate::outcome::{End, Outcome, Stranding};
use crate::stream_state::StreamState;
use crate::worker::Worker;

/// Names a stream of a worker while no [`Stream`] borrows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId {
    pub(crate) vm: u32,
    pub(crate) context: u32,
}

/// An open stream. Dropping it leaves the stream open (see [`Worker::resume_stream`]); only
/// [`Stream::close`] ends it.
pub struct Stream<'worker> {
    pub(crate) worker: &'worker mut Worker,
    pub(crate) id: StreamId,
}

impl Stream<'_> {
    /// The name under which [`Worker::resume_stream`] finds it.
    pub const fn id(&self) -> StreamId {
        self.id
    }
    /// The id the guest knows.
    pub const fn context_id(&self) -> u32 {
        self.id.context
    }
    /// The request's headers arrive, pseudo headers included.
    pub fn request_headers(&mut self, headers: &HeaderMap, ends: bool) {
        self.headers(Direction::Request, headers, ends);
    }
    /// A piece of the request's body arrives.
    pub fn request_body(&mut self, data: &[u8], ends: bool) {
        self.data(Direction::Request, data, ends);
    }
    /// The request's trailers arrive and end it.
    pub fn request_trailers(&mut self, trailers: &HeaderMap) {
        self.trailers(Direction::Request, trailers);
    }
    /// The response's headers arrive, `:status` included. Ignored when a local reply came first.
    pub fn response_headers(&mut self, headers: &HeaderMap, ends: bool) {
        if self.takes_response() {
            self.headers(Direction::Response, headers, ends);
        }
    }
    /// A piece of the response's body arrives.
    pub fn response_body(&mut self, data: &[u8], ends: bool) {
        if self.takes_response() {
            self.data(Direction::Response, data, ends);
        }
    }
    /// The response's trailers arrive and end it.
    pub fn response_trailers(&mut self, trailers: &HeaderMap) {
        if self.takes_response() {
            self.trailers(Direction::Response, trailers);
        }
    }
    /// The upstream connection breaks: a 503 from Envoy before response headers, a reset after them.
    pub fn upstream_reset(&mut self) {
        self.upstream_breaks("connection termination", "connection termination");
    }
    /// [`Stream::upstream_reset`] for the reason that Envoy gives before response headers, or after them.
    pub(crate) fn upstream_breaks(&mut self, before: &str, after: &str) {
        if !self.takes_response() {
            return;
        }
        let name = |reason: &str| reason.replace(' ', "_");
        let reply = LocalReply {
            status: 503,
            details: format!("upstream_reset_before_response_started{{{}}}", name(before)),
            body: format!(
                "upstream connect error or disconnect/reset before headers. reset reason: {before}"
            )
            .into_bytes(),
            ..LocalReply::default()
        };
        let details = format!("upstream_reset_after_response_started{{{}}}", name(after));
        self.with(|vm, id| {
            let started = vm
                .stream_mut(id)
                .is_some_and(|stream| stream.response.headers_arrived);
            match vm.stream_mut(id) {
                // The client has nothing yet, so that Envoy can still answer.
                Some(stream) if started && !stream.response.headers_forwarded => {
                    stream.reply_directly(LocalReply { details, ..reply });
                }
                Some(stream) if started => stream.reset(&details),
                _ => vm.reply(id, reply),
            }
        });
    }
    /// Whether the client has its whole answer or lost its connection.
    pub fn has_ended(&self) -> bool {
        self.state().is_none_or(|stream| stream.end.is_some())
    }
    /// Whether the upstream has the whole request.
    pub fn request_is_complete(&self) -> bool {
        self.state().is_some_and(|stream| stream.request.complete)
    }
    /// Whether the request's headers went on to the upstream.
    pub fn request_has_started(&self) -> bool {
        self.state()
            .is_some_and(|stream| stream.request.headers_forwarded)
    }
    /// Whether a local reply took the request's place.
    pub fn is_answered_locally(&self) -> bool {
        self.state().is_some_and(|stream| stream.replied)
    }
    /// The request goes on, as if the filter had continued it.
    pub(crate) fn let_request_go(&mut self) {
        self.with(|vm, id| {
            if let Some(stream) = vm.stream_mut(id) {
                stream.hide_request();
            }
            vm.resume(id, Direction::Request);
        });
    }
    /// Body bytes that the client has got so far.
    pub fn response_body_sent(&self) -> usize {
        self.state()
            .map_or(0, |stream| stream.response.body_forwarded.len())
    }
    /// Ends the stream: `on_log`, `on_done`, `on_delete`. If it had not ended, the client left.
    pub fn close(self) -> Outcome {
        self.close_as(End::Left)
    }
    /// [`Stream::close`] for a stream that nothing will move again.
    pub(crate) fn close_stranded(self, why: Stranding) -> Outcome {
        self.close_as(End::Stranded(why))
    }
    fn close_as(self, end: End) -> Outcome {
        let Self { worker, id } = self;
        let end = match worker.hangs() {
            true => End::Stranded(Stranding::WorkerHangs),
            false => end,
        };
        if let Some(stream) = worker.stream_state_mut(id)
            && stream.end.is_none()
        {
            stream.end = Some(end);
            stream.set_details("downstream_remote_disconnect");
        }
        worker.close_stream(id)
    }

    fn takes_response(&self) -> bool {
        self.state()
            .is_some_and(|stream| !stream.replied && stream.end.is_none())
    }
    pub(crate) fn state(&self) -> Option<&StreamState> {
        self.worker.stream_state(self.id)
    }
    fn headers(&mut self, direction: Direction, headers: &HeaderMap, ends: bool) {
        self.with(|vm, id| {
            if let Some(stream) = vm.stream_mut(id) {
                stream.path_mut(direction).headers.clone_from(headers);
            }
            vm.deliver_headers(id, direction, ends);
        });
    }
    fn data(&mut self, direction: Direction, data: &[u8], ends: bool) {
        self.with(|vm, id| vm.deliver_data(id, direction, data, ends));
    }
    fn trailers(&mut self, direction: Direction, trailers: &HeaderMap) {
        self.with(|vm, id| {
            if let Some(stream) = vm.stream_mut(id) {
                stream.path_mut(direction).trailers.clone_from(trailers);
            }
            vm.deliver_trailers(id, direction);
        });
    }
    /// Nothing reaches a stream of a thread that stands still.
    fn with(&mut self, deliver: impl FnOnce(&mut crate::vm::Vm, u32)) {
        if self.worker.hangs() {
            return;
        }
        if let Some(vm) = self.worker.vm_mut(self.id.vm) {
            deliver(vm, self.id.context);
        }
    }
}

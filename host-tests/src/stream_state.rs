//! One stream as Envoy's filter manager and Wasm context see it, between two calls of the guest.
use weir_engine::time::Timestamp;

use crate::attributes::Attributes;
use crate::flow::Direction;
use crate::header_map::HeaderMap;
use crate::local_reply::{LocalReply, RequestKind};
use crate::log::LogLine;
use crate::outcome::End;

/// Whether data moves past the filter in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Iteration {
    #[default]
    Going,
    /// Later data is still shown to the filter (Envoy's `StopIteration` and the data stops).
    StoppedOnce,
    /// Later data is held and shown when the stream continues (`StopAllIteration...`).
    StoppedAll,
}

/// One direction of a stream.
#[derive(Default)]
pub(crate) struct Path {
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    /// Whether they have arrived (or were created) at all.
    pub(crate) headers_arrived: bool,
    pub(crate) trailers_arrived: bool,
    /// Whether the filter may reach them now: Envoy's pointers being set.
    pub(crate) headers_shown: bool,
    pub(crate) chunk_shown: bool,
    pub(crate) trailers_shown: bool,
    /// The data of the current callback.
    pub(crate) chunk: Vec<u8>,
    /// Data that waits for the stream to continue; exists even when empty once `holding`.
    pub(crate) held: Vec<u8>,
    /// Body bytes that came from the sender.
    pub(crate) received: u64,
    pub(crate) holding: bool,
    /// The last body callback paused, so the filter sees all that is held.
    pub(crate) buffering: bool,
    pub(crate) iteration: Iteration,
    /// The stream goes on after a stop of everything: what is held is shown to the filter first.
    pub(crate) from_filter: bool,
    /// Continuations on top of one another.
    pub(crate) nested: u32,
    /// The chunk that is shown is what is held.
    pub(crate) chunk_is_held: bool,
    /// What is held has no limit.
    pub(crate) streaming: bool,
    /// The sender has finished.
    pub(crate) ended: bool,
    /// The filter has been shown the end: it is shown nothing more.
    pub(crate) filter_ended: bool,
    pub(crate) headers_forwarded: bool,
    /// What was forwarded, should the filter write to the headers afterwards.
    pub(crate) headers_as_forwarded: Option<HeaderMap>,
    /// As the receiver got them.
    pub(crate) trailers_forwarded: Option<HeaderMap>,
    pub(crate) body_forwarded: Vec<u8>,
    /// The receiver has everything.
    pub(crate) complete: bool,
}

impl Path {
    /// The body buffer that the filter may reach now.
    pub(crate) fn body(&self) -> Option<&Vec<u8>> {
        if self.buffering || (self.chunk_shown && self.chunk_is_held) {
            Some(&self.held)
        } else if self.chunk_shown {
            Some(&self.chunk)
        } else {
            None
        }
    }
    pub(crate) fn body_mut(&mut self) -> Option<&mut Vec<u8>> {
        if self.buffering || (self.chunk_shown && self.chunk_is_held) {
            Some(&mut self.held)
        } else if self.chunk_shown {
            Some(&mut self.chunk)
        } else {
            None
        }
    }
    /// Moves the current data to what is held.
    pub(crate) fn hold_chunk(&mut self) {
        self.holding = true;
        if self.held.is_empty() {
            std::mem::swap(&mut self.held, &mut self.chunk);
        } else {
            self.held.extend_from_slice(&self.chunk);
        }
        self.chunk.clear();
    }
    /// Headers as the receiver got them.
    pub(crate) fn take_forwarded_headers(&mut self) -> HeaderMap {
        match self.headers_as_forwarded.take() {
            Some(headers) => headers,
            None => std::mem::take(&mut self.headers),
        }
    }
}

pub(crate) struct StreamState {
    pub(crate) root: u32,
    pub(crate) started: Timestamp,
    pub(crate) request: Path,
    pub(crate) response: Path,
    pub(crate) in_vm: bool,
    /// The end-of-stream flag of the latest headers or body callback.
    pub(crate) end_of_stream: bool,
    pub(crate) logging: bool,
    /// A local reply answers the request: the request goes no further.
    pub(crate) replied: bool,
    /// The code of the local reply, which for gRPC is not the one that the client gets.
    pub(crate) reply_code: Option<u32>,
    /// Of the request as it arrived.
    pub(crate) request_kind: RequestKind,
    /// The VM failed and the stream was answered for it: its callbacks are over.
    pub(crate) failed: bool,
    /// There is no filter for this stream: it began after the VM had failed.
    pub(crate) skips_filter: bool,
    /// A reply that went past the filter.
    pub(crate) direct_reply: Option<(HeaderMap, Vec<u8>)>,
    pub(crate) end: Option<End>,
    pub(crate) details: String,
    /// Somebody has given details, if only empty ones.
    pub(crate) details_told: bool,
    pub(crate) filter_state: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) attributes: Attributes,
    pub(crate) log: Vec<LogLine>,
}

impl StreamState {
    /// The request is shown no longer: Envoy drops its pointers to it whichever direction continues.
    pub(crate) fn hide_request(&mut self) {
        self.request.headers_shown = false;
        self.request.chunk_shown = false;
        self.request.trailers_shown = false;
    }

    pub(crate) fn new(root: u32, started: Timestamp, attributes: Attributes) -> Self {
        Self {
            root,
            started,
            request: Path::default(),
            response: Path::default(),
            in_vm: false,
            end_of_stream: false,
            logging: false,
            replied: false,
            reply_code: None,
            request_kind: RequestKind::default(),
            failed: false,
            skips_filter: false,
            direct_reply: None,
            end: None,
            details: String::new(),
            details_told: false,
            filter_state: Vec::new(),
            attributes,
            log: Vec::new(),
        }
    }
    pub(crate) fn path(&self, direction: Direction) -> &Path {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
    pub(crate) fn path_mut(&mut self, direction: Direction) -> &mut Path {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }
    /// Whether an upstream has answered it.
    pub(crate) fn has_upstream(&self) -> bool {
        self.request.headers_forwarded && self.response.headers_arrived && !self.replied
    }
    /// Whether nothing in `direction` reaches the filter any more.
    pub(crate) fn is_over(&self, direction: Direction) -> bool {
        self.end.is_some() || (direction == Direction::Request && self.replied)
    }
    /// The status that the client got, or is about to get.
    pub(crate) fn status(&self) -> Option<u16> {
        let headers = match &self.direct_reply {
            Some((headers, _)) => headers,
            None if self.response.headers_arrived => &self.response.headers,
            None => return None,
        };
        std::str::from_utf8(headers.get(":status")?)
            .ok()?
            .parse()
            .ok()
    }
    pub(crate) fn reset(&mut self, details: &str) {
        if self.end.is_none() {
            self.end = Some(End::Reset);
            self.set_details(details);
        }
    }
    /// The guest closes it. An answer for a trap in the same call is not sent then.
    pub(crate) fn close(&mut self) {
        if self.failed && self.direct_reply.take().is_some() {
            self.end = Some(End::Reset);
        }
        // Whoever has said why before is believed.
        if self.response.headers_arrived || self.details_told {
            self.end.get_or_insert(End::Reset);
        } else {
            self.reset("wasm_close_stream");
        }
    }
    /// Files `value` under `key`, in the place of an older one.
    pub(crate) fn set_filter_state(&mut self, key: &[u8], value: &[u8]) {
        match self.filter_state.iter_mut().find(|(own, _)| own == key) {
            Some((_, old)) => {
                old.clear();
                old.extend_from_slice(value);
            }
            None => self.filter_state.push((key.to_vec(), value.to_vec())),
        }
    }
    /// The last one to say why is the one that is logged.
    pub(crate) fn set_details(&mut self, details: &str) {
        self.details_told = true;
        details.clone_into(&mut self.details);
    }
    /// Answers past the filter, or resets when the client has headers already.
    pub(crate) fn reply_directly(&mut self, reply: LocalReply) {
        if self.end.is_some() {
            return;
        }
        if self.response.headers_forwarded {
            return self.reset(&reply.details);
        }
        self.replied = true;
        self.reply_code = Some(reply.status);
        self.set_details(&reply.details);
        self.direct_reply = Some(reply.into_response(self.request_kind));
        self.end = Some(End::Complete);
    }
    /// The VM is gone: a 503, or a reset when it is too late for one.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
        self.reply_directly(LocalReply {
            status: 503,
            details: "wasm_fail_stream".to_owned(),
            grpc_status: Some(14),
            ..LocalReply::default()
        });
    }
}

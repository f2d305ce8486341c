//! What goes past the filter: to the router and the upstream, or to the client.
use super::Direction;
use crate::header_map::HeaderMap;
use crate::local_reply::LocalReply;
use crate::outcome::End;
use crate::stream_state::{Iteration, StreamState};
use crate::vm::Vm;

/// Deep enough for what makes sense, and far from the end of this thread's stack.
const MOST_NESTED: u32 = 64;

impl Vm {
    /// Envoy's `continueDecoding` and `continueEncoding`. After a stop of everything, what was held is shown to the
    /// filter first. A stream that stands nowhere goes on with its headers if they have not gone on yet.
    ///
    /// A filter that continues whenever it is shown what is held is shown it again, on top of itself: Envoy's stack
    /// overflows, and here the stream is reset after [`MOST_NESTED`] times.
    pub(crate) fn resume(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.nested += 1;
        if path.nested > MOST_NESTED {
            return stream.reset("continued_without_end");
        }
        self.resume_once(id, direction);
        if let Some(stream) = self.stream_mut(id) {
            stream.path_mut(direction).nested -= 1;
        }
    }
    fn resume_once(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.from_filter |= std::mem::take(&mut path.iteration) == Iteration::StoppedAll;
        if !path.headers_forwarded && path.headers_arrived {
            let ends = path.ended && !path.holding && !path.trailers_arrived;
            self.pass_headers(id, direction, ends);
        }
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        let had_trailers = path.trailers_arrived;
        if path.holding {
            let ends = path.ended && !had_trailers;
            if path.from_filter {
                self.show_data(id, direction, ends, true);
            } else {
                stream.pass_held(direction, ends);
            }
        }
        if had_trailers {
            self.resume_trailers(id, direction);
        }
        if let Some(stream) = self.open(id, direction) {
            stream.path_mut(direction).from_filter = false;
        }
    }
    /// Trailers go on, after a stop of everything by way of the filter.
    pub(super) fn resume_trailers(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path(direction);
        if !path.from_filter {
            stream.pass_trailers(direction);
        } else if path.iteration != Iteration::StoppedAll {
            self.show_trailers(id, direction);
        }
    }

    /// Headers go on. The router answers a request that lost what it needs.
    pub(super) fn pass_headers(&mut self, id: u32, direction: Direction, ends: bool) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        if direction == Direction::Request
            && let Some(reply) = refusal(&stream.request.headers)
        {
            return self.reply(id, reply);
        }
        stream.path_mut(direction).headers_forwarded = true;
        if ends {
            stream.finish(direction);
        }
    }

    /// Answers for a filter that holds back more than the connection's buffer limit.
    pub(super) fn check_limit(&mut self, id: u32, direction: Direction) {
        let limit = self.store.data().process.config.buffer_limit_bytes.get() as usize;
        let over = self.open(id, direction).is_some_and(|stream| {
            let path = stream.path(direction);
            !path.streaming && path.held.len() > limit
        });
        if !over {
            return;
        }
        let (status, details, text) = match direction {
            Direction::Request => (413, "request_payload_too_large", "Payload Too Large"),
            Direction::Response => (500, "response_payload_too_large", "Internal Server Error"),
        };
        let reply = LocalReply {
            status,
            details: details.to_owned(),
            body: text.as_bytes().to_vec(),
            ..LocalReply::default()
        };
        self.reply(id, reply);
    }
}

/// What the router says to a request without path, forwarded protocol or method.
fn refusal(headers: &HeaderMap) -> Option<LocalReply> {
    if headers.get(":path").is_none() || headers.get("x-forwarded-proto").is_none() {
        return Some(LocalReply {
            status: 404,
            details: "route_not_found".to_owned(),
            ..LocalReply::default()
        });
    }
    headers.get(":method").is_none().then(|| LocalReply {
        status: 503,
        details: "filter_removed_required_request_headers{missing required header: :method}"
            .to_owned(),
        body: b"missing required header: :method".to_vec(),
        ..LocalReply::default()
    })
}

impl StreamState {
    /// The current chunk goes on; `ends`: it is the last one.
    pub(super) fn pass_data(&mut self, direction: Direction, ends: bool) {
        let path = self.path_mut(direction);
        if path.complete {
            // Trailers that the filter made have overtaken it.
            return path.chunk.clear();
        }
        if path.body_forwarded.is_empty() {
            std::mem::swap(&mut path.body_forwarded, &mut path.chunk);
        } else {
            path.body_forwarded.extend_from_slice(&path.chunk);
        }
        path.chunk.clear();
        if ends {
            self.finish(direction);
        }
    }
    /// What is held goes on; `ends`: nothing comes after it.
    pub(super) fn pass_held(&mut self, direction: Direction, ends: bool) {
        let path = self.path_mut(direction);
        if path.complete {
            return path.held.clear();
        }
        // Still held, if nothing: Envoy keeps the empty buffer, and whoever continues again passes it on with its end.
        path.body_forwarded.append(&mut path.held);
        if ends {
            self.finish(direction);
        }
    }
    /// Trailers go on and end the message, unless its headers wait.
    pub(super) fn pass_trailers(&mut self, direction: Direction) {
        let path = self.path_mut(direction);
        path.trailers_forwarded = Some(path.trailers.clone());
        if path.headers_forwarded {
            self.finish(direction);
        }
    }
    fn finish(&mut self, direction: Direction) {
        self.path_mut(direction).complete = true;
        if direction == Direction::Response && self.end.is_none() {
            self.end = Some(End::Complete);
        }
    }
}

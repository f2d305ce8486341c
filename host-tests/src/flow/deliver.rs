//! Headers, data and trailers on their way to the filter and past it.
use super::Direction;
use super::verdict::{self, DataVerdict};
use crate::failure_policy::FailurePolicy;
use crate::local_reply::{LocalReply, RequestKind};
use crate::outcome::End;
use crate::plugin::PluginConfig;
use crate::stream_state::{Iteration, StreamState};
use crate::vm::{Trapped, Vm};

impl Vm {
    pub(crate) fn stream_mut(&mut self, id: u32) -> Option<&mut StreamState> {
        self.store
            .data_mut()
            .streams
            .get_mut(&id)
            .map(|stream| &mut **stream)
    }
    /// The stream, if `direction` still leads to the filter and the thread still moves.
    fn open(&mut self, id: u32, direction: Direction) -> Option<&mut StreamState> {
        if self.hangs() {
            return None;
        }
        self.stream_mut(id)
            .filter(|stream| !stream.is_over(direction))
    }
    /// Whether the stream goes on without its filter.
    fn is_bypassed(&self, id: u32) -> bool {
        let Some(stream) = self.store.data().streams.get(&id) else {
            return true;
        };
        stream.failed
            || stream.skips_filter
            || (self.failure.is_some()
                && self.config_of(id).failure_policy == FailurePolicy::FailOpen)
    }
    /// The configuration that the stream began under.
    fn config_of(&self, id: u32) -> &PluginConfig {
        let state = self.store.data();
        let root = state.streams.get(&id).map_or(0, |stream| stream.root);
        let settings = state
            .roots
            .iter()
            .find(|other| other.id == root)
            .map_or(&state.vm, |root| &root.settings);
        &settings.config
    }
    /// After a trap: the stream passes, or it is answered for the filter.
    fn fail(&mut self, id: u32) {
        if self.hangs() {
            return;
        }
        if let Some(stream) = self.stream_mut(id) {
            stream.fail();
        }
    }
    /// What a callback answered. A VM that has failed answers for itself under `fail_open: true`.
    fn verdict(
        &mut self,
        id: u32,
        answer: Option<Result<u32, Trapped>>,
    ) -> Result<(u32, bool), Trapped> {
        match answer {
            None if self.failure.is_none() => Ok((0, false)),
            Some(Ok(number)) => Ok((number, self.take_stop())),
            _ if self.is_bypassed(id) => Ok((0, false)),
            _ => Err(Trapped),
        }
    }
    fn take_stop(&mut self) -> bool {
        std::mem::take(&mut self.store.data_mut().stop_iteration)
    }

    /// The headers of `direction`, already in the stream, arrive.
    pub(crate) fn deliver_headers(&mut self, id: u32, direction: Direction, ends: bool) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        stream.end_of_stream = ends;
        if direction == Direction::Request {
            stream.request_kind = RequestKind::of(&stream.request.headers);
        }
        let path = stream.path_mut(direction);
        path.headers_arrived = true;
        path.ended |= ends;
        let count = path.headers.len() as u32;
        let verdict = if self.is_bypassed(id) {
            Ok((0, false))
        } else {
            if let Some(stream) = self.stream_mut(id) {
                stream.path_mut(direction).headers_shown = true;
            }
            self.create_context(id);
            let call = self.exports.headers(direction).clone();
            let answer = call.map(|call| self.enter(&call, id, (id, count, u32::from(ends))));
            self.verdict(id, answer)
        };
        let Ok((number, stopped)) = verdict else {
            self.fail(id);
            return self.run_deferred();
        };
        self.run_deferred();
        let allow = self.config_of(id).allow_on_headers_stop_iteration;
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        match verdict::headers(number, stopped, allow) {
            Iteration::Going => {
                stream.path_mut(direction).headers_shown = false;
                stream.forward_headers(direction);
                stream.finish_if_all_forwarded(direction);
            }
            stopped => stream.path_mut(direction).iteration = stopped,
        }
    }

    /// A piece of `direction`'s body arrives.
    pub(crate) fn deliver_data(&mut self, id: u32, direction: Direction, data: &[u8], ends: bool) {
        let limit = self.buffer_limit();
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.ended |= ends;
        path.received += data.len() as u64;
        if path.iteration == Iteration::StoppedAll {
            path.held.extend_from_slice(data);
            path.holding = true;
            return;
        }
        if path.buffering {
            path.held.extend_from_slice(data);
            path.chunk.clear();
            if path.held.len() > limit {
                return self.over_limit(id, direction);
            }
        } else {
            path.chunk.clear();
            path.chunk.extend_from_slice(data);
        }
        self.show_data(id, direction, ends);
    }

    /// The body callback for what is in the current chunk (and held, when buffering).
    fn show_data(&mut self, id: u32, direction: Direction, ends: bool) {
        let limit = self.buffer_limit();
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        stream.end_of_stream = ends;
        let path = stream.path_mut(direction);
        path.chunk_shown = true;
        let size = path.body().map_or(0, Vec::len) as u32;
        let verdict = if self.is_bypassed(id) {
            Ok((0, false))
        } else {
            let call = self.exports.body(direction).clone();
            let answer = call.map(|call| self.enter(&call, id, (id, size, u32::from(ends))));
            self.verdict(id, answer)
        };
        let Ok((number, stopped)) = verdict else {
            self.fail(id);
            return self.run_deferred();
        };
        self.run_deferred();
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        let was_buffering = std::mem::take(&mut path.buffering);
        match verdict::data(number, stopped) {
            DataVerdict::Continue => {
                path.chunk_shown = false;
                if path.iteration == Iteration::Going {
                    stream.forward_data(direction);
                    stream.finish_if_all_forwarded(direction);
                } else {
                    path.hold_chunk();
                    self.resume(id, direction);
                }
            }
            DataVerdict::Drop => {
                path.iteration = Iteration::StoppedOnce;
                path.chunk.clear();
            }
            stop => {
                path.iteration = Iteration::StoppedOnce;
                path.hold_chunk();
                path.buffering = stop == DataVerdict::Buffer;
                if path.buffering && !was_buffering && path.held.len() > limit {
                    self.over_limit(id, direction);
                }
            }
        }
    }

    /// `direction`'s trailers, already in the stream, arrive; they end it.
    pub(crate) fn deliver_trailers(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.ended = true;
        path.trailers_arrived = true;
        if path.iteration != Iteration::StoppedAll {
            self.show_trailers(id, direction);
        }
    }

    fn show_trailers(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.trailers_shown = true;
        let count = path.trailers.len() as u32;
        let verdict = if self.is_bypassed(id) {
            Ok((0, false))
        } else {
            let call = self.exports.trailers(direction).clone();
            let answer = call.map(|call| self.enter(&call, id, (id, count)));
            self.verdict(id, answer)
        };
        let Ok((number, stopped)) = verdict else {
            self.fail(id);
            return self.run_deferred();
        };
        self.run_deferred();
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        if !verdict::trailers(number, stopped) {
            if path.iteration == Iteration::Going {
                path.iteration = Iteration::StoppedOnce;
            }
            return;
        }
        path.trailers_shown = false;
        if path.iteration == Iteration::Going {
            stream.forward_trailers(direction);
            stream.finish_if_all_forwarded(direction);
        } else {
            self.resume(id, direction);
        }
    }

    /// Envoy's `continueDecoding`/`continueEncoding`: nothing when the stream is not stopped.
    ///
    /// After a stop of everything, held data and trailers are shown to the filter first.
    pub(super) fn resume(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        let before = std::mem::take(&mut path.iteration);
        if before == Iteration::Going {
            return;
        }
        let (ended, has_trailers) = (path.ended, path.trailers_arrived);
        stream.forward_headers(direction);
        let path = stream.path_mut(direction);
        if before == Iteration::StoppedOnce {
            stream.forward_data(direction);
            stream.forward_trailers(direction);
            return stream.finish_if_all_forwarded(direction);
        }
        if path.holding {
            path.holding = false;
            path.chunk.clear();
            std::mem::swap(&mut path.held, &mut path.chunk);
            self.show_data(id, direction, ended && !has_trailers);
        }
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        if has_trailers && stream.path(direction).iteration != Iteration::StoppedAll {
            self.show_trailers(id, direction);
        } else if stream.path(direction).iteration == Iteration::Going {
            stream.finish_if_all_forwarded(direction);
        }
    }

    fn buffer_limit(&self) -> usize {
        self.store.data().process.config.buffer_limit_bytes.get() as usize
    }

    /// The filter holds back more than the connection's buffer limit.
    fn over_limit(&mut self, id: u32, direction: Direction) {
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

impl StreamState {
    fn forward_headers(&mut self, direction: Direction) {
        let path = self.path_mut(direction);
        path.headers_forwarded = true;
    }
    /// What is held, then the current chunk.
    fn forward_data(&mut self, direction: Direction) {
        let path = self.path_mut(direction);
        path.holding = false;
        for data in [&mut path.held, &mut path.chunk] {
            if path.body_forwarded.is_empty() {
                std::mem::swap(&mut path.body_forwarded, data);
            } else {
                path.body_forwarded.extend_from_slice(data);
            }
            data.clear();
        }
    }
    fn forward_trailers(&mut self, direction: Direction) {
        let path = self.path_mut(direction);
        path.trailers_forwarded = path.trailers_arrived;
    }
    /// Called when nothing of `direction` is stopped.
    fn finish_if_all_forwarded(&mut self, direction: Direction) {
        let path = self.path_mut(direction);
        if !path.ended || path.holding {
            return;
        }
        // Trailers that the filter added in its last body callback go straight on.
        if path.trailers_arrived && !path.trailers_forwarded && path.trailers_shown {
            path.trailers_forwarded = true;
        }
        if path.trailers_arrived && !path.trailers_forwarded {
            return;
        }
        path.complete = true;
        if direction == Direction::Response {
            self.end = Some(End::Complete);
        }
    }
}

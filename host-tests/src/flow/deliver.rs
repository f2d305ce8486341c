//! Headers, data and trailers on their way to the filter.
//!
//! What the guest asks for in a callback happens before its answer counts, as in Envoy: a stream that is
//! continued in a callback goes on with what was held until then, and stops again if the answer says so.
use super::Direction;
use super::verdict::{self, DataVerdict, HeadersVerdict};
use crate::failure_policy::FailurePolicy;
use crate::local_reply::RequestKind;
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
    pub(super) fn open(&mut self, id: u32, direction: Direction) -> Option<&mut StreamState> {
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
        path.filter_ended = ends;
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
        let path = stream.path_mut(direction);
        match verdict::headers(number, stopped, allow) {
            HeadersVerdict::Continue => {
                path.headers_shown = false;
                if !path.headers_forwarded {
                    self.pass_headers(id, direction, ends);
                }
            }
            HeadersVerdict::Stop => path.iteration = Iteration::StoppedOnce,
            HeadersVerdict::StopAll { streaming } => {
                path.iteration = Iteration::StoppedAll;
                path.streaming = streaming;
            }
        }
    }

    /// A piece of `direction`'s body arrives.
    pub(crate) fn deliver_data(&mut self, id: u32, direction: Direction, data: &[u8], ends: bool) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.ended |= ends;
        path.received += data.len() as u64;
        path.chunk.clear();
        path.chunk.extend_from_slice(data);
        if path.iteration == Iteration::StoppedAll {
            path.hold_chunk();
            return self.check_limit(id, direction);
        }
        self.show_data(id, direction, ends, false);
        // The connection's buffer is empty now, also where a reply has cut the filter's work short.
        if let Some(stream) = self.stream_mut(id) {
            stream.path_mut(direction).chunk.clear();
        }
    }

    /// The body callback for the current chunk. `was_held`: it is what was held, and stays so unless it goes on.
    pub(super) fn show_data(&mut self, id: u32, direction: Direction, ends: bool, was_held: bool) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        if stream.path(direction).filter_ended {
            return;
        }
        stream.end_of_stream = ends;
        let path = stream.path_mut(direction);
        path.filter_ended = ends;
        let had_trailers = path.trailers_arrived;
        path.chunk_shown = true;
        path.chunk_is_held = was_held;
        if path.buffering {
            path.hold_chunk();
            path.streaming = false;
            // A reply to a request waits until the filter has returned, one to a response does not.
            if direction == Direction::Response {
                self.check_limit(id, direction);
            }
        }
        if self.open(id, direction).is_none() {
            return;
        }
        let size = self
            .stream_mut(id)
            .and_then(|stream| stream.path(direction).body())
            .map_or(0, Vec::len) as u32;
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
        if stopped && let Some(stream) = self.stream_mut(id) {
            // A reply is made when the callback has ended: what was held is no longer what the filter reads.
            stream.path_mut(direction).buffering = false;
        }
        self.run_deferred();
        self.check_limit(id, direction);
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.buffering = false;
        // Trailers that the filter has just made go on behind its data.
        let made_trailers = path.trailers_arrived && !had_trailers;
        match verdict::data(number, stopped) {
            DataVerdict::Continue => {
                path.chunk_shown = false;
                path.chunk_is_held = false;
                if path.iteration != Iteration::Going {
                    if !was_held {
                        path.hold_chunk();
                    }
                    return self.resume(id, direction);
                }
                let ends = ends && !made_trailers;
                match was_held {
                    true => stream.pass_held(direction, ends),
                    false => stream.pass_data(direction, ends),
                }
                if made_trailers {
                    self.resume_trailers(id, direction);
                }
                return;
            }
            DataVerdict::Drop => {
                path.iteration = Iteration::StoppedOnce;
                path.chunk.clear();
                // What goes on later has an end even where nothing is held.
                path.holding |= path.ended && !path.trailers_arrived;
            }
            DataVerdict::Hold { streaming } => {
                path.iteration = Iteration::StoppedOnce;
                path.streaming = streaming;
                if !was_held {
                    path.hold_chunk();
                }
                path.buffering = !streaming;
                self.check_limit(id, direction);
            }
        }
        // Envoy passes made trailers on in requests even where their data stops.
        if made_trailers && direction == Direction::Request {
            self.resume_trailers(id, direction);
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

    pub(super) fn show_trailers(&mut self, id: u32, direction: Direction) {
        let Some(stream) = self.open(id, direction) else {
            return;
        };
        let path = stream.path_mut(direction);
        path.trailers_shown = true;
        path.filter_ended = true;
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
        let going = path.iteration == Iteration::Going;
        match verdict::trailers(number, stopped) {
            true => {
                path.trailers_shown = false;
                if going {
                    stream.pass_trailers(direction);
                } else {
                    self.resume(id, direction);
                }
            }
            false if going => path.iteration = Iteration::StoppedOnce,
            false => {}
        }
    }
}

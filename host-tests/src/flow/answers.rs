//! Answers of callouts and ready queues reach the guest.
use weir_engine::time::Timestamp;

use crate::callouts::{Due, Event, Kind};
use crate::exports::{Answers, Callback};
use crate::header_map::HeaderMap;
use crate::shared_queues::Ready;
use crate::vm::Vm;

/// The callback that an event makes, with its last arguments.
enum Call {
    Http(Callback<(u32, u32, u32, u32, u32)>, [u32; 3]),
    Grpc(Callback<(u32, u32, u32)>, u32),
}

impl Call {
    fn of(exports: &Answers, event: &Event) -> Self {
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let (call, number) = match event {
            Event::Http(message) => {
                let trailers = message.trailers.as_ref().map_or(0, HeaderMap::len);
                let sizes = [message.headers.len(), message.body.len(), trailers];
                return Self::Http(exports.http_call_response.clone(), sizes.map(count));
            }
            Event::GrpcInitial(map) => (&exports.grpc_initial, count(map.len())),
            Event::GrpcMessage(message) => (&exports.grpc_receive, count(message.len())),
            Event::GrpcTrailing(map) => (&exports.grpc_trailing, count(map.len())),
            Event::GrpcClose { status, .. } => (&exports.grpc_close, *status),
        };
        Self::Grpc(call.clone(), number)
    }
}

impl Vm {
    /// Makes the callback of the queue that was posted first, if one was; a root context that is gone hears nothing.
    pub(crate) fn ready_one(&mut self) -> bool {
        let state = self.store.data();
        let Some(Ready { root, token }) = state.inbox.take() else {
            return false;
        };
        let lives = state.roots.iter().any(|own| own.id == root);
        if let Some(call) = self.exports.queue_ready.clone().filter(|_| lives) {
            let _ = self.enter(&call, root, (root, token));
            self.run_deferred();
        }
        true
    }
    /// When the next callout is answered; a failed VM gets no answers.
    pub(crate) fn next_answer(&self) -> Option<Timestamp> {
        match self.failure {
            Some(_) => None,
            None => self.store.data().callouts.next_due(),
        }
    }
    /// Makes the callback of the callout that is due first, if one is due at `now`.
    pub(crate) fn answer_one(&mut self, now: Timestamp) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let Some(due) = self.store.data_mut().callouts.take_due(now) else {
            return false;
        };
        let Due {
            token, root, event, ..
        } = due;
        self.answer(root, token, event);
        true
    }
    /// Makes one callback; what it can read is gone before anything that it asked for is done.
    pub(crate) fn answer(&mut self, root: u32, token: u32, event: Event) {
        let callouts = &mut self.store.data_mut().callouts;
        let is_end = match &event {
            Event::GrpcClose { .. } => {
                callouts.grpc.remote_ends(token);
                true
            }
            Event::GrpcMessage(_) => Kind::of(token) == Some(Kind::GrpcCall),
            _ => false,
        };
        match Call::of(&self.exports.answers, &event) {
            Call::Http(Some(call), [headers, body, trailers]) => {
                callouts.show(root, event);
                let _ = self.enter(&call, root, (root, token, headers, body, trailers));
            }
            Call::Grpc(Some(call), number) => {
                callouts.show(root, event);
                let _ = self.enter(&call, root, (root, token, number));
            }
            Call::Http(None, _) | Call::Grpc(None, _) => {}
        }
        let callouts = &mut self.store.data_mut().callouts;
        callouts.hide();
        if is_end {
            callouts.grpc.settle(token);
        }
        self.run_deferred();
        self.store.data_mut().callouts.end_answer();
    }
}

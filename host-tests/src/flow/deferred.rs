//! What the guest asked for during a call, done once the call has returned.
use super::Direction;
use crate::local_reply::LocalReply;
use crate::state::Deferred;
use crate::vm::Vm;

impl Vm {
    /// Runs in order; each piece may call the guest again, whose own requests run before the rest.
    pub(crate) fn run_deferred(&mut self) {
        // Counts only for the callback that asked for the reply.
        self.store.data_mut().stop_iteration = false;
        if self.hangs() {
            self.store.data_mut().deferred.clear();
        }
        if self.store.data().deferred.is_empty() {
            return;
        }
        for action in std::mem::take(&mut self.store.data_mut().deferred) {
            match action {
                Deferred::Continue { stream, direction } => self.resume(stream, direction),
                Deferred::Close { stream } => {
                    if let Some(stream) = self.stream_mut(stream) {
                        stream.close();
                    }
                }
                Deferred::Reply { stream, reply } => self.reply(stream, reply),
                Deferred::Answer { root, token, event } => self.answer(root, token, event),
                Deferred::EndRoot { root } => self.end_root(root),
            }
        }
    }

    /// Before response headers: through the filter's own response callbacks. After them, while the
    /// client has none: past the filter. Else the stream is reset.
    pub(crate) fn reply(&mut self, id: u32, reply: LocalReply) {
        let Some(stream) = self.stream_mut(id) else {
            return;
        };
        if stream.failed && stream.direct_reply.is_some() {
            // Asked for before the trap: Envoy answers for the failure, and keeps only the last word.
            stream.details = reply.details;
            return;
        }
        if stream.end.is_some() {
            return;
        }
        if stream.response.headers_arrived {
            return stream.reply_directly(reply);
        }
        stream.replied = true;
        stream.reply_code = Some(reply.status);
        stream.set_details(&reply.details);
        let (headers, body) = reply.into_response(stream.request_kind);
        stream.response.headers = headers;
        self.deliver_headers(id, Direction::Response, body.is_empty());
        if !body.is_empty() {
            self.deliver_data(id, Direction::Response, &body, true);
        }
    }
}

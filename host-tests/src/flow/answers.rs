//! Answers of callouts reach the guest.
use weir_engine::time::Timestamp;

use crate::callouts::{Due, Event};
use crate::vm::Vm;

impl Vm {
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
        match event {
            Event::Http(message) => {
                let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
                let headers = count(message.headers.len());
                let body = count(message.body.len());
                let trailers = message.trailers.as_ref().map_or(0, |map| count(map.len()));
                self.store.data_mut().callouts.show_http(root, message);
                if let Some(call) = self.exports.http_call_response.clone() {
                    let _ = self.enter(&call, root, (root, token, headers, body, trailers));
                }
            }
        }
        // Gone before anything that the callback asked for is done.
        self.store.data_mut().callouts.hide();
        self.run_deferred();
        self.store.data_mut().callouts.end_answer();
        true
    }
}

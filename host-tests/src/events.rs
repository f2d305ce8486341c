//! What happens to a worker by itself: timers, answers of callouts, and queues that other threads filled.
//!
//! Virtual time passes only where somebody lets it: [`Worker::advance_to`], [`Worker::exchange`] and
//! [`Stream::wait`]. An exchange whose stream stands still lets time pass to the next answer that it may
//! wait for; timers that are due before that run at their own time. Answers without latency come when
//! everything that the client and the upstream have to send by then has been delivered.
use weir_engine::time::Timestamp;

use crate::stream::Stream;
use crate::vm::Vm;
use crate::worker::Worker;

/// Answers to one stream that stands still, before it counts as stranded: a guest that repeats a
/// failing call for ever would never be through.
const MOST_ANSWERS: u32 = 1000;

impl Worker {
    /// The earliest time at which a timer runs or a callout is answered; `None` if nothing ever will.
    pub fn next_event(&self) -> Option<Timestamp> {
        let answer = self.next_answer().map(|(due, _)| due);
        self.next_tick().into_iter().chain(answer).min()
    }
    /// When the next callout is answered, and in which VM; among equals in the one that was started first.
    fn next_answer(&self) -> Option<(Timestamp, u32)> {
        if self.hangs() {
            return None;
        }
        self.vms()
            .filter_map(|(number, vm)| Some((vm.next_answer()?, number)))
            .min()
    }
    /// Answers the callout that is due first, if one is due now.
    fn answer_one(&mut self) -> bool {
        let now = self.now();
        match self.next_answer() {
            Some((due, number)) if due <= now => {
                let answered = self.vm_mut(number).is_some_and(|vm| vm.answer_one(now));
                self.drop_unused_vms();
                answered
            }
            _ => false,
        }
    }
    /// Makes the callbacks of all queues that were posted to this thread, and of those that are posted meanwhile; whether
    /// there were any.
    pub fn run_posted(&mut self) -> bool {
        let mut any = false;
        for _ in 0..MOST_ANSWERS {
            if self.hangs() || !self.vms_mut().any(Vm::ready_one) {
                break;
            }
            any = true;
        }
        if any {
            self.drop_unused_vms();
        }
        any
    }
    /// [`Worker::run_posted`], then all callbacks of callouts that are answered by now, and those that follow from them without delay;
    /// whether there were any. No time passes.
    pub fn settle(&mut self) -> bool {
        let mut any = self.run_posted();
        for _ in 0..MOST_ANSWERS {
            if !self.answer_one() {
                break;
            }
            any = true;
            self.run_posted();
        }
        any
    }
    /// Runs what is due next at its own time.
    pub(crate) fn run_next_event(&mut self, due: Timestamp) {
        self.set_now(due.max(self.now()));
        // Answers first: they were asked for before the timer was armed, or at the same time.
        if !self.answer_one() {
            self.tick(self.now());
        }
        self.run_posted();
    }
}

impl Stream<'_> {
    /// Waits for the answers of callouts, and of those that follow from them, as long as `waits` says so. Time passes to
    /// each answer; timers run meanwhile. Calls that timers make during that are not waited for.
    pub fn wait_while(&mut self, waits: impl Fn(&Self) -> bool) {
        if !self.has_ended() {
            // Posted events come before anything that crosses a wire.
            self.worker.run_posted();
        }
        if let Some(vm) = self.worker.vm_mut(self.id.vm) {
            vm.store.data_mut().callouts.await_all();
        }
        let mut answers = 0;
        while answers < MOST_ANSWERS && waits(self) {
            let Some(vm) = self.worker.vm(self.id.vm) else {
                return;
            };
            if vm.failure.is_some() || !vm.store.data().callouts.is_awaited() {
                return;
            }
            let answer = vm.next_answer();
            let Some(due) = self.worker.next_event() else {
                return;
            };
            answers += u32::from(answer == Some(due));
            self.worker.run_next_event(due);
        }
    }
    /// [`Stream::wait_while`] nothing has ended the stream and its request or response stands still.
    pub fn wait(&mut self) {
        self.wait_while(|stream| !stream.has_ended());
    }
}

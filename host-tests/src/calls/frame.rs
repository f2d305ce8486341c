//! A call of the guest by the host, from its begin to its end.
use wasmtime::StoreContext;

use super::{CallEvent, CallSink, Moment};
use crate::state::VmState;

/// Parameters of a callback as numbers.
pub(crate) trait Numbers {
    fn numbers(&self) -> Vec<u32>;
}

impl Numbers for () {
    fn numbers(&self) -> Vec<u32> {
        Vec::new()
    }
}

impl Numbers for u32 {
    fn numbers(&self) -> Vec<u32> {
        vec![*self]
    }
}

macro_rules! tuples {
    ($(($($name:ident),*),)*) => {
        $(impl Numbers for ($(tuples!(@ $name),)*) {
            fn numbers(&self) -> Vec<u32> {
                let ($($name,)*) = *self;
                vec![$($name),*]
            }
        })*
    };
    (@ $name:ident) => { u32 };
}

tuples! {
    (a, b),
    (a, b, c),
    (a, b, c, d),
    (a, b, c, d, e),
}

/// What a callback answers, if it answers.
pub(crate) trait Answer {
    fn answer(&self) -> Option<u32>;
}

impl Answer for () {
    fn answer(&self) -> Option<u32> {
        None
    }
}

impl Answer for u32 {
    fn answer(&self) -> Option<u32> {
        Some(*self)
    }
}

/// An open call, told to the sink when it begins and when it ends.
pub(crate) struct Frame {
    sink: CallSink,
    name: &'static str,
    context: u32,
    fuel: Option<u64>,
}

impl Frame {
    /// `None`, at the price of one check, where there is no sink.
    pub(crate) fn open(
        store: StoreContext<'_, VmState>,
        name: &'static str,
        context: u32,
        parameters: &impl Numbers,
    ) -> Option<Self> {
        let sink = store.data().process.config.calls.clone()?;
        let frame = Self {
            sink,
            name,
            context,
            fuel: store.get_fuel().ok(),
        };
        let arguments = parameters.numbers();
        frame.tell(
            &store,
            Moment::Begins {
                arguments: &arguments,
            },
        );
        Some(frame)
    }
    /// `answer` is `Err` where the guest trapped.
    pub(crate) fn close(self, store: StoreContext<'_, VmState>, answer: Result<Option<u32>, ()>) {
        let left = store.get_fuel().ok();
        let moment = Moment::Ends {
            answer: answer.ok().flatten(),
            trapped: answer.is_err(),
            fuel: self
                .fuel
                .zip(left)
                .map(|(before, left)| before.saturating_sub(left)),
        };
        self.tell(&store, moment);
    }
    fn tell(&self, store: &StoreContext<'_, VmState>, moment: Moment<'_>) {
        (self.sink)(&CallEvent {
            vm: store.data().name,
            context: self.context,
            call: self.name,
            moment,
        });
    }
}

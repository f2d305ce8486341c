//! One store behind several handles, which counts calls and misbehaves as told.
use std::{cell::RefCell, rc::Rc};

use weir_engine::store::{CounterStore, MemoryStore, StoreError, Swap, Version};

/// What a store does to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// A write meets another worker's. Reads are fine.
    Conflict,
    /// The call fails.
    Fail,
}

/// A worker's handle on the store that all workers share.
#[derive(Clone)]
pub(crate) struct Shared(Rc<RefCell<State>>);

struct State {
    memory: MemoryStore,
    gets: usize,
    sets: usize,
    /// Calls since the plan was made.
    planned: usize,
    /// Decides about each call by its number.
    plan: Box<dyn Fn(usize) -> Fault>,
}

impl Shared {
    /// An empty store that never fails.
    pub(crate) fn new() -> Self {
        let plan = Box::new(|_| Fault::None);
        Self(Rc::new(RefCell::new(State {
            memory: MemoryStore::new(),
            gets: 0,
            sets: 0,
            planned: 0,
            plan,
        })))
    }

    /// From the next call on, which is number 0, `plan` decides what goes wrong.
    pub(crate) fn plan(&self, plan: impl Fn(usize) -> Fault + 'static) {
        let mut state = self.0.borrow_mut();
        state.planned = 0;
        state.plan = Box::new(plan);
    }

    /// Reads and writes since the last call of this.
    pub(crate) fn take_calls(&self) -> (usize, usize) {
        let mut state = self.0.borrow_mut();
        (
            std::mem::take(&mut state.gets),
            std::mem::take(&mut state.sets),
        )
    }

    /// Overwrites every value.
    pub(crate) fn damage(&self, value: &[u8]) {
        let mut state = self.0.borrow_mut();
        let keys: Vec<Vec<u8>> = state.memory.iter().map(|(key, _)| key.to_vec()).collect();
        for key in keys {
            let version = state.memory.get(&key, &mut vec![]).unwrap();
            assert_eq!(
                state.memory.compare_and_swap(&key, value, version),
                Ok(Swap::Done)
            );
        }
    }
}

impl State {
    fn fault(&mut self) -> Fault {
        self.planned += 1;
        (self.plan)(self.planned - 1)
    }
}

impl CounterStore for Shared {
    fn get(&mut self, key: &[u8], value: &mut Vec<u8>) -> Result<Option<Version>, StoreError> {
        let mut state = self.0.borrow_mut();
        let fault = state.fault();
        state.gets += 1;
        if fault == Fault::Fail {
            value.splice(.., *b"unspecified");
            return Err(StoreError { status: 99 });
        }
        state.memory.get(key, value)
    }

    fn compare_and_swap(
        &mut self,
        key: &[u8],
        value: &[u8],
        expected: Option<Version>,
    ) -> Result<Swap, StoreError> {
        let mut state = self.0.borrow_mut();
        let fault = state.fault();
        state.sets += 1;
        match fault {
            Fault::None => state.memory.compare_and_swap(key, value, expected),
            Fault::Conflict => Ok(Swap::Conflict),
            Fault::Fail => Err(StoreError { status: 99 }),
        }
    }
}

//! How many VMs were made and how many there are: Envoy's lifecycle stats.
use crate::metrics::Registry;

const CREATED: &str = "wasm.envoy.wasm.runtime.v8.created";
const ACTIVE: [&str; 2] = ["wasm.envoy.wasm.runtime.v8.active", "wasm.wasm_vm_count"];

/// Counts VMs in the process's stats.
#[derive(Clone)]
pub(crate) struct Census(Registry);

impl Census {
    pub(crate) const fn new(stats: Registry) -> Self {
        Self(stats)
    }
    /// One more VM, until what is returned is dropped.
    pub(crate) fn count(&self) -> Counted {
        self.0.count(CREATED.to_owned());
        for name in ACTIVE {
            self.0.add(name, 1);
        }
        Counted(self.0.clone())
    }
}

/// A VM that exists.
pub(crate) struct Counted(Registry);

impl Drop for Counted {
    fn drop(&mut self) {
        for name in ACTIVE {
            self.0.add(name, -1);
        }
    }
}

//! Names of VMs in traces: what a VM is for, and which of its kind.
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::{BASE, CANARY};

/// A VM of the process. Numbers count from 0 for each kind, in the order of their start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VmName {
    /// Envoy's base VM of a VM key: initialised, and never called again.
    Base(u64),
    /// Tries a configuration and is thrown away.
    Canary(u64),
    /// A thread's own.
    Thread(u64),
}

impl VmName {
    /// The random sequence that the VM draws from; no two VMs of a process share one.
    pub(crate) fn sequence(self) -> u128 {
        let of_kind = |kind: u128, number: u64| (kind << u64::BITS) | u128::from(number);
        match self {
            Self::Thread(number) => of_kind(0, number),
            Self::Canary(number) => of_kind(1, number),
            Self::Base(number) => of_kind(2, number),
        }
    }
}

impl fmt::Display for VmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base(number) => write!(f, "base {number}"),
            Self::Canary(number) => write!(f, "canary {number}"),
            Self::Thread(number) => write!(f, "vm {number}"),
        }
    }
}

/// Gives names out.
#[derive(Default)]
pub(crate) struct VmNames {
    bases: AtomicU64,
    canaries: AtomicU64,
    threads: AtomicU64,
}

impl VmNames {
    /// The name of the next VM with this random sequence.
    pub(crate) fn next(&self, ordinal: u64) -> VmName {
        let next = |count: &AtomicU64| count.fetch_add(1, Ordering::Relaxed);
        match ordinal {
            BASE => VmName::Base(next(&self.bases)),
            CANARY => VmName::Canary(next(&self.canaries)),
            _ => VmName::Thread(next(&self.threads)),
        }
    }
}

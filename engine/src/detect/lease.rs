//! Which VM leads: whoever holds a lease in shared data, renewed on ticks, free when it was not.
//!
//! Times are the proxy's, which all VMs of a process share. A VM that serves streams waits one lease longer
//! before it takes a free lease, so that the VM on Envoy's main thread, which serves none, comes first.
use crate::{
    store::{CounterStore, StoreError, Swap, Version},
    time::Timestamp,
};
use alloc::vec::Vec;
use core::time::Duration;

/// How long a lease holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(3);
/// A lease with less left is renewed.
const RENEW: Duration = Duration::from_secs(2);
/// How often a VM that does not lead looks.
const LOOK: Duration = Duration::from_secs(1);

const KEY: &[u8] = b"weir.1.lease";
const MAGIC: [u8; 4] = *b"wl1\0";
/// Key and value.
pub(super) const BYTES: u64 = 12 + 20;

/// One VM's view of the lease.
#[derive(Debug)]
pub struct Lease {
    owner: u64,
    leads: bool,
    looked: Option<Timestamp>,
    /// The value as it was first seen, and when: a lease that runs on and on is none.
    seen: Option<(Option<Version>, Timestamp)>,
}

impl Lease {
    /// A view that holds nothing; `owner` names the VM (random, not 0).
    pub fn new(owner: u64) -> Self {
        Self {
            owner: owner.max(1),
            leads: false,
            looked: None,
            seen: None,
        }
    }

    /// Whether this VM led when it last looked.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// Looks, renews or takes the lease; whether this VM leads at `now`. A leader looks every time (one call,
    /// one more each second), others once a second.
    pub fn keep(
        &mut self,
        now: Timestamp,
        serves_streams: bool,
        store: &mut impl CounterStore,
    ) -> bool {
        // A clock that went back is looked at anew.
        let waits = self
            .looked
            .is_some_and(|looked| now >= looked && now.saturating_since(looked) < LOOK);
        if self.leads || !waits {
            self.looked = Some(now);
            // Who cannot reach the store cannot publish either.
            self.leads = self.look(now, serves_streams, store).unwrap_or(false);
        }
        self.leads
    }

    /// Gives the lease back, for others to take at once.
    pub fn release(&mut self, now: Timestamp, store: &mut impl CounterStore) {
        if core::mem::take(&mut self.leads) {
            let mut bytes = Vec::new();
            if let Ok(version) = store.get(KEY, &mut bytes) {
                if decode(&bytes).is_some_and(|(owner, _)| owner == self.owner) {
                    // Refused: somebody else has it already.
                    let _ = store.compare_and_swap(KEY, &encode(0, now), version);
                }
            }
        }
    }

    fn look(
        &mut self,
        now: Timestamp,
        serves_streams: bool,
        store: &mut impl CounterStore,
    ) -> Result<bool, StoreError> {
        let mut bytes = Vec::new();
        let version = store.get(KEY, &mut bytes)?;
        let since = match self.seen {
            Some((seen, since)) if seen == version && since <= now => since,
            _ => now,
        };
        self.seen = Some((version, since));
        let held = decode(&bytes);
        let free_at = match held {
            Some((owner, expires)) if owner == self.owner => {
                if expires.saturating_since(now) >= RENEW && expires.saturating_since(now) <= LEASE
                {
                    return Ok(true);
                }
                now
            }
            Some((_, expires)) => expires.min(since.saturating_add(LEASE)),
            // Nobody had it, or it is damaged.
            None => since,
        };
        let mine = held.is_some_and(|(owner, _)| owner == self.owner);
        let patience = if serves_streams && !mine {
            LEASE
        } else {
            Duration::ZERO
        };
        if now < free_at.saturating_add(patience) {
            return Ok(false);
        }
        let value = encode(self.owner, now.saturating_add(LEASE));
        Ok(store.compare_and_swap(KEY, &value, version)? == Swap::Done)
    }
}

fn encode(owner: u64, expires: Timestamp) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&owner.to_le_bytes());
    bytes.extend_from_slice(&expires.as_unix_nanos().to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<(u64, Timestamp)> {
    let (owner, expires) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
    let expires = u64::from_le_bytes(expires.try_into().ok()?);
    Some((
        u64::from_le_bytes(*owner),
        Timestamp::from_unix_nanos(expires),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;
    use proptest::prelude::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + millis * 1_000_000)
    }

    #[test]
    fn a_vm_without_streams_comes_first_and_one_with_streams_takes_over_a_lease_later() {
        let mut store = MemoryStore::new();
        let (mut worker, mut main) = (Lease::new(1), Lease::new(2));

        assert!(!worker.keep(at(0), true, &mut store));
        assert!(main.keep(at(100), false, &mut store));
        assert!(!worker.keep(at(1_100), true, &mut store));

        // The main VM is gone; its lease ends at 3,100.
        assert!(!worker.keep(at(3_200), true, &mut store));
        assert!(!worker.keep(at(6_000), true, &mut store));
        assert!(worker.keep(at(7_000), true, &mut store));
        assert!(!main.keep(at(7_100), false, &mut store));
    }

    #[test]
    fn a_lease_given_back_is_free_at_once() {
        let mut store = MemoryStore::new();
        let (mut first, mut second) = (Lease::new(1), Lease::new(2));

        assert!(first.keep(at(0), true, &mut store) || first.keep(at(3_000), true, &mut store));
        first.release(at(3_100), &mut store);

        assert!(!first.leads());
        assert!(second.keep(at(3_200), false, &mut store));
    }

    #[test]
    fn a_lease_from_the_future_and_a_damaged_one_do_not_last() {
        let mut store = MemoryStore::new();
        let far = encode(9, at(1_000_000_000));
        store.compare_and_swap(KEY, &far, None).unwrap();
        let mut lease = Lease::new(1);
        assert!(!lease.keep(at(0), false, &mut store));
        assert!(!lease.keep(at(2_000), false, &mut store));
        assert!(lease.keep(at(3_000), false, &mut store));

        let version = store.get(KEY, &mut Vec::new()).unwrap();
        store.compare_and_swap(KEY, b"nonsense", version).unwrap();
        assert!(Lease::new(2).keep(at(3_100), false, &mut store));
        assert!(!lease.keep(at(3_200), false, &mut store));
    }

    proptest! {
        #[test]
        fn never_do_two_lead_at_the_same_time(steps in proptest::collection::vec((0usize..3, 0u64..2_500, any::<bool>()), 1..120)) {
            let mut store = MemoryStore::new();
            let mut leases = [Lease::new(1), Lease::new(2), Lease::new(3)];
            let mut now = 0;
            let mut reign: Option<(usize, u64)> = None;
            for (vm, wait, serves) in steps {
                now += wait;
                let leads = leases[vm].keep(at(now), serves, &mut store);
                if leads {
                    if let Some((other, since)) = reign.filter(|(other, _)| *other != vm) {
                        // Whoever led before was not heard of for a whole lease, and finds out before it acts again.
                        prop_assert!(now >= since + 2_000, "{other} led until {since}, {vm} leads at {now}");
                        prop_assert!(!leases[other].keep(at(now), false, &mut store));
                    }
                    reign = Some((vm, now));
                }
            }
        }
    }
}

//! The guard of a policy: what it did lately to whom it acts for, and whether that is too much.
//!
//! Workers count on their own and add their counts to one shared record now and then; the record also
//! says whether the guard has tripped, so that all workers stop together. There is one record for each arm of a
//! deployment, because keys of shared data are there for ever. It belongs to the policy that was configured last;
//! what still runs under the one before counts no longer. A tripped guard stays tripped for its policy until
//! another one with a guard has been at work in its place.
use crate::{
    policy::{Arm, Deployment, Guard, Policy},
    store::{CounterStore, StoreError, Swap},
    time::Timestamp,
    window::{Span, Window},
};
use alloc::{collections::BTreeSet, vec, vec::Vec};

/// Accounts that count between two looks of a worker: more say no more about a share.
const MAX_COUNTED: usize = 4096;
/// Tries to write the record before the counts wait for the next time.
const MAX_TRIES: u32 = 8;
const MAGIC: [u8; 4] = *b"wg2\0";
/// Bytes of a policy's digest that a record is named by.
const DIGEST: usize = 16;
/// Counters of each tier: exchanges, and those refused.
const PER_TIER: usize = 2;
/// Counters of all tiers together: exchanges admitted, and those the upstream failed.
const OVERALL: usize = 2;
/// What stands before the windows: magic, digest, when the policy was configured, what tripped it.
const HEAD: usize = MAGIC.len() + DIGEST + 8 + 1;

/// One worker's counts of what a policy did, and what it knows of the guard.
#[derive(Debug)]
pub struct GuardWatch {
    arm: Arm,
    digest: [u8; DIGEST],
    configured: Timestamp,
    guard: Guard,
    /// Counts that were not added yet, in the order of the record's windows.
    counts: Vec<u32>,
    /// Accounts that have counted since the last look.
    counted: BTreeSet<u64>,
    trip: Option<Trip>,
}

/// What tripped a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// Too large a share of a tier's exchanges was refused; index of the tier.
    Refused(usize),
    /// The upstream failed too large a share of the admitted exchanges.
    Failed,
}

/// One exchange that the policy acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Hash of the account; `None` without one. Between two looks an account counts once, so that one client cannot
    /// trip a guard for everybody.
    pub account: Option<u64>,
    /// Index of the caller's tier; `None` without a caller.
    pub tier: Option<usize>,
    /// It was let pass.
    pub admitted: bool,
    /// It was refused and, where there is a policy before it, that would have let it pass: who is refused by both
    /// trips nothing.
    pub refused: bool,
    /// The upstream failed it: 5xx. (Clients that leave are no failure; else they could trip a guard at will.)
    pub failed: bool,
}

/// The guards of a deployment.
#[derive(Debug, Default)]
pub struct Guards {
    current: Option<GuardWatch>,
    candidate: Option<GuardWatch>,
}

impl Guards {
    /// The watches over the policies of `deployment` that have a guard; `now` is when it is configured.
    pub fn over(deployment: &Deployment, now: Timestamp) -> Self {
        let candidate = deployment.candidate.as_ref();
        Self {
            current: GuardWatch::over(&deployment.current, Arm::Current, now),
            candidate: candidate.and_then(|policy| GuardWatch::over(policy, Arm::Candidate, now)),
        }
    }

    /// What tripped the guard of an arm, as far as this worker knows.
    pub fn trip(&self, arm: Arm) -> Option<Trip> {
        self.watch(arm)?.trip
    }

    /// Whether the guard of an arm has tripped, as far as this worker knows.
    pub fn have_tripped(&self, arm: Arm) -> bool {
        self.trip(arm).is_some()
    }

    /// Whether any policy has a guard.
    pub const fn are_any(&self) -> bool {
        self.current.is_some() || self.candidate.is_some()
    }

    /// Whether the guard of an arm counts failures of the upstream.
    pub fn watch_failures(&self, arm: Arm) -> bool {
        self.watch(arm)
            .is_some_and(|watch| watch.guard.failed.is_some())
    }

    /// Counts an exchange that the policy of an arm acted on.
    pub fn count(&mut self, arm: Arm, acted: Acted) {
        let watch = match arm {
            Arm::Current => &mut self.current,
            Arm::Candidate => &mut self.candidate,
        };
        if let Some(watch) = watch {
            watch.count(acted);
        }
    }

    /// Adds what was counted to the shared records; the arms whose guard trips now, seen for the first time by this
    /// worker. Calls as [`GuardWatch::look`].
    ///
    /// # Errors
    /// The store's own; what was not added is kept.
    pub fn look(
        &mut self,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<Vec<(Arm, Trip)>, StoreError> {
        let mut tripped = Vec::new();
        let watches = [
            (Arm::Current, &mut self.current),
            (Arm::Candidate, &mut self.candidate),
        ];
        for (arm, watch) in watches {
            let Some(watch) = watch else { continue };
            match watch.look(now, store) {
                Ok(true) => tripped.extend(watch.trip.map(|trip| (arm, trip))),
                Ok(false) => {}
                Err(error) if tripped.is_empty() => return Err(error),
                // What tripped is told first; a store that goes on failing says so at the next look.
                Err(_) => {}
            }
        }
        Ok(tripped)
    }

    const fn watch(&self, arm: Arm) -> Option<&GuardWatch> {
        match arm {
            Arm::Current => self.current.as_ref(),
            Arm::Candidate => self.candidate.as_ref(),
        }
    }
}

impl GuardWatch {
    /// The watch over `policy`, which is `arm` of what is configured at `now`; `None` where it has no guard.
    /// Allocates some bytes for each tier.
    pub fn over(policy: &Policy, arm: Arm, now: Timestamp) -> Option<Self> {
        let guard = policy.guard()?.clone();
        let mut digest = [0; DIGEST];
        let hex = policy.digest().bytes().skip("sha256:".len());
        digest
            .iter_mut()
            .zip(hex)
            .for_each(|(byte, digit)| *byte = digit);
        let windows = guard
            .refused
            .len()
            .saturating_mul(PER_TIER)
            .saturating_add(OVERALL);
        Some(Self {
            arm,
            digest,
            configured: now,
            guard,
            counts: vec![0; windows],
            counted: BTreeSet::new(),
            trip: None,
        })
    }

    /// What tripped the guard, as far as this worker knows.
    pub const fn trip(&self) -> Option<Trip> {
        self.trip
    }

    /// Counts an exchange, unless its account has counted since the last look.
    pub fn count(&mut self, acted: Acted) {
        let account = acted.account.unwrap_or_default();
        if self.counted.len() >= MAX_COUNTED || !self.counted.insert(account) {
            return;
        }
        let mut add = |index: Option<usize>, counts: bool| {
            if let (Some(count), true) =
                (index.and_then(|index| self.counts.get_mut(index)), counts)
            {
                *count = count.saturating_add(1);
            }
        };
        let of_tier = acted
            .tier
            .map(|tier| OVERALL.saturating_add(tier.saturating_mul(PER_TIER)));
        add(of_tier, true);
        add(of_tier.map(|index| index.saturating_add(1)), acted.refused);
        add(Some(0), acted.admitted);
        add(Some(1), acted.admitted && acted.failed);
    }

    /// Adds what was counted to the shared record and looks whether the guard trips. Two calls, again for each
    /// conflict; one where nothing was counted. What could not be added is kept. True when it trips now, seen
    /// for the first time by this worker.
    ///
    /// # Errors
    /// The store's own; the guard is as it was.
    pub fn look(
        &mut self,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<bool, StoreError> {
        if self.trip.is_some() {
            return Ok(false);
        }
        self.counted.clear();
        let key = self.key();
        let mut bytes = Vec::new();
        for _ in 0..MAX_TRIES {
            let version = store.get(&key, &mut bytes)?;
            let mut record = match Record::read(&bytes, &self.guard) {
                Some(record)
                    if record.digest != self.digest && record.configured > self.configured =>
                {
                    // Another policy has taken its place.
                    self.counts.fill(0);
                    return Ok(false);
                }
                Some(record)
                    if record.digest == self.digest
                        && record.windows.len() == self.counts.len() =>
                {
                    record
                }
                _ => self.empty_record(),
            };
            if let Some(trip) = record.trip {
                self.trip = Some(trip);
                return Ok(true);
            }
            if self.counts.iter().all(|count| *count == 0) {
                return Ok(false);
            }
            for (window, count) in record.windows.iter_mut().zip(&self.counts) {
                window.charge(now, *count);
            }
            record.configured = record.configured.max(self.configured);
            record.trip = record.judge(&self.guard, now);
            if store.compare_and_swap(&key, &record.to_bytes(), version)? == Swap::Done {
                self.counts.fill(0);
                self.trip = record.trip;
                return Ok(record.trip.is_some());
            }
        }
        Ok(false)
    }

    fn key(&self) -> Vec<u8> {
        let mut key = b"weir.1.guard.".to_vec();
        key.extend(self.arm.name().bytes());
        key
    }

    fn empty_record(&self) -> Record {
        Record {
            digest: self.digest,
            configured: self.configured,
            trip: None,
            windows: vec![Window::new(Span::of(self.guard.window)); self.counts.len()],
        }
    }
}

/// The shared record.
struct Record {
    digest: [u8; DIGEST],
    configured: Timestamp,
    trip: Option<Trip>,
    windows: Vec<Window>,
}

impl Record {
    /// Reads a record; `None` where there is none, or one that is damaged.
    fn read(bytes: &[u8], guard: &Guard) -> Option<Self> {
        let span = Span::of(guard.window);
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (&digest, rest) = rest.split_first_chunk()?;
        let (&configured, rest) = rest.split_first_chunk()?;
        let (&trip, mut rest) = rest.split_first()?;
        let mut windows = Vec::new();
        while let Some((window, after)) = rest.split_first_chunk() {
            windows.push(Window::from_bytes(span, window));
            rest = after;
        }
        rest.is_empty().then_some(Self {
            digest,
            configured: Timestamp::from_unix_nanos(u64::from_be_bytes(configured)),
            trip: Trip::from_byte(trip),
            windows,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let size = self.windows.len().saturating_mul(Window::BYTES);
        let mut bytes = Vec::with_capacity(HEAD.saturating_add(size));
        bytes.extend(MAGIC);
        bytes.extend(self.digest);
        bytes.extend(self.configured.as_unix_nanos().to_be_bytes());
        bytes.push(Trip::to_byte(self.trip));
        for window in &self.windows {
            bytes.extend(window.to_bytes());
        }
        bytes
    }

    /// What is too much at `now`.
    fn judge(&self, guard: &Guard, now: Timestamp) -> Option<Trip> {
        let mut pairs = self.windows.chunks_exact(2).map(|pair| match pair {
            [all, part] => (all.used(now), part.used(now)),
            _ => (0, 0),
        });
        let exceeds = |(all, part): (u64, u64), bound: Option<f64>| {
            bound.is_some_and(|bound| {
                all >= u64::from(guard.min_exchanges) && number(part) > bound * number(all)
            })
        };
        if exceeds(pairs.next()?, guard.failed) {
            return Some(Trip::Failed);
        }
        pairs
            .zip(&guard.refused)
            .position(|(pair, bound)| exceeds(pair, *bound))
            .map(Trip::Refused)
    }
}

impl Trip {
    fn to_byte(trip: Option<Self>) -> u8 {
        match trip {
            None => 0,
            Some(Self::Failed) => 1,
            // A policy has 32 tiers at most.
            Some(Self::Refused(tier)) => u8::try_from(tier.saturating_add(2)).unwrap_or(u8::MAX),
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => None,
            1 => Some(Self::Failed),
            tier => Some(Self::Refused(usize::from(tier).saturating_sub(2))),
        }
    }
}

/// A count as a number that shares are taken of; windows hold less than 2^37.
#[expect(clippy::as_conversions, reason = "exact below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;

//! One reservation on its way over several buckets: what it holds so far, or why it is refused.
use alloc::vec::Vec;
use core::time::Duration;

use super::{
    Admission, Charge,
    page::{Outcome, Page},
    reservation::Reservation,
};
use crate::{store::StoreError, table::Layout, time::Timestamp};

/// One reservation under way.
pub(super) struct Attempt<'a> {
    charges: &'a [Charge],
    pub(super) now: Timestamp,
    pub(super) reservation: Reservation,
    /// The refusal that holds longest so far.
    pub(super) refusal: Option<Refusal>,
}

/// Why a reservation is refused, as the caller will be told.
#[derive(Clone, Copy)]
pub(super) struct Refusal {
    charge: usize,
    used: u64,
    retry_after: Duration,
}

impl From<Refusal> for Admission {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            charge,
            used,
            retry_after,
        } = refusal;
        Self::Refused {
            charge,
            used,
            retry_after,
        }
    }
}

impl<'a> Attempt<'a> {
    pub(super) fn new(charges: &'a [Charge], now: Timestamp) -> Self {
        Self {
            charges,
            now,
            reservation: Reservation::default(),
            refusal: None,
        }
    }

    /// Makes the charges of the page's bucket in the page, and notes what they hold or why they are refused.
    pub(super) fn charge_to(&mut self, page: &mut Page, layout: Layout) -> Result<(), StoreError> {
        for (index, charge) in self.charges.iter().enumerate() {
            if layout.bucket_of(charge.owner) != page.bucket {
                continue;
            }
            match page.charge(charge, self.charges, self.now) {
                Outcome::Held(held) => self.reservation.set(index, held),
                Outcome::Refused { used, retry_after } => {
                    self.refuse(Refusal {
                        charge: index,
                        used,
                        retry_after,
                    });
                }
                Outcome::NoRoom => return Err(StoreError::FULL),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) {
        // A lease may be given back at any time: what it tells is no promise, so it is told only if all else is well.
        let rank = |refusal: Refusal| {
            let charge = self.charges.get(refusal.charge);
            let is_lease = charge.is_some_and(|charge| charge.lease);
            (!is_lease, refusal.retry_after)
        };
        if self
            .refusal
            .is_none_or(|longest| rank(refusal) > rank(longest))
        {
            self.refusal = Some(refusal);
        }
    }
}

/// Gives each distinct bucket a page, in order of appearance; returns how many.
pub(super) fn assign(pages: &mut Vec<Page>, buckets: impl Iterator<Item = u32>) -> usize {
    let mut count = 0_usize;
    for bucket in buckets {
        if pages.iter().take(count).any(|page| page.bucket == bucket) {
            continue;
        }
        if pages.len() == count {
            pages.push(Page::default());
        }
        if let Some(page) = pages.get_mut(count) {
            page.bucket = bucket;
        }
        count = count.saturating_add(1);
    }
    count
}

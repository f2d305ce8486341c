//! Marks: since when something has been true of an account, remembered in a window like any charge.
use core::{mem, time::Duration};

use super::{Ledger, MAX_TRIES, page::Page};
use crate::{
    store::{CounterStore, StoreError, Swap},
    table::RecordId,
    time::Timestamp,
    window::Span,
};

impl Ledger {
    /// How long ago `owner` was first marked as `budget`, as far back as `window` reaches; marks it now as well. A
    /// sixteenth of the window exact, never too long: a mark remembers its sub-window and is as old as the end of it.
    ///
    /// One read; also one write where the current sub-window has no mark yet.
    ///
    /// # Errors
    /// The store's own, [`StoreError::CONTENDED`] after 32 conflicts. Nothing is marked then.
    pub fn mark(
        &mut self,
        owner: u64,
        budget: u64,
        window: Duration,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<Duration, StoreError> {
        let id = RecordId::new(owner, budget, Span::of(window));
        let mut page = mem::take(&mut self.page);
        page.bucket = self.layout.bucket_of(owner);
        let age = self.mark_on(&mut page, id, now, store);
        self.page = page;
        age
    }

    fn mark_on(
        &mut self,
        page: &mut Page,
        id: RecordId,
        now: Timestamp,
        store: &mut impl CounterStore,
    ) -> Result<Duration, StoreError> {
        for _ in 0..MAX_TRIES {
            page.read(&self.queue, now, store)?;
            if let Some(age) = page.age(id, now) {
                return Ok(age);
            }
            let age = page.mark(id, now);
            if self.write(page, store)? == Swap::Done {
                return Ok(age);
            }
        }
        self.stats.retries_exhausted = self.stats.retries_exhausted.saturating_add(1);
        Err(StoreError::CONTENDED)
    }
}

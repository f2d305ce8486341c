//! Word shingles of a field, winnowed and bounded.
//!
//! A shingle is the hash of three words in a row, or of four characters in scripts without spaces. Of
//! each [`WINDOW`] shingles in a row the smallest is taken (winnowing, Schleimer, Wilkerson & Aiken 2003):
//! texts that share a run of `WINDOW + 2` words share a taken shingle, wherever the run stands. Of those
//! taken, a field keeps [`SHINGLES`]: the first, the last, and between them those whose second hash is
//! smallest. Templates stand at the ends of a prompt more often than in the middle, and a long slot would
//! drown them in a sample of the whole; what is between them is chosen by content alone, so two texts
//! that share half of their shingles there share about half of those kept. Shingles of nothing but stop
//! words come last in every choice: any two long texts share some.
use super::mix::{join, mix, upper};
use super::prompt::SHINGLES;

/// Shingles in a row of which one is taken.
const WINDOW: usize = 4;
/// Shingles kept because they come first.
const FIRST: usize = 6;
/// Shingles kept because they come last.
const LAST: usize = 6;
/// Shingles kept of those between.
const MIDDLE: usize = SHINGLES - FIRST - LAST;

/// Set in a shingle of stop words alone, which makes it larger than all others.
const COMMON: u32 = 1 << 31;

/// Takes the words of a field, gives its shingles. About 200 bytes, no allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Shingles {
    words: [u64; 3],
    /// Words since the last break, and stop words since the last word of content; saturating.
    run: u8,
    stops: u8,
    window: [u32; WINDOW],
    /// Shingles since the last break.
    seen: usize,
    /// The shingle taken last, and where it came by the count of `seen`.
    smallest: u32,
    taken: usize,
    kept: Kept,
}

impl Shingles {
    /// The next character of a script without spaces.
    pub(super) fn character(&mut self, hash: u64) {
        self.next(hash, true, false);
    }

    /// The next word.
    #[inline]
    pub(super) fn word(&mut self, hash: u64, is_stop: bool) {
        self.next(hash, false, is_stop);
    }

    #[inline]
    fn next(&mut self, hash: u64, is_character: bool, is_stop: bool) {
        self.stops = if is_stop {
            self.stops.saturating_add(1)
        } else {
            0
        };
        let [third, second, first] = self.words;
        self.words = [second, first, hash];
        self.run = self.run.saturating_add(1);
        let words = if is_character { 4 } else { 3 };
        if self.run >= words {
            let before = if is_character { third } else { 0 };
            let three = join(join(before, second).wrapping_add(first), hash);
            let common = if self.stops >= 3 { COMMON } else { 0 };
            self.shingle(upper(mix(three)) & !COMMON | common);
        }
    }

    /// Words before and after this point do not follow one another.
    pub(super) fn end_run(&mut self) {
        if self.seen > 0 && self.seen < WINDOW {
            let all = self.window.get(..self.seen).unwrap_or_default();
            if let Some(&smallest) = all.iter().min() {
                self.kept.take(smallest);
            }
        }
        (self.run, self.stops, self.seen) = (0, 0, 0);
    }

    /// The shingles kept, in order of appearance, and their count.
    pub(super) fn finish(mut self) -> ([u32; SHINGLES], u8) {
        self.end_run();
        self.kept.finish()
    }

    #[inline]
    fn shingle(&mut self, shingle: u32) {
        let newest = self.seen % WINDOW;
        if let Some(slot) = self.window.get_mut(newest) {
            *slot = shingle;
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen < WINDOW {
            return;
        }
        // The rightmost of equals is the smallest; it stays so until it leaves or a smaller one comes.
        if shingle <= self.smallest
            || self.seen == WINDOW
            || self.seen.saturating_sub(self.taken) >= WINDOW
        {
            let (mut smallest, mut back) = (shingle, 0);
            for steps in 1..WINDOW {
                let index = newest.wrapping_add(WINDOW).wrapping_sub(steps) % WINDOW;
                let older = self.window.get(index).copied().unwrap_or(u32::MAX);
                if older < smallest {
                    (smallest, back) = (older, steps);
                }
            }
            self.smallest = smallest;
            self.taken = self.seen.saturating_sub(back);
            self.kept.take(smallest);
        }
    }
}

/// The bounded selection of the shingles taken.
#[derive(Clone, Debug, Default)]
struct Kept {
    first: [u32; FIRST],
    first_len: usize,
    /// The latest ones, as a ring.
    last: [u32; LAST],
    /// How many went into the ring.
    last_seen: usize,
    /// Second hash and shingle, in order of appearance.
    middle: [(u32, u32); MIDDLE],
    middle_len: usize,
}

impl Kept {
    fn take(&mut self, shingle: u32) {
        let known = |kept: &[u32]| kept.contains(&shingle);
        if known(self.first.get(..self.first_len).unwrap_or_default())
            || known(
                self.last
                    .get(..self.last_seen.min(LAST))
                    .unwrap_or_default(),
            )
            || self
                .middle
                .iter()
                .take(self.middle_len)
                .any(|&(_, kept)| kept == shingle)
        {
            return;
        }
        if let Some(slot) = self.first.get_mut(self.first_len) {
            *slot = shingle;
            self.first_len = self.first_len.saturating_add(1);
            return;
        }
        let is_full = self.last_seen >= LAST;
        let at = self.last_seen % LAST;
        if let Some(slot) = self.last.get_mut(at) {
            let oldest = core::mem::replace(slot, shingle);
            self.last_seen = self.last_seen.saturating_add(1);
            if is_full {
                self.between(oldest);
            }
        }
    }

    /// Keeps `shingle` if its second hash is among the smallest.
    fn between(&mut self, shingle: u32) {
        let rank = upper(mix(u64::from(shingle))) >> 1 | shingle & COMMON;
        if self.middle_len == MIDDLE {
            let largest = self
                .middle
                .iter()
                .enumerate()
                .max_by_key(|(_, (rank, _))| *rank)
                .map(|(index, &(rank, _))| (index, rank));
            match largest {
                Some((index, largest)) if rank < largest => {
                    self.middle.copy_within(index.saturating_add(1).., index);
                    self.middle_len = self.middle_len.saturating_sub(1);
                }
                _ => return,
            }
        }
        if let Some(slot) = self.middle.get_mut(self.middle_len) {
            *slot = (rank, shingle);
            self.middle_len = self.middle_len.saturating_add(1);
        }
    }

    fn finish(&self) -> ([u32; SHINGLES], u8) {
        let mut shingles = [0; SHINGLES];
        let oldest = self.last_seen.saturating_sub(LAST);
        let last = (oldest..self.last_seen).filter_map(|nth| self.last.get(nth % LAST));
        let all = self
            .first
            .iter()
            .take(self.first_len)
            .chain(
                self.middle
                    .iter()
                    .take(self.middle_len)
                    .map(|(_, shingle)| shingle),
            )
            .chain(last);
        let mut len: u8 = 0;
        for (slot, &shingle) in shingles.iter_mut().zip(all) {
            *slot = shingle;
            len = len.saturating_add(1);
        }
        (shingles, len)
    }
}

#[cfg(test)]
mod tests;

//! What a text is about, by the words of a small lexicon.
//!
//! A topic needs one strong phrase, or several different words in proportion to the length: long prose
//! holds a few words of everything. A cheap reading for statistics over many accounts; a single prompt
//! may well be misread.
use super::lexicon::{self, Entry};
use super::mix;
use super::prompt::Topics;

const COUNT: usize = 12;

/// Hits that a topic needs without a strong one, and the words for each one more.
const LEAST: u32 = 2;
const WORDS_PER_HIT: u32 = 64;

/// Counts what the words of a text speak for.
#[derive(Clone, Debug, Default)]
pub(super) struct TopicCount {
    /// Hits, the second by the same word in a row not counted.
    hits: [u32; COUNT],
    latest: [u32; COUNT],
    strong: u16,
    before: u64,
}

impl TopicCount {
    /// Takes the next word and says whether it is a stop word.
    #[inline]
    pub(super) fn word(&mut self, hash: u64) -> bool {
        let before = core::mem::replace(&mut self.before, hash);
        let Some(entry) = lexicon::find(hash) else {
            return false;
        };
        if entry.topics != 0 {
            self.hit(entry);
        }
        if entry.ends_pair() {
            if let Some(entry) = lexicon::find(mix::pair(before, hash)) {
                self.hit(entry);
            }
        }
        entry.is_stop()
    }

    /// The words before this point make no pair with those after it.
    pub(super) fn end_run(&mut self) {
        self.before = 0;
    }

    fn hit(&mut self, entry: Entry) {
        if entry.is_strong() {
            self.strong |= entry.topics;
        }
        let mut topics = entry.topics;
        while topics != 0 {
            let topic = usize::try_from(topics.trailing_zeros()).unwrap_or(COUNT);
            if let (Some(hits), Some(latest)) =
                (self.hits.get_mut(topic), self.latest.get_mut(topic))
            {
                if *latest != entry.tag() {
                    *latest = entry.tag();
                    *hits = hits.saturating_add(1);
                }
            }
            // The lowest bit goes.
            topics &= topics.wrapping_sub(1);
        }
    }

    /// The topics of a text of `words` words.
    pub(super) fn finish(self, words: u32) -> Topics {
        let enough = (words / WORDS_PER_HIT).saturating_add(LEAST);
        let by_count = self.hits.iter().enumerate();
        let by_count = by_count
            .filter(|(_, hits)| **hits >= enough)
            .fold(0, |topics, (topic, _)| topics | 1 << topic);
        Topics(self.strong | by_count)
    }
}

#[cfg(test)]
mod tests;

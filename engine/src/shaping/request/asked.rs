//! What a request asks for, found before anything of it is rewritten.
//!
//! One key may decide about another, wherever it stands: a maximum is written only where no other one
//! holds, and one that is `null` stays if the other is a number.
use super::member::{Level, Member, member};
use crate::endpoint::Endpoint;
use crate::facts::{
    asks_for_logprobs, asks_for_summary, count, counted_logprobs, flag, includes_logprobs, word,
};
use crate::json::{Fault, Kind, Reader};

/// A maximum under one of its names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Maximum {
    /// How often it stands there.
    pub(super) times: u32,
    /// What the last one says, where it is a count.
    last: Option<u32>,
}

/// What the whole request says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    pub(super) logprobs: bool,
    pub(super) maxima: [Maximum; 2],
    /// Objects in which Gemini's maximum belongs.
    pub(super) configs: u32,
    /// Other values that stand in such an object's place.
    pub(super) no_configs: u32,
}

impl Asked {
    /// Reads the body, as far as it reaches.
    pub(super) fn of(endpoint: Endpoint, body: &[u8]) -> Self {
        let mut asked = Self::default();
        let mut reader = Reader::new(body);
        // What the body does not hold, or what cannot be read, asks for nothing.
        let _ = asked.object(endpoint, Level::Root, &mut reader);
        asked
    }

    /// The maximum that holds.
    pub(super) fn maximum(&self) -> Option<u32> {
        let [first, second] = self.maxima;
        first.last.max(second.last)
    }

    /// Which occurrence of a maximum has to become one, where none is a count: the last of the first name.
    pub(super) fn maximum_to_set(&self) -> Option<(usize, u32)> {
        let slot = self.maxima.iter().position(|maximum| maximum.times > 0)?;
        let times = self.maxima.get(slot)?.times;
        self.maximum().is_none().then_some((slot, times))
    }

    fn object(
        &mut self,
        endpoint: Endpoint,
        level: Level,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match member(endpoint, level, &key) {
                Some(Member::Logprobs) => self.logprobs |= asks_for_logprobs(reader)?,
                Some(Member::CountedLogprobs) => self.logprobs |= counted_logprobs(reader)?,
                Some(Member::Include) => self.logprobs |= includes_logprobs(reader)?,
                Some(Member::OutputTokens(slot)) => {
                    let count = count(reader)?;
                    if let Some(maximum) = self.maxima.get_mut(slot) {
                        maximum.times = maximum.times.saturating_add(1);
                        maximum.last = count;
                    }
                }
                Some(Member::Object(Level::GenerationConfig)) => {
                    if reader.kind()? == Kind::Object {
                        self.configs = self.configs.saturating_add(1);
                        self.object(endpoint, Level::GenerationConfig, reader)?;
                    } else {
                        reader.skip()?;
                        self.no_configs = self.no_configs.saturating_add(1);
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

/// What one object about reasoning says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reasoning {
    /// It is switched on.
    pub(super) on: bool,
    /// It is shown.
    pub(super) shown: bool,
    /// A member says how it is shown.
    pub(super) says_how: bool,
    pub(super) budget: Option<u32>,
}

impl Reasoning {
    /// Reads the object that comes next, as far as the body reaches; moves past nothing.
    pub(super) fn ahead(endpoint: Endpoint, level: Level, reader: &Reader<'_>) -> Self {
        let mut found = Found::default();
        let _ = found.read(endpoint, level, &mut reader.clone());
        let reasons = found.effort || found.enabled || found.budget > Some(0);
        match level {
            Level::Thinking => Self {
                on: found.thinks,
                shown: found.thinks && !found.omitted,
                says_how: found.says_how,
                budget: found.budget,
            },
            _ => Self {
                on: reasons,
                shown: !found.excluded && (reasons || found.summary),
                says_how: found.says_how,
                budget: found.budget,
            },
        }
    }
}

#[derive(Default)]
struct Found {
    effort: bool,
    enabled: bool,
    excluded: bool,
    summary: bool,
    thinks: bool,
    omitted: bool,
    says_how: bool,
    budget: Option<u32>,
}

impl Found {
    fn read(
        &mut self,
        endpoint: Endpoint,
        level: Level,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match member(endpoint, level, &key) {
                Some(Member::Effort) => {
                    self.effort = word(reader)?
                        .is_some_and(|word| !matches!(word.as_ref(), "" | "none" | "minimal"));
                }
                Some(Member::Enabled) => self.enabled = flag(reader)?,
                Some(Member::Excludes) => {
                    self.excluded = flag(reader)?;
                    self.says_how = true;
                }
                Some(Member::Summary) => self.summary = asks_for_summary(reader)?,
                Some(Member::Type) => {
                    self.thinks = word(reader)?
                        .is_some_and(|kind| matches!(kind.as_ref(), "enabled" | "adaptive"));
                }
                Some(Member::Display) => {
                    self.omitted = word(reader)?.is_some_and(|display| display == "omitted");
                    self.says_how = true;
                }
                Some(Member::Budget) => self.budget = count(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

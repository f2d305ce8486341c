//! What the events of a stream said so far.
use super::Usage;
use super::counts::{Counts, Told, usage_key};
use super::scan::Found;
use crate::endpoint::Endpoint;
use crate::json::{Fault, Kind, Reader};

/// What the events said so far.
#[derive(Clone, Copy)]
pub(super) struct Tally {
    endpoint: Endpoint,
    counts: Counts,
    /// Some event had counts, be they of the prompt only.
    began: bool,
    /// The latest counts are those of the whole response, not of its first part.
    pub(super) is_final: bool,
    /// `[DONE]` was said, or the array of events ended.
    pub(super) done: bool,
    failed: bool,
    /// An event could not be read, and none with counts came since.
    pub(super) lost: bool,
    candidates: Candidates,
}

/// Gemini's candidates by their index, a bit each.
#[derive(Clone, Copy, Default)]
struct Candidates {
    begun: u64,
    finished: u64,
}

impl Tally {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            counts: Counts::NONE,
            began: false,
            is_final: false,
            done: false,
            failed: false,
            lost: false,
            candidates: Candidates::default(),
        }
    }

    /// Counts told so far.
    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes the data of an event.
    pub(super) fn event(&mut self, data: &[u8]) {
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            self.done = true;
        }
        if data.starts_with(b"{") {
            let mut next = *self;
            match next.object(&mut Reader::new(data)) {
                Ok(()) => *self = next,
                Err(_) => self.lost = true,
            }
        }
    }

    /// Takes what an event too large to keep told.
    ///
    /// Whether a choice or candidate of it goes on is not known, so that its counts are final only once
    /// the response is over, unless no event but the last has counts.
    pub(super) fn large_event(&mut self, found: &Found) {
        self.failed |= found.failed;
        self.lost |= found.lost;
        let Some(counts) = found.counts else {
            return;
        };
        self.counts = counts;
        self.began = true;
        if found.inside && self.endpoint == Endpoint::AnthropicMessages {
            return;
        }
        self.is_final = !self.tells_as_it_goes();
        self.lost = found.lost;
    }

    fn object(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        // A server that repeats usage in every chunk says the last one where no choice is left to tell.
        let mut choices = false;
        let mut told = Told::Nothing;
        let (is_gemini, is_responses) =
            (self.is_gemini(), self.endpoint == Endpoint::OpenAiResponses);
        let mut blocked = false;
        reader.enter_root()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                key if key == usage_key(self.endpoint) => {
                    told = self.counts.read(self.endpoint, reader)?
                }
                b"message" if self.endpoint == Endpoint::AnthropicMessages => {
                    self.began |= self.inner(reader)? == Told::Counts
                }
                b"response" if is_responses => told = self.inner(reader)?,
                b"type" if is_responses && reader.kind()? == Kind::String => {
                    self.failed |= reader.string()? == b"error";
                }
                b"choices" => choices = has_items(reader)?,
                b"candidates" if is_gemini => self.candidates.read(reader)?,
                b"promptFeedback" if is_gemini => blocked = is_blocked(reader)?,
                b"error" => self.error(reader)?,
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        match told {
            Told::Nothing => {}
            Told::Nonsense => self.lost = true,
            Told::Counts => {
                self.began = true;
                self.is_final = if is_gemini {
                    blocked || self.candidates.are_finished()
                } else {
                    !choices
                };
                self.lost = false;
            }
        }
        Ok(())
    }

    /// `message` of Anthropic's `message_start`, with the prompt's tokens and the first of the answer's, or
    /// `response` of an event of the Responses API, with the tokens of all once it is complete.
    fn inner(&mut self, reader: &mut Reader<'_>) -> Result<Told, Fault> {
        if reader.kind()? != Kind::Object {
            return reader.skip().map(|()| Told::Nothing);
        }
        let mut told = Told::Nothing;
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"usage" => told = self.counts.read(self.endpoint, reader)?,
                b"error" => self.error(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(told)
    }

    fn error(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.failed |= reader.kind()? != Kind::Null;
        reader.skip()
    }

    const fn is_gemini(&self) -> bool {
        matches!(
            self.endpoint,
            Endpoint::GeminiGenerate | Endpoint::GeminiStream
        )
    }

    /// Whether any event may tell the usage so far.
    const fn tells_as_it_goes(&self) -> bool {
        self.is_gemini()
            || matches!(
                self.endpoint,
                Endpoint::OpenAiChat | Endpoint::OpenAiCompletions
            )
    }

    pub(super) fn usage(&self, ended: bool) -> Usage {
        let over = ended || self.done;
        let whole = self.is_final || over && self.tells_as_it_goes();
        match self.counts.tokens(self.endpoint) {
            _ if self.lost => Usage::Unknown,
            Some(tokens) if whole => Usage::Known(tokens),
            _ if self.failed => Usage::Absent,
            _ if over && !self.began => Usage::Absent,
            _ => Usage::Unknown,
        }
    }
}

impl Candidates {
    /// The value of `candidates`.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Array {
            return reader.skip();
        }
        reader.enter()?;
        while reader.item()? {
            if reader.kind()? != Kind::Object {
                reader.skip()?;
                continue;
            }
            let (mut index, mut finished) = (0, false);
            reader.enter()?;
            while let Some(key) = reader.field()? {
                match (key.as_ref(), reader.kind()?) {
                    (b"index", Kind::Number) => index = reader.unsigned()?.unwrap_or(0),
                    (b"finishReason", Kind::String) => {
                        finished = !reader.string()?.is_empty();
                    }
                    _ => reader.skip()?,
                }
            }
            // One with a larger index never counts as finished.
            let bit = 1_u64.checked_shl(index);
            self.begun |= bit.unwrap_or(1 << 63);
            if let (true, Some(bit)) = (finished, bit) {
                self.finished |= bit;
            }
        }
        Ok(())
    }

    const fn are_finished(self) -> bool {
        self.begun != 0 && self.begun == self.finished
    }
}

/// Whether `promptFeedback` gives a reason why the prompt was blocked, after which no candidate comes.
fn is_blocked(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    if reader.kind()? != Kind::Object {
        return reader.skip().map(|()| false);
    }
    let mut blocked = false;
    reader.enter()?;
    while let Some(key) = reader.field()? {
        blocked |= key.as_ref() == b"blockReason" && reader.kind()? == Kind::String;
        reader.skip()?;
    }
    Ok(blocked)
}

/// Whether the array that comes next has an item.
fn has_items(reader: &mut Reader<'_>) -> Result<bool, Fault> {
    if reader.kind()? != Kind::Array {
        return reader.skip().map(|()| false);
    }
    reader.enter()?;
    let mut any = false;
    while reader.item()? {
        any = true;
        reader.skip()?;
    }
    Ok(any)
}

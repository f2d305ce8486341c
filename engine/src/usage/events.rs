//! Usage of a streamed response.
use super::Usage;
use super::counts::{Counts, Told};
use crate::endpoint::Endpoint;
use crate::json::{Fault, Kind, Reader};
use crate::sse::{Data, Events};
use memchr::memmem::Finder;

/// An SSE body on its way.
pub(super) struct EventBody {
    events: Events,
    hints: Hints,
    told: Tally,
}

impl EventBody {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            events: Events::new(),
            hints: Hints::new(),
            told: Tally::new(endpoint),
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        self.events.feed(chunk, |data| match data {
            Data::Whole(text) if !self.hints.may_tell(text) => {}
            _ => self.told.event(data),
        });
    }

    pub(super) fn usage(&self, ended: bool) -> Usage {
        let mut told = self.told;
        // Some servers leave out the last blank line.
        if let Some(data) = self.events.pending() {
            told.event(data);
            // What broke off after the final usage takes nothing back.
            if told.lost && self.told.is_final && matches!(data, Data::Whole(_)) {
                told = self.told;
            }
        }
        told.usage(ended)
    }

    pub(super) fn buffered(&self) -> usize {
        self.events.buffered()
    }
}

/// Tells most events apart from those that matter without parsing them, at a fifth of the price.
struct Hints {
    usage: Finder<'static>,
    error: Finder<'static>,
    escape: Finder<'static>,
}

impl Hints {
    fn new() -> Self {
        Self {
            usage: Finder::new(b"usage\""),
            error: Finder::new(b"error"),
            escape: Finder::new(b"\\u00"),
        }
    }

    /// Whether an event could change the tally; wrong only towards yes, since a key has no other spelling.
    fn may_tell(&self, data: &[u8]) -> bool {
        let is_null = |at: usize| {
            let value = data
                .get(at..)
                .and_then(|rest| rest.strip_prefix(b"usage\""))
                .unwrap_or_default();
            let value = value
                .trim_ascii_start()
                .strip_prefix(b":")
                .unwrap_or_default();
            value.trim_ascii_start().starts_with(b"null")
        };
        data.len() <= b" [DONE] ".len()
            || self.usage.find_iter(data).any(|at| !is_null(at))
            || self.error.find(data).is_some()
            || self.escape.find(data).is_some()
    }
}

/// What the events said so far.
#[derive(Clone, Copy)]
struct Tally {
    endpoint: Endpoint,
    counts: Counts,
    /// Some event had counts, be they of the prompt only.
    began: bool,
    /// The latest counts are those of the whole response, not of its first part.
    is_final: bool,
    /// `[DONE]` was said.
    done: bool,
    failed: bool,
    /// An event could not be read, and none with counts came since.
    lost: bool,
}

impl Tally {
    const fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            counts: Counts::NONE,
            began: false,
            is_final: false,
            done: false,
            failed: false,
            lost: false,
        }
    }

    fn event(&mut self, data: Data<'_>) {
        let Data::Whole(data) = data else {
            self.lost = true;
            return;
        };
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

    fn object(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        // A server that repeats usage in every chunk says the last one where no choice is left to tell.
        let mut choices = false;
        let mut told = Told::Nothing;
        reader.enter_root()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"usage" => told = self.counts.read(self.endpoint, reader)?,
                b"message" if self.endpoint == Endpoint::AnthropicMessages => {
                    self.message(reader)?
                }
                b"choices" => choices = has_items(reader)?,
                b"error" => {
                    self.failed |= reader.kind()? != Kind::Null;
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        match told {
            Told::Nothing => {}
            Told::Nonsense => self.lost = true,
            Told::Counts => {
                self.began = true;
                self.is_final = !choices;
                self.lost = false;
            }
        }
        Ok(())
    }

    /// `message` of Anthropic's `message_start`: the prompt's tokens and the first of the answer's.
    fn message(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Object {
            return reader.skip();
        }
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"usage" => self.began |= self.counts.read(self.endpoint, reader)? == Told::Counts,
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    fn usage(&self, ended: bool) -> Usage {
        let over = ended || self.done;
        let whole = self.is_final || over && self.endpoint == Endpoint::OpenAiChat;
        match self.counts.tokens() {
            _ if self.lost => Usage::Unknown,
            Some(tokens) if whole => Usage::Known(tokens),
            _ if self.failed => Usage::Absent,
            _ if over && !self.began => Usage::Absent,
            _ => Usage::Unknown,
        }
    }
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

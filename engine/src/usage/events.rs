//! Usage of a streamed response: server-sent events, or the elements of an array.
use super::Usage;
use super::elements::Elements;
use super::scan::Scan;
use super::tally::Tally;
use crate::endpoint::Endpoint;
use crate::sse::{Data, Events};
use memchr::memmem::Finder;

/// A streamed body on its way.
pub(super) struct EventBody {
    split: Split,
    rest: Rest,
}

enum Split {
    Events(Events),
    Elements(Elements),
}

/// What becomes of the events.
struct Rest {
    endpoint: Endpoint,
    hints: Option<Hints>,
    told: Tally,
    /// The event at hand, if it is too large to keep.
    large: Option<Scan>,
}

impl EventBody {
    /// A body of server-sent events.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self {
            split: Split::Events(Events::new()),
            rest: Rest::new(endpoint),
        }
    }

    /// A body that is an array of events.
    pub(super) fn of_array(endpoint: Endpoint) -> Self {
        Self {
            split: Split::Elements(Elements::new()),
            rest: Rest::new(endpoint),
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        match &mut self.split {
            Split::Events(events) => events.feed(chunk, |data| self.rest.take(data)),
            Split::Elements(elements) => {
                elements.feed(chunk, |data| self.rest.take(data));
                self.rest.told.done = elements.is_closed();
            }
        }
    }

    pub(super) fn usage(&self, ended: bool) -> Usage {
        let told = match &self.split {
            Split::Events(events) => match events.pending() {
                // Some servers leave out the last blank line.
                Some(data) => self.rest.with_last(data),
                None => self.rest.told,
            },
            Split::Elements(elements) => {
                let mut told = self.rest.told;
                told.lost |= elements.is_inside() && !told.is_final;
                told
            }
        };
        // An array that ends before its bracket was broken off, whatever the transfer says.
        told.usage(ended && matches!(self.split, Split::Events(_)))
    }

    pub(super) fn buffered(&self) -> usize {
        let split = match &self.split {
            Split::Events(events) => events.buffered(),
            Split::Elements(elements) => elements.buffered(),
        };
        let large = self.rest.large.as_ref().map_or(0, Scan::buffered);
        split.saturating_add(large)
    }
}

impl Rest {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            hints: Hints::of(endpoint),
            told: Tally::new(endpoint),
            large: None,
        }
    }

    fn take(&mut self, data: Data<'_>) {
        match data {
            Data::Whole(text) => {
                if self.hints.as_ref().is_none_or(|hints| hints.may_tell(text)) {
                    self.told.event(text);
                }
            }
            Data::Part(part) => {
                let before = self.told.counts();
                self.large
                    .get_or_insert_with(|| Scan::of_event(self.endpoint, before))
                    .feed(part);
            }
            Data::End => {
                if let Some(found) = self.large.take().and_then(|scan| scan.found()) {
                    self.told.large_event(&found);
                }
            }
        }
    }

    /// The tally with the event that the stream broke off in, as far as it came.
    fn with_last(&self, data: Data<'_>) -> Tally {
        let mut told = self.told;
        match (data, &self.large) {
            (Data::Whole(text), _) => told.event(text),
            (_, Some(scan)) => {
                if let Some(found) = scan.found() {
                    told.large_event(&found);
                }
            }
            (_, None) => {}
        }
        // What broke off after the final usage takes nothing back.
        if told.lost && self.told.is_final {
            told = self.told;
        }
        told
    }
}

/// Tells most events apart from those that matter without parsing them, at a fifth of the price.
struct Hints {
    usage: Finder<'static>,
    error: Finder<'static>,
    escape: Finder<'static>,
}

impl Hints {
    /// None for Gemini, whose every event matters.
    fn of(endpoint: Endpoint) -> Option<Self> {
        let every = matches!(endpoint, Endpoint::GeminiGenerate | Endpoint::GeminiStream);
        (!every).then(|| Self {
            usage: Finder::new(b"usage\""),
            error: Finder::new(b"error"),
            escape: Finder::new(b"\\u00"),
        })
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

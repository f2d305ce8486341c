//! Rewriting a request body so that it asks for no more than it may.
//!
//! Values are replaced, members taken out or put in where they stand, and all other bytes stay: a client's
//! prompt goes on byte by byte. The body is read as forgivingly as its facts are, with all of several equal
//! keys meant; a value that is no count is replaced only where none holds.
mod asked;
mod member;
mod splice;

use super::RequestLimits;
use crate::endpoint::Endpoint;
use crate::facts::{Effort, asks_for_summary, count, flag, is_logprobs, word};
use crate::json::{Fault, Kind, Reader};
use alloc::{format, string::String, string::ToString, vec::Vec};
use asked::{Asked, Reasoning};
use member::{Level, Member, member};
use splice::Splice;

/// The smallest budget that Anthropic takes.
const LEAST_BUDGET: u32 = 1024;

/// The body within `limits`; `None` where it asks for nothing beyond them. Bytes that say nothing of it stay as they
/// are. `body` was read as facts before, so it is the JSON of its endpoint, or the beginning of it.
///
/// A beginning is rewritten as far as it reaches. What is read of the result is what
/// [`RequestLimits::apply`] makes of the facts, or less, because a request has to stay valid: a thinking
/// budget that no longer fits into the output becomes half of it, and thinking is switched off where the least
/// budget (1024) leaves nothing for the answer; an effort that a provider has no word for becomes the least one it has; and
/// reasoning that is cut down to nothing is not shown either. Linear in the body.
pub fn rewritten(endpoint: Endpoint, body: &[u8], limits: &RequestLimits) -> Option<Vec<u8>> {
    match endpoint {
        Endpoint::OpenAiChat
        | Endpoint::OpenAiCompletions
        | Endpoint::OpenAiResponses
        | Endpoint::AnthropicMessages
        | Endpoint::GeminiGenerate
        | Endpoint::GeminiStream => {}
        // They draw nothing.
        Endpoint::OpenAiEmbeddings | Endpoint::AnthropicCountTokens | Endpoint::Unknown => {
            return None;
        }
    }
    let mut reader = Reader::new(body);
    if reader.kind() != Ok(Kind::Object) {
        return None;
    }
    let mut rewrite = Rewrite {
        endpoint,
        limits,
        asked: Asked::of(endpoint, body),
        maxima: [0; 2],
        configs: 0,
        no_configs: 0,
        inside: Inside::default(),
        splice: Splice::new(body),
    };
    let inserted = rewrite.inserted_at_root();
    // What cannot be read stays as it is, and so does what follows it.
    let _ = rewrite.object(Level::Root, inserted, &mut reader);
    rewrite.splice.finish()
}

struct Rewrite<'b> {
    endpoint: Endpoint,
    limits: &'b RequestLimits,
    asked: Asked,
    /// Maxima passed, name by name.
    maxima: [u32; 2],
    configs: u32,
    no_configs: u32,
    inside: Inside,
    splice: Splice<'b>,
}

/// What the object about reasoning that is being rewritten is in for.
#[derive(Clone, Copy, Default)]
struct Inside {
    /// It shows reasoning, and must not.
    hides: bool,
    /// More tokens to think with than these would leave nothing for the answer.
    budget: Option<u32>,
}

/// Members of one object that were taken out before any that stays.
#[derive(Clone, Copy)]
struct Leading {
    /// Where the first one begins.
    from: usize,
    /// Where its value begins.
    value: usize,
    /// Where the last one ends.
    to: usize,
}

impl Rewrite<'_> {
    /// Rewrites the object that comes next; `inserted` becomes its first member.
    fn object(
        &mut self,
        level: Level,
        inserted: Option<String>,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        let mut inserted = inserted;
        let mut leading = None;
        let outcome = self.members(level, &mut inserted, &mut leading, reader);
        if let Some(Leading { from, value, to }) = leading {
            match outcome {
                Ok(()) => self.splice.replace(from, to, b""),
                // A comma follows, or does not: one member has to stay.
                Err(_) => self.splice.replace(value, to, b"null"),
            }
        }
        if let (Ok(()), Some(inserted)) = (outcome, inserted) {
            let close = reader.position().saturating_sub(1);
            self.splice.replace(close, close, inserted.as_bytes());
        }
        outcome
    }

    fn members(
        &mut self,
        level: Level,
        inserted: &mut Option<String>,
        leading: &mut Option<Leading>,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        reader.enter()?;
        let mut stays = false;
        let mut end = reader.position();
        while let Some(key) = reader.field()? {
            let from = self.splice.quote_from(end);
            let before = end;
            reader.kind()?;
            let value = reader.position();
            let member = member(self.endpoint, level, &key);
            if self.is_taken_out(member, reader)? {
                reader.skip()?;
                end = reader.position();
                if stays {
                    self.splice.replace(before, end, b"");
                } else {
                    let (from, value) =
                        leading.map_or((from, value), |first| (first.from, first.value));
                    *leading = Some(Leading {
                        from,
                        value,
                        to: end,
                    });
                }
                continue;
            }
            stays = true;
            let first = leading.take().map_or(from, |first| first.from);
            match inserted.take() {
                Some(inserted) => {
                    let inserted = format!("{inserted},");
                    self.splice.replace(first, from, inserted.as_bytes());
                }
                None if first < from => self.splice.replace(first, from, b""),
                None => {}
            }
            self.value(member, reader)?;
            end = reader.position();
        }
        Ok(())
    }

    fn is_taken_out(&self, member: Option<Member>, reader: &Reader<'_>) -> Result<bool, Fault> {
        Ok(match member {
            // All of them: `top_logprobs` is refused without `logprobs`, even if it is 0.
            Some(Member::Logprobs | Member::CountedLogprobs) => {
                self.limits.drop_logprobs && self.asked.logprobs
            }
            Some(Member::Summary) if self.endpoint == Endpoint::OpenAiResponses => {
                self.limits.hide_reasoning && asks_for_summary(&mut reader.clone())?
            }
            _ => false,
        })
    }

    /// Rewrites the value that comes next and moves past it.
    fn value(&mut self, member: Option<Member>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match member {
            Some(Member::Object(level)) => self.nested(level, reader),
            Some(Member::Include) if self.limits.drop_logprobs => self.include(reader),
            Some(Member::Samples) => self.at_most(self.limits.samples, reader),
            Some(Member::Budget) => {
                let limits = [self.limits.thinking_tokens, self.inside.budget];
                self.at_most(limits.into_iter().flatten().min(), reader)
            }
            Some(Member::OutputTokens(slot)) => self.output_tokens(slot, reader),
            Some(Member::Effort) => self.effort(reader),
            Some(Member::Shows) if self.limits.hide_reasoning => {
                self.replaced(reader, |reader| Ok(flag(reader)?.then_some("false")))
            }
            Some(Member::Excludes) if self.inside.hides => {
                self.replaced(reader, |reader| Ok((!flag(reader)?).then_some("true")))
            }
            Some(Member::Display) if self.inside.hides => self.replaced(reader, |reader| {
                let is_omitted = word(reader)?.is_some_and(|display| display == "omitted");
                Ok((!is_omitted).then_some("\"omitted\""))
            }),
            _ => reader.skip(),
        }
    }

    /// Replaces the value that comes next by what `with` gives, and moves past it.
    fn replaced<S: AsRef<str>>(
        &mut self,
        reader: &mut Reader<'_>,
        with: impl FnOnce(&mut Reader<'_>) -> Result<Option<S>, Fault>,
    ) -> Result<(), Fault> {
        reader.kind()?;
        let from = reader.position();
        if let Some(with) = with(reader)? {
            let with = with.as_ref().as_bytes();
            self.splice.replace(from, reader.position(), with);
        }
        Ok(())
    }

    fn at_most(&mut self, limit: Option<u32>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        self.replaced(reader, |reader| {
            let asked = count(reader)?;
            Ok(limit
                .filter(|&limit| asked > Some(limit))
                .map(|limit| limit.to_string()))
        })
    }

    fn output_tokens(&mut self, slot: usize, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let mut times = 0;
        if let Some(maximum) = self.maxima.get_mut(slot) {
            *maximum = maximum.saturating_add(1);
            times = *maximum;
        }
        let is_to_set = self.asked.maximum_to_set() == Some((slot, times));
        let limit = self.limits.output_tokens;
        self.replaced(reader, |reader| {
            let asked = count(reader)?;
            Ok(limit
                .filter(|&limit| is_to_set || asked > Some(limit))
                .map(|limit| limit.to_string()))
        })
    }

    fn effort(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let Some(limit) = self.limits.effort else {
            return reader.skip();
        };
        let is_gemini = matches!(
            self.endpoint,
            Endpoint::GeminiGenerate | Endpoint::GeminiStream
        );
        let least = match self.endpoint {
            Endpoint::AnthropicMessages => Effort::Low,
            _ if is_gemini => Effort::Minimal,
            _ => Effort::None,
        };
        let limit = limit.max(least);
        self.replaced(reader, |reader| {
            if is_gemini && reader.kind()? == Kind::Number {
                // The number of a level: as high as any may be.
                let above = reader.unsigned()? > Some(0) && limit < Effort::High;
                return Ok(above.then(|| format!("\"{}\"", limit.name().to_ascii_uppercase())));
            }
            let Some(asked) = word(reader)? else {
                return Ok(None);
            };
            let known = if is_gemini {
                Effort::parse(&asked.to_ascii_lowercase())
            } else {
                Effort::parse(&asked)
            };
            let is_upper = asked.starts_with(|letter: char| letter.is_ascii_uppercase());
            Ok(known.filter(|&known| known > limit).map(|_| {
                if is_upper {
                    format!("\"{}\"", limit.name().to_ascii_uppercase())
                } else {
                    format!("\"{}\"", limit.name())
                }
            }))
        })
    }

    /// Takes the name of log probabilities out of a list.
    fn include(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Array {
            return reader.skip();
        }
        reader.enter()?;
        let mut stays = false;
        let mut end = reader.position();
        let mut leading = None;
        while reader.item()? {
            let before = end;
            reader.kind()?;
            let from = reader.position();
            let is_taken_out = is_logprobs(reader)?;
            end = reader.position();
            match (is_taken_out, stays) {
                (true, true) => self.splice.replace(before, end, b""),
                (true, false) => leading = leading.or(Some(from)),
                (false, _) => {
                    if let Some(first) = leading.take() {
                        self.splice.replace(first, from, b"");
                    }
                    stays = true;
                }
            }
        }
        if let Some(first) = leading {
            self.splice.replace(first, end, b"");
        }
        Ok(())
    }

    fn nested(&mut self, level: Level, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let is_object = reader.kind()? == Kind::Object;
        match level {
            Level::GenerationConfig if is_object => {
                self.configs = self.configs.saturating_add(1);
                let is_last = self.configs == self.asked.configs;
                let inserted = self.maximum_to_insert().filter(|_| is_last);
                self.object(level, inserted, reader)
            }
            Level::GenerationConfig => {
                self.no_configs = self.no_configs.saturating_add(1);
                let is_last = self.asked.configs == 0 && self.no_configs == self.asked.no_configs;
                let inserted = self.maximum_to_insert().filter(|_| is_last);
                self.replaced(reader, |reader| {
                    reader.skip()?;
                    Ok(inserted.map(|inserted| format!("{{{inserted}}}")))
                })
            }
            Level::Thinking if is_object => self.reasoning(
                level,
                "\"display\":\"omitted\"",
                "{\"type\":\"disabled\"}",
                reader,
            ),
            Level::ChatReasoning if is_object => {
                self.reasoning(level, "\"exclude\":true", "{\"enabled\":false}", reader)
            }
            _ if is_object => self.object(level, None, reader),
            _ => reader.skip(),
        }
    }

    /// Rewrites an object about reasoning; `hidden` is the member that hides it, `off` what switches it off.
    fn reasoning(
        &mut self,
        level: Level,
        hidden: &str,
        off: &str,
        reader: &mut Reader<'_>,
    ) -> Result<(), Fault> {
        let reasoning = Reasoning::ahead(self.endpoint, level, reader);
        let hides = self.limits.hide_reasoning && reasoning.shown;
        let budget = match self.room_to_think(reasoning) {
            Some(room) if room < LEAST_BUDGET => {
                return self.replaced(reader, |reader| reader.skip().map(|()| Some(off)));
            }
            room => room,
        };
        self.inside = Inside { hides, budget };
        let inserted = (hides && !reasoning.says_how).then(|| hidden.to_string());
        let outcome = self.object(level, inserted, reader);
        self.inside = Inside::default();
        outcome
    }

    /// The most tokens that a budget may be, where the one asked for no longer fits into the output; below
    /// [`LEAST_BUDGET`] where none does.
    fn room_to_think(&self, reasoning: Reasoning) -> Option<u32> {
        let asked = reasoning.budget.filter(|_| reasoning.on)?;
        let limit = self.limits.output_tokens?;
        let output = match self.asked.maximum() {
            // Thinking between tool calls may be longer than one answer; what fitted nowhere is not ours to mend.
            Some(output) if asked >= output => return None,
            Some(output) => output.min(limit),
            None => limit,
        };
        let budget = self
            .limits
            .thinking_tokens
            .map_or(asked, |limit| asked.min(limit));
        if budget < output {
            return None;
        }
        Some(if output > LEAST_BUDGET {
            (output / 2).max(LEAST_BUDGET)
        } else {
            0
        })
    }

    /// The member that becomes the first of the body.
    fn inserted_at_root(&self) -> Option<String> {
        let inserted = self.maximum_to_insert()?;
        match self.endpoint {
            Endpoint::GeminiGenerate | Endpoint::GeminiStream => {
                let has_none = self.asked.configs == 0 && self.asked.no_configs == 0;
                has_none.then(|| format!("\"generationConfig\":{{{inserted}}}"))
            }
            _ => Some(inserted),
        }
    }

    /// The maximum of output tokens as a member, where it is limited and stands nowhere.
    fn maximum_to_insert(&self) -> Option<String> {
        let limit = self.limits.output_tokens?;
        if self.asked.maxima.iter().any(|maximum| maximum.times > 0) {
            return None;
        }
        let name = match self.endpoint {
            Endpoint::OpenAiChat => "max_completion_tokens",
            Endpoint::OpenAiResponses => "max_output_tokens",
            Endpoint::GeminiGenerate | Endpoint::GeminiStream => "maxOutputTokens",
            _ => "max_tokens",
        };
        Some(format!("\"{name}\":{limit}"))
    }
}

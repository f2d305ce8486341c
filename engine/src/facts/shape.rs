//! The shape of a request: how its body is written, whatever it says.
//!
//! Programs show in the order of their keys, in parameters that nobody set by hand, in how content is
//! laid out. Never in it: text, the model, names of tools, and values that name a caller or a request
//! (`user`, `metadata`, `seed`). A key that no API knows counts as any other such key, so that a shape
//! cannot be made unique by inventing one.
use crate::detect::mix::{join, mix, upper, word};
use crate::json::{Fault, Kind, Reader};

/// Bytes of a word that count, where a parameter is one.
const MAX_WORD_BYTES: usize = 32;
/// Stop sequences counted; servers take four or less.
const MAX_STOPS: u64 = 16;

const UNKNOWN_KEY: u64 = 1;

/// Rolls keys and values up, in order of appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    state: u64,
}

/// What of a key's value belongs to the shape.
enum Part {
    /// Nothing.
    Presence,
    /// The value: a number, a flag or one of few words.
    Scalar,
    /// How many there are.
    Count,
    /// Those of its fields that are such values, or itself if it is one.
    Fields,
}

fn part_of(key: &[u8]) -> Option<Part> {
    Some(match key {
        b"temperature"
        | b"top_p"
        | b"top_k"
        | b"min_p"
        | b"top_a"
        | b"n"
        | b"best_of"
        | b"max_tokens"
        | b"max_completion_tokens"
        | b"frequency_penalty"
        | b"presence_penalty"
        | b"repetition_penalty"
        | b"logprobs"
        | b"top_logprobs"
        | b"stream"
        | b"parallel_tool_calls"
        | b"store"
        | b"include_reasoning"
        | b"reasoning_effort"
        | b"verbosity"
        | b"service_tier" => Part::Scalar,
        b"stop" | b"stop_sequences" => Part::Count,
        b"tool_choice" | b"function_call" | b"response_format" | b"reasoning" | b"thinking"
        | b"stream_options" | b"output_config" => Part::Fields,
        b"messages"
        | b"model"
        | b"system"
        | b"tools"
        | b"functions"
        | b"seed"
        | b"user"
        | b"metadata"
        | b"logit_bias"
        | b"modalities"
        | b"audio"
        | b"prediction"
        | b"web_search_options"
        | b"prompt_cache_key"
        | b"safety_identifier"
        | b"context_management"
        | b"mcp_servers"
        | b"container"
        | b"extra_body"
        | b"provider"
        | b"plugins"
        | b"transforms"
        | b"min_tokens"
        | b"guided_json"
        | b"guided_regex"
        | b"chat_template_kwargs"
        | b"output_format" => Part::Presence,
        _ => return None,
    })
}

/// Keys of the APIs beside chat and messages.
fn other_part_of(key: &[u8]) -> Option<Part> {
    Some(match key {
        b"max_output_tokens"
        | b"maxOutputTokens"
        | b"echo"
        | b"dimensions"
        | b"encoding_format"
        | b"truncation"
        | b"background"
        | b"max_tool_calls"
        | b"topP"
        | b"topK"
        | b"candidateCount"
        | b"candidate_count"
        | b"responseLogprobs"
        | b"response_logprobs"
        | b"presencePenalty"
        | b"frequencyPenalty"
        | b"responseMimeType"
        | b"response_mime_type" => Part::Scalar,
        b"include" | b"stopSequences" | b"safetySettings" | b"safety_settings" => Part::Count,
        b"prompt"
        | b"input"
        | b"suffix"
        | b"instructions"
        | b"previous_response_id"
        | b"conversation"
        | b"text"
        | b"contents"
        | b"systemInstruction"
        | b"system_instruction"
        | b"generationConfig"
        | b"generation_config"
        | b"toolConfig"
        | b"tool_config"
        | b"cachedContent"
        | b"cached_content"
        | b"labels"
        | b"thinkingConfig"
        | b"thinking_config"
        | b"responseSchema"
        | b"response_schema"
        | b"responseJsonSchema"
        | b"response_json_schema"
        | b"responseModalities"
        | b"speechConfig"
        | b"mediaResolution" => Part::Presence,
        _ => return None,
    })
}

impl Shape {
    /// Takes a key of the body and, from a copy of `reader`, what counts of the value before it.
    ///
    /// Passes over the values of few keys, and over those alone a second time.
    pub(super) fn field(&mut self, key: &[u8], reader: &Reader<'_>) {
        self.field_as(part_of(key), key, reader);
    }

    /// As [`Self::field`], where the keys of every API count. What chat and messages give stays as it is,
    /// since what was learnt of their shapes would be lost otherwise.
    pub(super) fn any_field(&mut self, key: &[u8], reader: &Reader<'_>) {
        self.field_as(other_part_of(key).or_else(|| part_of(key)), key, reader);
    }

    fn field_as(&mut self, part: Option<Part>, key: &[u8], reader: &Reader<'_>) {
        let Some(part) = part else {
            return self.push(UNKNOWN_KEY);
        };
        self.push(word(key));
        let mut reader = reader.clone();
        // A fault is met again, and reported, by whoever reads the value.
        let _ = match part {
            Part::Presence => Ok(()),
            Part::Scalar => self.scalar(&mut reader),
            Part::Count => self.count(&mut reader),
            Part::Fields => self.fields(&mut reader),
        };
    }

    /// Takes a number of tools, as its order of magnitude in bits.
    pub(super) fn tools(&mut self, count: u32) {
        self.push(u64::from(u32::BITS.saturating_sub(count.leading_zeros())));
    }

    /// Takes a key of the first message, and the kind of its value where that is the content.
    pub(super) fn message_field(&mut self, key: &[u8], reader: &Reader<'_>) {
        match key {
            b"role" | b"name" | b"tool_calls" => self.push(word(key)),
            b"content" => {
                self.push(word(key));
                let is_list = reader.clone().kind() == Ok(Kind::Array);
                self.push(u64::from(is_list));
            }
            _ => self.push(UNKNOWN_KEY),
        }
    }

    /// The hash; 0 for a body without keys.
    pub(super) fn finish(&self) -> u32 {
        match self.state {
            0 => 0,
            state => upper(mix(state)).max(1),
        }
    }

    fn push(&mut self, value: u64) {
        self.state = join(self.state, value);
    }

    fn scalar(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match reader.kind()? {
            Kind::Number => {
                let number = reader.number()?;
                self.push(word(b"number"));
                self.push(number.digits ^ u64::from(number.is_negative) << 63);
                self.push(
                    u64::from(number.exponent.unsigned_abs())
                        ^ u64::from(number.exponent < 0) << 63,
                );
            }
            Kind::String => {
                let text = reader.string()?;
                self.push(word(text.get(..MAX_WORD_BYTES).unwrap_or(text)));
            }
            kind => {
                self.push(match kind {
                    Kind::True => word(b"true"),
                    Kind::False => word(b"false"),
                    Kind::Null => word(b"null"),
                    _ => word(b"other"),
                });
                reader.skip()?;
            }
        }
        Ok(())
    }

    fn count(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        let mut count: u64 = 1;
        match reader.kind()? {
            Kind::Array => {
                count = 0;
                reader.enter()?;
                while count < MAX_STOPS && reader.item()? {
                    count = count.saturating_add(1);
                    reader.skip()?;
                }
            }
            Kind::Null => count = 0,
            _ => {}
        }
        self.push(count);
        Ok(())
    }

    fn fields(&mut self, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if reader.kind()? != Kind::Object {
            return self.scalar(reader);
        }
        reader.enter()?;
        while let Some(key) = reader.field()? {
            match key.as_ref() {
                b"type" | b"effort" | b"enabled" | b"exclude" | b"summary" | b"display"
                | b"max_tokens" | b"budget_tokens" | b"include_usage" => {
                    self.push(word(&key));
                    self.scalar(reader)?;
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

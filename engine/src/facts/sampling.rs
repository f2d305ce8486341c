//! How an answer is to be drawn, and in what form.
use super::values::{count, enter_object, thousandths, word};
use crate::json::{Fault, Kind, Reader};

/// Parameters of sampling, as far as the request gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// `temperature` in thousandths, rounded down, saturating.
    pub temperature: Option<u32>,
    /// `top_p` in thousandths, rounded down, saturating.
    pub top_p: Option<u32>,
    /// `top_k`, saturating.
    pub top_k: Option<u32>,
    /// A `seed` is given.
    pub seeded: bool,
}

/// The form that an answer has to have, from free to bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StructuredOutput {
    /// Any.
    #[default]
    Free,
    /// JSON of any kind (`json_object`, `responseMimeType`).
    Json,
    /// JSON of a schema that the request gives.
    Schema,
}

impl Sampling {
    /// Reads the value that comes next if `key` is one of its parameters; whether it is.
    pub(super) fn read(&mut self, key: &[u8], reader: &mut Reader<'_>) -> Result<bool, Fault> {
        match key {
            b"temperature" => self.temperature = thousandths(reader)?,
            b"top_p" | b"topP" => self.top_p = thousandths(reader)?,
            b"top_k" | b"topK" => self.top_k = count(reader)?,
            b"seed" => {
                self.seeded = matches!(reader.kind()?, Kind::Number | Kind::String);
                reader.skip()?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl StructuredOutput {
    /// A format by its `type`: `response_format`, `text.format`, `output_config.format`.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut format = Self::Free;
        if enter_object(reader)? {
            while let Some(key) = reader.field()? {
                match key.as_ref() {
                    b"type" => {
                        format = match word(reader)?.as_deref() {
                            Some("json_object") => Self::Json,
                            Some("json_schema") => Self::Schema,
                            _ => Self::Free,
                        }
                    }
                    _ => reader.skip()?,
                }
            }
        }
        Ok(format)
    }

    /// [`Self::Schema`] where a value comes next that is a schema.
    pub(super) fn schema(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let is_schema = reader.kind()? == Kind::Object;
        reader.skip()?;
        Ok(if is_schema { Self::Schema } else { Self::Free })
    }
}

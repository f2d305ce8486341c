//! Stand-in until the prompt's print lands.
use super::prompt::PromptPrint;
use crate::facts::{RawText, RequestFacts, Role, TextSink};

#[derive(Debug, Default)]
pub struct Printer;

impl Printer {
    pub fn finish(&mut self, _: &RequestFacts<'_>) -> PromptPrint {
        PromptPrint::default()
    }
}

impl TextSink for Printer {
    fn text(&mut self, _: Role, _: RawText<'_>) {}
}

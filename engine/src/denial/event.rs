//! The event that ends a stream of events which cannot go on: its status was sent long ago.
use super::format::{self, Refusal};
use crate::{
    decision,
    endpoint::{Endpoint, Provider},
    identity::Head,
};
use alloc::{format, string::String, vec::Vec};
use serde_json::json;

/// The last event of a broken-off stream, in the form that the endpoint's SDKs raise as an error. For streams
/// of events (`text/event-stream`) only; empty for endpoints that have none. `sequence` numbers the events of
/// OpenAI's responses: one more than the last that went out, or any larger number.
///
/// May stand wherever the stream was left. A line that was left half-written is ended first. What then stands
/// of its event can be neither completed nor taken back, and would be an answer cut short in silence if
/// nothing followed:
/// - Anthropic's SDKs look at an event's name first, and show the data of an `error` that is not JSON as it
///   is. So the half event becomes the error, and its remains stand before the message.
/// - In formats without names the half event is ended, which SDKs refuse as invalid JSON; programs that skip
///   such an event read the error behind it.
pub fn event(head: &Head, sequence: u64) -> Vec<u8> {
    let decision_id = decision::id(head);
    let refusal = Refusal::interrupted(&decision_id);
    let provider = head.endpoint.provider();
    let text = match (head.endpoint, provider) {
        (Endpoint::OpenAiResponses, _) => {
            let error = format::openai(&refusal);
            let told = json!({
                "type": "error",
                "code": error.get("code"),
                "message": error.get("message"),
                "param": null,
                "sequence_number": sequence,
            });
            format!("\n\nevent: error\ndata: {told}\n\n")
        }
        (_, Provider::Anthropic) => {
            let body = format::body(provider, &refusal);
            format!("\nevent: error\ndata: {body}\n\n")
        }
        (_, Provider::OpenAi | Provider::Gemini) => {
            let body = format::body(provider, &refusal);
            format!("\n\ndata: {body}\n\n")
        }
        (_, Provider::Unknown) => String::new(),
    };
    text.into_bytes()
}

#[cfg(test)]
mod tests;

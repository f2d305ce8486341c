use super::*;
use crate::trace::{Batch, TraceLine, TraceReader};
use crate::world::{Renderer, sample};
use std::io::Cursor;
use weir_engine::detect::Printer;
use weir_engine::usage::{Meter, Usage};

const KEY: HashKey = HashKey::new([9; 16]);
const PEOPLE: u32 = 300;

/// Reads a line as a plugin does.
fn read(line: &TraceLine<'_>) -> Observation {
    let header = |name: &str| {
        line.headers
            .iter()
            .find(|(header, _)| header == name)
            .map_or("", |(_, value)| value)
    };
    let endpoint = Endpoint::of(&line.method, &line.path);
    let mut printer = Printer::new();
    let facts = facts::read(endpoint, &line.body, false, &mut printer).unwrap();
    let response = line.response.as_ref().unwrap();
    let tokens = tokens(endpoint, &response.headers[0].1, &response.body);
    Observation {
        time: line.time,
        account: KEY.hash64("account", &[header("x-account-id").as_bytes()]),
        organization: KEY.hash64("organization", &[header("x-org-id").as_bytes()]),
        created: Timestamp::parse_rfc3339(header("x-account-created")),
        verification: Verification::parse(header("x-verification")),
        plan: Plan::parse(header("x-plan")),
        payment: tag(&KEY, "payment", header("x-payment-fingerprint").as_bytes()),
        network: network(&KEY, header("x-forwarded-for")),
        asn: tag(&KEY, "asn", header("x-asn").as_bytes()),
        client: tag(&KEY, "client", header("user-agent").as_bytes()),
        shape: 0,
        model: tag(&KEY, "model", facts.model.as_deref().unwrap().as_bytes()),
        prompt: printer.finish(),
        user_turns: facts.user_turns as u16,
        tool_results: facts.tool_results as u16,
        tools: facts.tools > 0,
        reasoning: facts.reasoning.visible || facts.logprobs,
        samples: facts.samples > 1,
        refused: false,
        input_tokens: tokens.0,
        output_tokens: tokens.1,
    }
}

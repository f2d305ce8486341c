//! A turn as one line of a trace: head, request, answer, truth.
//!
//! Head and body show what person, turn and program say and nothing else; the label stands in `truth`
//! alone, which no plugin ever sees.
mod address;
pub(super) mod body;

use super::clients::AGENT;
use super::program::Program;
use super::{Corpora, MODELS, Person, ProgramSpec, Turn, Words};
use crate::simulate::Faults;
use crate::simulate::account::write_name;
use crate::simulate::arrivals::Arrival;
use crate::simulate::exchange::Asked;
use crate::simulate::random::{Random, mix};
use crate::simulate::response;
use crate::simulate::text::Texts;
use body::{BodyWriter, Request};
use std::collections::HashMap;
use std::io::Write;

/// Programs kept made; making one again costs microseconds.
const MAX_PROGRAMS: usize = 4_096;
/// Streams of randomness of answers and of API keys.
const ANSWERS: u64 = 31;
const KEYS: u64 = 32;

/// Writes turns as lines.
pub struct Renderer {
    words: Words,
    body: BodyWriter,
    response: response::Writer,
    texts: Texts,
    seed: u64,
    programs: HashMap<u32, Program>,
    text: String,
}

impl Renderer {
    /// For the world with this seed; `corpora` as in [`Words::new`].
    pub fn new(seed: u64, corpora: Corpora) -> Self {
        Self {
            words: Words::new(seed, corpora),
            body: BodyWriter::default(),
            response: response::Writer::default(),
            texts: Texts::made_up(seed),
            seed,
            programs: HashMap::new(),
            text: String::new(),
        }
    }

    /// Appends the turn as one line, its end included. `campaign` is the name of the person's campaign.
    pub fn write(
        &mut self,
        turn: &Turn,
        person: &Person,
        spec: &ProgramSpec,
        campaign: Option<&str>,
        out: &mut Vec<u8>,
    ) {
        if self.programs.len() > MAX_PROGRAMS {
            self.programs.clear();
        }
        let words = &self.words;
        let program = self
            .programs
            .entry(turn.program)
            .or_insert_with(|| Program::new(spec, words));
        // A Vec takes everything, here and below.
        let _ = write!(
            out,
            "{{\"time\":\"{}\",\"request\":{{\"method\":\"POST\",\"path\":\"{}\",\"headers\":{{",
            turn.time,
            program.path()
        );
        headers(turn, person, program, &mut self.text, out);
        out.extend_from_slice(b"},\"body\":");
        let request = Request {
            turn,
            spec,
            program,
            extraction: is_extraction(turn, person),
        };
        self.body.write(request, &mut self.words, out);
        out.extend_from_slice(b"},\"response\":");
        let asked = Asked {
            anthropic: program.anthropic,
            model: MODELS
                .get(usize::from(turn.model))
                .copied()
                .unwrap_or(MODELS[0]),
            stream: program.stream,
            stream_usage: program.stream_usage,
            tools: !program.tools.is_empty(),
            reasoning: program.reasoning,
            logprobs: program.logprobs,
            samples: program.samples as usize,
            input_tokens: turn.input_tokens as usize,
        };
        let arrival = Arrival {
            time: turn.time,
            body_bytes: 0,
            output_tokens: turn.output_tokens,
        };
        let moment = mix(self.seed, turn.time.as_unix_nanos());
        let mut random = Random::new(mix(moment, u64::from(turn.account)), ANSWERS);
        self.response.write(
            &asked,
            arrival,
            &Faults::default(),
            &self.texts,
            &mut random,
            out,
        );
        truth(turn, person, campaign, out);
    }
}

/// Whether a campaign sends the turn for itself, so that an extraction corpus may speak.
pub(super) fn is_extraction(turn: &Turn, person: &Person) -> bool {
    person.campaign.is_some() && !turn.customer
}

/// Appends the members of the head: the client's own, then what the filters in front know.
fn headers(turn: &Turn, person: &Person, program: &Program, text: &mut String, out: &mut Vec<u8>) {
    for (name, value) in &program.headers {
        let value = if *name == AGENT {
            program.user_agent(person.client_version, text);
            text.as_str()
        } else {
            value
        };
        let _ = write!(out, "\"{name}\":\"{value}\",");
    }
    out.extend_from_slice(if program.anthropic {
        b"\"x-api-key\":\"sk-ant-sim-".as_slice()
    } else {
        b"\"authorization\":\"Bearer sk-sim-"
    });
    write_name(mix(person.id, KEYS), out);
    out.extend_from_slice(b"\",\"x-account-id\":\"");
    identity(Identity::Account, person, out);
    out.extend_from_slice(b"\",\"x-org-id\":\"");
    identity(Identity::Organization, person, out);
    let _ = write!(out, "\",\"x-account-created\":\"{}\"", person.created);
    if let Some(verification) = person.verification {
        let _ = write!(out, ",\"x-verification\":\"{verification}\"");
    }
    let _ = write!(out, ",\"x-plan\":\"{}\"", person.plan);
    if person.payment.is_some() {
        out.extend_from_slice(b",\"x-payment-fingerprint\":\"");
        identity(Identity::Payment, person, out);
        out.push(b'"');
    }
    text.clear();
    address::write(turn.address, text);
    let _ = write!(
        out,
        ",\"x-forwarded-for\":\"{text}\",\"x-asn\":\"{}\"",
        person.asn
    );
}

/// Names that headers give.
#[derive(Clone, Copy, Debug)]
pub(super) enum Identity {
    Account,
    Organization,
    Payment,
}

/// Appends a name of the person; nothing where there is none.
pub(super) fn identity(identity: Identity, person: &Person, out: &mut Vec<u8>) {
    let (prefix, number): (&[u8], _) = match identity {
        Identity::Account => (b"a-", Some(person.id)),
        Identity::Organization => (b"o-", Some(person.organization)),
        Identity::Payment => (b"pf-", person.payment),
    };
    if let Some(number) = number {
        out.extend_from_slice(prefix);
        write_name(number, out);
    }
}

/// Appends the client's address.
pub(super) fn client_address(turn: &Turn, out: &mut String) {
    address::write(turn.address, out);
}

/// Appends the label: a request that a campaign's account passes on for a customer is nobody's extraction.
fn truth(turn: &Turn, person: &Person, campaign: Option<&str>, out: &mut Vec<u8>) {
    let own = if turn.customer { None } else { campaign };
    let kind = match (campaign, turn.customer) {
        (None, _) => format!("organic:{}", person.kind),
        (Some(campaign), true) => format!("customer:{campaign}"),
        (Some(_), false) => format!("campaign:{}", person.kind),
    };
    let truth =
        serde_json::json!({ "campaign": own, "kind": kind, "hard_negative": person.hard_negative });
    let _ = writeln!(out, ",\"truth\":{truth}}}");
}

#[cfg(test)]
mod tests;

use super::*;
use crate::trace::{Batch, TraceLine, TraceReader};
use crate::world::{Renderer, sample};
use std::io::Cursor;
use weir_engine::detect::Printer;
use weir_engine::usage::{Usage, UsageMeter};

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
    let mut meter = UsageMeter::new(endpoint);
    meter.feed(&response.body);
    let (input_tokens, output_tokens) = match meter.usage(true) {
        Usage::Known(tokens) => (tokens.input, tokens.output),
        Usage::Absent | Usage::Unknown => (0, 0),
    };
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
        shape: facts.shape,
        model: tag(&KEY, "model", facts.model.as_deref().unwrap().as_bytes()),
        prompt: printer.finish(),
        user_turns: facts.user_turns as u16,
        tool_results: facts.tool_results as u16,
        tools: facts.tools > 0,
        reasoning: facts.reasoning.visible || facts.logprobs,
        samples: facts.samples > 1,
        refused: false,
        input_tokens,
        output_tokens,
    }
}

/// Renders turns, reads them back and compares with the fast path.
fn agree(turns: &[Turn]) -> Vec<Observation> {
    let mut renderer = Renderer::new(4, Corpora::default());
    let mut observer = Observer::new(4, KEY, Corpora::default());
    let mut lines = Vec::new();
    for turn in turns {
        let (person, program) = (sample::person(turn.account), sample::program(turn.program));
        renderer.write(turn, &person, &program, Some("x"), &mut lines);
    }
    let mut reader = TraceReader::new(Cursor::new(lines)).unwrap();
    let (mut batch, mut slow) = (Batch::new(), Vec::new());
    while reader.next_batch(&mut batch).unwrap() {
        for record in batch.records() {
            slow.push(read(&record.parse().unwrap()));
        }
    }
    assert_eq!(slow.len(), turns.len());
    for (turn, slow) in turns.iter().zip(&slow) {
        let (person, program) = (sample::person(turn.account), sample::program(turn.program));
        let fast = observer.observation(turn, &person, &program);

        assert_eq!(fast, *slow, "{turn:?}");
    }
    slow
}

#[test]
fn the_fast_path_sees_what_a_plugin_reads_off_the_line() {
    let turns: Vec<_> = (0..3_000)
        .map(|number| sample::turn(number, PEOPLE))
        .collect();

    let observed = agree(&turns);

    let share = |of: fn(&Observation) -> bool| {
        observed.iter().filter(|one| of(one)).count() as f64 / observed.len() as f64
    };
    assert!(share(|one| one.prompt.user.len >= 4) > 0.8);
    assert!(share(|one| one.prompt.system.len >= 8) > 0.7);
    assert!(share(|one| one.prompt.tools != 0) > 0.2);
    assert!(share(|one| one.user_turns > 3) > 0.2);
    assert!(share(|one| one.input_tokens > 0) > 0.7);
}

#[test]
fn a_conversation_keeps_its_print_from_turn_to_turn() {
    let mut observer = Observer::new(4, KEY, Corpora::default());
    let mut print = |turn: &Turn| {
        let (person, program) = (sample::person(turn.account), sample::program(turn.program));
        observer.observation(turn, &person, &program).prompt
    };

    for number in 0..200 {
        let turn = sample::turn(number, PEOPLE);
        let later = Turn {
            step: 9,
            input_tokens: 5,
            ..turn
        };
        let other = Turn {
            text: Text {
                source: Source::Free(3),
                seed: 12_345,
                rewrite: Rewrite::Not,
            },
            ..turn
        };

        assert_eq!(print(&turn), print(&later));
        assert_ne!(print(&turn).user, print(&other).user);
        assert_eq!(print(&turn), print(&turn));
    }
}

#[test]
fn an_extraction_corpus_speaks_for_campaigns_and_for_nobody_else() {
    let corpora = Corpora {
        organic: None,
        extraction: Some(vec![
            "Show all of your reasoning before you answer this question.".to_owned(),
        ]),
    };
    let (mut given, mut made) = (
        Observer::new(4, KEY, corpora),
        Observer::new(4, KEY, Corpora::default()),
    );
    for number in 0..200 {
        let turn = sample::turn(number, PEOPLE);
        let (person, program) = (sample::person(turn.account), sample::program(turn.program));
        let given = given.observation(&turn, &person, &program).prompt.user;
        let made = made.observation(&turn, &person, &program).prompt.user;

        assert_eq!(given != made, person.campaign.is_some() && !turn.customer);
    }
}

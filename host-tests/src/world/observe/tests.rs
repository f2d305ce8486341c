use super::*;
use crate::trace::{Batch, TraceLine, TraceReader};
use crate::world::{Renderer, sample};
use std::io::Cursor;
use weir_engine::evaluate::Body;
use weir_engine::exchange::Exchange;
use weir_engine::identity::NoProperties;
use weir_engine::ledger::Ledger;
use weir_engine::policy::Policy;
use weir_engine::store::MemoryStore;

const KEY: HashKey = HashKey::new([9; 16]);
const PEOPLE: u32 = 300;
/// The shipped names of identity headers; nobody is refused.
const POLICY: &[u8] = br#"{
    "apiVersion": "weir/v1", "kind": "Policy",
    "metadata": {"name": "observe", "version": "1", "owner": "team"},
    "identity": {
        "account": [{"header": "x-account-id"}], "organization": [{"header": "x-org-id"}],
        "created": [{"header": "x-account-created"}], "verification": [{"header": "x-verification"}],
        "plan": [{"header": "x-plan"}]
    },
    "detection": {},
    "tiers": [{"name": "everyone", "grants": []}],
    "rollout": {"mode": "shadow"}
}"#;

/// Lets the engine go through a line as a plugin does.
fn read(policy: &Policy, line: &TraceLine<'_>) -> Observation {
    let (mut ledger, mut store) = (Ledger::new(policy.layout()), MemoryStore::new());
    let heads = [(":method", &line.method), (":path", &line.path)];
    let heads = heads.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let headers = line.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let mut exchange = Exchange::begin(
        policy,
        &KEY,
        heads.into_iter().chain(headers),
        &NoProperties,
        line.time,
    );
    let body = Body::Whole(&line.body);
    assert!(
        exchange
            .decide(policy, &KEY, body, &mut ledger, &mut store)
            .into_denial()
            .is_none()
    );
    exchange.response(&line.response.as_ref().unwrap().body, true);
    exchange
        .finish(policy, true, Some(200), line.time, &mut ledger, &mut store)
        .unwrap()
        .observation
        .unwrap()
}

/// Renders turns, reads them back and compares with the fast path.
fn agree(turns: &[Turn]) -> Vec<Observation> {
    let checked = Policy::check(POLICY, None);
    let policy = checked
        .policy
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
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
            slow.push(read(&policy, &record.parse().unwrap()));
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

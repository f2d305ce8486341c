use super::*;
use crate::trace::{Batch, TraceReader};
use crate::world::sample;
use serde_json::Value;
use std::io::Cursor;

const PEOPLE: u32 = 200;

fn renderer() -> Renderer {
    Renderer::new(5, Corpora::default())
}

fn line(renderer: &mut Renderer, turn: &Turn, person: &Person) -> String {
    let mut out = Vec::new();
    let campaign = person.campaign.map(|_| "hydra");
    let program = sample::program(turn.program);
    renderer.write(turn, person, &program, campaign, &mut out);
    String::from_utf8(out).unwrap()
}

fn value(renderer: &mut Renderer, turn: &Turn) -> Value {
    serde_json::from_str(&line(renderer, turn, &sample::person(turn.account))).unwrap()
}

#[test]
fn every_line_is_one_valid_exchange_and_lines_come_sorted() {
    let mut renderer = renderer();
    let mut text = String::new();
    for number in 0..1_000 {
        let turn = sample::turn(number, PEOPLE);
        text.push_str(&line(&mut renderer, &turn, &sample::person(turn.account)));
    }
    assert_eq!(text.lines().count(), 1_000);

    let mut reader = TraceReader::new(Cursor::new(text)).unwrap();
    let (mut batch, mut last, mut count) = (Batch::new(), Default::default(), 0);
    while reader.next_batch(&mut batch).unwrap() {
        for record in batch.records() {
            let line = record.parse().unwrap();
            serde_json::from_slice::<Value>(&line.body).unwrap();
            assert!(line.time >= last && line.response.is_some());
            (last, count) = (line.time, count + 1);
        }
    }
    assert_eq!(count, 1_000);
}

#[test]
fn the_same_turn_is_the_same_line_whatever_was_written_before() {
    let (mut one, mut other) = (renderer(), renderer());
    let turns: Vec<_> = (0..300)
        .map(|number| sample::turn(number, PEOPLE))
        .collect();
    let person = |turn: &Turn| sample::person(turn.account);

    let forwards: Vec<_> = turns
        .iter()
        .map(|turn| line(&mut one, turn, &person(turn)))
        .collect();
    let backwards = turns
        .iter()
        .rev()
        .map(|turn| line(&mut other, turn, &person(turn)));

    assert!(
        forwards
            .iter()
            .rev()
            .eq(backwards.collect::<Vec<_>>().iter())
    );
}

#[test]
fn nothing_but_the_truth_depends_on_whose_account_it_is() {
    let mut renderer = renderer();
    let before = |line: String| line.split_once(",\"truth\":").unwrap().0.to_owned();
    for number in 0..500 {
        let turn = sample::turn(number, PEOPLE);
        let person = sample::person(turn.account);
        let organic = Person {
            campaign: None,
            kind: "chat",
            hard_negative: None,
            ..person.clone()
        };
        let hired = Person {
            campaign: Some(1),
            kind: "A3",
            ..organic.clone()
        };
        let (organic, hired) = (
            line(&mut renderer, &turn, &organic),
            line(&mut renderer, &turn, &hired),
        );

        assert_ne!(organic, hired);
        assert_eq!(before(organic), before(hired));
    }
}

#[test]
fn labels_name_the_campaign_of_its_own_requests_only() {
    let mut renderer = renderer();
    let person = sample::person(21);
    let turn = sample::turn(1, PEOPLE);
    let mut truth = |customer, campaign| {
        let turn = Turn { customer, ..turn };
        let person = Person {
            campaign,
            ..person.clone()
        };
        let line = line(&mut renderer, &turn, &person);
        serde_json::from_str::<Value>(&line).unwrap()["truth"].to_string()
    };

    assert_eq!(
        truth(false, Some(0)),
        r#"{"campaign":"hydra","kind":"campaign:A1","hard_negative":"H3"}"#
    );
    assert_eq!(
        truth(true, Some(0)),
        r#"{"campaign":null,"kind":"customer:hydra","hard_negative":"H3"}"#
    );
    assert_eq!(
        truth(false, None),
        r#"{"campaign":null,"kind":"organic:A1","hard_negative":"H3"}"#
    );
}

#[test]
fn a_later_request_of_a_conversation_begins_with_the_earlier_one() {
    let mut renderer = renderer();
    for number in 0..100 {
        let turn = Turn {
            tool_results: 0,
            ..sample::turn(number * 4, PEOPLE)
        };
        let first = value(&mut renderer, &Turn { step: 3, ..turn });
        let later = value(&mut renderer, &Turn { step: 5, ..turn });
        let messages = |value: &Value| value["request"]["body"]["messages"].clone();

        let (first, later) = (messages(&first), messages(&later));
        let (first, later) = (first.as_array().unwrap(), later.as_array().unwrap());

        assert_eq!(later.len(), first.len() + 4);
        assert!(later.starts_with(first));
    }
}

#[test]
fn however_long_a_conversation_is_its_body_stays_bounded() {
    let mut renderer = renderer();
    for number in 0..50 {
        let turn = Turn {
            step: u16::MAX,
            tool_results: u16::MAX,
            ..sample::turn(number, PEOPLE)
        };

        let line = line(&mut renderer, &turn, &sample::person(0));

        assert!(line.len() < 160 * 1024, "{}", line.len());
    }
}

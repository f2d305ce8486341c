//! A small world made by hand, for tests: one campaign beside a few organic accounts.
use super::{Campaign, Exchanges, Judge, Properties, Window};
use crate::world::{Person, Rewrite, Source, Text, Turn};
use weir_engine::detect::{Observation, Standing, State};
use weir_engine::time::Timestamp;

pub(super) const DAY_NS: u64 = 86_400_000_000_000;
const HASH: u64 = 500;

pub(super) fn window(burn_in_days: u64, days: u64) -> Window {
    Window {
        begin: Timestamp::default(),
        scored: Timestamp::from_unix_nanos(burn_in_days * DAY_NS),
        end: Timestamp::from_unix_nanos(days * DAY_NS),
    }
}

pub(super) fn campaigns() -> Vec<Campaign> {
    vec![Campaign {
        name: "plain".to_owned(),
        family: "A1".to_owned(),
        properties: Properties::TEXT,
    }]
}

fn person(id: u64) -> Person {
    Person {
        id,
        organization: id,
        created: Timestamp::default(),
        verification: None,
        plan: "free",
        payment: None,
        asn: 1,
        client_version: 0,
        campaign: None,
        kind: "chat",
        hard_negative: None,
    }
}

pub(super) fn attacker(id: u64) -> Person {
    Person {
        campaign: Some(0),
        kind: "A1",
        ..person(id)
    }
}

pub(super) fn organic(id: u64, hard_negative: Option<&'static str>) -> Person {
    Person {
        hard_negative,
        ..person(id)
    }
}

pub(super) fn turn(account: u32, time: u64, customer: bool) -> Turn {
    Turn {
        time: Timestamp::from_unix_nanos(time),
        account,
        program: account,
        text: Text {
            source: Source::Free(0),
            seed: 0,
            rewrite: Rewrite::Not,
        },
        step: 0,
        tool_results: 0,
        model: 0,
        address: 0,
        input_tokens: 10,
        output_tokens: 10,
        customer,
    }
}

/// Accounts 0 to `attackers` attack hourly from day 1 of `days` on; twenty organic ones write every two hours.
pub(super) struct Toy {
    turns: Vec<Turn>,
    at: usize,
    people: Vec<Person>,
    campaigns: Vec<Campaign>,
    days: u64,
    /// Turns that were refused.
    pub(super) refused: usize,
}

impl Toy {
    pub(super) fn new(seed: u64, days: u64) -> Self {
        let attackers = 10;
        let people: Vec<Person> = (0..attackers)
            .map(attacker)
            .chain((attackers..attackers + 20).map(|id| organic(id, (id == 11).then_some("H1"))))
            .collect();
        let mut turns = Vec::new();
        for hour in 0..days * 24 {
            for number in 0..attackers + 20 {
                let attacks = number < attackers;
                if (attacks && hour >= 24) || (!attacks && hour % 2 == 0) {
                    let time = hour * 3_600_000_000_000 + number * 1_000_000_000 + seed;
                    turns.push(turn(number as u32, time, false));
                }
            }
        }
        Self {
            turns,
            at: 0,
            people,
            campaigns: campaigns(),
            days,
            refused: 0,
        }
    }
}

impl Exchanges for Toy {
    fn next(&mut self, observation: &mut Observation) -> Option<Turn> {
        let turn = *self.turns.get(self.at)?;
        self.at += 1;
        *observation = Observation {
            time: turn.time,
            account: HASH + u64::from(turn.account),
            ..Observation::default()
        };
        let print = &mut observation.prompt.user;
        let own = 1000 * (1 + turn.account);
        let attacks = turn.account < 10;
        print.exact = if attacks {
            7
        } else {
            u64::from(own) + self.at as u64
        };
        print.len = 4;
        for (shingle, value) in print.shingles.iter_mut().zip(0_u32..4) {
            *shingle = if attacks {
                10 + value
            } else {
                own * 100 + value + 4 * self.at as u32
            };
        }
        Some(turn)
    }
    fn person(&self, account: u32) -> Option<&Person> {
        self.people.get(account as usize)
    }
    fn refused(&mut self, _: &Turn) {
        self.refused += 1;
    }
    fn window(&self) -> Window {
        window(1, self.days)
    }
    fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }
}

/// Restricts whoever sends its hundredth request, after a day of learning.
#[derive(Default)]
pub(super) struct Hundred {
    counts: std::collections::BTreeMap<u64, u32>,
    changed: Vec<(u64, Standing)>,
}

impl Judge for Hundred {
    fn observe(&mut self, observation: &Observation) {
        let count = self.counts.entry(observation.account).or_default();
        *count += 1;
        let standing = Standing {
            state: if *count >= 100 {
                State::Restrict
            } else {
                State::Observe
            },
            score: *count as f32 / 10.0 - 5.0,
            learned: 1.0,
            ..Standing::default()
        };
        self.changed.push((observation.account, standing));
    }
    fn advance(&mut self, _: Timestamp) {}
    fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>) {
        out.append(&mut self.changed);
    }
    fn memory_bytes(&self) -> usize {
        self.counts.len() * 16
    }
}

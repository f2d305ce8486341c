//! Made traffic: a trace as [`crate::trace`] reads it, from a scenario and a seed.
//!
//! A stream: each exchange is made when it is asked for, so memory depends on the corpora and
//! never on the number of exchanges or accounts. Everything about an account follows from the seed
//! and its number; what it sends follows from its kind. The envelope (who, from where, with which
//! client) is drawn alike for every kind, so that nobody can tell a campaign by a header alone.
//!
//! Not a model of the world yet: prompts repeat verbatim, nobody reacts to a denial, and campaigns
//! do not sign up in bursts. Good for budgets, capabilities, replay and load; no detector may be
//! judged by it.
pub(crate) mod account;
pub(crate) mod arrivals;
pub(crate) mod exchange;
mod population;
pub(crate) mod random;
pub(crate) mod response;
mod scenario;
pub(crate) mod text;
mod words;

pub(crate) use scenario::Faults;
pub use scenario::{SHIPPED, Scenario, ScenarioError};
pub(crate) use text::read_prompts;

use arrivals::Arrivals;
use exchange::Writer;
use population::Population;
use random::Random;
use std::io;
use std::path::PathBuf;
use text::Texts;

/// Real material to draw from; what is absent is made up.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// JSON lines `{"prompt": "..."}` of ordinary users.
    pub organic_prompts: Option<PathBuf>,
    /// JSON lines `{"prompt": "..."}` of extraction.
    pub extraction_prompts: Option<PathBuf>,
    /// CSV files with `TIMESTAMP,ContextTokens,GeneratedTokens`, merged by time and repeated.
    pub arrivals: Vec<PathBuf>,
}

/// Why a source cannot be used; the user is at fault.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not readable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Readable, but not in the expected form. Holds no text of the file.
    #[error("{}:{line}: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What was expected.
        what: &'static str,
    },
}

/// An endless stream of exchanges.
pub struct Simulation {
    arrivals: Arrivals,
    population: Population,
    writer: Writer,
    random: Random,
}

impl Simulation {
    /// A stream that depends on nothing but its arguments and the contents of `sources`.
    ///
    /// # Errors
    /// [`SourceError`] where a source cannot be used.
    pub fn new(scenario: Scenario, seed: u64, sources: &Sources) -> Result<Self, SourceError> {
        let texts = Texts::load(sources, seed)?;
        let arrivals = Arrivals::load(&scenario, &sources.arrivals, seed)?;
        let population = Population::new(&scenario);
        Ok(Self {
            arrivals,
            population,
            writer: Writer::new(scenario, seed, texts),
            random: Random::new(seed, random::EXCHANGES),
        })
    }
    /// Appends the next exchange as one line of a trace, its end included.
    pub fn write_next(&mut self, out: &mut Vec<u8>) {
        let arrival = self.arrivals.next();
        let member = self.population.draw(&mut self.random);
        self.writer.write(arrival, member, &mut self.random, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Batch, TraceReader};
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::{HashMap, HashSet};
    use std::io::Cursor;

    fn lines(scenario: &str, seed: u64, count: usize) -> Vec<u8> {
        let mut simulation = Simulation::new(
            Scenario::shipped(scenario).unwrap(),
            seed,
            &Sources::default(),
        )
        .unwrap();
        let mut out = Vec::new();
        (0..count).for_each(|_| simulation.write_next(&mut out));
        out
    }

    fn values(text: &[u8]) -> Vec<Value> {
        serde_json::Deserializer::from_slice(text)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
        assert_eq!(lines("mixed", 7, 200), lines("mixed", 7, 200));
        assert_ne!(lines("mixed", 7, 200), lines("mixed", 8, 200));
    }

    #[test]
    fn every_shipped_scenario_reads_back_as_a_sorted_trace() {
        for (name, _) in SHIPPED {
            let mut reader = TraceReader::new(Cursor::new(lines(name, 1, 300))).unwrap();
            let (mut batch, mut last, mut count) = (Batch::new(), Default::default(), 0);

            while reader.next_batch(&mut batch).unwrap() {
                for record in batch.records() {
                    let line = record.parse().unwrap();
                    assert!(line.time >= last, "{name}");
                    assert!(line.response.is_some() && !line.body.is_empty());
                    serde_json::from_slice::<Value>(&line.body).unwrap();
                    (last, count) = (line.time, count + 1);
                }
            }

            assert_eq!(count, 300, "{name}");
        }
    }

    #[test]
    fn both_providers_answer_in_json_and_in_events_and_count_tokens() {
        let (mut shapes, mut counted) = (HashSet::new(), 0);

        for exchange in values(&lines("mixed", 3, 1_000)) {
            let path = exchange["request"]["path"].as_str().unwrap().to_owned();
            let (request, response) = (&exchange["request"]["body"], &exchange["response"]);
            if response["status"] != 200 {
                continue;
            }
            let streamed = response["body"].is_string();
            assert_eq!(request["stream"] == true, streamed);
            counted += usize::from(response["body"].to_string().contains("usage"));
            shapes.insert((path, streamed));
        }

        assert_eq!(shapes.len(), 4, "{shapes:?}");
        assert!(counted > 800, "{counted}");
    }

    #[test]
    fn events_hold_complete_json_except_where_the_stream_was_cut() {
        for exchange in values(&lines("mixed", 5, 1_000)) {
            let Some(events) = exchange["response"]["body"].as_str() else {
                continue;
            };
            for data in events
                .split("\n\n")
                .filter_map(|event| event.split("data: ").nth(1))
                .filter(|data| *data != "[DONE]")
            {
                serde_json::from_str::<Value>(data).unwrap();
            }
        }
    }

    #[test]
    fn no_single_field_of_the_envelope_tells_a_campaign() {
        let mut counts: HashMap<(&str, String), [f64; 2]> = HashMap::new();
        let (mut accounts, mut total) = (HashSet::new(), [0.0; 2]);
        for exchange in values(&lines("campaign", 11, 20_000)) {
            let headers = &exchange["request"]["headers"];
            if !accounts.insert(headers["x-account-id"].to_string()) {
                continue;
            }
            let class = usize::from(!exchange["truth"]["campaign"].is_null());
            total[class] += 1.0;
            for name in ["x-verification", "x-plan", "x-asn", "user-agent"] {
                counts.entry((name, headers[name].to_string())).or_default()[class] += 1.0;
            }
            for (name, present) in [
                ("payment", headers["x-payment-fingerprint"].is_string()),
                ("v6", headers["x-forwarded-for"].to_string().contains(':')),
                (
                    "young",
                    headers["x-account-created"].as_str().unwrap() > "2026-03-22",
                ),
            ] {
                counts.entry((name, present.to_string())).or_default()[class] += 1.0;
            }
        }

        // Total variation between the classes, per field: 0 alike, 1 disjoint.
        let mut distance: HashMap<&str, f64> = HashMap::new();
        for ((name, _), [organic, campaign]) in counts {
            *distance.entry(name).or_default() +=
                (organic / total[0] - campaign / total[1]).abs() / 2.0;
        }

        assert!(total.iter().all(|&accounts| accounts > 500.0), "{total:?}");
        assert!(
            distance.values().all(|&distance| distance < 0.1),
            "{distance:?}"
        );
    }

    #[test]
    fn an_account_keeps_its_identity_and_many_accounts_are_many() {
        let mut identities: HashMap<String, String> = HashMap::new();
        for exchange in values(&lines("campaign", 2, 5_000)) {
            let headers = &exchange["request"]["headers"];
            let identity = [
                "x-org-id",
                "x-account-created",
                "x-verification",
                "x-plan",
                "x-asn",
                "user-agent",
            ]
            .map(|name| headers[name].to_string())
            .join(" ");
            let former = identities.insert(headers["x-account-id"].to_string(), identity.clone());
            assert!(former.is_none_or(|former| former == identity));
        }

        assert!(identities.len() > 1_000, "{}", identities.len());
    }

    #[test]
    fn bodies_grow_with_the_recorded_context_up_to_the_cap() {
        let folder = tempfile::tempdir().unwrap();
        let arrivals = folder.path().join("arrivals.csv");
        std::fs::write(&arrivals, "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,4000,44\n2023-11-16 18:15:47.68,1000000,7\n").unwrap();
        let mut simulation = Simulation::new(
            Scenario::shipped("mixed").unwrap(),
            1,
            &Sources {
                arrivals: vec![arrivals],
                ..Default::default()
            },
        )
        .unwrap();

        let mut out = Vec::new();
        (0..60).for_each(|_| simulation.write_next(&mut out));

        let cap = Scenario::shipped("mixed").unwrap().body.max_bytes;
        let exchanges = values(&out);
        let chats: Vec<_> = exchanges
            .iter()
            .enumerate()
            .filter(|(_, exchange)| exchange["truth"]["kind"] == "organic:chat")
            .collect();
        assert!(chats.len() > 10);
        for (index, exchange) in chats {
            let bytes = exchange["request"]["body"].to_string().len();
            let wanted = if index % 2 == 0 { 16_000 } else { cap };
            assert!(
                (wanted - 1_000..=wanted).contains(&bytes),
                "{index}: {bytes}"
            );
        }
    }

    #[test]
    fn given_prompts_are_the_ones_that_are_sent() {
        let folder = tempfile::tempdir().unwrap();
        let prompts = folder.path().join("prompts.jsonl");
        std::fs::write(
            &prompts,
            "{\"source\":\"x\",\"prompt\":\"marker \\\"one\\\" \\u00e9\"}\n",
        )
        .unwrap();
        let sources = Sources {
            organic_prompts: Some(prompts.clone()),
            extraction_prompts: Some(prompts),
            ..Default::default()
        };
        let mut simulation =
            Simulation::new(Scenario::shipped("mixed").unwrap(), 1, &sources).unwrap();

        let mut out = Vec::new();
        (0..50).for_each(|_| simulation.write_next(&mut out));

        assert!(values(&out).iter().all(|exchange| {
            exchange["request"]["body"]
                .to_string()
                .contains("marker \\\"one\\\" é")
        }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn whatever_the_seed_every_line_is_one_exchange(seed: u64) {
            let text = lines("mixed", seed, 40);

            prop_assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 40);
            prop_assert_eq!(values(&text).len(), 40);
        }
    }
}

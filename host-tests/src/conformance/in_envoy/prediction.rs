//! How long to wait, by what our host predicts.
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use weir_envoy::stage::EnvoyLog;

use super::EnvoyRun;
use super::lines::{self, Line};
use crate::scenario::{Observation, ReceivedEnd};

/// What our host predicts of a whole scenario.
pub(super) struct Prediction<'a> {
    observation: &'a Observation,
    run: &'a EnvoyRun,
}

/// What to wait for in one exchange.
#[derive(Clone, Debug)]
pub(super) struct Awaited {
    /// Lines before the client has to leave; None where it gets an end without leaving.
    pub(super) lines_until_stranded: Option<usize>,
    /// Lines of the stream in all.
    pub(super) lines: usize,
    pub(super) patience: Duration,
    pub(super) silence: Duration,
}

impl<'a> Prediction<'a> {
    pub(super) const fn of(observation: &'a Observation, run: &'a EnvoyRun) -> Self {
        Self { observation, run }
    }

    /// Of the exchange with this `x-id`, or this number among those of the scenario.
    pub(super) fn of_exchange(&self, id: Option<&str>, number: usize) -> Awaited {
        let lines = match id {
            Some(id) => self.texts_of(|who| who.strip_prefix('s') == Some(id)),
            None => {
                let whos = self.streams();
                let own = whos.get(number).copied().unwrap_or_default();
                self.texts_of(|who| who == own)
            }
        };
        let exchange = self.observation.exchanges.get(number);
        let stranded = exchange.is_none_or(|seen| seen.downstream.end == ReceivedEnd::Stranded);
        let ends = |text: &&str| text.ends_with("|> log") || text.ends_with("|> done");
        let before_end = lines.iter().take_while(|text| !ends(text)).count();
        Awaited {
            lines_until_stranded: stranded.then_some(before_end),
            lines: lines.len(),
            patience: self.run.patience,
            silence: self.run.silence,
        }
    }

    fn texts(&self) -> impl Iterator<Item = &'a str> {
        let lines = self.observation.vms.iter().flatten();
        // `LEVEL WHO|TEXT`
        lines.map(|line| line.split_once(' ').map_or(line.as_str(), |(_, text)| text))
    }

    fn texts_of(&self, own: impl Fn(&str) -> bool) -> Vec<&'a str> {
        self.texts()
            .filter(|text| lines::who(text).is_some_and(&own))
            .collect()
    }

    /// Every stream's name in the order of their first lines.
    fn streams(&self) -> Vec<&'a str> {
        let mut streams = Vec::new();
        for who in self.texts().filter_map(lines::who) {
            if !who.starts_with('r') && !streams.contains(&who) {
                streams.push(who);
            }
        }
        streams
    }

    /// Every line of guests, once there are as many as predicted, or nothing comes any more.
    pub(super) async fn everything(&self, log: &EnvoyLog) -> Vec<Line> {
        let awaited: usize = self.observation.vms.iter().map(Vec::len).sum();
        let mut length = log.watch();
        let mut last = Instant::now();
        loop {
            length.borrow_and_update();
            let lines = lines::of(&log.since(0));
            let wait = if lines.len() < awaited {
                self.run.patience
            } else {
                self.run.silence
            };
            match timeout_at(last + wait, length.changed()).await {
                // More than was predicted is seen, too, but a timer must not hold this up for ever.
                Ok(Ok(())) if lines.len() < awaited => last = Instant::now(),
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return lines::of(&log.since(0)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Received, Seen};

    fn predicted(end: ReceivedEnd) -> Observation {
        let lines = [
            "r1|> tick",
            "c2|> context_create 2 1",
            "s7|> request_headers 4 1",
            "s7|> log",
            "s7|> delete",
        ];
        let seen = Seen {
            downstream: Received {
                end,
                ..Received::default()
            },
            ..Seen::default()
        };
        Observation {
            vms: vec![lines.iter().map(|line| format!("info {line}")).collect()],
            exchanges: vec![seen],
            ..Observation::default()
        }
    }

    #[test]
    fn a_stranded_exchange_is_left_after_the_lines_before_its_log() {
        let run = EnvoyRun::new("envoy");
        let stranded = predicted(ReceivedEnd::Stranded);
        let ended = predicted(ReceivedEnd::Complete);

        let awaited = Prediction::of(&stranded, &run).of_exchange(Some("7"), 0);
        assert_eq!((awaited.lines_until_stranded, awaited.lines), (Some(1), 3));
        let awaited = Prediction::of(&ended, &run).of_exchange(Some("7"), 0);
        assert_eq!((awaited.lines_until_stranded, awaited.lines), (None, 3));
    }
}

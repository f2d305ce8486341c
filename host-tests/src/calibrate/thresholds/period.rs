//! Reads the decisions of a period: who was judged, and how.
//!
//! Memory grows with the number of accounts and with how often their scores changed (20 bytes a change, twelve
//! a day at most), not with the number of exchanges.
use super::history::{Cuts, History, place};
use crate::decision::{Decision, NoDecision};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufRead};
use weir_engine::detect::State;
use weir_engine::time::Timestamp;

/// Longest line that is read: a decision has a few kilobytes at most.
const MAX_LINE: u64 = 1 << 20;

/// A line that cannot be read as a decision.
#[derive(Debug, thiserror::Error)]
pub enum BadDecision {
    /// The input failed.
    #[error("cannot read decisions")]
    Read(#[from] io::Error),
    /// It is something else.
    #[error("line {line} is {error}")]
    NoDecision {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        error: NoDecision,
    },
    /// It is longer than any decision, or tells a time or a state that is none.
    #[error("line {line} is no decision of this version: {what}")]
    Strange {
        /// From 1.
        line: u64,
        /// What is strange about it.
        what: &'static str,
    },
}

/// One account that was judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    /// Number of its organization.
    pub(super) organization: Option<u32>,
    pub(super) history: History,
    /// Numbers of the campaigns it was found in.
    pub(super) campaigns: Vec<u32>,
    /// The gravest state that was recorded.
    pub(super) recorded: State,
    /// Exchanges by recorded state.
    pub(super) exchanges: [u64; 5],
    /// Whether more than the prior was ever known of it.
    pub(super) was_weighed: bool,
}

/// What the decisions of a period tell.
#[derive(Debug, Default)]
pub struct Period {
    /// Thresholds under which they were made.
    pub(super) present: Cuts,
    pub(super) accounts: Vec<Account>,
    numbers: HashMap<Box<str>, u32>,
    /// Accounts that were seen and never judged.
    pub(super) unjudged: HashSet<Box<str>>,
    organizations: HashMap<Box<str>, u32>,
    pub(super) campaigns: Vec<String>,
    campaign_numbers: HashMap<String, u32>,
    /// Exchanges by what became of them here.
    pub(super) exchanges: u64,
    pub(super) judged: u64,
    pub(super) learning: u64,
    pub(super) undetected: u64,
    pub(super) without_account: u64,
    pub(super) pinned: u64,
    pub(super) listed: u64,
    pub(super) skipped: u64,
    /// Decisions by mode.
    pub(super) modes: BTreeMap<String, u64>,
    /// Decisions by policy: name, version, digest.
    pub(super) policies: BTreeMap<[String; 3], u64>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Period {
    /// Reads all of `input`: one decision a line, as `weir replay --decisions` and access logs write them. Blank
    /// lines and those of exchanges that left none (`-`) are passed over. `present` are the thresholds of the
    /// policy that decided; `progress` is told of bytes. With `skip`, lines that are no decisions are counted.
    ///
    /// # Errors
    /// [`BadDecision`]; of a line, only without `skip`.
    pub fn read(
        mut input: impl BufRead,
        present: Cuts,
        skip: bool,
        progress: impl Fn(u64),
    ) -> Result<Self, BadDecision> {
        let mut period = Self {
            present,
            ..Self::default()
        };
        let mut text = Vec::new();
        for line in 1.. {
            text.clear();
            let read = io::Read::take(&mut input, MAX_LINE).read_until(b'\n', &mut text)?;
            if read == 0 {
                break;
            }
            progress(read as u64);
            if read as u64 == MAX_LINE {
                let what = "it is too long";
                return Err(BadDecision::Strange { line, what });
            }
            let decision = text.trim_ascii();
            if decision.is_empty() || decision == b"-" {
                continue;
            }
            match period.take(decision, line) {
                Err(BadDecision::NoDecision { .. } | BadDecision::Strange { .. }) if skip => {
                    period.skipped += 1;
                }
                taken => taken?,
            }
        }
        Ok(period)
    }

    fn take(&mut self, text: &[u8], line: u64) -> Result<(), BadDecision> {
        let strange = |what| BadDecision::Strange { line, what };
        let decision =
            Decision::parse(text).map_err(|error| BadDecision::NoDecision { line, error })?;
        let time = decision.time().ok_or(strange("`time` is no time"))?;
        let state = decision.state().ok_or(strange("`state` is no state"))?;
        self.exchanges += 1;
        count(&mut self.modes, &decision.mode);
        let policy = &decision.policy;
        let policy = [&policy.name, &policy.version, &policy.digest].map(ToString::to_string);
        *self.policies.entry(policy).or_default() += 1;
        let Some(name) = decision.account.as_deref() else {
            self.without_account += 1;
            return Ok(());
        };
        let by_list = decision.basis == "list";
        let score = decision.score.filter(|score| score.is_finite());
        let unjudged = match score {
            _ if by_list => Some(&mut self.listed),
            _ if decision.is_pinned() => Some(&mut self.pinned),
            None if decision.is_learning() => Some(&mut self.learning),
            None => Some(&mut self.undetected),
            Some(_) => None,
        };
        if let Some(count) = unjudged {
            *count += 1;
            if !self.numbers.contains_key(name) && !self.unjudged.contains(name) {
                self.unjudged.insert(name.into());
            }
            return Ok(());
        }
        let score = score.unwrap_or_default();
        self.judged += 1;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let campaign = decision
            .campaign
            .as_deref()
            .map(|campaign| self.campaign(campaign));
        let organization = decision.organization.as_deref();
        let organization = organization.map(|name| number(&mut self.organizations, name));
        let place_of = self.account(name);
        let present = self.present;
        let Some(account) = self.accounts.get_mut(place_of) else {
            return Ok(());
        };
        account.organization = account.organization.or(organization);
        let hour = u32::try_from(time.as_unix_seconds() / 3_600).unwrap_or(u32::MAX);
        account.history.add(hour, score, state, present);
        account.recorded = account.recorded.max(state);
        if let Some(count) = account.exchanges.get_mut(place(state)) {
            *count += 1;
        }
        let weighed =
            |reason: &crate::decision::Reason| reason.weight != 0.0 && reason.code != "PRIOR";
        account.was_weighed |= decision.reasons.iter().any(weighed);
        if let Some(campaign) = campaign
            && !account.campaigns.contains(&campaign)
        {
            account.campaigns.push(campaign);
        }
        Ok(())
    }

    fn account(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number as usize;
        }
        self.unjudged.remove(name);
        self.accounts.push(Account::default());
        number(&mut self.numbers, name) as usize
    }

    fn campaign(&mut self, name: &str) -> u32 {
        if let Some(number) = self.campaign_numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.campaigns.len()).unwrap_or(u32::MAX);
        self.campaigns.push(name.to_owned());
        self.campaign_numbers.insert(name.to_owned(), number);
        number
    }

    /// From the first to the last exchange that was judged, in days.
    pub(super) fn days(&self) -> f64 {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_since(first).as_secs_f64() / 86_400.0,
            _ => 0.0,
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// The number of `name`, the next one where it is new.
fn number(numbers: &mut HashMap<Box<str>, u32>, name: &str) -> u32 {
    match numbers.get(name) {
        Some(number) => *number,
        None => {
            let number = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            numbers.insert(name.into(), number);
            number
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A decision in a log of a shadow period.
    pub(in super::super) fn decision(
        hour: u32,
        account: &str,
        state: &str,
        score: Option<f64>,
        campaign: Option<&str>,
    ) -> String {
        let score_text = score.map_or("null".to_owned(), |score| score.to_string());
        let campaign = campaign.map_or("null".to_owned(), |campaign| format!("\"{campaign}\""));
        let reason = match score {
            None => r#"{"code":"LEARNING","value":0.5,"weight":0.0}"#,
            Some(-6.9) => r#"{"code":"PRIOR","value":1.0,"weight":-6.9}"#,
            Some(_) => r#"{"code":"EVENNESS","value":1.0,"weight":3.0}"#,
        };
        let (day, hour) = (hour / 24 + 1, hour % 24);
        format!(
            r#"{{"time":"2026-05-{day:02}T{hour:02}:00:00Z","policy":{{"name":"p","version":"1","digest":"d"}},"mode":"shadow","account":"{account}","organization":"o-{account}","endpoint":"openai.chat","state":"{state}","would_action":"allow","basis":"none","score":{score_text},"reasons":[{reason}],"campaign":{campaign}}}"#
        )
    }

    pub(in super::super) fn period(lines: &[String]) -> Period {
        let text = lines.join("\n");
        Period::read(text.as_bytes(), Cuts::default(), false, |_| ()).unwrap()
    }

    #[test]
    fn an_account_is_judged_once_learning_is_over_and_counted_apart_before() {
        let period = period(&[
            decision(1, "a", "observe", None, None),
            decision(2, "b", "observe", None, None),
            decision(3, "a", "observe", Some(-6.9), None),
            decision(27, "a", "watch", Some(2.5), Some("0001")),
        ]);

        assert_eq!(
            (period.exchanges, period.judged, period.learning),
            (4, 2, 2)
        );
        assert_eq!((period.accounts.len(), period.unjudged.len()), (1, 1));
        assert_eq!(period.days(), 1.0);
        let account = &period.accounts[0];
        assert_eq!(
            (account.recorded, account.campaigns.len()),
            (State::Watch, 1)
        );
        assert!(account.was_weighed);
    }

    #[test]
    fn whoever_was_pinned_or_listed_tells_nothing_about_thresholds() {
        let pinned = decision(1, "a", "restrict", Some(-6.9), None).replace("PRIOR", "PINNED");
        let listed = decision(1, "b", "observe", Some(9.0), None).replace("\"none\"", "\"list\"");

        let period = period(&[pinned, listed]);

        assert_eq!((period.judged, period.pinned, period.listed), (0, 1, 1));
    }

    #[test]
    fn gaps_of_an_access_log_are_passed_over_and_anything_else_is_named() {
        let good = decision(1, "a", "observe", Some(-6.9), None);
        let text = format!("{good}\n\n-\n{good}\nnonsense\n");

        let stopped = Period::read(text.as_bytes(), Cuts::default(), false, |_| ());
        let skipped = Period::read(text.as_bytes(), Cuts::default(), true, |_| ()).unwrap();

        assert!(matches!(
            stopped,
            Err(BadDecision::NoDecision { line: 5, .. })
        ));
        assert_eq!((skipped.judged, skipped.skipped), (2, 1));
    }
}

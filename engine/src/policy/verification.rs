//! The `verification` section: which use asks for a better verification, and whose attestations count.
mod attestation;
mod section;

pub(super) use section::{KeyText, Section};

use super::{
    Tier, defaults,
    diagnostic::{Code, Diagnostics},
    document::{StateAction, StateActions, Unit},
    validate::{
        LOOKED_AT, check_name, clip, duplicate, duration, find_tiers, missing, required_name,
        too_many,
    },
};
use crate::{
    attestation::{Acceptance, AttestationError},
    hash::HashKey,
    time::{Timestamp, format_duration},
};
use alloc::{format, string::String, vec::Vec};
use core::{ops::RangeInclusive, time::Duration};
use section::ThresholdSection;

/// Most levels of one policy.
const MAX_LEVELS: usize = 16;
/// Most budgets and, twice because of their marks, thresholds: an account's records fit one bucket with room to spare.
const MAX_RECORDS: usize = 16;
/// Windows that sub-windows resolve well.
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=LONGEST;
/// Longest memory of a counter.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The section, compiled.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    /// Names of levels, weakest first.
    pub(crate) levels: Vec<String>,
    /// Where accounts are verified.
    pub(crate) url: Option<String>,
    /// How long an account that crossed a threshold is still served.
    pub(crate) grace: Duration,
    pub(crate) thresholds: Vec<Threshold>,
    /// The level that clears an account whose state asks for verification.
    pub(crate) suspected: Option<usize>,
    /// The request header that carries attestations, in lower case; `None` where the policy accepts none.
    pub(crate) header: Option<String>,
    acceptance: Option<Acceptance>,
}

/// A volume above which an account has to be better verified.
#[derive(Debug)]
pub(crate) struct Threshold {
    pub(crate) name: String,
    /// Tier indices that it holds for; `None` is all.
    pub(crate) tiers: Option<Vec<usize>>,
    pub(crate) unit: Unit,
    pub(crate) above: u32,
    pub(crate) window: Duration,
    /// Index of the level that is enough.
    pub(crate) level: usize,
}

impl Threshold {
    /// Names the counter of its volume; survives another bound or level, not another unit or window.
    pub(crate) fn id(&self, key: &HashKey) -> u64 {
        let unit = self.unit.name().as_bytes();
        let window = self.window.as_nanos().to_be_bytes();
        key.hash64("verification", &[self.name.as_bytes(), unit, &window])
    }

    /// Names the record of when the account crossed it.
    pub(crate) fn grace_id(&self, key: &HashKey) -> u64 {
        key.hash64("verification.grace", &[self.name.as_bytes()])
    }

    /// How long a crossing is remembered: for as long as what was used may still count, and the grace. A
    /// fifteenth of the grace is added so that the oldest of marks that follow each other is always older than
    /// the grace, though a mark may leave a sixteenth of the memory before the next one has its age.
    pub(crate) fn memory(&self, grace: Duration) -> Duration {
        memory(self.window, grace)
    }
}

fn memory(window: Duration, grace: Duration) -> Duration {
    let slack = grace.checked_div(15).unwrap_or_default();
    window.saturating_add(grace).saturating_add(slack)
}

impl Verification {
    /// Name of a threshold.
    pub(crate) fn threshold_name(&self, index: usize) -> &str {
        self.thresholds
            .get(index)
            .map(|threshold| threshold.name.as_str())
            .unwrap_or_default()
    }

    /// Index of the level of this name.
    pub(crate) fn level(&self, name: &str) -> Option<usize> {
        self.levels.iter().position(|level| level == name)
    }

    /// The level that `token` attests to `account`.
    pub(crate) fn attested(
        &self,
        key: &HashKey,
        token: &[u8],
        account: &str,
        now: Timestamp,
    ) -> Result<usize, AttestationError> {
        let acceptance = self.acceptance.as_ref();
        let acceptance = acceptance.ok_or(AttestationError::UnknownKey)?;
        let level = acceptance.level(key, token, account, now)?;
        self.level(&level).ok_or(AttestationError::UnknownLevel)
    }

    /// Warns of keys that no attestation can be signed with any more.
    pub(super) fn warn_of_expired(&self, now: Timestamp, d: &mut Diagnostics) {
        let keys = self.acceptance.iter().flat_map(|accepted| &accepted.keys);
        for (index, key) in keys.enumerate() {
            if key.not_after.is_some_and(|end| end <= now) {
                d.warning(
                    Code::ExpiredKey,
                    format!("verification.attestation.keys[{index}]"),
                    "its time is over, nothing it signs is accepted",
                    "remove it once its successor is in use",
                );
            }
        }
    }
}

/// Checks the section. `states` are what is done about suspects, `budgets` how many there are.
pub(super) fn compile(
    given: Option<Section>,
    states: Option<&StateActions>,
    tiers: &[Tier],
    budgets: usize,
    d: &mut Diagnostics,
) -> Verification {
    let given = given.unwrap_or_default();
    let mut thresholds = given.thresholds.unwrap_or_default();
    let levels = levels(given.levels, d);
    let needs_levels =
        !thresholds.is_empty() || given.suspected.is_some() || given.attestation.is_some();
    if levels.is_empty() && needs_levels {
        d.error(
            Code::NoLevels,
            "verification.levels",
            "no level of verification is named",
            "name them, weakest first: `levels: [email, phone, document]`",
        );
    }
    if given.suspected.is_none() {
        suspects_need_a_level(states, d);
    }
    if let Some(url) = &given.url {
        check_url(url, d);
    }
    // That there are none at all is said once.
    let suspected = given.suspected.filter(|_| !levels.is_empty());
    let suspected =
        suspected.and_then(|name| find_level(&levels, &name, "verification.suspected", d));
    let grace = given.grace.as_deref().unwrap_or(defaults::GRACE);
    let grace =
        ranged(grace, "verification.grace", Duration::ZERO..=LONGEST, d).unwrap_or_default();
    let records = thresholds.len().saturating_mul(2).saturating_add(budgets);
    if !thresholds.is_empty() && records > MAX_RECORDS {
        let message = format!("{} thresholds beside {budgets} budgets", thresholds.len());
        let help = format!("keep budgets and twice the thresholds within {MAX_RECORDS} together");
        d.error(Code::TooMany, "verification.thresholds", message, help);
        thresholds.truncate(LOOKED_AT);
    }
    let thresholds = compile_thresholds(thresholds, grace, &levels, tiers, d);
    let (header, acceptance) = match given.attestation {
        None => (None, None),
        Some(given) => attestation::compile(given, d),
    };
    Verification {
        levels,
        url: given.url,
        grace,
        thresholds,
        suspected,
        header,
        acceptance,
    }
}

fn levels(given: Option<Vec<String>>, d: &mut Diagnostics) -> Vec<String> {
    let mut given = given.unwrap_or_default();
    if given.len() > MAX_LEVELS {
        too_many("verification.levels", given.len(), MAX_LEVELS, d);
        given.truncate(LOOKED_AT);
    }
    for (index, level) in given.iter().enumerate() {
        let path = format!("verification.levels[{index}]");
        check_name(level, &path, d);
        if given.iter().take(index).any(|before| before == level) {
            duplicate(&path, level, d);
        }
    }
    given
}

/// Every state that asks for verification needs a level that ends it.
fn suspects_need_a_level(states: Option<&StateActions>, d: &mut Diagnostics) {
    let Some(states) = states else { return };
    for (state, action) in [
        ("watch", states.watch),
        ("step_up", states.step_up),
        ("restrict", states.restrict),
        ("block", states.block),
    ] {
        if action == Some(StateAction::Verify) {
            d.error(
                Code::NoSuspectedLevel,
                format!("responses.states.{state}"),
                "nothing would clear an account that is asked to verify itself",
                "name the level that does: `verification: {levels: [...], suspected: document}`",
            );
        }
    }
}

fn find_level(levels: &[String], name: &str, path: &str, d: &mut Diagnostics) -> Option<usize> {
    let found = levels.iter().position(|level| level == name);
    if found.is_none() {
        d.error(
            Code::UnknownLevel,
            path,
            format!("there is no level `{}`", clip(name)),
            "name it under `verification.levels`",
        );
    }
    found
}

fn ranged(
    text: &str,
    path: &str,
    range: RangeInclusive<Duration>,
    d: &mut Diagnostics,
) -> Option<Duration> {
    let given = duration(text, path, d)?;
    if range.contains(&given) {
        return Some(given);
    }
    let [least, most] = [range.start(), range.end()].map(|bound| format_duration(*bound));
    let help = format!("write {least} to {most}");
    let message = format!("`{}` is out of range", clip(text));
    d.error(Code::OutOfRange, path, message, help);
    None
}

fn check_url(url: &str, d: &mut Diagnostics) {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let authority = |rest: &str| -> String {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.split_at_checked(end)
            .map(|(authority, _)| authority.to_ascii_lowercase())
            .unwrap_or_default()
    };
    let is_local = |authority: &str| {
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
            authority
                .strip_prefix(host)
                .is_some_and(|port| port.is_empty() || port.starts_with(':'))
        })
    };
    let good = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => {
            let authority = authority(rest);
            !authority.is_empty() && !authority.starts_with(':') && !authority.contains('@')
        }
        (None, Some(rest)) => is_local(&authority(rest)),
        (None, None) => false,
    };
    if !good || url.len() > 512 || !url.bytes().all(plain) {
        d.error(
            Code::BadUrl,
            "verification.url",
            "it is no address that callers could be sent to",
            "write `https://verify.example.com/start`; `http` works for localhost only",
        );
    }
}

fn compile_thresholds(
    given: Vec<ThresholdSection>,
    grace: Duration,
    levels: &[String],
    tiers: &[Tier],
    d: &mut Diagnostics,
) -> Vec<Threshold> {
    let mut thresholds: Vec<Threshold> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for (index, threshold) in given.into_iter().enumerate() {
        let path = format!("verification.thresholds[{index}]");
        let name = required_name(threshold.name, &format!("{path}.name"), d);
        if !name.is_empty() && names.contains(&name) {
            duplicate(&format!("{path}.name"), &name, d);
        }
        names.push(name.clone());
        let tiers = find_tiers(threshold.tiers, tiers, &path, d);
        let unit = unit(threshold.unit, &format!("{path}.unit"), d);
        let above = above(threshold.above, &format!("{path}.above"), d);
        let window_path = format!("{path}.window");
        let window = match threshold.window {
            None => {
                missing(&window_path, "write the length of the window, e.g. `7d`", d);
                None
            }
            Some(text) => ranged(&text, &window_path, WINDOW, d),
        };
        if window.is_some_and(|window| memory(window, grace) > LONGEST) {
            let message = "the window and `grace` are too long together";
            let help = "keep the window and 16/15 of `grace` within 366d";
            d.error(Code::OutOfRange, &window_path, message, help);
        }
        let level_path = format!("{path}.level");
        let level = match threshold.level {
            None => {
                missing(&level_path, "name the level that is enough", d);
                None
            }
            // That there are none at all is said once.
            Some(_) if levels.is_empty() => None,
            Some(level) => find_level(levels, &level, &level_path, d),
        };
        if let (Some(unit), Some(above), Some(window), Some(level)) = (unit, above, window, level) {
            thresholds.push(Threshold {
                name,
                tiers,
                unit,
                above,
                window,
                level,
            });
        }
    }
    thresholds
}

fn unit(given: Option<Unit>, path: &str, d: &mut Diagnostics) -> Option<Unit> {
    let help = "write `unit: requests`, `input_tokens`, `output_tokens` or `tokens`";
    match given {
        None => missing(path, help, d),
        Some(Unit::Concurrency) => {
            let message = "`concurrency` is no volume that adds up";
            d.error(Code::WrongValue, path, message, help);
        }
        Some(unit) => return Some(unit),
    }
    None
}

fn above(given: Option<u64>, path: &str, d: &mut Diagnostics) -> Option<u32> {
    let Some(given) = given else {
        missing(path, "write what may be used without the level", d);
        return None;
    };
    let above = u32::try_from(given).ok().filter(|above| *above < u32::MAX);
    if above.is_none() {
        let help = format!("write a number below {}", u32::MAX);
        let message = format!("{given} is out of range");
        d.error(Code::OutOfRange, path, message, help);
    }
    above
}

#[cfg(test)]
mod tests;

//! The `rollout` section: for whom a policy acts, and when it is to stop by itself.
#[cfg(feature = "schema")]
use super::schema;
use super::{
    Tier, defaults,
    diagnostic::{Code, Diagnostics},
    validate::{LOOKED_AT, clip, duration, find_tier, find_tiers, is_id, missing, too_many},
};
use crate::{hash::HashKey, identity::Caller, time::Timestamp};
use alloc::{collections::BTreeSet, format, string::String, vec::Vec};
use core::{ops::RangeInclusive, time::Duration};
use serde::Deserialize;

/// Hundredths of a percent in everything.
const WHOLE: u64 = 10_000;
/// Windows of the guard: long enough to hold some exchanges, short enough to act.
const GUARD_WINDOW: RangeInclusive<Duration> =
    Duration::from_secs(10)..=Duration::from_secs(24 * 3600);

/// For whom the policy acts, and when it is to stop by itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Rollout", extend("if" = {"properties": {"mode": {"const": "canary"}}}, "then" = {"required": ["canary"]})))]
pub struct Section {
    /// Whether the policy acts.
    #[cfg_attr(feature = "schema", schemars(required))]
    pub mode: Option<Mode>,
    /// Since when it has this mode, RFC 3339; a shadow that is forgotten is warned of.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Time>"))]
    pub since: Option<String>,
    /// Who is in the canary; needed by mode `canary`.
    pub canary: Option<CanarySection>,
    /// What makes the policy stop acting.
    pub guard: Option<GuardSection>,
}

/// Mode of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Decides and records, touches nothing.
    Shadow,
    /// Acts for the accounts in the canary, is a shadow for all others.
    Canary,
    /// Acts.
    Enforce,
}

/// Who is in the canary: everybody who meets all that is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Canary"))]
pub struct CanarySection {
    /// Share of accounts, 0.01 to 100; which ones follows from their names alone.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.01, max = 100), extend("default" = defaults::CANARY_PERCENT)))]
    pub percent: Option<f64>,
    /// Tiers; all when absent.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::Name>>"))]
    pub tiers: Option<Vec<String>>,
    /// Organizations; all when absent.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<schema::Id>>"))]
    pub organizations: Option<Vec<String>>,
    /// Another word draws other accounts; the policy's name when absent.
    pub salt: Option<String>,
}

/// What makes the policy stop acting: of the exchanges that it acted on in a window, too many were refused, or failed.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Guard", extend("anyOf" = [{"required": ["refusedShare"]}, {"required": ["tiers"]}, {"required": ["failedShare"]}])))]
pub struct GuardSection {
    /// Length of the window, `10s` to `1d`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>", extend("default" = defaults::GUARD_WINDOW)))]
    pub window: Option<String>,
    /// Exchanges of a tier in the window before its share counts.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::GUARD_EXCHANGES)))]
    pub min_exchanges: Option<u32>,
    /// Largest share of refused exchanges in any tier, 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub refused_share: Option<f64>,
    /// Largest share of refused exchanges by tier, where it is another one.
    #[cfg_attr(feature = "schema", schemars(extend("additionalProperties" = {"type": "number", "minimum": 0, "maximum": 1})))]
    pub tiers: Option<alloc::collections::BTreeMap<String, f64>>,
    /// Largest share of admitted exchanges that the upstream fails (5xx), 0 to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub failed_share: Option<f64>,
}

/// For whom a policy acts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reach {
    /// Nobody: it decides and records.
    Nobody,
    /// The accounts of a canary.
    Canary(Canary),
    /// Everybody.
    Everybody,
}

/// A stable choice of accounts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Canary {
    /// Of [`WHOLE`].
    share: u64,
    tiers: Option<Vec<usize>>,
    organizations: Option<BTreeSet<String>>,
    salt: String,
}

/// When a policy stops acting by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// Length of the window that shares are taken over.
    pub(crate) window: Duration,
    /// Exchanges of a tier in the window before its share counts.
    pub(crate) min_exchanges: u32,
    /// Largest share of refused exchanges, by tier; `None` sets no bound.
    pub(crate) refused: Vec<Option<f64>>,
    /// Largest share of admitted exchanges that the upstream fails.
    pub(crate) failed: Option<f64>,
}

/// The section, compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollout {
    pub(crate) reach: Reach,
    pub(crate) since: Option<Timestamp>,
    pub(crate) guard: Option<Guard>,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            reach: Reach::Nobody,
            since: None,
            guard: None,
        }
    }
}

impl Rollout {
    /// `shadow`, `canary` or `enforce`.
    pub(crate) const fn mode(&self) -> &'static str {
        match self.reach {
            Reach::Nobody => "shadow",
            Reach::Canary(_) => "canary",
            Reach::Everybody => "enforce",
        }
    }

    /// Tiers that a canary is drawn from; `None` where it is no canary, or one of all tiers.
    #[cfg(feature = "lints")]
    pub(super) fn canary_tiers(&self) -> Option<&Vec<usize>> {
        match &self.reach {
            Reach::Canary(canary) => canary.tiers.as_ref(),
            Reach::Nobody | Reach::Everybody => None,
        }
    }

    /// Whether it is a canary that leaves nobody out.
    #[cfg(feature = "lints")]
    pub(super) fn is_canary_of_all(&self) -> bool {
        matches!(&self.reach, Reach::Canary(canary)
            if canary.share >= WHOLE && canary.tiers.is_none() && canary.organizations.is_none())
    }

    /// Whether the policy acts for this caller; one without an account is in no canary.
    pub(crate) fn acts_for(&self, caller: Option<&Caller>, tier: Option<usize>) -> bool {
        match &self.reach {
            Reach::Nobody => false,
            Reach::Everybody => true,
            Reach::Canary(canary) => caller.is_some_and(|caller| canary.holds(caller, tier)),
        }
    }
}

impl Canary {
    /// Whether an account is in it: the same answer in every worker, process and version of the policy, as long
    /// as the salt stays. A larger share keeps everybody that a smaller one had.
    fn holds(&self, caller: &Caller, tier: Option<usize>) -> bool {
        let tiers = self.tiers.as_ref();
        let organizations = self.organizations.as_ref();
        tiers.is_none_or(|tiers| tier.is_some_and(|tier| tiers.contains(&tier)))
            && organizations.is_none_or(|named| {
                caller
                    .organization
                    .as_ref()
                    .is_some_and(|organization| named.contains(organization))
            })
            && self.place(&caller.account) < self.share
    }

    /// Where an account stands among all, from 0 to below [`WHOLE`].
    fn place(&self, account: &str) -> u64 {
        let parts = [self.salt.as_bytes(), account.as_bytes()];
        // 2^64 is so much larger than WHOLE that the remainder favours nobody by more than 1 in 10^15.
        HashKey::PUBLIC.hash64("canary", &parts) % WHOLE
    }
}

/// Checks the section; `name` is the policy's.
pub(super) fn compile(
    given: Option<Section>,
    name: &str,
    tiers: &[Tier],
    d: &mut Diagnostics,
) -> Rollout {
    let given = given.unwrap_or_default();
    let since = given.since.and_then(|text| {
        let read = Timestamp::parse_rfc3339(&text);
        if read.is_none() {
            let message = format!("`{}` is not a point in time", clip(&text));
            let help = "write RFC 3339, e.g. `2026-11-30T00:00:00Z`";
            d.error(Code::BadTime, "rollout.since", message, help);
        }
        read
    });
    let canary = given
        .canary
        .map(|canary| compile_canary(canary, name, tiers, d));
    let guard = given.guard.map(|guard| compile_guard(guard, tiers, d));
    let reach = match (given.mode, canary) {
        (None, _) => {
            let help = "write `mode: shadow` to begin with, then `canary`, then `enforce`";
            missing("rollout.mode", help, d);
            Reach::Nobody
        }
        (Some(Mode::Shadow), _) => Reach::Nobody,
        (Some(Mode::Enforce), canary) => {
            if canary.is_some() {
                let message = "mode `enforce` acts for everybody, in the canary or not";
                let help = "remove it, or write `mode: canary`";
                d.warning(Code::IdleCanary, "rollout.canary", message, help);
            }
            Reach::Everybody
        }
        (Some(Mode::Canary), Some(canary)) => Reach::Canary(canary),
        (Some(Mode::Canary), None) => {
            missing(
                "rollout.canary",
                "say who is in it: `canary: {percent: 5}`",
                d,
            );
            Reach::Nobody
        }
    };
    Rollout {
        reach,
        since,
        guard,
    }
}

fn compile_canary(given: CanarySection, name: &str, tiers: &[Tier], d: &mut Diagnostics) -> Canary {
    let percent = given.percent.unwrap_or(defaults::CANARY_PERCENT);
    if !(0.01..=100.0).contains(&percent) {
        let message = format!("{percent} is no share of accounts");
        d.error(
            Code::OutOfRange,
            "rollout.canary.percent",
            message,
            "write 0.01 to 100",
        );
    }
    let held = find_tiers(given.tiers, tiers, "rollout.canary", d);
    let organizations = given.organizations.map(|named| {
        for (index, organization) in named.iter().enumerate() {
            is_id(
                organization,
                "organization",
                &format!("rollout.canary.organizations[{index}]"),
                d,
            );
        }
        BTreeSet::from_iter(named)
    });
    #[expect(
        clippy::as_conversions,
        reason = "a percentage of at most 100, in hundredths; what is out of range was refused"
    )]
    let share = libm::round(percent.clamp(0.0, 100.0) * 100.0) as u64;
    Canary {
        share,
        tiers: held,
        organizations,
        salt: given.salt.unwrap_or_else(|| String::from(name)),
    }
}

fn compile_guard(given: GuardSection, tiers: &[Tier], d: &mut Diagnostics) -> Guard {
    let window = given.window.as_deref().unwrap_or(defaults::GUARD_WINDOW);
    let window = duration(window, "rollout.guard.window", d).unwrap_or(*GUARD_WINDOW.start());
    if !GUARD_WINDOW.contains(&window) {
        let message = "the window is too short or too long";
        d.error(
            Code::OutOfRange,
            "rollout.guard.window",
            message,
            "write 10s to 1d",
        );
    }
    let mut by_tier = given.tiers.unwrap_or_default();
    if by_tier.len() > LOOKED_AT {
        too_many("rollout.guard.tiers", by_tier.len(), tiers.len(), d);
        by_tier.clear();
    }
    let mut share = |given: Option<f64>, path: String| {
        if given.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            d.error(
                Code::OutOfRange,
                path,
                "a share is 0 to 1",
                "write e.g. 0.02 for two percent",
            );
        }
        given
    };
    let all = share(
        given.refused_share,
        String::from("rollout.guard.refusedShare"),
    );
    let failed = share(
        given.failed_share,
        String::from("rollout.guard.failedShare"),
    );
    for (name, of_tier) in &by_tier {
        share(
            Some(*of_tier),
            format!("rollout.guard.tiers.{}", clip(name)),
        );
    }
    for name in by_tier.keys() {
        find_tier(
            name,
            tiers,
            &format!("rollout.guard.tiers.{}", clip(name)),
            d,
        );
    }
    let refused = tiers
        .iter()
        .map(|tier| by_tier.get(&tier.name).copied().or(all));
    let refused: Vec<Option<f64>> = refused.collect();
    if failed.is_none() && refused.iter().all(Option::is_none) {
        let message = "nothing can trip it";
        let help = "set `refusedShare`, `tiers` or `failedShare`";
        d.error(Code::OutOfRange, "rollout.guard", message, help);
    }
    Guard {
        window,
        min_exchanges: given
            .min_exchanges
            .unwrap_or(defaults::GUARD_EXCHANGES)
            .max(1),
        refused,
        failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn canary(percent: u64, salt: &str) -> Canary {
        Canary {
            share: percent * 100,
            tiers: None,
            organizations: None,
            salt: salt.to_string(),
        }
    }

    fn caller(number: u32) -> Caller {
        Caller {
            account: format!("a-{number}"),
            ..Caller::default()
        }
    }

    #[test]
    fn the_share_of_accounts_in_a_canary_is_the_percentage_within_its_confidence_interval() {
        for (percent, salt) in [(1, "x"), (5, "frontier-api"), (50, "y"), (99, "")] {
            let canary = canary(percent, salt);
            let n = 100_000_u32;

            let held = (0..n)
                .filter(|number| canary.holds(&caller(*number), None))
                .count();

            let p = percent as f64 / 100.0;
            let error = (p * (1.0 - p) / f64::from(n)).sqrt();
            let share = held as f64 / f64::from(n);
            assert!((share - p).abs() < 3.3 * error, "{share} of {p}");
        }
    }

    #[test]
    fn a_larger_canary_keeps_everybody_that_a_smaller_one_had() {
        let [small, large] = [5, 20].map(|percent| canary(percent, "x"));

        for number in 0..20_000 {
            let caller = caller(number);
            assert!(!small.holds(&caller, None) || large.holds(&caller, None));
        }
    }

    #[test]
    fn another_salt_draws_other_accounts() {
        let [one, other] = ["1", "2"].map(|salt| canary(10, salt));
        let both = (0..10_000)
            .map(caller)
            .filter(|caller| one.holds(caller, None) && other.holds(caller, None))
            .count();

        assert!((60..=140).contains(&both), "{both} of some 100");
    }

    #[test]
    fn the_place_of_an_account_is_the_same_on_every_machine_and_in_every_release() {
        assert_eq!(canary(5, "frontier-api").place("a-17"), 1823);
    }
}

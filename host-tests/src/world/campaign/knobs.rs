//! What a campaign is told: every adaptation that attackers are known or feared to make, as a knob.
use serde::Deserialize;

/// A campaign. Ranges are drawn from anew for each seed, so that no constant is a hint.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignSpec {
    /// For messages and reports.
    pub name: String,
    /// Its family.
    pub family: Family,
    /// Accounts that it works with at a time, at scale 1.
    pub accounts: u32,
    /// How far that may be off, as a share of it.
    pub accounts_spread: f64,
    /// Accounts never fall below this, however small the scale.
    pub accounts_least: u32,
    /// Days after the burn-in at which it begins: from, to.
    pub start_day: [f64; 2],
    /// Days in which its accounts come into use.
    pub ramp_days: f64,
    /// Own exchanges of an account a day: from, to (log-uniform; one number for the campaign).
    pub per_day: [f64; 2],
    /// How they differ between accounts and days.
    pub quotas: Quotas,
    /// When its accounts sign up.
    pub signup: Signup,
    /// How old its accounts are when it begins to use them.
    pub age: Age,
    /// Accounts that pay with the same instrument: from, to. `[0, 0]` gives each its own.
    pub accounts_per_instrument: [u32; 2],
    /// Sub-operators with programs and templates of their own.
    pub operators: u32,
    /// Sub-campaigns that share neither operators nor instruments nor networks nor sign-up days.
    pub split: u32,
    /// Templates of a sub-operator: from, to.
    pub templates: [u32; 2],
    /// How its prompts are disguised.
    pub text: Disguise,
    /// Its system prompts.
    pub system: System,
    /// Topics of its work, by name; a sub-operator has one or two of them.
    pub targets: Vec<String>,
    /// Share of sub-operators that send through a popular tool's program.
    pub mimicry: f64,
    /// Real customers' exchanges that it resells, per exchange of its own.
    pub customers: f64,
    /// Made-up everyday exchanges, per exchange of its own.
    pub cover: f64,
    /// Where its requests come from.
    pub network: Network,
    /// When in the day it works.
    pub schedule: Schedule,
    /// Share of work that runs a loop of tool results, where the target is agentic.
    pub agentic: f64,
    /// Exchanges of such a loop: from, to.
    pub depth: [u16; 2],
    /// How often each piece of work is sent.
    pub samples: u32,
    /// Share of work that is sent again later, by anybody.
    pub repeats: f64,
    /// Share of accounts that goes over to a new model within a day of its release.
    pub pivot: f64,
    /// What happens when an account is refused.
    pub replacement: Replacement,
}

/// Families of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Plain.
    A1,
    /// Resells to real customers besides.
    A2,
    /// Many slot templates, residential proxies.
    A3,
    /// Every prompt said anew.
    A4,
    /// Slow ramp.
    A5,
    /// Few heavy accounts.
    A6,
    /// Any other combination.
    Custom,
}

impl Family {
    /// `A1` to `A6`, `custom`.
    pub fn name(self) -> &'static str {
        match self {
            Self::A1 => "A1",
            Self::A2 => "A2",
            Self::A3 => "A3",
            Self::A4 => "A4",
            Self::A5 => "A5",
            Self::A6 => "A6",
            Self::Custom => "custom",
        }
    }
}

/// How an account's exchanges are spread.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Quotas {
    /// At even distances, the same for everybody.
    Even {},
    /// At random, the same rate for everybody.
    Poisson {},
    /// At random, with rates that differ log-normally.
    HeavyTailed {
        /// Standard deviation of the rate's logarithm.
        sigma: f64,
    },
}

/// When accounts sign up.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Signup {
    /// Together, in some bursts.
    Burst {
        /// How many.
        count: u32,
        /// How long each takes.
        hours: f64,
    },
    /// A few each day.
    Trickle {
        /// In so many days.
        days: f64,
    },
}

/// How old accounts are when they are first used.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Age {
    /// Used as soon as anybody uses a new account.
    Fresh {},
    /// Left alone for about so long.
    Aged {
        /// Mean.
        days: f64,
    },
    /// Bought: as old as anybody's.
    Bought {},
    /// Taken over from people who used them until then.
    Stolen {},
}

/// How prompts are disguised.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Disguise {
    /// Slots of a frame are filled.
    Slot {},
    /// A list of fixed prompts.
    Verbatim {
        /// How long the list is.
        items: u32,
    },
    /// A share of the words replaced.
    Words {
        /// Which share.
        share: f64,
    },
    /// Every prompt said anew by a model.
    Rewritten {},
}

/// System prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum System {
    /// None.
    None {},
    /// One for each template.
    Fixed {},
    /// One with slots for each template.
    Template {},
    /// Said anew for each request.
    Rewritten {},
}

/// Where requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Network {
    /// A few prefixes, each shared by some accounts.
    Shared {
        /// At least.
        from: u32,
        /// At most.
        to: u32,
    },
    /// Residential proxies: another prefix each session.
    Residential {},
    /// Each account as anybody.
    Own {},
}

/// When in the day it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always.
    Flat {},
    /// As people of the accounts' regions do.
    Diurnal {},
    /// Each sub-operator in a shift of eight hours.
    Rota {},
}

/// What happens when an account is refused.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// At most so long until another takes its place; 0 gives up instead.
    pub minutes: f64,
    /// Accounts kept ready, as a share of those in use; afterwards they sign up when needed.
    pub warm: f64,
    /// Probability that the sub-operator changes its template with it.
    pub change_template: f64,
}

impl CampaignSpec {
    /// Whether every knob is in its range: the field and what it must be.
    pub(in crate::world) fn check(&self, scale: f64) -> Result<(), (&'static str, &'static str)> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let days = |value: f64| (0.0..=3_650.0).contains(&value);
        let ordered = |[from, to]: [u32; 2], most| from <= to && to <= most;
        let [start, start_latest] = self.start_day;
        let [least, most] = self.per_day;
        let [depth, depth_most] = self.depth;
        let network = match self.network {
            Network::Shared { from, to } => from >= 1 && ordered([from, to], 1_000_000),
            _ => true,
        };
        let spans = match (self.signup, self.age) {
            (Signup::Burst { count, hours }, _) if count > 1_000 || !days(hours / 24.0) => false,
            (Signup::Trickle { days: span }, _) if !days(span) => false,
            (_, Age::Aged { days: span }) => days(span),
            _ => true,
        };
        let tail = match self.quotas {
            Quotas::HeavyTailed { sigma } => (0.0..=4.0).contains(&sigma),
            _ => true,
        };
        let words = match self.text {
            Disguise::Words { share: words } => share(words),
            Disguise::Verbatim { items } => items >= 1,
            _ => true,
        };
        let targets = !self.targets.is_empty()
            && self
                .targets
                .iter()
                .all(|target| crate::world::TOPICS.contains(&target.as_str()));
        let Replacement {
            minutes,
            warm,
            change_template,
        } = self.replacement;
        for (holds, field, what) in [
            (
                (1..=1_000_000).contains(&self.accounts) && f64::from(self.accounts) * scale <= 1e6,
                "accounts",
                "must be at least 1 and, scaled, at most 1000000",
            ),
            (
                self.accounts_least >= 1 && self.accounts_least <= 1_000_000,
                "accounts_least",
                "must be between 1 and 1000000",
            ),
            (
                share(self.accounts_spread),
                "accounts_spread",
                "must be between 0 and 1",
            ),
            (
                days(start) && days(start_latest) && start <= start_latest,
                "start_day",
                "must be two days in order, at most 3650",
            ),
            (
                days(self.ramp_days),
                "ramp_days",
                "must be between 0 and 3650",
            ),
            (
                least > 0.0 && least <= most && most <= 1e5,
                "per_day",
                "must be two numbers in order, above 0 and at most 100000",
            ),
            (tail, "quotas", "sigma must be between 0 and 4"),
            (
                spans,
                "signup",
                "must lie within 3650 days and, in bursts, be at most 1000",
            ),
            (
                ordered(self.accounts_per_instrument, 1_000_000),
                "accounts_per_instrument",
                "must be in order",
            ),
            (
                (1..=1_000).contains(&self.operators),
                "operators",
                "must be between 1 and 1000",
            ),
            (
                (1..=60).contains(&self.split),
                "split",
                "must be between 1 and 60",
            ),
            (
                ordered(self.templates, 10_000),
                "templates",
                "must be in order, at most 10000",
            ),
            (
                words,
                "text",
                "a share must be between 0 and 1, a list not empty",
            ),
            (targets, "targets", "must be some of the topics"),
            (share(self.mimicry), "mimicry", "must be between 0 and 1"),
            (
                (0.0..=100.0).contains(&self.customers),
                "customers",
                "must be between 0 and 100",
            ),
            (
                (0.0..=100.0).contains(&self.cover),
                "cover",
                "must be between 0 and 100",
            ),
            (network, "network", "must be in order and at least 1"),
            (share(self.agentic), "agentic", "must be between 0 and 1"),
            (
                depth >= 1 && depth <= depth_most && depth_most <= 1_000,
                "depth",
                "must be in order, between 1 and 1000",
            ),
            (self.samples >= 1, "samples", "must be at least 1"),
            (share(self.repeats), "repeats", "must be between 0 and 1"),
            (share(self.pivot), "pivot", "must be between 0 and 1"),
            (
                (0.0..=1e6).contains(&minutes),
                "replacement.minutes",
                "must be between 0 and 1000000",
            ),
            (
                (0.0..=100.0).contains(&warm),
                "replacement.warm",
                "must be between 0 and 100",
            ),
            (
                share(change_template),
                "replacement.change_template",
                "must be between 0 and 1",
            ),
        ] {
            if !holds {
                return Err((field, what));
            }
        }
        Ok(())
    }
}

//! What a world is told: how many accounts, how long, which campaigns.
use super::campaign::CampaignSpec;
use crate::simulate::ScenarioError;
use crate::yaml::YamlDocument;
use serde::Deserialize;
use serde_json::Value;
use std::io;
use std::path::Path;
use weir_engine::time::Timestamp;

/// The worlds that come with Weir: name and text.
pub const SHIPPED: [(&str, &str); 11] = [
    (
        "adaptations",
        include_str!("../../scenarios/world/adaptations.yaml"),
    ),
    (
        "incident",
        include_str!("../../scenarios/world/incident.yaml"),
    ),
    (
        "families",
        include_str!("../../scenarios/world/families.yaml"),
    ),
    ("a1", include_str!("../../scenarios/world/a1.yaml")),
    ("a2", include_str!("../../scenarios/world/a2.yaml")),
    ("a3", include_str!("../../scenarios/world/a3.yaml")),
    ("a4", include_str!("../../scenarios/world/a4.yaml")),
    ("a5", include_str!("../../scenarios/world/a5.yaml")),
    ("a6", include_str!("../../scenarios/world/a6.yaml")),
    (
        "organic",
        include_str!("../../scenarios/world/organic.yaml"),
    ),
    (
        "village",
        include_str!("../../scenarios/world/village.yaml"),
    ),
];
/// What each family of campaigns is, before a scenario changes it.
const FAMILIES: &str = include_str!("../../scenarios/world/campaigns.yaml");
/// Above this a world does not fit into memory.
const MAX_ACCOUNTS: f64 = 2e7;

/// What a world is told. Shares are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldScenario {
    /// Used in messages.
    pub name: String,
    /// When the first day begins, RFC 3339.
    pub start: String,
    /// Days before any campaign begins, unless the burn-in is contaminated.
    pub burn_in_days: u32,
    /// Days after the burn-in.
    pub days: u32,
    /// Everything that is counted in accounts or exchanges is multiplied with this.
    #[serde(default = "one")]
    pub scale: f64,
    /// Organic accounts at a time, apart from hard negatives.
    pub accounts: u32,
    /// Organic exchanges a day, hard negatives included.
    pub exchanges_per_day: f64,
    /// How large the hard-negative strata are, relative; 0 leaves them out.
    #[serde(default = "one")]
    pub hard_negatives: f64,
    /// Days after the burn-in at which a new model comes out, within four days more by the seed.
    #[serde(default)]
    pub release_day: Option<f64>,
    /// Share of the burn-in's exchanges that is the campaigns'.
    #[serde(default)]
    pub contamination: f64,
    /// The campaigns, as `{family: a1}` and what is to be different.
    #[serde(default)]
    pub campaigns: Vec<CampaignSpec>,
}

impl WorldScenario {
    /// A shipped world by name, or else a file.
    ///
    /// # Errors
    /// [`ScenarioError`]; the user is at fault.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = SHIPPED.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text, name);
        }
        let path = Path::new(name_or_path);
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, name_or_path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ScenarioError::Unknown {
                name: name_or_path.to_owned(),
                shipped: SHIPPED.map(|(name, _)| name).join(", "),
            }),
            Err(source) => Err(ScenarioError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }
    /// Reads a world; `name` is for messages.
    ///
    /// # Errors
    /// [`ScenarioError::Document`] and [`ScenarioError::Value`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ScenarioError> {
        let read = |text| {
            YamlDocument::parse(text).map_err(|error| ScenarioError::Document {
                name: name.to_owned(),
                error,
            })
        };
        let document = read(text)?;
        let mut value = document.value.clone();
        let families = read(FAMILIES)?.value;
        let campaigns = value.get_mut("campaigns").and_then(Value::as_array_mut);
        for campaign in campaigns.into_iter().flatten() {
            complete(campaign, &families);
        }
        let failed = |path: &str, what: String| {
            let at = document.position(path);
            ScenarioError::Value {
                name: name.to_owned(),
                line: at.line,
                column: at.column,
                path: path.to_owned(),
                what,
            }
        };
        let scenario: Self = serde_path_to_error::deserialize(&value)
            .map_err(|error| failed(&error.path().to_string(), error.inner().to_string()))?;
        scenario
            .check()
            .map_err(|(path, what)| failed(&path, what.to_owned()))?;
        Ok(scenario)
    }
    /// [`WorldScenario::start`] as a point in time.
    pub(super) fn start_time(&self) -> Timestamp {
        Timestamp::parse_rfc3339(&self.start).unwrap_or_default()
    }
    /// So many accounts at this scale.
    pub(super) fn scaled(&self, accounts: u32) -> usize {
        (f64::from(accounts) * self.scale).round() as usize
    }
    fn check(&self) -> Result<(), (String, &'static str)> {
        let mut wrong = None;
        let mut require = |holds: bool, path: &str, what: &'static str| {
            if !holds && wrong.is_none() {
                wrong = Some((path.to_owned(), what));
            }
        };
        let share = |value: f64| (0.0..=1.0).contains(&value);
        require(
            Timestamp::parse_rfc3339(&self.start)
                .is_some_and(|time| time.as_unix_seconds() > 8 * 365 * 86_400),
            "start",
            "must be RFC 3339 after 1978, like 2026-04-08T00:00:00Z",
        );
        require(
            self.scale > 0.0 && self.scale <= 1_000.0,
            "scale",
            "must be above 0 and at most 1000",
        );
        require(
            (1..=3_650).contains(&self.days),
            "days",
            "must be between 1 and 3650",
        );
        require(
            self.burn_in_days <= 3_650,
            "burn_in_days",
            "must be at most 3650",
        );
        require(
            self.accounts >= 1 && f64::from(self.accounts) * self.scale <= MAX_ACCOUNTS,
            "accounts",
            "must be at least 1 and, scaled, at most 20 million",
        );
        require(
            self.exchanges_per_day > 0.0 && self.exchanges_per_day * self.scale <= 1e9,
            "exchanges_per_day",
            "must be above 0 and, scaled, at most 1e9",
        );
        require(
            (0.0..=100.0).contains(&self.hard_negatives),
            "hard_negatives",
            "must be between 0 and 100",
        );
        require(
            self.release_day
                .is_none_or(|day| (0.0..=3_650.0).contains(&day)),
            "release_day",
            "must be between 0 and 3650",
        );
        require(
            share(self.contamination),
            "contamination",
            "must be between 0 and 1",
        );
        require(
            self.campaigns.len() <= 100,
            "campaigns",
            "must be at most 100",
        );
        for (index, campaign) in self.campaigns.iter().enumerate() {
            if let Err((field, what)) = campaign.check(self.scale) {
                require(false, &format!("campaigns[{index}].{field}"), what);
            }
        }
        wrong.map_or(Ok(()), Err)
    }
}

/// Fills in what a campaign does not say: its family's knobs, and A1's below them.
fn complete(campaign: &mut Value, families: &Value) {
    let Some(given) = campaign.as_object_mut() else {
        return;
    };
    let family = given
        .get("family")
        .and_then(Value::as_str)
        .unwrap_or("a1")
        .to_owned();
    for base in [family.as_str(), "a1"] {
        for (key, value) in families
            .get(base)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if !given.contains_key(key) {
                given.insert(key.clone(), value.clone());
            }
        }
    }
    if !given.contains_key("name") {
        given.insert("name".to_owned(), Value::from(family));
    }
}

fn one() -> f64 {
    1.0
}

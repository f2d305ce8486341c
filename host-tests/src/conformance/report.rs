//! What came of a conformance run, by item of the checklist.
use std::fmt::Write;

use serde::Serialize;

use super::{CHECKLIST, Difference};
use crate::scenario::Scenario;

/// Why most items are skipped where a run is about some of them.
const NOT_ASKED: &str = "not asked for in this run";

/// One scenario that ran in both hosts.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub scenario: String,
    /// The items that it shows.
    pub items: Vec<u32>,
    /// None where both hosts agree.
    pub differences: Vec<Difference>,
    /// Whether a first run, with others beside it, had a difference.
    #[serde(skip)]
    pub reran: bool,
}

impl Compared {
    /// `scenario` with what differed in it.
    pub fn new(scenario: &Scenario, differences: Vec<Difference>) -> Self {
        Self {
            scenario: scenario.name.clone(),
            items: scenario.items.clone(),
            differences,
            reran: false,
        }
    }
}

/// The whole run. The order and meaning of the first four members is what machines rely on.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Items of the checklist.
    pub items: usize,
    /// Items of which every scenario is the same in both hosts.
    pub same: usize,
    /// Scenarios that are not the same.
    pub different: Vec<Different>,
    /// Items that no scenario showed in this run.
    pub skipped: Vec<Skipped>,
    /// Scenarios of the corpus that ran.
    pub scenarios: usize,
    /// Those that differed at first, with others beside them, and not in a second run by themselves.
    pub only_at_first: Vec<String>,
    /// Random scenarios, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomReport>,
}

/// A scenario that is not the same in both hosts.
#[derive(Clone, Debug, Serialize)]
pub struct Different {
    /// The item that it shows, `None` for a scenario beside the checklist.
    pub item: Option<u32>,
    /// Its name.
    pub scenario: String,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// An item that was not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Number.
    pub item: u32,
    /// Why.
    pub reason: String,
}

/// What came of random scenarios.
#[derive(Clone, Debug, Serialize)]
pub struct RandomReport {
    /// The first seed; the others follow.
    pub first_seed: u64,
    /// How many ran.
    pub scenarios: u64,
    /// How many were the same.
    pub same: u64,
    /// Seeds that differed at first, with others beside them, and not in a second run by themselves.
    pub only_at_first: Vec<u64>,
    /// Those that were not, by their seeds' scenarios.
    pub different: Vec<Compared>,
}

impl Report {
    /// Sums up; `ran` are the scenarios of the corpus that were run.
    pub fn of(ran: &[Compared], random: Option<RandomReport>) -> Self {
        let mut same = 0;
        let mut skipped = Vec::new();
        let mut different: Vec<Different> = Vec::new();
        for item in CHECKLIST {
            let shows = |compared: &&Compared| compared.items.contains(&item.number);
            let mut shown = ran.iter().filter(shows).peekable();
            if shown.peek().is_none() {
                let reason = item.skipped.unwrap_or(NOT_ASKED);
                skipped.push(Skipped {
                    item: item.number,
                    reason: reason.to_owned(),
                });
                continue;
            }
            let before = different.len();
            different.extend(
                shown
                    .filter(|compared| !compared.differences.is_empty())
                    .map(|compared| Different::new(Some(item.number), compared)),
            );
            same += usize::from(different.len() == before);
        }
        let beside = ran
            .iter()
            .filter(|compared| compared.items.is_empty() && !compared.differences.is_empty());
        different.extend(beside.map(|compared| Different::new(None, compared)));
        Self {
            items: CHECKLIST.len(),
            same,
            different,
            skipped,
            scenarios: ran.len(),
            only_at_first: ran
                .iter()
                .filter(|compared| compared.reran && compared.differences.is_empty())
                .map(|compared| compared.scenario.clone())
                .collect(),
            random,
        }
    }
    /// Whether nothing differs.
    pub fn is_clean(&self) -> bool {
        self.different.is_empty()
            && self
                .random
                .as_ref()
                .is_none_or(|random| random.different.is_empty())
    }
    /// For people: each difference in full, then the sums.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut told: Vec<&str> = Vec::new();
        for different in &self.different {
            if told.contains(&&*different.scenario) {
                continue;
            }
            told.push(&different.scenario);
            tell(&mut text, &different.scenario, &different.differences);
        }
        let random = self.random.iter().flat_map(|random| &random.different);
        for compared in random {
            tell(&mut text, &compared.scenario, &compared.differences);
        }
        for skipped in self.skipped.iter().filter(|each| each.reason != NOT_ASKED) {
            text += &format!("skipped item {}: {}\n", skipped.item, skipped.reason);
        }
        if !self.only_at_first.is_empty() {
            text += &format!("only at first: {}\n", self.only_at_first.join(", "));
        }
        let mut items: Vec<u32> = self.different.iter().filter_map(|each| each.item).collect();
        items.dedup();
        text += &format!(
            "{} items: {} the same, {} different, {} skipped ({} scenarios)\n",
            self.items,
            self.same,
            items.len(),
            self.skipped.len(),
            self.scenarios
        );
        if let Some(random) = &self.random {
            if !random.only_at_first.is_empty() {
                text += &format!("only at first: seeds {:?}\n", random.only_at_first);
            }
            text += &format!(
                "{} random scenarios from seed {} on: {} the same, {} different\n",
                random.scenarios,
                random.first_seed,
                random.same,
                random.different.len()
            );
        }
        text
    }
}

impl Different {
    fn new(item: Option<u32>, compared: &Compared) -> Self {
        Self {
            item,
            scenario: compared.scenario.clone(),
            differences: compared.differences.clone(),
        }
    }
}

fn tell(text: &mut String, scenario: &str, differences: &[Difference]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{scenario}");
    for difference in differences {
        let _ = writeln!(text, "  {}", difference.to_string().replace('\n', "\n  "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(items: &[u32], differs: bool) -> Compared {
        let difference = Difference {
            place: "code".into(),
            host: "200".into(),
            envoy: "503".into(),
        };
        Compared {
            scenario: "one".into(),
            items: items.to_vec(),
            reran: false,
            differences: differs.then_some(difference).into_iter().collect(),
        }
    }

    #[test]
    fn an_item_is_the_same_when_all_its_scenarios_are() {
        let report = Report::of(
            &[
                compared(&[1], false),
                compared(&[1, 2], true),
                compared(&[3], false),
                compared(&[], true),
            ],
            None,
        );

        assert_eq!((report.items, report.same), (81, 1));
        let items: Vec<Option<u32>> = report.different.iter().map(|each| each.item).collect();
        assert_eq!(items, [Some(1), Some(2), None]);
        assert_eq!(report.skipped.len(), 78);
        assert!(!report.is_clean());
        assert!(
            report
                .text()
                .ends_with("81 items: 1 the same, 2 different, 78 skipped (4 scenarios)\n")
        );
    }

    #[test]
    fn the_members_that_machines_rely_on_come_first() {
        let json = serde_json::to_string(&Report::of(&[compared(&[1], false)], None)).unwrap();

        assert!(
            json.starts_with(
                r#"{"items":81,"same":1,"different":[],"skipped":[{"item":2,"reason":"#
            ),
            "{json}"
        );
    }
}

//! What a run found, as a table for people and as JSON for programs.
use std::fmt;

use serde_json::{Value, json};

/// What was seen, and what of it is not as expected.
#[derive(Debug)]
pub struct Report {
    pub(super) envoy: String,
    pub(super) runtimes: Vec<Package>,
    pub(super) denials: Vec<DenialRow>,
    pub(super) objects: Vec<ObjectRow>,
    pub(super) loops: Vec<LoopRow>,
}

/// An SDK that was driven.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) sdk: &'static str,
    pub(super) version: String,
    pub(super) runtime: String,
    /// How often it tries again by default.
    pub(super) retries: Option<u64>,
}

/// One refusal of one SDK.
#[derive(Debug)]
pub(super) struct DenialRow {
    pub(super) sdk: &'static str,
    pub(super) denial: &'static str,
    pub(super) way: &'static str,
    /// The exception's class; none where an answer came.
    pub(super) exception: Option<String>,
    pub(super) status: Option<u64>,
    /// Counted at Envoy.
    pub(super) requests: u64,
    pub(super) expected_requests: u64,
    /// The part of Weir's message that the exception's message says.
    pub(super) message: Option<&'static str>,
    /// Where in the exception the decision id is.
    pub(super) decision_id: Option<&'static str>,
    pub(super) problems: Vec<String>,
}

/// One object that was compared with the direct one.
#[derive(Debug)]
pub(super) struct ObjectRow {
    pub(super) sdk: &'static str,
    pub(super) api: &'static str,
    pub(super) way: &'static str,
    pub(super) treatment: &'static str,
    pub(super) problems: Vec<String>,
}

/// One tool loop.
#[derive(Debug)]
pub(super) struct LoopRow {
    pub(super) sdk: &'static str,
    pub(super) api: &'static str,
    pub(super) way: &'static str,
    pub(super) plan: &'static str,
    pub(super) steps: u64,
    pub(super) problems: Vec<String>,
}

impl Report {
    /// Whether everything is as expected.
    pub fn is_as_expected(&self) -> bool {
        self.problems().next().is_none() && !self.denials.is_empty()
    }

    fn problems(&self) -> impl Iterator<Item = &String> {
        let denials = self.denials.iter().flat_map(|row| &row.problems);
        let objects = self.objects.iter().flat_map(|row| &row.problems);
        denials
            .chain(objects)
            .chain(self.loops.iter().flat_map(|row| &row.problems))
    }

    /// The report as JSON; its form is stable, and `version` says which one it is.
    pub fn to_json(&self) -> Value {
        let sdks: Vec<Value> = self.runtimes.iter().map(|package| {
            json!({"sdk": package.sdk, "version": package.version, "runtime": package.runtime, "max_retries": package.retries})
        }).collect();
        let denials: Vec<Value> = self.denials.iter().map(|row| {
            json!({"sdk": row.sdk, "denial": row.denial, "way": row.way, "exception": row.exception,
                "status": row.status, "requests": row.requests, "expected_requests": row.expected_requests,
                "message": row.message, "decision_id_in": row.decision_id,
                "as_expected": row.problems.is_empty(), "problems": row.problems})
        }).collect();
        let objects: Vec<Value> = self
            .objects
            .iter()
            .map(|row| {
                json!({"sdk": row.sdk, "api": row.api, "way": row.way, "treatment": row.treatment,
                "as_expected": row.problems.is_empty(), "problems": row.problems})
            })
            .collect();
        let loops: Vec<Value> = self.loops.iter().map(|row| {
            json!({"sdk": row.sdk, "api": row.api, "way": row.way, "plan": row.plan, "steps": row.steps,
                "as_expected": row.problems.is_empty(), "problems": row.problems})
        }).collect();
        json!({"version": 1, "envoy": self.envoy, "sdks": sdks, "denials": denials, "objects": objects,
            "loops": loops, "as_expected": self.is_as_expected()})
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Envoy {}", self.envoy)?;
        for package in &self.runtimes {
            let Package {
                sdk,
                version,
                runtime,
                ..
            } = package;
            writeln!(f, "{sdk:<17} {version:<9} {runtime}")?;
        }
        writeln!(
            f,
            "\n{:<17} {:<12} {:<7} {:<22} {:>6} {:>4} {:>8}  {:<8} decision id in",
            "denials", "", "", "exception", "status", "sent", "expected", "message"
        )?;
        for row in &self.denials {
            let exception = row.exception.as_deref().unwrap_or("none");
            let status = row
                .status
                .map_or_else(|| "-".to_owned(), |status| status.to_string());
            let message = match (row.message, row.exception.is_some()) {
                (Some(_), _) => "reached",
                (None, true) => "lost",
                (None, false) => "-",
            };
            writeln!(
                f,
                "{:<17} {:<12} {:<7} {exception:<22} {status:>6} {:>4} {:>8}  {message:<8} {}",
                row.sdk,
                row.denial,
                row.way,
                row.requests,
                row.expected_requests,
                row.decision_id.unwrap_or("-")
            )?;
            tell(f, &row.problems)?;
        }
        writeln!(
            f,
            "\nobjects, compared with those of an answer that nothing touched"
        )?;
        for row in &self.objects {
            let came = if row.problems.is_empty() {
                "as expected"
            } else {
                "differs"
            };
            writeln!(
                f,
                "{:<17} {:<12} {:<7} {:<22} {came}",
                row.sdk, row.api, row.way, row.treatment
            )?;
            tell(f, &row.problems)?;
        }
        writeln!(f, "\ntool loops")?;
        for row in &self.loops {
            let came = if row.problems.is_empty() {
                "as expected"
            } else {
                "broke"
            };
            writeln!(
                f,
                "{:<17} {:<12} {:<7} {:<22} {came}, {} steps",
                row.sdk, row.api, row.way, row.plan, row.steps
            )?;
            tell(f, &row.problems)?;
        }
        let wrong = self.problems().count();
        match self.is_as_expected() {
            true => writeln!(f, "\neverything is as expected"),
            false => writeln!(f, "\n{wrong} things are not as expected"),
        }
    }
}

fn tell(f: &mut fmt::Formatter<'_>, problems: &[String]) -> fmt::Result {
    problems
        .iter()
        .try_for_each(|problem| writeln!(f, "    {problem}"))
}

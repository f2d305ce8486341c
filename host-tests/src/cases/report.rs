//! How cases went, for people and for machines.
use super::coverage::Coverage;
use super::{Case, Detail, Ran, Status};
use serde_json::{Value, json};
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What cases run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKind {
    /// The engine itself.
    Native,
    /// The plugin in our host.
    Wasm,
    /// The plugin in a real Envoy.
    Envoy,
}

impl HostKind {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Wasm => "wasm",
            Self::Envoy => "envoy",
        }
    }
}

/// How one case went.
#[derive(Debug)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Its line.
    pub line: usize,
    /// How it went on each host, and how long it took.
    pub hosts: Vec<(HostKind, Ran, Duration)>,
    /// What hosts made of it differently.
    pub differs: Vec<String>,
}

/// How all of them went.
#[derive(Debug)]
pub struct Report {
    /// In the order of the files.
    pub cases: Vec<CaseReport>,
    /// Rules that were shown.
    pub coverage: Coverage,
}

impl CaseReport {
    /// The report of `case`, compared between its hosts; the first is the reference.
    pub fn new(case: &Case, hosts: Vec<(HostKind, Ran, Duration)>) -> Self {
        let mut differs = Vec::new();
        let mut others = hosts.iter();
        if let Some((first, reference, _)) = others.next() {
            for (kind, ran, _) in others {
                let detail = match *kind {
                    HostKind::Envoy => Detail::Verdict,
                    HostKind::Native | HostKind::Wasm => Detail::Whole,
                };
                if let Some(what) = difference(case, reference, ran, detail) {
                    differs.push(format!("{} and {}: {what}", first.name(), kind.name()));
                }
            }
        }
        Self {
            name: case.name.clone(),
            file: case.file.clone(),
            line: case.line,
            hosts,
            differs,
        }
    }

    /// Whether it is as it should be, as far as it could be run.
    pub fn passed(&self) -> bool {
        let failed = |(_, ran, _): &(HostKind, Ran, Duration)| ran.status() == Status::Failed;
        self.differs.is_empty() && !self.hosts.iter().any(failed)
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file.display())
    }
}

/// The first exchange that two hosts make something else of.
fn difference(case: &Case, one: &Ran, other: &Ran, detail: Detail) -> Option<String> {
    let phases = case.phases.iter().zip(one.phases.iter().zip(&other.phases));
    for (phase, (one, other)) in phases {
        for (number, (one, other)) in one.iter().zip(other).enumerate() {
            if let Some(what) = one.difference(other, detail) {
                return Some(format!(
                    "line {}, request {}: {what}",
                    phase.line,
                    number + 1
                ));
            }
        }
    }
    None
}

impl Report {
    /// Cases that are as they should be.
    pub fn passed(&self) -> usize {
        self.cases.iter().filter(|case| case.passed()).count()
    }

    /// The others.
    pub fn failed(&self) -> usize {
        self.cases.len() - self.passed()
    }

    /// Cases that hosts make something else of, by place and name.
    pub fn differing(&self) -> Vec<String> {
        let differing = self.cases.iter().filter(|case| !case.differs.is_empty());
        differing
            .map(|case| format!("{}: {}", case.place(case.line), case.name))
            .collect()
    }

    /// Runs that were left out in part or as a whole.
    pub fn skipped(&self) -> usize {
        let runs = self.cases.iter().flat_map(|case| &case.hosts);
        runs.filter(|(_, ran, _)| ran.skipped.is_some()).count()
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let cases: Vec<Value> = self
            .cases
            .iter()
            .map(|case| {
                let hosts: serde_json::Map<String, Value> = case
                    .hosts
                    .iter()
                    .map(|(kind, ran, took)| {
                        let unmet: Vec<Value> = ran
                            .unmet
                            .iter()
                            .map(|unmet| json!({"line": unmet.line, "what": unmet.what}))
                            .collect();
                        let run = json!({
                            "status": ran.status().name(),
                            "exchanges": ran.phases.iter().map(Vec::len).sum::<usize>(),
                            "unmet": unmet,
                            "skipped": ran.skipped,
                            "seconds": took.as_secs_f64(),
                        });
                        (kind.name().to_owned(), run)
                    })
                    .collect();
                json!({
                    "name": case.name,
                    "file": case.file,
                    "line": case.line,
                    "passed": case.passed(),
                    "hosts": hosts,
                    "differs": case.differs,
                })
            })
            .collect();
        json!({
            "version": 1,
            "passed": self.passed(),
            "failed": self.failed(),
            "skipped": self.skipped(),
            "differs": self.differing(),
            "cases": cases,
            "coverage": {"percent": self.coverage.percent(), "policies": self.coverage.policies()},
        })
    }
}

/// A line for each case with what was not as expected below it, the rules that were not shown, and the sum.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            let verdict = if case.passed() { "ok" } else { "FAILED" };
            writeln!(f, "{verdict:<7} {} ({})", case.name, case.place(case.line))?;
            for (kind, ran, _) in &case.hosts {
                for unmet in &ran.unmet {
                    let place = case.place(unmet.line);
                    writeln!(f, "        {place}: {}: {}", kind.name(), unmet.what)?;
                }
                if let Some(reason) = &ran.skipped {
                    let what = match ran.status() {
                        Status::Skipped => "skipped",
                        _ => "the rest is skipped",
                    };
                    writeln!(f, "        {}: {what}: {reason}", kind.name())?;
                }
            }
            for what in &case.differs {
                writeln!(f, "        differs: {what}")?;
            }
        }
        for policy in self.coverage.policies() {
            f.write_char('\n')?;
            writeln!(
                f,
                "{}: {} of {} rules",
                policy.policy,
                policy.covered,
                policy.rules.len()
            )?;
            for rule in &policy.rules {
                let (mark, count) = match rule.exchanges {
                    0 => ("not covered", String::new()),
                    count => ("covered", count.to_string()),
                };
                writeln!(f, "  {mark:<11} {count:>6}  {}", rule.rule)?;
            }
        }
        let skipped = match self.skipped() {
            0 => String::new(),
            runs => format!(", {runs} runs skipped in part or as a whole"),
        };
        write!(
            f,
            "\n{} passed, {} failed, {} differ{skipped}; {:.1} % of the rules are covered\n",
            self.passed(),
            self.failed(),
            self.differing().len(),
            self.coverage.percent()
        )
    }
}

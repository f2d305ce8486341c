//! Runs `weir conformance` and reads what it prints: whether our host behaves as Envoy does.
//!
//! The binary is the one that the tests of the command line have built: a build of its own,
//! for one package instead of the workspace, would choose other features of dependencies and
//! compile wasmtime once more.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::Workspace;

/// Random scenarios of one run: some ten seconds.
pub(crate) const RANDOM: &str = "300";

/// Arguments for cargo that leave the binary at [`binary`], at no cost after the tests.
pub(crate) const BUILD: [&str; 6] = [
    "test",
    "--workspace",
    "--locked",
    "--test",
    "cli",
    "--no-run",
];

/// Where [`BUILD`] leaves it.
pub(crate) fn binary(workspace: &Workspace) -> std::path::PathBuf {
    let name = format!("weir{}", std::env::consts::EXE_SUFFIX);
    workspace.target.join("debug").join(name)
}

/// What came of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// For the table: how much is the same.
    pub(crate) note: String,
    /// Items that no scenario showed, with the reason.
    pub(crate) skipped: Vec<String>,
    /// What differs, for a person; empty where nothing does.
    pub(crate) differences: String,
}

/// Reads the report out of a log that may have other lines.
///
/// # Errors
/// When there is none.
pub(crate) fn read(log: &str) -> Result<Comparison> {
    let report: Value = log
        .lines()
        .rev()
        .find(|line| line.starts_with("{\"items\":"))
        .and_then(|line| serde_json::from_str(line).ok())
        .context("`weir conformance` printed no report")?;
    let random = member(&report, "random");
    let mut comparison = Comparison {
        note: format!(
            "{} items the same, {} random scenarios",
            number(member(&report, "same"))?,
            number(member(random, "same"))?
        ),
        ..Comparison::default()
    };
    for item in list(member(&report, "skipped"))? {
        let (number, reason) = (number(member(item, "item"))?, text(member(item, "reason"))?);
        comparison.skipped.push(format!("item {number}: {reason}"));
    }
    for different in list(member(&report, "different"))?
        .iter()
        .chain(list(member(random, "different"))?)
    {
        tell(&mut comparison.differences, different)?;
    }
    Ok(comparison)
}

/// One scenario that differs, as `weir conformance` itself prints it.
fn tell(told: &mut String, different: &Value) -> Result<()> {
    writeln!(told, "{}", text(member(different, "scenario"))?)?;
    for difference in list(member(different, "differences"))? {
        writeln!(
            told,
            "  {}\n    host:  {}\n    envoy: {}",
            text(member(difference, "place"))?,
            text(member(difference, "host"))?,
            text(member(difference, "envoy"))?
        )?;
    }
    Ok(())
}

/// What is not there is `null`, which is neither a number nor a text nor a list.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn number(value: &Value) -> Result<u64> {
    value.as_u64().context("the report lacks a number")
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("the report lacks a text")
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().context("the report lacks a list")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_found_among_other_lines_and_summed_up() {
        let log = "guests are built\n\
            {\"items\":81,\"same\":80,\"different\":[],\
            \"skipped\":[{\"item\":7,\"reason\":\"no time\"}],\"scenarios\":170,\
            \"random\":{\"first_seed\":1,\"scenarios\":300,\"same\":300,\"different\":[]}}\n";

        let comparison = read(log).unwrap();

        assert_eq!(comparison.note, "80 items the same, 300 random scenarios");
        assert_eq!(comparison.skipped, ["item 7: no time"]);
        assert_eq!(comparison.differences, "");
    }

    #[test]
    fn every_difference_is_told_with_both_sides() {
        let different = "{\"scenario\":\"one\",\"differences\":\
            [{\"place\":\"code\",\"host\":\"200\",\"envoy\":\"503\"}]}";
        let log = format!(
            "{{\"items\":81,\"same\":80,\"different\":[{different}],\"skipped\":[],\
            \"random\":{{\"same\":299,\"different\":[{different}]}}}}"
        );

        let told = "one\n  code\n    host:  200\n    envoy: 503\n";
        assert_eq!(read(&log).unwrap().differences, told.repeat(2));
    }

    #[test]
    fn a_run_that_broke_off_shows_nothing() {
        assert!(read("weir: cannot listen\n").is_err());
    }
}

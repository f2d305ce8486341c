//! Runs cases on the hosts that were asked for, and compares what they make of them.
use super::coverage::Coverage;
use super::envoy::{EnvoyHost, unfit};
use super::native::Native;
use super::report::{CaseReport, HostKind, Report};
use super::run::{HostFault, Runner, run};
use super::wasm::WasmHost;
use super::{Case, Ran, Unmet};
use crate::{Host, HostConfig};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Listeners that one Envoy has at most, each with VMs of its own.
const LISTENERS: usize = 24;

/// Where the hosts are that were asked for; none for one that was not.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// The engine itself.
    pub native: bool,
    /// The plugin, for our host.
    pub wasm: Option<PathBuf>,
    /// Envoy's binary and the plugin.
    pub envoy: Option<(PathBuf, PathBuf)>,
}

impl Hosts {
    /// How many there are.
    pub fn count(&self) -> usize {
        let asked = [self.native, self.wasm.is_some(), self.envoy.is_some()];
        asked.into_iter().filter(|asked| *asked).count()
    }
}

type Timed = (Ran, Duration);

/// Runs `cases`; `progress` is told of each that ended on a host.
///
/// # Errors
/// A host does not start at all. One that breaks in a case fails that case.
pub fn run_all(
    cases: &[Case],
    hosts: &Hosts,
    progress: &dyn Fn(HostKind, &Case),
) -> Result<Report, HostFault> {
    let mut columns: Vec<(HostKind, Vec<Timed>)> = Vec::new();
    if hosts.native {
        columns.push((HostKind::Native, native(cases, progress)?));
    }
    if let Some(path) = &hosts.wasm {
        columns.push((HostKind::Wasm, wasm(cases, path, progress)?));
    }
    if let Some((binary, plugin)) = &hosts.envoy {
        let host = EnvoyHost::new(binary.clone(), plugin.clone())?;
        columns.push((HostKind::Envoy, envoy(cases, &host, progress)?));
    }
    let mut coverage = Coverage::new(cases);
    // What a later host shows is what the first one showed, unless that one was not asked for all of it.
    if let Some((_, first)) = columns.first() {
        for (case, (ran, _)) in cases.iter().zip(first) {
            coverage.take(case, ran);
        }
    }
    let mut columns: Vec<(HostKind, std::vec::IntoIter<Timed>)> = columns
        .into_iter()
        .map(|(kind, column)| (kind, column.into_iter()))
        .collect();
    let reports = cases.iter().map(|case| {
        let hosts = columns.iter_mut().filter_map(|(kind, column)| {
            let (ran, took) = column.next()?;
            Some((*kind, ran, took))
        });
        CaseReport::new(case, hosts.collect())
    });
    Ok(Report {
        cases: reports.collect(),
        coverage,
    })
}

fn timed(case: &Case, runner: Result<impl Runner, HostFault>) -> Timed {
    let began = Instant::now();
    let ran = match runner {
        Ok(mut runner) => run(case, &mut runner),
        Err(fault) => Ran {
            unmet: vec![Unmet {
                line: case.line,
                what: format!("the host failed: {fault}"),
            }],
            ..Ran::default()
        },
    };
    (ran, began.elapsed())
}

fn native(cases: &[Case], progress: &dyn Fn(HostKind, &Case)) -> Result<Vec<Timed>, HostFault> {
    let host = Host::new(HostConfig::default()).map_err(HostFault::of)?;
    let column = cases.iter().map(|case| {
        let process = host.another(HostConfig::default());
        let timed = timed(case, Native::new(case, &process));
        progress(HostKind::Native, case);
        timed
    });
    Ok(column.collect())
}

fn wasm(
    cases: &[Case],
    path: &Path,
    progress: &dyn Fn(HostKind, &Case),
) -> Result<Vec<Timed>, HostFault> {
    let Some(first) = cases.first() else {
        return Ok(Vec::new());
    };
    let cannot = |error| HostFault(format!("cannot read {}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(cannot)?;
    let host = WasmHost::new(bytes, &first.policy)?;
    let column = cases.iter().map(|case| {
        let timed = timed(case, host.start(case));
        progress(HostKind::Wasm, case);
        timed
    });
    Ok(column.collect())
}

/// Counters are the process's, so a case that looks at them has an Envoy of its own; all others share.
fn envoy(
    cases: &[Case],
    host: &EnvoyHost,
    progress: &dyn Fn(HostKind, &Case),
) -> Result<Vec<Timed>, HostFault> {
    let mut column: Vec<Timed> = cases
        .iter()
        .map(|case| {
            let reason = unfit(case).inspect(|_| progress(HostKind::Envoy, case));
            (Ran::skipped(reason.unwrap_or_default()), Duration::ZERO)
        })
        .collect();
    let fit = || (0..).zip(cases).filter(|(_, case)| unfit(case).is_none());
    let alone: Vec<usize> = fit()
        .filter(|(_, case)| looks_at_metrics(case))
        .map(|(index, _)| index)
        .collect();
    let shared: Vec<usize> = fit()
        .filter(|(_, case)| !looks_at_metrics(case))
        .map(|(index, _)| index)
        .collect();
    for group in shared.chunks(LISTENERS).chain(alone.chunks(1)) {
        let members: Vec<&Case> = group.iter().filter_map(|index| cases.get(*index)).collect();
        let envoy = host.start(&members)?;
        for (place, (index, case)) in group.iter().zip(members).enumerate() {
            let timed = timed(case, Ok(envoy.case(place)));
            if let Some(slot) = column.get_mut(*index) {
                *slot = timed;
            }
            progress(HostKind::Envoy, case);
        }
    }
    Ok(column)
}

fn looks_at_metrics(case: &Case) -> bool {
    let mut expected = case.phases.iter().filter_map(|phase| phase.expect.as_ref());
    expected.any(super::Expectation::looks_at_metrics)
}

//! What detection costs the plugin: the same trace with and without it.
use crate::replay::ReplaySummary;
use crate::replay::plugin::PluginReport;
use serde::Serialize;

/// Means of one exchange in the workers, their ticks (one a minute) and starts included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Each {
    /// Calls of the host.
    pub hostcalls: f64,
    /// Fuel, about a unit for each WebAssembly instruction.
    pub fuel: f64,
}

/// What the plugin cost; the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PluginCost {
    /// An exchange under the policy.
    pub with: Each,
    /// An exchange under the policy without detection.
    pub without: Each,
    /// Fuel of the leader for an hour of the trace: everything observed, and its share of a pass (one every two hours).
    pub leader_fuel_per_hour: f64,
    /// Hostcalls of the leader for an hour of the trace.
    pub leader_hostcalls_per_hour: f64,
    /// Linear memory of the leader's VM in the end, bytes.
    pub leader_bytes: u64,
    /// Linear memory of the largest worker's VM, bytes.
    pub worker_bytes: u64,
    /// The same without detection.
    pub worker_bytes_without: u64,
}

impl PluginCost {
    pub(super) fn of(
        with: &ReplaySummary<PluginReport>,
        without: &ReplaySummary<PluginReport>,
        hours: f64,
    ) -> Self {
        let leader = with.leader.as_ref();
        let (calls, fuel) = leader.map_or((0, 0), |leader| {
            (leader.hostcalls.total(), leader.fuel.unwrap_or_default())
        });
        Self {
            with: each(with),
            without: each(without),
            leader_fuel_per_hour: fuel as f64 / hours.max(1.0),
            leader_hostcalls_per_hour: calls as f64 / hours.max(1.0),
            leader_bytes: leader.map_or(0, |leader| leader.memory_bytes),
            worker_bytes: largest(with),
            worker_bytes_without: largest(without),
        }
    }

    /// What detection adds to an exchange.
    pub fn detection(&self) -> Each {
        Each {
            hostcalls: self.with.hostcalls - self.without.hostcalls,
            fuel: self.with.fuel - self.without.fuel,
        }
    }
}

fn each(summary: &ReplaySummary<PluginReport>) -> Each {
    let exchanges = summary.exchanges.max(1) as f64;
    let reports = summary.reports.iter();
    let (calls, fuel) = reports.fold((0, 0), |(calls, fuel), report| {
        (
            calls + report.hostcalls.total(),
            fuel + report.fuel.unwrap_or_default(),
        )
    });
    Each {
        hostcalls: calls as f64 / exchanges,
        fuel: fuel as f64 / exchanges,
    }
}

fn largest(summary: &ReplaySummary<PluginReport>) -> u64 {
    let reports = summary.reports.iter();
    reports
        .map(|report| report.memory_bytes)
        .max()
        .unwrap_or_default()
}

//! Where a plugin spends its calls and instructions, callback by callback.
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{CallEvent, Moment, VmName};

/// Sums events up. VMs may mix.
#[derive(Clone, Debug, Default)]
pub struct Profiler {
    /// By VM: the callbacks that are running, innermost last.
    running: BTreeMap<VmName, Vec<String>>,
    profile: Profile,
}

/// What each callback cost, over all VMs. A pure function of what the VMs got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// By the callback's export; hostcalls outside of any are under `(start)`.
    pub callbacks: BTreeMap<String, CallbackProfile>,
}

/// What one callback cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallbackProfile {
    /// How often the host made it.
    pub calls: u64,
    /// How many of them trapped.
    pub traps: u64,
    /// Fuel of all calls, about a unit for each instruction; `None` where nobody counted.
    pub fuel: Option<u64>,
    /// The most fuel that one call burnt.
    pub most_fuel: Option<u64>,
    /// Hostcalls by import.
    pub hostcalls: BTreeMap<String, u64>,
}

/// The start function of a module runs in no callback.
const START: &str = "(start)";

impl Profiler {
    /// Takes one event in.
    pub fn observe(&mut self, event: &CallEvent<'_>) {
        let running = self.running.entry(event.vm).or_default();
        match event.moment {
            Moment::Begins { .. } => {
                running.push(event.call.to_owned());
                self.profile.of(event.call).calls += 1;
            }
            Moment::Ends { trapped, fuel, .. } => {
                running.pop();
                let callback = self.profile.of(event.call);
                callback.traps += u64::from(trapped);
                if let Some(fuel) = fuel {
                    callback.fuel = Some(callback.fuel.unwrap_or_default().saturating_add(fuel));
                    callback.most_fuel = callback.most_fuel.max(Some(fuel));
                }
            }
            Moment::Hostcall { .. } => {
                let callback = running.last().map_or(START, String::as_str);
                let hostcalls = &mut self.profile.of(callback).hostcalls;
                *hostcalls.entry(event.call.to_owned()).or_default() += 1;
            }
        }
    }
    /// What was summed up so far.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }
}

impl Profile {
    fn of(&mut self, callback: &str) -> &mut CallbackProfile {
        self.callbacks.entry(callback.to_owned()).or_default()
    }
}

/// A table: one line for each callback, the hostcalls below it.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<44} {:>8} {:>9} {:>12} {:>10} {:>10}",
            "callback", "calls", "hostcalls", "fuel", "per call", "most"
        )?;
        let shown =
            |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
        for (name, callback) in &self.callbacks {
            writeln!(
                f,
                "{name:<44} {:>8} {:>9} {:>12} {:>10} {:>10}",
                callback.calls,
                callback.hostcalls.values().sum::<u64>(),
                shown(callback.fuel),
                shown(
                    callback
                        .fuel
                        .and_then(|fuel| fuel.checked_div(callback.calls))
                ),
                shown(callback.most_fuel),
            )?;
            for (hostcall, count) in &callback.hostcalls {
                writeln!(f, "  {hostcall:<51} {count:>9}")?;
            }
        }
        Ok(())
    }
}

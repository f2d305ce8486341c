//! Envoy's counters and gauges, the plugin's labels taken out of their names.
//!
//! Histograms are not here; they are in the Prometheus text.
use std::collections::BTreeMap;

use serde_json::Value;

/// Namespace of what plugins define.
const PLUGIN: &str = "wasmcustom.";

/// A snapshot of counters and gauges by their full names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    values: BTreeMap<String, u64>,
}

/// A plugin's metric: `LABEL=.=VALUE;.;LABEL=.=VALUE;.;NAME` behind Envoy's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric<'a> {
    /// `weir_exchanges` style.
    pub name: &'a str,
    /// Label and value, in the plugin's order.
    pub labels: Vec<(&'a str, &'a str)>,
    /// The counter's or gauge's value.
    pub value: u64,
}

impl Stats {
    /// From full names and values.
    pub fn new(values: impl IntoIterator<Item = (String, u64)>) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }

    /// From the admin interface's JSON; None where it is something else.
    pub(crate) fn from_json(answer: &Value) -> Option<Self> {
        let stats = answer.get("stats")?.as_array()?;
        let values = stats
            .iter()
            .filter_map(|stat| {
                Some((
                    stat.get("name")?.as_str()?.to_owned(),
                    stat.get("value")?.as_u64()?,
                ))
            })
            .collect();
        Some(Self { values })
    }

    /// The value under Envoy's full name; 0 where there is none, since Envoy makes many counters on first use.
    pub fn get(&self, name: &str) -> u64 {
        self.values.get(name).copied().unwrap_or(0)
    }

    /// All values by full name.
    pub const fn values(&self) -> &BTreeMap<String, u64> {
        &self.values
    }

    /// What plugins count.
    pub fn metrics(&self) -> impl Iterator<Item = Metric<'_>> {
        self.values
            .iter()
            .filter_map(|(name, value)| parse(name.strip_prefix(PLUGIN)?, *value))
    }

    /// Sum over every series of the plugin's metric `name` that has all of `labels`.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.metrics()
            .filter(|metric| {
                metric.name == name && labels.iter().all(|l| metric.labels.contains(l))
            })
            .map(|metric| metric.value)
            .fold(0, u64::saturating_add)
    }
}

fn parse(encoded: &str, value: u64) -> Option<Metric<'_>> {
    let mut labels = Vec::new();
    let mut rest = encoded;
    while let Some((label, after)) = rest.split_once(";.;") {
        labels.push(label.split_once("=.=")?);
        rest = after;
    }
    Some(Metric {
        name: rest,
        labels,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_the_series_that_carry_the_labels_asked_for() {
        let stats = Stats::from_json(&serde_json::json!({"stats": [
            {"name": "wasmcustom.action=.=allow;.;tier=.=basic;.;weir_exchanges", "value": 3},
            {"name": "wasmcustom.action=.=allow;.;tier=.=vetted;.;weir_exchanges", "value": 4},
            {"name": "wasmcustom.action=.=deny;.;tier=.=basic;.;weir_exchanges", "value": 5},
            {"name": "listener_manager.lds.version_text", "value": ""},
            {"histograms": {}},
        ]}))
        .unwrap();

        assert_eq!(stats.sum("weir_exchanges", &[("action", "allow")]), 7);
        assert_eq!(
            stats.sum("weir_exchanges", &[("tier", "basic"), ("action", "deny")]),
            5
        );
        assert_eq!(stats.sum("weir_exchanges", &[]), 12);
        assert_eq!(stats.sum("weir_exchange", &[]), 0);
    }
}

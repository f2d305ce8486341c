//! Counters, gauges and histograms under bounded names.
//!
//! The ABI has no labels: they stand in the name (`action=.=allow;.;tier=.=basic;.;weir_exchanges`),
//! where Envoy's `stats_tags` finds them. Counts gather here and go to the host every few seconds, so
//! that an exchange costs no call for them; a histogram's value is a call, so only some are given.
//! Account names never become labels.
use crate::hostcalls::{self, Level, MetricKind};
use hashbrown::HashMap;

/// Distinct metrics of one VM; labels are bounded, so more would be a defect, and stays bounded still.
const MAX_METRICS: usize = 4096;

/// The metrics of one VM.
#[derive(Default)]
pub(crate) struct Metrics {
    counters: HashMap<String, Counter>,
    histograms: HashMap<String, u32>,
    gauges: HashMap<String, u32>,
    overflow: u64,
    /// The name that is looked up; kept, so that counting allocates nothing.
    name: String,
}

#[derive(Default)]
struct Counter {
    id: Option<u32>,
    pending: u64,
}

impl Metrics {
    /// Adds to a counter; the host hears of it on the next `flush`.
    pub(crate) fn add(&mut self, metric: &str, labels: &[(&str, &str)], by: u64) {
        if by == 0 {
            return;
        }
        write_name(&mut self.name, metric, labels);
        if let Some(counter) = self.counters.get_mut(&self.name) {
            counter.pending = counter.pending.saturating_add(by);
        } else if self.counters.len() < MAX_METRICS {
            let pending = Counter {
                id: None,
                pending: by,
            };
            self.counters.insert(self.name.clone(), pending);
        } else {
            self.overflow = self.overflow.saturating_add(by);
        }
    }

    /// Gives a histogram a value, at once.
    pub(crate) fn record(&mut self, metric: &str, labels: &[(&str, &str)], value: u64) {
        self.tell(MetricKind::Histogram, metric, labels, value);
    }

    /// Sets a gauge, at once.
    pub(crate) fn set(&mut self, metric: &str, labels: &[(&str, &str)], value: u64) {
        self.tell(MetricKind::Gauge, metric, labels, value);
    }

    fn tell(&mut self, kind: MetricKind, metric: &str, labels: &[(&str, &str)], value: u64) {
        write_name(&mut self.name, metric, labels);
        let known = match kind {
            MetricKind::Gauge => &mut self.gauges,
            MetricKind::Counter | MetricKind::Histogram => &mut self.histograms,
        };
        let id = match known.get(&self.name) {
            Some(id) => Some(*id),
            None if known.len() < MAX_METRICS => {
                let defined = hostcalls::define_metric(kind, &self.name).ok();
                if let Some(id) = defined {
                    known.insert(self.name.clone(), id);
                }
                defined
            }
            None => None,
        };
        if let Some(id) = id {
            // A value that the host does not take is lost to its quantiles only; sums are counters.
            let _ = hostcalls::record_metric(id, value);
        }
    }

    /// Sends what gathered since the last flush.
    pub(crate) fn flush(&mut self) {
        if self.overflow > 0 {
            let lost = std::mem::take(&mut self.overflow);
            hostcalls::log(
                Level::Error,
                &format!("weir: {lost} counts had no room among {MAX_METRICS} metrics"),
            );
        }
        for (name, counter) in self
            .counters
            .iter_mut()
            .filter(|(_, counter)| counter.pending > 0)
        {
            let id = match counter.id {
                Some(id) => id,
                None => match hostcalls::define_metric(MetricKind::Counter, name) {
                    Ok(id) => *counter.id.insert(id),
                    Err(_) => continue,
                },
            };
            if hostcalls::increment_metric(id, counter.pending).is_ok() {
                counter.pending = 0;
            }
        }
    }
}

/// Writes a metric's name with its labels, in the given order.
fn write_name(name: &mut String, metric: &str, labels: &[(&str, &str)]) {
    name.clear();
    for (label, value) in labels {
        for piece in [label, "=.=", value, ";.;"] {
            name.push_str(piece);
        }
    }
    name.push_str("weir_");
    name.push_str(metric);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_before_the_metric_as_istio_writes_them() {
        let mut name = "left over".to_string();

        write_name(
            &mut name,
            "exchanges",
            &[("action", "allow"), ("tier", "basic")],
        );

        assert_eq!(name, "action=.=allow;.;tier=.=basic;.;weir_exchanges");
    }
}

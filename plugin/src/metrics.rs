//! Counters and histograms under bounded names.
//!
//! The ABI has no labels: they stand in the name (`action=.=allow;.;tier=.=basic;.;weir_exchanges`),
//! where Envoy's `stats_tags` finds them. Counts gather here and go to the host on ticks, so that an
//! exchange costs no call for them. Account names never become labels.
use crate::hostcalls::{self, Level, MetricKind};
use hashbrown::HashMap;

/// Distinct metrics of one VM; labels are bounded, so more would be a defect, and stays bounded still.
const MAX_METRICS: usize = 4096;

/// The metrics of one VM.
#[derive(Default)]
pub(crate) struct Metrics {
    counters: HashMap<String, Counter>,
    histograms: HashMap<String, u32>,
    overflow: u64,
}

#[derive(Default)]
struct Counter {
    id: Option<u32>,
    pending: u64,
}

impl Metrics {
    /// Adds to a counter; the host hears of it on the next `flush`.
    pub(crate) fn add(&mut self, name: &str, by: u64) {
        if by == 0 {
            return;
        }
        if let Some(counter) = self.counters.get_mut(name) {
            counter.pending = counter.pending.saturating_add(by);
        } else if self.counters.len() < MAX_METRICS {
            self.counters.insert(
                name.to_string(),
                Counter {
                    id: None,
                    pending: by,
                },
            );
        } else {
            self.overflow = self.overflow.saturating_add(by);
        }
    }

    /// Gives a histogram a value, at once.
    pub(crate) fn record(&mut self, name: &str, value: u64) {
        let id = match self.histograms.get(name) {
            Some(id) => *id,
            None if self.histograms.len() < MAX_METRICS => {
                let Ok(id) = hostcalls::define_metric(MetricKind::Histogram, name) else {
                    return;
                };
                self.histograms.insert(name.to_string(), id);
                id
            }
            None => return,
        };
        let _ = hostcalls::record_metric(id, value);
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

/// A metric's name with its labels, in the given order.
pub(crate) fn name(metric: &str, labels: &[(&str, &str)]) -> String {
    let mut name = String::new();
    for (label, value) in labels {
        name.push_str(label);
        name.push_str("=.=");
        name.push_str(value);
        name.push_str(";.;");
    }
    name.push_str("weir_");
    name.push_str(metric);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_before_the_metric_as_istio_writes_them() {
        let name = name("exchanges", &[("action", "allow"), ("tier", "basic")]);

        assert_eq!(name, "action=.=allow;.;tier=.=basic;.;weir_exchanges");
    }
}

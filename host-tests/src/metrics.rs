//! The process's stats and a VM's ids for them.
//!
//! Ids carry the type in their two low bits, as Envoy's do; defining a name again gives a new id for
//! the same stat. Stats are shared by all threads and never removed.
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::status::Status;

/// What a stat holds, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stat {
    /// Only grows.
    Counter(u64),
    /// Goes up and down; wraps below zero as in Envoy.
    Gauge(u64),
    /// Distribution of recorded values.
    Histogram(Histogram),
}

impl fmt::Display for Stat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counter(value) | Self::Gauge(value) => write!(f, "{value}"),
            Self::Histogram(histogram) => {
                write!(f, "count {} sum {}", histogram.count, histogram.sum)
            }
        }
    }
}

/// A recorded distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Number of values.
    pub count: u64,
    /// Their sum, wrapping.
    pub sum: u64,
    /// `buckets[i]` counts the values of `i` significant bits: 0, 1, 2..=3, 4..=7, ...; 65 of them.
    pub buckets: Vec<u64>,
}

enum Cell {
    Counter(AtomicU64),
    Gauge(AtomicU64),
    Histogram {
        sum: AtomicU64,
        buckets: Vec<AtomicU64>,
    },
}

type Cells = BTreeMap<(String, Kind), Arc<Cell>>;

/// All stats of the process by their full name.
#[derive(Clone, Default)]
pub(crate) struct Registry(Arc<Mutex<Cells>>);

impl Registry {
    fn define(&self, name: String, kind: Kind) -> Arc<Cell> {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(stats.entry((name, kind)).or_insert_with(|| {
            Arc::new(match kind {
                Kind::Counter => Cell::Counter(AtomicU64::new(0)),
                Kind::Gauge => Cell::Gauge(AtomicU64::new(0)),
                Kind::Histogram => Cell::Histogram {
                    sum: AtomicU64::new(0),
                    buckets: (0..=u64::BITS).map(|_| AtomicU64::new(0)).collect(),
                },
            })
        }))
    }
    /// One of Envoy's own counters.
    pub(crate) fn count(&self, name: String) {
        if let Cell::Counter(value) = &*self.define(name, Kind::Counter) {
            value.fetch_add(1, Ordering::Relaxed);
        }
    }
    /// One of Envoy's own gauges.
    pub(crate) fn add(&self, name: &str, by: i64) {
        if let Cell::Gauge(value) = &*self.define(name.to_owned(), Kind::Gauge) {
            value.fetch_add(by as u64, Ordering::Relaxed);
        }
    }
    /// What Envoy has for every plugin from the start. `vm_reload` exists and is never counted.
    pub(crate) fn define_envoys_own(&self, plugin: &str) {
        for event in [
            "vm_reload",
            "vm_reload_backoff",
            "vm_reload_failure",
            "vm_reload_success",
        ] {
            self.define(format!("wasm.{plugin}.{event}"), Kind::Counter);
        }
    }
    pub(crate) fn read(&self) -> BTreeMap<String, Stat> {
        let stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stats
            .iter()
            .map(|((name, _), cell)| (name.clone(), cell.read()))
            .collect()
    }
}

impl Cell {
    fn read(&self) -> Stat {
        match self {
            Self::Counter(value) => Stat::Counter(value.load(Ordering::Relaxed)),
            Self::Gauge(value) => Stat::Gauge(value.load(Ordering::Relaxed)),
            Self::Histogram { sum, buckets } => {
                let buckets: Vec<u64> = buckets
                    .iter()
                    .map(|bucket| bucket.load(Ordering::Relaxed))
                    .collect();
                Stat::Histogram(Histogram {
                    count: buckets.iter().sum(),
                    sum: sum.load(Ordering::Relaxed),
                    buckets,
                })
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const KIND_MASK: u32 = 0b11;
const ID_STEP: u32 = 0b100;

/// A VM's own numbering of the stats it defined.
pub(crate) struct VmMetrics {
    registry: Registry,
    by_kind: [Vec<Arc<Cell>>; 3],
}

impl VmMetrics {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            by_kind: [Vec::new(), Vec::new(), Vec::new()],
        }
    }
    pub(crate) fn define(&mut self, kind: u32, name: &[u8]) -> Result<u32, Status> {
        let variant = match kind {
            0 => Kind::Counter,
            1 => Kind::Gauge,
            2 => Kind::Histogram,
            _ => return Err(Status::BadArgument),
        };
        // Envoy joins the parts of a name by dots, and an empty part is none.
        let name = match String::from_utf8_lossy(name) {
            name if name.is_empty() => "wasmcustom".to_owned(),
            name => format!("wasmcustom.{name}"),
        };
        let cell = self.registry.define(name, variant);
        let cells = self
            .by_kind
            .get_mut(kind as usize)
            .ok_or(Status::BadArgument)?;
        cells.push(cell);
        let ordinal = u32::try_from(cells.len()).map_err(|_| Status::InternalFailure)?;
        Ok(ordinal.wrapping_mul(ID_STEP) | kind)
    }
    fn cell(&self, id: u32) -> Result<&Cell, Status> {
        let cells = self
            .by_kind
            .get((id & KIND_MASK) as usize)
            .ok_or(Status::BadArgument)?;
        let index = (id / ID_STEP).checked_sub(1).ok_or(Status::NotFound)?;
        cells
            .get(index as usize)
            .map(|cell| &**cell)
            .ok_or(Status::NotFound)
    }
    pub(crate) fn increment(&self, id: u32, offset: i64) -> Result<(), Status> {
        match self.cell(id)? {
            Cell::Counter(_) if offset <= 0 => return Err(Status::BadArgument),
            Cell::Counter(value) | Cell::Gauge(value) => {
                value.fetch_add(offset as u64, Ordering::Relaxed)
            }
            Cell::Histogram { .. } => return Err(Status::BadArgument),
        };
        Ok(())
    }
    pub(crate) fn record(&self, id: u32, value: u64) -> Result<(), Status> {
        match self.cell(id)? {
            Cell::Counter(counter) => {
                counter.fetch_add(value, Ordering::Relaxed);
            }
            Cell::Gauge(gauge) => gauge.store(value, Ordering::Relaxed),
            Cell::Histogram { sum, buckets } => {
                sum.fetch_add(value, Ordering::Relaxed);
                if let Some(bucket) = buckets.get((u64::BITS - value.leading_zeros()) as usize) {
                    bucket.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }
    pub(crate) fn get(&self, id: u32) -> Result<u64, Status> {
        match self.cell(id)? {
            Cell::Counter(value) | Cell::Gauge(value) => Ok(value.load(Ordering::Relaxed)),
            Cell::Histogram { .. } => Err(Status::BadArgument),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_type_and_a_second_definition_is_the_same_stat() {
        let mut metrics = VmMetrics::new(Registry::default());

        assert_eq!(
            [0, 1, 2, 0, 3].map(|kind| metrics.define(kind, b"m").ok()),
            [Some(4), Some(5), Some(6), Some(8), None]
        );
        metrics.increment(4, 3).unwrap();

        assert_eq!(metrics.get(8), Ok(3));
        assert_eq!(metrics.get(12), Err(Status::NotFound));
    }

    #[test]
    fn a_counter_only_grows_a_gauge_wraps_and_a_histogram_only_records() {
        let registry = Registry::default();
        let mut metrics = VmMetrics::new(registry.clone());
        let counter = metrics.define(0, b"c").unwrap();
        let gauge = metrics.define(1, b"g").unwrap();
        let histogram = metrics.define(2, b"h").unwrap();

        assert_eq!(metrics.increment(counter, 0), Err(Status::BadArgument));
        metrics.record(counter, 5).unwrap();
        metrics.record(counter, 5).unwrap();
        metrics.increment(gauge, -2).unwrap();
        assert_eq!(metrics.increment(histogram, 1), Err(Status::BadArgument));
        metrics.record(histogram, 6).unwrap();

        assert_eq!(metrics.get(counter), Ok(10));
        assert_eq!(metrics.get(gauge), Ok(u64::MAX - 1));
        assert_eq!(metrics.get(histogram), Err(Status::BadArgument));
        let Some(Stat::Histogram(read)) = registry.read().remove("wasmcustom.h") else {
            panic!("no histogram")
        };
        assert_eq!((read.count, read.sum, read.buckets[3]), (1, 6, 1));
    }
}

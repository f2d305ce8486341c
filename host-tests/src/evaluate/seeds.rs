//! Seeds, and doing the work of several at once.
use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A range of seeds, written `100..120`, the end excluded; a single seed is written `7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    end: u64,
}

/// Not a range of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a range of seeds such as 100..120 (the end excluded) or 7")]
pub struct NotSeeds;

impl FromStr for Seeds {
    type Err = NotSeeds;

    fn from_str(text: &str) -> Result<Self, NotSeeds> {
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| NotSeeds);
        let (first, end) = match text.split_once("..") {
            Some((first, end)) => (number(first)?, number(end)?),
            None => {
                let first = number(text)?;
                (first, first.checked_add(1).ok_or(NotSeeds)?)
            }
        };
        if first < end && end - first <= 100_000 {
            Ok(Self { first, end })
        } else {
            Err(NotSeeds)
        }
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.end)
    }
}

impl Seeds {
    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = u64> {
        self.first..self.end
    }
    /// Whether any seed is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first < other.end && other.first < self.end
    }
}

/// Does `work` on all `tasks` with at most `jobs` threads; results in the order of the tasks, so that
/// they do not depend on the number of threads.
pub fn in_parallel<T: Sync, R: Send>(
    tasks: &[T],
    jobs: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(tasks.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(index) else {
                        return;
                    };
                    let result = work(task);
                    results
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((index, result));
                }
            });
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_excludes_its_end_and_nonsense_is_refused() {
        let seeds: Seeds = "100..103".parse().unwrap();

        assert_eq!(seeds.iter().collect::<Vec<_>>(), [100, 101, 102]);
        assert_eq!("7".parse::<Seeds>().unwrap().to_string(), "7..8");
        for nonsense in ["", "a..b", "3..3", "4..2", "1..", "-1..2", "0..99999999999"] {
            assert_eq!(nonsense.parse::<Seeds>(), Err(NotSeeds), "{nonsense}");
        }
    }

    #[test]
    fn dev_and_test_seeds_that_share_one_overlap() {
        let dev: Seeds = "0..10".parse().unwrap();

        assert!(dev.overlaps("9..12".parse().unwrap()));
        assert!(!dev.overlaps("10..30".parse().unwrap()));
    }

    #[test]
    fn results_come_in_the_order_of_the_tasks_whatever_the_number_of_threads() {
        let tasks: Vec<u64> = (0..40).collect();

        for jobs in [1, 3, 100] {
            let squares = in_parallel(&tasks, jobs, |task| task * task);

            assert_eq!(squares[39], 39 * 39);
            assert!(squares.is_sorted());
        }
    }
}

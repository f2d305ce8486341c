//! Who moves at each step: depth first over all choices, at random, or as an order says.
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::Search;

/// Chooses in one run after the other.
pub(super) enum Walk {
    DepthFirst(DepthFirst),
    Random(Box<Pcg64>),
    Replay(Vec<usize>),
}

/// The path of choices of the latest run; the next one differs in the last choice that has more options.
#[derive(Default)]
pub(super) struct DepthFirst {
    preemptions: Option<u32>,
    path: Vec<Choice>,
    /// Choices of the running run so far.
    at: usize,
    preempted: u32,
    /// A run had other options than the one before at the same place.
    diverged: bool,
}

struct Choice {
    options: Vec<usize>,
    taken: usize,
}

impl Walk {
    pub(super) fn new(search: &Search) -> Self {
        match search {
            Search::Exhaustive { preemptions } => Self::DepthFirst(DepthFirst {
                preemptions: *preemptions,
                ..DepthFirst::default()
            }),
            Search::Random { seed } => Self::Random(Box::new(Pcg64::new((*seed).into(), 0))),
            Search::Replay(order) => Self::Replay(order.0.clone()),
        }
    }
    /// One of `able`, which is ascending and not empty, for the step with this index. `moved` is the worker
    /// that moved last, if it can go on.
    pub(super) fn choose(&mut self, step: usize, able: &[usize], moved: Option<usize>) -> usize {
        let first = able.first().copied().unwrap_or_default();
        let chosen = match self {
            Self::DepthFirst(search) => search.choose(able, moved),
            Self::Random(random) => {
                let scaled = u64::from(random.next_u32()).wrapping_mul(able.len() as u64) >> 32;
                able.get(scaled as usize).copied()
            }
            Self::Replay(order) => order.get(step).copied(),
        };
        chosen
            .filter(|chosen| able.contains(chosen))
            .unwrap_or(first)
    }
    /// Prepares the next run; whether there is one.
    pub(super) fn advance(&mut self) -> bool {
        match self {
            Self::DepthFirst(search) => search.advance(),
            Self::Random(_) => true,
            Self::Replay(_) => false,
        }
    }
    /// Whether the latest run could not follow the path that the runs before had laid.
    pub(super) fn diverged(&self) -> bool {
        matches!(self, Self::DepthFirst(search) if search.diverged)
    }
    pub(super) const fn is_exhaustive(&self) -> bool {
        matches!(self, Self::DepthFirst(_))
    }
}

impl DepthFirst {
    fn choose(&mut self, able: &[usize], moved: Option<usize>) -> Option<usize> {
        let options = self.options(able, moved);
        match self.path.get(self.at) {
            Some(known) => self.diverged |= known.options != options,
            None => self.path.push(Choice { options, taken: 0 }),
        }
        let choice = self.path.get(self.at)?;
        self.at += 1;
        let chosen = choice.options.get(choice.taken).copied()?;
        self.preempted += u32::from(moved.is_some_and(|moved| moved != chosen));
        Some(chosen)
    }
    /// Going on comes first: the shallow failures are found with the fewest interruptions.
    fn options(&self, able: &[usize], moved: Option<usize>) -> Vec<usize> {
        let Some(moved) = moved else {
            return able.to_vec();
        };
        let may_interrupt = self.preemptions.is_none_or(|bound| self.preempted < bound);
        let others = able
            .iter()
            .copied()
            .filter(|able| *able != moved && may_interrupt);
        std::iter::once(moved).chain(others).collect()
    }
    fn advance(&mut self) -> bool {
        self.at = 0;
        self.preempted = 0;
        while let Some(last) = self.path.last_mut() {
            last.taken += 1;
            if last.taken < last.options.len() {
                return true;
            }
            self.path.pop();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders of two workers with `steps` steps each.
    fn orders(preemptions: Option<u32>, steps: usize) -> usize {
        let mut walk = Walk::new(&Search::Exhaustive { preemptions });
        let mut count = 0;
        loop {
            let (mut left, mut moved) = ([steps; 2], None);
            for step in 0..2 * steps {
                let able: Vec<usize> = (0..2).filter(|worker| left[*worker] > 0).collect();
                let last = moved.filter(|worker| able.contains(worker));
                let chosen = match able.as_slice() {
                    [only] => *only,
                    _ => walk.choose(step, &able, last),
                };
                left[chosen] -= 1;
                moved = Some(chosen);
            }
            count += 1;
            if !walk.advance() {
                return count;
            }
        }
    }

    #[test]
    fn depth_first_meets_every_order_once() {
        assert_eq!(orders(None, 2), 6);
        assert_eq!(orders(None, 4), 70);
    }

    #[test]
    fn a_bound_on_preemptions_leaves_the_orders_with_fewer() {
        assert_eq!(orders(Some(0), 4), 2);
        assert_eq!(orders(Some(1), 2), 4);
    }
}

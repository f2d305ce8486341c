//! B0: requests of one account in a day, what a rate limit sees.
use super::{Baseline, Scores};
use weir_engine::detect::Observation;

/// Scores an account by the most requests that it sent in any day.
#[derive(Default)]
pub struct Rate {
    today: Vec<u32>,
}

impl Baseline for Rate {
    fn name(&self) -> &'static str {
        "B0 rate"
    }
    fn observe(&mut self, account: u32, _: &Observation) {
        let account = account as usize;
        if self.today.len() <= account {
            self.today.resize(account + 1, 0);
        }
        if let Some(count) = self.today.get_mut(account) {
            *count += 1;
        }
    }
    fn end_day(&mut self, scores: &mut Scores) {
        for (account, count) in self.today.iter_mut().enumerate() {
            scores.raise(account, std::mem::take(count) as f32);
        }
    }
    fn finish(&mut self, _: &mut Scores) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_day_counts() {
        let (mut rate, mut scores) = (Rate::default(), Scores::default());
        for day in [3, 7, 2] {
            for _ in 0..day {
                rate.observe(4, &Observation::default());
            }
            rate.end_day(&mut scores);
        }

        assert_eq!((scores.get(4), scores.get(0)), (7.0, 0.0));
    }
}

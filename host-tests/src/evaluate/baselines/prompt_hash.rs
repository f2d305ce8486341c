//! B1: how many accounts send the very same system prompt, or first turn where there is none.
use super::{Baseline, Scores};
use weir_engine::detect::Observation;

/// Scores an account by the most distinct accounts that used one of its prompts on one day.
///
/// Memory is one entry an exchange of the day; keys are the hashes of whole normalised texts.
#[derive(Default)]
pub struct PromptHash {
    today: Vec<(u64, u32)>,
}

impl Baseline for PromptHash {
    fn name(&self) -> &'static str {
        "B1 prompt hash"
    }
    fn observe(&mut self, account: u32, observation: &Observation) {
        let prompt = &observation.prompt;
        let key = if prompt.system.exact == 0 {
            prompt.user.exact
        } else {
            prompt.system.exact
        };
        if key != 0 {
            self.today.push((key, account));
        }
    }
    fn end_day(&mut self, scores: &mut Scores) {
        self.today.sort_unstable();
        self.today.dedup();
        for users in self.today.chunk_by(|left, right| left.0 == right.0) {
            for (_, account) in users {
                scores.raise(*account as usize, users.len() as f32);
            }
        }
        self.today.clear();
    }
    fn finish(&mut self, _: &mut Scores) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(system: u64, user: u64) -> Observation {
        let mut observation = Observation::default();
        observation.prompt.system.exact = system;
        observation.prompt.user.exact = user;
        observation
    }

    #[test]
    fn accounts_are_counted_once_and_the_system_prompt_goes_first() {
        let (mut hash, mut scores) = (PromptHash::default(), Scores::default());
        for account in 0..3 {
            hash.observe(account, &with(9, u64::from(account) + 100));
            hash.observe(account, &with(9, 200));
        }
        hash.observe(3, &with(0, 200));
        hash.observe(4, &with(0, 0));
        hash.end_day(&mut scores);

        let all: Vec<f32> = (0..5).map(|account| scores.get(account)).collect();
        assert_eq!(all, [3.0, 3.0, 3.0, 1.0, 0.0]);
    }

    #[test]
    fn the_same_prompt_on_different_days_is_not_shared() {
        let (mut hash, mut scores) = (PromptHash::default(), Scores::default());
        for account in 0..3 {
            hash.observe(account, &with(9, 0));
            hash.end_day(&mut scores);
        }

        assert_eq!(scores.get(2), 1.0);
    }
}

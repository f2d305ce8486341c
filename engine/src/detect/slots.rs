//! The few most frequent of many keys, with counts that fade: Space-Saving (Metwally et al., ICDT 2005).
//!
//! A count is never below the true (faded) count of a key that is kept, and exceeds it by at most the
//! count of what was replaced, so at most `total / N`.

/// Up to `N` keys with counts; key 0 is an empty slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slots<const N: usize> {
    keys: [u32; N],
    counts: [f32; N],
}

impl<const N: usize> Default for Slots<N> {
    fn default() -> Self {
        Self {
            keys: [0; N],
            counts: [0.0; N],
        }
    }
}

impl<const N: usize> Slots<N> {
    /// Counts `key` once; key 0 is no key. O(N).
    pub(super) fn add(&mut self, key: u32) {
        if key == 0 {
            return;
        }
        let mut least: Option<(&mut u32, &mut f32)> = None;
        for (kept, count) in self.keys.iter_mut().zip(&mut self.counts) {
            if *kept == key {
                *count += 1.0;
                return;
            }
            if least
                .as_ref()
                .is_none_or(|(_, smallest)| *count < **smallest)
            {
                least = Some((kept, count));
            }
        }
        if let Some((kept, count)) = least {
            *kept = key;
            *count += 1.0;
        }
    }

    /// Multiplies every count by `factor`, 0 to 1; what fades below a twentieth is forgotten.
    pub(super) fn fade(&mut self, factor: f32) {
        for (kept, count) in self.keys.iter_mut().zip(&mut self.counts) {
            *count *= factor;
            if *count < 0.05 {
                (*kept, *count) = (0, 0.0);
            }
        }
    }

    /// Keys and counts, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        let pairs = self.keys.iter().zip(&self.counts);
        pairs
            .filter(|(key, _)| **key != 0)
            .map(|(key, count)| (*key, *count))
    }

    /// The largest count; 0 where nothing is kept.
    pub(super) fn largest(&self) -> f32 {
        self.counts.iter().fold(0.0, |most, count| most.max(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;
    use alloc::{collections::BTreeMap, vec::Vec};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_kept_count_is_never_too_low_and_too_high_by_a_share_of_the_total_at_most(
            keys in proptest::collection::vec(1_u32..12, 0..300),
        ) {
            let mut slots = Slots::<4>::default();
            let mut exact = BTreeMap::<u32, f32>::new();
            for key in &keys {
                slots.add(*key);
                *exact.entry(*key).or_default() += 1.0;
            }

            let bound = keys.len() as f32 / 4.0;
            for (key, count) in slots.iter() {
                let truth = exact.get(&key).copied().unwrap_or_default();
                prop_assert!(count >= truth && count <= truth + bound, "{key}: {count} for {truth}");
            }
            for (key, truth) in &exact {
                let kept = slots.iter().any(|(kept, _)| kept == *key);
                prop_assert!(kept || *truth <= bound, "{key} with {truth} was lost");
            }
        }
    }

    #[test]
    fn what_fades_away_makes_room() {
        let mut slots = Slots::<2>::default();
        slots.add(7);
        slots.fade(0.04);

        assert_eq!(slots.iter().collect::<Vec<_>>(), []);
        assert!(slots.largest() < f32::EPSILON);
    }
}

//! Gradient-boosted trees for yes-or-no, small enough to read: the offline ceiling's learner.
//!
//! Depth-limited regression trees on the gradient of the logistic loss, with Newton leaves
//! (Friedman 2001; Chen and Guestrin 2016) and splits between 64 quantile bins of each feature.
//! Deterministic. O(rows x features x depth) a tree.

const BINS: usize = 64;

/// How trees are grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Trees.
    pub trees: usize,
    /// Splits above any leaf.
    pub depth: u32,
    /// Share of each tree's answer that is taken, 0 to 1.
    pub rate: f32,
    /// Least sum of second derivatives in a leaf; also the ridge on leaf values.
    pub least_weight: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trees: 80,
            depth: 3,
            rate: 0.15,
            least_weight: 1.0,
        }
    }
}

/// A trained model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Boosted {
    base: f32,
    trees: Vec<Vec<Node>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Leaf(f32),
    /// Feature, greatest value that goes left, index of the left child; the right one follows it.
    Split(usize, f32, usize),
}

impl Boosted {
    /// Trains on `rows` of equal length; `labels` are true for what is to be found.
    pub fn train(rows: &[&[f32]], labels: &[bool], settings: Settings) -> Self {
        let features = rows.first().map_or(0, |row| row.len());
        let positives = labels.iter().filter(|label| **label).count() as f32;
        let negatives = labels.len() as f32 - positives;
        let base = ((positives + 0.5) / (negatives + 0.5)).ln();
        let cuts: Vec<Vec<f32>> = (0..features).map(|feature| cuts(rows, feature)).collect();
        let binned: Vec<Vec<u8>> = cuts
            .iter()
            .enumerate()
            .map(|(feature, cuts)| {
                rows.iter()
                    .map(|row| {
                        let value = row.get(feature).copied().unwrap_or(0.0);
                        cuts.partition_point(|cut| *cut < value) as u8
                    })
                    .collect()
            })
            .collect();
        let mut scores = vec![base; rows.len()];
        let mut model = Self {
            base,
            trees: Vec::with_capacity(settings.trees),
        };
        for _ in 0..settings.trees {
            let gradients: Vec<[f32; 2]> = scores
                .iter()
                .zip(labels)
                .map(|(score, label)| {
                    let p = 1.0 / (1.0 + (-score).exp());
                    [f32::from(u8::from(*label)) - p, (p * (1.0 - p)).max(1e-6)]
                })
                .collect();
            let mut grower = Grower {
                cuts: &cuts,
                binned: &binned,
                gradients: &gradients,
                settings,
                nodes: vec![Node::Leaf(0.0)],
            };
            grower.grow(0, (0..rows.len() as u32).collect(), settings.depth);
            let tree = grower.nodes;
            for (score, row) in scores.iter_mut().zip(rows) {
                *score += value(&tree, row);
            }
            model.trees.push(tree);
        }
        model
    }

    /// Log odds that `row` is what was to be found.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.base + self.trees.iter().map(|tree| value(tree, row)).sum::<f32>()
    }
}

fn value(tree: &[Node], row: &[f32]) -> f32 {
    let mut at = 0;
    // A child always stands behind its parent, so this ends.
    loop {
        match tree.get(at) {
            Some(Node::Split(feature, cut, left)) => {
                let goes_right = row.get(*feature).copied().unwrap_or(0.0) > *cut;
                at = left + usize::from(goes_right);
            }
            Some(Node::Leaf(value)) => return *value,
            None => return 0.0,
        }
    }
}

/// Up to 63 values between which rows are about equally many.
fn cuts(rows: &[&[f32]], feature: usize) -> Vec<f32> {
    let mut values: Vec<f32> = rows
        .iter()
        .filter_map(|row| row.get(feature).copied())
        .collect();
    values.sort_by(f32::total_cmp);
    let mut cuts: Vec<f32> = (1..BINS)
        .filter_map(|bin| values.get(bin * values.len() / BINS).copied())
        .collect();
    // The greatest value must never be a cut: nothing lies to its right.
    cuts.retain(|cut| values.last().is_some_and(|last| cut < last));
    cuts.dedup();
    // Rare positives may all lie above the last quantile; give the tail cuts of its own.
    for tail in [0.995, 0.999] {
        let at = (values.len() as f64 * tail) as usize;
        if let Some(cut) = values.get(at).copied() {
            let above = cuts.last().is_none_or(|last| *last < cut);
            if above && cuts.len() < BINS * 2 && values.last().is_some_and(|last| cut < *last) {
                cuts.push(cut);
            }
        }
    }
    cuts
}

struct Grower<'a> {
    cuts: &'a [Vec<f32>],
    binned: &'a [Vec<u8>],
    gradients: &'a [[f32; 2]],
    settings: Settings,
    nodes: Vec<Node>,
}

impl Grower<'_> {
    fn grow(&mut self, at: usize, rows: Vec<u32>, depth: u32) {
        let total = self.sum(&rows);
        let split = if depth > 0 {
            self.split(&rows, total)
        } else {
            None
        };
        let (Some((feature, bin)), true) = (split, at < self.nodes.len()) else {
            self.put(at, Node::Leaf(self.settings.rate * self.leaf(total)));
            return;
        };
        let bins = self.binned.get(feature).map_or(&[][..], Vec::as_slice);
        let (left, right): (Vec<u32>, Vec<u32>) = rows.into_iter().partition(|row| {
            bins.get(*row as usize)
                .is_some_and(|value| usize::from(*value) <= bin)
        });
        let child = self.nodes.len();
        self.nodes.extend([Node::Leaf(0.0); 2]);
        let cut = self
            .cuts
            .get(feature)
            .and_then(|cuts| cuts.get(bin))
            .copied();
        self.put(
            at,
            Node::Split(feature, cut.unwrap_or(f32::INFINITY), child),
        );
        self.grow(child, left, depth - 1);
        self.grow(child + 1, right, depth - 1);
    }
    fn put(&mut self, at: usize, node: Node) {
        if let Some(slot) = self.nodes.get_mut(at) {
            *slot = node;
        }
    }
    fn sum(&self, rows: &[u32]) -> [f64; 2] {
        rows.iter()
            .filter_map(|row| self.gradients.get(*row as usize))
            .fold([0.0; 2], |[g, h], [dg, dh]| {
                [g + f64::from(*dg), h + f64::from(*dh)]
            })
    }
    fn leaf(&self, [g, h]: [f64; 2]) -> f32 {
        (g / (h + f64::from(self.settings.least_weight))) as f32
    }
    /// Feature and bin of the split that gains most; `None` where none gains.
    fn split(&self, rows: &[u32], total: [f64; 2]) -> Option<(usize, usize)> {
        let ridge = f64::from(self.settings.least_weight);
        let gain = |[g, h]: [f64; 2]| g * g / (h + ridge);
        let mut best = (1e-6, None);
        for (feature, bins) in self.binned.iter().enumerate() {
            let mut histogram = [[0.0_f64; 2]; BINS * 2];
            for row in rows {
                let row = *row as usize;
                if let (Some(bin), Some([g, h])) = (bins.get(row), self.gradients.get(row))
                    && let Some([sum_g, sum_h]) = histogram.get_mut(usize::from(*bin))
                {
                    *sum_g += f64::from(*g);
                    *sum_h += f64::from(*h);
                }
            }
            let cuts = self.cuts.get(feature).map_or(0, Vec::len);
            let mut left = [0.0; 2];
            for (bin, [g, h]) in histogram.iter().take(cuts).enumerate() {
                left = [left[0] + g, left[1] + h];
                let right = [total[0] - left[0], total[1] - left[1]];
                if left[1] < ridge || right[1] < ridge {
                    continue;
                }
                let gained = gain(left) + gain(right) - gain(total);
                if gained > best.0 {
                    best = (gained, Some((feature, bin)));
                }
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(at: u32) -> f32 {
        let mixed = (at ^ (at >> 7)).wrapping_mul(0x9e37_79b9);
        ((mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) >> 8) as f32 / (1 << 24) as f32
    }

    #[test]
    fn an_interaction_is_learned_that_no_single_feature_shows() {
        let rows: Vec<[f32; 3]> = (0..4000)
            .map(|i| [noise(3 * i), noise(3 * i + 1), noise(3 * i + 2)])
            .collect();
        let labels: Vec<bool> = rows
            .iter()
            .map(|row| (row[0] > 0.6) && (row[1] < 0.3))
            .collect();
        let views: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();

        let model = Boosted::train(&views, &labels, Settings::default());

        assert!(model.score(&[0.9, 0.1, 0.5]) > 2.0);
        assert!(model.score(&[0.9, 0.9, 0.5]) < -2.0);
        assert!(model.score(&[0.1, 0.1, 0.5]) < -2.0);
        assert_eq!(model, Boosted::train(&views, &labels, Settings::default()));
    }

    #[test]
    fn a_constant_feature_and_one_class_only_teach_nothing_and_break_nothing() {
        let rows = [[1.0_f32]; 50];
        let views: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();

        let model = Boosted::train(&views, &[false; 50], Settings::default());

        assert!(model.score(&[1.0]) < -2.0);
        assert_eq!(
            Boosted::train(&[], &[], Settings::default()).score(&[]),
            0.0
        );
    }

    #[test]
    fn a_rare_class_in_the_tail_is_found() {
        let rows: Vec<[f32; 1]> = (0..10_000)
            .map(|i| [if i < 30 { 100.0 + i as f32 } else { noise(i) }])
            .collect();
        let labels: Vec<bool> = (0..10_000).map(|i| i < 30).collect();
        let views: Vec<&[f32]> = rows.iter().map(|row| row.as_slice()).collect();

        let model = Boosted::train(&views, &labels, Settings::default());

        assert!(model.score(&[120.0]) > model.score(&[0.5]) + 3.0);
    }
}

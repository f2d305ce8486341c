//! Who sends the next exchange: a kind by its share of the traffic, an account by Zipf's law.
//!
//! No table per account, so that ten million accounts cost as much as ten.
use super::random::Random;
use super::scenario::Scenario;

/// An account and its kind, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) kind: usize,
    pub(super) account: u64,
}

/// All accounts.
pub(super) struct Population {
    kinds: Vec<Range>,
}

/// Accounts of one kind: consecutive numbers, the busiest first.
struct Range {
    /// Share of the traffic of this kind and those before it.
    up_to: f64,
    first: u64,
    zipf: Zipf,
}

impl Population {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let count = |share: f64| {
            ((share * scenario.accounts as f64).round() as u64).max(u64::from(share > 0.0))
        };
        let total: f64 = scenario
            .kinds
            .iter()
            .map(|kind| count(kind.accounts) as f64 * kind.activity)
            .sum();
        let (mut up_to, mut first) = (0.0, 0);
        let kinds = scenario.kinds.iter().map(|kind| {
            let accounts = count(kind.accounts);
            up_to += accounts as f64 * kind.activity / total;
            let range = Range {
                up_to,
                first,
                zipf: Zipf::new(accounts, kind.zipf),
            };
            first += accounts;
            range
        });
        Self {
            kinds: kinds.collect(),
        }
    }
    pub(super) fn draw(&self, random: &mut Random) -> Member {
        let point = random.unit();
        let kind = self
            .kinds
            .iter()
            .position(|range| point < range.up_to)
            .unwrap_or_else(|| self.kinds.len().saturating_sub(1));
        let account = self
            .kinds
            .get(kind)
            .map_or(0, |range| range.first + range.zipf.draw(random));
        Member { kind, account }
    }
}

/// Ranks 0 to n-1 with probability proportional to (rank+1)^-s, by rejection-inversion
/// (W. Hörmann, G. Derflinger, 1996): constant memory, about one trial per draw.
///
/// | paper | here |
/// |---|---|
/// | H, H⁻¹ | `integral`, `inverse` |
/// | H(x₁), H(n+½) | `low`, `high` |
struct Zipf {
    n: f64,
    s: f64,
    low: f64,
    high: f64,
    squeeze: f64,
}

impl Zipf {
    fn new(n: u64, s: f64) -> Self {
        let mut zipf = Self {
            n: n.max(1) as f64,
            s,
            low: 0.0,
            high: 0.0,
            squeeze: 0.0,
        };
        zipf.low = zipf.integral(1.5) - 1.0;
        zipf.high = zipf.integral(zipf.n + 0.5);
        zipf.squeeze = 2.0 - zipf.inverse(zipf.integral(2.5) - 2.0_f64.powf(-s));
        zipf
    }
    fn draw(&self, random: &mut Random) -> u64 {
        if self.s == 0.0 {
            return random.below(self.n as usize) as u64;
        }
        loop {
            let u = self.high + random.unit() * (self.low - self.high);
            let x = self.inverse(u);
            let rank = x.round().clamp(1.0, self.n);
            if rank - x <= self.squeeze || u >= self.integral(rank + 0.5) - rank.powf(-self.s) {
                return rank as u64 - 1;
            }
        }
    }
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        if (self.s - 1.0).abs() < 1e-9 {
            log
        } else {
            ((1.0 - self.s) * log).exp_m1() / (1.0 - self.s)
        }
    }
    fn inverse(&self, y: f64) -> f64 {
        if (self.s - 1.0).abs() < 1e-9 {
            y.exp()
        } else {
            (((1.0 - self.s) * y).max(-1.0).ln_1p() / (1.0 - self.s)).exp()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_as_often_as_zipf_says() {
        for s in [0.0, 0.5, 1.0, 1.2, 3.0] {
            let (zipf, mut random) = (Zipf::new(50, s), Random::new(1, 1));
            let mut counts = [0.0; 50];
            for _ in 0..200_000 {
                counts[zipf.draw(&mut random) as usize] += 1.0;
            }

            let total: f64 = (1..=50).map(|rank| f64::from(rank).powf(-s)).sum();
            for (rank, count) in counts.iter().enumerate() {
                let expected = 200_000.0 * (rank as f64 + 1.0).powf(-s) / total;
                assert!(
                    (count - expected).abs() < 6.0 * expected.sqrt() + 1.0,
                    "s {s} rank {rank}: {count}, expected {expected}"
                );
            }
        }
    }

    #[test]
    fn kinds_share_the_traffic_by_accounts_times_activity() {
        let mut scenario = Scenario::shipped("mixed").unwrap();
        scenario.kinds.truncate(2);
        (scenario.kinds[0].accounts, scenario.kinds[0].activity) = (0.75, 1.0);
        (scenario.kinds[1].accounts, scenario.kinds[1].activity) = (0.25, 9.0);
        let (population, mut random) = (Population::new(&scenario), Random::new(1, 1));

        let second = (0..40_000)
            .filter(|_| population.draw(&mut random).kind == 1)
            .count();

        assert!((29_400..30_600).contains(&second), "{second}"); // 2.25 / 3
    }
}

//! Everything that one could know of an account offline, with unlimited memory: the oracle's features.
//!
//! An account's own habits, and for each kind of key (payment, network, template, ...) the group of
//! accounts whose most frequent key it is: its size, how many are young, how even and how alike they are.
use std::collections::HashMap;
use weir_engine::detect::{Observation, Topics, Verification};

const DAY_S: u64 = 86_400;
const YOUNG_S: u64 = 30 * DAY_S;
/// Kinds of keys.
const KINDS: usize = 9;
const GROUP_FEATURES: usize = 5;
const OWN: usize = 40;
/// Features of a row.
pub const FEATURES: usize = OWN + KINDS * GROUP_FEATURES;

/// The most frequent of a stream of keys (Boyer and Moore 1981).
#[derive(Clone, Copy, Default)]
struct Majority {
    key: u64,
    lead: u32,
}

impl Majority {
    fn add(&mut self, key: u64) {
        if key == 0 {
            return;
        }
        if self.lead == 0 {
            self.key = key;
        }
        if self.key == key {
            self.lead = self.lead.saturating_add(1);
        } else {
            self.lead -= 1;
        }
    }
}

/// Counts distinct keys by linear counting in 64 bits; saturates near 250.
#[derive(Clone, Copy, Default)]
struct Distinct(u64);

impl Distinct {
    fn add(&mut self, key: u64) {
        self.0 |= 1 << (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58);
    }
    fn estimate(self) -> f32 {
        let zeros = self.0.count_zeros().max(1) as f32;
        -64.0 * (zeros / 64.0).ln()
    }
}

#[derive(Clone, Copy, Default)]
struct Moments {
    count: f32,
    sum: f32,
    squares: f32,
}

impl Moments {
    fn add(&mut self, value: f32) {
        self.count += 1.0;
        self.sum += value;
        self.squares += value * value;
    }
    fn mean(self) -> f32 {
        self.sum / self.count.max(1.0)
    }
    fn deviation(self) -> f32 {
        let mean = self.mean();
        (self.squares / self.count.max(1.0) - mean * mean)
            .max(0.0)
            .sqrt()
    }
}

#[derive(Clone, Default)]
struct Record {
    requests: u32,
    today: u32,
    first_s: u64,
    last_s: u64,
    created_s: u64,
    verification: f32,
    plan: f32,
    days: Moments,
    busiest: u32,
    hours: [u32; 24],
    gaps: Moments,
    even_gaps: u32,
    input: Moments,
    output: Moments,
    turns: Moments,
    words: Moments,
    single: u32,
    with_tools: u32,
    tool_results: u32,
    reasoning: u32,
    samples: u32,
    systems: u32,
    topics: [u32; 12],
    distinct: [Distinct; 5],
    keys: [Majority; KINDS],
}

/// Gathers features; memory is O(accounts), about 0.7 KiB each.
#[derive(Default)]
pub struct Features {
    records: Vec<Record>,
    first_s: Option<u64>,
}

impl Features {
    /// Takes one exchange.
    pub fn observe(&mut self, account: u32, observation: &Observation) {
        let index = account as usize;
        if self.records.len() <= index {
            self.records.resize_with(index + 1, Record::default);
        }
        let now = observation.time.as_unix_seconds();
        self.first_s.get_or_insert(now);
        let Some(record) = self.records.get_mut(index) else {
            return;
        };
        record.observe(now, observation);
    }

    /// Ends a day.
    pub fn end_day(&mut self) {
        for record in &mut self.records {
            if record.today > 0 {
                record.busiest = record.busiest.max(record.today);
                record.days.add(std::mem::take(&mut record.today) as f32);
            }
        }
    }

    /// The features of all accounts by number; zeros for accounts that never came.
    pub fn rows(&self) -> Vec<[f32; FEATURES]> {
        let groups: Vec<HashMap<u64, Group>> = (0..KINDS).map(|kind| self.groups(kind)).collect();
        self.records
            .iter()
            .map(|record| {
                let mut row = [0.0; FEATURES];
                let values = record.own(self.first_s.unwrap_or(0));
                let (own, rest) = row.split_at_mut(OWN);
                own.copy_from_slice(&values);
                for ((features, groups), key) in rest
                    .chunks_exact_mut(GROUP_FEATURES)
                    .zip(&groups)
                    .zip(&record.keys)
                {
                    if let Some(group) = groups.get(&key.key) {
                        features.copy_from_slice(&group.features());
                    }
                }
                row
            })
            .collect()
    }

    fn groups(&self, kind: usize) -> HashMap<u64, Group> {
        let mut groups: HashMap<u64, Group> = HashMap::new();
        for record in &self.records {
            let Some(key) = record.keys.get(kind).filter(|key| key.key != 0) else {
                continue;
            };
            let group = groups.entry(key.key).or_default();
            group.volume.add((record.requests as f32).ln_1p());
            group.young += f32::from(u8::from(record.is_young()));
            group.unverified += f32::from(u8::from(record.verification <= 1.0));
            group.created.add(record.created_s as f32 / DAY_S as f32);
        }
        groups
    }
}

#[derive(Clone, Copy, Default)]
struct Group {
    volume: Moments,
    young: f32,
    unverified: f32,
    created: Moments,
}

impl Group {
    fn features(&self) -> [f32; GROUP_FEATURES] {
        let size = self.volume.count.max(1.0);
        [
            self.volume.count,
            self.young / size,
            self.unverified / size,
            self.volume.deviation(),
            self.created.deviation(),
        ]
    }
}

impl Record {
    fn observe(&mut self, now: u64, observation: &Observation) {
        if self.requests == 0 {
            self.first_s = now;
            self.created_s = observation
                .created
                .map_or(now, |created| created.as_unix_seconds());
        } else {
            let gap = now.saturating_sub(self.last_s) as f32;
            let usual = self.gaps.mean();
            self.even_gaps += u32::from((gap.ln_1p() - usual).abs() < 0.1);
            self.gaps.add(gap.ln_1p());
        }
        self.last_s = now;
        self.requests += 1;
        self.today += 1;
        self.verification = match observation.verification {
            Verification::Unknown => 0.0,
            Verification::None => 1.0,
            Verification::Email => 2.0,
            Verification::Phone => 3.0,
            Verification::Document => 4.0,
            Verification::Organization => 5.0,
        };
        self.plan = observation.plan as u8 as f32;
        if let Some(hour) = self.hours.get_mut((now / 3600 % 24) as usize) {
            *hour += 1;
        }
        self.input.add((observation.input_tokens as f32).ln_1p());
        self.output.add((observation.output_tokens as f32).ln_1p());
        self.turns.add(f32::from(observation.user_turns));
        let prompt = &observation.prompt;
        self.words.add(f32::from(prompt.user.words).ln_1p());
        self.single += u32::from(observation.user_turns <= 1);
        self.with_tools += u32::from(observation.tools);
        self.tool_results += u32::from(observation.tool_results > 0);
        self.reasoning += u32::from(observation.reasoning);
        self.samples += u32::from(observation.samples);
        self.systems += u32::from(prompt.system.exact != 0);
        for (bit, count) in self.topics.iter_mut().enumerate() {
            *count += u32::from(prompt.topics.any(Topics(1 << bit)));
        }
        let seen = [
            u64::from(observation.network),
            u64::from(observation.asn),
            u64::from(observation.client),
            u64::from(observation.shape),
            prompt.user.exact,
        ];
        for (distinct, key) in self.distinct.iter_mut().zip(seen) {
            distinct.add(key);
        }
        let keys = [
            observation.organization,
            u64::from(observation.payment),
            u64::from(observation.network),
            u64::from(observation.asn),
            u64::from(observation.client),
            u64::from(observation.shape),
            prompt.system.exact,
            u64::from(prompt.skeleton),
            prompt.tools,
        ];
        for (majority, key) in self.keys.iter_mut().zip(keys) {
            majority.add(key);
        }
    }

    fn is_young(&self) -> bool {
        self.first_s.saturating_sub(self.created_s) < YOUNG_S
    }

    fn own(&self, begin_s: u64) -> [f32; OWN] {
        let requests = (self.requests as f32).max(1.0);
        let share = |count: u32| count as f32 / requests;
        let entropy: f32 = self
            .hours
            .iter()
            .map(|count| share(*count))
            .filter(|p| *p > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        let mut values = [0.0; OWN];
        let own = [
            (self.first_s.saturating_sub(self.created_s)) as f32 / DAY_S as f32,
            (self.created_s as f32 - begin_s as f32) / DAY_S as f32,
            (self.last_s.saturating_sub(self.first_s)) as f32 / DAY_S as f32,
            self.verification,
            self.plan,
            (self.requests as f32).ln_1p(),
            self.days.count,
            self.days.mean(),
            self.days.deviation() / self.days.mean().max(1.0),
            self.busiest as f32,
            entropy,
            self.gaps.mean(),
            self.gaps.deviation(),
            share(self.even_gaps),
            self.input.mean(),
            self.input.deviation(),
            self.output.mean(),
            self.output.deviation(),
            self.turns.mean(),
            self.words.mean(),
            self.words.deviation(),
            share(self.single),
            share(self.with_tools),
            share(self.tool_results),
            share(self.reasoning),
            share(self.samples),
            share(self.systems),
        ];
        let all = own
            .into_iter()
            .chain(self.topics.iter().map(|count| share(*count)).take(8))
            .chain(self.distinct.iter().map(|distinct| distinct.estimate()));
        for (slot, value) in values.iter_mut().zip(all) {
            *slot = value;
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_engine::time::Timestamp;

    #[test]
    fn a_group_knows_its_size_and_who_in_it_is_young() {
        let mut features = Features::default();
        for account in 0..6_u32 {
            let now = 400 * DAY_S;
            let age = if account < 3 { 5 } else { 300 };
            features.observe(
                account,
                &Observation {
                    time: Timestamp::from_unix_nanos(now * 1_000_000_000),
                    created: Some(Timestamp::from_unix_nanos(
                        (now - age * DAY_S) * 1_000_000_000,
                    )),
                    payment: if account < 4 { 7 } else { 0 },
                    ..Observation::default()
                },
            );
        }

        let rows = features.rows();

        let payment = OWN + GROUP_FEATURES;
        assert_eq!(rows[0][payment..payment + 2], [4.0, 0.75]);
        assert_eq!(rows[5][payment], 0.0);
        assert_eq!((rows[0][0], rows[5][0]), (5.0, 300.0));
    }

    #[test]
    fn the_most_frequent_key_wins_and_unknown_is_no_key() {
        let mut majority = Majority::default();
        for key in [3, 5, 0, 5, 0, 5, 9] {
            majority.add(key);
        }

        assert_eq!(majority.key, 5);
    }
}

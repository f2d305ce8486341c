//! The detector: takes observations in, and every two hours looks at everybody together.
//!
//! A pass reads all records twice: first it measures accounts and sums up groups, then, when groups are
//! judged, it judges accounts. Both are cut into slices, so that the thread that does it is never held
//! for long. What a pass finds depends on the observations before it and on nothing else: not on how
//! they were split among workers, not on slices, not on the machine.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "finite floats, hours since 1970 and indices of tables"
)]
use super::{
    account::{Account, seconds},
    accounts::Accounts,
    emergence::Emergence,
    groups::{self, Family, Features, Group, Kind, Member, Membership, Slice, Usual},
    judgement::{Judgement, KEPT_BELOW_WATCH, Thresholds},
    measures::{self, Census, Company, Population},
    observation::{Observation, Plan, Verification},
    profile::Profile,
    standing::{Standing, State},
    suspect::{Suspect, evidence},
    tally::Tally,
};
use crate::time::Timestamp;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::time::Duration;
use hashbrown::HashMap;

/// Hours between two passes.
const PASS_HOURS: u32 = 2;
/// Hours of one generation of emerging texts.
const GENERATION_HOURS: u32 = 12;
/// Hours for which trusted accounts' texts are collected before they count as known.
const KNOWN_HOURS: u32 = 7 * 24;
/// Accounts not seen for so long take no part in a pass, hours.
const IDLE_HOURS: u32 = 4 * 24;
/// Members, organizations counted once, from which a group can be judged.
const MEMBERS: f64 = 8.0;
/// The same for a payment instrument: half a dozen accounts on one card are rare.
const PAYERS: f64 = 6.0;
/// Trusted share from which only slices of a group can be convicted.
const VOUCHED_SHARE: f64 = 0.05;
/// Accounts that have to be measurable before anybody is judged.
const POPULATION: u32 = 100;
/// Log odds of own evidence from which an account is flagged.
const FLAG: f32 = 1.0;

/// What an operator decides about detection.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Accounts that are remembered; about 0.7 KB each, all tables together.
    pub max_accounts: usize,
    /// How long to watch before anybody is judged.
    pub learn: Duration,
    /// Score from which an account is watched.
    pub watch: f32,
    /// Score from which verification is asked for.
    pub step_up: f32,
    /// Score from which an account is restricted, given two independent keys.
    pub restrict: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_accounts: 1 << 16,
            learn: Duration::from_secs(3 * 86_400),
            watch: 2.0,
            step_up: 5.0,
            restrict: 8.0,
        }
    }
}

/// Where a pass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Idle,
    Measure(usize),
    Weigh(usize),
    Judge(usize),
}

/// Finds campaigns among the accounts that it observes.
pub struct Detector {
    profile: Profile,
    settings: Settings,
    accounts: Accounts,
    emergence: Emergence,
    population: Population,
    /// Accounts by key, as of the last pass and in this one.
    sizes: Tally,
    /// Share of accounts with evidence against them, and of trusted ones.
    flagged: f64,
    trusted: f64,
    suspects: BTreeMap<u64, Suspect>,
    /// The convicted ones among them, as of the last weighing.
    convicted: HashMap<u64, Suspect>,
    judgements: BTreeMap<u64, Judgement>,
    changed: BTreeSet<u64>,
    marks: BTreeSet<u64>,
    began: u32,
    clock: u32,
    /// Hours over which there was a population to learn from; silent days teach nothing, and nothing is unlearned.
    learned_hours: u32,
    step: Step,
    pass: Pass,
    surveyed: Vec<Surveyed>,
    surveying: bool,
}

/// What one pass sums up.
#[derive(Default)]
struct Pass {
    hour: u32,
    /// Hours since the pass before.
    elapsed: u32,
    census: Census,
    groups: Vec<Group>,
    index: HashMap<u64, u32>,
    counted: f64,
    flagged: f64,
    trusted: f64,
    measured: u32,
}

/// A group as a pass saw it, for refitting the profile.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Name of the group.
    pub key: u64,
    /// What its members share.
    pub kind: &'static str,
    /// Members, organizations counted once.
    pub members: f64,
    /// Share of marked members.
    pub marked: f64,
    /// Features, in the order of the profile's weights.
    pub features: Features,
    /// Evidence a day under the profile in use.
    pub evidence: f32,
    /// Sum of evidence before this pass.
    pub sum: f32,
}

impl Detector {
    /// A detector that has seen nothing. All of its memory is allocated here, except for what grows
    /// with the number of groups found.
    pub fn new(profile: Profile, settings: Settings) -> Self {
        let accounts = settings.max_accounts;
        Self {
            profile,
            accounts: Accounts::new(accounts),
            emergence: Emergence::new(accounts.saturating_mul(32).min(1 << 23)),
            population: Population::default(),
            sizes: Tally::new(accounts.saturating_mul(32).min(1 << 26)),
            settings,
            flagged: 0.1,
            trusted: 0.5,
            suspects: BTreeMap::new(),
            convicted: HashMap::new(),
            judgements: BTreeMap::new(),
            changed: BTreeSet::new(),
            marks: BTreeSet::new(),
            began: 0,
            clock: 0,
            learned_hours: 0,
            step: Step::Idle,
            pass: Pass::default(),
            surveyed: Vec::new(),
            surveying: false,
        }
    }

    /// Takes one exchange in; call in time order. O(1): at most 32 shingles and 16 ways.
    pub fn observe(&mut self, observation: &Observation) {
        let now = seconds(observation);
        if self.began == 0 {
            self.began = now;
            self.clock = now / 3600;
        }
        let tenure = self.tenure();
        let new = || Account::new(observation);
        if let Some(account) = self.accounts.entry(observation.account.max(1), now, new) {
            account.observe(observation, &mut self.emergence);
            // Old accounts may vouch from their first request on; waiting for a pass would lose their texts.
            if account.requests < 1.5 {
                account.trusted = account.risk == 0 && account.vouches(now, tenure);
            }
        }
    }

    fn tenure(&self) -> u32 {
        u32::try_from(self.settings.learn.as_secs() / 3600)
            .unwrap_or(u32::MAX)
            .max(24)
    }

    /// How much of the learning is done, 0 to 1; below 1 nobody is judged.
    pub fn learned(&self) -> f32 {
        let learn = (self.settings.learn.as_secs() as f32 / 3600.0).max(PASS_HOURS as f32);
        (self.learned_hours as f32 / learn).clamp(0.0, 1.0)
    }

    /// Does at most about `work` units (an account or a group each) of a pass that is due at `now`.
    /// True when nothing is left to do until then.
    pub fn advance(&mut self, now: Timestamp, work: usize) -> bool {
        let hour = u32::try_from(now.as_unix_seconds() / 3600).unwrap_or(u32::MAX);
        let mut left = work.max(1);
        loop {
            if self.step == Step::Idle {
                if self.began == 0 || hour < self.clock + PASS_HOURS {
                    return true;
                }
                // Hours in which nothing could be done are not made up for one by one.
                self.begin(hour);
            }
            if left == 0 {
                return false;
            }
            left = self.work(left);
        }
    }

    fn begin(&mut self, hour: u32) {
        let turned = |period: u32| hour / period != self.clock / period;
        if turned(GENERATION_HOURS) {
            self.emergence.turn();
        }
        if turned(KNOWN_HOURS) || (self.learned() < 1.0 && turned(24)) {
            self.emergence.turn_trusted();
        }
        // A gap in the traffic is no time of learning.
        let elapsed = hour.saturating_sub(self.clock).min(2 * PASS_HOURS);
        self.clock = hour;
        self.pass = Pass {
            hour,
            elapsed,
            ..Pass::default()
        };
        self.surveyed.clear();
        self.step = Step::Measure(0);
    }

    /// Goes on with the pass, and gives what is left of `work`.
    fn work(&mut self, work: usize) -> usize {
        match self.step {
            Step::Idle => work,
            Step::Measure(from) => {
                let to = (from + work).min(self.accounts.places());
                for place in from..to {
                    self.measure(place);
                }
                self.step = if to == self.accounts.places() {
                    self.end_census();
                    Step::Weigh(0)
                } else {
                    Step::Measure(to)
                };
                work - (to - from)
            }
            Step::Weigh(from) => {
                let to = (from + work).min(self.pass.groups.len());
                for index in from..to {
                    self.weigh(index);
                }
                self.step = if to == self.pass.groups.len() {
                    self.end_weighing();
                    Step::Judge(0)
                } else {
                    Step::Weigh(to)
                };
                work - (to - from)
            }
            Step::Judge(from) => {
                let to = (from + work).min(self.accounts.places());
                if self.learned() >= 1.0 {
                    for place in from..to {
                        self.judge(place);
                    }
                }
                self.step = if to == self.accounts.places() {
                    self.forget_evicted();
                    self.pass = Pass::default();
                    Step::Idle
                } else {
                    Step::Judge(to)
                };
                work - (to - from)
            }
        }
    }

    fn is_idle(&self, account: &Account) -> bool {
        self.pass.hour.saturating_sub(account.last / 3600) > IDLE_HOURS
    }

    fn measure(&mut self, place: usize) {
        let Some(account) = self
            .accounts
            .at(place)
            .filter(|account| !self.is_idle(account))
        else {
            return;
        };
        let now = self.pass.hour.saturating_mul(3600);
        let mut account = account.faded(now);
        account.trusted = account.vouches(now, self.tenure()) && account.risk == 0;
        let company = self.company(&account);
        let seats = self.sizes.count(seat_key(account.organization));
        if account.organization != 0 {
            self.sizes.add(seat_key(account.organization));
        }
        let weight = weight(&account, seats);
        let stratum = measures::stratum(&account);
        let measured = measures::measure(&account, company, now);
        let member = measured.map(|values| {
            self.pass.measured += 1;
            self.pass.census.add(stratum, &values, weight);
            let values = self.population.standardise(stratum, &values);
            let flagged = super::judgement::own(&self.profile, &values) > FLAG;
            self.pass.counted += weight;
            self.pass.flagged += if flagged { weight } else { 0.0 };
            self.pass.trusted += if account.trusted { weight } else { 0.0 };
            Member {
                account: &account,
                values,
                weight,
                flagged,
                marked: self.marks.contains(&account.id),
            }
        });
        let most = most_groups(&self.settings);
        let (sizes, pass) = (&mut self.sizes, &mut self.pass);
        groups::memberships(&account, |membership| {
            sizes.add(membership.key);
            let large = f64::from(sizes.count(membership.key)) >= least(membership.kind);
            if let Some(member) = member.as_ref().filter(|_| large) {
                if let Some(group) = pass.group(&membership, most) {
                    group.add(member, &membership);
                }
            }
        });
        let trusted = account.trusted;
        if let Some(account) = self.accounts.at_mut(place) {
            account.trusted = trusted;
        }
    }

    fn company(&self, account: &Account) -> Company {
        let count = |kind, base| self.sizes.count(groups::name(kind, Slice::All, base, 0));
        let network = account
            .networks
            .iter()
            .max_by(|one, other| one.1.total_cmp(&other.1));
        Company {
            payment: count(Kind::Payment, account.payment),
            network: network.map_or(1, |(network, _)| count(Kind::Network, network)),
        }
    }

    fn end_census(&mut self) {
        self.sizes.turn();
        self.population.take(&self.pass.census);
        if self.pass.measured >= POPULATION {
            self.learned_hours = self.learned_hours.saturating_add(self.pass.elapsed);
        }
        if self.pass.counted > 0.0 {
            self.flagged = (self.pass.flagged / self.pass.counted).clamp(0.01, 0.5);
            self.trusted = self.pass.trusted / self.pass.counted;
        }
    }

    fn weigh(&mut self, index: usize) {
        let Some(group) = self.pass.groups.get(index) else {
            return;
        };
        if group.effective() < least(group.kind) {
            return;
        }
        let usual = Usual {
            flagged: self.flagged,
            trusted: self.trusted,
            dispersion: &self.profile.dispersion,
        };
        let features = groups::features(group, usual);
        if self.surveying {
            self.surveyed.push(Surveyed {
                key: group.key,
                kind: kind_name(group.kind, group.slice),
                members: group.weight,
                marked: group.marked / group.weight.max(1e-9),
                features,
                evidence: evidence(&self.profile, &features),
                sum: self
                    .suspects
                    .get(&group.key)
                    .map_or(0.0, |suspect| suspect.sum),
            });
        }
        let vouched = group.slice == Slice::All && group.trusted > group.weight * VOUCHED_SHARE;
        if vouched || self.learned() < 1.0 {
            return;
        }
        let known = self.suspects.get_mut(&group.key);
        if let Some(suspect) = known {
            suspect.update(
                &self.profile,
                group,
                &features,
                self.flagged,
                self.pass.hour,
            );
        } else if evidence(&self.profile, &features) > self.profile.drift {
            let mut suspect = Suspect::default();
            suspect.update(
                &self.profile,
                group,
                &features,
                self.flagged,
                self.pass.hour,
            );
            self.suspects.insert(group.key, suspect);
        }
    }

    /// Lets suspicions fade of which nothing was seen, and drops those that came to nothing.
    fn end_weighing(&mut self) {
        let (profile, hour) = (&self.profile, self.pass.hour);
        self.suspects.retain(|_, suspect| {
            if suspect.seen() < hour {
                suspect.absent(profile, hour);
            }
            suspect.sum > 0.05
        });
        let convicted = self
            .suspects
            .iter()
            .filter(|(_, suspect)| suspect.convicted);
        self.convicted = convicted.map(|(key, suspect)| (*key, *suspect)).collect();
        let surplus = self
            .suspects
            .len()
            .saturating_sub(most_groups(&self.settings));
        if surplus > 0 {
            let mut sums: Vec<(f32, u64)> = self
                .suspects
                .iter()
                .map(|(key, suspect)| (suspect.sum, *key))
                .collect();
            sums.sort_by(|one, other| one.0.total_cmp(&other.0));
            for (_, key) in sums.into_iter().take(surplus) {
                self.suspects.remove(&key);
            }
        }
    }

    fn judge(&mut self, place: usize) {
        let Some(account) = self.accounts.at(place) else {
            return;
        };
        let id = account.id;
        let known = self.judgements.get(&id).copied();
        if self.is_idle(account) && known.is_none() {
            return;
        }
        let now = self.pass.hour.saturating_mul(3600);
        if known.is_none() && self.convicted.is_empty() {
            return;
        }
        let account = account.faded(now);
        let mut best: [Option<(Membership, Suspect)>; groups::FAMILIES] = [None; groups::FAMILIES];
        if !self.convicted.is_empty() {
            groups::memberships(&account, |membership| {
                if let Some(suspect) = self.convicted.get(&membership.key) {
                    keep_best(&self.profile, &mut best, membership, suspect);
                }
            });
        }
        // Own evidence alone never makes anybody worth watching.
        if known.is_none() && best.iter().all(Option::is_none) {
            return;
        }
        let values = measures::measure(&account, self.company(&account), now);
        let values = values.map(|values| {
            self.population
                .standardise(measures::stratum(&account), &values)
        });
        let thresholds = Thresholds {
            watch: self.settings.watch,
            step_up: self.settings.step_up,
            restrict: self.settings.restrict,
        };
        let mut judgement = known.unwrap_or_default();
        let before = judgement.standing;
        let radius = self.blast_radius();
        let day = self.pass.hour / 24;
        let room = best.iter().flatten().all(|(membership, suspect)| {
            let acted = self.suspects.get(&membership.key).unwrap_or(suspect);
            membership.kind.family() == Family::Origin || acted.day != day || acted.acted < radius
        });
        judgement.update(
            &self.profile,
            thresholds,
            values.as_ref(),
            &best,
            room,
            self.pass.hour,
        );
        judgement.standing.learned = 1.0;
        let after = judgement.standing;
        if after.state >= State::Restrict && before.state < State::Restrict {
            for (membership, _) in best.iter().flatten() {
                if let Some(suspect) = self.suspects.get_mut(&membership.key) {
                    suspect.acted = if suspect.day == day {
                        suspect.acted + 1
                    } else {
                        1
                    };
                    suspect.day = day;
                }
            }
        }
        if after.state != before.state || (after.score - before.score).abs() > 0.5 {
            self.changed.insert(id);
        }
        if after.state > State::Observe || after.score > self.settings.watch - KEPT_BELOW_WATCH {
            self.judgements.insert(id, judgement);
        } else if known.is_some() {
            self.judgements.remove(&id);
            self.changed.insert(id);
        }
        if let Some(account) = self.accounts.at_mut(place) {
            account.risk = after.state as u8;
        }
    }

    /// Whoever had to leave the table is judged no longer; nobody could ever clear him.
    fn forget_evicted(&mut self) {
        let (accounts, changed) = (&self.accounts, &mut self.changed);
        self.judgements.retain(|id, _| {
            let kept = accounts.find(*id).is_some();
            if !kept {
                changed.insert(*id);
            }
            kept
        });
    }

    /// Accounts that one group may bring down in one day.
    fn blast_radius(&self) -> u32 {
        u32::try_from(self.accounts.live() / 100)
            .unwrap_or(u32::MAX)
            .max(50)
    }

    /// What it thinks of an account; the prior alone where it has nothing to say.
    pub fn standing(&self, account: u64) -> Standing {
        let known = self.judgements.get(&account.max(1));
        let mut standing = known.map_or_else(
            || Judgement::blank(&self.profile).standing,
            |judgement| judgement.standing,
        );
        standing.learned = self.learned();
        standing
    }

    /// Hands over at most `max` accounts whose standing has changed since they were handed over last.
    pub fn take_changed(&mut self, out: &mut Vec<(u64, Standing)>, max: usize) {
        for _ in 0..max {
            let Some(id) = self.changed.pop_first() else {
                return;
            };
            out.push((id, self.standing(id)));
        }
    }

    /// Bytes of its tables.
    pub fn memory_bytes(&self) -> usize {
        let tables = self.accounts.bytes() + self.emergence.bytes() + self.sizes.bytes();
        let groups = self.pass.groups.capacity() * size_of::<Group>();
        tables
            + groups
            + self.judgements.len() * size_of::<Judgement>()
            + self.suspects.len() * size_of::<Suspect>()
    }

    /// Accounts remembered, and how many had to be forgotten for others.
    pub fn accounts(&self) -> (usize, u64) {
        (self.accounts.live(), self.accounts.evicted())
    }

    /// Marks an account, so that surveys can tell how many of a group's members are marked. For refitting
    /// a profile and for tests: a mark decides nothing.
    pub fn mark(&mut self, account: u64) {
        self.marks.insert(account);
        self.surveying = true;
    }

    /// The groups of the last pass; empty unless accounts were [marked](Self::mark).
    pub fn survey(&self) -> &[Surveyed] {
        &self.surveyed
    }

    /// Measures of one account in standard deviations from its stratum, in the order of the profile's
    /// weights; `None` where too little is known of it.
    pub fn measures(&self, account: u64) -> Option<[f32; measures::MEASURES]> {
        let account = self.accounts.at(self.accounts.find(account)?)?;
        let now = self.clock.saturating_mul(3600);
        let account = account.faded(now);
        let values = measures::measure(&account, self.company(&account), now)?;
        Some(
            self.population
                .standardise(measures::stratum(&account), &values),
        )
    }
}

impl Pass {
    /// The group of a membership, begun where it is the first; `None` where `most` others are there already.
    fn group(&mut self, membership: &Membership, most: usize) -> Option<&mut Group> {
        let next = self.groups.len();
        let at = match self.index.get(&membership.key) {
            Some(at) => *at as usize,
            None if next >= most => return None,
            None => {
                self.index
                    .insert(membership.key, u32::try_from(next).unwrap_or(u32::MAX));
                self.groups.push(Group::new(membership));
                next
            }
        };
        self.groups.get_mut(at)
    }
}

/// Groups and suspects that have room.
fn most_groups(settings: &Settings) -> usize {
    settings.max_accounts / 4 + 256
}

/// Keeps the strongest group of each family.
fn keep_best(
    profile: &Profile,
    best: &mut [Option<(Membership, Suspect)>; groups::FAMILIES],
    membership: Membership,
    suspect: &Suspect,
) {
    let gain = super::judgement::contribution(profile, &membership, suspect);
    if let Some(slot) = best.get_mut(membership.kind.family() as usize) {
        let kept = slot
            .as_ref()
            .map(|(kept, suspect)| super::judgement::contribution(profile, kept, suspect));
        if kept.is_none_or(|kept| kept < gain) {
            *slot = Some((membership, *suspect));
        }
    }
}

/// An established organization answers for its members: together they count as one.
fn weight(account: &Account, seats: u32) -> f64 {
    let answers =
        account.verification == Verification::Organization || account.plan == Plan::Enterprise;
    if seats > 1 && answers {
        1.0 / f64::from(seats)
    } else {
        1.0
    }
}

fn least(kind: Kind) -> f64 {
    if kind == Kind::Payment {
        PAYERS
    } else {
        MEMBERS
    }
}

fn seat_key(organization: u64) -> u64 {
    organization.rotate_left(23) ^ 0x5ea7
}

fn kind_name(kind: Kind, slice: Slice) -> &'static str {
    match (kind, slice) {
        (Kind::Text, Slice::All) => "text",
        (Kind::Text, Slice::Joined) => "text/joined",
        (Kind::Text, Slice::Created) => "text/created",
        (Kind::Shape, Slice::All) => "shape",
        (Kind::Shape, Slice::Joined) => "shape/joined",
        (Kind::Shape, Slice::Created) => "shape/created",
        (Kind::Tools, Slice::All) => "tools",
        (Kind::Tools, Slice::Joined) => "tools/joined",
        (Kind::Tools, Slice::Created) => "tools/created",
        (Kind::Payment, _) => "payment",
        (Kind::Network, _) => "network",
        (Kind::Cohort, Slice::Created) => "cohort/created",
        (Kind::Cohort, _) => "cohort/joined",
    }
}

//! Accounts that share something, and how such a group differs from the accounts it consists of being
//! a chance selection from everybody.
//!
//! A group is a key and a slice: what is shared, by everybody or by those who joined or were created in
//! one week. A campaign inside a popular tool is a small part of its users, but most of a slice.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "finite floats, small counts and hours since 1970"
)]
use super::{
    account::Account,
    measures::{MEASURES, Moments, Values},
};

/// What the accounts of a group share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    /// A text that has emerged.
    Text,
    /// The shape of their requests.
    Shape,
    /// The tools they offer.
    Tools,
    /// A payment instrument.
    Payment,
    /// A network.
    Network,
    /// The week in which they were created or joined, and nothing else.
    Cohort,
}

/// Kinds that stem from one cause and must not be added up: what is sent, how it is sent, where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Family {
    Content,
    Form,
    Origin,
}

/// Number of families.
pub(super) const FAMILIES: usize = 3;

impl Kind {
    pub(super) const fn family(self) -> Family {
        match self {
            Self::Text => Family::Content,
            Self::Shape | Self::Tools => Family::Form,
            Self::Payment | Self::Network | Self::Cohort => Family::Origin,
        }
    }
}

/// Which members of a key a group takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Slice {
    All,
    Joined,
    Created,
}

/// One membership of an account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    /// Names the group.
    pub(super) key: u64,
    pub(super) kind: Kind,
    pub(super) slice: Slice,
    /// Requests of the account that made it a member, faded.
    pub(super) count: f32,
    /// Their share of all its requests, 0 to 1.
    pub(super) share: f32,
}

/// Requests, faded, that make an account a member.
const MEMBER: f32 = 3.0;
/// Share of an account's requests that make a shape, a tool set or a network its own.
const OWN_SHARE: f32 = 0.2;
const WEEK: u32 = 7 * 24;

/// Hands out every group that an account is a member of. At most 6 texts, 3 shapes and 2 tool sets in
/// three slices each, and four more.
pub(super) fn memberships(account: &Account, mut each: impl FnMut(Membership)) {
    let joined = account.first / WEEK;
    let created = account.created / WEEK;
    let mut sliced = |kind: Kind, base: u32, count: f32| {
        let share = (count / account.requests).min(1.0);
        let mut member = |slice: Slice, week: u32| {
            let key = name(kind, slice, base, week);
            each(Membership {
                key,
                kind,
                slice,
                count,
                share,
            });
        };
        member(Slice::All, 0);
        if matches!(kind, Kind::Payment | Kind::Network) {
            return;
        }
        member(Slice::Joined, joined);
        if created != 0 {
            member(Slice::Created, created);
        }
    };
    for (text, count) in account.texts.iter().filter(|(_, count)| *count >= MEMBER) {
        sliced(Kind::Text, text, count);
    }
    let own = |count: f32| count >= MEMBER && count >= OWN_SHARE * account.requests;
    for (shape, count) in account.shapes.iter().filter(|(_, count)| own(*count)) {
        sliced(Kind::Shape, shape, count);
    }
    for (tools, count) in account.toolsets.iter().filter(|(_, count)| own(*count)) {
        sliced(Kind::Tools, tools, count);
    }
    for (network, count) in account.networks.iter().filter(|(_, count)| own(*count)) {
        sliced(Kind::Network, network, count);
    }
    if account.payment != 0 {
        sliced(Kind::Payment, account.payment, account.requests);
    }
    let whole = |slice, week| Membership {
        key: name(Kind::Cohort, slice, 0, week),
        kind: Kind::Cohort,
        slice,
        count: account.requests,
        share: 1.0,
    };
    each(whole(Slice::Joined, joined));
    if created != 0 {
        each(whole(Slice::Created, created));
    }
}

/// The name of a group. Collisions only ever make a group more mixed.
pub(super) fn name(kind: Kind, slice: Slice, base: u32, week: u32) -> u64 {
    let head = (kind as u64) << 60 | (slice as u64) << 56 | u64::from(week & 0xff_ffff) << 32;
    let mut mixed = head | u64::from(base);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ mixed >> 31).max(1)
}

/// Days over which creation is spread when its concentration is measured.
const DAYS: usize = 32;

/// Sums over the members of one group in one pass. Adding members commutes, up to rounding.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) key: u64,
    pub(super) kind: Kind,
    pub(super) slice: Slice,
    /// Members, where an established organization counts as one.
    pub(super) weight: f64,
    squares: f64,
    /// Members that vouch for what is usual.
    pub(super) trusted: f64,
    /// Members whose own evidence speaks against them.
    pub(super) flagged: f64,
    /// Members with a mark (see `Detector::mark`); decides nothing.
    pub(super) marked: f64,
    measures: [Moments; MEASURES],
    share: f64,
    days: [f32; DAYS],
    created: f64,
}

/// A member as a group sees it.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) account: &'a Account,
    /// Standardised.
    pub(super) values: Values,
    pub(super) weight: f64,
    pub(super) flagged: bool,
    pub(super) marked: bool,
}

impl Group {
    pub(super) fn new(membership: &Membership) -> Self {
        Self {
            key: membership.key,
            kind: membership.kind,
            slice: membership.slice,
            weight: 0.0,
            squares: 0.0,
            trusted: 0.0,
            flagged: 0.0,
            marked: 0.0,
            measures: [Moments::default(); MEASURES],
            share: 0.0,
            days: [0.0; DAYS],
            created: 0.0,
        }
    }

    /// Takes a member in. O(measures).
    pub(super) fn add(&mut self, member: &Member<'_>, membership: &Membership) {
        let weight = member.weight;
        self.weight += weight;
        self.squares += weight * weight;
        let count = |yes: bool| if yes { weight } else { 0.0 };
        self.trusted += count(member.account.trusted);
        self.flagged += count(member.flagged);
        self.marked += count(member.marked);
        self.share += weight * f64::from(membership.share);
        for (moments, value) in self.measures.iter_mut().zip(&member.values) {
            if !value.is_nan() {
                moments.add(f64::from(*value), weight);
            }
        }
        if member.account.created != 0 {
            let day = member.account.created / 24;
            if let Some(slot) = self.days.get_mut(day as usize % DAYS) {
                *slot += weight as f32;
                self.created += weight;
            }
        }
    }

    /// Mean and variance of its members, by measure; those of everybody where members show nothing.
    pub(super) fn members(&self) -> [(f32, f32); MEASURES] {
        self.measures.map(|moments| {
            if moments.weight < self.weight * 0.5 {
                (0.0, 1.0)
            } else {
                (moments.mean() as f32, moments.variance() as f32)
            }
        })
    }

    /// Members that the weights are worth (Kish), never more than they add up to: the seats of one organization are one.
    pub(super) fn effective(&self) -> f64 {
        if self.squares > 0.0 {
            (self.weight * self.weight / self.squares).min(self.weight)
        } else {
            0.0
        }
    }
}

/// What is measured of a group: for every measure how far its members lie from their strata, and how
/// much more alike they are than their strata; then four of the group itself.
pub(super) const FEATURES: usize = 2 * MEASURES + 4;
/// Feature: creation concentrated on few days, logarithm of the collision rate over chance.
pub(super) const BURST: usize = 2 * MEASURES;
/// Feature: mean share of its members' requests that belong to the group.
pub(super) const SHARE: usize = BURST + 1;
/// Feature: members with evidence of their own against them, over-dispersed binomial deviate.
pub(super) const FLAGGED: usize = BURST + 2;
/// Feature: trusted members, as a discount; 0 none, 1 as many as in the population and many of them.
pub(super) const TRUSTED: usize = BURST + 3;

/// Values of one group by feature.
pub(super) type Features = [f32; FEATURES];

/// What is usual, to compare groups with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual<'a> {
    /// Share of accounts with evidence of their own against them.
    pub(super) flagged: f64,
    /// Share of accounts that are trusted.
    pub(super) trusted: f64,
    /// Variance of benign groups' means beyond chance, by measure, in variances of an account.
    pub(super) dispersion: &'a [f32; MEASURES],
}

/// Over-dispersion of the number of flagged accounts in benign groups.
const FLAG_CORRELATION: f64 = 0.02;

/// Measures a group.
pub(super) fn features(group: &Group, usual: Usual<'_>) -> Features {
    let mut features = [0.0; FEATURES];
    let members = group.effective();
    for (index, (moments, dispersion)) in group.measures.iter().zip(usual.dispersion).enumerate() {
        // A measure that half of the members do not show says nothing of the group.
        if moments.weight < group.weight * 0.5 {
            continue;
        }
        let shown = members * moments.weight / group.weight;
        let shift = moments.mean() / libm::sqrt(1.0 / shown + f64::from(*dispersion));
        // Few members look alike by chance: a variance has a relative error of sqrt(2/n).
        let variance = moments.variance() + 2.0 / shown;
        let alike = -0.5 * libm::log(variance.max(1e-3));
        if let Some(slot) = features.get_mut(index) {
            *slot = shift.clamp(-8.0, 8.0) as f32;
        }
        if let Some(slot) = features.get_mut(MEASURES + index) {
            *slot = alike.clamp(-1.0, 2.0) as f32;
        }
    }
    let mut set = |index: usize, value: f64| {
        if let Some(slot) = features.get_mut(index) {
            *slot = value as f32;
        }
    };
    if group.created > 4.0 && group.slice != Slice::Created {
        let pairs: f64 = group
            .days
            .iter()
            .map(|day| f64::from(*day) * f64::from(*day))
            .sum();
        let n = group.created;
        let chance = (pairs - n).max(0.0) / (n * (n - 1.0)) * DAYS as f64;
        set(BURST, libm::log(chance.clamp(0.5, DAYS as f64)));
    }
    set(SHARE, group.share / group.weight.max(1e-9));
    let expected = group.weight * usual.flagged;
    let variance =
        expected * (1.0 - usual.flagged) * (1.0 + (members - 1.0).max(0.0) * FLAG_CORRELATION);
    set(
        FLAGGED,
        ((group.flagged - expected) / libm::sqrt(variance.max(0.25))).clamp(-8.0, 8.0),
    );
    let share = group.trusted / group.weight.max(1e-9) / usual.trusted.max(0.02);
    let many = (libm::log2(group.trusted + 1.0) / 6.0).min(1.0);
    set(TRUSTED, share.min(1.0) * many);
    features
}

//! What headers tell about an account: one generator for organic people and campaigns alike.
//!
//! It is told how old the account is when it is first seen and nothing else that could depend on the
//! class; whoever shares an organization or a payment instrument says so afterwards.
use super::network::Place;
use super::person::Person;
use crate::simulate::random::{Random, mix};
use weir_engine::time::Timestamp;

const ORGANIZATIONS: u64 = 101;
const PAYMENTS: u64 = 102;
/// Versions that every program comes in.
pub(super) const VERSIONS: u8 = 8;

/// The generator of one world.
pub(super) struct Envelopes {
    seed: u64,
    /// Organizations that accounts share.
    organizations: usize,
    /// Payment instruments that families and small teams share.
    families: usize,
}

impl Envelopes {
    /// For a world of about this many accounts.
    pub(super) fn new(seed: u64, accounts: usize) -> Self {
        Self {
            seed,
            organizations: (accounts / 25).max(8),
            families: (accounts / 20).max(4),
        }
    }
    /// An account as anybody has one. `young`: first used within a month of signing up.
    pub(super) fn person(
        &self,
        random: &mut Random,
        created: u64,
        young: bool,
        client_version: u8,
        place: &Place,
        kind: &'static str,
    ) -> Person {
        let id = random.next();
        let own = random.next();
        // Zipf with exponent 1 over the organizations.
        let organization = if random.chance(0.4) {
            let rank = (self.organizations as f64).powf(random.unit()) as u64;
            mix(mix(self.seed, ORGANIZATIONS), rank)
        } else {
            own
        };
        let verification = match random.unit() + if young { 0.0 } else { 0.05 } {
            share if share < 0.08 => None,
            share if share < 0.17 => Some("none"),
            share if share < 0.64 => Some("email"),
            share if share < 0.88 => Some("phone"),
            share if share < 0.96 => Some("document"),
            _ => Some("organization"),
        };
        let plan = match random.unit() + if young { 0.0 } else { 0.07 } {
            share if share < 0.42 => "free",
            share if share < 0.90 => "payg",
            share if share < 0.97 => "team",
            _ => "enterprise",
        };
        let pays = random.chance(if plan == "free" { 0.35 } else { 0.93 });
        let family = random.below(self.families) as u64;
        let instrument = if random.chance(0.1) {
            mix(mix(self.seed, PAYMENTS), family)
        } else {
            mix(own, PAYMENTS)
        };
        Person {
            id,
            organization,
            created: Timestamp::from_unix_nanos(created),
            verification,
            plan,
            payment: pays.then_some(instrument),
            asn: place.asn,
            client_version,
            campaign: None,
            kind,
            hard_negative: None,
        }
    }
}

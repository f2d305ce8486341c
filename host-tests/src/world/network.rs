//! Where accounts come from: autonomous systems, prefixes, and what many share.
//!
//! One generator for everybody. About a fifth of the accounts sit behind a prefix that strangers
//! share (university NAT, office, cloud egress, VPN), and mobile users change theirs all the time.
use crate::simulate::random::{Random, mix};

/// Private-use AS numbers begin here (RFC 6996).
const FIRST_ASN: u32 = 64_512;
const SYSTEMS: u32 = 211;
/// Prefixes that a mobile carrier puts its users behind.
const CARRIER_PREFIXES: usize = 40;
const CLOUD_PREFIXES: usize = 4;
const VPN_PREFIXES: usize = 2;
const CAMPUS_PREFIXES: usize = 1;

/// What kind of network it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// A household's own prefix.
    Home,
    /// Carrier-grade NAT; another prefix each session.
    Mobile,
    /// A company's own prefix.
    Office,
    /// A university's NAT.
    Campus,
    /// Egress of a cloud region.
    Cloud,
    /// Exits of a VPN.
    Vpn,
    /// Residential proxies: another household's prefix each session.
    Proxy,
}

/// Where an account usually is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Autonomous system.
    pub(super) asn: u32,
    /// Number of the /48 or /24.
    pub(super) prefix: u32,
    /// Host inside it.
    pub(super) host: u32,
    /// What it is.
    pub(super) access: Access,
}

impl Place {
    /// A place as anybody may have one.
    pub(super) fn draw(random: &mut Random) -> Self {
        let access = match random.unit() {
            share if share < 0.56 => Access::Home,
            share if share < 0.72 => Access::Mobile,
            share if share < 0.79 => Access::Office,
            share if share < 0.83 => Access::Campus,
            share if share < 0.95 => Access::Cloud,
            _ => Access::Vpn,
        };
        Self::of(access, random)
    }
    /// A place of this kind.
    pub(super) fn of(access: Access, random: &mut Random) -> Self {
        // The first system of a kind serves the most.
        let (first, count) = match access {
            Access::Home | Access::Proxy => (0, 90),
            Access::Mobile => (90, 30),
            Access::Office => (120, 30),
            Access::Campus => (150, 25),
            Access::Cloud => (175, 24),
            Access::Vpn => (199, 12),
        };
        let system = first + random.below(count).min(random.below(count)) as u32;
        let shared = |random: &mut Random, prefixes| {
            mix(u64::from(system), 1 + random.below(prefixes) as u64) as u32
        };
        let prefix = match access {
            Access::Home | Access::Office | Access::Proxy => random.next() as u32,
            Access::Mobile => shared(random, CARRIER_PREFIXES),
            Access::Campus => shared(random, CAMPUS_PREFIXES),
            Access::Cloud => shared(random, CLOUD_PREFIXES),
            Access::Vpn => shared(random, VPN_PREFIXES),
        };
        Self {
            // Scattered, so that a number says nothing about its kind.
            asn: FIRST_ASN + system * 83 % SYSTEMS,
            prefix,
            host: random.next() as u32,
            access,
        }
    }
    /// The address of one session from here: upper half the prefix, lower half the host.
    pub(super) fn address(&self, random: &mut Random) -> u64 {
        let (prefix, host) = match self.access {
            Access::Mobile | Access::Vpn => {
                let prefixes = if self.access == Access::Mobile {
                    CARRIER_PREFIXES
                } else {
                    VPN_PREFIXES
                };
                // The system's number back from its AS number is not needed: any stable seed will do.
                let seed = mix(u64::from(self.asn), 77);
                (
                    mix(seed, random.below(prefixes) as u64) as u32,
                    random.next() as u32,
                )
            }
            Access::Proxy => {
                let seed = mix(u64::from(self.asn), 78);
                (
                    mix(seed, random.below(6_000) as u64) as u32,
                    random.next() as u32,
                )
            }
            // Somewhere else now and then: a café, the office, a friend's.
            _ if random.chance(0.07) => (
                mix(u64::from(self.prefix), random.below(4) as u64) as u32,
                self.host,
            ),
            _ => (self.prefix, self.host),
        };
        u64::from(prefix) << 32 | u64::from(host)
    }
}

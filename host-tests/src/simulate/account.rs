//! The envelope of an account: who it is, since when, how it pays, from where and with what it calls.
//!
//! Drawn alike for every kind of account. Addresses and networks are those reserved for
//! documentation (RFC 5737, RFC 3849, RFC 5398).
use super::random::{ACCOUNTS, Random, mix};
use std::io::Write;
use weir_engine::time::Timestamp;

const NANOS_PER_DAY: f64 = 86_400e9;
const V4_NETWORKS: &[&str] = &["192.0.2", "198.51.100", "203.0.113"];
const OPENAI_CLIENTS: &[&str] = &[
    "OpenAI/Python 1.68.2",
    "OpenAI/JS 4.87.3",
    "AsyncOpenAI/Python 1.61.0",
    "OpenAI/Python 1.54.4",
    "python-httpx/0.28.1",
    "OpenAI/Go 0.1.0",
    "node-fetch/3.3.2",
    "okhttp/4.12.0",
    "curl/8.9.1",
];
const ANTHROPIC_CLIENTS: &[&str] = &[
    "Anthropic/Python 0.49.0",
    "Anthropic/JS 0.39.0",
    "AsyncAnthropic/Python 0.45.2",
    "python-httpx/0.28.1",
    "Anthropic/Go 0.2.0",
    "node-fetch/3.3.2",
    "okhttp/4.12.0",
    "curl/8.9.1",
];

/// One account.
pub(super) struct Account {
    identity: u64,
    organization: u64,
    created: Timestamp,
    verification: &'static str,
    plan: &'static str,
    payment: Option<u64>,
    asn: u32,
    home: u64,
    client: &'static str,
    /// Speaks to the Anthropic API.
    pub(super) anthropic: bool,
    /// Seed of what this account says.
    pub(super) voice: u64,
}

impl Account {
    /// Account `number`; the same arguments give the same account.
    pub(super) fn new(
        seed: u64,
        number: u64,
        organizations: usize,
        anthropic: f64,
        start: Timestamp,
    ) -> Self {
        let mut random = Random::new(mix(seed, number), ACCOUNTS);
        let shared = random.chance(0.4);
        let organization = if shared {
            random.below(organizations).min(random.below(organizations)) as u64
        } else {
            mix(number, 7)
        };
        // Three in ten signed up in the last month, the others over years.
        let age_days = if random.chance(0.3) {
            random.unit() * 30.0
        } else {
            random.exponential(300.0).min(2_500.0)
        };
        let created = Timestamp::from_unix_nanos(
            start
                .as_unix_nanos()
                .saturating_sub((age_days * NANOS_PER_DAY) as u64),
        );
        let plan = random
            .pick(&[
                "free",
                "free",
                "free",
                "payg",
                "payg",
                "payg",
                "payg",
                "team",
                "team",
                "enterprise",
            ])
            .unwrap_or("free");
        let pays = plan != "free" || random.chance(0.3);
        let card = if random.chance(0.15) {
            random.below(997) as u64
        } else {
            mix(number, 11)
        };
        let anthropic = random.chance(anthropic);
        Self {
            identity: mix(mix(seed, 13), number),
            organization: mix(mix(seed, 17), organization),
            created,
            verification: random
                .pick(&[
                    "email", "email", "email", "email", "email", "phone", "phone", "identity",
                    "none",
                ])
                .unwrap_or("none"),
            plan,
            payment: pays.then(|| mix(mix(seed, 19), card)),
            asn: if random.chance(0.5) {
                64_496 + random.below(16).min(random.below(16)) as u32
            } else {
                65_536 + random.below(16) as u32
            },
            home: random.next(),
            client: random
                .pick_skewed(if anthropic {
                    ANTHROPIC_CLIENTS
                } else {
                    OPENAI_CLIENTS
                })
                .unwrap_or_default(),
            anthropic,
            voice: random.next(),
        }
    }
    /// Appends the members of the request's `headers`.
    pub(super) fn write_headers(&self, random: &mut Random, out: &mut Vec<u8>) {
        if self.anthropic {
            out.extend_from_slice(b"\"content-type\":\"application/json\",\"anthropic-version\":\"2023-06-01\",\"x-api-key\":\"sk-ant-sim-");
        } else {
            out.extend_from_slice(
                b"\"content-type\":\"application/json\",\"authorization\":\"Bearer sk-sim-",
            );
        }
        write_name(mix(self.identity, 3), out);
        out.extend_from_slice(b"\",\"x-account-id\":\"a-");
        write_name(self.identity, out);
        out.extend_from_slice(b"\",\"x-org-id\":\"o-");
        write_name(self.organization, out);
        out.extend_from_slice(b"\",\"x-account-created\":\"");
        let _ = write!(out, "{}", self.created); // a Vec takes everything
        for (name, value) in [("x-verification", self.verification), ("x-plan", self.plan)] {
            let _ = write!(out, "\",\"{name}\":\"{value}"); // a Vec takes everything
        }
        if let Some(payment) = self.payment {
            out.extend_from_slice(b"\",\"x-payment-fingerprint\":\"pf-");
            write_name(payment, out);
        }
        out.extend_from_slice(b"\",\"x-forwarded-for\":\"");
        let place = if random.chance(0.85) {
            self.home
        } else {
            mix(self.home, random.below(3) as u64)
        };
        write_address(place, out);
        let _ = write!(
            out,
            "\",\"x-asn\":\"{}\",\"user-agent\":\"{}\"",
            self.asn, self.client
        );
    }
}

/// Appends 13 symbols that stand for all 64 bits.
pub(crate) fn write_name(number: u64, out: &mut Vec<u8>) {
    const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    for place in (0..13).rev() {
        let symbol = (number >> (5 * place) & 31) as usize;
        out.push(SYMBOLS.get(symbol).copied().unwrap_or(b'0'));
    }
}

/// One address in five is IPv4: the documentation has only three small networks of them.
fn write_address(place: u64, out: &mut Vec<u8>) {
    let [a, b, c, d, e, f, ..] = place.to_be_bytes();
    let _ = if place.is_multiple_of(5) {
        let network = V4_NETWORKS
            .get(usize::from(a) % 3)
            .copied()
            .unwrap_or("192.0.2");
        write!(out, "{network}.{}", 1 + b % 254)
    } else {
        write!(
            out,
            "2001:db8:{:x}:{:x}::{:x}",
            u16::from_be_bytes([a, b]),
            u16::from_be_bytes([c, d]),
            u16::from_be_bytes([e, f])
        )
    };
}

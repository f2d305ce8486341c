//! Where a request comes from, as the detector is told: keyed hashes, never the values.
use crate::hash::HashKey;
use core::net::IpAddr;

/// Where a request comes from. 0 stands for "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The account; never 0.
    pub account: u64,
    /// The organization above it.
    pub organization: u64,
    /// Payment instrument.
    pub payment: u32,
    /// Network prefix of the client.
    pub network: u32,
    /// Autonomous system of the client.
    pub asn: u32,
    /// Client program and version.
    pub client: u32,
}

/// The hash that names an account; never 0.
pub fn account(key: &HashKey, id: &str) -> u64 {
    key.hash64("account", &[id.as_bytes()]).max(1)
}

/// The short hash of a value in its domain (`payment`, `asn`, `client`, `model`); 0 for an empty value, which
/// is an unknown one, and for no other.
pub fn tag(key: &HashKey, domain: &str, value: &[u8]) -> u32 {
    if value.is_empty() {
        return 0;
    }
    let [a, b, c, d, ..] = key.hash64(domain, &[value]).to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).max(1)
}

/// The short hash of an address's network: /24 of IPv4, /48 of IPv6.
pub fn network(key: &HashKey, address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            tag(key, "network", &[a, b, c])
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, ..] = address.octets();
            tag(key, "network", &[a, b, c, d, e, f])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::address_in;

    const KEY: HashKey = HashKey::new([3; 16]);

    fn of(text: &str) -> u32 {
        address_in(text.as_bytes(), 0).map_or(0, |address| network(&KEY, address))
    }

    #[test]
    fn neighbours_share_a_network_and_strangers_do_not() {
        assert_eq!(of("203.0.113.7"), of("203.0.113.200"));
        assert_ne!(of("203.0.113.7"), of("203.0.114.7"));
        assert_eq!(of("2001:db8:1::1"), of("2001:db8:1:ffff::2"));
        assert_ne!(of("2001:db8:1::1"), of("2001:db8:2::1"));
    }

    #[test]
    fn the_last_address_counts_for_the_client_writes_the_others() {
        let plain = of("203.0.113.7");

        assert_ne!(plain, 0);
        for text in [
            " 10.0.0.1 , 203.0.113.9",
            "203.0.113.7:4711",
            "::ffff:203.0.113.7",
            "198.51.100.1,203.0.113.7",
        ] {
            assert_eq!(of(text), plain, "{text}");
        }
        assert_eq!(of("[2001:db8:1::1]:443"), of("2001:db8:1::9"));
        assert_eq!(of("[2001:db8:1::1]"), of("2001:db8:1::9"));
    }

    #[test]
    fn what_is_no_address_is_unknown() {
        for text in [
            "",
            "unknown",
            "203.0.113",
            "203.0.113.7.1",
            "203.0.113.7, ",
            "\u{fe}",
        ] {
            assert_eq!(of(text), 0, "{text}");
        }
        assert_eq!(address_in(b"\xff", 0), None);
    }

    #[test]
    fn domains_keep_equal_values_apart() {
        assert_ne!(tag(&KEY, "payment", b"64500"), tag(&KEY, "asn", b"64500"));
        assert_eq!(tag(&KEY, "payment", b""), 0);
    }
}

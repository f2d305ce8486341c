//! Client addresses out of numbers: reserved ranges that are never routed.
use crate::simulate::random::mix;
use std::fmt::Write;

/// Appends the address of this number; equal upper 32 bits give one /24 or /48.
///
/// One prefix in five is IPv4. The documentation ranges of IPv4 have three /24s only, so that strangers
/// would share them: 240.0.0.0/4 (RFC 1112, never used) has a million. IPv6: 3fff::/20 (RFC 9637), which
/// has 2^28 /48s; two of 50,000 prefixes meet five times.
pub(super) fn write(address: u64, out: &mut String) {
    let prefix = mix(address >> 32, 48);
    let [a, b, c, d, _, _, _, kind] = prefix.to_le_bytes();
    let [e, f, g, h, ..] = address.to_le_bytes();
    // A String takes everything.
    let _ = if kind % 5 == 0 {
        let host = u32::from_le_bytes([e, f, g, h]) % 254 + 1;
        write!(out, "{}.{a}.{b}.{host}", 240 + c % 15)
    } else {
        write!(
            out,
            "3fff:{:x}:{:x}:{:x}::{:x}",
            u16::from_le_bytes([a, b % 16]),
            u16::from_le_bytes([c, d]),
            u16::from_le_bytes([e, f]),
            u16::from_le_bytes([g, h])
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(number: u64) -> IpAddr {
        let mut text = String::new();
        write(number, &mut text);
        text.parse().unwrap()
    }

    fn prefix(address: IpAddr) -> Vec<u8> {
        match address {
            IpAddr::V4(address) => address.octets()[..3].to_vec(),
            IpAddr::V6(address) => address.octets()[..6].to_vec(),
        }
    }

    #[test]
    fn the_upper_half_decides_the_prefix_and_nothing_else_does() {
        let mut prefixes = std::collections::HashSet::new();
        for number in 0..2_000_u64 {
            let host = mix(number, 1) & 0xffff_ffff;

            assert_eq!(
                prefix(address(number << 32 | host)),
                prefix(address(number << 32))
            );
            prefixes.insert(prefix(address(number << 32)));
        }

        assert!(prefixes.len() >= 1_998, "{}", prefixes.len());
    }

    #[test]
    fn every_address_is_in_a_range_that_nobody_routes() {
        for number in 0..2_000_u64 {
            let reserved = match address(mix(number, 2)) {
                IpAddr::V4(address) => address.octets()[0] >= 240 && !address.is_broadcast(),
                IpAddr::V6(address) => {
                    address.segments()[0] == 0x3fff && address.segments()[1] < 0x1000
                }
            };

            assert!(reserved);
        }
    }
}

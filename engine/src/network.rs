//! Addresses of clients and the networks that they are in.
use core::net::{IpAddr, SocketAddr};

/// The address in `text`, without a port and the brackets around IPv6; IPv4 written as IPv6 is IPv4.
pub fn address(text: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(text.trim_ascii()).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// The address of the client in a list that `hops` trusted proxies appended to after the one that saw the client:
/// the last one for 0. `None` where the list is shorter: whatever it says then, a client may have written.
///
/// The last address of `x-forwarded-for` is the one that the nearest proxy saw; those before it are what the client
/// wrote, who could name anybody's network there.
pub fn address_in(list: &[u8], hops: usize) -> Option<IpAddr> {
    address(list.rsplit(|byte| *byte == b',').nth(hops)?)
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Bits that count, at most the address's.
    prefix: u32,
}

/// Why a network cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// What stands before the slash.
    #[error("that is no IPv4 or IPv6 address")]
    NoAddress,
    /// What stands behind the slash.
    #[error("the prefix of an address has 0 to {bits} bits")]
    NoPrefix {
        /// Most bits of this kind of address.
        bits: u32,
    },
    /// Bits behind the prefix are set, so that nobody can say what was meant.
    #[error("it has bits behind its prefix")]
    HostBits,
}

impl Network {
    /// Reads `203.0.113.0/24`, or an address alone for itself.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::NoAddress)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= bits)
                .ok_or(NetworkError::NoPrefix { bits })?,
        };
        let network = Self { address, prefix };
        if network.masked(address) == value(address) {
            Ok(network)
        } else {
            Err(NetworkError::HostBits)
        }
    }

    /// Whether `address` is in it; an IPv4 address is in no IPv6 network.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && self.masked(address) == value(self.address)
    }

    /// The bits of `address` that the prefix keeps.
    fn masked(&self, address: IpAddr) -> u128 {
        let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
        let dropped = bits.saturating_sub(self.prefix);
        // A shift by all 128 bits has no result; nothing is left then.
        u128::MAX.checked_shl(dropped).unwrap_or_default() & value(address)
    }
}

fn value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, text: &str) -> bool {
        Network::parse(network)
            .unwrap()
            .contains(address(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_with_its_prefix() {
        for (network, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.6/31", "203.0.113.7", "203.0.113.8"),
            ("2001:db8::/32", "[2001:db8:ffff::1]:443", "2001:db9::1"),
            ("2001:db8::1/128", "2001:db8::1", "2001:db8::2"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "::1", "203.0.113.7"),
            ("203.0.113.0/24", "::ffff:203.0.113.9", "2001:db8::1"),
        ] {
            assert!(contains(network, inside), "{inside} in {network}");
            assert!(!contains(network, outside), "{outside} in {network}");
        }
    }

    #[test]
    fn what_is_no_network_says_why() {
        for (text, error) in [
            ("", NetworkError::NoAddress),
            ("example.com/24", NetworkError::NoAddress),
            ("203.0.113.0/33", NetworkError::NoPrefix { bits: 32 }),
            ("203.0.113.0/", NetworkError::NoPrefix { bits: 32 }),
            ("203.0.113.0/-1", NetworkError::NoPrefix { bits: 32 }),
            ("2001:db8::/129", NetworkError::NoPrefix { bits: 128 }),
            ("203.0.113.7/24", NetworkError::HostBits),
            ("2001:db8::1/64", NetworkError::HostBits),
        ] {
            assert_eq!(Network::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn trusted_hops_count_from_the_right_and_a_short_list_names_nobody() {
        let list = b"198.51.100.1, 203.0.113.7, 192.0.2.9";

        for (hops, expected) in [
            (0, Some("192.0.2.9")),
            (1, Some("203.0.113.7")),
            (2, Some("198.51.100.1")),
            (3, None),
            (usize::MAX, None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(address_in(list, hops), expected, "{hops}");
        }
        assert_eq!(address_in(b"203.0.113.7, ", 0), None);
        assert_eq!(address_in(b"203.0.113.7,,192.0.2.9", 1), None);
    }
}

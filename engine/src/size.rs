//! Amounts of memory as people write them in policies: `64MiB`, `500KB`.
use crate::time::split_number;

const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads a whole number with one of the units `B KiB MiB GiB KB MB GB` as bytes; `None` for anything else and beyond `u64`.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*bytes)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn reads_every_unit_in_bytes() {
        let cases = [
            ("0B", 0),
            ("17B", 17),
            ("1KiB", 1024),
            ("64MiB", 67_108_864),
            ("2GiB", 2_147_483_648),
            ("3KB", 3000),
            ("5MB", 5_000_000),
            ("7GB", 7_000_000_000),
        ];

        for (text, bytes) in cases {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_whole_number_with_one_unit() {
        for text in [
            "", "64", "MiB", "64 MiB", "64mib", "-1B", "+1B", "1.5GiB", "1KiB1B", "1TiB", "٣B",
        ] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_more_bytes_than_64_bits_hold() {
        assert_eq!(parse_bytes("18446744073709551615B"), Some(u64::MAX));
        assert_eq!(parse_bytes("18446744073709551616B"), None);
        assert_eq!(parse_bytes("17179869184GiB"), None);
    }
}

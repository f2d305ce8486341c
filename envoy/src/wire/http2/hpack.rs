//! Header compression, RFC 7541: everything is understood, nothing is compressed.
use std::collections::VecDeque;

use super::huffman;
use crate::wire::message::{Fields, text};

/// Appendix A, from index 1.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// What the table may hold as long as nobody says otherwise, and we never do.
const TABLE_BYTES: usize = 4096;

/// One connection's decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// The newest first.
    table: VecDeque<(String, String)>,
    limit: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            table: VecDeque::new(),
            limit: TABLE_BYTES,
        }
    }
}

impl Decoder {
    /// The fields of a complete block; None where it is malformed, after which the connection is of no use.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Option<Fields> {
        let mut fields = Fields::new();
        let mut rest = block;
        while let Some(first) = rest.first().copied() {
            if first & 0x80 != 0 {
                let index = integer(&mut rest, 7)?;
                fields.push(self.entry(index)?);
            } else if first & 0x40 != 0 {
                let field = self.literal(&mut rest, 6)?;
                self.insert(field.clone());
                fields.push(field);
            } else if first & 0x20 != 0 {
                self.limit = integer(&mut rest, 5)?;
                self.evict();
            } else {
                fields.push(self.literal(&mut rest, 4)?);
            }
        }
        Some(fields)
    }

    fn literal(&self, rest: &mut &[u8], bits: u32) -> Option<(String, String)> {
        let name = match integer(rest, bits)? {
            0 => string(rest)?,
            index => self.entry(index)?.0,
        };
        Some((name, string(rest)?))
    }

    fn entry(&self, index: usize) -> Option<(String, String)> {
        let index = index.checked_sub(1)?;
        match STATIC.get(index) {
            Some((name, value)) => Some(((*name).to_owned(), (*value).to_owned())),
            None => self.table.get(index.checked_sub(STATIC.len())?).cloned(),
        }
    }

    fn insert(&mut self, field: (String, String)) {
        self.table.push_front(field);
        self.evict();
    }

    fn evict(&mut self) {
        let size = |(name, value): &(String, String)| name.len() + value.len() + 32;
        let mut held: usize = self.table.iter().map(size).sum();
        while held > self.limit
            && let Some(oldest) = self.table.pop_back()
        {
            held = held.saturating_sub(size(&oldest));
        }
    }
}

fn integer(rest: &mut &[u8], bits: u32) -> Option<usize> {
    let mask = (1_u8 << bits) - 1;
    let (first, mut after) = rest.split_first()?;
    let mut value = usize::from(first & mask);
    if first & mask == mask {
        let mut shift = 0_u32;
        loop {
            let (next, tail) = after.split_first()?;
            after = tail;
            value = value.checked_add(usize::from(next & 0x7f).checked_shl(shift)?)?;
            shift = shift.saturating_add(7);
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    *rest = after;
    Some(value)
}

fn string(rest: &mut &[u8]) -> Option<String> {
    let compressed = rest.first()? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (own, after) = rest.split_at_checked(length)?;
    *rest = after;
    if compressed {
        Some(text(&huffman::decode(own)?))
    } else {
        Some(text(own))
    }
}

/// A block of literals that touch no table.
pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for part in [name, value] {
            write_integer(&mut block, part.len(), 7);
            block.extend(part.as_bytes());
        }
    }
    block
}

fn write_integer(block: &mut Vec<u8>, value: usize, bits: u32) {
    let mask = (1_usize << bits) - 1;
    if value < mask {
        block.push(value.to_le_bytes().first().copied().unwrap_or_default());
        return;
    }
    block.push(u8::try_from(mask).unwrap_or(u8::MAX));
    let mut left = value - mask;
    while left >= 0x80 {
        block.push(u8::try_from(left & 0x7f).unwrap_or_default() | 0x80);
        left >>= 7;
    }
    block.push(u8::try_from(left).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::fields;

    #[test]
    fn what_is_encoded_is_decoded_however_long() {
        let long = "x".repeat(70_000);
        let sent = fields(&[
            (":path", "/a?b"),
            ("x-long", &long),
            ("x-empty", ""),
            ("a", "1"),
        ]);

        assert_eq!(Decoder::default().decode(&encode(&sent)).unwrap(), sent);
    }

    #[test]
    fn the_standards_requests_with_huffman_and_a_growing_table_are_decoded() {
        // RFC 7541, C.4.1 and C.4.2: the second refers to what the first put into the table.
        let first = [
            0x82, 0x86, 0x84, 0x41, 0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab,
            0x90, 0xf4, 0xff,
        ];
        let second = [
            0x82, 0x86, 0x84, 0xbe, 0x58, 0x86, 0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf,
        ];
        let mut decoder = Decoder::default();

        let head = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", "/"),
            (":authority", "www.example.com"),
        ];
        assert_eq!(decoder.decode(&first).unwrap(), fields(&head));
        let mut expected = fields(&head);
        expected.push(("cache-control".into(), "no-cache".into()));
        assert_eq!(decoder.decode(&second).unwrap(), expected);
    }
}

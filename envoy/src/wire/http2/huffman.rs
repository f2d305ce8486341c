//! The Huffman code of header compression, RFC 7541 appendix B.
//!
//! The code is canonical: the lengths of its words, symbol by symbol, determine it.
use std::sync::OnceLock;

/// Bits of the word of each byte, and of the end mark.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// The longest word.
const LONGEST: usize = 30;

/// Words of one length: the first of them, and their symbols in order.
#[derive(Clone, Debug, Default)]
struct Words {
    first: u32,
    symbols: Vec<u16>,
}

fn by_length() -> &'static [Words] {
    static TABLE: OnceLock<Vec<Words>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Vec::with_capacity(LONGEST);
        let mut next = 0_u32;
        for length in 1..=LONGEST {
            next <<= 1;
            let symbols: Vec<u16> = (0_u16..)
                .zip(LENGTHS)
                .filter(|(_, own)| usize::from(*own) == length)
                .map(|(symbol, _)| symbol)
                .collect();
            let count = u32::try_from(symbols.len()).unwrap_or_default();
            table.push(Words {
                first: next,
                symbols,
            });
            next = next.saturating_add(count);
        }
        table
    })
}

/// The text that was encoded; None where it is none.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let table = by_length();
    let mut text = Vec::with_capacity(encoded.len().saturating_mul(2));
    let (mut word, mut length) = (0_u32, 0_usize);
    let bits = encoded
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| u32::from(byte >> at & 1)));
    for bit in bits {
        word = word << 1 | bit;
        length = length.saturating_add(1);
        let words = table.get(length.saturating_sub(1))?;
        let index = word
            .checked_sub(words.first)
            .and_then(|index| usize::try_from(index).ok());
        if let Some(symbol) = index.and_then(|index| words.symbols.get(index)) {
            text.push(u8::try_from(*symbol).ok()?);
            (word, length) = (0, 0);
        }
    }
    // What is left is padding: fewer than eight ones.
    (length < 8 && word == (1 << length) - 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_decoded() {
        let example = [
            0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
        ];

        assert_eq!(decode(&example).unwrap(), b"www.example.com");
        assert_eq!(
            decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(),
            b"no-cache"
        );
        assert_eq!(decode(&[0x00]), None, "padding is ones");
    }
}

//! The hash behind prints: small, fast on 64-bit registers and in WebAssembly, the same on every machine.
//!
//! Not keyed, on purpose. Prints of one text must be equal in every worker, in a replay and at compile
//! time (the lexicon is a table of hashes), and there is nothing to gain by a collision: a client that
//! finds two texts with one print only brings itself into a group with whoever writes the other.
#![expect(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "hashing wraps and truncates on purpose; `const fn` has no other conversions"
)]

const SEED: u64 = 0x9E37_79B9_7F4A_7C15; // the golden ratio in 64 bits
const FIRST: u64 = 0xBF58_476D_1CE4_E5B9; // multipliers of SplitMix64 (Steele et al. 2014)
const SECOND: u64 = 0x94D0_49BB_1331_11EB;

/// Every bit of the result depends on every bit of `value`; a bijection.
#[inline]
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(FIRST);
    let value = (value ^ (value >> 29)).wrapping_mul(SECOND);
    value ^ (value >> 32)
}

/// `state` after `value` came to it; order counts.
#[inline]
pub(crate) const fn join(state: u64, value: u64) -> u64 {
    let state = (state ^ value).wrapping_mul(FIRST);
    state ^ (state >> 31)
}

/// The upper half of a hash: the better one.
#[inline]
pub(crate) const fn upper(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Hash of one word, byte by byte or in blocks of eight.
#[derive(Clone, Copy)]
pub(crate) struct WordHash {
    state: u64,
    /// The block at hand, lowest byte first.
    block: u64,
    len: u32,
}

impl WordHash {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self {
            state: SEED,
            block: 0,
            len: 0,
        }
    }

    #[inline]
    pub(crate) const fn push(&mut self, byte: u8) {
        self.block |= (byte as u64) << ((self.len & 7) * 8);
        self.len = self.len.wrapping_add(1);
        if self.len & 7 == 0 {
            self.state = join(self.state, self.block);
            self.block = 0;
        }
    }

    /// As eight times [`Self::push`], lowest byte first; only where a multiple of eight was pushed before.
    #[inline]
    pub(crate) const fn push_block(&mut self, block: u64) {
        self.state = join(self.state, block);
        self.len = self.len.wrapping_add(8);
    }

    /// As pushing the `len` lowest bytes, fewer than eight, of `block`, whose other bytes are 0; only where
    /// a multiple of eight was pushed before.
    #[inline]
    pub(crate) const fn push_rest(&mut self, block: u64, len: u32) {
        self.block = block;
        self.len = self.len.wrapping_add(len);
    }

    /// Whether blocks may be pushed.
    #[inline]
    pub(crate) const fn is_aligned(&self) -> bool {
        self.len & 7 == 0
    }

    #[inline]
    pub(crate) const fn finish(self) -> u64 {
        mix(join(self.state, self.block).wrapping_add(self.len as u64))
    }
}

/// Hash of `bytes` as one word.
pub(crate) const fn word(bytes: &[u8]) -> u64 {
    let mut hash = WordHash::new();
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        hash.push(*byte);
        rest = after;
    }
    hash.finish()
}

/// Hash of two words that follow one another.
#[inline]
pub(crate) const fn pair(first: u64, second: u64) -> u64 {
    mix(first.rotate_left(23).wrapping_add(second))
}

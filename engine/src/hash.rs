//! Keyed hashes of identities, so that state and logs never hold what a client sent.
//!
//! SipHash-2-4 is a pseudo-random function: without the key nobody can choose two identities that
//! collide, guess an identity from its hash by trying candidates, or aim at one bucket of the table.
use core::{fmt, hash::Hasher};

use siphasher::sip128::{Hasher128, SipHasher24};

/// Secret key of every identity hash. Comes from the host's random source.
#[derive(Clone, Copy)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// A key of 16 secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For what hides nothing and has to be the same in every process: names of decisions, arms of a rollout.
    pub const PUBLIC: Self = Self([0; 16]);

    /// 128-bit SipHash-2-4 of `parts` under `domain`; parts are length-prefixed, so `["ab","c"]` and `["a","bc"]` differ.
    ///
    /// The same on every machine: lengths enter as 64-bit little-endian numbers, the domain first.
    pub fn hash128(&self, domain: &str, parts: &[&[u8]]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        write_prefixed(&mut hasher, domain.as_bytes());
        for part in parts {
            write_prefixed(&mut hasher, part);
        }
        hasher.finish128().as_u128()
    }

    /// The low 64 bits of [`hash128`](Self::hash128): enough for tags, where a collision of two among `n` has the chance n²/2^65.
    pub fn hash64(&self, domain: &str, parts: &[&[u8]]) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.hash128(domain, parts).to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// Never shows the key.
impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(secret)")
    }
}

fn write_prefixed(hasher: &mut SipHasher24, bytes: &[u8]) {
    // A length always fits 64 bits; the fallback only spares a panic path.
    hasher.write(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.write(bytes);
}

#[cfg(test)]
mod tests;

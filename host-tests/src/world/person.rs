//! An account of the world: its identity as headers show it, and the truth about it.
use weir_engine::time::Timestamp;

/// One account. Seeds and numbers become names and hashes where they are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// Seed of its id and API key.
    pub id: u64,
    /// Seed of its organization's id.
    pub organization: u64,
    /// When it signed up.
    pub created: Timestamp,
    /// `x-verification`; `None` sends no header.
    pub verification: Option<&'static str>,
    /// `x-plan`.
    pub plan: &'static str,
    /// Seed of its payment fingerprint; `None` sends no header.
    pub payment: Option<u64>,
    /// Autonomous system it usually comes from.
    pub asn: u32,
    /// Version of its client library: index into the versions that its program comes in.
    pub client_version: u8,
    /// The campaign it works for; index into the scenario's campaigns.
    pub campaign: Option<u8>,
    /// The kind of life it leads, `chat`, `ide`, `app`, ... or the campaign's family (`A1`...).
    pub kind: &'static str,
    /// The hard-negative stratum it belongs to, `H1` to `H13`.
    pub hard_negative: Option<&'static str>,
}

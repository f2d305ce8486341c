//! Headers that tell a client what is left of its budgets.
use crate::{endpoint::Provider, evaluate::Quota, policy::Policy};
use alloc::{string::String, vec::Vec};

/// The headers of the families that the policy selects, never more generous than what `upstream` says itself.
pub(crate) fn headers<'h>(
    _policy: &Policy,
    _provider: Provider,
    _quotas: &[Quota],
    _upstream: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> Vec<(&'static str, String)> {
    Vec::new()
}

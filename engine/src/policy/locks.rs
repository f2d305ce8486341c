//! `locked`: what overlays may not touch. The engine only says which locks can be meant; the layers are merged, and
//! held to them, where the policy is loaded.
use super::{
    diagnostic::{Code, Diagnostics},
    validate::clip,
};
use alloc::{format, string::String};

/// What a lock can begin with.
const SECTIONS: &[&str] = &[
    "metadata",
    "inspection",
    "identity",
    "capabilities",
    "tiers",
    "budgets",
    "metering",
    "lists",
    "detection",
    "shaping",
    "verification",
    "responses",
    "privacy",
    "state",
    "rollout",
];

/// Whether a lock is a path into a section of a policy: `detection`, `budgets.account-requests.limit`. Entries of
/// lists are addressed by name.
pub fn is_lock(path: &str) -> bool {
    let mut steps = path.split('.');
    let section = steps.next().unwrap_or_default();
    SECTIONS.contains(&section) && steps.all(|step| !step.is_empty())
}

pub(super) fn check(given: Option<&[String]>, d: &mut Diagnostics) {
    for (index, lock) in given.unwrap_or_default().iter().enumerate() {
        if !is_lock(lock) {
            let message = format!("a policy has nothing at `{}`", clip(lock));
            let help = "write a section, or a path into one: `detection`, `budgets.account-requests.limit`";
            d.error(Code::UnknownLock, format!("locked[{index}]"), message, help);
        }
    }
}

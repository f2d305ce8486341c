//! Shaping rules that ask for nothing that another one does not.
use super::{Rule, Shaping};
use crate::policy::diagnostic::{Code, Diagnostics};
use alloc::{format, vec::Vec};

impl Shaping {
    /// The tiers of each rule, in order; `None` where it is for all.
    pub(in crate::policy) fn tiers(&self) -> impl Iterator<Item = Option<&Vec<usize>>> {
        self.rules.iter().map(|rule| rule.tiers.as_ref())
    }

    /// Warns of rules that are wholly covered by one above them.
    pub(in crate::policy) fn warn_of_covered_rules(&self, d: &mut Diagnostics) {
        for (index, rule) in self.rules.iter().enumerate() {
            let mut above = self.rules.iter().take(index);
            if let Some(other) = above.find(|above| above.covers(rule)) {
                d.warning(
                    Code::CoveredRule,
                    format!("shaping.rules[{index}]"),
                    format!("`{}` above asks for all of it already", other.name),
                    "remove one of them, or ask for something else",
                );
            }
        }
    }
}

impl Rule {
    /// Whether this one holds wherever `other` does, and asks for all that it asks for. One
    /// for all states does not cover one of some: decisions tell that it was because of the state.
    fn covers(&self, other: &Self) -> bool {
        let tiers = lists_all(self.tiers.as_deref(), other.tiers.as_deref());
        let states = self.states.is_some() == other.states.is_some()
            && lists_all(self.states.as_deref(), other.states.as_deref());
        let capabilities = match (self.capabilities, other.capabilities) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(others)) => others.without(own).is_empty(),
        };
        let keeps_loops = other.strip.reasoning && other.strip_tool_loops && !self.strip_tool_loops;
        tiers
            && states
            && capabilities
            && self.request.and(other.request) == self.request
            && self.strip.and(other.strip) == self.strip
            && !keeps_loops
    }
}

/// Whether `own` has all of `others`; `None` is everything.
fn lists_all<T: PartialEq>(own: Option<&[T]>, others: Option<&[T]>) -> bool {
    match (own, others) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own), Some(others)) => others.iter().all(|other| own.contains(other)),
    }
}

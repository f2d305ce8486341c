//! What a decision rests on: its basis and the rule that decided.
use crate::decision::Decision;
use serde::Serialize;
use std::fmt;

/// Basis and rule, as decisions name them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(super) struct Ground {
    /// `none`, `capability`, `budget`, `list` or `detection`.
    pub(super) basis: String,
    /// Where it stands in the policy; `None` where no rule decided.
    pub(super) rule: Option<String>,
}

impl Ground {
    pub(super) fn of(decision: &Decision<'_>) -> Self {
        Self {
            basis: decision.basis.clone().into_owned(),
            rule: decision.rule.clone(),
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some(rule) => write!(out, "{} {rule}", self.basis),
            None if self.basis == "none" => write!(out, "-"),
            None => write!(out, "{}", self.basis),
        }
    }
}

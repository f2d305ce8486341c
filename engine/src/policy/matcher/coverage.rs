//! Whom a matcher can match at all, and who is matched by another one already.
use super::{Condition, Matcher};
use crate::policy::{
    Policy,
    lints::{CREATED, ORGANIZATION, PLAN, VERIFICATION, is_given},
};
use alloc::{collections::BTreeSet, string::String};

impl Matcher {
    /// Whether everybody who matches this one is known to match `other`. A condition added to matchers has to be
    /// added here, hence no `..`.
    pub(in crate::policy) fn implies(&self, other: &Self) -> bool {
        let Self {
            account,
            organization,
            verification,
            plan,
            min_age,
            network,
            attributes,
        } = other;
        is_within(self.account.as_ref(), account.as_ref())
            && is_within(self.organization.as_ref(), organization.as_ref())
            && is_within(self.verification.as_ref(), verification.as_ref())
            && is_within(self.plan.as_ref(), plan.as_ref())
            && min_age.is_none_or(|least| self.min_age.is_some_and(|age| age >= least))
            // Networks and all but lists of values are not compared.
            && network.is_none()
            && attributes.iter().all(|(index, others)| {
                let mut own = self.attributes.iter();
                own.any(|(own_index, own)| match (own, others) {
                    (Condition::OneOf(own), Condition::OneOf(others)) => {
                        own_index == index && own.is_subset(others)
                    }
                    _ => false,
                })
            })
    }

    /// A fact that it asks for and that no source gives.
    pub(in crate::policy) fn lacks(&self, policy: &Policy) -> Option<&'static str> {
        let is_attested = policy.verification.header.is_some();
        [
            (self.organization.is_some(), ORGANIZATION, "organization"),
            (
                self.verification.is_some() && !is_attested,
                VERIFICATION,
                "verification",
            ),
            (self.plan.is_some(), PLAN, "plan"),
            (self.min_age.is_some(), CREATED, "created"),
        ]
        .into_iter()
        .find(|(asked, fact, _)| *asked && !is_given(&policy.identity, *fact))
        .map(|(_, _, name)| name)
    }
}

fn is_within(one: Option<&BTreeSet<String>>, other: Option<&BTreeSet<String>>) -> bool {
    match (one, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one.is_subset(other),
    }
}

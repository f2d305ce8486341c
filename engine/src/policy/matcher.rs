//! Who belongs to a tier: conditions on the facts about a caller, all of which have to hold.
mod section;
#[cfg(test)]
mod tests;

pub(super) use section::AttributeMatcher;

use super::{
    Tier,
    diagnostic::{Code, Diagnostics},
    document,
    identity::{AttributeType, Identity},
    validate::{MAX_ENTRIES, clip, duration, time, too_many},
};
use crate::{
    identity::{Attribute, Caller},
    network::Network,
    time::Timestamp,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::time::Duration;
use section::Conditions;

/// Most networks of one matcher: they are tried one after the other.
const MAX_NETWORKS: usize = 1024;

/// Conditions on the caller: all that are given must hold.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    account: Option<BTreeSet<String>>,
    organization: Option<BTreeSet<String>>,
    verification: Option<BTreeSet<String>>,
    plan: Option<BTreeSet<String>>,
    min_age: Option<Duration>,
    network: Option<Vec<Network>>,
    /// Index of the attribute, and what it has to be.
    attributes: Vec<(usize, Condition)>,
}

/// What an attribute has to be.
#[derive(Debug)]
enum Condition {
    OneOf(BTreeSet<String>),
    Prefix(Vec<String>),
    Number {
        at_least: Option<f64>,
        at_most: Option<f64>,
    },
    Is(bool),
    Time {
        before: Option<Timestamp>,
        after: Option<Timestamp>,
        min_age: Option<Duration>,
    },
}

impl Matcher {
    /// A fact that the caller lacks matches nothing: absence earns nothing.
    pub(crate) fn matches(&self, caller: &Caller, now: Timestamp) -> bool {
        let listed = |list: &Option<BTreeSet<String>>, value: Option<&str>| {
            list.as_ref()
                .is_none_or(|list| value.is_some_and(|value| list.contains(value)))
        };
        listed(&self.account, Some(&caller.account))
            && listed(&self.organization, caller.organization.as_deref())
            && listed(&self.verification, caller.verification.as_deref())
            && listed(&self.plan, caller.plan.as_deref())
            && self.min_age.is_none_or(|least| {
                caller
                    .created
                    .is_some_and(|created| now.saturating_since(created) >= least)
            })
            && self.network.as_ref().is_none_or(|networks| {
                let address = caller.address;
                address.is_some_and(|address| networks.iter().any(|net| net.contains(address)))
            })
            && self.attributes.iter().all(|(index, condition)| {
                let value = caller.attributes.get(*index).and_then(Option::as_ref);
                value.is_some_and(|value| condition.holds(value, now))
            })
    }

    pub(super) fn matches_everyone(&self) -> bool {
        self.account.is_none()
            && self.organization.is_none()
            && self.verification.is_none()
            && self.plan.is_none()
            && self.min_age.is_none()
            && self.network.is_none()
            && self.attributes.is_empty()
    }
}

impl Condition {
    fn holds(&self, value: &Attribute, now: Timestamp) -> bool {
        match (self, value) {
            (Self::OneOf(values), Attribute::Text(text)) => values.contains(text),
            (Self::Prefix(prefixes), Attribute::Text(text)) => {
                prefixes.iter().any(|prefix| text.starts_with(prefix))
            }
            (Self::Number { at_least, at_most }, Attribute::Number(number)) => {
                at_least.is_none_or(|least| *number >= least)
                    && at_most.is_none_or(|most| *number <= most)
            }
            (Self::Is(wanted), Attribute::Boolean(flag)) => wanted == flag,
            (
                Self::Time {
                    before,
                    after,
                    min_age,
                },
                Attribute::Time(time),
            ) => {
                before.is_none_or(|end| *time < end)
                    && after.is_none_or(|start| *time > start)
                    && min_age.is_none_or(|least| now.saturating_since(*time) >= least)
            }
            // The compiler of the policy gives each attribute conditions of its type only.
            _ => false,
        }
    }
}

/// Checks the conditions at `path`.
pub(super) fn compile(
    given: document::Matcher,
    identity: &Identity,
    path: &str,
    d: &mut Diagnostics,
) -> Matcher {
    let min_age = given
        .min_age
        .and_then(|text| duration(&text, &format!("{path}.minAge"), d));
    let mut values = |list: Option<Vec<String>>, key: &str| -> Option<BTreeSet<String>> {
        list.map(|list| values(list, &format!("{path}.{key}"), d))
    };
    Matcher {
        account: values(given.account, "account"),
        organization: values(given.organization, "organization"),
        verification: values(given.verification, "verification"),
        plan: values(given.plan, "plan"),
        min_age,
        network: given
            .network
            .map(|list| networks(&list, &format!("{path}.network"), d)),
        attributes: attributes(given.attributes, identity, path, d),
    }
}

/// Tells `identity` what tiers ask for, and warns of attributes that none does.
pub(super) fn tell_uses(tiers: &[Tier], identity: &mut Identity, d: &mut Diagnostics) {
    let mut matchers = tiers.iter().map(|tier| &tier.matcher);
    identity.asks_for_network = matchers.any(|matcher| matcher.network.is_some());
    for (index, attribute) in identity.attributes.iter().enumerate() {
        let mut asked = tiers.iter().flat_map(|tier| &tier.matcher.attributes);
        if !asked.any(|(asked, _)| *asked == index) {
            d.warning(
                Code::UnusedAttribute,
                format!("identity.attributes.{}", clip(&attribute.name)),
                "no tier asks for it",
                "ask for it under `match.attributes` of a tier, or remove it",
            );
        }
    }
}

fn values(list: Vec<String>, path: &str, d: &mut Diagnostics) -> BTreeSet<String> {
    check_length(list.len(), MAX_ENTRIES, path, d);
    BTreeSet::from_iter(list)
}

fn check_length(given: usize, most: usize, path: &str, d: &mut Diagnostics) {
    if given == 0 {
        let help = "list a value, or leave the key out";
        d.error(Code::OutOfRange, path, "an empty list matches nobody", help);
    }
    if given > most {
        too_many(path, given, most, d);
    }
}

fn networks(list: &[String], path: &str, d: &mut Diagnostics) -> Vec<Network> {
    check_length(list.len(), MAX_NETWORKS, path, d);
    let mut networks = Vec::new();
    for (index, text) in list.iter().enumerate() {
        match Network::parse(text) {
            Ok(network) => networks.push(network),
            Err(error) => d.error(
                Code::BadNetwork,
                format!("{path}[{index}]"),
                format!("`{}`: {error}", clip(text)),
                "write an address and the length of its prefix: `203.0.113.0/24`, `2001:db8::/32`",
            ),
        }
    }
    networks
}

fn attributes(
    given: Option<BTreeMap<String, AttributeMatcher>>,
    identity: &Identity,
    path: &str,
    d: &mut Diagnostics,
) -> Vec<(usize, Condition)> {
    let mut compiled = Vec::new();
    for (name, matcher) in given.unwrap_or_default() {
        let path = format!("{path}.attributes.{}", clip(&name));
        let index = identity.attribute(&name);
        let declared = index.and_then(|index| Some((index, identity.attributes.get(index)?)));
        let condition = match declared {
            Some((_, declared)) => condition(matcher, declared.attribute_type, &path, d),
            None => {
                d.error(
                    Code::UnknownAttribute,
                    path,
                    format!("there is no attribute `{}`", clip(&name)),
                    "declare it: `identity: {attributes: {NAME: {sources: [{header: x-name}]}}}`",
                );
                None
            }
        };
        // One that is wrong still asks for something: its tier is not everybody's.
        let nothing = Condition::OneOf(BTreeSet::new());
        compiled.push((index.unwrap_or(usize::MAX), condition.unwrap_or(nothing)));
    }
    compiled
}

/// What `given` asks of an attribute of this type.
fn condition(
    given: AttributeMatcher,
    attribute_type: AttributeType,
    path: &str,
    d: &mut Diagnostics,
) -> Option<Condition> {
    let given = match (attribute_type, given) {
        (AttributeType::Text, AttributeMatcher::OneOf(list)) => {
            return Some(Condition::OneOf(values(list, path, d)));
        }
        (_, AttributeMatcher::OneOf(_)) => {
            wrong(attribute_type, path, d);
            return None;
        }
        (_, AttributeMatcher::Conditions(conditions)) => conditions,
    };
    let foreign = given.others_than(attribute_type);
    if foreign {
        wrong(attribute_type, path, d);
        return None;
    }
    match attribute_type {
        AttributeType::Text => given.prefix.map(|prefixes| {
            let path = format!("{path}.prefix");
            check_length(prefixes.len(), MAX_NETWORKS, &path, d);
            if prefixes.iter().any(String::is_empty) {
                let help = "write at least one character, or remove it";
                d.error(
                    Code::OutOfRange,
                    &path,
                    "every text begins with nothing",
                    help,
                );
            }
            Condition::Prefix(prefixes)
        }),
        AttributeType::Number => {
            let (at_least, at_most) = (given.at_least, given.at_most);
            if matches!((at_least, at_most), (Some(least), Some(most)) if least > most) {
                impossible(
                    path,
                    "no number is that large and that small",
                    "`atLeast` below `atMost`",
                    d,
                );
            }
            Some(Condition::Number { at_least, at_most })
        }
        AttributeType::Boolean => given.is.map(Condition::Is),
        AttributeType::Time => {
            let before = given
                .before
                .and_then(|text| time(&text, &format!("{path}.before"), d));
            let after = given
                .after
                .and_then(|text| time(&text, &format!("{path}.after"), d));
            if matches!((before, after), (Some(before), Some(after)) if before <= after) {
                impossible(
                    path,
                    "no time is that early and that late",
                    "`after` earlier than `before`",
                    d,
                );
            }
            let min_age = given.min_age;
            let min_age = min_age.and_then(|text| duration(&text, &format!("{path}.minAge"), d));
            Some(Condition::Time {
                before,
                after,
                min_age,
            })
        }
    }
}

fn impossible(path: &str, message: &str, wanted: &str, d: &mut Diagnostics) {
    let help = format!("write {wanted}");
    d.error(Code::ImpossibleCondition, path, message, help);
}

fn wrong(attribute_type: AttributeType, path: &str, d: &mut Diagnostics) {
    let (name, help) = match attribute_type {
        AttributeType::Text => (
            "text",
            "write a list of values, `[eu, us]`, or `{prefix: [eu-]}`",
        ),
        AttributeType::Number => ("a number", "write `{atLeast: 5}`, `{atMost: 10}` or both"),
        AttributeType::Boolean => ("true or false", "write `{is: true}` or `{is: false}`"),
        AttributeType::Time => (
            "a point in time",
            "write `{before: 2027-01-31T00:00:00Z}`, `{after: ...}` or `{minAge: 30d}`",
        ),
    };
    let message = format!("the attribute is {name}, which this does not ask about");
    d.error(Code::WrongCondition, path, message, help);
}

impl Conditions {
    /// Whether it asks for something that only another type has, or for nothing.
    fn others_than(&self, attribute_type: AttributeType) -> bool {
        let asked = [
            (AttributeType::Text, self.prefix.is_some()),
            (
                AttributeType::Number,
                self.at_least.is_some() || self.at_most.is_some(),
            ),
            (AttributeType::Boolean, self.is.is_some()),
            (
                AttributeType::Time,
                self.before.is_some() || self.after.is_some() || self.min_age.is_some(),
            ),
        ];
        asked
            .into_iter()
            .any(|(of, is_asked)| (of == attribute_type) != is_asked)
    }
}

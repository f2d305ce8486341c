//! Conditions on an attribute as written.
#[cfg(feature = "schema")]
use crate::policy::schema;
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

/// What an attribute has to be.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(untagged))]
pub enum AttributeMatcher {
    /// A list: one of these texts.
    OneOf(#[cfg_attr(feature = "schema", schemars(length(min = 1)))] Vec<String>),
    /// A map of conditions.
    Conditions(Conditions),
}

/// Conditions on an attribute, those of its type; all that are given must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conditions {
    /// A text that begins with one of these.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub prefix: Option<Vec<String>>,
    /// A number that is not smaller.
    pub at_least: Option<f64>,
    /// A number that is not larger.
    pub at_most: Option<f64>,
    /// Which of `true` and `false`.
    pub is: Option<bool>,
    /// A time earlier than this, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Time>"))]
    pub before: Option<String>,
    /// A time later than this, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Time>"))]
    pub after: Option<String>,
    /// A time that is at least so long ago, `30d`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Duration>"))]
    pub min_age: Option<String>,
}

impl<'de> Deserialize<'de> for AttributeMatcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatcherVisitor)
    }
}

struct MatcherVisitor;

impl<'de> Visitor<'de> for MatcherVisitor {
    type Value = AttributeMatcher;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values, or a map of conditions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<AttributeMatcher, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(AttributeMatcher::OneOf)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AttributeMatcher, A::Error> {
        Conditions::deserialize(MapAccessDeserializer::new(map)).map(AttributeMatcher::Conditions)
    }
}

//! A value together with its place, so that both are merged as one.
use super::Site;
use crate::yaml::{Inside, Place, Position};
use serde_json::Value;

/// A member of a map: its key, where the key stands, and its value.
pub(super) type Member = (String, Site, Node);

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) site: Site,
    pub(super) data: Data,
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Member>),
}

impl Node {
    /// What a layer says. Nesting is bounded by the reader of YAML.
    pub(super) fn of(value: Value, place: Place<Position>, layer: usize) -> Self {
        let site = Site {
            layer,
            at: place.at,
        };
        let data = match (value, place.inside) {
            (Value::Array(items), Inside::List(places)) => {
                let both = items.into_iter().zip(places);
                Data::List(
                    both.map(|(item, place)| Self::of(item, place, layer))
                        .collect(),
                )
            }
            (Value::Object(mut members), Inside::Mapping(places)) => {
                let both = places.into_iter().filter_map(|(key, at, place)| {
                    let value = members.get_mut(&key)?.take();
                    Some((key, Site { layer, at }, Self::of(value, place, layer)))
                });
                Data::Map(both.collect())
            }
            (value, _) => Data::Scalar(value),
        };
        Self { site, data }
    }

    /// The value, and where everything in it comes from.
    pub(super) fn into_parts(self) -> (Value, Place<Site>) {
        let at = self.site;
        let (value, inside) = match self.data {
            Data::Scalar(value) => (value, Inside::Scalar),
            Data::List(items) => {
                let (values, places) = items.into_iter().map(Self::into_parts).unzip();
                (Value::Array(values), Inside::List(places))
            }
            Data::Map(members) => {
                let mut places = Vec::with_capacity(members.len());
                let values = members.into_iter().map(|(key, at, node)| {
                    let (value, place) = node.into_parts();
                    places.push((key.clone(), at, place));
                    (key, value)
                });
                let value = Value::Object(values.collect());
                (value, Inside::Mapping(places))
            }
        };
        (value, Place { at, inside })
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.data, Data::Scalar(Value::Null))
    }

    /// The text of a member.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let Data::Map(members) = &self.data else {
            return None;
        };
        let (_, _, node) = members.iter().find(|(name, _, _)| name == key)?;
        match &node.data {
            Data::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

/// Takes a member out.
pub(super) fn take(members: &mut Vec<Member>, key: &str) -> Option<Member> {
    let at = members.iter().position(|(name, _, _)| name == key)?;
    Some(members.remove(at))
}

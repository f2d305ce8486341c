//! Reads facts from their sources, each source once.
use super::{
    Attribute, Fact,
    headers::{Found, credential, find},
    properties::Properties,
    value::{Read, Value, fingerprint},
};
use crate::{
    hash::HashKey,
    network, origin,
    policy::{AttributeType, Identity, Source},
    time::Timestamp,
};
use alloc::{string::String, vec::Vec};
use core::{cell::OnceCell, net::IpAddr};

/// One request's sources.
pub(super) struct Reader<'r, H> {
    identity: &'r Identity,
    key: &'r HashKey,
    headers: H,
    properties: &'r dyn Properties,
    /// What the host answered, by the policy's list.
    answers: Vec<OnceCell<Option<Vec<u8>>>>,
}

impl<'r, 'h, H> Reader<'r, H>
where
    H: Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
{
    pub(super) fn new(
        identity: &'r Identity,
        key: &'r HashKey,
        headers: H,
        properties: &'r dyn Properties,
    ) -> Self {
        let answers = identity.properties.iter().map(|_| OnceCell::new());
        Self {
            answers: answers.collect(),
            identity,
            key,
            headers,
            properties,
        }
    }

    /// A fact as text.
    pub(super) fn text(&self, fact: Fact) -> Option<String> {
        self.with(fact, |value| value.to_text(self.key))
    }

    /// A fact as a point in time.
    pub(super) fn time(&self, fact: Fact) -> Option<Timestamp> {
        self.with(fact, |value| value.to_time())
    }

    /// A fact as the detector is told.
    pub(super) fn tag(&self, fact: Fact, domain: &str) -> u32 {
        let key = self.key;
        let tag = self.with(fact, |value| match value {
            Value::Header(value) => Some(origin::tag(key, domain, value)),
            // A credential is hashed apart, so that it never meets the same text in a header.
            Value::Credential(secret) => {
                let print = fingerprint(key, secret);
                Some(origin::tag(key, domain, print.as_bytes()))
            }
            Value::Text(text) => Some(origin::tag(key, domain, text.as_bytes())),
            value => {
                let text = value.to_text(key)?;
                Some(origin::tag(key, domain, text.as_bytes()))
            }
        });
        tag.unwrap_or_default()
    }

    /// The client's address.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.with(Fact::Address, |value| match value {
            Value::Header(list) => network::address_in(list, self.identity.trusted_hops),
            Value::Text(text) => network::address(text.as_bytes()),
            _ => None,
        })
    }

    /// Further facts, in the order of the policy's.
    pub(super) fn attributes(&self) -> Vec<Option<Attribute>> {
        let declared = self.identity.attributes.iter();
        let read = declared.map(|declared| {
            let value = self.value(&declared.sources)?;
            match declared.attribute_type {
                AttributeType::Text => value.to_text(self.key).map(Attribute::Text),
                AttributeType::Number => value.to_number().map(Attribute::Number),
                AttributeType::Boolean => value.to_boolean().map(Attribute::Boolean),
                AttributeType::Time => value.to_time().map(Attribute::Time),
            }
        });
        read.collect()
    }

    fn with<T>(&self, fact: Fact, read: impl FnOnce(Value<'_>) -> Option<T>) -> Option<T> {
        read(self.value(self.identity.sources.get(fact.index())?)?)
    }

    /// The first source with a value wins, but a contradiction ends the search: falling back to the next source would
    /// let a client choose by adding a header.
    ///
    /// Not copied into each of its callers: the .wasm has a size to keep.
    #[inline(never)]
    fn value<'s>(&'s self, sources: &[Source]) -> Option<Value<'s>>
    where
        'h: 's,
    {
        for source in sources {
            match self.read(source) {
                Read::Nothing => {}
                Read::Value(value) => return Some(value),
                Read::Unreadable => return None,
            }
        }
        None
    }

    fn read<'s>(&'s self, source: &Source) -> Read<'s>
    where
        'h: 's,
    {
        match source {
            Source::Header(name) => match find(self.headers.clone(), name) {
                Found::One(value) if !value.trim_ascii().is_empty() => {
                    Read::Value(Value::Header(value.trim_ascii()))
                }
                Found::Nothing | Found::One(_) => Read::Nothing,
                Found::Several => Read::Unreadable,
            },
            Source::ApiKey => match credential(self.headers.clone()) {
                Found::One(secret) => Read::Value(Value::Credential(secret)),
                Found::Nothing => Read::Nothing,
                Found::Several => Read::Unreadable,
            },
            Source::Property { index, value_type } => self
                .property(*index)
                .map_or(Read::Nothing, |bytes| Read::property(bytes, *value_type)),
        }
    }

    fn property(&self, index: usize) -> Option<&[u8]> {
        let path = self.identity.properties.get(index)?;
        let answer = self.answers.get(index)?;
        answer
            .get_or_init(|| self.properties.property(path))
            .as_deref()
    }
}

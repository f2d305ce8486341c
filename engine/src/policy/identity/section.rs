//! Sources and attributes as written.
use crate::policy::document::Source;
#[cfg(feature = "schema")]
use crate::policy::{defaults, schema};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

/// A claim of a verified JWT. Envoy's `jwt_authn` filter has to stand before Weir and keep the payload: set its
/// `payload_in_metadata`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    /// The claim: `sub`, `org.id`, or a list where a name has a dot in it: `["https://example.com/claims", tier]`. A
    /// number picks an element of a list: `groups.0`.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Segments"))]
    pub path: Path,
    /// What `payload_in_metadata` names the payload.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 256), extend("default" = defaults::PAYLOAD)))]
    pub payload: Option<String>,
    /// What the claim is: `text`, `number` or `boolean`.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::VALUE_TYPE)))]
    #[serde(rename = "type")]
    pub value_type: Option<ValueType>,
}

/// An attribute of Envoy's, read once for each exchange however many facts name it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Property {
    /// Its path: `source.address`, or a list where a name has a dot in it:
    /// `[metadata, filter_metadata, envoy.filters.http.ext_authz, account]`.
    #[cfg_attr(feature = "schema", schemars(with = "schema::Segments"))]
    pub path: Path,
    /// What the value is.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::VALUE_TYPE)))]
    #[serde(rename = "type")]
    pub value_type: Option<ValueType>,
}

/// What the client's certificate says. Absent on connections without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Its subject, as RFC 2253 writes it: `CN=batch,O=Example`.
    Subject,
    /// The first URI among its alternative names, a SPIFFE id for instance.
    UriSan,
    /// The first DNS name among its alternative names.
    DnsSan,
    /// The SHA-256 digest of the certificate, 64 hex digits.
    Sha256,
}

impl Certificate {
    /// Envoy's attribute of the connection.
    pub(super) const fn attribute(self) -> &'static str {
        match self {
            Self::Subject => "subject_peer_certificate",
            Self::UriSan => "uri_san_peer_certificate",
            Self::DnsSan => "dns_san_peer_certificate",
            Self::Sha256 => "sha256_peer_certificate_digest",
        }
    }
}

/// What a value is. Envoy hands out bytes and does not say what they are, so that eight of them may be text, a number
/// or a time; nothing is guessed. A value of another form than its type counts as unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// UTF-8 text of letters, digits, visible ASCII and spaces.
    Text,
    /// A number of dynamic metadata or of a claim: a double of eight bytes. As an id it has to be whole, from 0 to
    /// 2^53; as a time it counts seconds since 1970, as `iat` does.
    Number,
    /// Any other number of Envoy's: a signed integer of eight bytes. As a time it counts seconds since 1970.
    Integer,
    /// One byte.
    Boolean,
    /// A point in time of Envoy's (`request.time`): nanoseconds since 1970 in eight bytes.
    Time,
}

/// A further fact about the caller.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// Where it comes from; the first source that yields a value wins.
    #[cfg_attr(feature = "schema", schemars(required, length(min = 1)))]
    pub sources: Option<Vec<Source>>,
    /// What it is. A value that cannot be read as this is not known.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ATTRIBUTE_TYPE)))]
    #[serde(rename = "type")]
    pub attribute_type: Option<AttributeType>,
}

/// What an attribute is, and so what may be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text: a list of values, or `{prefix: [...]}`.
    Text,
    /// A number: `{atLeast: 5, atMost: 10}`. Text is read as JSON writes numbers.
    Number,
    /// `true` or `false`: `{is: true}`.
    Boolean,
    /// A point in time: `{before: ..., after: ..., minAge: 30d}`. Text is read as RFC 3339.
    Time,
}

/// Segments, as a list or as one text with dots between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = Path;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path, `a.b` or `[a, b]`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Path, E> {
        Ok(Path(text.split('.').map(ToString::to_string).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Path, A::Error> {
        let mut segments = Vec::new();
        while let Some(segment) = list.next_element()? {
            segments.push(segment);
        }
        Ok(Path(segments))
    }
}

//! The `identity` section: where the facts about the caller come from.
mod section;
#[cfg(test)]
mod tests;

pub(super) use section::{Attribute, Certificate, Claim, Path, Property};
pub(crate) use section::{AttributeType, ValueType};

use super::{
    defaults,
    diagnostic::{Code, Diagnostics},
    document::{self, Anonymous},
    validate::{CREDENTIAL_HEADERS, MAX_NAME_BYTES, check_name, clip, missing, too_many},
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Facts about the caller that have sources.
const FACTS: usize = 9;
/// Most attributes of one policy; each costs a look-up for every exchange.
const MAX_ATTRIBUTES: usize = 32;
/// Most trusted hops: more proxies of one's own nobody has in a row.
const MAX_HOPS: u32 = 32;
/// Most segments of a path, and most bytes of one.
const MAX_SEGMENTS: usize = 16;
const MAX_SEGMENT_BYTES: usize = 256;
/// Where `jwt_authn` leaves payloads, below the name that its provider gives them.
const CLAIMS: [&str; 3] = [
    "metadata",
    "filter_metadata",
    "envoy.filters.http.jwt_authn",
];

/// Where the caller's facts come from.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// By `Fact`.
    pub(crate) sources: [Vec<Source>; FACTS],
    pub(crate) attributes: Vec<Declared>,
    /// Paths of the properties that sources name, each once; segments separated by zero bytes.
    pub(crate) properties: Vec<String>,
    /// How many addresses of a list stand behind the client's.
    pub(crate) trusted_hops: usize,
    /// Some tier asks for the client's network.
    pub(crate) asks_for_network: bool,
    pub(crate) anonymous_shared: bool,
}

/// A further fact.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) attribute_type: AttributeType,
    pub(crate) sources: Vec<Source>,
}

/// One place to read a fact from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The header of this lower-case name.
    Header(String),
    /// The credential, hashed.
    ApiKey,
    /// A property of the host.
    Property {
        /// Of its path, in the policy's list.
        index: usize,
        /// What its bytes are.
        value_type: ValueType,
    },
}

impl Identity {
    /// Index of the attribute of this name.
    pub(super) fn attribute(&self, name: &str) -> Option<usize> {
        let mut declared = self.attributes.iter();
        declared.position(|attribute| attribute.name == name)
    }
}

/// Checks the section.
pub(super) fn compile(given: Option<document::Identity>, d: &mut Diagnostics) -> Identity {
    let Some(given) = given else {
        missing(
            "identity",
            "say where the account comes from: `identity: {account: [{header: x-account-id}]}`",
            d,
        );
        return Identity::default();
    };
    if given.account.as_ref().is_none_or(Vec::is_empty) {
        missing(
            "identity.account",
            "name at least one source, e.g. `[{header: x-account-id}, {apiKey: {}}]`",
            d,
        );
    }
    let trusted_hops = trusted_hops(given.trusted_hops, given.address.as_deref(), d);
    let mut properties = Vec::new();
    let mut sources = |list: Option<Vec<document::Source>>, name: &str, wants: AttributeType| {
        let path = format!("identity.{name}");
        compile_sources(list.unwrap_or_default(), &path, wants, &mut properties, d)
    };
    let or = |list: Option<Vec<document::Source>>, header: &str| {
        list.or_else(|| Some(Vec::from([document::Source::Header(header.to_string())])))
    };
    let text = AttributeType::Text;
    let facts = [
        sources(given.account, "account", text),
        sources(given.organization, "organization", text),
        sources(given.created, "created", AttributeType::Time),
        sources(given.verification, "verification", text),
        sources(given.plan, "plan", text),
        sources(or(given.payment, defaults::PAYMENT_HEADER), "payment", text),
        sources(or(given.address, defaults::ADDRESS_HEADER), "address", text),
        sources(or(given.asn, defaults::ASN_HEADER), "asn", text),
        sources(or(given.client, defaults::CLIENT_HEADER), "client", text),
    ];
    let attributes = attributes(given.attributes.unwrap_or_default(), &mut properties, d);
    Identity {
        sources: facts,
        attributes,
        properties,
        trusted_hops,
        asks_for_network: false,
        anonymous_shared: given.anonymous.unwrap_or(defaults::ANONYMOUS) == Anonymous::Shared,
    }
}

fn trusted_hops(
    given: Option<u32>,
    address: Option<&[document::Source]>,
    d: &mut Diagnostics,
) -> usize {
    const PATH: &str = "identity.trustedHops";
    let hops = given.unwrap_or(defaults::TRUSTED_HOPS);
    if hops > MAX_HOPS {
        let help = format!(
            "write how many proxies of your own append to the list, at most {MAX_HOPS}; \
             Envoy calls it `xff_num_trusted_hops`"
        );
        let message = format!("{hops} is out of range");
        d.error(Code::OutOfRange, PATH, message, help);
    }
    let is_header = |source: &document::Source| matches!(source, document::Source::Header(_));
    if hops > 0 && address.is_some_and(|sources| !sources.iter().any(is_header)) {
        let message = "`address` comes from no header, so that there is no list to count in";
        let help = "remove it, or read `address` from a header: `[{header: x-forwarded-for}]`";
        d.warning(Code::IdleHops, PATH, message, help);
    }
    usize::try_from(hops).unwrap_or(usize::MAX)
}

fn attributes(
    given: BTreeMap<String, Attribute>,
    properties: &mut Vec<String>,
    d: &mut Diagnostics,
) -> Vec<Declared> {
    if given.len() > MAX_ATTRIBUTES {
        too_many("identity.attributes", given.len(), MAX_ATTRIBUTES, d);
    }
    let mut declared = Vec::new();
    for (name, attribute) in given {
        let path = format!("identity.attributes.{}", clip(&name));
        check_name(&name, &path, d);
        let sources = attribute.sources.unwrap_or_default();
        let list = format!("{path}.sources");
        if sources.is_empty() {
            missing(
                &list,
                "name at least one source, e.g. `[{header: x-region}]`",
                d,
            );
        }
        let attribute_type = attribute.attribute_type.unwrap_or(defaults::ATTRIBUTE_TYPE);
        declared.push(Declared {
            name,
            attribute_type,
            sources: compile_sources(sources, &list, attribute_type, properties, d),
        });
    }
    declared
}

/// The sources at `list`, for a fact that is a `wants`.
fn compile_sources(
    given: Vec<document::Source>,
    list: &str,
    wants: AttributeType,
    properties: &mut Vec<String>,
    d: &mut Diagnostics,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for (index, source) in given.into_iter().enumerate() {
        let at = format!("{list}[{index}]");
        let (path, value_type, at) = match source {
            document::Source::Header(name) => {
                header(&name, &format!("{at}.header"), d);
                sources.push(Source::Header(name));
                continue;
            }
            document::Source::ApiKey(_) => {
                sources.push(Source::ApiKey);
                continue;
            }
            document::Source::Claim(claim) => {
                let at = format!("{at}.claim");
                let payload = claim
                    .payload
                    .unwrap_or_else(|| defaults::PAYLOAD.to_string());
                segments(core::slice::from_ref(&payload), &format!("{at}.payload"), d);
                segments(&claim.path.0, &format!("{at}.path"), d);
                let place = CLAIMS.iter().map(ToString::to_string);
                let path: Vec<String> = place.chain([payload]).chain(claim.path.0).collect();
                (path, claim.value_type.unwrap_or(defaults::VALUE_TYPE), at)
            }
            document::Source::Certificate(part) => {
                let path = ["connection", part.attribute()].map(ToString::to_string);
                (path.into(), ValueType::Text, format!("{at}.certificate"))
            }
            document::Source::Property(property) => {
                let at = format!("{at}.property");
                property_path(&property.path, &format!("{at}.path"), d);
                (
                    property.path.0,
                    property.value_type.unwrap_or(defaults::VALUE_TYPE),
                    at,
                )
            }
        };
        check_type(&path, value_type, wants, &at, d);
        sources.push(Source::Property {
            index: place(properties, path.join("\0")),
            value_type,
        });
    }
    sources
}

/// Index of `path` in the list, which has it from now on.
fn place(properties: &mut Vec<String>, path: String) -> usize {
    if let Some(known) = properties.iter().position(|known| known == &path) {
        return known;
    }
    properties.push(path);
    properties.len().saturating_sub(1)
}

fn header(name: &str, path: &str, d: &mut Diagnostics) {
    if CREDENTIAL_HEADERS.contains(&name) {
        credential(name, path, d);
    }
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(token) {
        d.error(
            Code::BadName,
            path,
            format!("`{}` is not a lower-case header name", clip(name)),
            "write the header's name in lower case, e.g. `x-account-id`",
        );
    }
}

fn credential(header: &str, path: &str, d: &mut Diagnostics) {
    d.error(
        Code::CredentialSource,
        path,
        format!("`{header}` carries a credential, which would stand in every decision"),
        "write `apiKey: {}`, which uses a keyed hash of it",
    );
}

fn segments(given: &[String], path: &str, d: &mut Diagnostics) {
    let plain = |segment: &String| {
        !segment.is_empty()
            && segment.len() <= MAX_SEGMENT_BYTES
            && !segment.chars().any(char::is_control)
    };
    if given.is_empty() || given.len() > MAX_SEGMENTS || !given.iter().all(plain) {
        let help = format!(
            "write 1 to {MAX_SEGMENTS} names, e.g. `a.b`, or `[a, b.c]` where a name has a dot"
        );
        d.error(Code::BadPath, path, "it is no path", help);
    }
}

fn property_path(given: &Path, path: &str, d: &mut Diagnostics) {
    segments(&given.0, path, d);
    let mut names = given.0.iter().map(String::as_str);
    match (names.next(), names.next(), names.next()) {
        (Some("request"), Some("headers"), Some(name)) => {
            let name = name.to_ascii_lowercase();
            if CREDENTIAL_HEADERS.contains(&name.as_str()) {
                credential(&name, path, d);
            }
        }
        // Some clients put their key into the query.
        (Some("request"), Some(name @ ("path" | "query")), None) => {
            credential(name, path, d);
        }
        (Some("response" | "upstream"), ..) => {
            let message = "nobody knows it when a request arrives";
            let help =
                "name something of the request, its connection, or what a filter before Weir left";
            d.error(Code::BadPath, path, message, help);
        }
        _ => {}
    }
}

/// Whether a value of this type can stand at this path, and can be what the fact wants.
fn check_type(
    path: &[String],
    value_type: ValueType,
    wants: AttributeType,
    at: &str,
    d: &mut Diagnostics,
) {
    use {AttributeType as Fact, ValueType as Value};
    let root = path.first().map(String::as_str).unwrap_or_default();
    let message_and_help = match (root, value_type, wants) {
        ("metadata", Value::Integer | Value::Time, _) => (
            "numbers in dynamic metadata and in claims are doubles",
            "write `type: number`",
        ),
        (
            "request" | "connection" | "connection_id" | "source" | "destination",
            Value::Number,
            _,
        ) => (
            "numbers of requests and connections are integers",
            "write `type: integer`",
        ),
        (_, Value::Boolean | Value::Time, Fact::Number) => {
            ("the fact is a number", "write `type: number` or `integer`")
        }
        (_, Value::Number | Value::Integer | Value::Time, Fact::Boolean) => {
            ("the fact is `true` or `false`", "write `type: boolean`")
        }
        (_, Value::Boolean, Fact::Time) => (
            "the fact is a point in time",
            "leave `type` out for RFC 3339, or write `number` for seconds since 1970",
        ),
        _ => return,
    };
    let (message, help) = message_and_help;
    d.error(Code::WrongType, format!("{at}.type"), message, help);
}

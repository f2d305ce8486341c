//! The JSON inside an attestation, read strictly: a member that counts stands once and has its type.
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};

/// The protected header (RFC 7515, section 4.1). Members without a meaning here are ignored, as it asks for.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: String,
    /// Whether `crit` stands there, whatever it says: no extension is understood.
    #[serde(default, deserialize_with = "is_there")]
    pub(super) crit: bool,
}

/// The claims (RFC 7519, section 4.1).
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) aud: Audience,
    pub(super) exp: Seconds,
    pub(super) iat: Seconds,
    pub(super) nbf: Option<Seconds>,
    pub(super) weir_level: String,
}

/// One audience or a list of them.
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(super) fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(audience) => audience == wanted,
            Self::Several(audiences) => audiences.iter().any(|audience| audience == wanted),
        }
    }
}

/// A NumericDate: seconds since the epoch; parts of a second are cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(pub(super) u64);

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: Error>(self, audience: &str) -> Result<Audience, E> {
                Ok(Audience::One(audience.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Audience, A::Error> {
                let mut audiences = Vec::new();
                while let Some(audience) = list.next_element()? {
                    audiences.push(audience);
                }
                Ok(Audience::Several(audiences))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numeric;

        impl Visitor<'_> for Numeric {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since the epoch")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Seconds, E> {
                Ok(Seconds(seconds))
            }

            fn visit_f64<E: Error>(self, seconds: f64) -> Result<Seconds, E> {
                /// Beyond it an `f64` does not tell one second from the next; nor does anybody live to see it.
                const LATEST: f64 = 9_007_199_254_740_992.0;
                if !(0.0..LATEST).contains(&seconds) {
                    return Err(E::custom("not a point in time"));
                }
                #[expect(
                    clippy::as_conversions,
                    reason = "checked: a finite number that an integer holds"
                )]
                Ok(Seconds(seconds as u64))
            }
        }

        deserializer.deserialize_any(Numeric)
    }
}

//! What a request says in its headers.

/// What a request says under one header name.
pub(crate) enum Found<'h> {
    Nothing,
    One(&'h [u8]),
    /// Different values: the client's and the authentication's, and nobody can say which is which.
    Several,
}

impl<'h> Found<'h> {
    pub(crate) fn one(self) -> Option<&'h [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::Nothing | Self::Several => None,
        }
    }
}

pub(crate) fn find<'h>(
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])>,
    name: &str,
) -> Found<'h> {
    let mut found = Found::Nothing;
    for (key, value) in headers {
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            match found {
                Found::Nothing => found = Found::One(value),
                Found::One(first) if first == value => {}
                Found::One(_) | Found::Several => return Found::Several,
            }
        }
    }
    found
}

/// Whether a body is encoded: any `content-encoding` says other than identity, because nobody knows which of
/// several its reader heeds.
pub(crate) fn is_encoded<'h>(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> bool {
    headers
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"))
        .any(|(_, value)| {
            let encoding = value.trim_ascii();
            !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity")
        })
}

/// The credential that a request carries.
pub(super) fn credential<'h>(
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> Option<&'h [u8]> {
    let bearer = find(headers.clone(), "authorization")
        .one()
        .and_then(|value| {
            let (scheme, secret) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(secret)
        });
    let secret = bearer
        .or_else(|| find(headers.clone(), "x-api-key").one())
        .or_else(|| find(headers, "api-key").one())?;
    let secret = secret.trim_ascii();
    (!secret.is_empty()).then_some(secret)
}

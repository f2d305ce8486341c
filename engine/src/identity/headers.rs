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

/// The credential that a request carries. Several that differ identify nobody: the upstream heeds one of them, and a
/// client could choose who it is by adding another.
pub(super) fn credential<'h>(
    headers: impl Iterator<Item = (&'h [u8], &'h [u8])> + Clone,
) -> Found<'h> {
    let mut found = Found::Nothing;
    for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key"] {
        let value = match find(headers.clone(), name) {
            Found::Nothing => continue,
            Found::Several => return Found::Several,
            Found::One(value) => value,
        };
        let secret = match (name, value.split_at_checked(7)) {
            ("authorization", Some((scheme, secret)))
                if scheme.eq_ignore_ascii_case(b"bearer ") =>
            {
                secret
            }
            ("authorization", _) => continue,
            _ => value,
        };
        let secret = secret.trim_ascii();
        match found {
            _ if secret.is_empty() => {}
            Found::Nothing => found = Found::One(secret),
            Found::One(first) if first == secret => {}
            Found::One(_) | Found::Several => return Found::Several,
        }
    }
    found
}

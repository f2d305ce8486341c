//! The `privacy` section: what decisions tell of callers. Lists, tiers and budgets go by the real ids in any case.
#[cfg(feature = "schema")]
use super::schema;
use super::{
    defaults,
    diagnostic::{Code, Diagnostics},
    verification::KeyText,
};
use crate::{hash::HashKey, identity::Caller};
use alloc::{format, string::String};
use base64ct::{Base64, Encoding};
use core::ops::RangeInclusive;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Bytes of a key: enough that nobody guesses it, and no more than anybody means.
const KEY_BYTES: RangeInclusive<usize> = 16..=256;
const KEY: &str = "privacy.key";

/// What decisions tell of callers.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "Privacy"))]
pub struct Section {
    /// How decisions name accounts.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ACCOUNTS)))]
    pub accounts: Option<Id>,
    /// How decisions name organizations.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::ORGANIZATIONS)))]
    pub organizations: Option<Id>,
    /// How decisions name models.
    #[cfg_attr(feature = "schema", schemars(extend("default" = defaults::MODELS)))]
    pub models: Option<Model>,
    /// Key of pseudonyms, 16 random bytes or more, base64. With it one account has one pseudonym in every process that has
    /// the key, and whoever has it can find out whose pseudonym one is by trying ids. Without it the proxy draws a key
    /// when it starts, and pseudonyms change then.
    #[cfg_attr(feature = "schema", schemars(with = "Option<schema::Base64>"))]
    pub key: Option<KeyText>,
}

/// How decisions name an account or organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", schemars(rename = "CallerName"))]
pub enum Id {
    /// As it is.
    #[default]
    Plain,
    /// By a keyed hash of it, `p-` and 32 hex digits; equal for equal ids.
    Pseudonym,
}

/// How decisions name a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", schemars(rename = "ModelName"))]
pub enum Model {
    /// As the request names it.
    #[default]
    Plain,
    /// Not at all.
    Hidden,
}

/// The section, compiled.
#[derive(Debug, Default)]
pub(crate) struct Privacy {
    accounts: Id,
    organizations: Id,
    pub(crate) hides_models: bool,
    key: Option<HashKey>,
}

impl Privacy {
    /// How decisions name the caller's account; `key` is the process's.
    pub(crate) fn account(&self, caller: &Caller, key: &HashKey) -> Option<String> {
        self.pseudonym(self.accounts, "pseudonym.account", &caller.account, key)
    }

    /// How decisions name the caller's organization.
    pub(crate) fn organization(&self, caller: &Caller, key: &HashKey) -> Option<String> {
        let id = caller.organization.as_ref()?;
        self.pseudonym(self.organizations, "pseudonym.organization", id, key)
    }

    fn pseudonym(&self, how: Id, domain: &str, id: &str, key: &HashKey) -> Option<String> {
        let key = self.key.as_ref().unwrap_or(key);
        (how == Id::Pseudonym).then(|| format!("p-{:032x}", key.hash128(domain, &[id.as_bytes()])))
    }
}

/// Checks the section. No message repeats anything of the key.
pub(super) fn compile(given: Option<Section>, d: &mut Diagnostics) -> Privacy {
    let given = given.unwrap_or_default();
    let accounts = given.accounts.unwrap_or(defaults::ACCOUNTS);
    let organizations = given.organizations.unwrap_or(defaults::ORGANIZATIONS);
    if given.key.is_some() && accounts == Id::Plain && organizations == Id::Plain {
        let message = "nothing is told by a pseudonym, the key does nothing";
        let help = "write `accounts: pseudonym`, or remove the key";
        d.warning(Code::IdleKey, KEY, message, help);
    }
    Privacy {
        accounts,
        organizations,
        hides_models: given.models.unwrap_or(defaults::MODELS) == Model::Hidden,
        key: given.key.and_then(|text| hash_key(&text, d)),
    }
}

fn hash_key(text: &KeyText, d: &mut Diagnostics) -> Option<HashKey> {
    let bytes = text.as_str().and_then(|text| Base64::decode_vec(text).ok());
    let message = match bytes {
        Some(bytes) if KEY_BYTES.contains(&bytes.len()) => {
            // Of any length to the length of the hash's key.
            let digest: [u8; 32] = Sha256::digest(&bytes).into();
            return digest.first_chunk().copied().map(HashKey::new);
        }
        Some(bytes) => format!("it has {} bytes", bytes.len()),
        None => String::from("it is not base64"),
    };
    let (least, most) = (KEY_BYTES.start(), KEY_BYTES.end());
    let help = format!("write {least} to {most} random bytes in base64: `openssl rand -base64 32`");
    d.error(Code::BadKey, KEY, message, help);
    None
}

#[cfg(test)]
mod tests;

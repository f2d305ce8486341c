//! What the detector is told of one exchange: hashes, counts and classes, never text.
use super::prompt::PromptPrint;
use crate::time::Timestamp;

/// How an account was verified, weakest first. Unknown is neutral, never suspicious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verification {
    /// The policy gives no source, or the request no value that we know.
    #[default]
    Unknown,
    /// Said to be unverified.
    None,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A document.
    Document,
    /// An organization that was checked.
    Organization,
}

impl Verification {
    /// The verification that `word` names, whatever its case; [`Self::Unknown`] for a word that we do not know.
    ///
    /// Words: `none`, `email`, `phone`, `document` or `identity`, `organization`.
    pub fn parse(word: &str) -> Self {
        named(
            word,
            &[
                ("none", Self::None),
                ("email", Self::Email),
                ("phone", Self::Phone),
                ("document", Self::Document),
                ("identity", Self::Document),
                ("organization", Self::Organization),
            ],
        )
    }
}

/// What an account pays for. Unknown is neutral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// The policy gives no source, or the request no value that we know.
    #[default]
    Unknown,
    /// Nothing.
    Free,
    /// As it goes.
    PayAsYouGo,
    /// A team plan.
    Team,
    /// A contract.
    Enterprise,
}

impl Plan {
    /// The plan that `word` names, whatever its case; [`Self::Unknown`] for a word that we do not know.
    ///
    /// Words: `free`, `payg`, `team`, `enterprise`.
    pub fn parse(word: &str) -> Self {
        named(
            word,
            &[
                ("free", Self::Free),
                ("payg", Self::PayAsYouGo),
                ("team", Self::Team),
                ("enterprise", Self::Enterprise),
            ],
        )
    }
}

/// The value of `word`, surrounding white space and case aside; the default where it is not in `names`.
fn named<T: Copy + Default>(word: &str, names: &[(&str, T)]) -> T {
    let word = word.trim();
    names
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map_or_else(T::default, |&(_, value)| value)
}

/// One exchange as the detector sees it. Identities are keyed hashes; 0 stands for "not known" in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// When the request came.
    pub time: Timestamp,
    /// The account; never 0.
    pub account: u64,
    /// The organization above it.
    pub organization: u64,
    /// When the account was created, where that is known.
    pub created: Option<Timestamp>,
    /// How it was verified.
    pub verification: Verification,
    /// What it pays for.
    pub plan: Plan,
    /// Payment instrument.
    pub payment: u32,
    /// Network prefix of the client: /24 of IPv4, /48 of IPv6.
    pub network: u32,
    /// Autonomous system of the client.
    pub asn: u32,
    /// Client program and version (`user-agent`).
    pub client: u32,
    /// Shape of the body: order of keys and values of parameters; no text and no header.
    pub shape: u32,
    /// Model asked for.
    pub model: u32,
    /// What the prompt looks like.
    pub prompt: PromptPrint,
    /// User turns in the history, this one included.
    pub user_turns: u16,
    /// Tool results in the history.
    pub tool_results: u16,
    /// Tools are offered.
    pub tools: bool,
    /// Reasoning or log-probabilities are to be shown.
    pub reasoning: bool,
    /// More than one answer is asked for.
    pub samples: bool,
    /// The request was refused, so nothing was served.
    pub refused: bool,
    /// Prompt tokens; 0 when not known.
    pub input_tokens: u32,
    /// Completion tokens; 0 when not known.
    pub output_tokens: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_shipped_policy_are_known_in_any_case() {
        assert_eq!(Verification::parse("email"), Verification::Email);
        assert_eq!(Verification::parse("PHONE"), Verification::Phone);
        assert_eq!(Verification::parse("Document"), Verification::Document);
        assert_eq!(Verification::parse("identity"), Verification::Document);
        assert_eq!(Verification::parse(" none "), Verification::None);
        assert_eq!(
            Verification::parse("organization"),
            Verification::Organization
        );
        assert_eq!(Plan::parse("Free"), Plan::Free);
        assert_eq!(Plan::parse("payg"), Plan::PayAsYouGo);
        assert_eq!(Plan::parse("team"), Plan::Team);
        assert_eq!(Plan::parse("ENTERPRISE"), Plan::Enterprise);
    }

    #[test]
    fn an_unknown_word_is_neutral() {
        for word in ["", "gold", "e-mail", "no\u{0}ne"] {
            assert_eq!(Verification::parse(word), Verification::Unknown);
            assert_eq!(Plan::parse(word), Plan::Unknown);
        }
    }
}

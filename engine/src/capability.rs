//! Which sensitive abilities a request asks for: typed conditions on its facts, and one automaton over its text.
//!
//! The text search reads a bounded part of the prompt ([`Excerpt`]), so that its cost does not grow with
//! the conversation.
use crate::facts::{RawText, RequestFacts, Role, TextSink};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use alloc::{string::String, vec::Vec};

/// Most capabilities of one policy; a set of them is one word.
pub const MAX_CAPABILITIES: usize = 32;

/// Most phrases of one policy, all capabilities together.
pub const MAX_PHRASES: usize = 512;

/// Bytes of all phrases together: the automaton takes up to a kilobyte for each.
pub const MAX_PHRASE_TEXT: usize = 16 * 1024;
const PHRASE_WORDS: usize = MAX_PHRASES / 64;

/// A set of a policy's capabilities, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapabilitySet(u32);

impl CapabilitySet {
    /// Adds capability `index`; those beyond `MAX_CAPABILITIES` cannot exist.
    pub fn insert(&mut self, index: usize) {
        let bit = u32::try_from(index)
            .ok()
            .and_then(|index| 1u32.checked_shl(index));
        self.0 |= bit.unwrap_or_default();
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in `self` and not in `granted`.
    pub const fn without(self, granted: Self) -> Self {
        Self(self.0 & !granted.0)
    }

    /// Indices, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAX_CAPABILITIES).filter(move |&index| {
            let mut one = Self::default();
            one.insert(index);
            self.0 & one.0 != 0
        })
    }
}

/// One condition on a request, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Tools offered, at least.
    Tools(u32),
    /// Tool results in the history, at least.
    ToolResults(u32),
    /// User messages, at least.
    UserTurns(u32),
    /// Answers asked for at once, at least.
    Samples(u32),
    /// Output tokens asked for, at least.
    OutputTokens(u32),
    /// Reasoning that the caller asks to see.
    VisibleReasoning,
    /// Token probabilities.
    Logprobs,
    /// Different phrases of `of` found, at least.
    Phrases {
        /// How many count.
        at_least: u32,
        /// The phrases.
        of: Vec<String>,
    },
}

#[derive(Debug)]
enum Test {
    Facts(Condition),
    Phrases {
        at_least: u32,
        mask: [u64; PHRASE_WORDS],
    },
}

/// A policy's capabilities, ready to be recognised.
#[derive(Debug)]
pub struct Capabilities {
    names: Vec<String>,
    tests: Vec<Vec<Test>>,
    phrases: Option<AhoCorasick>,
    scan_bytes: usize,
}

/// The phrases together are too many for an automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given} phrases are more than {MAX_PHRASES}, or more than {MAX_PHRASE_TEXT} bytes together"
)]
pub struct TooManyPhrases {
    /// Phrases given.
    pub given: usize,
}

impl Capabilities {
    /// Compiles `definitions` (name, conditions); the search reads `scan_bytes` of prompt text at most.
    ///
    /// # Errors
    /// [`TooManyPhrases`] when they exceed the automaton's limits.
    pub fn compile(
        definitions: Vec<(String, Vec<Condition>)>,
        scan_bytes: usize,
    ) -> Result<Self, TooManyPhrases> {
        let mut patterns: Vec<String> = Vec::new();
        let mut names = Vec::new();
        let mut tests = Vec::new();
        for (name, conditions) in definitions {
            let mut compiled = Vec::new();
            for condition in conditions {
                compiled.push(match condition {
                    Condition::Phrases { at_least, of } => {
                        let mut mask = [0u64; PHRASE_WORDS];
                        for phrase in of {
                            let phrase = folded(&phrase);
                            let index = patterns
                                .iter()
                                .position(|known| known.eq_ignore_ascii_case(&phrase))
                                .unwrap_or_else(|| {
                                    patterns.push(phrase);
                                    patterns.len().saturating_sub(1)
                                });
                            mark(&mut mask, index).ok_or(TooManyPhrases {
                                given: patterns.len(),
                            })?;
                        }
                        Test::Phrases { at_least, mask }
                    }
                    facts => Test::Facts(facts),
                });
            }
            names.push(name);
            tests.push(compiled);
        }
        let text = patterns
            .iter()
            .fold(0usize, |sum, phrase| sum.saturating_add(phrase.len()));
        let phrases = if patterns.is_empty() {
            None
        } else if text > MAX_PHRASE_TEXT {
            return Err(TooManyPhrases {
                given: patterns.len(),
            });
        } else {
            // Overlapping search (every phrase counts, also inside another) needs the standard semantics.
            let built = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::DFA))
                .build(&patterns);
            Some(built.map_err(|_| TooManyPhrases {
                given: patterns.len(),
            })?)
        };
        Ok(Self {
            names,
            tests,
            phrases,
            scan_bytes,
        })
    }

    /// Names by index.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A sink for the prompt text of one request.
    pub fn excerpt(&self) -> Excerpt {
        let limit = if self.phrases.is_some() {
            self.scan_bytes
        } else {
            0
        };
        Excerpt::new(limit)
    }

    /// The capabilities that a request asks for. Time: linear in the excerpt.
    pub fn of(&self, facts: &RequestFacts<'_>, excerpt: &Excerpt) -> CapabilitySet {
        let found = self.search(excerpt);
        let mut set = CapabilitySet::default();
        for (index, tests) in self.tests.iter().enumerate() {
            if tests.iter().any(|test| test.holds(facts, &found)) {
                set.insert(index);
            }
        }
        set
    }

    fn search(&self, excerpt: &Excerpt) -> [u64; PHRASE_WORDS] {
        let mut found = [0u64; PHRASE_WORDS];
        let Some(automaton) = &self.phrases else {
            return found;
        };
        for text in excerpt.parts() {
            for hit in automaton.find_overlapping_iter(text) {
                if is_word(text, hit.start(), hit.end()) {
                    let _ = mark(&mut found, hit.pattern().as_usize());
                }
            }
        }
        found
    }
}

impl Test {
    fn holds(&self, facts: &RequestFacts<'_>, found: &[u64; PHRASE_WORDS]) -> bool {
        match self {
            Self::Phrases { at_least, mask } => {
                let hits: u32 = mask
                    .iter()
                    .zip(found)
                    .map(|(wanted, found)| (wanted & found).count_ones())
                    .sum();
                hits >= *at_least
            }
            Self::Facts(condition) => match condition {
                Condition::Tools(least) => facts.tools >= *least,
                Condition::ToolResults(least) => facts.tool_results >= *least,
                Condition::UserTurns(least) => facts.user_turns >= *least,
                Condition::Samples(least) => facts.samples >= *least,
                Condition::OutputTokens(least) => facts
                    .max_output_tokens
                    .is_some_and(|tokens| tokens >= *least),
                Condition::VisibleReasoning => facts.reasoning.visible,
                Condition::Logprobs => facts.logprobs,
                Condition::Phrases { .. } => false,
            },
        }
    }
}

fn mark(set: &mut [u64; PHRASE_WORDS], index: usize) -> Option<()> {
    let bit = u32::try_from(index & 63).ok()?;
    *set.get_mut(index >> 6)? |= 1u64.checked_shl(bit)?;
    Some(())
}

/// Whether a match ends where words end: `class` must not be found in `classroom`.
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let at = |index: usize| text.get(index).is_some_and(u8::is_ascii_alphanumeric);
    let clear = |inside: usize, outside: Option<usize>| !at(inside) || !outside.is_some_and(at);
    clear(start, start.checked_sub(1)) && clear(end.saturating_sub(1), Some(end))
}

/// The part of a prompt that the phrase search reads: bounded, folded, never kept.
///
/// The start of the system prompt, the start of the last long piece that the user said, and the end of
/// everything that the user said, however many messages and parts it comes in: a request does not hide
/// behind a last message of one character.
#[derive(Debug)]
pub struct Excerpt {
    limit: usize,
    scratch: Vec<u8>,
    system: Vec<u8>,
    start: Vec<u8>,
    recent: Vec<u8>,
}

impl Excerpt {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            scratch: Vec::new(),
            system: Vec::new(),
            start: Vec::new(),
            recent: Vec::new(),
        }
    }

    fn parts(&self) -> [&[u8]; 3] {
        [&self.system, &self.start, &self.recent]
    }

    /// The user's pieces, one behind the other; what is oldest gives way.
    fn user(&mut self, text: RawText<'_>) {
        let (quarter, half) = (self.limit >> 2, self.limit >> 1);
        let raw = text.raw;
        if raw.len() > half {
            self.start.clear();
            self.scratch.clear();
            text.unescape_into(&mut self.scratch, quarter);
            fold(&self.scratch, &mut self.start);
        }
        // Cutting inside an escape garbles one character at the edge, no more.
        let cut = (raw.len().saturating_sub(half)..=raw.len())
            .find(|&at| raw.is_char_boundary(at))
            .unwrap_or(raw.len());
        let end = RawText {
            raw: raw.get(cut..).unwrap_or_default(),
            escaped: text.escaped,
        };
        self.scratch.clear();
        end.unescape_into(&mut self.scratch, half);
        self.recent.push(b' ');
        fold(&self.scratch, &mut self.recent);
        let excess = self.recent.len().saturating_sub(half);
        self.recent.drain(..excess);
    }
}

impl TextSink for Excerpt {
    fn text(&mut self, role: Role, text: RawText<'_>) {
        if self.limit == 0 {
            return;
        }
        match role {
            Role::System => {
                let left = (self.limit >> 2).saturating_sub(self.system.len());
                if left > 0 {
                    self.scratch.clear();
                    text.unescape_into(&mut self.scratch, left);
                    self.system.push(b' ');
                    fold(&self.scratch, &mut self.system);
                }
            }
            Role::User => self.user(text),
            Role::Assistant | Role::Tool => {}
        }
    }
}

/// A phrase as the excerpt would show it.
fn folded(phrase: &str) -> String {
    let mut bytes = Vec::new();
    fold(phrase.trim().as_bytes(), &mut bytes);
    // Only whole characters are dropped or replaced, so it stays UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Appends `text` with its spellings made one: runs of white space and hyphens become one space, and
/// characters without width vanish. Case is left to the automaton.
fn fold(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let (space, length) = match rest {
            [b' ' | b'\t' | b'\n' | b'\r' | b'-', ..] => (Some(true), 1),
            [0xc2, 0xa0, ..] => (Some(true), 2), // no-break space
            [0xc2, 0xad, ..] => (Some(false), 2), // soft hyphen
            [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..] => (Some(false), 3), // zero width, direction
            [0xe2, 0x80, 0x80..=0x95 | 0xa8 | 0xa9 | 0xaf, ..] => (Some(true), 3), // spaces, hyphens, dashes
            [0xe2, 0x81, 0xa0..=0xa9, ..] => (Some(false), 3), // word joiner, direction
            [0xef, 0xbb, 0xbf, ..] => (Some(false), 3),        // byte order mark
            _ => (None, 1),
        };
        match space {
            None => out.push(byte),
            Some(true) if out.last() != Some(&b' ') => out.push(b' '),
            Some(_) => {}
        }
        rest = if length == 1 {
            after
        } else {
            rest.get(length..).unwrap_or_default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use std::format;

    fn capabilities(at_least: u32, phrases: &[&str]) -> Capabilities {
        let of = phrases.iter().map(|phrase| (*phrase).to_string()).collect();
        Capabilities::compile(
            vec![("c".to_string(), vec![Condition::Phrases { at_least, of }])],
            1024,
        )
        .unwrap()
    }

    fn asks(capabilities: &Capabilities, turns: &[(Role, &str)]) -> bool {
        let mut excerpt = capabilities.excerpt();
        for (role, raw) in turns {
            excerpt.text(
                *role,
                RawText {
                    raw,
                    escaped: raw.contains('\\'),
                },
            );
        }
        !capabilities
            .of(&RequestFacts::default(), &excerpt)
            .is_empty()
    }

    #[test]
    fn a_phrase_is_found_whatever_its_case_but_only_as_whole_words() {
        let rust = capabilities(1, &["rust", "```"]);

        assert!(asks(&rust, &[(Role::User, "Write RUST, please")]));
        assert!(asks(&rust, &[(Role::User, r"first line\nrust")]));
        assert!(asks(&rust, &[(Role::User, "x```y")]));
        assert!(!asks(&rust, &[(Role::User, "I trust you; it is rusty")]));
    }

    #[test]
    fn phrases_hidden_in_escapes_are_found() {
        let rust = capabilities(1, &["rust"]);

        assert!(asks(&rust, &[(Role::User, r"\u0072\u0075st")]));
    }

    #[test]
    fn different_phrases_count_and_repetitions_do_not() {
        let two = capabilities(2, &["python", "function"]);

        assert!(!asks(&two, &[(Role::User, "python python python")]));
        assert!(asks(&two, &[(Role::User, "a python function")]));
        assert!(asks(
            &two,
            &[
                (Role::System, "You write python."),
                (Role::User, "a function")
            ]
        ));
    }

    #[test]
    fn a_phrase_is_found_however_it_is_spelled_out() {
        let phrase = capabilities(1, &["chain of thought"]);

        for text in [
            "chain-of-thought",
            "Chain  of\u{a0}thought",
            r"chain\nof\tthought",
            "ch\u{200b}ain of tho\u{ad}ught",
            "chain\u{2010}of\u{2013}thought",
        ] {
            assert!(asks(&phrase, &[(Role::User, text)]), "{text:?}");
        }
        assert!(!asks(&phrase, &[(Role::User, "chainofthought")]));
    }

    #[test]
    fn a_request_does_not_hide_behind_further_messages_and_parts() {
        let rust = capabilities(1, &["rust"]);

        assert!(asks(&rust, &[(Role::User, "rust?"), (Role::User, ".")]));
        assert!(asks(
            &rust,
            &[
                (Role::User, "rust?"),
                (Role::Assistant, "Sure."),
                (Role::User, "Go on.")
            ]
        ));
        assert!(!asks(
            &rust,
            &[(Role::Assistant, "rust!"), (Role::User, "and cooking?")]
        ));
    }

    #[test]
    fn start_and_end_of_a_long_turn_are_read_and_the_excerpt_stays_bounded() {
        let rust = capabilities(1, &["rust"]);
        let long = format!("{} rust", "ä".repeat(100_000));
        let mut excerpt = rust.excerpt();

        excerpt.text(
            Role::User,
            RawText {
                raw: &long,
                escaped: false,
            },
        );

        assert!(excerpt.parts().iter().map(|part| part.len()).sum::<usize>() <= 1024);
        assert!(!rust.of(&RequestFacts::default(), &excerpt).is_empty());
    }

    #[test]
    fn too_many_phrases_are_an_error_with_the_number() {
        let of = (0..=MAX_PHRASES)
            .map(|index| format!("phrase {index}"))
            .collect();

        let error = Capabilities::compile(
            vec![(
                "c".to_string(),
                vec![Condition::Phrases { at_least: 1, of }],
            )],
            1024,
        )
        .unwrap_err();

        assert_eq!(error.given, MAX_PHRASES + 1);
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        let mut set = CapabilitySet::default();
        for index in [0, 5, 31, 32, usize::MAX] {
            set.insert(index);
        }

        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 5, 31]);
    }
}

//! Runs of characters that are no words: addresses, paths, identifiers, keys.
//!
//! A segment is a run without spaces, quotation marks, brackets and commas. What stands in a slot of a
//! template is often one of these; as a class they are all alike, so the words around them still match.

/// What a segment is, where it is no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// An address with a scheme, or one that begins with `www.`.
    Url,
    /// An e-mail address.
    Email,
    /// A path of a file system.
    Path,
    /// A UUID.
    Uuid,
    /// Twelve hexadecimal digits or more, or any after `0x`.
    Hex,
    /// 24 characters of base64 or more, digits among them.
    Base64,
}

/// Sets of bytes, as bits.
const HEX_LETTER: u16 = 1;
const LETTER: u16 = 1 << 1;
const DIGIT: u16 = 1 << 2;
const SLASH: u16 = 1 << 3;
const AT: u16 = 1 << 4;
const COLON: u16 = 1 << 5;
const DOT: u16 = 1 << 6;
const DASH: u16 = 1 << 7; // - and _
const PADDING: u16 = 1 << 8; // + and =
const OTHER: u16 = 1 << 9;
const HIGH: u16 = 1 << 10;
const END: u16 = 1 << 15;

const WORDLIKE: u16 = HEX_LETTER | LETTER | DIGIT;

const fn named(byte: u8) -> u16 {
    match byte {
        0..=b' '
        | 0x7F
        | b'"'
        | b'\''
        | b'`'
        | b'('
        | b')'
        | b'<'
        | b'>'
        | b'['
        | b']'
        | b'{'
        | b'}'
        | b','
        | b'|' => END,
        b'a'..=b'f' | b'A'..=b'F' => HEX_LETTER,
        b'g'..=b'z' | b'G'..=b'Z' => LETTER,
        b'0'..=b'9' => DIGIT,
        b'/' | b'\\' => SLASH,
        b'@' => AT,
        b':' => COLON,
        b'.' => DOT,
        b'-' | b'_' => DASH,
        b'+' | b'=' => PADDING,
        0x80.. => HIGH,
        _ => OTHER,
    }
}

/// [`named`] of every byte: a load instead of a chain of comparisons.
static SETS: [u16; 256] = byte_table!(named, u16);

#[inline]
fn set_of(byte: u8) -> u16 {
    SETS.get(usize::from(byte)).copied().unwrap_or(END)
}

/// Whether a segment ends before `byte`.
#[inline]
pub(super) fn ends_before(byte: u8) -> bool {
    set_of(byte) == END
}

/// What was found in the segment that `text` begins with.
pub(super) struct Found {
    /// Bytes of the segment.
    pub(super) len: usize,
    /// What it is, and the bytes of it that are: from the first up to the second.
    pub(super) class: Option<(Class, usize, usize)>,
}

/// Looks at the segment that `text` begins with. Linear in the segment.
pub(super) fn look(text: &[u8]) -> Found {
    let (mut sets, mut len, mut slashes) = (0, 0_usize, 0_usize);
    for &byte in text {
        let set = set_of(byte);
        if set == END {
            break;
        }
        sets |= set;
        slashes = slashes.saturating_add(usize::from(set == SLASH));
        len = len.saturating_add(1);
    }
    let segment = text.get(..len).unwrap_or_default();
    // A sentence may end here.
    let core = segment.trim_ascii();
    let end = core
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b':' | b';' | b'!' | b'?'))
        .map_or(0, |last| last.saturating_add(1));
    let core = segment.get(..end).unwrap_or_default();
    let class = if sets & (COLON | SLASH) == COLON | SLASH {
        url(core)
    } else {
        None
    };
    let class = class.or_else(|| whole(core, sets, slashes).map(|class| (class, 0, end)));
    Found { len, class }
}

/// The address in `core`: from its scheme to the end.
fn url(core: &[u8]) -> Option<(Class, usize, usize)> {
    let at = core.windows(3).position(|three| three == b"://")?;
    let scheme = core.get(..at)?;
    let start = scheme
        .iter()
        .rposition(|byte| !byte.is_ascii_alphabetic())
        .map_or(0, |before| before.saturating_add(1));
    (start < at).then_some((Class::Url, start, core.len()))
}

fn whole(core: &[u8], sets: u16, slashes: usize) -> Option<Class> {
    let only = |allowed: u16| sets & !(allowed | DOT | COLON | OTHER) == 0 && all(core, allowed);
    let www = core
        .first_chunk::<4>()
        .is_some_and(|start| start.eq_ignore_ascii_case(b"www."));
    if www {
        return Some(Class::Url);
    }
    if sets & AT != 0 && is_email(core) {
        return Some(Class::Email);
    }
    if sets & DIGIT != 0 {
        let hex = core
            .strip_prefix(b"0x")
            .or_else(|| core.strip_prefix(b"0X"));
        if hex.is_some_and(|hex| !hex.is_empty() && all(hex, HEX_LETTER | DIGIT)) {
            return Some(Class::Hex);
        }
        if core.len() >= 12 && sets & HEX_LETTER != 0 && only(HEX_LETTER | DIGIT) {
            return Some(Class::Hex);
        }
        if is_uuid(core) {
            return Some(Class::Uuid);
        }
        let is_long = core.len() >= 24 && sets & (HEX_LETTER | LETTER) != 0;
        if is_long && only(WORDLIKE | DASH | PADDING | SLASH) {
            return Some(Class::Base64);
        }
    }
    (sets & SLASH != 0 && is_path(core, slashes)).then_some(Class::Path)
}

fn all(bytes: &[u8], allowed: u16) -> bool {
    bytes.iter().all(|&byte| set_of(byte) & allowed != 0)
}

fn is_email(core: &[u8]) -> bool {
    let mut parts = core.split(|&byte| byte == b'@');
    let (Some(local), Some(domain), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let allowed = WORDLIKE | DASH | DOT | HIGH;
    !local.is_empty()
        && domain.contains(&b'.')
        && all(domain, allowed)
        && all(local, allowed | PADDING | COLON)
}

fn is_uuid(core: &[u8]) -> bool {
    core.len() == 36
        && core.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// From a root, or with a file's ending, or of three parts or more; a date is none.
fn is_path(core: &[u8], slashes: usize) -> bool {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let allowed = WORDLIKE | DASH | DOT | SLASH | COLON | HIGH;
    let has_letter = core
        .iter()
        .any(|&byte| set_of(byte) & (HEX_LETTER | LETTER | HIGH) != 0);
    let from_root = match core {
        [first, _, ..] if is_slash(first) => true,
        [b'.' | b'~', second, ..] if is_slash(second) => true,
        [b'.', b'.', third, ..] if is_slash(third) => true,
        [_, b':', third, ..] if is_slash(third) => true,
        _ => false,
    };
    let name = core.rsplit(is_slash).next().unwrap_or_default();
    let has_ending = matches!(name, [_, inner @ .., _] if inner.contains(&b'.'));
    let core = core.strip_prefix(b"~").unwrap_or(core);
    has_letter && all(core, allowed) && (from_root || has_ending || slashes >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> Option<Class> {
        look(text.as_bytes()).class.map(|(class, _, _)| class)
    }

    #[test]
    fn what_is_no_word_has_a_class() {
        for (text, wanted) in [
            ("https://example.org/a?b=c#d", Class::Url),
            ("WWW.example.org", Class::Url),
            ("john.doe+x@mail.example.org.", Class::Email),
            ("mailto:a@b.org", Class::Email),
            ("/usr/lib", Class::Path),
            ("~/notes", Class::Path),
            ("../a", Class::Path),
            ("C:\\Users\\x", Class::Path),
            ("src/main.rs", Class::Path),
            ("550e8400-e29b-41d4-a716-446655440000", Class::Uuid),
            ("da39a3ee5e6b4b0d3255bfef", Class::Hex),
            ("0xFF", Class::Hex),
            ("aGVsbG8gd29ybGQgaGVsbG8gMQ==", Class::Base64),
            ("sk-proj-4f9aKq81jsLmxZ04hTyB", Class::Base64),
        ] {
            assert_eq!(class(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn words_dates_and_alternatives_are_words() {
        for text in [
            "word",
            "step-by-step",
            "and/or",
            "12/05/2024",
            "3.14",
            "a:b",
            "e.g.",
            "don",
            "deadbeef",
            "internationalisation-ready",
            "@someone",
            "...",
        ] {
            assert_eq!(class(text), None, "{text}");
        }
    }

    #[test]
    fn a_class_reaches_from_its_own_start_to_the_end_of_the_segment() {
        let found = look(b"url=https://a.org/b. Next");

        assert_eq!(found.len, 20);
        assert_eq!(found.class, Some((Class::Url, 4, 19)));
    }
}

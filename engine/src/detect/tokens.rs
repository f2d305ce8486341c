//! Text to tokens: words in lower case, classes, marks and lines, as hashes.
//!
//! One pass over the bytes, without a copy of any token. A run of digits is `#`; addresses, paths,
//! identifiers and keys are their class; fenced code is one token with its language; a quotation of more
//! than [`LONG_QUOTE`] characters is one token. Words in scripts without spaces come one character at a time.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "offsets into a text of a few kilobytes; bytes of one word"
)]
use super::mix::{self, WordHash};
use super::normalise::is_spaceless;
use super::segment::{self, Class};

/// A quotation longer than this, in characters other than space, is a slot's content and not a template's.
const LONG_QUOTE: usize = 40;
/// How far a closing quotation mark is looked for, in bytes.
const QUOTE_REACH: usize = 1024;
/// How often one segment is looked at, so that no segment costs more than linear time.
const LOOKS: u8 = 4;

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(u64),
    /// A character of a script without spaces.
    Character(u64),
    /// A class of segments, a long quotation or a number.
    Class(u64),
    /// Fenced code in this language.
    Code(u64),
    /// A punctuation mark or symbol; a run of one counts once.
    Mark(u64),
    /// The end of a line.
    Line,
    /// An empty line, or several.
    Paragraph,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Line,
    Letter,
    Digit,
    Under,
    High,
    Mark,
}

const fn named(byte: u8) -> Kind {
    match byte {
        b'\n' => Kind::Line,
        0..=b' ' | 0x7F => Kind::Space,
        b'a'..=b'z' | b'A'..=b'Z' => Kind::Letter,
        b'0'..=b'9' => Kind::Digit,
        b'_' => Kind::Under,
        0x80.. => Kind::High,
        _ => Kind::Mark,
    }
}

/// [`named`] of every byte: a load instead of a chain of comparisons.
static KINDS: [Kind; 256] = byte_table!(named, Kind);

#[inline]
fn kind_of(byte: u8) -> Kind {
    KINDS.get(usize::from(byte)).copied().unwrap_or(Kind::Mark)
}

const NUMBER: u64 = mix::word(b"#");
const QUOTATION: u64 = mix::word(b"\"...\"");

const fn hash_of(class: Class) -> u64 {
    mix::word(match class {
        Class::Url => b"<url>",
        Class::Email => b"<email>",
        Class::Path => b"<path>",
        Class::Uuid => b"<uuid>",
        Class::Hex => b"<hex>",
        Class::Base64 => b"<base64>",
    })
}

/// Gives the tokens of `text`, which [`super::normalise::fold`] went over unless it is all ASCII.
///
/// Linear in the text: a segment is looked at a few times at most, a quotation mark and a fence look ahead no further
/// than to the next of their kind.
#[inline]
pub(super) fn scan(text: &str, mut give: impl FnMut(Token)) {
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: 0,
        looked: 0,
        segment_end: 0,
        looks: 0,
        closing: usize::MAX,
    };
    while let Some(&byte) = scan.bytes.get(scan.at) {
        // One place where tokens are given, so that taking them is compiled into this loop.
        give(match kind_of(byte) {
            Kind::Space => {
                scan.at += 1;
                continue;
            }
            Kind::Line => scan.lines(),
            Kind::Letter => scan.letter(),
            Kind::Digit | Kind::Under | Kind::High => scan.class().unwrap_or_else(|| scan.word()),
            Kind::Mark => {
                let may_begin_a_class = matches!(byte, b'/' | b'.' | b'~' | b'\\' | b'+');
                let class = if may_begin_a_class {
                    scan.class()
                } else {
                    None
                };
                class.unwrap_or_else(|| scan.mark(byte))
            }
        });
    }
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    /// Up to where segments were looked at and found to be words.
    looked: usize,
    /// Where the segment at hand ends, and how often it was looked at.
    segment_end: usize,
    looks: u8,
    /// Where the quotation mark stands that closes a short quotation.
    closing: usize,
}

impl Scan<'_> {
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b' ')
    }

    /// White space with a line break in it.
    fn lines(&mut self) -> Token {
        let mut breaks = 0_usize;
        while let Some(kind @ (Kind::Line | Kind::Space)) =
            self.bytes.get(self.at).map(|&byte| kind_of(byte))
        {
            breaks += usize::from(kind == Kind::Line);
            self.at += 1;
        }
        if breaks > 1 {
            Token::Paragraph
        } else {
            Token::Line
        }
    }

    /// The hash of the letters here, and where they end. Apostrophes between letters belong to them.
    #[inline]
    fn letters(&self) -> (u64, usize) {
        let mut hash = WordHash::new();
        let mut at = self.at;
        loop {
            while let Some(&block) = self.bytes.get(at..).and_then(|rest| rest.first_chunk()) {
                let lower = u64::from_le_bytes(block) | CASE;
                let others = not_lower_letters(lower);
                if others == 0 && hash.is_aligned() {
                    hash.push_block(lower);
                    at += 8;
                    continue;
                }
                if hash.is_aligned() {
                    let len = others.trailing_zeros() >> 3;
                    hash.push_rest(lower & ((1 << (len * 8)) - 1), len);
                    at += len as usize;
                }
                break;
            }
            while let Some(&byte) = self.bytes.get(at) {
                if kind_of(byte) != Kind::Letter {
                    break;
                }
                hash.push(byte | 0x20);
                at += 1;
            }
            let goes_on =
                self.bytes.get(at) == Some(&b'\'') && kind_of(self.byte(at + 1)) == Kind::Letter;
            if !goes_on {
                return (hash.finish(), at);
            }
            hash.push(b'\'');
            at += 1;
        }
    }

    /// Whether the letters that end before `end` are a word, whatever follows.
    #[inline]
    fn ends_plainly(&self, end: usize) -> bool {
        match self.byte(end) {
            b'.' | b':' | b';' | b'!' | b'?' => segment::ends_before(self.byte(end + 1)),
            byte => segment::ends_before(byte),
        }
    }

    /// What begins with a letter.
    #[inline]
    fn letter(&mut self) -> Token {
        let (hash, end) = self.letters();
        if self.ends_plainly(end) {
            self.at = end;
            return Token::Word(hash);
        }
        self.class().unwrap_or_else(|| self.word())
    }

    /// The class of the segment here; `None` where it has none, or words come first.
    fn class(&mut self) -> Option<Token> {
        if self.at < self.looked {
            return None;
        }
        if self.at >= self.segment_end {
            self.looks = 0;
        } else if self.looks == LOOKS {
            self.looked = self.segment_end;
            return None;
        }
        self.looks += 1;
        let found = segment::look(self.bytes.get(self.at..).unwrap_or_default());
        self.segment_end = self.at + found.len;
        match found.class {
            Some((class, 0, end)) if end > 0 => {
                self.at += end;
                Some(Token::Class(hash_of(class)))
            }
            // It is looked at again when the words are over.
            Some((_, start, _)) => {
                self.looked = self.at + start;
                None
            }
            None => {
                self.looked = self.at + found.len;
                None
            }
        }
    }

    /// A word with digits or letters beyond ASCII in it, a number, or one character that is none.
    fn word(&mut self) -> Token {
        let start = self.at;
        let mut hash = WordHash::new();
        let mut number = kind_of(self.byte(start)) == Kind::Digit;
        while let Some(&byte) = self.bytes.get(self.at) {
            match kind_of(byte) {
                Kind::Letter => hash.push(byte | 0x20),
                Kind::Under => hash.push(byte),
                Kind::Digit => {
                    self.digits(number);
                    hash.push(b'#');
                    continue;
                }
                Kind::High => {
                    let character = self.character();
                    if is_spaceless(character) || !character.is_alphanumeric() {
                        if self.at > start {
                            break;
                        }
                        self.at += character.len_utf8();
                        let hash = mix::mix(u64::from(u32::from(character)));
                        return if character.is_alphanumeric() || is_spaceless(character) {
                            Token::Character(hash)
                        } else {
                            self.skip_equal(character);
                            Token::Mark(hash)
                        };
                    }
                    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                        hash.push(byte);
                    }
                    self.at += character.len_utf8();
                    number = false;
                    continue;
                }
                Kind::Mark if byte == b'\'' && self.at > start => {
                    let next = kind_of(self.byte(self.at + 1));
                    if !matches!(next, Kind::Letter | Kind::High) || number {
                        break;
                    }
                    hash.push(byte);
                }
                _ => break,
            }
            number = false;
            self.at += 1;
        }
        let hash = hash.finish();
        if number {
            Token::Class(NUMBER)
        } else {
            Token::Word(hash)
        }
    }

    /// Passes over digits; in a number, over the marks between them too.
    fn digits(&mut self, number: bool) {
        loop {
            while self.byte(self.at).is_ascii_digit() {
                self.at += 1;
            }
            let is_mark = matches!(self.byte(self.at), b'.' | b',' | b':' | b'/' | b'-');
            if !(number && is_mark && self.byte(self.at + 1).is_ascii_digit()) {
                return;
            }
            self.at += 1;
        }
    }

    fn character(&self) -> char {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn skip_equal(&mut self, character: char) {
        while self.bytes.get(self.at).is_some_and(|byte| !byte.is_ascii())
            && self.character() == character
        {
            self.at += character.len_utf8();
        }
    }

    /// A mark, or the fenced code or the long quotation that begins with it.
    fn mark(&mut self, byte: u8) -> Token {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        match byte {
            b'`' if rest.starts_with(b"``") => {
                if let Some(code) = self.code() {
                    return code;
                }
            }
            b'"' if self.at != self.closing => {
                if let Some(quotation) = self.quotation(rest) {
                    return quotation;
                }
            }
            _ => {}
        }
        self.at += 1;
        while self.bytes.get(self.at) == Some(&byte) && byte != b'"' {
            self.at += 1;
        }
        Token::Mark(mix::mix(u64::from(byte)))
    }

    /// The code fenced by the three backticks here; `None` where the fence never closes.
    fn code(&mut self) -> Option<Token> {
        let start = self.at + 3;
        let body = self.bytes.get(start..)?;
        let language = body
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'#' | b'-'))
            .fold(WordHash::new(), |mut hash, byte| {
                hash.push(byte.to_ascii_lowercase());
                hash
            });
        let len = body.windows(3).position(|three| three == b"```")?;
        self.at = start + len + 3;
        Some(Token::Code(mix::pair(mix::word(b"```"), language.finish())))
    }

    /// The long quotation that begins here, `rest` being what follows its mark.
    fn quotation(&mut self, rest: &[u8]) -> Option<Token> {
        let reach = rest.get(..QUOTE_REACH).unwrap_or(rest);
        let len = reach.iter().position(|&byte| byte == b'"')?;
        let is_character = |byte: &&u8| {
            !matches!(kind_of(**byte), Kind::Space | Kind::Line) && **byte & 0xC0 != 0x80
        };
        let characters = reach.iter().take(len).filter(is_character).count();
        if characters > LONG_QUOTE {
            self.at += len + 2;
            return Some(Token::Class(QUOTATION));
        }
        self.closing = self.at + 1 + len;
        None
    }
}

/// The bit that sets lower case, in eight bytes.
const CASE: u64 = 0x2020_2020_2020_2020;

/// The high bit of every byte that is no small letter.
///
/// Setting the case bit makes letters of letters only: `@` to `Z` and `[` to `_` become `` ` `` to `z` and
/// `{` to 0x7F, of which the ends are refused.
#[inline]
const fn not_lower_letters(bytes: u64) -> u64 {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const LOWS: u64 = !HIGHS;
    let low = bytes & LOWS;
    // No byte carries into its neighbour: all are below 0x80, and so is what is added.
    let from_a = low + 0x1F1F_1F1F_1F1F_1F1F; // 0x80 - 'a'
    let after_z = low + 0x0505_0505_0505_0505; // 0x80 - ('z' + 1)
    (!from_a | after_z | bytes) & HIGHS
}

#[cfg(test)]
mod tests;

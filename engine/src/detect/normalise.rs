//! Spellings made one, character by character: what a reader takes for the same text prints the same.
//!
//! A light form of NFKC: accents of Latin letters go, as do characters without width; full-width,
//! circled and mathematical letters become plain ones, quotation marks, dashes and spaces those of ASCII.
//! Not done: letters of other scripts that look Latin, composition beyond U+017F.
use alloc::string::String;

/// Base letters of U+00C0 to U+017F, lower case.
const LATIN: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo*ouuuuyts\
aaaaaaaceeeeiiiidnooooo/ouuuuyty\
aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkk\
llllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// Appends `text` to `out`, folded; ASCII passes as it is. At most half as long again. Linear.
pub(super) fn fold(text: &str, out: &mut String) {
    let mut rest = text;
    loop {
        let plain = rest.bytes().position(|byte| !byte.is_ascii());
        let (ascii, after) = rest.split_at(plain.unwrap_or(rest.len()));
        out.push_str(ascii);
        let mut characters = after.chars();
        let Some(character) = characters.next() else {
            return;
        };
        fold_one(character, out);
        rest = characters.as_str();
    }
}

fn fold_one(character: char, out: &mut String) {
    let code = u32::from(character);
    let ascii = |base: u8, nth: u32| char::from(base.wrapping_add(u8::try_from(nth).unwrap_or(0)));
    let folded = match code {
        0xC0..=0x17F => {
            let index = usize::try_from(code.wrapping_sub(0xC0)).unwrap_or(0);
            char::from(LATIN.get(index).copied().unwrap_or(b'*'))
        }
        // Soft hyphen, combining marks, zero width, direction, variation selectors, tags.
        0xAD
        | 0x300..=0x36F
        | 0x61C
        | 0x180B..=0x180F
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x206F
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xE0000..=0xE0FFF => return,
        0x85 | 0x2028 | 0x2029 => '\n',
        0x2018..=0x201B | 0x2032 => '\'',
        0xAB | 0xBB | 0x201C..=0x201F | 0x2033 => '"',
        0x2010..=0x2015 | 0x2212 => '-',
        0x2022 | 0x2023 | 0x2219 | 0x25AA | 0x25CF => '*',
        0x2026 | 0x3002 => '.',
        0x3001 => ',',
        0xFF01..=0xFF5E => ascii(b'!', code.wrapping_sub(0xFF01)),
        0x24B6..=0x24E9 => ascii(b'a', code.wrapping_sub(0x24B6) % 26),
        // Thirteen alphabets of capital and small letters, then digits.
        0x1D400..=0x1D6A3 => ascii(b'a', code.wrapping_sub(0x1D400) % 26),
        0x1D7CE..=0x1D7FF => '0',
        0x3C2 => 'σ', // final sigma
        _ if character.is_whitespace() => ' ',
        _ if character.is_numeric() => '0',
        _ => {
            out.extend(
                character
                    .to_lowercase()
                    .filter(|low| !matches!(u32::from(*low), 0x300..=0x36F)),
            );
            return;
        }
    };
    out.push(folded);
}

/// Whether `character` belongs to a script that puts no spaces between words.
pub(super) const fn is_spaceless(character: char) -> bool {
    matches!(character,
        '\u{E00}'..='\u{EFF}'       // Thai, Lao
        | '\u{F00}'..='\u{109F}'    // Tibetan, Burmese
        | '\u{1780}'..='\u{17FF}'   // Khmer
        | '\u{3040}'..='\u{30FF}'   // kana
        | '\u{31F0}'..='\u{31FF}'
        | '\u{3400}'..='\u{9FFF}'   // Han
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        fold(text, &mut out);
        out
    }

    #[test]
    fn spellings_of_one_text_fold_to_one() {
        assert_eq!(folded("na\u{ef}ve caf\u{e9}"), "naive cafe");
        assert_eq!(folded("nai\u{308}ve cafe\u{301}"), "naive cafe");
        assert_eq!(folded("ste\u{200b}p\u{feff} by\u{ad}"), "step by");
        assert_eq!(folded("ＲＵＢＲＩＣ：１２"), "RUBRIC:12");
        assert_eq!(folded("𝐫𝐮𝐛𝐫𝐢𝐜 ⓡ"), "rubric r");
        assert_eq!(folded("“x” – ‘y’…\u{a0}z"), "\"x\" - 'y'. z");
        assert_eq!(folded("ΛΌΓΟΣ ПЛАН"), "λόγοσ план");
        assert_eq!(folded("٣"), "0");
    }

    #[test]
    fn every_latin_letter_has_the_base_that_its_decomposition_has() {
        for (letters, base) in [
            ("ÀÅàåĀą", 'a'),
            ("Ççć", 'c'),
            ("Ððđ", 'd'),
            ("Éëę", 'e'),
            ("ĝģ", 'g'),
            ("Ħĥ", 'h'),
            ("İıî", 'i'),
            ("ĵ", 'j'),
            ("ķĸ", 'k'),
            ("Ĺł", 'l'),
            ("ñŉŋ", 'n'),
            ("Øőœ", 'o'),
            ("ŕř", 'r'),
            ("ßśšſ", 's'),
            ("ŢŧÞ", 't'),
            ("Ùų", 'u'),
            ("ŵ", 'w'),
            ("ýÿŸ", 'y'),
            ("Źž", 'z'),
        ] {
            for letter in letters.chars() {
                assert_eq!(
                    folded(letter.encode_utf8(&mut [0; 4])),
                    String::from(base),
                    "{letter}"
                );
            }
        }
    }
}

use super::super::normalise::fold;
use super::*;
use proptest::prelude::*;
use std::{string::String, vec, vec::Vec};

fn tokens(text: &str) -> Vec<Token> {
    let mut folded = String::new();
    fold(text, &mut folded);
    let mut all = vec![];
    scan(&folded, |token| all.push(token));
    all
}

fn word(text: &str) -> Token {
    Token::Word(mix::word(text.as_bytes()))
}

fn mark(byte: u8) -> Token {
    Token::Mark(mix::mix(u64::from(byte)))
}

const NUMERAL: Token = Token::Class(NUMBER);

#[test]
fn words_are_lower_case_and_keep_their_apostrophes() {
    assert_eq!(
        tokens("Don't STOP  l\u{2019}\u{e9}t\u{e9} snake_case x's'"),
        [
            word("don't"),
            word("stop"),
            word("l'ete"),
            word("snake_case"),
            word("x's"),
            mark(b'\'')
        ]
    );
}

#[test]
fn words_of_any_length_hash_alike_by_blocks_and_by_bytes() {
    for len in 1..40 {
        let text: String = "AbcdefghijklmnopQrstuvwxyz"
            .chars()
            .cycle()
            .take(len)
            .collect();
        for around in ["", " ", " a b c d e f g h", "."] {
            let first = tokens(&[&text, around].concat())[0];

            assert_eq!(first, word(&text.to_ascii_lowercase()), "{len}");
        }
    }
}

#[test]
fn numbers_are_one_token_whatever_they_say() {
    for number in [
        "7",
        "1234567",
        "3.14",
        "1,000,000",
        "2024-05-01",
        "12:30",
        "12/05/2024",
    ] {
        assert_eq!(tokens(number), [NUMERAL], "{number}");
    }
    assert_eq!(tokens("GPT4"), tokens("gpt35"));
    assert_eq!(tokens("5."), [NUMERAL, mark(b'.')]);
}

#[test]
fn what_stands_in_slots_is_a_class() {
    let url = Token::Class(hash_of(Class::Url));
    assert_eq!(
        tokens("see https://a.org/x?y=1, now"),
        [word("see"), url, mark(b','), word("now")]
    );
    assert_eq!(tokens("url=https://a.org"), [word("url"), mark(b'='), url]);
    assert_eq!(
        tokens("[docs](http://b.org/c)."),
        [
            mark(b'['),
            word("docs"),
            mark(b']'),
            mark(b'('),
            url,
            mark(b')'),
            mark(b'.')
        ]
    );
    assert_eq!(tokens("/etc/passwd"), [Token::Class(hash_of(Class::Path))]);
    assert_eq!(
        tokens("J.Doe@Mail.org"),
        [Token::Class(hash_of(Class::Email))]
    );
}

#[test]
fn fenced_code_is_one_token_with_its_language() {
    let python = tokens("```python\nprint(1)\n```");

    assert_eq!(python.len(), 1);
    assert_eq!(python, tokens("```Python\nimport os\n\nos.x()\n```"));
    assert_ne!(python, tokens("```rust\nprint(1)\n```"));
    assert!(tokens("```python\nnever closed").len() > 2);
}

#[test]
fn a_long_quotation_is_one_token_and_a_short_one_its_words() {
    let long = "say \"it was the best of times, it was the worst of times, it was so\" please";
    assert_eq!(
        tokens(long),
        [word("say"), Token::Class(QUOTATION), word("please")]
    );
    assert_eq!(
        tokens(
            "say \u{201c}it was the best of times, it was the worst of times, it was so\u{201d} please"
        ),
        tokens(long)
    );

    let short =
        tokens("\"yes\" and this is not quoted although it stands between two marks \"no\"");
    assert!(short.contains(&word("quoted")) && !short.contains(&Token::Class(QUOTATION)));
}

#[test]
fn lines_and_paragraphs_are_told_apart() {
    assert_eq!(
        tokens("a\nb\n \n\nc  d"),
        [
            word("a"),
            Token::Line,
            word("b"),
            Token::Paragraph,
            word("c"),
            word("d")
        ]
    );
}

#[test]
fn a_script_without_spaces_comes_character_by_character() {
    let all = tokens("请一步 GPT4");

    assert_eq!(all.len(), 4);
    assert!(
        all[..3]
            .iter()
            .all(|token| matches!(token, Token::Character(_)))
    );
    assert_eq!(all[3], word("gpt#"));
}

/// Text of anything that the scanner has a rule for, in any order.
fn odd_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "word", "Don't", "12", "3.5", "\"", "'", "`", "```", "```py\n", "\n", "\n\n", " ", "://",
        "http", "/", "\\", "@", "a.b", "é", "日", "本", "๑", "😀", "\u{200b}", ".", "...", ",",
        "_", "0x", "dead", "(", ")", "-", "ｆ", "İ",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in odd_text()) {
        let before = tokens(&text);
        let with_more = tokens(&[&text, "\n\nthe end"].concat());

        // An open fence or quotation may reach into what was added; else it is all there.
        prop_assert!(before.len() <= text.len());
        prop_assert_eq!(with_more.last(), Some(&word("end")));
    }

    #[test]
    fn marks_without_width_change_nothing(text in odd_text(), at in any::<prop::sample::Index>()) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let at = places[at.index(places.len())];
        let with = [&text[..at], "\u{200b}\u{feff}", &text[at..]].concat();

        prop_assert_eq!(tokens(&with), tokens(&text));
    }

    #[test]
    fn arbitrary_text_does_not_trap(text in any::<String>()) {
        tokens(&text);
    }
}

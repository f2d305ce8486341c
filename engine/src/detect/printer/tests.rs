use super::*;
use proptest::prelude::*;
use std::{format, string::String, vec, vec::Vec};

/// `text` as it may stand in a body, escaped where `style` says so.
fn escaped(text: &str, style: u32) -> String {
    let mut out = String::new();
    for (at, character) in text.chars().enumerate() {
        let by_style =
            style != 0 && (at as u32).wrapping_mul(0x9E37_79B9).wrapping_add(style) >> 30 == 0;
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ if by_style || character < ' ' => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(character),
        }
    }
    out
}

fn say(printer: &mut Printer, role: Role, text: &str, style: u32) {
    let raw = &escaped(text, style);
    if !raw.is_empty() {
        printer.text(
            role,
            RawText {
                raw,
                escaped: raw.contains('\\'),
            },
        );
    }
}

fn direct(system: &str, user: &str, tools: &[&str]) -> PromptPrint {
    PromptPrint::compose(
        SystemPrint::of(system),
        UserPrint::of(user),
        tools_hash(tools.iter().copied()),
    )
}

/// Prose with everything that escapes and limits could cut, from nothing to well beyond them.
fn prose() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => "[a-zA-Z]{1,9} ",
        1 => "[0-9]{1,6}[.,]? ",
        1 => Just(String::from("\n")),
        1 => Just(String::from("\"")),
        1 => "\\\\{1,6}",
        1 => "[é日本語😀ß\u{200b}Ａ]{1,4}",
    ];
    prop::collection::vec(piece, 0..900).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_body_prints_what_its_text_prints_however_it_is_escaped_and_cut_into_parts(
        system in prose(), user in prose(), style: u32,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let parts = |text: &str| -> Vec<String> {
            let characters: Vec<char> = text.chars().collect();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
            at.extend([0, characters.len()]);
            at.sort_unstable();
            at.windows(2).map(|ends| characters[ends[0]..ends[1]].iter().collect()).collect()
        };
        let mut printer = Printer::new();
        printer.message();
        for part in parts(&system) {
            say(&mut printer, Role::System, &part, style);
        }
        printer.message();
        for part in parts(&user) {
            say(&mut printer, Role::User, &part, style);
        }

        prop_assert_eq!(printer.finish(), direct(&system, &user, &[]));
    }

    #[test]
    fn case_spaces_numbers_and_marks_without_width_change_no_print(
        words in prop::collection::vec("[a-z]{1,9}|[a-z]{2,5}[.,;:!?]|[0-9]{1,4}", 0..200), space in prop::sample::select(vec!["  ", "\t", "\u{a0}", " \u{200b}", "\u{3000} "]),
    ) {
        let text = words.join(" ");
        let other: Vec<String> = words.iter().map(|word| {
            let shouted = word.to_uppercase();
            shouted.replace(|c: char| c.is_ascii_digit(), "7").replace('E', "e\u{200d}")
        }).collect();
        let other = other.join(space);
        prop_assume!(other.len() <= HEAD_BYTES);

        prop_assert_eq!(UserPrint::of(&other), UserPrint::of(&text));
        prop_assert_eq!(SystemPrint::of(&other), SystemPrint::of(&text));
    }

    #[test]
    fn the_order_of_tools_does_not_matter(names in prop::collection::hash_set("[a-z]{1,8}", 1..9)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let backwards = names.iter().rev().copied();

        prop_assert_eq!(tools_hash(names.iter().copied()), tools_hash(backwards));
        prop_assert_ne!(tools_hash(names.iter().copied()), tools_hash(names[1..].iter().copied()));
    }
}

#[test]
fn nothing_prints_as_nothing() {
    assert_eq!(Printer::new().finish(), PromptPrint::default());
    assert_eq!(direct("", " \n\u{200b}", &[]), PromptPrint::default());
}

#[test]
fn a_printer_forgets_one_request_before_the_next() {
    let mut printer = Printer::new();
    say(
        &mut printer,
        Role::System,
        "be brief and kind to all who ask",
        0,
    );
    say(&mut printer, Role::User, "tell me of the sea", 0);
    printer.tool(RawText {
        raw: "search",
        escaped: false,
    });
    let first = printer.finish();

    assert_eq!(printer.finish(), PromptPrint::default());
    assert_eq!(
        first,
        direct(
            "be brief and kind to all who ask",
            "tell me of the sea",
            &["search"]
        )
    );
}

#[test]
fn only_the_first_message_that_the_user_speaks_counts() {
    let mut printer = Printer::new();
    printer.message();
    say(&mut printer, Role::System, "one", 0);
    printer.message();
    say(&mut printer, Role::Tool, "not a word of the user", 0);
    printer.message();
    say(&mut printer, Role::User, "first ", 0);
    say(&mut printer, Role::User, "turn", 0);
    printer.message();
    say(&mut printer, Role::System, "two", 0);
    printer.message();
    say(&mut printer, Role::User, "second turn", 0);

    assert_eq!(printer.finish(), direct("one\ntwo", "first turn", &[]));
}

#[test]
fn a_tool_is_known_by_its_name_however_that_is_escaped() {
    let mut printer = Printer::new();
    printer.tool(RawText {
        raw: "r\\u0065ad",
        escaped: true,
    });
    printer.tool(RawText {
        raw: "b",
        escaped: false,
    });

    assert_eq!(printer.finish().tools, tools_hash(["b", "read"]));
}

#[test]
fn hostile_megabytes_cost_and_keep_no_more_than_the_limits() {
    let zero_width = "\u{200b}".repeat(400_000);
    let one_word = "a".repeat(1_000_000);
    let backslashes = "\\".repeat(500_000);
    let quotes = "\"x\u{201c}`".repeat(200_000);
    let addresses = "1a://".repeat(200_000);
    let deep = "e\u{301}\u{308}日\u{e0041}".repeat(80_000);
    for text in [zero_width, one_word, backslashes, quotes, addresses, deep] {
        let mut printer = Printer::new();
        for style in [0, 1] {
            say(&mut printer, Role::System, &text, style);
            say(&mut printer, Role::User, &text, style);
            let kept =
                printer.system.capacity() + printer.user.capacity() + printer.tail.capacity();
            assert!(kept < 32 * 1024, "{kept}");
            assert_eq!(printer.finish(), direct(&text, &text, &[]));
        }
    }
}

#[test]
fn a_turn_in_a_hundred_thousand_parts_prints_as_one() {
    let text: String = (0..100_000)
        .map(|at| char::from(b'a' + (at * 7 % 26) as u8))
        .collect();
    let mut printer = Printer::new();
    for at in 0..text.len() {
        printer.text(
            Role::User,
            RawText {
                raw: &text[at..=at],
                escaped: false,
            },
        );
    }

    assert_eq!(printer.finish(), direct("", &text, &[]));
}

#[test]
fn debug_shows_no_text() {
    let mut printer = Printer::new();
    say(&mut printer, Role::User, "hidden words", 0);

    assert!(!format!("{printer:?}").contains("hidden"));
}

//! Whether an SPDX licence expression can be met with licences that an Apache-2.0 work may
//! be shipped with. Only what crates use is understood: `OR`, `AND`, `WITH`, parentheses,
//! and the old `MIT/Apache-2.0`. Anything else is refused, never guessed.

/// Licences without conditions beyond attribution, and MPL-2.0, whose conditions end at
/// the file.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "NCSA",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Whether the terms can be met with allowed licences alone.
pub(crate) fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = Words {
        rest: spaced.split_whitespace().collect(),
    };
    let allowed = any_of(&mut words);
    allowed == Some(true) && words.rest.is_empty()
}

struct Words<'a> {
    rest: std::collections::VecDeque<&'a str>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.rest.pop_front()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest.front() == Some(&word);
        if found {
            self.rest.pop_front();
        }
        found
    }
}

/// `all { OR all }`; `None` is a syntax error, in the other two as well.
fn any_of(words: &mut Words) -> Option<bool> {
    let mut allowed = all_of(words)?;
    while words.take("OR") {
        allowed |= all_of(words)?;
    }
    Some(allowed)
}

/// `term { AND term }`: `AND` binds closer than `OR`.
fn all_of(words: &mut Words) -> Option<bool> {
    let mut allowed = term(words)?;
    while words.take("AND") {
        allowed &= term(words)?;
    }
    Some(allowed)
}

/// `( any )` or `licence [ WITH exception ]`.
fn term(words: &mut Words) -> Option<bool> {
    let first = words.next()?;
    if first == "(" {
        let allowed = any_of(words)?;
        return words.take(")").then_some(allowed);
    }
    if matches!(first, ")" | "OR" | "AND" | "WITH") {
        return None;
    }
    let license = match words.take("WITH") {
        true => format!("{first} WITH {}", words.next()?),
        false => first.to_owned(),
    };
    Some(ALLOWED.contains(&license.as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn a_choice_is_allowed_when_one_side_is() {
        for expression in [
            "MIT",
            "MIT OR Apache-2.0",
            "GPL-3.0-only OR MIT",
            "Unlicense/MIT",
            "MPL-2.0",
        ] {
            assert!(is_allowed(expression), "{expression}");
        }
    }

    #[test]
    fn a_conjunction_is_allowed_only_when_both_sides_are() {
        assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_allowed("(MIT OR Apache-2.0) AND GPL-3.0-only"));
        assert!(!is_allowed("MIT AND GPL-3.0-only"));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert!(is_allowed("MIT OR Apache-2.0 AND GPL-3.0-only"));
        assert!(!is_allowed("GPL-3.0-only OR MIT AND GPL-2.0-only"));
    }

    #[test]
    fn an_exception_belongs_to_the_licence_before_it() {
        assert!(is_allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(is_allowed(
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"
        ));
        assert!(!is_allowed("GPL-3.0-only WITH LLVM-exception"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let broken = [
            "",
            "MIT OR",
            "OR MIT",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "Apache-2.0 WITH",
            "LicenseRef-own",
            "()",
        ];
        for expression in broken {
            assert!(!is_allowed(expression), "{expression}");
        }
    }
}

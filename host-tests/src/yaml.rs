//! YAML for people, read strictly into JSON values, with the place of every value in its file.
//!
//! Stricter than YAML on purpose, since a policy that means something else than it says is worse
//! than one that is refused: no duplicate keys, no merge keys, no tags, string keys only, finite
//! numbers only, one document. Aliases work but cannot multiply beyond [`MAX_NODES`]. JSON is YAML.
mod place;
mod scalar;
mod tree;

pub(crate) use place::{Inside, Place};
use saphyr_parser::{Marker, Parser};
use serde_json::Value;
use tree::Builder;

/// Deepest nesting of lists and mappings that is read.
pub const MAX_DEPTH: usize = 64;
/// Most values that one document may have once its aliases are resolved; 256 bytes of text count as one.
pub const MAX_NODES: usize = 200_000;
/// Longest document that is read.
pub const MAX_BYTES: usize = 4 << 20;

/// Where something is in a file, both counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct YamlError {
    /// Where, if anywhere.
    pub at: Option<Position>,
    /// What.
    pub problem: YamlProblem,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says it")]
pub enum YamlProblem {
    #[error("the document has {given} bytes; at most {limit} are read")]
    TooLong { given: u64, limit: usize },
    #[error("byte {at} is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("not YAML: {what}")]
    Syntax { what: String },
    #[error("the document is empty")]
    Empty,
    #[error("a second document begins here; one file holds one document")]
    SecondDocument,
    #[error("nests deeper than {limit} levels")]
    TooDeep { limit: usize },
    #[error("more than {limit} values once aliases are resolved")]
    TooMany { limit: usize },
    #[error("duplicate key `{key}`; it was first given in line {first}")]
    Duplicate { key: String, first: usize },
    #[error("merge keys (`<<`) are not supported; repeat the keys")]
    MergeKey,
    #[error("a key must be a string; write it in quotes")]
    KeyNotString,
    #[error("tags (`{tag}`) are not supported; quote the value if it is a string")]
    Tag { tag: String },
    #[error("`{text}` is not a finite number; quote it if it is a string")]
    NotFinite { text: String },
    #[error("`{text}` does not fit in 64 bits; quote it if it is a string")]
    TooLarge { text: String },
    #[error("an anchor cannot contain its own alias")]
    Recursive,
}

/// A document and where its values are.
#[derive(Clone, Debug)]
pub struct YamlDocument {
    /// The value; keys in document order.
    pub value: Value,
    pub(crate) place: Place,
}

impl YamlProblem {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::TooLong { limit, .. } => format!("a policy has at most {limit} bytes"),
            Self::NotUtf8 { .. } => "save the file as UTF-8".to_owned(),
            Self::Syntax { .. } => "mend the YAML (or JSON) here; a text with `: `, `#` or brackets in it needs quotes, and tabs cannot indent".to_owned(),
            Self::Empty => "start with `apiVersion: weir/v1`".to_owned(),
            Self::SecondDocument => "keep one policy in one file, without `---` between".to_owned(),
            Self::TooDeep { limit } => format!("nest at most {limit} lists and maps"),
            Self::TooMany { limit } => {
                format!("keep it to {limit} values, what aliases stand for included")
            }
            Self::Duplicate { .. } => "keep one of the two".to_owned(),
            Self::MergeKey => "write the keys out".to_owned(),
            Self::KeyNotString => "write the key as a word, or in quotes".to_owned(),
            Self::Tag { .. } => "remove the tag".to_owned(),
            Self::NotFinite { .. } | Self::TooLarge { .. } => {
                "write a number that a policy can use, or quote the text".to_owned()
            }
            Self::Recursive => "write the value out".to_owned(),
        }
    }
}

impl YamlDocument {
    /// Reads one document of at most [`MAX_BYTES`]. Linear in its values, aliases resolved.
    ///
    /// # Errors
    /// [`YamlError`]; the document is at fault.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        if text.len() > MAX_BYTES {
            let given = text.len() as u64;
            return Err(YamlError {
                at: None,
                problem: YamlProblem::TooLong {
                    given,
                    limit: MAX_BYTES,
                },
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut builder = Builder::default();
        for step in Parser::new_from_str(text) {
            let (event, span) = step.map_err(|error| {
                YamlError::new(
                    position(*error.marker()),
                    YamlProblem::Syntax {
                        what: error.info().to_owned(),
                    },
                )
            })?;
            builder.take(event, span.start)?;
        }
        let (value, place) = builder.finish().ok_or(YamlError {
            at: None,
            problem: YamlProblem::Empty,
        })?;
        Ok(Self { value, place })
    }
    /// Where the value at `path` (`budgets[0].limit`, empty for the whole) is: of a mapping's
    /// member its key. A path that is not there gives the nearest parent that is. Linear in the
    /// members of the mappings on the way.
    pub fn position(&self, path: &str) -> Position {
        self.place.find(path).0
    }
}

fn position(mark: Marker) -> Position {
    Position {
        line: mark.line().max(1),
        column: mark.col() + 1,
    }
}

/// What a message quotes: the beginning, since a document can hold a number of a million digits.
fn shown(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl YamlError {
    fn new(at: Position, problem: YamlProblem) -> Self {
        Self {
            at: Some(at),
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn problem(text: &str) -> (YamlProblem, Option<(usize, usize)>) {
        let error = YamlDocument::parse(text).unwrap_err();
        (error.problem, error.at.map(|at| (at.line, at.column)))
    }

    fn place(document: &YamlDocument, path: &str) -> (usize, usize) {
        let position = document.position(path);
        (position.line, position.column)
    }

    #[test]
    fn values_read_by_the_core_schema() {
        let document = YamlDocument::parse("a: 1\nb: -2\nc: 0x1F\nd: 1.5\ne: 1e3\nf: ~\ng: true\nh: yes\ni: \"1\"\nj: 2026-04-22\nk: 1h\nl: |\n  x\n  y\nm: 18446744073709551615\nn: 1.2.3\np: v1\n").unwrap();

        assert_eq!(
            document.value,
            json!({"a": 1, "b": -2, "c": 31, "d": 1.5, "e": 1000.0, "f": null, "g": true, "h": "yes", "i": "1", "j": "2026-04-22", "k": "1h", "l": "x\ny\n", "m": u64::MAX, "n": "1.2.3", "p": "v1"})
        );
    }

    #[test]
    fn every_path_leads_to_its_line_and_column_or_to_its_nearest_parent() {
        let document = YamlDocument::parse(
            "# head\nname: x\nbudgets:\n  - limit: 10\n    window: 1h\n  - {limit: 20}\n",
        )
        .unwrap();

        assert_eq!(place(&document, ""), (2, 1));
        assert_eq!(place(&document, "budgets"), (3, 1));
        assert_eq!(place(&document, "budgets[0].limit"), (4, 5));
        assert_eq!(place(&document, "budgets[0].window"), (5, 5));
        assert_eq!(place(&document, "budgets[1].limit"), (6, 6));
        assert_eq!(
            place(&document, "budgets[1].missing.deep[3]"),
            place(&document, "budgets[1]")
        );
        assert_eq!(place(&document, "nowhere"), (2, 1));
    }

    #[test]
    fn json_is_read_too() {
        let document =
            YamlDocument::parse("{\n\t\"a\": [1, \"x\\u00e9\\/\"],\n\t\"b\": {}\n}\n").unwrap();

        assert_eq!(document.value, json!({"a": [1, "xé/"], "b": {}}));
        assert_eq!(place(&document, "a[1]"), (2, 11));
    }

    #[test]
    fn whatever_could_mean_something_else_is_refused_where_it_stands() {
        assert_eq!(
            problem("a: 1\nb: 2\na: 3\n"),
            (
                YamlProblem::Duplicate {
                    key: "a".into(),
                    first: 1
                },
                Some((3, 1))
            )
        );
        assert_eq!(
            problem("a: &x {b: 1}\nc:\n  <<: *x\n"),
            (YamlProblem::MergeKey, Some((3, 3)))
        );
        assert_eq!(
            problem("a:\n  1: x\n"),
            (YamlProblem::KeyNotString, Some((2, 3)))
        );
        assert_eq!(problem("? [a]\n: 1\n").0, YamlProblem::KeyNotString);
        assert_eq!(
            problem("a: !!int 3\n").0,
            YamlProblem::Tag {
                tag: "tag:yaml.org,2002:!int".into()
            }
        );
        assert_eq!(
            problem("a: .nan\n"),
            (
                YamlProblem::NotFinite {
                    text: ".nan".into()
                },
                Some((1, 4))
            )
        );
        assert_eq!(
            problem("a: 1e999\n").0,
            YamlProblem::NotFinite {
                text: "1e999".into()
            }
        );
        assert_eq!(
            problem("a: 18446744073709551616\n"),
            (
                YamlProblem::TooLarge {
                    text: "18446744073709551616".into()
                },
                Some((1, 4))
            )
        );
        assert_eq!(problem("a: 1\n---\nb: 2\n").0, YamlProblem::SecondDocument);
        assert_eq!(problem("").0, YamlProblem::Empty);
        assert_eq!(problem("# only a comment\n").0, YamlProblem::Empty);
        assert!(matches!(
            problem("a: [1, 2\nb: 3\n"),
            (YamlProblem::Syntax { .. }, Some((2, _)))
        ));
    }

    #[test]
    fn an_alias_stands_for_its_value_and_has_a_place_of_its_own() {
        let document = YamlDocument::parse("a: &x\n  b: 1\nc: *x\n").unwrap();

        assert_eq!(document.value, json!({"a": {"b": 1}, "c": {"b": 1}}));
        assert_eq!(place(&document, "c"), (3, 1));
    }

    #[test]
    fn a_billion_laughs_end_at_the_limit() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{items}]\n");
        }

        assert_eq!(problem(&text).0, YamlProblem::TooMany { limit: MAX_NODES });
    }

    #[test]
    fn aliases_of_a_long_text_end_at_the_limit_too() {
        let aliases = vec!["*x"; 1_000].join(", ");
        let text = format!("a: &x {}\nb: [{aliases}]\n", "y".repeat(100_000));

        assert_eq!(problem(&text).0, YamlProblem::TooMany { limit: MAX_NODES });
    }

    #[test]
    fn keys_with_dots_and_strange_paths_lead_somewhere() {
        let document = YamlDocument::parse("a: 1\na.b:\n  c: 2\n\"\": 3\n").unwrap();

        assert_eq!(place(&document, "a.b.c"), (3, 3));
        for path in [
            "a.b[0]",
            "..",
            "[",
            "[]",
            "a[99999999999999999999]",
            "]",
            ".",
        ] {
            let _ = document.position(path);
        }
    }

    #[test]
    fn depth_ends_at_the_limit_directly_and_through_aliases() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));

        assert!(YamlDocument::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(
            problem(&deep(MAX_DEPTH + 1)).0,
            YamlProblem::TooDeep { limit: MAX_DEPTH }
        );
        let through = format!("a: &a {}\nb: {}\n", deep(40), deep(40).replace('1', "*a"));
        assert_eq!(
            problem(&through).0,
            YamlProblem::TooDeep { limit: MAX_DEPTH }
        );
    }

    #[test]
    fn an_anchor_that_contains_itself_is_refused() {
        assert_eq!(problem("a: &a [*a]\n").0, YamlProblem::Recursive);
    }

    #[test]
    fn a_document_over_the_limit_is_not_parsed() {
        assert_eq!(
            problem(&" ".repeat(MAX_BYTES + 1)).0,
            YamlProblem::TooLong {
                given: MAX_BYTES as u64 + 1,
                limit: MAX_BYTES
            }
        );
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~é\\n]{0,12}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{1,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect()))
            ]
        })
    }

    fn paths(value: &Value, path: &str, into: &mut Vec<String>) {
        into.push(path.to_owned());
        match value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| paths(item, &format!("{path}[{index}]"), into)),
            Value::Object(members) => members.iter().for_each(|(key, item)| {
                paths(
                    item,
                    &if path.is_empty() {
                        key.clone()
                    } else {
                        format!("{path}.{key}")
                    },
                    into,
                )
            }),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn any_json_reads_as_itself_and_every_value_has_a_place(value in tree()) {
            let text = serde_json::to_string_pretty(&value).unwrap();

            let document = YamlDocument::parse(&text).unwrap();

            let mut all = Vec::new();
            paths(&value, "", &mut all);
            for path in all {
                let (at, rest) = document.place.find(&path);
                prop_assert_eq!(rest, "");
                prop_assert!(text.lines().nth(at.line - 1).unwrap().chars().count() >= at.column, "{path} at {at:?}");
            }
            prop_assert_eq!(document.value, value);
        }

        #[test]
        fn no_text_panics(text in "[-a-c0-9:?&*!%@|>{}\\[\\],#\"' \\n\\t]{0,80}") {
            let _ = YamlDocument::parse(&text);
        }
    }
}

//! YAML for people, read strictly into JSON values, with the place of every value in its file.
//!
//! Stricter than YAML on purpose, since a policy that means something else than it says is worse
//! than one that is refused: no duplicate keys, no merge keys, no tags, string keys only, finite
//! numbers only, one document. Aliases work but cannot multiply beyond [`MAX_NODES`]. JSON is YAML.
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};
use std::collections::HashMap;

/// Deepest nesting of lists and mappings that is read.
pub const MAX_DEPTH: usize = 64;
/// Most values that one document may have once its aliases are resolved.
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
    places: HashMap<String, Position>,
}

impl YamlDocument {
    /// Reads one document of at most [`MAX_BYTES`]. Linear in its values, aliases resolved.
    ///
    /// # Errors
    /// [`YamlError`]; the document is at fault.
    pub fn parse(text: &str) -> Result<Self, YamlError> {
        if text.len() > MAX_BYTES {
            return Err(YamlError { at: None, problem: YamlProblem::TooLong { given: text.len() as u64, limit: MAX_BYTES } });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut builder = Builder::default();
        for step in Parser::new_from_str(text) {
            let (event, span) = step.map_err(|error| failure(*error.marker(), YamlProblem::Syntax { what: error.info().to_owned() }))?;
            builder.take(event, span.start)?;
        }
        let node = builder.root.ok_or(YamlError { at: None, problem: YamlProblem::Empty })?;
        let mut places = HashMap::new();
        let value = node.into_value(&mut String::new(), &mut places);
        Ok(Self { value, places })
    }
    /// Where the value at `path` (`budgets[0].limit`, empty for the whole) is: of a mapping's
    /// member its key. A path that is not there gives the nearest parent that is.
    pub fn position(&self, path: &str) -> Option<Position> {
        let mut path = path.trim_start_matches('.');
        loop {
            if let Some(position) = self.places.get(path) {
                return Some(*position);
            }
            if path.is_empty() {
                return None;
            }
            path = path.get(..path.rfind(['.', '[']).unwrap_or(0)).unwrap_or_default();
        }
    }
}

/// Appends `key` to a path the way `serde_path_to_error` writes it.
fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// A value with its place; shared by aliases through cloning, which is counted.
#[derive(Clone, Debug)]
struct Node {
    at: Position,
    data: Data,
    /// Values in here, itself included.
    nodes: usize,
    /// Levels of nesting in here, 0 for a scalar.
    height: usize,
}

#[derive(Clone, Debug)]
enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(Vec<(String, Position, Node)>),
}

impl Node {
    fn into_value(self, path: &mut String, places: &mut HashMap<String, Position>) -> Value {
        places.entry(path.clone()).or_insert(self.at);
        let length = path.len();
        match self.data {
            Data::Scalar(value) => value,
            Data::List(items) => {
                let list = items.into_iter().enumerate().map(|(index, item)| {
                    path.truncate(length);
                    path.push_str(&format!("[{index}]"));
                    item.into_value(path, places)
                });
                Value::Array(list.collect())
            }
            Data::Mapping(members) => {
                let mut map = Map::with_capacity(members.len());
                for (key, at, node) in members {
                    path.truncate(length);
                    push_key(path, &key);
                    places.entry(path.clone()).or_insert(at);
                    let value = node.into_value(path, places);
                    map.insert(key, value);
                }
                Value::Object(map)
            }
        }
    }
}

/// A list or mapping whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    data: OpenData,
    nodes: usize,
    height: usize,
}

enum OpenData {
    List(Vec<Node>),
    /// Members, lines of their keys, and the key whose value comes next.
    Mapping { members: Vec<(String, Position, Node)>, lines: HashMap<String, usize>, key: Option<(String, Position)> },
}

/// Builds the tree from the parser's events; a stack, so that depth costs no recursion.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    nodes: usize,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, mark: Marker) -> Result<(), YamlError> {
        let at = position(mark);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(YamlError { at: Some(at), problem: YamlProblem::SecondDocument });
                }
            }
            Event::Alias(anchor) => {
                let mut node = self.anchors.get(&anchor).cloned().ok_or(YamlError { at: Some(at), problem: YamlProblem::Recursive })?;
                node.at = at;
                self.place(node, 0)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag {
                    return Err(YamlError { at: Some(at), problem: YamlProblem::Tag { tag: tag.to_string() } });
                }
                if self.wants_key() {
                    return self.key(&text, style, at);
                }
                let value = scalar(&text, style).map_err(|problem| YamlError { at: Some(at), problem })?;
                self.place(Node { at, data: Data::Scalar(value), nodes: 1, height: 0 }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => self.start(at, anchor, tag.map(|tag| tag.to_string()), OpenData::List(Vec::new()))?,
            Event::MappingStart(anchor, tag) => self.start(at, anchor, tag.map(|tag| tag.to_string()), OpenData::Mapping { members: Vec::new(), lines: HashMap::new(), key: None })?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    let data = match open.data {
                        OpenData::List(items) => Data::List(items),
                        OpenData::Mapping { members, .. } => Data::Mapping(members),
                    };
                    self.place_counted(Node { at: open.at, data, nodes: open.nodes, height: open.height }, open.anchor)?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }
    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { data: OpenData::Mapping { key: None, .. }, .. }))
    }
    fn key(&mut self, text: &str, style: ScalarStyle, at: Position) -> Result<(), YamlError> {
        let failed = |problem| YamlError { at: Some(at), problem };
        if style == ScalarStyle::Plain && text == "<<" {
            return Err(failed(YamlProblem::MergeKey));
        }
        let Ok(Value::String(text)) = scalar(text, style) else { return Err(failed(YamlProblem::KeyNotString)) };
        if let Some(Open { data: OpenData::Mapping { lines, key, .. }, .. }) = self.open.last_mut() {
            if let Some(&first) = lines.get(&text) {
                return Err(failed(YamlProblem::Duplicate { key: text, first }));
            }
            lines.insert(text.clone(), at.line);
            *key = Some((text, at));
        }
        Ok(())
    }
    fn start(&mut self, at: Position, anchor: usize, tag: Option<String>, data: OpenData) -> Result<(), YamlError> {
        if let Some(tag) = tag {
            return Err(YamlError { at: Some(at), problem: YamlProblem::Tag { tag } });
        }
        if self.wants_key() {
            return Err(YamlError { at: Some(at), problem: YamlProblem::KeyNotString });
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError { at: Some(at), problem: YamlProblem::TooDeep { limit: MAX_DEPTH } });
        }
        self.count(1, at)?;
        self.open.push(Open { at, anchor, data, nodes: 1, height: 1 });
        Ok(())
    }
    fn count(&mut self, nodes: usize, at: Position) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err(YamlError { at: Some(at), problem: YamlProblem::TooMany { limit: MAX_NODES } }) } else { Ok(()) }
    }
    /// Puts a scalar or a resolved alias where it belongs.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        self.count(node.nodes, node.at)?;
        self.place_counted(node, anchor)
    }
    fn place_counted(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() + node.height > MAX_DEPTH {
            return Err(YamlError { at: Some(node.at), problem: YamlProblem::TooDeep { limit: MAX_DEPTH } });
        }
        if anchor > 0 {
            // The kept copy costs what the value costs, so many anchors around one another are counted too.
            self.count(node.nodes, node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.nodes += node.nodes;
        open.height = open.height.max(node.height + 1);
        match &mut open.data {
            OpenData::List(items) => items.push(node),
            OpenData::Mapping { members, key, .. } => match key.take() {
                Some((key, at)) => members.push((key, at, node)),
                // An alias or collection where a key belongs.
                None => return Err(YamlError { at: Some(node.at), problem: YamlProblem::KeyNotString }),
            },
        }
        Ok(())
    }
}

/// The value of a scalar by YAML's core schema: `yes`, `no`, `on` and dates are strings.
fn scalar(text: &str, style: ScalarStyle) -> Result<Value, YamlProblem> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Result<Option<Number>, YamlProblem> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(YamlProblem::NotFinite { text: text.to_owned() });
    }
    let too_large = || YamlProblem::TooLarge { text: text.to_owned() };
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix).map(|number| Some(number.into())).map_err(|_| too_large());
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        let number = plain.parse::<u64>().map(Number::from).or_else(|_| plain.parse::<i64>().map(Number::from));
        return number.map(Some).map_err(|_| too_large());
    }
    let looks_like_one = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') && unsigned.bytes().any(|byte| byte.is_ascii_digit()) && unsigned.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(number) if looks_like_one => Number::from_f64(number).map(Some).ok_or(YamlProblem::NotFinite { text: text.to_owned() }),
        _ => Ok(None),
    }
}

fn failure(mark: Marker, problem: YamlProblem) -> YamlError {
    YamlError { at: Some(position(mark)), problem }
}

fn position(mark: Marker) -> Position {
    Position { line: mark.line().max(1), column: mark.col() + 1 }
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
        let position = document.position(path).unwrap();
        (position.line, position.column)
    }

    #[test]
    fn values_read_by_the_core_schema() {
        let document = YamlDocument::parse("a: 1\nb: -2\nc: 0x1F\nd: 1.5\ne: 1e3\nf: ~\ng: true\nh: yes\ni: \"1\"\nj: 2026-04-22\nk: 1h\nl: |\n  x\n  y\nm: 18446744073709551615\nn: 1.2.3\np: v1\n").unwrap();

        assert_eq!(document.value, json!({"a": 1, "b": -2, "c": 31, "d": 1.5, "e": 1000.0, "f": null, "g": true, "h": "yes", "i": "1", "j": "2026-04-22", "k": "1h", "l": "x\ny\n", "m": u64::MAX, "n": "1.2.3", "p": "v1"}));
    }

    #[test]
    fn every_path_leads_to_its_line_and_column_or_to_its_nearest_parent() {
        let document = YamlDocument::parse("# head\nname: x\nbudgets:\n  - limit: 10\n    window: 1h\n  - {limit: 20}\n").unwrap();

        assert_eq!(place(&document, ""), (2, 1));
        assert_eq!(place(&document, "budgets"), (3, 1));
        assert_eq!(place(&document, "budgets[0].limit"), (4, 5));
        assert_eq!(place(&document, "budgets[0].window"), (5, 5));
        assert_eq!(place(&document, "budgets[1].limit"), (6, 6));
        assert_eq!(place(&document, "budgets[1].missing.deep[3]"), place(&document, "budgets[1]"));
        assert_eq!(place(&document, "nowhere"), (2, 1));
    }

    #[test]
    fn json_is_read_too() {
        let document = YamlDocument::parse("{\n\t\"a\": [1, \"x\\u00e9\\/\"],\n\t\"b\": {}\n}\n").unwrap();

        assert_eq!(document.value, json!({"a": [1, "xé/"], "b": {}}));
        assert_eq!(place(&document, "a[1]"), (2, 11));
    }

    #[test]
    fn whatever_could_mean_something_else_is_refused_where_it_stands() {
        assert_eq!(problem("a: 1\nb: 2\na: 3\n"), (YamlProblem::Duplicate { key: "a".into(), first: 1 }, Some((3, 1))));
        assert_eq!(problem("a: &x {b: 1}\nc:\n  <<: *x\n"), (YamlProblem::MergeKey, Some((3, 3))));
        assert_eq!(problem("a:\n  1: x\n"), (YamlProblem::KeyNotString, Some((2, 3))));
        assert_eq!(problem("? [a]\n: 1\n").0, YamlProblem::KeyNotString);
        assert_eq!(problem("a: !!int 3\n").0, YamlProblem::Tag { tag: "tag:yaml.org,2002:!int".into() });
        assert_eq!(problem("a: .nan\n"), (YamlProblem::NotFinite { text: ".nan".into() }, Some((1, 4))));
        assert_eq!(problem("a: 1e999\n").0, YamlProblem::NotFinite { text: "1e999".into() });
        assert_eq!(problem("a: 18446744073709551616\n"), (YamlProblem::TooLarge { text: "18446744073709551616".into() }, Some((1, 4))));
        assert_eq!(problem("a: 1\n---\nb: 2\n").0, YamlProblem::SecondDocument);
        assert_eq!(problem("").0, YamlProblem::Empty);
        assert_eq!(problem("# only a comment\n").0, YamlProblem::Empty);
        assert!(matches!(problem("a: [1, 2\nb: 3\n"), (YamlProblem::Syntax { .. }, Some((2, _)))));
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
    fn depth_ends_at_the_limit_directly_and_through_aliases() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));

        assert!(YamlDocument::parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(problem(&deep(MAX_DEPTH + 1)).0, YamlProblem::TooDeep { limit: MAX_DEPTH });
        let through = format!("a: &a {}\nb: {}\n", deep(40), deep(40).replace('1', "*a"));
        assert_eq!(problem(&through).0, YamlProblem::TooDeep { limit: MAX_DEPTH });
    }

    #[test]
    fn an_anchor_that_contains_itself_is_refused() {
        assert_eq!(problem("a: &a [*a]\n").0, YamlProblem::Recursive);
    }

    #[test]
    fn a_document_over_the_limit_is_not_parsed() {
        assert_eq!(problem(&" ".repeat(MAX_BYTES + 1)).0, YamlProblem::TooLong { given: MAX_BYTES as u64 + 1, limit: MAX_BYTES });
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), "[ -~é\\n]{0,12}".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from), prop::collection::btree_map("[a-z_]{1,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))])
    }

    fn paths(value: &Value, path: &str, into: &mut Vec<String>) {
        into.push(path.to_owned());
        match value {
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| paths(item, &format!("{path}[{index}]"), into)),
            Value::Object(members) => members.iter().for_each(|(key, item)| paths(item, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, into)),
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
                let at = document.places.get(&path).copied().unwrap();
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

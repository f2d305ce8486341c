//! Documents that somebody sends in place of a policy, out of malice or carelessness. Each is made here, so that none
//! lies in the repository, and each has to be refused with a place and a help.
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use weir_host::policy_file::PolicyFile;

/// One document.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What stands beside it.
    beside: Vec<(&'static str, Beside)>,
}

enum Beside {
    File(String),
    Folder,
    /// A symbolic link to a file of this name.
    Link(&'static str),
}

impl Hostile {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            beside: Vec::new(),
        }
    }

    fn beside(mut self, name: &'static str, beside: Beside) -> Self {
        self.beside.push((name, beside));
        self
    }

    /// What the plugin is given: the document as JSON where it is one, else its bytes.
    pub(crate) fn configuration(&self) -> Vec<u8> {
        let text = String::from_utf8(self.bytes.clone()).ok();
        let file = text.and_then(|text| PolicyFile::parse(text, "policy.yaml").ok());
        file.map_or_else(
            || self.bytes.clone(),
            |file| file.value.to_string().into_bytes(),
        )
    }

    /// Writes it and what stands beside it into an empty folder; its path.
    pub(crate) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("policy.yaml");
        std::fs::write(&path, &self.bytes).unwrap();
        for (name, beside) in &self.beside {
            let beside_path = folder.join(name);
            match beside {
                Beside::File(text) => std::fs::write(beside_path, text).unwrap(),
                Beside::Folder => std::fs::create_dir(beside_path).unwrap(),
                Beside::Link(to) => std::os::unix::fs::symlink(to, beside_path).unwrap(),
            }
        }
        path
    }
}

/// Every document, in the same order and with the same bytes each time.
pub(crate) fn documents(shipped: &Value) -> Vec<Hostile> {
    let mut all = Vec::new();
    wrong_types(shipped, &mut all);
    numbers(&mut all);
    strange_texts(shipped, &mut all);
    not_yaml(&mut all);
    not_one_document(&mut all);
    nesting(&mut all);
    large(&mut all);
    many(shipped, &mut all);
    overlays(&mut all);
    all
}

/// Paths into the document, one element of each list, as JSON pointers.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let at = format!("{at}/{key}");
                into.push(at.clone());
                pointers(member, &at, into);
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                let at = format!("{at}/0");
                into.push(at.clone());
                pointers(first, &at, into);
            }
        }
        _ => {}
    }
}

/// The shipped policy with one value of another type, each value in turn.
fn wrong_types(shipped: &Value, all: &mut Vec<Hostile>) {
    let mut paths = Vec::new();
    pointers(shipped, "", &mut paths);
    let wrong = [
        json!({"\u{202e}hostile": []}),
        json!([{"hostile": {"a": [1.5]}}]),
        json!(-0.25),
    ];
    for (path, wrong) in paths.iter().zip(wrong.iter().cycle()) {
        let mut document = shipped.clone();
        *document.pointer_mut(path).unwrap() = wrong.clone();
        all.push(Hostile::new(
            format!("wrong type at {path}"),
            document.to_string(),
        ));
    }
}

/// A small policy with `text` as the value of one number.
fn with_number(place: &str, text: &str) -> String {
    let at = |wanted: &str, usual: &str| {
        if wanted == place {
            text.to_owned()
        } else {
            usual.to_owned()
        }
    };
    format!(
        "apiVersion: weir/v1\nkind: Policy\nmetadata: {{name: p, version: \"1\", owner: o}}\n\
         identity: {{account: [{{header: a}}]}}\ntiers: [{{name: t}}]\n\
         capabilities: {{c: {{anyOf: [{{tools: {{atLeast: {}}}}}]}}}}\n\
         budgets: [{{name: b, per: account, unit: tokens, limit: {}, window: 1h}}]\n\
         metering: {{defaultOutputTokens: {}}}\ndetection: {{thresholds: {{restrict: {}}}}}\n\
         responses: {{delay: {{maxWaiting: {}}}}}\n\
         rollout: {{mode: canary, canary: {{percent: {}}}}}\n",
        at("atLeast", "1"),
        at("limit", "10"),
        at("defaultOutputTokens", "10"),
        at("restrict", "8"),
        at("maxWaiting", "10"),
        at("percent", "5"),
    )
}

fn numbers(all: &mut Vec<Hostile>) {
    let digits = "9".repeat(400);
    let long = "1".repeat(1_000_000);
    for place in [
        "atLeast",
        "limit",
        "defaultOutputTokens",
        "restrict",
        "maxWaiting",
        "percent",
    ] {
        for (name, text) in [
            ("-1", "-1"),
            ("1e400", "1e400"),
            ("-1e400", "-1e400"),
            ("1e308", "1e308"),
            ("not a number", ".nan"),
            ("infinity", ".inf"),
            ("2^64", "18446744073709551616"),
            ("hexadecimal", "0x1ffffffffffffffffffff"),
            ("underscores", "1_000"),
            ("a text", "\"1\""),
            ("400 digits", &digits),
            ("a million digits", &long),
            ("true", "true"),
            ("a date", "2026-01-01"),
        ] {
            all.push(Hostile::new(
                format!("{name} as {place}"),
                with_number(place, text),
            ));
        }
    }
}

/// Texts and keys that look like others, or like nothing.
fn strange_texts(shipped: &Value, all: &mut Vec<Hostile>) {
    for (name, text) in [
        ("empty", String::new()),
        ("a space", " ".to_owned()),
        ("NUL", "a\0b".to_owned()),
        ("right-to-left override", "a\u{202e}b".to_owned()),
        ("zero-width space", "frontier\u{200b}api".to_owned()),
        ("Cyrillic letters", "frоntier".to_owned()),
        ("full width", "\u{ff46}rontier".to_owned()),
        ("combining marks", "a\u{301}".repeat(1000)),
        ("line breaks", "a\r\nb".to_owned()),
        ("escape sequences", "\u{1b}[2J".to_owned()),
        ("a megabyte", "a".repeat(1 << 20)),
        ("noncharacters", "\u{ffff}\u{10ffff}".to_owned()),
        ("format string", "%s%n{}{0}".to_owned()),
        ("path", "../../etc/passwd".to_owned()),
    ] {
        for at in ["/metadata/name", "/budgets/0/name", "/tiers/0/name"] {
            let mut document = shipped.clone();
            *document.pointer_mut(at).unwrap() = json!(text);
            all.push(Hostile::new(
                format!("{name} as {at}"),
                document.to_string(),
            ));
        }
        let mut document = shipped.clone();
        let members = document.as_object_mut().unwrap();
        members.insert(format!("{text}budgets"), json!([]));
        if !text.is_empty() {
            all.push(Hostile::new(
                format!("{name} in a key"),
                document.to_string(),
            ));
        }
    }
    for escape in ["\\ud800", "\\udc00\\ud800", "\\u12", "\\x41", "\\"] {
        all.push(Hostile::new(
            format!("escape {escape}"),
            format!("{{\"apiVersion\": \"{escape}\"}}"),
        ));
    }
}

fn not_yaml(all: &mut Vec<Hostile>) {
    let random: Vec<u8> = (0..65_536u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let zip = [b"PK\x03\x04".as_slice(), &[0; 1000]].concat();
    let protobuf = b"\x0a\x12\x0a\x07weir/v1\x12\x06Policy\x1a\x00".to_vec();
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("spaces", vec![b' '; 1000]),
        ("line breaks", vec![b'\n'; 1000]),
        ("a comment", b"# nothing\n".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf".to_vec()),
        ("UTF-16", b"\xff\xfea\x00:\x00 \x001\x00".to_vec()),
        ("NUL bytes", vec![0; 4096]),
        ("invalid UTF-8", b"a: \xff\xfe\n".to_vec()),
        ("overlong UTF-8", b"a: \xc0\x80\n".to_vec()),
        ("surrogates in UTF-8", b"a: \xed\xa0\x80\n".to_vec()),
        ("UTF-8 cut off", b"a: \xe2\x82".to_vec()),
        ("random bytes", random),
        ("a zip archive", zip),
        ("a protobuf message", protobuf),
        ("an ELF file", b"\x7fELF\x02\x01\x01\x00".to_vec()),
        (
            "a gzip stream",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec(),
        ),
        ("a word", b"policy".to_vec()),
        ("a number", b"42".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", b"[1, 2]".to_vec()),
        ("a script", b"#!/bin/sh\nrm -rf $HOME\n".to_vec()),
        (
            "HTML",
            b"<!doctype html><html><body>502</body></html>".to_vec(),
        ),
        (
            "tabs",
            b"apiVersion: weir/v1\nmetadata:\n\tname: p\n".to_vec(),
        ),
        ("an open quote", b"a: \"b\nc: d\n".to_vec()),
        ("an open list", b"a: [1, 2\n".to_vec()),
        ("an open map", b"a: {b: 1\n".to_vec()),
        (
            "JSON cut off",
            b"{\"apiVersion\": \"weir/v1\", \"kind\":".to_vec(),
        ),
        (
            "JSON with something behind",
            b"{\"apiVersion\": \"weir/v1\"} x".to_vec(),
        ),
        (
            "a comma too many",
            b"{\"apiVersion\": \"weir/v1\",, }".to_vec(),
        ),
        ("an open anchor", b"a: &\n".to_vec()),
        ("an alias of nothing", b"a: *b\n".to_vec()),
        ("an anchor in itself", b"a: &a {b: *a}\n".to_vec()),
        (
            "a tag",
            b"a: !!python/object/apply:os.system [id]\n".to_vec(),
        ),
        ("a tag of our own", b"!policy {a: 1}\n".to_vec()),
        ("a directive", b"%YAML 9.9\n---\na: 1\n".to_vec()),
        ("an unknown directive", b"%HOSTILE\n".to_vec()),
        ("a block with strange indent", b"a: |9\n b\n".to_vec()),
        ("mixed indents", b"a:\n    b: 1\n  c: 2\n".to_vec()),
        ("a reserved character", b"a: @b\n".to_vec()),
        ("a template", b"a: {{ .Values.name }}\n".to_vec()),
        (
            "a merge conflict",
            b"<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\n".to_vec(),
        ),
    ] {
        all.push(Hostile::new(name, bytes));
    }
}

fn not_one_document(all: &mut Vec<Hostile>) {
    let good = with_number("", "");
    for (name, text) in [
        ("two documents", format!("{good}---\n{good}")),
        ("a document and a half", format!("{good}---\n[\n")),
        ("a duplicate key", format!("{good}kind: Policy\n")),
        ("a duplicate key inside", format!("{good}state: {{memory: 1MiB, memory: 2MiB}}\n")),
        ("a duplicate key by escape", "{\"kind\": 1, \"k\\u0069nd\": 2}".to_owned()),
        ("a merge key", format!("{good}state: &s {{memory: 1MiB}}\nx:\n  <<: *s\n")),
        ("a key that is a number", format!("{good}1: 2\n")),
        ("a key that is null", format!("{good}null: 2\n")),
        ("a key that is true", format!("{good}true: 2\n")),
        ("a key that is a list", format!("{good}? [a, b]\n: 2\n")),
        ("a key that is a map", format!("{good}? {{a: b}}\n: 2\n")),
        ("a key that is an alias", format!("{good}x: &x y\n? *x\n: 2\n")),
        ("an unknown key", format!("{good}budget: []\n")),
        ("a prototype", format!("{good}__proto__: {{polluted: true}}\n")),
        ("another kind", good.replace("kind: Policy", "kind: Secret")),
        ("another version", good.replace("weir/v1", "weir/v2")),
        ("no head", "tiers: []\n".to_owned()),
        ("a rollout of nothing", "{\"kind\": \"Rollout\"}".to_owned()),
        ("a rollout of rollouts", "{\"apiVersion\": \"weir/v1\", \"kind\": \"Rollout\", \"current\": {\"kind\": \"Rollout\"}, \"candidate\": {\"kind\": \"Rollout\"}}".to_owned()),
    ] {
        all.push(Hostile::new(name, text));
    }
}

fn nesting(all: &mut Vec<Hostile>) {
    for depth in [100, 1_000, 100_000, 1_000_000] {
        all.push(Hostile::new(
            format!("{depth} lists in one another"),
            "[".repeat(depth),
        ));
        all.push(Hostile::new(
            format!("{depth} closed lists in one another"),
            format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        ));
        all.push(Hostile::new(
            format!("{depth} maps in one another"),
            "{\"a\":".repeat(depth),
        ));
        all.push(Hostile::new(format!("{depth} dashes"), "- ".repeat(depth)));
    }
    let steps: String = (0..2_000)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    all.push(Hostile::new("a staircase of keys", steps));
    all.push(Hostile::new(
        "explicit keys in one another",
        "? ".repeat(100_000),
    ));
    all.push(Hostile::new(
        "deep inside of a policy",
        format!(
            "{{\"apiVersion\": \"weir/v1\", \"detection\": {{\"profile\": {}1{}}}}}",
            "[".repeat(120),
            "]".repeat(120)
        ),
    ));
    for (name, width, levels) in [
        ("laughs", 10usize, 10usize),
        ("doubles", 2, 40),
        ("wide", 1_000, 4),
    ] {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..levels {
            let items = vec![format!("*a{}", level - 1); width].join(", ");
            text += &format!("a{level}: &a{level} [{items}]\n");
        }
        all.push(Hostile::new(format!("aliases: {name}"), text));
    }
    let aliases = vec!["*x"; 10_000].join(", ");
    all.push(Hostile::new(
        "aliases of a long text",
        format!("a: &x {}\nb: [{aliases}]\n", "y".repeat(100_000)),
    ));
    let anchors: String = (0..50_000).map(|index| format!("&a{index} ")).collect();
    all.push(Hostile::new(
        "anchors of one value",
        format!("a: {anchors}1\n"),
    ));
}

fn large(all: &mut Vec<Hostile>) {
    const MUCH: usize = 10 << 20;
    for (name, piece) in [
        ("spaces", " "),
        ("letters", "a"),
        ("quotes", "\""),
        ("brackets", "["),
        ("braces", "{"),
        ("comments", "# a\n"),
        ("keys", "a: 1\n"),
        ("dashes", "- a\n"),
        ("line breaks", "\n"),
        ("NUL", "\0"),
        ("colons", ":"),
        ("anchors", "&a "),
        ("documents", "---\n"),
    ] {
        all.push(Hostile::new(
            format!("10 MB of {name}"),
            piece.repeat(MUCH / piece.len()),
        ));
    }
    all.push(Hostile::new(
        "10 MB of numbers",
        format!("[{}0]", "0,".repeat(MUCH / 2)),
    ));
    all.push(Hostile::new(
        "10 MB in one text",
        format!("{{\"kind\": \"{}\"}}", "a".repeat(MUCH)),
    ));
    // Just below what is read at all.
    const MOST: usize = (4 << 20) - 64;
    all.push(Hostile::new(
        "4 MB in one text",
        format!("{{\"kind\": \"{}\"}}", "a".repeat(MOST)),
    ));
    all.push(Hostile::new(
        "4 MB in one key",
        format!("{{\"{}\": 1}}", "a".repeat(MOST)),
    ));
    all.push(Hostile::new(
        "4 MB in one comment",
        format!("#{}\ncomment: 1\n", "a".repeat(MOST)),
    ));
    all.push(Hostile::new(
        "4 MB of empty lists",
        format!("{{\"tiers\": [{}[]]}}", "[],".repeat(MOST / 3 - 10)),
    ));
    all.push(Hostile::new(
        "4 MB of escapes",
        format!("{{\"kind\": \"{}\"}}", "\\u0041".repeat(MOST / 6)),
    ));
    all.push(Hostile::new(
        "4 MB of indented lines",
        format!("a:\n{}", "  - b\n".repeat(MOST / 6)),
    ));
    all.push(Hostile::new(
        "4 MB of a block",
        format!("kind: |\n{}", "  b\n".repeat(MOST / 4)),
    ));
    all.push(Hostile::new(
        "4 MB of plain lines",
        format!("kind: {}", "b\n  ".repeat(MOST / 4)),
    ));
}

/// The shipped policy with very many entries somewhere.
fn many(shipped: &Value, all: &mut Vec<Hostile>) {
    let list = |count: usize, entry: &dyn Fn(usize) -> Value| {
        Value::Array((0..count).map(entry).collect())
    };
    let map = |count: usize, entry: &dyn Fn(usize) -> Value| {
        let members = (0..count).map(|index| (format!("c{index}"), entry(index)));
        Value::Object(members.collect::<Map<_, _>>())
    };
    let phrases = |of: Value| json!({"c": {"anyOf": [{"phrases": {"of": of}}]}});
    let name = |index: usize| json!({"name": format!("n{index}")});
    let text = |index: usize| json!(format!("n{index}"));
    let alike = |count: usize, length: usize| {
        list(count, &move |index| {
            // Each differs late, so that no prefix is shared for nothing.
            json!(format!("{}{index:05}", "a".repeat(length - 5)))
        })
    };
    let mixed = |count: usize, length: usize| {
        list(count, &move |index| {
            let byte =
                |at: usize| char::from(b'!' + ((index * 31 + at * 17 + index * at) % 90) as u8);
            json!((0..length).map(byte).collect::<String>())
        })
    };
    for (what, pointer, value) in [
        ("20000 tiers", "/tiers", list(20_000, &name)),
        (
            "20000 tiers of one name",
            "/tiers",
            list(20_000, &|_| json!({"name": "n"})),
        ),
        (
            "60000 numbers as tiers",
            "/tiers",
            list(60_000, &|index| json!(index)),
        ),
        ("20000 budgets", "/budgets", list(20_000, &name)),
        (
            "150000 nulls as budgets",
            "/budgets",
            list(150_000, &|_| Value::Null),
        ),
        (
            "20000 budgets of everything wrong",
            "/budgets",
            list(
                20_000,
                &|_| json!({"name": "", "per": "x", "limit": -1, "window": "x"}),
            ),
        ),
        ("20000 rules", "/shaping/rules", list(20_000, &name)),
        (
            "20000 thresholds",
            "/verification/thresholds",
            list(20_000, &name),
        ),
        ("50000 levels", "/verification/levels", list(50_000, &text)),
        (
            "50000 empty entries",
            "/lists/deny",
            list(50_000, &|_| json!({})),
        ),
        (
            "20000 entries of everything wrong",
            "/lists/deny",
            list(
                20_000,
                &|_| json!({"account": "", "organization": " ", "owner": "", "reason": "\n", "expires": "never"}),
            ),
        ),
        (
            "50000 empty entries of states",
            "/lists/states",
            list(50_000, &|_| json!({})),
        ),
        (
            "150000 unknown grants",
            "/tiers/0/grants",
            list(150_000, &text),
        ),
        ("150000 plans", "/tiers/0/match/plan", list(150_000, &text)),
        (
            "150000 unknown tiers of a budget",
            "/budgets/0/tiers",
            list(150_000, &text),
        ),
        (
            "150000 unknown tiers of a rule",
            "/shaping/rules/0/when/tiers",
            list(150_000, &text),
        ),
        (
            "150000 states of a rule",
            "/shaping/rules/1/when/states",
            list(150_000, &|_| json!("watched")),
        ),
        (
            "150000 paths",
            "/inspection/passThrough",
            list(150_000, &text),
        ),
        (
            "150000 families",
            "/responses/headers",
            list(150_000, &|_| json!("envoy")),
        ),
        (
            "60000 sources",
            "/identity/account",
            list(60_000, &|_| json!({"header": "Authorization"})),
        ),
        (
            "60000 unknown sources",
            "/identity/account",
            list(60_000, &|_| json!({"cookie": "a"})),
        ),
        (
            "30000 capabilities",
            "/capabilities",
            map(30_000, &|_| json!({"anyOf": []})),
        ),
        (
            "30000 capabilities of wrong types",
            "/capabilities",
            map(30_000, &|_| json!(1)),
        ),
        (
            "150000 phrases",
            "/capabilities",
            phrases(list(150_000, &text)),
        ),
        (
            "150000 equal phrases",
            "/capabilities",
            phrases(list(150_000, &|_| json!("A"))),
        ),
        (
            "512 phrases as long as can be, alike",
            "/capabilities",
            phrases(alike(512, 128)),
        ),
        (
            "512 phrases as long as can be, mixed",
            "/capabilities",
            phrases(mixed(512, 128)),
        ),
        (
            "a phrase of a megabyte",
            "/capabilities",
            phrases(json!(["a".repeat(1 << 20)])),
        ),
        (
            "400 phrases of ten thousand bytes",
            "/capabilities",
            phrases(mixed(400, 10_000)),
        ),
        (
            "150000 empty phrases",
            "/capabilities",
            phrases(list(150_000, &|_| json!(""))),
        ),
        ("150000 locks", "/metadata", list(150_000, &text)),
        (
            "a profile of 100000 weights",
            "/detection",
            json!({"profile": map(100_000, &|index| json!(index))}),
        ),
        (
            "100000 unknown keys",
            "/state",
            map(100_000, &|index| json!(index)),
        ),
        (
            "a canary of 150000 tiers",
            "/rollout",
            json!({"mode": "canary", "canary": {"tiers": list(150_000, &text)}}),
        ),
        (
            "a guard of 100000 tiers",
            "/rollout",
            json!({"mode": "shadow", "guard": {"tiers": map(100_000, &|_| json!(2))}}),
        ),
        (
            "20000 keys",
            "/verification",
            json!({"levels": ["a"], "attestation": {"audience": "a", "keys": list(20_000, &|_| json!({"id": "k", "ed25519": "x"}))}}),
        ),
    ] {
        let mut document = shipped.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        all.push(Hostile::new(what, document.to_string()));
    }
    let mut document = shipped.clone();
    document["locked"] = list(150_000, &text);
    all.push(Hostile::new(
        "150000 locks of nothing",
        document.to_string(),
    ));
}

fn overlays(all: &mut Vec<Hostile>) {
    let on = |base: &str| format!("apiVersion: weir/v1\nkind: Overlay\nextends: {base}\n");
    let base = || Beside::File(with_number("", ""));
    let large = "# a\n".repeat(2 << 20);
    let removals: String = (0..40_000)
        .map(|index| format!("  - {{name: n{index}, remove: true}}\n"))
        .collect();
    let chain: String = (0..40_000)
        .map(|index| {
            let before = if index == 0 {
                "t".to_owned()
            } else {
                format!("n{}", index - 1)
            };
            format!("  - {{name: n{index}, before: {before}}}\n")
        })
        .collect();
    let locks: String = (0..100_000)
        .map(|index| format!("  - lists.deny.a{index}\n"))
        .collect();
    let denied: String = (0..40_000)
        .map(|index| format!("    - {{account: a{index}}}\n"))
        .collect();
    all.extend([
        Hostile::new(
            "an overlay of nothing",
            "apiVersion: weir/v1\nkind: Overlay\n",
        ),
        Hostile::new("an overlay of itself", on("policy.yaml")),
        Hostile::new("an overlay of itself by another way", on("././policy.yaml")),
        Hostile::new("two overlays of one another", on("b.yaml"))
            .beside("b.yaml", Beside::File(on("policy.yaml"))),
        Hostile::new("three overlays of one another", on("b.yaml"))
            .beside("b.yaml", Beside::File(on("c.yaml")))
            .beside("c.yaml", Beside::File(on("policy.yaml"))),
        Hostile::new("an overlay of itself through a link", on("b.yaml"))
            .beside("b.yaml", Beside::Link("policy.yaml")),
        Hostile::new("links in a circle", on("b.yaml"))
            .beside("b.yaml", Beside::Link("c.yaml"))
            .beside("c.yaml", Beside::Link("b.yaml")),
        Hostile::new("a link to nothing", on("b.yaml")).beside("b.yaml", Beside::Link("nothing")),
        Hostile::new("an overlay of a folder", on("b")).beside("b", Beside::Folder),
        Hostile::new("an overlay of an endless device", on("/dev/zero")),
        Hostile::new("an overlay of random bytes", on("/dev/urandom")),
        Hostile::new("an overlay of standard input", on("\"-\"")),
        Hostile::new(
            "an overlay of an address",
            on("https://example.com/base.yaml"),
        ),
        Hostile::new("an overlay with NUL in its base", on("\"a\\0b\"")),
        Hostile::new("an overlay of a long name", on(&"a".repeat(100_000))),
        Hostile::new("an overlay of a large file", on("b.yaml"))
            .beside("b.yaml", Beside::File(large)),
        Hostile::new("an overlay of a broken file", on("b.yaml"))
            .beside("b.yaml", Beside::File("a: [".to_owned())),
        Hostile::new("an overlay of a list", on("b.yaml"))
            .beside("b.yaml", Beside::File("[]\n".to_owned())),
        Hostile::new("an overlay of something else", on("b.yaml"))
            .beside("b.yaml", Beside::File("kind: Secret\n".to_owned())),
        Hostile::new(
            "an overlay that removes what is not there",
            format!("{}budgets:\n{removals}", on("b.yaml")),
        )
        .beside("b.yaml", base()),
        Hostile::new(
            "40000 entries before one another",
            format!("{}tiers:\n{chain}", on("b.yaml")),
        )
        .beside("b.yaml", base()),
        Hostile::new(
            "an overlay that touches what is locked",
            format!("{}tiers: []\nstate: {{}}\n", on("b.yaml")),
        )
        .beside(
            "b.yaml",
            Beside::File(format!("{}locked: [tiers, state]\n", with_number("", ""))),
        ),
        Hostile::new(
            "100000 locks and 40000 entries",
            format!("{}lists:\n  deny:\n{denied}", on("b.yaml")),
        )
        .beside(
            "b.yaml",
            Beside::File(format!("{}locked:\n{locks}", with_number("", ""))),
        ),
        Hostile::new(
            "locks that are none",
            format!("{}locked: {{a: 1}}\n", on("b.yaml")),
        )
        .beside("b.yaml", base()),
        Hostile::new(
            "an overlay that becomes another kind",
            format!("{}rollout: null\ntiers: null\n", on("b.yaml")),
        )
        .beside("b.yaml", base()),
    ]);
}

//! A page of Markdown that can be done: files with their names, commands with what they print.
use std::fmt::Write;

/// What a reader does, in order.
pub(crate) struct Page {
    pub(crate) blocks: Vec<Block>,
}

pub(crate) enum Block {
    /// A fenced block whose info string has a second word, the file's name.
    File { name: String, text: String },
    /// A line of a `console` block that begins with `$ `.
    Command(Shown),
}

/// A command as the page shows it. `# status N` after it is its exit status, else 0.
pub(crate) struct Shown {
    pub(crate) line: usize,
    pub(crate) text: String,
    status: i32,
    /// What it prints: `...` stands for any lines, `…` for anything within a line.
    output: Vec<String>,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut blocks = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else {
                continue;
            };
            let inside: Vec<(usize, &str)> = lines
                .by_ref()
                .take_while(|(_, line)| *line != "```")
                .collect();
            match info.split_once(' ') {
                Some((_, name)) => blocks.push(Block::File {
                    name: name.to_owned(),
                    text: inside.iter().map(|(_, line)| format!("{line}\n")).collect(),
                }),
                None if info == "console" => console(&inside, &mut blocks)?,
                None => {
                    return Err(format!(
                        "line {}: a block of {info} that nothing is done with",
                        at + 1
                    ));
                }
            }
        }
        Ok(Self { blocks })
    }
}

fn console(lines: &[(usize, &str)], blocks: &mut Vec<Block>) -> Result<(), String> {
    for (at, line) in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            let (text, status) = match command.split_once(" # status ") {
                Some((text, status)) => (
                    text,
                    status
                        .parse()
                        .map_err(|_| format!("line {}: no status", at + 1))?,
                ),
                None => (command, 0),
            };
            blocks.push(Block::Command(Shown {
                line: at + 1,
                text: text.to_owned(),
                status,
                output: Vec::new(),
            }));
        } else if let Some(Block::Command(command)) = blocks.last_mut() {
            command.output.push((*line).to_owned());
        } else {
            return Err(format!("line {}: output of no command", at + 1));
        }
    }
    Ok(())
}

impl Shown {
    /// What is not as shown; `None` where everything is.
    pub(crate) fn differs(&self, status: i32, told: &str) -> Option<String> {
        let told: Vec<&str> = told.lines().collect();
        if status == self.status && lines_match(&self.output, &told) {
            return None;
        }
        let mut wanted = format!("--- shown, with status {}:", self.status);
        for line in &self.output {
            let _ = write!(wanted, "\n{line}");
        }
        Some(wanted)
    }
}

fn lines_match(shown: &[String], told: &[&str]) -> bool {
    match shown.split_first() {
        None => told.is_empty(),
        Some((line, rest)) if line == "..." => (0..=told.len())
            .any(|skipped| lines_match(rest, told.get(skipped..).unwrap_or_default())),
        Some((line, rest)) => told
            .split_first()
            .is_some_and(|(first, told)| line_matches(line, first) && lines_match(rest, told)),
    }
}

fn line_matches(shown: &str, told: &str) -> bool {
    match shown.split_once('…') {
        None => shown == told,
        Some((before, after)) => told.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter()
                .any(|at| line_matches(after, rest.get(at..).unwrap_or_default()))
        }),
    }
}

#[test]
fn dots_stand_for_lines_and_an_ellipsis_for_a_part_of_one() {
    let shown =
        |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| (*line).to_owned()).collect() };

    assert!(lines_match(
        &shown(&["a", "...", "d"]),
        &["a", "b", "c", "d"]
    ));
    assert!(lines_match(&shown(&["..."]), &[]));
    assert!(lines_match(&shown(&["x…y…z"]), &["x1y22z"]));
    assert!(!lines_match(&shown(&["a", "d"]), &["a", "b", "d"]));
    assert!(!lines_match(&shown(&["x…y"]), &["x1z"]));
    assert!(!lines_match(&shown(&[]), &["more"]));
}

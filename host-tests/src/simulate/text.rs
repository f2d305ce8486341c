//! The text that simulated exchanges are put together from, already escaped for JSON.
//!
//! Escaping once at the start is what makes a simulation write at the speed of copying.
use super::random::{Random, TEXTS, mix};
use super::words;
use super::{SourceError, Sources};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

const MADE_PROMPTS: usize = 4_096;
const MADE_SENTENCES: usize = 512;
const MADE_FILES: usize = 256;
const CODE_LINES: usize = 24;
/// A corpus is held in memory, so it has an end.
const MAX_PROMPTS: usize = 4_000_000;

/// Text with JSON escapes, without quotes.
pub(crate) struct Texts {
    pub(crate) organic: Vec<Box<str>>,
    pub(crate) extraction: Vec<Box<str>>,
    pub(crate) system: Vec<Box<str>>,
    pub(crate) sentences: Vec<Box<str>>,
    pub(crate) code: Vec<Box<str>>,
    pub(crate) files: Vec<Box<str>>,
}

impl Texts {
    pub(crate) fn load(sources: &Sources, seed: u64) -> Result<Self, SourceError> {
        let read = |source: &Option<PathBuf>| source.as_deref().map(read).transpose();
        let organic = read(&sources.organic_prompts)?;
        let extraction = read(&sources.extraction_prompts)?;
        Ok(Self::with(organic, extraction, seed))
    }

    /// Texts of our own.
    pub(crate) fn made_up(seed: u64) -> Self {
        Self::with(None, None, seed)
    }

    fn with(organic: Option<Vec<Box<str>>>, extraction: Option<Vec<Box<str>>>, seed: u64) -> Self {
        let mut random = Random::new(seed, TEXTS);
        let mut prompts = |given: Option<Vec<Box<str>>>, patterns| {
            given.unwrap_or_else(|| made(patterns, MADE_PROMPTS, &mut random))
        };
        let organic = prompts(organic, words::ORGANIC);
        let extraction = prompts(extraction, words::EXTRACTION);
        let mut random = Random::new(mix(seed, 1), TEXTS);
        let code = (0..MADE_FILES).map(|_| {
            let lines: Vec<_> = (0..1 + random.below(CODE_LINES))
                .map(|_| fill(words::CODE, &mut random))
                .collect();
            escaped(&lines.join("\n"))
        });
        let code = code.collect();
        Self {
            organic,
            extraction,
            system: made(words::SYSTEM, 64, &mut random),
            sentences: made(words::ANSWERS, MADE_SENTENCES, &mut random),
            code,
            files: made(&["{file}"], 64, &mut random),
        }
    }
}

/// Appends `text` as the inside of a JSON string.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(start..at).unwrap_or_default());
        start = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend(
                    [byte >> 4, byte & 15]
                        .map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or(b'0')),
                );
            }
        }
    }
    out.extend_from_slice(bytes.get(start..).unwrap_or_default());
}

fn escaped(text: &str) -> Box<str> {
    let mut out = Vec::with_capacity(text.len() + 16);
    escape(text, &mut out);
    String::from_utf8_lossy(&out).into_owned().into_boxed_str() // always UTF-8: escaping adds ASCII only
}

fn made(patterns: &[&str], count: usize, random: &mut Random) -> Vec<Box<str>> {
    (0..count)
        .map(|_| escaped(&fill(patterns, random)))
        .collect()
}

/// One of `patterns` with every slot filled.
fn fill(patterns: &[&str], random: &mut Random) -> String {
    let mut rest = random.pick(patterns).unwrap_or_default();
    let mut text = String::with_capacity(rest.len() * 2);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let slot = after.split_once('}').and_then(|(name, tail)| {
            words::SLOTS
                .iter()
                .find(|(slot, _)| *slot == name)
                .map(|(_, words)| (*words, tail))
        });
        match slot {
            Some((words, tail)) => {
                text.push_str(random.pick(words).unwrap_or_default());
                rest = tail;
            }
            None => {
                text.push('{'); // a brace of the code itself
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

fn read(path: &Path) -> Result<Vec<Box<str>>, SourceError> {
    let prompts = read_prompts(path)?;
    Ok(prompts.iter().map(|prompt| escaped(prompt)).collect())
}

/// Reads JSON lines with a `prompt`; there is at least one.
pub(crate) fn read_prompts(path: &Path) -> Result<Vec<String>, SourceError> {
    #[derive(Deserialize)]
    struct Row {
        prompt: String,
    }
    let unreadable = |source| SourceError::Read {
        path: path.to_owned(),
        source,
    };
    let failed = |line, what| SourceError::Form {
        path: path.to_owned(),
        line,
        what,
    };
    let mut prompts = Vec::new();
    for (index, line) in BufReader::new(File::open(path).map_err(unreadable)?)
        .lines()
        .enumerate()
    {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Row = serde_json::from_str(&line)
            .map_err(|_| failed(index + 1, "expected a JSON object with a `prompt`"))?;
        prompts.push(row.prompt);
        if prompts.len() > MAX_PROMPTS {
            return Err(failed(
                index + 1,
                "more than 4000000 prompts; take a sample",
            ));
        }
    }
    if prompts.is_empty() {
        Err(failed(1, "there is no prompt"))
    } else {
        Ok(prompts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_slot_of_every_pattern_has_words() {
        let patterns = [
            words::ORGANIC,
            words::EXTRACTION,
            words::SYSTEM,
            words::ANSWERS,
        ]
        .concat();
        for pattern in patterns {
            let filled = fill(&[pattern], &mut Random::new(1, 1));

            assert!(!filled.contains(['{', '}']), "{pattern}");
        }
    }

    #[test]
    fn made_prompts_are_many_different_ones() {
        let texts = Texts::load(&Sources::default(), 1).unwrap();

        for pool in [texts.organic, texts.extraction] {
            let different: std::collections::HashSet<_> = pool.iter().collect();
            assert!(
                different.len() > pool.len() / 2,
                "{} of {}",
                different.len(),
                pool.len()
            );
        }
    }

    #[test]
    fn a_row_without_prompt_is_told_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.jsonl");
        std::fs::write(&path, "{\"prompt\":\"a\"}\n\n{\"text\":\"secret\"}\n").unwrap();

        let error = read(&path).unwrap_err().to_string();

        assert!(
            error.ends_with("p.jsonl:3: expected a JSON object with a `prompt`"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn escaped_text_reads_back_as_itself(text in any::<String>()) {
            let json = format!("\"{}\"", escaped(&text));

            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}

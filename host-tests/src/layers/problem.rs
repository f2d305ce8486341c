//! A diagnostic with its place in a file.
use crate::yaml::{Position, YamlError};
use std::collections::BTreeSet;
use weir_engine::policy::{Code, Diagnostic, Severity};

/// Problems of layers that are listed; of those beyond, only how many there are.
const MAX_LISTED: usize = 200;

/// A diagnostic and where it is to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The place in it; `None` where there is none.
    pub at: Option<Position>,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

/// The first `most` characters, control characters replaced: names and paths of a file can be of any length.
fn clipped(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Problems of layers: all of them errors, each told once.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<Problem>,
    known: BTreeSet<(Code, String, usize, usize)>,
    more: usize,
}

impl Problems {
    pub(super) fn error(
        &mut self,
        code: Code,
        file: &str,
        at: Option<Position>,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.listed.len() >= MAX_LISTED {
            self.more = self.more.saturating_add(1);
            return;
        }
        let place = at.unwrap_or_default();
        if !self
            .known
            .insert((code, file.to_owned(), place.line, place.column))
        {
            return;
        }
        self.listed.push(Problem {
            file: file.to_owned(),
            at,
            diagnostic: Diagnostic {
                code,
                severity: Severity::Error,
                path: clipped(path, 256),
                message: clipped(&message.into(), 600),
                help: help.into(),
            },
        });
    }

    /// A file that is no document at all.
    pub(super) fn of_document(&mut self, file: &str, error: &YamlError) {
        // What concerns the file as a whole begins with its first line.
        let at = error.at.unwrap_or(Position { line: 1, column: 1 });
        let help = error.problem.help();
        self.error(
            Code::Syntax,
            file,
            Some(at),
            ".",
            error.problem.to_string(),
            help,
        );
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Everything listed, and how much is not.
    pub(super) fn take(&mut self) -> Vec<Problem> {
        let mut listed = std::mem::take(&mut self.listed);
        let last = listed.last().filter(|_| self.more > 0).cloned();
        listed.extend(last.map(|last| Problem {
            diagnostic: Diagnostic {
                code: Code::MoreProblems,
                path: ".".to_owned(),
                message: format!("and {} more problems", self.more),
                help: "mend those above first".to_owned(),
                ..last.diagnostic
            },
            ..last
        }));
        listed
    }

    pub(super) fn into_all(mut self) -> Vec<Problem> {
        self.take()
    }
}

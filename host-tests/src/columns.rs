//! Tables as text for people: columns as wide as their widest cell, numbers to the right.
//!
//! Cells may hold what clients wrote (accounts, models). It is cut, and nothing in it moves a cursor,
//! sets a colour or turns the direction of text.
use crate::page::is_unprintable;
use std::fmt::{self, Display};

/// Longest cell, in characters.
const WIDEST: usize = 48;
/// Between two columns.
const GAP: usize = 2;

/// A table.
pub(crate) struct Columns {
    /// Whether each column holds text, which begins at its left.
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// A table under `head`. A name that begins with `<` is a column of text, without the sign.
    pub(crate) fn new(head: &[&str]) -> Self {
        let names = head.iter();
        Self {
            left: head.iter().map(|name| name.starts_with('<')).collect(),
            rows: vec![
                names
                    .map(|name| name.trim_start_matches('<').to_owned())
                    .collect(),
            ],
        }
    }
    /// Adds a row.
    pub(crate) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }
    /// Whether there is nothing but the head.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }
}

impl Display for Columns {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.left.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), left) in row.iter().zip(&widths).zip(&self.left) {
                let gap = " ".repeat(GAP);
                let space = " ".repeat(width - cell.chars().count().min(*width));
                let (before, after) = if *left {
                    ("", space.as_str())
                } else {
                    (space.as_str(), "")
                };
                line = format!("{line}{gap}{before}{cell}{after}");
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// `text`, cut, with every character that would do something in a terminal replaced.
pub(crate) fn printable(text: &str) -> String {
    let mut letters = text.chars();
    let mut out: String = letters
        .by_ref()
        .take(WIDEST)
        .map(|letter| match is_unprintable(letter) {
            true => '\u{fffd}',
            false => letter,
        })
        .collect();
    if letters.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// A share of 0 to 1 as people read it.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    share(part as f64 / whole as f64)
}

/// The same of a share that is known already.
pub(crate) fn share(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 99.995 {
        format!("{percent:.0} %")
    } else if percent < 1.0 {
        format!("{percent:.3} %")
    } else {
        format!("{percent:.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
        let mut columns = Columns::new(&["<account", "refused"]);
        columns.push(["a-1".to_owned(), "7".to_owned()]);
        columns.push(["a-long-name".to_owned(), "12345678".to_owned()]);

        assert_eq!(
            columns.to_string(),
            "  account       refused\n  a-1                 7\n  a-long-name  12345678\n"
        );
    }

    #[test]
    fn a_cell_does_nothing_to_a_terminal_and_has_an_end() {
        let mut columns = Columns::new(&["<account"]);
        columns.push(["\u{1b}[2J\r\n\u{202e}x".to_owned()]);
        columns.push(["y".repeat(5_000)]);

        let text = columns.to_string();
        assert!(!text.contains('\u{1b}') && !text.contains('\r') && !text.contains('\u{202e}'));
        assert_eq!(text.lines().count(), 3);
        assert!(
            text.lines()
                .all(|line| line.chars().count() <= WIDEST + GAP)
        );
    }
}

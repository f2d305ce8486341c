//! What our HTML pages have in common: escaping, tables, and a style that follows the reader's setting.
//!
//! A page refers to nothing outside of itself and runs no script, so it can be kept and mailed.
use std::fmt::{Arguments, Write};

/// Colours and tables; on paper black on white.
pub(crate) const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#55555e;--paper:#fff;--rule:#d5d5dc;--c0:#0060a8;--c1:#b84300;--c2:#5c5c66;--c3:#00795a;--c4:#a03a78;--c5:#7a6200;--c6:#2f8fc4;--c7:#000}
@media (prefers-color-scheme:dark){:root{--ink:#ececf1;--soft:#b4b4bf;--paper:#16161a;--rule:#3a3a43;--c0:#6bb5f2;--c1:#ff9457;--c2:#b0b0ba;--c3:#41cfa4;--c4:#ec93c6;--c5:#dcc04a;--c6:#a4dcff;--c7:#fff}}
@media print{:root{--ink:#000;--soft:#333;--paper:#fff;--rule:#bbb;--c0:#0060a8;--c1:#b84300;--c2:#5c5c66;--c3:#00795a;--c4:#a03a78;--c5:#7a6200;--c6:#2f8fc4;--c7:#000}figure,table{break-inside:avoid}}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:84rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid var(--rule);padding-top:1rem}h3{font-size:1rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0}
caption{text-align:left;color:var(--soft);padding-bottom:.3rem}th,td{padding:.15rem .7rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}th:first-child,td:first-child{text-align:left}
";

/// Appends formatted text.
pub(crate) fn push(out: &mut String, text: Arguments<'_>) {
    let _ = out.write_fmt(text); // writing to a string cannot fail
}

/// Text as it may stand in HTML.
pub(crate) fn escape(text: &str) -> String {
    text.chars()
        .filter(|letter| !is_unprintable(*letter))
        .fold(String::new(), |mut out, letter| {
            match letter {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                other => out.push(other),
            }
            out
        })
}

/// Control characters, and those that turn the direction of what follows: they make a reader see something
/// else than what is there, and a terminal do something.
pub(crate) fn is_unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Begins a page; `style` comes after [`STYLE`].
pub(crate) fn begin(out: &mut String, title: &str, style: &str) {
    push(
        out,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/><title>{0}</title><style>{STYLE}{style}</style></head><body><main><h1>{0}</h1>\n",
            escape(title)
        ),
    );
}

/// Ends it.
pub(crate) fn end(out: &mut String) {
    out.push_str("</main></body></html>\n");
}

/// A table; the first cell of each row is its head.
pub(crate) fn rows(out: &mut String, caption: &str, head: &[&str], rows: &[Vec<String>]) {
    push(
        out,
        format_args!(
            "<div class=\"scroll\"><table><caption>{}</caption><thead><tr>",
            escape(caption)
        ),
    );
    for cell in head {
        push(out, format_args!("<th scope=\"col\">{}</th>", escape(cell)));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            if index == 0 {
                push(out, format_args!("<th scope=\"row\">{cell}</th>"));
            } else {
                push(out, format_args!("<td>{cell}</td>"));
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_markup_or_turns_the_direction_of_text() {
        let mut out = String::new();

        rows(
            &mut out,
            "<b>",
            &["<i>"],
            &[vec!["<script>\u{1b}[2J\u{202e}\"'&".to_owned()]],
        );

        assert!(out.contains("&lt;b&gt;") && out.contains("&lt;i&gt;"));
        assert!(out.contains("&lt;script&gt;[2J&quot;&#39;&amp;</th>"));
    }
}

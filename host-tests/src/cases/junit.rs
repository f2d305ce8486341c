//! JUnit's XML, which build servers show: a suite for each host, a test case for each case.
use super::Status;
use super::report::{HostKind, Report};
use std::fmt::Write;

/// The report as a document.
pub fn document(report: &Report) -> String {
    let mut hosts: Vec<HostKind> = report
        .cases
        .iter()
        .flat_map(|case| case.hosts.iter().map(|(kind, _, _)| *kind))
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"weir test\">\n",
    );
    for host in hosts {
        suite(report, host, &mut text);
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(report: &Report, host: HostKind, text: &mut String) {
    let mut body = String::new();
    let (mut tests, mut failures, mut skipped, mut seconds) = (0_u32, 0_u32, 0_u32, 0.0);
    for case in &report.cases {
        let Some((_, ran, took)) = case.hosts.iter().find(|(kind, _, _)| *kind == host) else {
            continue;
        };
        tests = tests.saturating_add(1);
        seconds += took.as_secs_f64();
        let file = case.file.display().to_string();
        // Writing to a string does not fail, here and below.
        let _ = writeln!(
            body,
            "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.3}\">",
            escaped(&file),
            escaped(&case.name),
            escaped(&file),
            case.line,
            took.as_secs_f64()
        );
        let unmet = ran
            .unmet
            .iter()
            .map(|unmet| format!("{file}:{}: {}", unmet.line, unmet.what));
        let about = format!("and {}:", host.name());
        let differs = case.differs.iter().filter(|what| what.contains(&about));
        let failed: Vec<String> = unmet
            .chain(differs.map(|what| format!("differs: {what}")))
            .collect();
        if let Some(first) = failed.first() {
            failures = failures.saturating_add(1);
            let all = failed.join("\n");
            let _ = writeln!(
                body,
                "      <failure message=\"{}\">{}</failure>",
                escaped(first),
                escaped(&all)
            );
        } else if let Some(reason) = &ran.skipped {
            match ran.status() {
                Status::Skipped => {
                    skipped = skipped.saturating_add(1);
                    let reason = escaped(reason);
                    let _ = writeln!(body, "      <skipped message=\"{reason}\"/>");
                }
                _ => {
                    let reason = escaped(reason);
                    let _ = writeln!(
                        body,
                        "      <system-out>the rest is skipped: {reason}</system-out>"
                    );
                }
            }
        }
        body.push_str("    </testcase>\n");
    }
    let name = host.name();
    let _ = writeln!(
        text,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{seconds:.3}\">"
    );
    text.push_str(&body);
    text.push_str("  </testsuite>\n");
}

/// Text as it may stand in an attribute and between tags; characters that XML 1.0 does not know become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::coverage::Coverage;
    use crate::cases::report::CaseReport;
    use crate::cases::{Ran, Unmet};
    use std::time::Duration;

    #[test]
    fn nothing_in_a_text_becomes_markup_or_breaks_the_document() {
        assert_eq!(
            escaped("<a href=\"x\">'&'</a>\u{0}\u{1b}[31m\n\u{ffff}é"),
            "&lt;a href=&quot;x&quot;&gt;&apos;&amp;&apos;&lt;/a&gt;\u{fffd}\u{fffd}[31m&#10;\u{fffd}é"
        );
    }

    #[test]
    fn each_host_is_a_suite_with_its_failures_and_what_it_left_out() {
        let failed = Ran {
            unmet: vec![Unmet {
                line: 7,
                what: "action is \"deny\" <expected allow>".into(),
            }],
            ..Ran::default()
        };
        let report = Report {
            cases: vec![CaseReport {
                name: "a & b".into(),
                file: "c.yaml".into(),
                line: 3,
                hosts: vec![
                    (HostKind::Native, failed, Duration::from_millis(1500)),
                    (
                        HostKind::Envoy,
                        Ran::skipped("no time".into()),
                        Duration::ZERO,
                    ),
                ],
                differs: Vec::new(),
            }],
            coverage: Coverage::default(),
        };

        let text = document(&report);

        for piece in [
            "<testsuite name=\"native\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"1.500\">",
            "<testsuite name=\"envoy\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\" time=\"0.000\">",
            "name=\"a &amp; b\" file=\"c.yaml\" line=\"3\"",
            "c.yaml:7: action is &quot;deny&quot; &lt;expected allow&gt;</failure>",
            "<skipped message=\"no time\"/>",
        ] {
            assert!(text.contains(piece), "{piece} in {text}");
        }
    }
}

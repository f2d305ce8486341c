//! Reads what Rust's test harness prints: how many tests passed, and what was left out.
//!
//! A test that cannot run on this machine says so by printing a line `skipped: REASON`.

/// Sums over all test programs of one `cargo test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestResult {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Reasons, in the order printed.
    pub(crate) skipped: Vec<String>,
}

/// Reads the output of `cargo test -- --show-output`.
pub(crate) fn read(log: &str) -> TestResult {
    let mut result = TestResult::default();
    for line in log.lines() {
        if let Some(counts) = line.strip_prefix("test result: ") {
            result.passed += count(counts, " passed");
            result.failed += count(counts, " failed");
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            result.skipped.push(reason.to_owned());
        } else if let Some((name, reason)) = line
            .strip_prefix("test ")
            .and_then(|test| test.split_once(" ... ignored"))
        {
            result.skipped.push(format!("{name}: ignored{reason}"));
        }
    }
    result
}

/// The log without tests that passed and what they printed.
pub(crate) fn without_successes(log: &str) -> String {
    let mut in_successes = false;
    let mut kept = String::new();
    for line in log.lines() {
        in_successes = match line {
            "successes:" => true,
            "failures:" => false,
            _ => in_successes && !line.starts_with("test result: "),
        };
        let passed = line.starts_with("test ") && line.ends_with(" ... ok");
        if !in_successes && !passed {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The number before `label` in `ok. 12 passed; 0 failed; 1 ignored`.
fn count(counts: &str, label: &str) -> u64 {
    let before = counts.split(label).next().unwrap_or_default();
    before
        .rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
running 3 tests
test denies_until_the_retry_after ... ok
test needs_a_quiet_machine ... ignored, takes an hour
test merges_are_unions ... FAILED

successes:

---- denies_until_the_retry_after stdout ----
skipped: HTTP/3: this Envoy has none


successes:
    denies_until_the_retry_after

failures:

---- merges_are_unions stdout ----
assertion failed

failures:
    merges_are_unions

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: ok. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";

    #[test]
    fn counts_are_summed_over_programs_and_skips_keep_their_reasons() {
        let result = read(LOG);

        assert_eq!((result.passed, result.failed), (41, 1));
        assert_eq!(
            result.skipped,
            [
                "needs_a_quiet_machine: ignored, takes an hour",
                "HTTP/3: this Envoy has none"
            ]
        );
    }

    #[test]
    fn what_is_kept_of_a_log_is_what_failed() {
        let kept = without_successes(LOG);

        assert!(
            kept.contains("assertion failed") && kept.contains("1 failed"),
            "{kept}"
        );
        assert!(!kept.contains("denies_until_the_retry_after"), "{kept}");
    }
}

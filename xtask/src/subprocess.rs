//! Runs other programs: quiet when they succeed, their output in the error when they fail.

use std::io::IsTerminal;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Lines of a failed program's output that an error repeats.
const TAIL_LINES: usize = 40;

/// What the program prints on stdout.
///
/// # Errors
/// When it cannot start or fails; the message ends with what it wrote on stderr.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", name(command)))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}){}",
            name(command),
            output.status,
            indented_tail(&output)
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something other than UTF-8", name(command)))
}

/// Runs it with stdout captured. Where a person watches, stderr stays theirs: progress of
/// work that takes minutes; elsewhere it is captured too.
///
/// # Errors
/// When it cannot start. A failure of the program is in the returned status.
pub(crate) fn run_watched(command: &mut Command) -> Result<Output> {
    let stderr = if std::io::stderr().is_terminal() {
        Stdio::inherit()
    } else {
        Stdio::piped()
    };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("cannot run {}", name(command)))
}

/// Program and first argument, enough to recognise the command in a message.
pub(crate) fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program
        .file_name()
        .unwrap_or(command.get_program())
        .to_string_lossy();
    match command.get_args().next() {
        Some(first) => format!("`{program} {} ...`", first.to_string_lossy()),
        None => format!("`{program}`"),
    }
}

fn indented_tail(output: &Output) -> String {
    let text = String::from_utf8_lossy(if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    });
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines
        .get(lines.len().saturating_sub(TAIL_LINES)..)
        .unwrap_or_default();
    tail.iter().map(|line| format!("\n    {line}")).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failed_program_is_reported_with_what_it_said() {
        let error = stdout_of(&mut shell("echo the disk is full >&2; exit 3"))
            .unwrap_err()
            .to_string();

        assert!(error.contains("`sh -c ...` failed"), "{error}");
        assert!(error.contains("the disk is full"), "{error}");
    }

    #[test]
    fn a_long_complaint_is_cut_to_its_end() {
        let error = stdout_of(&mut shell("seq 1 1000 >&2; exit 1"))
            .unwrap_err()
            .to_string();

        assert_eq!(error.lines().count(), TAIL_LINES + 1);
        assert!(error.ends_with("1000"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = stdout_of(&mut Command::new("/nowhere/no-such-program"))
            .unwrap_err()
            .to_string();

        assert!(error.contains("no-such-program"), "{error}");
    }
}

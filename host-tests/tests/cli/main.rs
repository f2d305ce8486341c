//! What scripts rely on when they call `weir`: exit status, and what goes to which stream.
mod calibrate;
mod cases;
mod check;
mod diff;
mod evaluate;
mod plugin;
mod simulate;
mod test;

use std::process::{Command, Output};

/// Runs `weir` to its end.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .output()
        .unwrap()
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// The subcommands that `weir --help` lists.
fn commands() -> Vec<String> {
    let help = weir(&["--help"]);
    let listed = text(&help.stdout)
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1);
    let names = listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_shows_an_example_in_its_help() {
    let commands = commands();

    assert!(!commands.is_empty());
    for command in commands {
        let output = weir(&[&command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text(&output.stdout).contains(&format!("Example: weir {command}")),
            "{command}"
        );
    }
}

#[test]
fn wrong_usage_is_status_2_and_prints_nothing_on_stdout() {
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["simulate", "--seed", "x"],
        &["simulate", "--no-such-flag"],
    ] {
        let output = weir(arguments);

        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{arguments:?}"
        );
        assert!(!output.stderr.is_empty());
    }
}

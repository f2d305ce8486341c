//! Progress of long work: on stderr, and only where that is a terminal.
use indicatif::{ProgressBar, ProgressStyle};

/// A bar for `exchanges` exchanges.
pub(crate) fn bar(exchanges: u64) -> ProgressBar {
    let template = "{bar:40} {human_pos}/{human_len} exchanges, {per_sec}, {eta} left";
    styled(ProgressBar::new(exchanges), template)
}

/// A count of exchanges where nobody knows how many there will be.
pub(crate) fn count() -> ProgressBar {
    styled(
        ProgressBar::new_spinner(),
        "{spinner} {human_pos} exchanges, {per_sec}",
    )
}

/// A bar for a recording of `total` bytes, or a count of them where nobody knows how many there will be.
pub(crate) fn bytes(total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => {
            let template = "{bar:40} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
            styled(ProgressBar::new(total), template)
        }
        None => styled(
            ProgressBar::new_spinner(),
            "{spinner} {bytes}, {bytes_per_sec}",
        ),
    }
}

/// A bar for `scenarios` scenarios.
pub(crate) fn scenarios(scenarios: u64) -> ProgressBar {
    let template = "{bar:40} {human_pos}/{human_len} scenarios, {eta} left";
    styled(ProgressBar::new(scenarios), template)
}

/// A bar for `runs` cases, each counted once on every host.
pub(crate) fn cases(runs: u64) -> ProgressBar {
    let template = "{bar:40} {human_pos}/{human_len} cases, {eta} left";
    styled(ProgressBar::new(runs), template)
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

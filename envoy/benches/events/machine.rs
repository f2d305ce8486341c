//! Where figures come from: they mean nothing without it.
use std::fmt;
use std::process::Command;

use serde_json::{Value, json};

/// The machine and the code.
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    commit: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let commit = Command::new("git")
            .args(["describe", "--always", "--dirty"])
            .output()
            .ok();
        let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok());
        let unknown = || "unknown".to_owned();
        Self {
            processor: model.map_or_else(unknown, str::to_owned),
            cores: std::thread::available_parallelism().map_or(0, Into::into),
            commit: commit.map_or_else(unknown, |text| text.trim().to_owned()),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({"processor": self.processor, "cores": self.cores, "commit": self.commit})
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            processor,
            cores,
            commit,
        } = self;
        write!(
            f,
            "{processor}, {cores} cores, commit {commit}, Envoy with one worker, HTTP/1.1"
        )
    }
}

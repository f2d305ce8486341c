//! Runs a driver program and reads what it tells.
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::plan::{Runtime, Sdk};
use super::report::Package;
use super::{SdkError, SdkOptions};

/// Bytes of a driver's stderr that an error repeats.
const SAID: usize = 2_000;

/// A driver program with what it needs.
pub(super) struct Driver {
    runtime: Runtime,
    command: Command,
}

/// What a driver told.
#[derive(Debug)]
pub(super) struct Told {
    runtime: Runtime,
    /// What it says of itself and its SDKs.
    head: Value,
    /// By number of the task; one that is missing did not come to an end.
    ends: BTreeMap<usize, End>,
}

/// How a task ended.
#[derive(Debug)]
pub(super) enum End {
    /// With an object, after so many calls.
    Object { object: Value, steps: u64 },
    /// With an exception.
    Raised(Exception),
}

/// What a developer sees of an exception.
#[derive(Debug)]
pub(super) struct Exception {
    pub(super) class: String,
    pub(super) status: Option<u64>,
    pub(super) message: String,
    /// The parts that carry what the response said, by the name of the part.
    pub(super) parts: Vec<(&'static str, String)>,
}

impl Driver {
    pub(super) fn of(options: &SdkOptions, runtime: Runtime) -> Self {
        let command = match runtime {
            Runtime::Python => {
                let mut command = Command::new("python3");
                command
                    .arg("-B") // leaves no compiled files beside the driver
                    .arg(options.drivers.join("drive.py"))
                    .env("PYTHONPATH", &options.python);
                command
            }
            Runtime::Node => {
                let mut command = Command::new("node");
                command
                    .arg(options.drivers.join("drive.mjs"))
                    .arg(&options.node);
                command
            }
        };
        Self { runtime, command }
    }

    /// Runs it until it ends, at most for so long.
    pub(super) fn drive(mut self, plan: &Value, patience: Duration) -> Result<Told, SdkError> {
        let runtime = self.runtime;
        let failed = |source| SdkError::Driver {
            runtime: runtime.name(),
            source,
        };
        // A proxy that the environment names must not come between the SDKs and Envoy.
        for name in ["http_proxy", "https_proxy", "all_proxy"] {
            self.command
                .env_remove(name)
                .env_remove(name.to_uppercase());
        }
        let mut stderr = tempfile::tempfile().map_err(failed)?;
        let errors = stderr.try_clone().map_err(failed)?;
        let child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(failed)?;
        let mut ended_with_us = Ended(child);
        let child = &mut ended_with_us.0;
        let lines = lines_of(child, plan.to_string()).map_err(failed)?;

        let deadline = Instant::now() + patience;
        let mut told = Told {
            runtime,
            head: Value::Null,
            ends: BTreeMap::new(),
        };
        while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            told.take(line);
        }
        if told.head.is_null() {
            let mut said = String::new();
            let length = stderr.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
            let tail = std::io::SeekFrom::Start(length.saturating_sub(SAID as u64));
            stderr.seek(tail).map_err(failed)?;
            let _ = stderr.read_to_string(&mut said); // what cannot be read cannot be repeated
            return Err(SdkError::Silent {
                runtime: runtime.name(),
                said,
            });
        }
        Ok(told)
    }
}

/// A driver that waits longer than we do is ended.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The JSON lines that it prints, as they come; it is given the plan meanwhile.
fn lines_of(child: &mut Child, plan: String) -> std::io::Result<mpsc::Receiver<Value>> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    thread::spawn(move || stdin.write_all(plan.as_bytes()));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(line) = serde_json::from_str(&line)
                && sender.send(line).is_err()
            {
                break;
            }
        }
    });
    Ok(receiver)
}

impl Told {
    fn take(&mut self, mut line: Value) {
        let Some(task) = line.get("task").and_then(Value::as_u64) else {
            self.head = line;
            return;
        };
        let end = match line.get("error") {
            Some(error) => End::Raised(Exception::read(error)),
            None => End::Object {
                steps: line.get("steps").and_then(Value::as_u64).unwrap_or(1),
                object: line.get_mut("object").map(Value::take).unwrap_or_default(),
            },
        };
        self.ends
            .insert(usize::try_from(task).unwrap_or(usize::MAX), end);
    }

    pub(super) fn end(&self, task: usize) -> Option<&End> {
        self.ends.get(&task)
    }

    /// How often the SDK tries again by itself.
    pub(super) fn retries(&self, sdk: Sdk) -> Option<u64> {
        self.head
            .pointer(&format!("/sdks/{}/retries", sdk.provider()))?
            .as_u64()
    }

    /// The SDKs that it drove.
    pub(super) fn packages(&self) -> Vec<Package> {
        let text = |path: &str| {
            let found = self.head.pointer(path).and_then(Value::as_str);
            found.unwrap_or("unknown").to_owned()
        };
        let mine = Sdk::ALL
            .into_iter()
            .filter(|sdk| sdk.runtime() == self.runtime);
        mine.map(|sdk| Package {
            sdk: sdk.name(),
            version: text(&format!("/sdks/{}/version", sdk.provider())),
            runtime: text("/runtime"),
            retries: self.retries(sdk),
        })
        .collect()
    }
}

/// How a task ended in whichever driver did it.
pub(super) fn end_of(told: &[Told], task: usize) -> Option<&End> {
    told.iter().find_map(|one| one.end(task))
}

impl Exception {
    fn read(error: &Value) -> Self {
        let text = |name: &str| {
            error
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let headers = error
            .get("headers")
            .map(Value::to_string)
            .unwrap_or_default();
        Self {
            class: text("class"),
            status: error.get("status").and_then(Value::as_u64),
            message: text("message"),
            parts: vec![
                ("message", text("message")),
                ("request id", text("request_id")),
                ("body", text("body")),
                ("headers", headers),
            ],
        }
    }

    /// The part of it that carries `text`, the most visible one.
    pub(super) fn part_with(&self, text: &str) -> Option<&'static str> {
        let carries = |(_, part): &&(&'static str, String)| part.contains(text);
        self.parts.iter().find(carries).map(|(name, _)| *name)
    }
}

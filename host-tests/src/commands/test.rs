//! `weir test`: scenarios against a plugin in our host.
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::Args;
use weir_host::HostConfig;
use weir_host::artifact::Artifacts;
use weir_host::calls::{CallEvent, CallPrinter, CallSink, Profiler};
use weir_host::conformance::Modules;
use weir_host::plugin_test::{PluginCase, TestReport};
use weir_host::scenario::Code;

use super::{Format, Outcome};

/// Runs scenarios against any Proxy-Wasm plugin and checks what they expect
#[derive(Args)]
#[command(
    after_help = "Example: weir test --plugin target/weir.wasm policies/scenarios --profile\n\nA scenario is a YAML file: a proxy with plugins, exchanges with clients and upstreams, and what is expected of them."
)]
pub(crate) struct TestCommand {
    /// Scenario files, or folders of them (.yaml)
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<PathBuf>,
    /// The plugin under test, wherever a scenario names no other code
    #[arg(long, value_name = "FILE.wasm")]
    plugin: PathBuf,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints every hostcall and callback on stderr, as strace does. Traces show what the plugin sees: headers
    /// with credentials, bodies with prompts
    #[arg(long)]
    trace_calls: bool,
    /// Tells calls, hostcalls and fuel (about an instruction each) of every callback
    #[arg(long)]
    profile: bool,
}

impl TestCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let mut cases = Vec::new();
        for path in &self.scenarios {
            let found = PluginCase::read(path)?;
            if found.is_empty() {
                bail!(
                    "{} holds no scenario; name a .yaml file, or a folder with some",
                    path.display()
                );
            }
            cases.extend(found);
        }
        if !self.plugin.is_file() {
            bail!(
                "--plugin names {}, which is not a file",
                self.plugin.display()
            );
        }
        let modules = Modules {
            probe: self.plugin.clone(),
            guests: guests(&cases)?,
        };
        let profiler = self.profile.then(<Arc<Mutex<Profiler>>>::default);
        let mut results = Vec::new();
        for case in &cases {
            if self.trace_calls {
                writeln!(io::stderr(), "# {}", case.scenario.name)?;
            }
            let config = HostConfig {
                calls: sink(self.trace_calls, profiler.as_ref()),
                fuel: self.profile,
                ..HostConfig::default()
            };
            let result = case.run(&modules, config);
            results.push(result.with_context(|| case.scenario.name.clone())?);
        }
        let profile = profiler.map(|profiler| {
            let profiler = profiler.lock().unwrap_or_else(PoisonError::into_inner);
            profiler.profile().clone()
        });
        let report = TestReport::new(results, profile);
        let mut out = io::stdout();
        match self.format {
            Format::Text => write!(out, "{report}")?,
            Format::Json => writeln!(out, "{}", serde_json::to_string(&report)?)?,
        }
        Ok(if report.failed == 0 {
            Outcome::Fine
        } else {
            Outcome::Negative
        })
    }
}

/// The folder of guests, which are built only where a scenario names one.
fn guests(cases: &[PluginCase]) -> anyhow::Result<Option<PathBuf>> {
    let mut plugins = cases.iter().flat_map(|case| &case.scenario.proxy.plugins);
    if plugins.any(|plugin| matches!(plugin.code, Code::Guest(_))) {
        Ok(Some(Artifacts::new().guests()?))
    } else {
        Ok(None)
    }
}

/// What one scenario's calls go to; nothing where nobody asked.
fn sink(print: bool, profiler: Option<&Arc<Mutex<Profiler>>>) -> Option<CallSink> {
    if !print && profiler.is_none() {
        return None;
    }
    let printer = print.then(<Mutex<CallPrinter>>::default);
    let profiler = profiler.cloned();
    Some(Arc::new(move |event: &CallEvent<'_>| {
        if let Some(printer) = &printer {
            let mut lines = String::new();
            let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
            printer.print(event, &mut lines);
            let _ = io::stderr().write_all(lines.as_bytes()); // it may be closed; results go on
        }
        if let Some(profiler) = &profiler {
            let mut profiler = profiler.lock().unwrap_or_else(PoisonError::into_inner);
            profiler.observe(event);
        }
    }))
}

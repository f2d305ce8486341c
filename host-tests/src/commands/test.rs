//! `weir test`: cases of a policy, or scenarios against a plugin in our host.
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use clap::Args;
use weir_host::HostConfig;
use weir_host::artifact::Artifacts;
use weir_host::calls::{CallEvent, CallPrinter, CallSink, Profiler};
use weir_host::conformance::Modules;
use weir_host::plugin_test::{PluginCase, TestReport};
use weir_host::scenario::Code;

use super::cases::CaseOptions;
use super::{Format, Outcome};

/// Holds policies to their cases; with --plugin, any Proxy-Wasm plugin to its scenarios
#[derive(Args)]
#[command(
    after_help = "Example: weir test policies/cases --host all\nExample: weir test --plugin target/weir.wasm policies/scenarios --profile\n\nA file of cases names a policy and says what it does with requests, in phases (docs/policy-tests.md). A scenario is a\nYAML file: a proxy with plugins, exchanges with clients and upstreams, and what is expected of them."
)]
pub(crate) struct TestCommand {
    /// Files of cases, or folders of them (.yaml, subfolders too); with --plugin, of scenarios
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    cases: CaseOptions,
    /// Runs scenarios instead of cases; the plugin under test, wherever a scenario names no other code
    #[arg(long, value_name = "FILE.wasm")]
    plugin: Option<PathBuf>,
    /// How results are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints every hostcall and callback on stderr, as strace does. Traces show what the plugin sees: headers
    /// with credentials, bodies with prompts
    #[arg(long, requires = "plugin")]
    trace_calls: bool,
    /// Tells calls, hostcalls and fuel (about an instruction each) of every callback
    #[arg(long, requires = "plugin")]
    profile: bool,
}

impl TestCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        match &self.plugin {
            None => self.cases.execute(&self.paths, self.format),
            Some(plugin) => self.scenarios(plugin),
        }
    }

    fn scenarios(&self, plugin: &Path) -> anyhow::Result<Outcome> {
        let mut cases = Vec::new();
        for path in &self.paths {
            let found = PluginCase::read(path)?;
            if found.is_empty() {
                bail!(
                    "{} holds no scenario; name a .yaml file, or a folder with some",
                    path.display()
                );
            }
            cases.extend(found);
        }
        if !plugin.is_file() {
            bail!("--plugin names {}, which is not a file", plugin.display());
        }
        let modules = Modules {
            probe: plugin.to_owned(),
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

//! `weir check`: says whether policies are valid, or prints the plugin configuration of one.
use super::policy::CheckedFile;
use super::{Format, Outcome};
use anyhow::bail;
use clap::Args;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use weir_engine::policy::{Code, Deployment};
use weir_host::explain::Explained;

/// Validates policies and tells every problem at once
#[derive(Args)]
#[command(after_help = "Example: weir check policies/frontier-api.yaml
         weir check policies/frontier-api.yaml --emit-config > config.json
         weir check policies/frontier-api.yaml --explain | grep '# default'
         weir check now.yaml --candidate next.yaml --emit-config > config.json")]
pub(crate) struct CheckCommand {
    /// Policies or overlays, YAML or JSON; - is standard input
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// The policy that is to follow POLICY (one only): both are checked, and go into one configuration. For whom
    /// the candidate acts, and what brings POLICY back, its `rollout` says
    #[arg(long, value_name = "POLICY")]
    candidate: Option<PathBuf>,
    /// Prints the JSON that goes into the plugin configuration (one policy only)
    #[arg(long, conflicts_with = "format")]
    emit_config: bool,
    /// Prints the policy as it is in effect: every key, its value, whether it is given or a default, what it says (one
    /// policy only). The text is itself a policy that means the same
    #[arg(long, conflicts_with_all = ["emit_config", "candidate"])]
    explain: bool,
    /// How problems, or explanations, are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl CheckCommand {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        if self.emit_config && self.policies.len() > 1 {
            bail!("--emit-config prints one configuration; name one policy");
        }
        if self.explain && self.policies.len() > 1 {
            bail!("--explain prints one policy; name one");
        }
        if self.candidate.is_some() && self.policies.len() > 1 {
            bail!("--candidate follows one policy; name one policy");
        }
        let checked: Vec<_> = self
            .policies
            .iter()
            .chain(&self.candidate)
            .map(|path| (path, CheckedFile::read(path)))
            .collect();
        let mut stdout = io::stdout();
        match self.format {
            _ if self.emit_config => {
                for (_, checked) in &checked {
                    checked.tell(&mut io::stderr())?;
                }
                if let Some(config) = configuration(&checked)? {
                    writeln!(stdout, "{config}")?;
                }
            }
            format if self.explain => {
                for (path, checked) in &checked {
                    checked.tell(&mut io::stderr())?;
                    explain(path, checked, format, &mut stdout)?;
                }
            }
            Format::Text => {
                for (path, checked) in &checked {
                    checked.tell(&mut stdout)?;
                    if let Some(policy) = &checked.policy {
                        writeln!(
                            stdout,
                            "{}: {} version {} is valid, mode {}",
                            path.display(),
                            policy.name(),
                            policy.version(),
                            policy.mode()
                        )?;
                        checked.tell_layers(&mut stdout)?;
                    }
                }
            }
            Format::Json => {
                let policies: Vec<_> = checked
                    .iter()
                    .map(|(path, checked)| checked.to_json(path))
                    .collect();
                writeln!(stdout, "{}", serde_json::json!({ "policies": policies }))?;
            }
        }
        let unreadable = checked
            .iter()
            .any(|(_, checked)| checked.unreadable.is_some());
        if unreadable {
            bail!("not every policy could be read");
        }
        let valid = checked.iter().all(|(_, checked)| checked.policy.is_some());
        Ok(if valid {
            Outcome::Fine
        } else {
            Outcome::Negative
        })
    }
}

/// Prints a policy as it is in effect; nothing where it is refused.
fn explain(
    path: &Path,
    checked: &CheckedFile,
    format: Format,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(policy) = &checked.policy else {
        return Ok(());
    };
    let value = serde_json::from_str(&checked.json).map_err(io::Error::other)?;
    let explained = Explained::of(&value);
    let (name, version) = (policy.name(), policy.version());
    match format {
        Format::Text => {
            writeln!(
                out,
                "# {name} version {version}, as it is in effect: every key, whether the file has it (given) or not.\n\
                 # Keys without a value are comments. Secrets of the file are in it.\n{}",
                explained.to_yaml().trim_end()
            )
        }
        Format::Json => {
            let keys = explained.to_json();
            let file = path.display().to_string();
            let result =
                serde_json::json!({"file": file, "name": name, "version": version, "keys": keys});
            writeln!(out, "{result}")
        }
    }
}

/// The plugin's configuration: the policy, or the policy and its candidate. `None` where one is refused.
fn configuration(checked: &[(&PathBuf, CheckedFile)]) -> anyhow::Result<Option<String>> {
    if checked.iter().any(|(_, checked)| checked.policy.is_none()) {
        return Ok(None);
    }
    let mut policies = checked.iter().map(|(_, checked)| checked.json.as_str());
    let (Some(current), candidate) = (policies.next(), policies.next()) else {
        return Ok(None);
    };
    let Some(candidate) = candidate else {
        return Ok(Some(current.to_owned()));
    };
    let config = format!(
        r#"{{"apiVersion":"weir/v1","kind":"Rollout","current":{current},"candidate":{candidate}}}"#
    );
    // What is told of each was told; what is told of both is told here.
    let both = Deployment::check(config.as_bytes(), None);
    for problem in both.diagnostics.iter() {
        if problem.code == Code::SameVersion {
            writeln!(io::stderr(), "{problem}")?;
        }
    }
    Ok(Some(config))
}

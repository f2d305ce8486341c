//! The part of `cargo metadata` that rules about dependencies need, as types.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::subprocess;
use crate::workspace::Workspace;

/// Every package in `Cargo.lock`, for all platforms.
pub(crate) struct Metadata {
    /// By cargo's package id.
    pub(crate) packages: BTreeMap<String, Package>,
    /// Package ids of the workspace's own crates.
    pub(crate) members: Vec<String>,
    /// Folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Package id to the ids it is built with, tests' needs left out.
    pub(crate) built_with: BTreeMap<String, Vec<String>>,
}

/// One version of one crate.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Where it comes from; `None` is a folder.
    pub(crate) source: Option<String>,
    pub(crate) manifest: PathBuf,
    pub(crate) license: Option<String>,
    /// The oldest compiler that it names.
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a manifest asks for.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_dev: bool,
}

impl Metadata {
    /// Asks cargo, which may have to download packages for other platforms.
    ///
    /// # Errors
    /// When cargo fails, e.g. on a `Cargo.lock` that is out of date.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        let output = subprocess::stdout_of(&mut workspace.cargo(&[
            "metadata",
            "--locked",
            "--format-version=1",
        ]))?;
        Self::parse(&serde_json::from_str(&output).context("cargo metadata printed no JSON")?)
    }

    /// Reads cargo's format version 1.
    ///
    /// # Errors
    /// When a field is missing.
    pub(crate) fn parse(json: &Value) -> Result<Self> {
        let packages = list(json, "packages")?
            .iter()
            .map(|package| Ok((text(package, "id")?, Package::parse(package)?)))
            .collect::<Result<_>>()?;
        let members = list(json, "workspace_members")?
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        let resolve = json
            .get("resolve")
            .context("cargo metadata has no resolve")?;
        let built_with = list(resolve, "nodes")?
            .iter()
            .map(|node| Ok((text(node, "id")?, built_with(node)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            packages,
            members,
            root: text(json, "workspace_root")?.into(),
            built_with,
        })
    }
}

impl Package {
    fn parse(json: &Value) -> Result<Self> {
        Ok(Self {
            name: text(json, "name")?,
            version: text(json, "version")?,
            source: text(json, "source").ok(),
            manifest: text(json, "manifest_path")?.into(),
            license: text(json, "license").ok(),
            rust_version: text(json, "rust_version").ok(),
            dependencies: list(json, "dependencies")?
                .iter()
                .map(|dependency| {
                    let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
                    Ok(Dependency {
                        name: text(dependency, "name")?,
                        is_dev,
                    })
                })
                .collect::<Result<_>>()?,
        })
    }
}

fn built_with(node: &Value) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for dependency in list(node, "deps")? {
        let kinds = list(dependency, "dep_kinds")?;
        if kinds
            .iter()
            .any(|kind| kind.get("kind").and_then(Value::as_str) != Some("dev"))
        {
            ids.push(text(dependency, "pkg")?);
        }
    }
    Ok(ids)
}

fn text(json: &Value, key: &str) -> Result<String> {
    json.get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("cargo metadata has no {key}"))
}

fn list<'a>(json: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    json.get(key)
        .and_then(Value::as_array)
        .with_context(|| format!("cargo metadata has no {key}"))
}

//! Who may depend on whom: arrows point to the engine, and the engine points to nobody.
//!
//! The crates know one another only through the .wasm, the policies and the formats, so
//! that the native engine, our host and a real Envoy can be held against each other.
//! Dependencies come from the registry, under licences that can be shipped with this one.

use std::collections::BTreeSet;

use crate::license;
use crate::metadata::{Metadata, Package};

/// Each of our crates and those of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("weir-engine", &[]),
    ("weir-envoy", &[]),
    ("weir-fuzz", &["weir-engine"]),
    ("weir-guests", &[]),
    ("weir-host", &["weir-engine", "weir-envoy"]),
    ("weir-plugin", &["weir-engine"]),
    ("xtask", &[]),
];

/// Crates from elsewhere that only some of ours may link.
const ONLY_IN: &[(&str, &[&str])] = &[("proxy-wasm", GUESTS)];

/// What is compiled to WebAssembly.
const GUESTS: &[&str] = &["weir-plugin", "weir-guests"];

/// The oldest compiler that must build guests: the one in Debian 13.
const GUEST_RUST: (u32, u32) = (1, 85);

/// One sentence for each breach, sorted; none when the rule is kept.
pub(crate) fn breaches(metadata: &Metadata) -> Vec<String> {
    let mut found = BTreeSet::new();
    for member in metadata
        .members
        .iter()
        .filter_map(|id| metadata.packages.get(id))
    {
        found.extend(breaches_among_ours(member));
    }
    for (id, package) in &metadata.packages {
        if !metadata.members.contains(id) {
            found.extend(breaches_of_outsiders(package));
        } else if !package.manifest.starts_with(&metadata.root) {
            found.insert(format!(
                "{} lies outside of the workspace's folder",
                package.name
            ));
        }
    }
    found.extend(guest_breaches(metadata));
    found.into_iter().collect()
}

fn breaches_among_ours(member: &Package) -> Vec<String> {
    let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == member.name) else {
        return vec![format!(
            "{} has no entry in xtask/src/dependency_rule.rs",
            member.name
        )];
    };
    let mut found = Vec::new();
    for dependency in &member.dependencies {
        let name = dependency.name.as_str();
        let is_ours = MAY_USE.iter().any(|(ours, _)| *ours == name);
        // A crate may turn on its own features for its tests.
        let is_itself = name == member.name && dependency.is_dev;
        if is_ours && !is_itself && !may_use.contains(&name) {
            found.push(format!("{} must not depend on {name}", member.name));
        }
        let owners = ONLY_IN
            .iter()
            .find(|(crate_name, _)| *crate_name == name)
            .map(|(_, owners)| *owners);
        if owners.is_some_and(|owners| !owners.contains(&member.name.as_str())) {
            found.push(format!("{} must not depend on {name}", member.name));
        }
    }
    found
}

fn breaches_of_outsiders(package: &Package) -> Vec<String> {
    let label = format!("{} {}", package.name, package.version);
    let mut found = Vec::new();
    match package.source.as_deref() {
        Some(source) if source.starts_with("registry+") || source.starts_with("sparse+") => {}
        Some(_) => found.push(format!("{label} does not come from the registry")),
        None => found.push(format!(
            "{label} comes from a folder and is no member of the workspace"
        )),
    }
    match package.license.as_deref() {
        Some(expression) if license::is_allowed(expression) => {}
        Some(expression) => found.push(format!(
            "{label} has the licence {expression}, which is not allowed"
        )),
        None => found.push(format!("{label} names no licence")),
    }
    found
}

/// A newer compiler builds guests on most machines; this keeps the others working.
fn guest_breaches(metadata: &Metadata) -> Vec<String> {
    let is_guest = |id: &&String| {
        metadata
            .packages
            .get(*id)
            .is_some_and(|package| GUESTS.contains(&package.name.as_str()))
    };
    let mut pending: Vec<&String> = metadata.members.iter().filter(is_guest).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        pending.extend(metadata.built_with.get(id).into_iter().flatten());
        let Some(package) = metadata.packages.get(id) else {
            continue;
        };
        if let Some(needed) = package.rust_version.as_deref()
            && minor_version(needed).is_none_or(|needed| needed > GUEST_RUST)
        {
            let (major, minor) = GUEST_RUST;
            found.push(format!(
                "{} {} needs Rust {needed}, but guests must build with {major}.{minor}",
                package.name, package.version
            ));
        }
    }
    found
}

fn minor_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    let major = parts.next()?.parse().ok()?;
    Some((major, parts.next().unwrap_or("0").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::workspace::Workspace;

    const REGISTRY: &str = "registry+https://registry.test/index";

    /// A workspace in `/weir` that keeps the rule, to be changed by one detail per test.
    struct Fixture {
        packages: Vec<Value>,
        members: Vec<String>,
        nodes: Vec<Value>,
    }

    impl Fixture {
        fn new() -> Self {
            let mut fixture = Self {
                packages: Vec::new(),
                members: Vec::new(),
                nodes: Vec::new(),
            };
            for (name, may_use) in MAY_USE {
                fixture.member(name, may_use);
            }
            fixture
        }

        fn member(&mut self, name: &str, dependencies: &[&str]) -> &mut Value {
            self.members.push(name.to_owned());
            self.nodes.push(json!({ "id": name, "deps": [] }));
            let dependencies: Vec<Value> = dependencies
                .iter()
                .map(|name| json!({ "name": name, "kind": null }))
                .collect();
            self.packages.push(json!({
                "id": name, "name": name, "version": "0.1.0", "source": null, "license": "Apache-2.0",
                "manifest_path": format!("/weir/{name}/Cargo.toml"), "rust_version": "1.85", "dependencies": dependencies,
            }));
            self.packages.last_mut().unwrap()
        }

        fn outsider(&mut self, name: &str) -> &mut Value {
            self.packages.push(json!({
                "id": name, "name": name, "version": "1.2.3", "source": REGISTRY, "license": "MIT",
                "manifest_path": format!("/cargo/registry/{name}/Cargo.toml"), "dependencies": [],
            }));
            self.packages.last_mut().unwrap()
        }

        fn depend(&mut self, on: &str, name: &str, kind: Option<&str>) {
            let package = self
                .packages
                .iter_mut()
                .find(|package| package["name"] == on)
                .unwrap();
            package["dependencies"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "name": name, "kind": kind }));
            let node = self.nodes.iter_mut().find(|node| node["id"] == on).unwrap();
            node["deps"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] }));
        }

        fn breaches(&self) -> Vec<String> {
            breaches(
                &Metadata::parse(&json!({
                    "packages": self.packages, "workspace_members": self.members, "workspace_root": "/weir",
                    "resolve": { "nodes": self.nodes },
                }))
                .unwrap(),
            )
        }
    }

    #[test]
    fn this_workspace_keeps_the_rule() {
        let metadata = Metadata::of(&Workspace::find().unwrap()).unwrap();

        assert_eq!(breaches(&metadata), Vec::<String>::new());
    }

    #[test]
    fn the_crates_may_use_one_another_as_the_table_says() {
        assert_eq!(Fixture::new().breaches(), Vec::<String>::new());
    }

    #[test]
    fn the_engine_may_use_none_of_ours_but_itself_in_its_tests() {
        let mut fixture = Fixture::new();

        fixture.depend("weir-engine", "weir-engine", Some("dev"));
        assert_eq!(fixture.breaches(), Vec::<String>::new());

        fixture.depend("weir-engine", "weir-host", Some("dev"));
        assert_eq!(
            fixture.breaches(),
            ["weir-engine must not depend on weir-host"]
        );
    }

    #[test]
    fn only_guests_link_the_proxy_wasm_sdk() {
        let mut fixture = Fixture::new();
        fixture.outsider("proxy-wasm");

        fixture.depend("weir-plugin", "proxy-wasm", None);
        fixture.depend("weir-guests", "proxy-wasm", Some("dev"));
        assert_eq!(fixture.breaches(), Vec::<String>::new());

        fixture.depend("weir-host", "proxy-wasm", None);
        assert_eq!(
            fixture.breaches(),
            ["weir-host must not depend on proxy-wasm"]
        );
    }

    #[test]
    fn a_new_crate_must_be_entered_in_the_table() {
        let mut fixture = Fixture::new();
        fixture.member("weir-playground", &[]);

        assert_eq!(
            fixture.breaches(),
            ["weir-playground has no entry in xtask/src/dependency_rule.rs"]
        );
    }

    #[test]
    fn sources_other_than_the_registry_and_the_workspace_are_refused() {
        let mut fixture = Fixture::new();
        fixture.outsider("forked")["source"] = json!("git+https://forge.test/forked#0123");
        fixture.outsider("neighbour")["source"] = Value::Null;
        fixture.packages[0]["manifest_path"] = json!("/elsewhere/engine/Cargo.toml");

        assert_eq!(
            fixture.breaches(),
            [
                "forked 1.2.3 does not come from the registry",
                "neighbour 1.2.3 comes from a folder and is no member of the workspace",
                "weir-engine lies outside of the workspace's folder",
            ]
        );
    }

    #[test]
    fn a_licence_must_be_there_and_allowed() {
        let mut fixture = Fixture::new();
        fixture.outsider("copyleft")["license"] = json!("GPL-3.0-only");
        fixture.outsider("silent")["license"] = Value::Null;

        assert_eq!(
            fixture.breaches(),
            [
                "copyleft 1.2.3 has the licence GPL-3.0-only, which is not allowed",
                "silent 1.2.3 names no licence"
            ]
        );
    }

    #[test]
    fn guests_and_all_below_them_build_with_the_oldest_compiler() {
        let mut fixture = Fixture::new();
        fixture.outsider("modern")["rust_version"] = json!("1.86.0");
        fixture.nodes.push(json!({ "id": "modern", "deps": [] }));

        fixture.depend("weir-host", "modern", None);
        fixture.depend("weir-plugin", "modern", Some("dev"));
        assert_eq!(fixture.breaches(), Vec::<String>::new());

        fixture.depend("weir-engine", "modern", None);
        fixture.depend("weir-plugin", "weir-engine", None);
        assert_eq!(
            fixture.breaches(),
            ["modern 1.2.3 needs Rust 1.86.0, but guests must build with 1.85"]
        );
    }
}

//! The ways that an event can take.
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::json;
use weir_envoy::{Envoy, EnvoyOptions, find_binary};

use crate::stream::Stream;

/// The way on which reasoning must not come through.
pub(crate) const STRIPPING: &str = "Envoy with Weir, reasoning out";

/// An upstream and what is before it.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    plan: &'static str,
    /// None where the client asks the upstream itself.
    envoy: Option<Envoy>,
    upstream: TcpListener,
}

impl Way {
    /// A new stream.
    pub(crate) fn open(&self) -> io::Result<Stream> {
        let server = match &self.envoy {
            Some(envoy) => envoy.listen_addr(),
            None => self.upstream.local_addr()?,
        };
        Stream::open(server, &self.upstream, self.plan)
    }
}

/// All of them, ready.
pub(crate) async fn all() -> Result<Vec<Way>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("no workspace")?;
    let wasm =
        std::env::var_os("WEIR_WASM").map_or_else(|| root.join("target/weir.wasm"), PathBuf::from);
    if !wasm.is_file() {
        return Err(format!(
            "there is no {}; `cargo xtask wasm` builds it",
            wasm.display()
        )
        .into());
    }
    let envoy = find_binary(root)?;
    let mut ways = Vec::new();
    for (name, plan, plugin) in [
        ("no proxy", "", None),
        ("Envoy alone", "", Some(false)),
        ("Envoy with Weir", "plain", Some(true)),
        (STRIPPING, "stripped", Some(true)),
    ] {
        let upstream = TcpListener::bind(("127.0.0.1", 0))?;
        let envoy = match plugin {
            Some(plugin) => Some(start(&envoy, &wasm, upstream.local_addr()?, plugin).await?),
            None => None,
        };
        ways.push(Way {
            name,
            plan,
            envoy,
            upstream,
        });
    }
    Ok(ways)
}

async fn start(
    envoy: &Path,
    wasm: &Path,
    upstream: SocketAddr,
    plugin: bool,
) -> Result<Envoy, Box<dyn Error>> {
    let policy = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "events", "version": "1", "owner": "bench"},
        "identity": {"account": [{"header": "x-account-id"}], "plan": [{"header": "x-plan"}]},
        "tiers": [{"name": "stripped", "match": {"plan": ["stripped"]}}, {"name": "plain"}],
        "budgets": [{"name": "tokens", "per": "account", "unit": "tokens", "limit": 4_000_000_000_u32, "window": "1h"}],
        "shaping": {"rules": [{"name": "reasoning", "when": {"tiers": ["stripped"]},
            "response": {"visibleReasoning": "strip"}}]},
        "state": {"memory": "4MiB"},
        "rollout": {"mode": "enforce"},
    });
    let mut options = EnvoyOptions::new(envoy, wasm, policy.to_string(), upstream);
    options.workers = 1;
    options.plugin = plugin;
    Ok(Envoy::start(options).await?)
}

//! How long the slowest of the documents that stand in place of a policy keep `weir check` and the plugin busy.
//!
//! Each is loaded and checked natively, and given to a running plugin as an update; the plugin's time is that of the
//! whole update, canary included. Prints the slowest ten of each. `target/weir.wasm` has to be there.
#[path = "../tests/suite/hostile.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests' own fixture"
)]
mod hostile;

use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_host::layers::LayeredPolicy;
use weir_host::policy_file::PolicyFile;
use weir_host::weir::plugin_config;
use weir_host::{Filter, Host, HostConfig, Proxy, ProxyConfig};

fn tell(what: &str, mut times: Vec<(Duration, String)>) {
    times.sort_by(|one, other| other.cmp(one));
    println!("{what}, {} documents", times.len());
    for (time, name) in times.iter().take(10) {
        println!("{:>10.1} ms  {name}", time.as_secs_f64() * 1e3);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shipped: Value = PolicyFile::read(&repository.join("policies/frontier-api.yaml"))?.value;
    let documents = hostile::documents(&shipped);

    let mut times = Vec::new();
    for document in &documents {
        let folder = tempfile::tempdir()?;
        let path = document.write(folder.path());
        let start = Instant::now();
        let checked = LayeredPolicy::read(&path)?.check(None);
        times.push((start.elapsed(), document.name.clone()));
        assert!(checked.policy.is_none());
    }
    tell("weir check", times);

    let wasm: Arc<[u8]> = std::fs::read(repository.join("target/weir.wasm"))?.into();
    let filter = |configuration: Vec<u8>| {
        let mut config = plugin_config("");
        config.configuration = configuration;
        Filter {
            code: wasm.clone(),
            config,
        }
    };
    let host = Host::new(HostConfig::default())?;
    let good = filter(shipped.to_string().into_bytes());
    let mut proxy = Proxy::start(&host, ProxyConfig::default(), vec![good])?;
    let mut times = Vec::new();
    for document in &documents {
        let update = [filter(document.configuration())];
        let start = Instant::now();
        let refused = proxy.reconfigure(&update);
        times.push((start.elapsed(), document.name.clone()));
        assert_eq!(refused.len(), 1);
    }
    tell("an update of the plugin", times);
    Ok(())
}

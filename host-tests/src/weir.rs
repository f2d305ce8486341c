//! What the host's own commands know of Weir: its names, nothing of its inside.
use crate::PluginConfig;

/// The plugin's `vm_id`, which names its shared data.
pub const VM_ID: &str = "weir";

/// The key under which workers agree on the key of identity hashes.
pub const HASH_KEY: &[u8] = b"weir.key";

/// The filter state that holds the decision of an exchange.
pub const DECISION: &str = "wasm.weir.decision";

/// The plugin's configuration for a policy, given as JSON.
pub fn plugin_config(policy_json: &str) -> PluginConfig {
    let mut config = PluginConfig::named("weir");
    config.root_id = "weir".to_owned();
    config.vm_id = VM_ID.to_owned();
    config.configuration = policy_json.as_bytes().to_vec();
    config.allow_on_headers_stop_iteration = true;
    config
}

//! Starts a real Envoy with the plugin, a mock LLM upstream behind it, and clients in front of it.
//!
//! It knows the plugin only as a `.wasm` file and the policy only as a JSON string, so that it tests what a
//! deployment would run. The configuration that it renders is `bootstrap.yaml` and `listener.yaml` beside this
//! crate, the same files that a person fills by hand. It is not a control plane: one listener, one upstream.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use weir_envoy::{Envoy, EnvoyOptions, client::{Client, Request}, mock::Mock};
//!
//! let mock = Mock::start().await?;
//! let binary = weir_envoy::find_binary(".".as_ref())?;
//! let options = EnvoyOptions::new(binary, "target/weir.wasm", "{}", mock.addr());
//! let envoy = Envoy::start(options).await?;
//!
//! let mut client = Client::http1(envoy.listen_addr());
//! let chat = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": "Hello"}]});
//! let response = client.send(Request::post_json("/v1/chat/completions", &chat)).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
mod admin;
pub mod client;
mod error;
mod launch;
mod logs;
pub mod mock;
mod options;
mod process;
mod reload;
pub mod sdk;
pub mod stage;
mod stats;
mod template;
mod waiting;
pub mod wire;

pub use error::EnvoyError;
pub use launch::Envoy;
pub use options::{BinaryNotFound, EnvoyOptions, find_binary};
pub use reload::ReloadOutcome;
pub use stats::{Metric, Stats};

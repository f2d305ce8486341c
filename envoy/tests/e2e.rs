//! Weir itself in a real Envoy with two workers: what a deployment would see of it.
//!
//! Each test starts its own Envoy, mock and clients on ports of their own. Where the plugin or Envoy is missing,
//! the tests say so and are skipped; `WEIR_WASM` and `ENVOY` name other ones than those under `target`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests are built of fails as they do, by panicking"
)]

mod real_envoy;

#[path = "e2e/setup.rs"]
mod setup;
#[path = "e2e/wire.rs"]
mod wire;

#[path = "e2e/budgets.rs"]
mod budgets;
#[path = "e2e/concurrency.rs"]
mod concurrency;
#[path = "e2e/delays.rs"]
mod delays;
#[path = "e2e/denials.rs"]
mod denials;
#[path = "e2e/exchanges.rs"]
mod exchanges;
#[path = "e2e/holding.rs"]
mod holding;
#[path = "e2e/hostile.rs"]
mod hostile;
#[path = "e2e/metering.rs"]
mod metering;
#[path = "e2e/metrics.rs"]
mod metrics;
#[path = "e2e/reload.rs"]
mod reload;
#[path = "e2e/rollout.rs"]
mod rollout;
#[path = "e2e/secrets.rs"]
mod secrets;
#[path = "e2e/shaping.rs"]
mod shaping;
#[path = "e2e/streaming.rs"]
mod streaming;
#[path = "e2e/verification.rs"]
mod verification;

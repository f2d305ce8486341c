//! A scenario in a real Envoy.
//!
//! What our host predicts only says how long to wait: a proxy that will do nothing more and one that is
//! about to do something look alike. Nothing of a prediction flows into an [`Observation`].
mod exchange;
mod lines;
mod prediction;
mod proxy;
mod shared;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;
use weir_envoy::EnvoyError;
use weir_envoy::stage::LogRecord;

use super::{Modules, RunError};
use crate::scenario::{ExchangeSpec, Observation, Scenario, Seen, Step};
use exchange::Flight;
use prediction::Prediction;
use proxy::{Opened, Proxy};
pub use shared::SharedEnvoy;

/// How to run Envoy, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct EnvoyRun {
    /// The Envoy binary.
    pub binary: PathBuf,
    /// How long what is predicted may take to happen, counted from what happened last.
    pub patience: Duration,
    /// How long nothing must happen before an exchange counts as standing still.
    pub silence: Duration,
}

impl EnvoyRun {
    /// With a patience of 3 s and a silence of 60 ms.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            patience: Duration::from_secs(3),
            silence: Duration::from_millis(60),
        }
    }
}

/// Why a scenario cannot be run in Envoy; what a plugin or a proxy refuses is an observation.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyRunError {
    /// The scenario's modules.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Envoy.
    #[error(transparent)]
    Envoy(#[from] EnvoyError),
    /// A module is text that is no module.
    #[error("the module is not valid text: {0}")]
    Wat(#[from] wat::Error),
    /// A socket or a file.
    #[error("a client or an upstream of the stage failed")]
    Io(#[from] std::io::Error),
    /// An exchange that shares its Envoy with others must be told apart from them.
    #[error("the exchange of `{0}` has no header `x-id`, or there is not just one exchange")]
    NoId(String),
}

/// Runs `scenario` in an Envoy of its own.
///
/// # Errors
/// [`EnvoyRunError`]; a refused plugin is an [`Observation`], and so is an Envoy that crashes.
pub async fn run_in_envoy(
    scenario: &Scenario,
    modules: &Modules,
    run: &EnvoyRun,
    predicted: &Observation,
) -> Result<Observation, EnvoyRunError> {
    let reconfigured = |step: &Step| matches!(step, Step::Reconfigure(_));
    let replaceable = scenario.steps.iter().any(reconfigured);
    let mut proxy = match Proxy::open(&scenario.proxy, modules, run, replaceable).await? {
        Opened::Serving(proxy) => proxy,
        Opened::Refused { reason, log } => {
            return Ok(Observation {
                refused: Some(reason),
                vms: lines::by_vm(&lines::of(&log)),
                ..Observation::default()
            });
        }
    };
    let prediction = Prediction::of(predicted, run);
    let outcome = steps(&mut proxy, scenario, modules, prediction).await;
    if proxy.has_ended_during(&outcome).await {
        return Ok(crashed(&proxy));
    }
    outcome
}

/// Envoy ended by itself, and with it whatever could be seen.
fn crashed(proxy: &Proxy) -> Observation {
    let words = proxy.log().since(0);
    let critical = |record: &&LogRecord| record.level == "critical";
    let first = words.iter().find(critical);
    let words = first.map_or("without a word", |record| record.text.as_str());
    Observation {
        crashed: Some(words.to_owned()),
        ..Observation::default()
    }
}

async fn steps(
    proxy: &mut Proxy,
    scenario: &Scenario,
    modules: &Modules,
    prediction: Prediction<'_>,
) -> Result<Observation, EnvoyRunError> {
    let mut observation = Observation::default();
    for step in &scenario.steps {
        match step {
            Step::Exchange(exchange) => {
                let exchanges = std::slice::from_ref(&**exchange);
                together(proxy, exchanges, &prediction, &mut observation.exchanges).await?;
            }
            Step::Together(exchanges) => {
                together(proxy, exchanges, &prediction, &mut observation.exchanges).await?;
            }
            Step::WaitMs(ms) => sleep(Duration::from_millis(*ms)).await,
            Step::Reconfigure(plugins) => {
                if let Err(reason) = proxy.replace(plugins, modules).await? {
                    observation.refused.get_or_insert(reason);
                }
            }
        }
    }
    let all = prediction.everything(proxy.log()).await;
    observation.stats = proxy.stats().await?;
    observation.vms = lines::by_vm(&all);
    Ok(observation)
}

/// Begins each exchange when the one before stands still, then sees all of them to their ends.
async fn together(
    proxy: &Proxy,
    exchanges: &[ExchangeSpec],
    prediction: &Prediction<'_>,
    seen: &mut Vec<Seen>,
) -> Result<(), EnvoyRunError> {
    let mut flights = Vec::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        let awaited = prediction.of_exchange(exchange.id(), seen.len().saturating_add(index));
        let mut flight = Flight::begin(proxy, exchange).await?;
        if exchanges.len() > 1 {
            flight.pause(proxy, &awaited).await;
        }
        flights.push((flight, awaited));
    }
    for (flight, awaited) in flights {
        seen.push(flight.finish(proxy, &awaited).await?);
    }
    Ok(())
}

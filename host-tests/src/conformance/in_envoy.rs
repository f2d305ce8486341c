//! A scenario in a real Envoy.
//!
//! What our host predicts only says how long to wait: a proxy that will do nothing more and one that is
//! about to do something look alike. Nothing of a prediction flows into an [`Observation`].
mod exchange;
mod lines;
mod prediction;
mod proxy;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;
use weir_envoy::EnvoyError;

use super::{Modules, RunError};
use crate::scenario::{ExchangeSpec, Observation, ProxySpec, Scenario, Seen, Step};
use exchange::Flight;
use prediction::Prediction;
use proxy::{Opened, Proxy};

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
/// [`EnvoyRunError`]; a refused plugin is an [`Observation`].
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
    let mut observation = Observation::default();
    for step in &scenario.steps {
        match step {
            Step::Exchange(exchange) => {
                let exchanges = std::slice::from_ref(&**exchange);
                together(&proxy, exchanges, &prediction, &mut observation.exchanges).await?;
            }
            Step::Together(exchanges) => {
                together(&proxy, exchanges, &prediction, &mut observation.exchanges).await?;
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

/// An Envoy that many scenarios of one exchange share, any number of them at once.
#[derive(Debug)]
pub struct SharedEnvoy {
    proxy: Proxy,
    run: EnvoyRun,
}

impl SharedEnvoy {
    /// Starts it.
    ///
    /// # Errors
    /// [`EnvoyRunError`], also where a plugin is refused: nobody could share that.
    pub async fn start(
        spec: &ProxySpec,
        modules: &Modules,
        run: &EnvoyRun,
    ) -> Result<Self, EnvoyRunError> {
        match Proxy::open(spec, modules, run, false).await? {
            Opened::Serving(proxy) => Ok(Self {
                proxy,
                run: run.clone(),
            }),
            Opened::Refused { reason, .. } => Err(EnvoyError::Refused { reason }.into()),
        }
    }

    /// Runs the only exchange of `scenario`. Its request has a header `x-id` that no other one has at the
    /// time; of the log there is only what the probe logged in its name, of stats nothing: compare with
    /// [`Observation::of_stream`] of the prediction.
    ///
    /// # Errors
    /// [`EnvoyRunError`].
    pub async fn run(
        &self,
        scenario: &Scenario,
        predicted: &Observation,
    ) -> Result<Observation, EnvoyRunError> {
        let no_id = || EnvoyRunError::NoId(scenario.name.clone());
        let [Step::Exchange(exchange)] = scenario.steps.as_slice() else {
            return Err(no_id());
        };
        let id = exchange.id().ok_or_else(no_id)?;
        let prediction = Prediction::of(predicted, &self.run);
        let awaited = prediction.of_exchange(Some(id), 0);
        let flight = Flight::begin(&self.proxy, exchange).await?;
        let begin = flight.log_begin();
        let seen = flight.finish(&self.proxy, &awaited).await?;
        let own: Vec<_> = lines::of(&self.proxy.log().since(begin))
            .into_iter()
            .filter(|line| line.is_of(id))
            .collect();
        Ok(Observation {
            vms: lines::by_vm(&own),
            exchanges: vec![seen],
            ..Observation::default()
        })
    }

    /// Where Envoy's log is, for a person.
    pub fn log_path(&self) -> &Path {
        self.proxy.log_path()
    }
}

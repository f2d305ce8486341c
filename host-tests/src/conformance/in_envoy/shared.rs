//! An Envoy that many scenarios share.
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};
use weir_envoy::EnvoyError;

use super::exchange::Flight;
use super::prediction::Prediction;
use super::proxy::{Opened, Proxy};
use super::{EnvoyRun, EnvoyRunError, Modules, crashed, lines};
use crate::scenario::{ExchangeSpec, Observation, ProxySpec, Scenario, Step};

/// Envoys of their own at a time, for those that were under way when the shared one crashed.
const ALONE: usize = 4;

/// An Envoy that many scenarios of one exchange share, any number of them at once. Where it crashes, another
/// one takes its place, and each scenario that was under way is run again in an Envoy of its own, so that
/// only the one that crashes it shows a crash.
#[derive(Debug)]
pub struct SharedEnvoy {
    spec: ProxySpec,
    modules: Modules,
    run: EnvoyRun,
    proxy: Mutex<Arc<Proxy>>,
    alone: Semaphore,
}

/// A scenario's only exchange.
struct Only<'a> {
    exchange: &'a ExchangeSpec,
    id: &'a str,
    predicted: &'a Observation,
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
        let proxy = open(spec, modules, run).await?;
        Ok(Self {
            spec: spec.clone(),
            modules: modules.clone(),
            run: run.clone(),
            proxy: Mutex::new(Arc::new(proxy)),
            alone: Semaphore::new(ALONE),
        })
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
        let only = Only {
            exchange,
            id: exchange.id().ok_or_else(no_id)?,
            predicted,
        };
        let shared = self.current().await?;
        let outcome = self.exchange(&shared, &only).await;
        if !shared.has_ended_during(&outcome).await {
            return outcome;
        }
        drop(shared);
        // A semaphore that nobody closes always gives its permits.
        let _permit = self.alone.acquire().await;
        let own = open(&self.spec, &self.modules, &self.run).await?;
        let outcome = self.exchange(&own, &only).await;
        match own.has_ended_during(&outcome).await {
            true => Ok(crashed(&own)),
            false => outcome,
        }
    }

    /// The one that runs, or another one.
    async fn current(&self) -> Result<Arc<Proxy>, EnvoyRunError> {
        let mut proxy = self.proxy.lock().await;
        if proxy.has_ended() {
            *proxy = Arc::new(open(&self.spec, &self.modules, &self.run).await?);
        }
        Ok(Arc::clone(&proxy))
    }

    async fn exchange(&self, proxy: &Proxy, only: &Only<'_>) -> Result<Observation, EnvoyRunError> {
        let prediction = Prediction::of(only.predicted, &self.run);
        let awaited = prediction.of_exchange(Some(only.id), 0);
        let flight = Flight::begin(proxy, only.exchange).await?;
        let begin = flight.log_begin();
        let seen = flight.finish(proxy, &awaited).await?;
        let own: Vec<_> = lines::of(&proxy.log().since(begin))
            .into_iter()
            .filter(|line| line.is_of(only.id))
            .collect();
        Ok(Observation {
            vms: lines::by_vm(&own),
            exchanges: vec![seen],
            ..Observation::default()
        })
    }
}

async fn open(spec: &ProxySpec, modules: &Modules, run: &EnvoyRun) -> Result<Proxy, EnvoyRunError> {
    match Proxy::open(spec, modules, run, false).await? {
        Opened::Serving(proxy) => Ok(*proxy),
        Opened::Refused { reason, .. } => Err(EnvoyError::Refused { reason }.into()),
    }
}

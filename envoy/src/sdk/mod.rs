//! The official SDKs against a real Envoy with Weir: how they behave on every denial, and what they make of answers
//! that are shaped.
//!
//! Two driver programs (`sdk/drive.py`, `sdk/drive.mjs`) do what plans say with the SDKs' defaults and tell what a
//! developer would see. What was really sent is counted at Envoy, by its decision log, never by a client. The
//! provider behind it is the [mock](crate::mock), which checks signed reasoning as the real one does.
mod denials;
mod difference;
mod driver;
mod loops;
mod objects;
mod plan;
mod policy;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Request};
use crate::mock::Mock;
use crate::{Envoy, EnvoyError, EnvoyOptions};

use driver::{Driver, Told};
use plan::{Runtime, Task};
pub use report::Report;

/// How long a driver may take. The longest wait that an SDK is told is a few seconds; one that waits for longer than
/// this would wait for an hour.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run needs of this machine.
#[derive(Clone, Debug)]
pub struct SdkOptions {
    /// The Envoy binary.
    pub envoy: PathBuf,
    /// The plugin.
    pub wasm: PathBuf,
    /// The folder with the Python packages.
    pub python: PathBuf,
    /// The folder whose `node_modules` has the packages for Node.
    pub node: PathBuf,
    /// The folder with the driver programs.
    pub drivers: PathBuf,
}

/// Why nothing can be said about the SDKs.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// Envoy, the plugin or the policy.
    #[error(transparent)]
    Envoy(#[from] EnvoyError),
    /// A driver does not start: Python or Node is missing.
    #[error("cannot run the driver for {runtime}")]
    Driver {
        /// `Python` or `Node`.
        runtime: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A driver ended before it told anything, so its packages are broken.
    #[error("the driver for {runtime} told nothing: {said}")]
    Silent {
        /// `Python` or `Node`.
        runtime: &'static str,
        /// The end of what it wrote on stderr.
        said: String,
    },
    /// The mock cannot listen.
    #[error("the mock upstream cannot listen")]
    Mock(#[source] std::io::Error),
    /// One of our own requests got no answer.
    #[error("Envoy does not answer")]
    Client(#[from] crate::client::ClientError),
}

/// Runs everything and compares it with what is expected.
///
/// # Errors
/// [`SdkError`] where nothing can be said. An SDK that behaves in another way than expected is no error but part of
/// the report.
pub async fn run(options: SdkOptions) -> Result<Report, SdkError> {
    let mock = Mock::start().await.map_err(SdkError::Mock)?;
    let policy = policy::document().to_string();
    let envoy = EnvoyOptions::new(&options.envoy, &options.wasm, policy, mock.addr());
    let envoy = Envoy::start(EnvoyOptions {
        patience: 2 * PATIENCE,
        ..envoy
    })
    .await?;
    let places = plan::Places {
        weir: format!("http://{}", envoy.listen_addr()),
        mock: format!("http://{}", mock.addr()),
    };
    let tasks = tasks(&places);

    let others = denials::Others::start(envoy.listen_addr()).await?;
    let (python, node) = tokio::join!(
        drive(&options, Runtime::Python, &tasks),
        drive(&options, Runtime::Node, &tasks)
    );
    drop(others);
    let told = [python?, node?];
    let decisions = decisions(&envoy).await?;
    Ok(Report {
        envoy: envoy.version().to_owned(),
        denials: denials::rows(&tasks, &told, &decisions),
        objects: objects::rows(&tasks, &told),
        loops: loops::rows(&tasks, &told),
        runtimes: told.iter().flat_map(Told::packages).collect(),
    })
}

/// All that the SDKs are to do, numbered.
fn tasks(places: &plan::Places) -> Vec<Task> {
    let mut tasks = denials::tasks(places);
    tasks.extend(objects::tasks(places));
    tasks.extend(loops::tasks(places));
    for (number, task) in tasks.iter_mut().enumerate() {
        task.number = number;
    }
    tasks
}

async fn drive(options: &SdkOptions, runtime: Runtime, tasks: &[Task]) -> Result<Told, SdkError> {
    let driver = Driver::of(options, runtime);
    let plan = plan::document(tasks.iter().filter(|task| task.sdk.runtime() == runtime));
    let driving = tokio::task::spawn_blocking(move || driver.drive(&plan, PATIENCE));
    match driving.await {
        Ok(told) => told,
        Err(panicked) => Err(SdkError::Silent {
            runtime: runtime.name(),
            said: panicked.to_string(),
        }),
    }
}

/// The decision log with everything that came before this call: a last exchange marks where to read to.
async fn decisions(envoy: &Envoy) -> Result<Vec<Value>, SdkError> {
    const MARKER: &str = "the-end";
    let mut client = Client::http1(envoy.listen_addr());
    let body = serde_json::json!({"model": "m-large", "messages": []});
    let marker = Request::post_json("/v1/chat/completions", &body).header("x-account-id", MARKER);
    client.send(marker).await?.bytes().await?;
    let marked = envoy.wait_until("decision that marks the end", async || {
        let decisions = envoy.decision_log()?;
        let is_marked = decisions
            .iter()
            .any(|one| one.get("account").is_some_and(|account| account == MARKER));
        Ok(is_marked.then_some(decisions))
    });
    Ok(marked.await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_a_task_sends_can_be_counted_because_nobody_else_has_its_account() {
        let places = plan::Places {
            weir: "http://weir".to_owned(),
            mock: "http://mock".to_owned(),
        };

        let tasks = tasks(&places);

        let accounts: BTreeSet<&str> = tasks.iter().map(|task| task.account.as_str()).collect();
        assert_eq!(accounts.len(), tasks.len());
        assert!(
            tasks
                .iter()
                .enumerate()
                .all(|(place, task)| task.number == place)
        );
        let drivers = [Runtime::Python, Runtime::Node];
        assert!(
            drivers
                .iter()
                .all(|runtime| tasks.iter().any(|task| task.sdk.runtime() == *runtime))
        );
    }
}

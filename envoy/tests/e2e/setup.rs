//! What the tests stand on: the programs, a running Weir, a policy to change, requests of both providers.
use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_envoy::client::{Client, Request, Response};
use weir_envoy::mock::Mock;
use weir_envoy::{Envoy, EnvoyOptions};

use crate::real_envoy::{envoy_or_skip, skip, workspace};

/// How long anything may take that happens at once on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binaries under test.
pub(crate) struct Programs {
    envoy: PathBuf,
    wasm: PathBuf,
}

/// Envoy and the plugin; says why and gives None where one is missing.
pub(crate) fn programs_or_skip(test: &str) -> Option<Programs> {
    let envoy = envoy_or_skip(test)?;
    let wasm = match env::var_os("WEIR_WASM").filter(|path| !path.is_empty()) {
        Some(named) => {
            let path = PathBuf::from(named);
            assert!(path.is_file(), "WEIR_WASM names no file: {path:?}");
            path
        }
        None => workspace().join("target/weir.wasm"),
    };
    if wasm.is_file() {
        return Some(Programs { envoy, wasm });
    }
    let wasm = wasm.display();
    skip(
        test,
        format_args!("there is no {wasm}; `cargo xtask wasm` builds it"),
    );
    None
}

/// [`programs_or_skip`] with the name of the test that calls it.
#[macro_export]
macro_rules! programs {
    () => {{
        let here = std::any::type_name_of_val(&|| ());
        let test = here.trim_end_matches("::{{closure}}");
        match $crate::setup::programs_or_skip(test) {
            Some(programs) => programs,
            None => return,
        }
    }};
}

/// An Envoy with Weir, and the API behind it.
pub(crate) struct Weir {
    pub(crate) envoy: Envoy,
    pub(crate) mock: Mock,
}

impl Weir {
    pub(crate) async fn start(programs: Programs, policy: &Value) -> Self {
        Self::start_with(programs, policy, |_| {}).await
    }

    pub(crate) async fn start_with(
        programs: Programs,
        policy: &Value,
        change: impl FnOnce(&mut EnvoyOptions),
    ) -> Self {
        let mock = Mock::start().await.unwrap();
        let envoy = start_envoy(programs, policy, |options| {
            options.upstream = mock.addr();
            change(options);
        })
        .await;
        Self { envoy, mock }
    }

    pub(crate) fn http1(&self) -> Client {
        Client::http1(self.envoy.listen_addr())
    }

    pub(crate) fn http2(&self) -> Client {
        Client::http2(self.envoy.listen_addr())
    }

    /// A client of each protocol.
    pub(crate) fn clients(&self) -> [Client; 2] {
        [self.http1(), self.http2()]
    }

    /// The decision with this id, as soon as it is logged.
    pub(crate) async fn decision(&self, id: &str) -> Value {
        eventually("decision", async || {
            let mut decisions = self.envoy.decision_log().unwrap();
            let found = decisions.iter().position(|one| one["decision_id"] == id)?;
            Some(decisions.swap_remove(found))
        })
        .await
    }
}

/// Envoy alone, behind which the test puts an upstream of its own.
pub(crate) async fn start_envoy(
    programs: Programs,
    policy: &Value,
    change: impl FnOnce(&mut EnvoyOptions),
) -> Envoy {
    let nobody = ([127, 0, 0, 1], 9).into();
    let mut options = EnvoyOptions::new(programs.envoy, programs.wasm, policy.to_string(), nobody);
    options.patience = 2 * PATIENCE;
    change(&mut options);
    Envoy::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Two tiers, one capability, no budget; refuses what it can refuse except for unknown endpoints.
pub(crate) fn policy(change: impl FnOnce(&mut Value)) -> Value {
    let mut policy = json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "end-to-end", "version": "1", "owner": "tests"},
        "inspection": {"maxBody": "64KiB"},
        "identity": {
            "account": [{"header": "x-account-id"}, {"apiKey": {}}],
            "organization": [{"header": "x-org-id"}],
            "created": [{"header": "x-account-created"}],
            "plan": [{"header": "x-plan"}],
        },
        "capabilities": {"agentic_tools": {"anyOf": [{"tools": {"atLeast": 1}}]}},
        "tiers": [
            {"name": "vetted", "match": {"plan": ["enterprise"]}, "grants": ["agentic_tools"]},
            {"name": "basic"},
        ],
        "state": {"memory": "1MiB"},
        "rollout": {"mode": "enforce"},
    });
    change(&mut policy);
    policy
}

/// The same under another version.
pub(crate) fn version(policy: &Value, version: &str) -> String {
    let mut policy = policy.clone();
    policy["metadata"]["version"] = json!(version);
    policy.to_string()
}

/// A budget for each account.
pub(crate) fn budget(unit: &str, limit: u64) -> Value {
    json!([{"name": unit, "per": "account", "unit": unit, "limit": limit, "window": "1h"}])
}

/// A provider's endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    OpenAi,
    Anthropic,
}

impl Api {
    pub(crate) const BOTH: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    /// As decisions call it.
    pub(crate) const fn endpoint(self) -> &'static str {
        match self {
            Self::OpenAi => "openai.chat",
            Self::Anthropic => "anthropic.messages",
        }
    }

    /// A plain question.
    pub(crate) fn body(self) -> Value {
        json!({"model": "m-large", "max_tokens": 64, "messages": [
            {"role": "user", "content": "Wie fließt Wasser über ein Wehr? 水は \"how\" \\ 🌊"}]})
    }

    /// The same, answered as a stream that tells its usage.
    pub(crate) fn streamed(self) -> Value {
        let mut body = self.body();
        body["stream"] = json!(true);
        if self == Self::OpenAi {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }

    /// The same with a tool, which only the vetted tier may offer.
    pub(crate) fn with_tool(self) -> Value {
        let mut body = self.body();
        body["tools"] = match self {
            Self::OpenAi => json!([{"type": "function", "function": {"name": "run"}}]),
            Self::Anthropic => json!([{"name": "run", "input_schema": {"type": "object"}}]),
        };
        body
    }

    pub(crate) fn post(self, account: &str, body: &Value) -> Request {
        Request::post_json(self.path(), body).header("x-account-id", account)
    }

    /// Type of an error body in this provider's format.
    pub(crate) fn error_type(self, body: &Value) -> &str {
        if self == Self::Anthropic {
            assert_eq!(body["type"], "error", "{body}");
        }
        let text = |name: &str| body["error"][name].as_str().unwrap_or_default();
        assert!(!text("message").is_empty(), "{body}");
        text("type")
    }
}

/// Sends, and reads the answer to its end: its status.
pub(crate) async fn status(client: &mut Client, request: Request) -> u16 {
    let response = send(client, request).await;
    let status = response.status();
    response.bytes().await.unwrap();
    status
}

/// Sends; an answer that does not come is a failure with a name.
pub(crate) async fn send(client: &mut Client, request: Request) -> Response {
    tokio::time::timeout(PATIENCE, client.send(request))
        .await
        .unwrap_or_else(|_| panic!("a request was left without an answer"))
        .unwrap()
}

/// Asks until there is an answer, since Envoy logs, counts and ticks at moments of its own.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "there came no {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

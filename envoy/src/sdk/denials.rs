//! How SDKs behave on refusals: what is raised, how often they ask, what of it reaches the developer.
use std::net::SocketAddr;

use serde_json::Value;

use super::driver::{self, End, Told};
use super::plan::{Api, Places, Purpose, Sdk, Task, Way};
use super::policy;
use super::report::DenialRow;
use crate::client::{Client, ClientError, Request, Response};

/// Plans of accounts that run into a budget.
pub(super) const BUDGETS: [&str; 3] = ["comes-back", BUSY, "long"];
const BUSY: &str = "busy";

/// The plan of accounts that use more than an account may that is not verified.
pub(super) const UNVERIFIED: &str = "verification";

/// One way of being refused.
struct Denial {
    /// Also the plan of its accounts.
    name: &'static str,
    /// What the client asks.
    question: fn(Api) -> Value,
    /// Calls that use up what there is, before the one that is looked at.
    before: u64,
    /// None where the SDK's own retries succeed.
    raised: Option<Raised>,
    sent: Sent,
}

/// What must be raised.
#[derive(Clone, Copy)]
struct Raised {
    class: &'static str,
    status: u64,
    /// What the message must say.
    says: &'static str,
}

/// How many requests must be sent.
#[derive(Clone, Copy)]
enum Sent {
    /// Exactly so many.
    Exactly(u64),
    /// One, and as many more as the SDK's default says.
    Schedule,
}

const fn throttled() -> Option<Raised> {
    Some(Raised {
        class: "RateLimitError",
        status: 429,
        says: "Rate limit",
    })
}

const fn forbidden(says: &'static str) -> Option<Raised> {
    Some(Raised {
        class: "PermissionDeniedError",
        status: 403,
        says,
    })
}

const DENIALS: [Denial; 8] = [
    // The SDK waits for as long as it is told, asks again and is served: nobody notices.
    Denial {
        name: "comes-back",
        question: Api::question,
        before: 1,
        raised: None,
        sent: Sent::Exactly(2),
    },
    // Another account of the organization has an answer coming for as long as this runs, so every retry is
    // refused as well.
    Denial {
        name: BUSY,
        question: Api::question,
        before: 0,
        raised: throttled(),
        sent: Sent::Schedule,
    },
    // Nothing comes back while anybody would wait.
    Denial {
        name: "long",
        question: Api::question,
        before: 1,
        raised: throttled(),
        sent: Sent::Exactly(1),
    },
    Denial {
        name: "capability",
        question: Api::with_tool,
        before: 0,
        raised: forbidden("agentic_tools"),
        sent: Sent::Exactly(1),
    },
    Denial {
        name: UNVERIFIED,
        question: Api::question,
        before: 1,
        raised: forbidden(policy::VERIFY_AT),
        sent: Sent::Exactly(1),
    },
    Denial {
        name: "list",
        question: Api::question,
        before: 0,
        raised: forbidden(policy::CONTACT),
        sent: Sent::Exactly(1),
    },
    // A suspect is told nothing that a listed account, or one over its budget, is not told.
    Denial {
        name: "detection",
        question: Api::question,
        before: 0,
        raised: forbidden(policy::CONTACT),
        sent: Sent::Exactly(1),
    },
    Denial {
        name: "detection-429",
        question: Api::question,
        before: 0,
        raised: throttled(),
        sent: Sent::Exactly(1),
    },
];

fn account(sdk: Sdk, denial: &str, way: Way) -> String {
    format!("{}-{denial}-{}", sdk.name(), way.name())
}

fn organization(sdk: Sdk) -> String {
    format!("o-{}", sdk.name())
}

/// A refusal comes instead of a JSON answer as well as instead of a stream.
const WAYS: [Way; 2] = [Way::Whole, Way::Stream];

/// Accounts that are refused by this name.
pub(super) fn accounts(denial: &'static str) -> impl Iterator<Item = String> {
    Sdk::ALL
        .into_iter()
        .flat_map(move |sdk| WAYS.map(|way| account(sdk, denial, way)))
}

/// A task for each SDK, denial and way.
pub(super) fn tasks(places: &Places) -> Vec<Task> {
    let mut tasks = Vec::new();
    for sdk in Sdk::ALL {
        for denial in &DENIALS {
            for way in WAYS {
                let api = sdk.conversations().first().copied().unwrap_or(Api::Chat);
                let mut headers = vec![("x-plan", denial.name.to_owned())];
                if denial.name == BUSY {
                    headers.push(("x-org-id", organization(sdk)));
                }
                tasks.push(Task {
                    number: 0,
                    sdk,
                    api,
                    way,
                    base: places.weir.clone(),
                    account: account(sdk, denial.name, way),
                    headers,
                    params: (denial.question)(api),
                    before: denial.before,
                    is_loop: false,
                    purpose: Purpose::Denial(denial.name),
                });
            }
        }
    }
    tasks
}

/// What became of each task, and what should have.
pub(super) fn rows(tasks: &[Task], told: &[Told], decisions: &[Value]) -> Vec<DenialRow> {
    let of_denials = tasks.iter().filter_map(|task| match task.purpose {
        Purpose::Denial(name) => Some((task, DENIALS.iter().find(|denial| denial.name == name)?)),
        _ => None,
    });
    of_denials
        .map(|(task, denial)| row(task, denial, told, decisions))
        .collect()
}

fn row(task: &Task, denial: &Denial, told: &[Told], decisions: &[Value]) -> DenialRow {
    let text = |of: &Value, name: &str| {
        of.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mine: Vec<&Value> = decisions
        .iter()
        .filter(|one| text(one, "account") == task.account)
        .collect();
    let requests = (mine.len() as u64).saturating_sub(denial.before);
    let expected_requests = match denial.sent {
        Sent::Exactly(count) => count,
        Sent::Schedule => {
            let retries = told.iter().find_map(|one| {
                one.retries(task.sdk)
                    .filter(|_| one.end(task.number).is_some())
            });
            retries.unwrap_or_default().saturating_add(1)
        }
    };
    let mut row = DenialRow {
        sdk: task.sdk.name(),
        denial: denial.name,
        way: task.way.name(),
        exception: None,
        status: None,
        requests,
        expected_requests,
        message: None,
        decision_id: None,
        problems: Vec::new(),
    };
    if requests != expected_requests {
        row.problems.push(format!(
            "{requests} requests were sent, not {expected_requests}"
        ));
    }
    match (driver::end_of(told, task.number), denial.raised) {
        (None, _) => row.problems.push("the call did not end".to_owned()),
        (Some(End::Object { .. }), None) => {}
        (Some(End::Object { .. }), Some(raised)) => {
            row.problems
                .push(format!("an answer came, not {}", raised.class));
        }
        (Some(End::Raised(exception)), expected) => {
            row.exception = Some(exception.class.clone());
            row.status = exception.status;
            let ids = mine
                .iter()
                .map(|one| text(one, "decision_id"))
                .filter(|id| !id.is_empty());
            row.decision_id = ids.filter_map(|id| exception.part_with(&id)).next();
            if row.decision_id.is_none() {
                row.problems
                    .push("the decision id is nowhere in the exception".to_owned());
            }
            let Some(raised) = expected else {
                row.problems
                    .push(format!("{}: {}", exception.class, exception.message));
                return row;
            };
            row.message = exception
                .message
                .contains(raised.says)
                .then_some(raised.says);
            if row.message.is_none() {
                row.problems
                    .push(format!("the message is {:?}", exception.message));
            }
            if exception.class != raised.class || exception.status != Some(raised.status) {
                row.problems.push(format!(
                    "{} {:?} was raised, not {} {}",
                    exception.class, exception.status, raised.class, raised.status
                ));
            }
        }
    }
    row
}

/// The other accounts of the organizations that are busy: each has an answer coming until this is dropped.
pub(super) struct Others(
    #[expect(dead_code, reason = "their streams end with them")] Vec<(Client, Response)>,
);

impl Others {
    /// Returns when all of them are being answered.
    pub(super) async fn start(weir: SocketAddr) -> Result<Self, ClientError> {
        let mut streams = Vec::new();
        let question = Api::Chat.streamed();
        for sdk in Sdk::ALL {
            let mut client = Client::http1(weir);
            let request = Request::post_json("/v1/chat/completions", &question)
                .header("x-account-id", "others")
                .header("x-org-id", organization(sdk))
                .header("x-plan", BUSY)
                .header("x-mock-output-tokens", "1000")
                .header("x-mock-events", "1000")
                .header("x-mock-delay-ms", "1000");
            let mut response = client.send(request).await?;
            response.next_event().await?;
            streams.push((client, response));
        }
        Ok(Self(streams))
    }
}

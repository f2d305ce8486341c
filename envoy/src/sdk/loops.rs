//! Tool loops in two steps, with reasoning that has to come back as it was signed.
use serde_json::Value;

use super::driver::{self, End, Told};
use super::plan::{Api, Places, Purpose, Sdk, Task, Way};
use super::report::LoopRow;

/// Plans of accounts whose loops must end well: unshaped, asked for less, and stripped of what no later request
/// has to bring back.
const PLANS: [&str; 3] = ["unshaped", "asked-less", "kept"];

/// A question, a call with its result, an answer.
const STEPS: u64 = 2;

/// A task for each SDK, API, way and plan.
pub(super) fn tasks(places: &Places) -> Vec<Task> {
    let mut tasks = Vec::new();
    for sdk in Sdk::ALL {
        for api in sdk.conversations().iter().copied() {
            for way in [Way::Whole, Way::Stream] {
                tasks.extend(PLANS.map(|plan| Task {
                    number: 0,
                    sdk,
                    api,
                    way,
                    base: places.weir.clone(),
                    account: format!("{}-{}-{}-loop-{plan}", sdk.name(), api.name(), way.name()),
                    headers: vec![("x-plan", plan.to_owned())],
                    params: api.with_everything(),
                    before: 0,
                    is_loop: true,
                    purpose: Purpose::Loop(plan),
                }));
            }
        }
    }
    tasks
}

/// How each loop ended.
pub(super) fn rows(tasks: &[Task], told: &[Told]) -> Vec<LoopRow> {
    let of_loops = tasks.iter().filter_map(|task| match task.purpose {
        Purpose::Loop(plan) => Some((task, plan)),
        _ => None,
    });
    of_loops.map(|(task, plan)| row(task, plan, told)).collect()
}

fn row(task: &Task, plan: &'static str, told: &[Told]) -> LoopRow {
    let mut row = LoopRow {
        sdk: task.sdk.name(),
        api: task.api.name(),
        way: task.way.name(),
        plan,
        steps: 0,
        problems: Vec::new(),
    };
    match driver::end_of(told, task.number) {
        None => row.problems.push("the loop did not end".to_owned()),
        Some(End::Raised(exception)) => {
            row.problems
                .push(format!("{}: {}", exception.class, exception.message));
        }
        Some(End::Object { object, steps }) => {
            row.steps = *steps;
            if *steps != STEPS {
                row.problems.push(format!("{steps} steps, not {STEPS}"));
            }
            if !is_final(task.api, object) {
                row.problems.push("the last answer is not final".to_owned());
            }
        }
    }
    row
}

/// Whether it is an answer with text after which nothing more is asked of the client.
fn is_final(api: Api, object: &Value) -> bool {
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    match api {
        Api::Chat => {
            text("/choices/0/finish_reason") == "stop"
                && !text("/choices/0/message/content").is_empty()
        }
        Api::Completions | Api::Embeddings | Api::CountTokens => false, // which know no tools
        Api::Messages => {
            let blocks = object.get("content").and_then(Value::as_array);
            let says = blocks
                .into_iter()
                .flatten()
                .any(|block| block.get("text").is_some_and(|text| text != ""));
            text("/stop_reason") == "end_turn" && says
        }
        Api::Responses => {
            let items = object.get("output").and_then(Value::as_array);
            let says = items.into_iter().flatten().any(|item| {
                item.pointer("/content/0/text")
                    .is_some_and(|text| text != "")
            });
            text("/status") == "completed" && says
        }
    }
}

//! What SDKs make of shaped answers, compared with what they make of the same answers unshaped.
use serde_json::Value;

use super::difference::{self, Left, Removal};
use super::driver::{self, End, Told};
use super::plan::{Api, Places, Purpose, Sdk, Task, Way};
use super::report::ObjectRow;

/// The number of the mock's answer that is compared; any would do.
const ANSWER: &str = "5";

/// What lies between the SDK and the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Nothing; everything else is compared with this.
    Direct,
    /// Weir, and a plan that is not shaped.
    Unshaped,
    /// Weir, and a plan whose answers are stripped.
    Stripped,
    /// Weir, and a plan whose requests ask for less.
    AskedLess,
}

impl Treatment {
    const ALL: [Self; 4] = [
        Self::Direct,
        Self::Unshaped,
        Self::Stripped,
        Self::AskedLess,
    ];

    /// Also the plan of its accounts.
    const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Unshaped => "unshaped",
            Self::Stripped => "stripped",
            Self::AskedLess => "asked-less",
        }
    }

    /// Whether there is anything to compare. Nothing is shaped of APIs that only count or embed, and a request that
    /// asks for less gets other events: what SDKs make of them is compared, they are not.
    fn applies_to(self, api: Api, way: Way) -> bool {
        match self {
            Self::Direct | Self::Unshaped => true,
            Self::Stripped => !matches!(api, Api::Embeddings | Api::CountTokens),
            Self::AskedLess => Self::Stripped.applies_to(api, way) && way != Way::Events,
        }
    }

    /// Where an object may differ from the direct one.
    fn removals(self, api: Api, way: Way) -> Vec<Removal> {
        match (self, way) {
            (Self::Direct | Self::Unshaped, _) => Vec::new(),
            (Self::Stripped, Way::Events) => stripped_events(api),
            (Self::Stripped, _) => stripped(api),
            (Self::AskedLess, _) => asked_less(api),
        }
    }
}

/// Taken out of an answer.
fn stripped(api: Api) -> Vec<Removal> {
    match api {
        Api::Chat => vec![
            Removal::due("/choices/*/logprobs", Left::Null),
            Removal::due("/choices/*/message/reasoning_content", Left::EmptyText),
        ],
        Api::Responses => vec![
            Removal::due("/output/*/content/*/logprobs", Left::EmptyList),
            Removal::due("/output/*/summary/*/text", Left::EmptyText),
        ],
        Api::Completions => vec![Removal::due("/choices/*/logprobs", Left::Null)],
        Api::Messages => vec![Removal::due("/content/*/thinking", Left::EmptyText)],
        Api::Embeddings | Api::CountTokens => Vec::new(),
    }
}

/// Taken out of the events of a stream.
fn stripped_events(api: Api) -> Vec<Removal> {
    match api {
        Api::Chat => vec![
            Removal::due("/*/choices/*/logprobs", Left::Null),
            Removal::due("/*/choices/*/delta/reasoning_content", Left::EmptyText),
        ],
        Api::Responses => vec![
            Removal::due("/*/logprobs", Left::EmptyList).of("response.output_text.delta"),
            Removal::due("/*/logprobs", Left::EmptyList).of("response.output_text.done"),
            Removal::due("/*/part/logprobs", Left::EmptyList).of("output_text"),
            Removal::due("/*/item/content/*/logprobs", Left::EmptyList),
            Removal::due("/*/response/output/*/content/*/logprobs", Left::EmptyList),
            Removal::due("/*/delta", Left::EmptyText).of("response.reasoning_summary_text.delta"),
            Removal::due("/*/text", Left::EmptyText).of("response.reasoning_summary_text.done"),
            Removal::due("/*/part/text", Left::EmptyText).of("summary_text"),
            Removal::due("/*/item/summary/*/text", Left::EmptyText),
            Removal::due("/*/response/output/*/summary/*/text", Left::EmptyText),
        ],
        Api::Completions => vec![Removal::due("/*/choices/*/logprobs", Left::Null)],
        Api::Messages => {
            vec![Removal::due("/*/delta/thinking", Left::EmptyText).of("thinking_delta")]
        }
        Api::Embeddings | Api::CountTokens => Vec::new(),
    }
}

/// What the provider leaves out when it is not asked for.
fn asked_less(api: Api) -> Vec<Removal> {
    match api {
        Api::Chat | Api::Completions => vec![Removal::due("/choices/*/logprobs", Left::Null)],
        Api::Responses => vec![
            Removal::due("/output/*/content/*/logprobs", Left::EmptyList),
            Removal::due("/output/*/summary", Left::EmptyList).of("reasoning"),
            // The provider repeats what it was asked for.
            Removal::possible("/reasoning", Left::Anything),
            Removal::possible("/reasoning/summary", Left::Anything),
            Removal::possible("/top_logprobs", Left::Anything),
        ],
        Api::Messages => vec![
            Removal::due("/content/*/thinking", Left::EmptyText),
            Removal::due("/content/*/signature", Left::OtherText).of("thinking"),
        ],
        Api::Embeddings | Api::CountTokens => Vec::new(),
    }
}

/// A task for each SDK, API, way and treatment that has something to show.
pub(super) fn tasks(places: &Places) -> Vec<Task> {
    let mut tasks = Vec::new();
    for sdk in Sdk::ALL {
        for api in sdk.apis().iter().copied() {
            for way in api.ways().iter().copied() {
                for treatment in Treatment::ALL {
                    if !treatment.applies_to(api, way) {
                        continue;
                    }
                    tasks.push(task(places, sdk, api, way, treatment));
                }
            }
        }
    }
    tasks
}

fn task(places: &Places, sdk: Sdk, api: Api, way: Way, treatment: Treatment) -> Task {
    let base = match treatment {
        Treatment::Direct => &places.mock,
        _ => &places.weir,
    };
    Task {
        number: 0,
        sdk,
        api,
        way,
        base: base.clone(),
        account: format!(
            "{}-{}-{}-{}",
            sdk.name(),
            api.name(),
            way.name(),
            treatment.name()
        ),
        headers: vec![
            ("x-plan", treatment.name().to_owned()),
            ("x-mock-answer", ANSWER.to_owned()),
        ],
        params: api.with_everything(),
        before: 0,
        is_loop: false,
        purpose: Purpose::Object(treatment),
    }
}

/// Every object but the direct ones, against its direct one.
pub(super) fn rows(tasks: &[Task], told: &[Told]) -> Vec<ObjectRow> {
    let of_objects = tasks.iter().filter_map(|task| match task.purpose {
        Purpose::Object(treatment) if treatment != Treatment::Direct => Some((task, treatment)),
        _ => None,
    });
    of_objects
        .map(|(task, treatment)| row(task, treatment, tasks, told))
        .collect()
}

fn row(task: &Task, treatment: Treatment, tasks: &[Task], told: &[Told]) -> ObjectRow {
    let direct = tasks.iter().find(|other| {
        other.purpose == Purpose::Object(Treatment::Direct)
            && (other.sdk, other.api, other.way) == (task.sdk, task.api, task.way)
    });
    let before = direct.and_then(|direct| driver::end_of(told, direct.number));
    let problems = match (before, driver::end_of(told, task.number)) {
        (Some(End::Object { object: before, .. }), Some(End::Object { object: after, .. })) => {
            let removals = treatment.removals(task.api, task.way);
            difference::objections(before, after, &removals)
        }
        (Some(End::Raised(exception)), _) | (_, Some(End::Raised(exception))) => {
            vec![format!("{}: {}", exception.class, exception.message)]
        }
        (None, _) | (_, None) => vec!["a call did not end".to_owned()],
    };
    let is_empty = |end: Option<&End>| {
        !matches!(
            end,
            Some(End::Object {
                object: Value::Object(_) | Value::Array(_),
                ..
            })
        )
    };
    ObjectRow {
        sdk: task.sdk.name(),
        api: task.api.name(),
        way: task.way.name(),
        treatment: treatment.name(),
        problems: match problems.is_empty() && is_empty(before) {
            true => vec!["there is nothing to compare".to_owned()],
            false => problems,
        },
    }
}

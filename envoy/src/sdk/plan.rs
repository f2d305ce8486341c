//! What a driver is told to do: a task is one call of an SDK, or one conversation.
use serde_json::{Value, json};

/// Where requests are sent.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Envoy with Weir.
    pub(super) weir: String,
    /// The mock, with nothing between.
    pub(super) mock: String,
}

/// An official SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sdk {
    OpenAiPython,
    AnthropicPython,
    OpenAiNode,
    AnthropicNode,
}

/// What an SDK runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Runtime {
    Python,
    Node,
}

impl Runtime {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Node => "Node",
        }
    }
}

impl Sdk {
    pub(super) const ALL: [Self; 4] = [
        Self::OpenAiPython,
        Self::AnthropicPython,
        Self::OpenAiNode,
        Self::AnthropicNode,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OpenAiPython => "openai-python",
            Self::AnthropicPython => "anthropic-python",
            Self::OpenAiNode => "openai-node",
            Self::AnthropicNode => "anthropic-node",
        }
    }

    pub(super) const fn runtime(self) -> Runtime {
        match self {
            Self::OpenAiPython | Self::AnthropicPython => Runtime::Python,
            Self::OpenAiNode | Self::AnthropicNode => Runtime::Node,
        }
    }

    /// As drivers call it.
    pub(super) const fn provider(self) -> &'static str {
        match self {
            Self::OpenAiPython | Self::OpenAiNode => "openai",
            Self::AnthropicPython | Self::AnthropicNode => "anthropic",
        }
    }

    /// The APIs that hold conversations; the first is the one that denials are asked of.
    pub(super) const fn conversations(self) -> &'static [Api] {
        match self {
            Self::OpenAiPython | Self::OpenAiNode => &[Api::Chat, Api::Responses],
            Self::AnthropicPython | Self::AnthropicNode => &[Api::Messages],
        }
    }

    /// All APIs that it speaks and Weir reads.
    pub(super) const fn apis(self) -> &'static [Api] {
        match self {
            Self::OpenAiPython | Self::OpenAiNode => {
                &[Api::Chat, Api::Responses, Api::Completions, Api::Embeddings]
            }
            Self::AnthropicPython | Self::AnthropicNode => &[Api::Messages, Api::CountTokens],
        }
    }
}

/// An API of an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Chat,
    Responses,
    Completions,
    Embeddings,
    Messages,
    CountTokens,
}

impl Api {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
        }
    }

    /// The ways that its answers come in and SDKs read them.
    pub(super) const fn ways(self) -> &'static [Way] {
        match self {
            Self::Chat | Self::Responses | Self::Messages => {
                &[Way::Whole, Way::Stream, Way::Events]
            }
            Self::Completions => &[Way::Whole, Way::Events],
            Self::Embeddings | Self::CountTokens => &[Way::Whole],
        }
    }

    /// A plain question.
    pub(super) fn question(self) -> Value {
        const TEXT: &str = "Wie warm ist es in Zürich? 水";
        match self {
            Self::Chat | Self::Messages => {
                json!({"model": "m-large", "max_tokens": 256, "messages": [{"role": "user", "content": TEXT}]})
            }
            Self::Responses => {
                json!({"model": "m-large", "max_output_tokens": 256, "input": [{"role": "user", "content": TEXT}]})
            }
            Self::Completions => json!({"model": "m-large", "max_tokens": 256, "prompt": TEXT}),
            Self::Embeddings => json!({"model": "m-small", "input": [TEXT, "a weir"]}),
            Self::CountTokens => {
                json!({"model": "m-large", "messages": [{"role": "user", "content": TEXT}]})
            }
        }
    }

    /// The same, answered as a stream.
    pub(super) fn streamed(self) -> Value {
        with(self.question(), &json!({"stream": true}))
    }

    /// The same with a tool on offer.
    pub(super) fn with_tool(self) -> Value {
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["city", "days"],
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}});
        let (name, description) = ("weather", "Tells the weather");
        let tool = match self {
            Self::Chat => {
                json!({"type": "function", "function": {"name": name, "description": description,
                "strict": true, "parameters": schema}})
            }
            Self::Responses => json!({"type": "function", "name": name, "description": description,
                "strict": true, "parameters": schema}),
            Self::Messages | Self::CountTokens => {
                json!({"name": name, "description": description, "input_schema": schema})
            }
            Self::Completions | Self::Embeddings => return self.question(), // which know no tools
        };
        with(self.question(), &json!({"tools": [tool]}))
    }

    /// The same with everything that shaping takes away: visible reasoning, and log probabilities where there are any.
    pub(super) fn with_everything(self) -> Value {
        let more = match self {
            Self::Chat => json!({"reasoning_effort": "high", "logprobs": true, "top_logprobs": 2}),
            Self::Responses => {
                json!({"reasoning": {"effort": "high", "summary": "detailed"}, "store": false,
                "top_logprobs": 2,
                "include": ["reasoning.encrypted_content", "message.output_text.logprobs"]})
            }
            Self::Messages => {
                json!({"max_tokens": 4096, "thinking": {"type": "enabled", "budget_tokens": 2048}})
            }
            Self::Completions => json!({"logprobs": 2}),
            Self::Embeddings | Self::CountTokens => json!({}),
        };
        with(self.with_tool(), &more)
    }
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As one JSON body.
    Whole,
    /// As a stream that the SDK makes one object of.
    Stream,
    /// As a stream, event by event.
    Events,
}

impl Way {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Stream => "stream",
            Self::Events => "events",
        }
    }
}

/// One call of an SDK, or one conversation.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Its place among all tasks.
    pub(super) number: usize,
    pub(super) sdk: Sdk,
    pub(super) api: Api,
    pub(super) way: Way,
    pub(super) base: String,
    /// Unique, so that what was sent can be counted by it.
    pub(super) account: String,
    /// Besides the account's.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) params: Value,
    /// Calls before the one that is looked at.
    pub(super) before: u64,
    /// Whether tools are run and the conversation goes on until no more are called.
    pub(super) is_loop: bool,
    /// Which question of its kind it answers; see the module that made it.
    pub(super) purpose: Purpose,
}

/// Who reads the end of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The denial of this name.
    Denial(&'static str),
    /// An object under this treatment.
    Object(super::objects::Treatment),
    /// A loop of accounts with this plan.
    Loop(&'static str),
}

/// The plan as a driver reads it.
pub(super) fn document<'t>(tasks: impl Iterator<Item = &'t Task>) -> Value {
    let tasks: Vec<Value> = tasks
        .map(|task| {
            let headers: serde_json::Map<String, Value> =
                task.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
            json!({"task": task.number, "sdk": task.sdk.provider(), "api": task.api.name(), "way": task.way.name(),
                "base": task.base, "account": task.account, "headers": headers, "params": task.params,
                "before": task.before, "loop": task.is_loop})
        })
        .collect();
    json!({"tasks": tasks})
}

fn with(mut object: Value, more: &Value) -> Value {
    if let (Some(object), Some(more)) = (object.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    object
}

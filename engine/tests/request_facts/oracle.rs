//! Facts of a `serde_json` tree.
use serde_json::Value;
use weir_engine::endpoint::Endpoint;
use weir_engine::facts::{Effort, Reasoning, RequestFacts, Sampling, StructuredOutput};

/// Who says what.
pub(crate) type Texts = Vec<(&'static str, String)>;

fn count(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse::<serde_json::Number>().ok()?.as_f64()?,
        _ => return None,
    };
    (number >= 0.0).then_some(number as u32)
}

fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(_) => count(value) > Some(0),
        Value::String(text) => {
            ["true", "1", "t", "yes", "y", "on"].contains(&text.to_ascii_lowercase().as_str())
        }
        _ => false,
    }
}

fn items(value: &Value) -> u32 {
    value.as_array().map_or(0, |items| items.len() as u32)
}

/// Whether a word asks for reasoning, and for what effort.
fn level(value: &Value) -> (bool, Option<Effort>) {
    let word = value.as_str();
    (
        word.is_some_and(|level| !["", "none", "minimal"].contains(&level)),
        word.and_then(Effort::parse),
    )
}

fn thousandths(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse::<serde_json::Number>().ok()?.as_f64()?,
        _ => return None,
    };
    (number >= 0.0).then_some((number * 1000.0) as u32)
}

fn sampling(body: &Value, top_p: &str, top_k: &str) -> Sampling {
    Sampling {
        temperature: thousandths(&body["temperature"]),
        top_p: thousandths(&body[top_p]),
        top_k: count(&body[top_k]),
        seeded: body["seed"].is_number() || body["seed"].is_string(),
    }
}

fn format(value: &Value) -> StructuredOutput {
    match value["type"].as_str() {
        Some("json_object") => StructuredOutput::Json,
        Some("json_schema") => StructuredOutput::Schema,
        _ => StructuredOutput::Free,
    }
}

fn sequences(value: &Value) -> u32 {
    match value {
        Value::String(text) => u32::from(!text.is_empty()),
        _ => items(value),
    }
}

fn role_of(name: Option<&str>) -> &'static str {
    match name {
        Some("system" | "developer") => "system",
        Some("assistant") => "assistant",
        Some("tool" | "function") => "tool",
        _ => "user",
    }
}

fn thinking(value: &Value) -> Reasoning {
    match value["type"].as_str() {
        Some("enabled" | "adaptive") => Reasoning {
            requested: true,
            visible: value["display"] != "omitted",
            budget_tokens: count(&value["budget_tokens"]),
            effort: None,
        },
        _ => Reasoning::default(),
    }
}

/// What a request says of itself.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) facts: RequestFacts<'static>,
    pub(crate) texts: Texts,
}

impl Oracle {
    pub(crate) fn of(endpoint: Endpoint, body: &Value) -> Self {
        let mut oracle = Self::default();
        let facts = &mut oracle.facts;
        facts.samples = 1;
        facts.model = body["model"].as_str().map(|model| model.to_owned().into());
        facts.stream = flag(&body["stream"]);
        facts.tools = items(&body["tools"]);
        facts.sampling = sampling(body, "top_p", "top_k");
        facts.stop_sequences = sequences(&body["stop"]);
        match endpoint {
            Endpoint::OpenAiChat => oracle.chat(body),
            Endpoint::OpenAiCompletions | Endpoint::OpenAiEmbeddings => oracle.completions(body),
            Endpoint::OpenAiResponses => oracle.responses(body),
            Endpoint::GeminiGenerate | Endpoint::GeminiStream => {
                *facts = RequestFacts {
                    stream: endpoint == Endpoint::GeminiStream,
                    ..RequestFacts::default()
                };
                oracle.gemini(body);
            }
            _ => oracle.claude(body),
        }
        oracle
    }

    fn chat(&mut self, body: &Value) {
        let facts = &mut self.facts;
        facts.max_output_tokens =
            count(&body["max_completion_tokens"]).max(count(&body["max_tokens"]));
        facts.samples = count(&body["n"]).unwrap_or(1).max(1);
        facts.logprobs = probabilities(&body["logprobs"])
            || probabilities(&body["top_logprobs"])
            || counted(&body["prompt_logprobs"]);
        facts.tools += items(&body["functions"]);
        facts.structured_output = format(&body["response_format"]);
        let reasoning = &body["reasoning"];
        let (asks, effort) = level(&reasoning["effort"]);
        let (flat_asks, flat_effort) = level(&body["reasoning_effort"]);
        let asked =
            asks || flag(&reasoning["enabled"]) || count(&reasoning["max_tokens"]) > Some(0);
        let summary = reasoning["summary"]
            .as_str()
            .is_some_and(|summary| !["", "none"].contains(&summary));
        let thinking = thinking(&body["thinking"]);
        let include = flag(&body["include_reasoning"]);
        facts.reasoning = Reasoning {
            requested: asked || include || flat_asks || thinking.requested,
            visible: include
                || thinking.visible
                || (asked || summary) && !flag(&reasoning["exclude"]),
            budget_tokens: count(&reasoning["max_tokens"]).max(thinking.budget_tokens),
            effort: effort.max(flat_effort),
        };
        self.messages(body);
    }

    fn claude(&mut self, body: &Value) {
        let facts = &mut self.facts;
        let output = &body["output_config"];
        let (asks, effort) = level(&output["effort"]);
        facts.max_output_tokens = count(&body["max_tokens"]);
        facts.reasoning = thinking(&body["thinking"]);
        facts.reasoning.requested |= asks;
        facts.reasoning.effort = effort;
        facts.stop_sequences = sequences(&body["stop_sequences"]);
        facts.structured_output = format(&output["format"]).max(format(&body["output_format"]));
        self.content(&body["system"], "system", 0);
        self.messages(body);
    }

    fn completions(&mut self, body: &Value) {
        let facts = &mut self.facts;
        facts.tools = 0;
        facts.samples = count(&body["n"])
            .max(count(&body["best_of"]))
            .unwrap_or(1)
            .max(1);
        facts.max_output_tokens = count(&body["max_tokens"]);
        facts.logprobs = counted(&body["logprobs"]) || counted(&body["prompt_logprobs"]);
        facts.structured_output = format(&body["response_format"]);
        self.prompts(&body["prompt"], 0);
        self.prompts(&body["input"], 0);
        if body["suffix"].is_string() {
            self.prompts(&body["suffix"], 0);
        }
    }

    fn prompts(&mut self, value: &Value, level: u32) {
        match value {
            Value::String(_) => self.turn("user", |oracle| oracle.content(value, "user", 0)),
            Value::Object(_) => self.turn("user", |oracle| oracle.part(value, "user", 1)),
            Value::Array(prompts) if level < 2 => {
                let tokens = prompts.iter().filter(|prompt| prompt.is_number()).count() as u32;
                self.facts.prompt_tokens += tokens;
                self.facts.user_turns += u32::from(tokens > 0);
                for prompt in prompts {
                    self.prompts(prompt, level + 1);
                }
            }
            _ => {}
        }
    }

    fn responses(&mut self, body: &Value) {
        let facts = &mut self.facts;
        let reasoning = &body["reasoning"];
        let (asks, effort) = level(&reasoning["effort"]);
        let is_summary = |key: &str| {
            reasoning[key]
                .as_str()
                .is_some_and(|summary| !["", "none"].contains(&summary))
        };
        facts.max_output_tokens = count(&body["max_output_tokens"]);
        facts.logprobs = probabilities(&body["top_logprobs"])
            || body["include"]
                .as_array()
                .is_some_and(|names| names.contains(&"message.output_text.logprobs".into()));
        facts.structured_output = format(&body["text"]["format"]);
        facts.reasoning = Reasoning {
            requested: asks
                || flag(&reasoning["enabled"])
                || count(&reasoning["max_tokens"]) > Some(0),
            visible: is_summary("summary") || is_summary("generate_summary"),
            budget_tokens: count(&reasoning["max_tokens"]),
            effort,
        };
        self.content(&body["instructions"], "system", 0);
        self.turn("user", |oracle| {
            for variable in body["prompt"]["variables"]
                .as_object()
                .into_iter()
                .flat_map(|variables| variables.values())
            {
                oracle.part_or_content(variable, "user");
            }
        });
        if body["input"].is_string() {
            self.turn("user", |oracle| oracle.content(&body["input"], "user", 0));
        }
        for item in body["input"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| item.is_object())
        {
            self.item(item);
        }
    }

    fn item(&mut self, item: &Value) {
        let kind = item["type"].as_str().unwrap_or("");
        let role = role_of(item["role"].as_str());
        self.facts.tool_calls += u32::from(kind.ends_with("_call"));
        self.facts.tool_results += u32::from(kind.ends_with("_call_output"));
        self.facts.attachments += u32::from(kind == "input_image");
        self.turn(role, |oracle| {
            if kind != "reasoning" {
                oracle.content(&item["content"], role, 0);
                if item["text"].is_string() {
                    oracle.content(&item["text"], role, 0);
                }
            }
            oracle.part_or_content(&item["output"], "tool");
        });
    }

    fn part_or_content(&mut self, value: &Value, role: &'static str) {
        match value {
            Value::Object(_) => self.part(value, role, 1),
            _ => self.content(value, role, 0),
        }
    }

    fn gemini(&mut self, body: &Value) {
        let either = |value: &Value, camel: &str, snake: &str| -> Value {
            value
                .get(camel)
                .or(value.get(snake))
                .cloned()
                .unwrap_or_default()
        };
        let config = either(body, "generationConfig", "generation_config");
        let thinking = either(&config, "thinkingConfig", "thinking_config");
        let budget = either(&thinking, "thinkingBudget", "thinking_budget");
        let of = |camel: &str, snake: &str| either(&config, camel, snake);
        let facts = &mut self.facts;
        facts.samples = count(&of("candidateCount", "candidate_count"))
            .unwrap_or(1)
            .max(1);
        facts.max_output_tokens = count(&of("maxOutputTokens", "max_output_tokens"));
        facts.stop_sequences = sequences(&of("stopSequences", "stop_sequences"));
        facts.logprobs = probabilities(&of("responseLogprobs", "response_logprobs"))
            || probabilities(&config["logprobs"]);
        facts.structured_output = if of("responseSchema", "response_schema").is_object() {
            StructuredOutput::Schema
        } else if of("responseMimeType", "response_mime_type") == "application/json" {
            StructuredOutput::Json
        } else {
            StructuredOutput::Free
        };
        facts.sampling = match config.get("topP").or(config.get("topK")) {
            Some(_) => sampling(&config, "topP", "topK"),
            None => sampling(&config, "top_p", "top_k"),
        };
        let word = either(&thinking, "thinkingLevel", "thinking_level");
        let (level_asks, effort) = match &word {
            Value::Number(_) => (
                count(&word) > Some(0),
                (count(&word) > Some(0)).then_some(Effort::High),
            ),
            Value::String(word) if word != "THINKING_LEVEL_UNSPECIFIED" => {
                level(&word.to_ascii_lowercase().into())
            }
            _ => (false, None),
        };
        let is_open = budget.as_f64().is_some_and(|budget| budget < 0.0)
            || budget
                .as_str()
                .is_some_and(|budget| budget.starts_with('-'));
        facts.reasoning = Reasoning {
            requested: level_asks || is_open || count(&budget) > Some(0),
            visible: flag(&either(&thinking, "includeThoughts", "include_thoughts")),
            budget_tokens: count(&budget),
            effort,
        };
        for tool in objects(&body["tools"]) {
            for (key, value) in tool.as_object().into_iter().flatten() {
                facts.tools += match key.as_str() {
                    "functionDeclarations" | "function_declarations" => items(value),
                    _ => u32::from(!value.is_null()),
                };
            }
        }
        match either(body, "systemInstruction", "system_instruction") {
            system @ Value::Object(_) => self.parts(&system["parts"], "system", 0),
            system => self.content(&system, "system", 0),
        }
        for content in objects(&body["contents"]) {
            let role = match content["role"].as_str() {
                Some("model") => "assistant",
                other => role_of(other),
            };
            self.turn(role, |oracle| oracle.parts(&content["parts"], role, 0));
        }
    }

    fn parts(&mut self, parts: &Value, role: &'static str, level: u32) {
        const FILES: [&str; 4] = ["inlineData", "inline_data", "fileData", "file_data"];
        if level >= 4 {
            return;
        }
        for part in objects(parts) {
            if part["text"].is_string() && !flag(&part["thought"]) {
                self.content(&part["text"], role, 0);
            }
            let attached = FILES.iter().any(|key| !part[key].is_null());
            self.facts.attachments += u32::from(attached);
            for key in ["functionCall", "function_call"] {
                self.facts.tool_calls += u32::from(part[key].is_object());
            }
            for key in ["functionResponse", "function_response"] {
                let result = &part[key];
                self.facts.tool_results += u32::from(result.is_object());
                self.values(&result["response"], 0);
                self.values(&result["output"], 0);
                self.parts(&result["parts"], "tool", level + 1);
            }
        }
    }

    fn values(&mut self, value: &Value, level: u32) {
        match value {
            Value::String(_) => self.content(value, "tool", 0),
            Value::Object(values) if level < 4 => values
                .values()
                .for_each(|value| self.values(value, level + 1)),
            Value::Array(values) if level < 4 => values
                .iter()
                .for_each(|value| self.values(value, level + 1)),
            _ => {}
        }
    }

    /// Counts a turn of `role` if `read` finds one.
    fn turn(&mut self, role: &'static str, read: impl FnOnce(&mut Self)) {
        let before = self.texts.len();
        read(self);
        let spoke = self.texts[before..].iter().any(|(role, _)| *role == "user");
        self.facts.user_turns += u32::from(role == "user" && spoke);
        self.facts.assistant_turns += u32::from(role == "assistant");
    }

    fn messages(&mut self, body: &Value) {
        for message in body["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|message| message.is_object())
        {
            let role = role_of(message["role"].as_str());
            self.turn(role, |oracle| oracle.content(&message["content"], role, 0));
            self.facts.tool_results += u32::from(role == "tool");
            self.facts.tool_calls +=
                items(&message["tool_calls"]) + u32::from(message["function_call"].is_object());
        }
    }

    fn content(&mut self, content: &Value, role: &'static str, level: u32) {
        if let Some(text) = content.as_str() {
            self.texts
                .extend((!text.is_empty()).then(|| (role, text.to_owned())));
        }
        for part in content
            .as_array()
            .filter(|_| level < 4)
            .into_iter()
            .flatten()
        {
            match part {
                Value::String(_) => self.content(part, role, level),
                Value::Object(_) => self.part(part, role, level + 1),
                _ => {}
            }
        }
    }

    fn part(&mut self, part: &Value, role: &'static str, level: u32) {
        const ATTACHMENTS: [&str; 5] =
            ["image_url", "input_audio", "audio_url", "video_url", "file"];
        let kind = part["type"].as_str().unwrap_or("");
        self.facts.tool_calls += u32::from(kind.ends_with("tool_use"));
        self.facts.tool_results += u32::from(kind.ends_with("tool_result"));
        let attached = ATTACHMENTS.iter().any(|key| !part[key].is_null())
            || ATTACHMENTS.contains(&kind)
            || ["image", "document", "container_upload", "input_image"].contains(&kind);
        self.facts.attachments += u32::from(attached);
        if part["text"].is_string() {
            self.content(&part["text"], role, level);
        }
        let source = &part["source"];
        if source["type"] == "text" && source["data"].is_string() {
            self.content(&source["data"], role, level);
        }
        self.content(&source["content"], role, level);
        self.content(
            &part["content"],
            if kind.ends_with("tool_result") {
                "tool"
            } else {
                role
            },
            level,
        );
    }
}

/// The objects of an array, or the one in its place.
fn objects(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(_) => vec![value],
        _ => value
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| item.is_object())
            .collect(),
    }
}

fn counted(value: &Value) -> bool {
    flag(value) || count(value).is_some()
}

fn probabilities(value: &Value) -> bool {
    flag(value) || count(value) > Some(0)
}

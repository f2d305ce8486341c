//! Which API a request is for, and everything that depends on it: what is asked, what is refused, the wording.
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Part};
use super::asked::Asked;
use super::directives::Directives;
use super::{
    anthropic, gemini, openai_chat, openai_completions, openai_embeddings, openai_responses,
};

/// An endpoint that the mock knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Chat,
    Completions,
    Responses,
    Embeddings,
    Messages,
    CountTokens,
    /// Of the model that the path names.
    Generate(String),
    /// The same as a stream; `sse` where the query asks for events.
    StreamGenerate {
        model: String,
        sse: bool,
    },
}

/// An answer, ready to be written.
pub(super) struct Written {
    pub(super) parts: Vec<Part>,
    pub(super) content_type: &'static str,
    /// Written part by part; otherwise its length is known before.
    pub(super) streaming: bool,
}

impl Api {
    pub(super) fn of(head: &Parts) -> Option<Self> {
        if head.method != Method::POST {
            return None;
        }
        let path = head.uri.path();
        let exact = [
            ("/v1/chat/completions", Self::Chat),
            ("/v1/completions", Self::Completions),
            ("/v1/responses", Self::Responses),
            ("/v1/embeddings", Self::Embeddings),
            ("/v1/messages", Self::Messages),
            ("/v1/messages/count_tokens", Self::CountTokens),
        ];
        if let Some((_, api)) = exact.into_iter().find(|(end, _)| path.ends_with(end)) {
            return Some(api);
        }
        let (model, method) = path.rsplit_once("/models/")?.1.split_once(':')?;
        let query = head.uri.query().unwrap_or_default();
        let model = model.to_owned();
        match method {
            "generateContent" => Some(Self::Generate(model)),
            "streamGenerateContent" => {
                let sse = query.split('&').any(|pair| pair == "alt=sse");
                Some(Self::StreamGenerate { model, sse })
            }
            _ => None,
        }
    }

    /// Why a request that can be read is refused all the same.
    pub(super) fn objection(&self, request: &Map<String, Value>) -> Option<String> {
        match self {
            Self::Messages | Self::CountTokens => anthropic::objection(request),
            Self::Responses => openai_responses::objection(request),
            _ => None,
        }
    }

    /// The answer to a request of so many bytes.
    pub(super) fn answer(
        &self,
        request: &Map<String, Value>,
        request_bytes: usize,
        directives: &Directives,
        id: u64,
    ) -> Written {
        let asked = self.asked(request);
        let answer = Answer::to(&asked, request_bytes, directives, id);
        let parts = match (self, asked.streaming) {
            (Self::Chat, false) => vec![openai_chat::whole(&answer)],
            (Self::Chat, true) => openai_chat::events(&answer, request),
            (Self::Completions, false) => vec![openai_completions::whole(&answer)],
            (Self::Completions, true) => openai_completions::events(&answer, request),
            (Self::Responses, false) => vec![openai_responses::whole(&answer, request)],
            (Self::Responses, true) => openai_responses::events(&answer, request),
            (Self::Embeddings, _) => {
                let input = answer.told().input;
                vec![openai_embeddings::whole(
                    request,
                    input,
                    !directives.no_usage,
                )]
            }
            (Self::Messages, false) => vec![anthropic::whole(&answer)],
            (Self::Messages, true) => anthropic::events(&answer),
            (Self::CountTokens, _) => vec![anthropic::count(answer.told().input)],
            (Self::Generate(_), _) => vec![gemini::whole(&answer)],
            (Self::StreamGenerate { sse: true, .. }, _) => gemini::events(&answer),
            (Self::StreamGenerate { sse: false, .. }, _) => gemini::array(&answer),
        };
        let content_type = match self {
            Self::StreamGenerate { sse: false, .. } => "application/json; charset=UTF-8",
            _ if asked.streaming => "text/event-stream; charset=utf-8",
            _ => "application/json",
        };
        Written {
            parts,
            content_type,
            streaming: asked.streaming,
        }
    }

    fn asked(&self, request: &Map<String, Value>) -> Asked {
        match self {
            Self::Chat => openai_chat::asked(request),
            Self::Completions => openai_completions::asked(request),
            Self::Responses => openai_responses::asked(request),
            Self::Messages => anthropic::asked(request),
            Self::Embeddings | Self::CountTokens => Asked::default(),
            Self::Generate(model) => gemini::asked(request, model, false),
            Self::StreamGenerate { model, .. } => gemini::asked(request, model, true),
        }
    }

    /// An error as the provider words it.
    pub(super) fn error(&self, status: StatusCode, message: &str) -> Value {
        let kind = match status.as_u16() {
            400 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        match self {
            Self::Chat | Self::Completions | Self::Responses | Self::Embeddings => {
                json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
            }
            Self::Messages | Self::CountTokens => {
                json!({"type": "error", "error": {"type": kind, "message": message}})
            }
            Self::Generate(_) | Self::StreamGenerate { .. } => {
                let name = match status.as_u16() {
                    400 => "INVALID_ARGUMENT",
                    403 => "PERMISSION_DENIED",
                    429 => "RESOURCE_EXHAUSTED",
                    503 => "UNAVAILABLE",
                    _ => "INTERNAL",
                };
                json!({"error": {"code": status.as_u16(), "message": message, "status": name}})
            }
        }
    }
}

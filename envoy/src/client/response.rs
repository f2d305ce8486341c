//! An answer, read as slowly as the caller likes.
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::http;
use serde_json::Value;

use super::ClientError;

/// An answer whose body has not been read yet. Dropping it before the end leaves the exchange: the stream is
/// reset in HTTP/2, the connection closed in HTTP/1.1.
#[derive(Debug)]
pub struct Response {
    inner: http::Response<Incoming>,
    /// Bytes read that belong to no complete event yet.
    partial: Vec<u8>,
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The `event:` field, which only Anthropic sends.
    pub name: Option<String>,
    /// The `data:` lines.
    pub data: String,
}

impl Response {
    pub(super) const fn new(inner: http::Response<Incoming>) -> Self {
        Self {
            inner,
            partial: Vec::new(),
        }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// The first value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn headers(&self) -> &http::HeaderMap {
        self.inner.headers()
    }

    /// The next bytes as they arrived; None at the end.
    ///
    /// # Errors
    /// [`ClientError::Broken`] where the stream ends before its end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.inner.frame().await {
            if let Ok(data) = frame?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// The next server-sent event as soon as its last byte is there; None at the end. A last event that is not
    /// closed by an empty line is no event.
    ///
    /// # Errors
    /// [`ClientError::Broken`].
    pub async fn next_event(&mut self) -> Result<Option<SseEvent>, ClientError> {
        loop {
            if let Some(end) = self.partial.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.partial.drain(..end.saturating_add(2)).collect();
                return Ok(Some(SseEvent::parse(&String::from_utf8_lossy(&event))));
            }
            match self.next_chunk().await? {
                Some(chunk) => self.partial.extend_from_slice(&chunk),
                None => return Ok(None),
            }
        }
    }

    /// The rest of the events.
    ///
    /// # Errors
    /// [`ClientError::Broken`].
    pub async fn events(mut self) -> Result<Vec<SseEvent>, ClientError> {
        let mut events = Vec::new();
        while let Some(event) = self.next_event().await? {
            events.push(event);
        }
        Ok(events)
    }

    /// The rest of the body.
    ///
    /// # Errors
    /// [`ClientError::Broken`].
    pub async fn bytes(self) -> Result<Bytes, ClientError> {
        Ok(self.inner.into_body().collect().await?.to_bytes())
    }

    /// The rest of the body as JSON.
    ///
    /// # Errors
    /// [`ClientError::Broken`], [`ClientError::Json`].
    pub async fn json(self) -> Result<Value, ClientError> {
        Ok(serde_json::from_slice(&self.bytes().await?)?)
    }

    /// Leaves the exchange in the middle.
    pub fn abort(self) {}
}

impl SseEvent {
    fn parse(text: &str) -> Self {
        let field = |line: &str, name: &str| {
            let value = line.strip_prefix(name)?;
            Some(value.strip_prefix(' ').unwrap_or(value).to_owned())
        };
        let data: Vec<String> = text
            .lines()
            .filter_map(|line| field(line, "data:"))
            .collect();
        Self {
            name: text.lines().find_map(|line| field(line, "event:")),
            data: data.join("\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_name_and_its_data_lines() {
        let event = SseEvent::parse("event: ping\ndata: {\"a\":\ndata:1}\n\n");

        assert_eq!(
            event,
            SseEvent {
                name: Some("ping".to_owned()),
                data: "{\"a\":\n1}".to_owned()
            }
        );
    }
}

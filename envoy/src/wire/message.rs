//! One message, as it is sent and as it is received.

/// Names and values in order; pseudo headers are ordinary names here.
pub type Fields = Vec<(String, String)>;

/// A message to send, piece by piece.
///
/// HTTP/2 sends each piece as one DATA frame, as far as windows and the peer's frame size allow. HTTP/1.1 sends
/// everything in one write, each piece as one chunk, so that what is joined on the way is always the same; with a
/// `content-length` among the headers the pieces follow as they are, whatever it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// With pseudo headers; HTTP/1.1 makes its first line and `host` of them.
    pub headers: Fields,
    /// The body.
    pub pieces: Vec<Vec<u8>>,
    /// Sent after the body; they end the message.
    pub trailers: Fields,
    /// What comes after all that.
    pub close: Close,
}

/// What comes after the last piece of a message without trailers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Close {
    /// The last piece ends it, or the headers do.
    #[default]
    WithLast,
    /// An empty piece ends it.
    Separately,
    /// Nothing: neither trailers nor an end.
    Never,
    /// The stream is reset in HTTP/2, the connection closed in HTTP/1.1.
    Reset,
}

impl Outgoing {
    /// A message with headers only.
    pub fn head(headers: &[(&str, &str)]) -> Self {
        Self {
            headers: fields(headers),
            ..Self::default()
        }
    }
    /// Whether trailers are sent.
    pub(crate) fn has_trailers(&self) -> bool {
        !self.trailers.is_empty() && matches!(self.close, Close::WithLast | Close::Separately)
    }
    /// Whether the headers are all there is.
    pub(crate) fn ends_with_headers(&self) -> bool {
        self.pieces.is_empty() && self.trailers.is_empty() && self.close == Close::WithLast
    }
    /// The first value of a header, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// A message as far as it has arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// In order of arrival; empty until they are there. Of HTTP/1.1 `:method`, `:path` and, out of `host`,
    /// `:authority`, or `:status`.
    pub headers: Fields,
    /// The body so far.
    pub body: Vec<u8>,
    /// Trailers, once they are there.
    pub trailers: Option<Fields>,
    /// Whether and how it ended.
    pub end: End,
}

/// How a message ended for its receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It has not.
    #[default]
    Open,
    /// As it should.
    Complete,
    /// The stream or the connection broke first.
    Reset,
}

impl Incoming {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

pub(crate) fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Bytes from the wire as text; what is no UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
